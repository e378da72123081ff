// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"
#include "policy.h"
#include "report.h"

enum {
	OPT_CREATE = 256, OPT_AEAD, OPT_MAX_FRAMES, OPT_ORPHAN_SECONDS,
	OPT_DEADLINE, OPT_LOW, OPT_HIGH, OPT_REPLACE_STORE, OPT_DOOR,
	OPT_TAKEOVER, OPT_LOSE_MISSING, OPT_NO_MLOCK, OPT_SESSION_FD,
	OPT_FOREGROUND, OPT_STATS, OPT_CHAOS,
};

static const struct option long_options[] = {
	{ "domain", required_argument, NULL, 'd' },
	{ "create", no_argument, NULL, OPT_CREATE },
	{ "aead", required_argument, NULL, OPT_AEAD },
	{ "max-frames", required_argument, NULL, OPT_MAX_FRAMES },
	{ "orphan-seconds", required_argument, NULL, OPT_ORPHAN_SECONDS },
	{ "frames", required_argument, NULL, 'f' },
	{ "deadline-ms", required_argument, NULL, OPT_DEADLINE },
	{ "policy", required_argument, NULL, 'p' },
	{ "low", required_argument, NULL, OPT_LOW },
	{ "high", required_argument, NULL, OPT_HIGH },
	{ "store", required_argument, NULL, 's' },
	{ "replace-store", no_argument, NULL, OPT_REPLACE_STORE },
	{ "door", required_argument, NULL, OPT_DOOR },
	{ "takeover", no_argument, NULL, OPT_TAKEOVER },
	{ "lose-missing", no_argument, NULL, OPT_LOSE_MISSING },
	{ "no-mlock", no_argument, NULL, OPT_NO_MLOCK },
	{ "session-fd", required_argument, NULL, OPT_SESSION_FD },
	{ "chaos", required_argument, NULL, OPT_CHAOS },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "stats-json", required_argument, NULL, OPT_STATS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ }
};

static const char usage[] =
"Usage: kmdomd --domain NAME --store KIND:PATH[,size=SIZE] [OPTION]...\n"
"Page the kernel memory of a domain, see kmdomd(8).\n"
"\n"
"  -d, --domain NAME       the domain\n"
"  -s, --store KIND:PATH   where records are kept: file:PATH (a file or a block\n"
"                          device), mem:PATH (compressed, PATH on a tmpfs);\n"
"                          ,size=SIZE with K, M, G, T (default 1G)\n"
"      --replace-store     empty a store that belongs to another domain\n"
"      --create            create the domain if there is none of that name\n"
"      --max-frames N      its limit, of all pools together\n"
"      --aead NAME         its AEAD\n"
"      --orphan-seconds N  how long it lives without a pager\n"
"  -f, --frames N          frames of 4 KiB in the pool (default: the limit)\n"
"      --low N, --high N   when fewer than low frames are free, pages are taken\n"
"                          until high are\n"
"  -p, --policy NAME       which pages are taken: clock (default), fifo, aging\n"
"      --door NAME         auto (default), uring, ioctl\n"
"      --takeover          end the session of a pager that lives\n"
"      --deadline-ms N     shorten the time that clients wait\n"
"      --lose-missing      say of absent pages that the store lacks: lost for good\n"
"      --no-mlock          do not lock memory\n"
"      --session-fd N      an inherited session (or KMDOM_SESSION_FD), of a pool\n"
"                          of --frames frames\n"
"      --stats-json FILE   write counters there at the end and on SIGUSR1\n"
"      --chaos LIST        the store goes wrong on purpose, for tests: fail=CHANCE,\n"
"                          corrupt=, forge=, delay=CHANCE:MS, reorder=, drop=, rot=,\n"
"                          seed=N, log=FILE\n"
"      --foreground        stay in the foreground, as it always does\n"
"  -h, --help  -V, --version\n";

#define usage_error(...)						\
	do {								\
		report_error(__VA_ARGS__);				\
		usage_exit();						\
	} while (0)

__attribute__((noreturn))
static void usage_exit(void)
{
	fputs("Try kmdomd --help.\n", stderr);
	exit(EXIT_USAGE);
}

static uint64_t parse_number(const char *name, const char *arg, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(arg, &end, 10);
	if (end == arg || *end || errno || *arg == '-' || value > max) {
		report_error("--%s: \"%s\" is no number from 0 to %llu", name, arg,
			     (unsigned long long)max);
		exit(EXIT_USAGE);
	}
	return value;
}

static uint64_t parse_size(const char *arg)
{
	static const char suffixes[] = "KMGT";
	unsigned long long value;
	const char *suffix;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	value = strtoull(arg, &end, 10);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	if (suffix) {
		shift = 10 * (suffix - suffixes + 1);
		end++;
	}
	if (end == arg || *end || errno || *arg == '-' || value > (~0ULL >> 1) >> shift)
		usage_error("--store: \"%s\" is no size", arg);
	return value << shift;
}

/* KIND:PATH[,size=SIZE]; cuts the argument into pieces. */
static void parse_store(struct store_options *store, char *arg)
{
	char *path = strchr(arg, ':');
	char *option;

	if (!path || !path[1])
		usage_error("--store: \"%s\" is not KIND:PATH", arg);
	*path++ = '\0';
	store->kind = arg;
	store->path = strsep(&path, ",");
	while ((option = strsep(&path, ","))) {
		if (strncmp(option, "size=", strlen("size=")))
			usage_error("--store: there is no option \"%s\": size=SIZE", option);
		store->size = parse_size(option + strlen("size="));
	}
}

static void parse_chaos(struct chaos_options *chaos, char *arg)
{
	const char *error = chaos_parse(chaos, arg);

	if (error)
		usage_error("--chaos: %s", error);
}

static void options_set(struct options *options, int opt, char *arg)
{
	const char *name = NULL;
	size_t i;

	for (i = 0; long_options[i].name; i++) {
		if (long_options[i].val == opt)
			name = long_options[i].name;
	}
#define NUMBER() parse_number(name, arg, UINT32_MAX)
	switch (opt) {
	case 'd':
		options->domain = arg;
		break;
	case 's':
		parse_store(&options->store, arg);
		break;
	case 'f':
		options->frames = NUMBER();
		break;
	case 'p':
		options->policy = arg;
		break;
	case OPT_CREATE:
		options->create = true;
		break;
	case OPT_AEAD:
		options->aead = arg;
		break;
	case OPT_MAX_FRAMES:
		options->max_frames = NUMBER();
		break;
	case OPT_ORPHAN_SECONDS:
		options->orphan_seconds = NUMBER();
		break;
	case OPT_DEADLINE:
		options->deadline_ms = NUMBER();
		break;
	case OPT_LOW:
		options->low = NUMBER();
		break;
	case OPT_HIGH:
		options->high = NUMBER();
		break;
	case OPT_REPLACE_STORE:
		options->store.replace = true;
		break;
	case OPT_DOOR:
		options->door = arg;
		break;
	case OPT_TAKEOVER:
		options->takeover = true;
		break;
	case OPT_LOSE_MISSING:
		options->lose_missing = true;
		break;
	case OPT_NO_MLOCK:
		options->no_mlock = true;
		break;
	case OPT_SESSION_FD:
		options->session_fd = parse_number(name, arg, 1 << 20);
		break;
	case OPT_STATS:
		options->stats_file = arg;
		break;
	case OPT_CHAOS:
		parse_chaos(&options->store.chaos, arg);
		break;
	case OPT_FOREGROUND:
		break;
	}
#undef NUMBER
}

static void options_check(const struct options *options)
{
	if (!options->domain)
		usage_error("which domain? Name it with --domain");
	if (!options->store.path)
		usage_error("where shall records be kept? Name a store with --store");
	if (!store_has_kind(options->store.kind))
		usage_error("there is no kind of store \"%s\": file, mem", options->store.kind);
	if (!policy_exists(options->policy))
		usage_error("there is no policy \"%s\": %s", options->policy, policy_names());
	if (options->create && !options->max_frames)
		usage_error("--create needs --max-frames");
	if (options->session_fd >= 0 && !options->frames)
		usage_error("an inherited session needs --frames");
	if (options->low && options->high && options->low > options->high)
		usage_error("--low is above --high");
	if (strcmp(options->door, "auto") && strcmp(options->door, "uring") &&
	    strcmp(options->door, "ioctl"))
		usage_error("--door: there is no \"%s\": auto, uring, ioctl", options->door);
}

static void options_from_environment(struct options *options)
{
	const char *fd = getenv(KMDOM_ENV_SESSION);
	const char *frames = getenv(KMDOM_ENV_FRAMES);

	if (fd && options->session_fd < 0)
		options->session_fd = parse_number("session-fd", fd, 1 << 20);
	if (frames && options->session_fd >= 0 && !options->frames)
		options->frames = parse_number("frames", frames, UINT32_MAX);
}

/**
 * options_parse() - read the command line
 * @options: to be filled in
 * @argc: as main() got it
 * @argv: as main() got it; parts of it are changed and stay in use
 *
 * Does not return if there is nothing to do, or if it is wrong.
 */
void options_parse(struct options *options, int argc, char **argv)
{
	int opt;

	*options = (struct options){
		.policy = "clock", .door = "auto", .session_fd = -1,
	};
	while ((opt = getopt_long(argc, argv, "d:s:f:p:hV", long_options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			puts("kmdomd " KMDOM_VERSION);
			exit(EXIT_SUCCESS);
		case '?':
			fputs("Try kmdomd --help.\n", stderr);
			exit(EXIT_USAGE);
		default:
			options_set(options, opt, optarg);
		}
	}
	if (optind < argc)
		usage_error("what is \"%s\"?", argv[optind]);
	options_from_environment(options);
	options_check(options);
}
