// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomctl: create, see and end kernel-memory domains, kmdomctl(8).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "kmdomctl.h"

bool json_output;

static const struct command commands[] = {
	{ "create", "NAME --max-frames N [--aead NAME] [--orphan-seconds N]",
	  "create a domain", command_create },
	{ "list", "", "all domains that you may see", command_list },
	{ "stat", "NAME", "all that is known of a domain", command_stat },
	{ "adopt", "NAME [--takeover] [--frames N] [-- COMMAND [ARG]...]",
	  "begin a session and run a pager in it; without a command, end the session there is",
	  command_adopt },
	{ "abort", "NAME", "end a domain, whoever uses it; what is in it is lost",
	  command_abort },
	{ "destroy", "NAME", "end a domain that nobody uses", command_destroy },
	{ "schema", "NAME", "the types of a domain's caches, field by field", command_schema },
	{ "inspect", "[--schema FILE] [--index N] [--at-version N] RECORD...",
	  "what is in records, field by field, or why they are broken", command_inspect },
	{ "features", "", "what this kernel's kmdom offers", command_features },
};

static const struct command *current;

static void print_usage(FILE *file)
{
	size_t i;

	fputs("Usage: kmdomctl [--json] COMMAND [ARG]...\n\n", file);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(file, "  kmdomctl %s %s\n      %s\n", commands[i].name,
			commands[i].usage, commands[i].help);
	fputs("\n--json may stand anywhere before a --. See kmdomctl(8).\n", file);
}

static void print_error(const char *text, int err)
{
	if (!json_output)
		return;
	json_begin(NULL, '{');
	json_string("error", text);
	json_number("errno", err);
	json_end('}');
}

void usage_error(void)
{
	print_error("wrong usage", EINVAL);
	if (current)
		fprintf(stderr, "Usage: kmdomctl %s %s\n", current->name, current->usage);
	else
		print_usage(stderr);
	exit(EXIT_USAGE);
}

/**
 * fail_saying() - tell what went wrong, in words
 * @text: the words
 * @err: the errno, of either sign
 * @name: of what it is about, or NULL
 *
 * Return: The exit status.
 */
int fail_saying(const char *text, int err, const char *name)
{
	fprintf(stderr, "kmdomctl: %s%s%s\n", name ? name : "", name ? ": " : "", text);
	print_error(text, err < 0 ? -err : err);
	return EXIT_FAILURE;
}

/**
 * fail() - tell what went wrong
 * @call: what was tried
 * @err: the errno, of either sign
 * @name: the domain, or NULL
 *
 * Return: The exit status.
 */
int fail(enum kmdom_call call, int err, const char *name)
{
	return fail_saying(kmdom_explain(call, err), err, name);
}

int open_device(void)
{
	int dev = kmdom_open(0, NULL);

	if (dev < 0)
		fail(KMDOM_CALL_OPEN, dev, NULL);
	return dev;
}

uint64_t parse_number(const char *option, const char *arg, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(arg, &end, 10);
	if (end == arg || *end || errno || *arg == '-' || value > max) {
		print_error("a value is no number, or out of range", EINVAL);
		fprintf(stderr, "kmdomctl: --%s: \"%s\" is no number from 0 to %llu\n",
			option, arg, (unsigned long long)max);
		exit(EXIT_USAGE);
	}
	return value;
}

/* The one argument of a subcommand that takes a domain and nothing else. */
const char *parse_domain(int argc, char **argv)
{
	if (argc != 2 || *argv[1] == '-')
		usage_error();
	return argv[1];
}

/* Take --json out of the arguments before a "--"; returns how many are left. */
static int take_json(int argc, char **argv)
{
	int from, to = 1;
	bool end = false;

	for (from = 1; from < argc; from++) {
		end |= !strcmp(argv[from], "--");
		if (!end && !strcmp(argv[from], "--json"))
			json_output = true;
		else
			argv[to++] = argv[from];
	}
	argv[to] = NULL;
	return to;
}

int main(int argc, char **argv)
{
	size_t i;

	argc = take_json(argc, argv);
	if (argc < 2)
		usage_error();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("kmdomctl " KMDOM_VERSION);
		return EXIT_SUCCESS;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		current = &commands[i];
		return current->run(argc - 1, argv + 1);
	}
	fprintf(stderr, "kmdomctl: there is no command \"%s\"\n", argv[1]);
	usage_error();
}
