// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "json.h"
#include "kmdomctl.h"

/* The heading is held back until it is clear that there is something to list. */
static bool list_begun;

static void list_begin(void)
{
	if (list_begun)
		return;
	list_begun = true;
	if (json_output)
		json_begin(NULL, '[');
	else
		print_info(NULL, false);
}

static int list_domain(const struct kmdom_info *info, void *arg)
{
	(void)arg;
	list_begin();
	print_info(info, false);
	return 0;
}

int command_list(int argc, char **argv)
{
	int ret;

	(void)argv;
	if (argc != 1)
		usage_error();
	ret = kmdom_info_list(list_domain, NULL);
	if (ret)
		return fail(KMDOM_CALL_INFO, ret, NULL);
	list_begin();
	if (json_output)
		json_end(']');
	return EXIT_SUCCESS;
}
