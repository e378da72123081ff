// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "kmdomctl.h"
#include "words.h"

static const struct option create_options[] = {
	{ "max-frames", required_argument, NULL, 'm' },
	{ "aead", required_argument, NULL, 'a' },
	{ "orphan-seconds", required_argument, NULL, 'o' },
	{ }
};

static void create_parse(struct kmdom_create *create, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", create_options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			create->max_frames = parse_number("max-frames", optarg, UINT32_MAX);
			break;
		case 'a':
			if (strlen(optarg) >= sizeof(create->aead))
				exit(fail(KMDOM_CALL_CREATE, EOPNOTSUPP, optarg));
			strcpy(create->aead, optarg);
			break;
		case 'o':
			create->orphan_seconds = parse_number("orphan-seconds", optarg,
							      UINT32_MAX);
			break;
		default:
			usage_error();
		}
	}
	if (optind != argc - 1 || !create->max_frames)
		usage_error();
	if (kmdom_set_name(create->name, argv[optind]))
		exit(fail(KMDOM_CALL_CREATE, EINVAL, argv[optind]));
}

static void create_print(const struct kmdom_create *create)
{
	char uuid[UUID_TEXT];

	uuid_text(create->uuid, uuid);
	if (!json_output) {
		printf("created %s: domain %llu, uuid %s\n", create->name,
		       (unsigned long long)create->id, uuid);
		return;
	}
	json_begin(NULL, '{');
	json_string("name", create->name);
	json_number("id", create->id);
	json_string("uuid", uuid);
	json_end('}');
}

int command_create(int argc, char **argv)
{
	struct kmdom_create create = {};
	int dev, ret;

	create_parse(&create, argc, argv);
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	ret = kmdom_create(dev, &create);
	close(dev);
	if (ret)
		return fail(KMDOM_CALL_CREATE, ret, create.name);
	create_print(&create);
	return EXIT_SUCCESS;
}
