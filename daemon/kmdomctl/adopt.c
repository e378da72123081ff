// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomctl adopt: a session for a pager that is started in it, or, without a
 * command, the end of the session that there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "json.h"
#include "kmdomctl.h"

#define ADOPT_SLOTS	8

struct adopt_args {
	const char *name;
	uint32_t frames;
	bool takeover;
	char **command;		/* NULL: none */
};

static const struct option adopt_options[] = {
	{ "takeover", no_argument, NULL, 't' },
	{ "frames", required_argument, NULL, 'f' },
	{ }
};

static void adopt_parse(struct adopt_args *args, int argc, char **argv)
{
	int opt;

	*args = (struct adopt_args){};
	/* "+": what comes behind the name is the command's. */
	if (argc > 1 && *argv[1] != '-') {
		args->name = *++argv;
		argc--;
	}
	while ((opt = getopt_long(argc, argv, "+", adopt_options, NULL)) != -1) {
		switch (opt) {
		case 't':
			args->takeover = true;
			break;
		case 'f':
			args->frames = parse_number("frames", optarg, UINT32_MAX);
			break;
		default:
			usage_error();
		}
	}
	if (!args->name && optind < argc)
		args->name = argv[optind++];
	if (!args->name)
		usage_error();
	if (optind < argc)
		args->command = argv + optind;
}

/* Run the pager in this process: the session is the process's. */
static int adopt_exec(const struct adopt_args *args, int session)
{
	char number[16];

	if (fcntl(session, F_SETFD, 0) < 0)
		goto failed;
	snprintf(number, sizeof(number), "%d", session);
	setenv(KMDOM_ENV_SESSION, number, 1);
	snprintf(number, sizeof(number), "%u", args->frames);
	setenv(KMDOM_ENV_FRAMES, number, 1);
	execvp(args->command[0], args->command);
failed:
	fprintf(stderr, "kmdomctl: cannot run %s: %s\n", args->command[0],
		strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

static void adopt_print(const struct kmdom_adopt *adopt)
{
	if (!json_output) {
		printf("%s: session %llu has ended, and is free for a successor\n",
		       adopt->name, (unsigned long long)adopt->session - 1);
		return;
	}
	json_begin(NULL, '{');
	json_string("name", adopt->name);
	json_number("session", adopt->session);
	json_number("pages", adopt->page_count);
	json_number("frames-max", adopt->max_frames);
	json_end('}');
}

/* All that the domain may have, as kmdomd takes it; without a pager, the least. */
static int adopt_default_frames(struct adopt_args *args)
{
	struct kmdom_info info;
	int ret;

	if (args->frames)
		return 0;
	args->frames = 1;
	if (!args->command)
		return 0;
	ret = kmdom_info_find(args->name, &info);
	if (!ret)
		args->frames = info.frames_max;
	return ret;
}

int command_adopt(int argc, char **argv)
{
	struct kmdom_adopt adopt = { .slots = ADOPT_SLOTS };
	struct adopt_args args;
	int dev, session, ret;

	adopt_parse(&args, argc, argv);
	ret = adopt_default_frames(&args);
	if (ret)
		return fail(KMDOM_CALL_INFO, ret, args.name);
	if (kmdom_set_name(adopt.name, args.name))
		return fail(KMDOM_CALL_ADOPT, ENOENT, args.name);
	adopt.pool_frames = args.frames;
	adopt.flags = args.takeover ? KMDOM_ADOPT_TAKEOVER : 0;
	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	session = kmdom_adopt(dev, &adopt);
	close(dev);
	if (session < 0)
		return fail(KMDOM_CALL_ADOPT, session, args.name);
	if (args.command)
		return adopt_exec(&args, session);
	close(session);
	adopt_print(&adopt);
	return EXIT_SUCCESS;
}
