// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include "json.h"
#include "kmdomctl.h"

/* Domains are collected first: what is printed is a whole list, or an error. */
struct list {
	struct kmdom_info *domains;
	size_t count;
};

static int list_add(const struct kmdom_info *info, void *arg)
{
	struct list *list = arg;
	struct kmdom_info *more;

	more = reallocarray(list->domains, list->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->domains = more;
	list->domains[list->count++] = *info;
	return 0;
}

static void list_print(const struct list *list)
{
	size_t i;

	if (json_output)
		json_begin(NULL, '[');
	else
		print_info(NULL, false);
	for (i = 0; i < list->count; i++)
		print_info(&list->domains[i], false);
	if (json_output)
		json_end(']');
}

int command_list(int argc, char **argv)
{
	struct list list = {};
	int ret;

	(void)argv;
	if (argc != 1)
		usage_error();
	ret = kmdom_info_list(list_add, &list);
	if (ret)
		return fail(KMDOM_CALL_INFO, ret, NULL);
	list_print(&list);
	free(list.domains);
	return EXIT_SUCCESS;
}
