// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "inject.h"

#define DEBUGFS		"/sys/kernel/debug"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* More failures than a program makes: those that are left of them are read. */
#define BUDGET		1000000

/* No operation has that many calls that could fail: it would never pass. */
#define RUNS_MAX	4000

/* Steps that are taken once more. */
#define TAIL		3

/* Sweeps that are made at most, until each kind that has to fail has failed. */
#define SWEEPS		5

/* Frames of the stack that are looked at: the kernel's own limit. */
#define DEPTH		32

static const char *const kinds[INJECT_KINDS] = {
	[INJECT_SLAB] = "failslab",
	[INJECT_PAGE] = "fail_page_alloc",
	[INJECT_COPY] = "fail_usercopy",
};

static const char *const kind_names[INJECT_KINDS] = {
	[INJECT_SLAB] = "slab", [INJECT_PAGE] = "page", [INJECT_COPY] = "copy",
};

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static int set_text(enum inject_kind kind, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", kinds[kind], name);
	return write_text(path, text);
}

static int set(enum inject_kind kind, const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return set_text(kind, name, text);
}

static long get(enum inject_kind kind, const char *name)
{
	char path[128];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", kinds[kind], name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &value) != 1)
		value = -EIO;
	fclose(file);
	return value;
}

/**
 * inject_missing() - what this kernel lacks
 *
 * Return: the option that it was not built with, or NULL if all are there
 */
const char *inject_missing(void)
{
	if (access(FAIL_NTH, W_OK))
		return "CONFIG_FAULT_INJECTION";
	if (access(DEBUGFS "/failslab/times", W_OK))
		return "CONFIG_FAILSLAB and CONFIG_FAULT_INJECTION_DEBUG_FS";
	if (access(DEBUGFS "/fail_page_alloc/times", W_OK))
		return "CONFIG_FAIL_PAGE_ALLOC";
	if (access(DEBUGFS "/fail_usercopy/times", W_OK))
		return "CONFIG_FAULT_INJECTION_USERCOPY";
	if (access(DEBUGFS "/failslab/require-start", W_OK))
		return "CONFIG_FAULT_INJECTION_STACKTRACE_FILTER";
	return NULL;
}

/**
 * inject_main() - run a program's tests, or skip it
 * @argc: of main()
 * @argv: of main()
 * @run: the tests
 *
 * Return: the program's status
 */
int inject_main(int argc, char **argv, int (*run)(int argc, char **argv))
{
	const char *missing = inject_missing();

	if (!missing)
		return run(argc, argv);
	printf("TAP version 13\n1..0 # SKIP this kernel has no %s\n", missing);
	return INJECT_SKIP;
}

/*
 * Where a module's functions are: from its first to its last, and to the end of
 * that one's page. What comes after a module is never mapped, and so in no stack.
 */
static int find_text(const char *module, unsigned long *start, unsigned long *end)
{
	char line[512], name[64];
	unsigned long addr;
	char type;
	FILE *file = fopen("/proc/kallsyms", "re");

	if (!file)
		return -errno;
	*start = ULONG_MAX;
	*end = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %c %*s [%63[^]]", &addr, &type, name) != 3 ||
		    (type != 't' && type != 'T') || strcmp(name, module))
			continue;
		if (addr < *start)
			*start = addr;
		if (addr > *end)
			*end = addr;
	}
	fclose(file);
	*end = (*end | 4095) + 1;
	return *start && *start < *end ? 0 : -ENOENT;
}

/*
 * Where a function of the kernel itself is, or what the compiler made of it: to the
 * next symbol, as they are in order.
 */
static int find_function(const char *function, unsigned long *start, unsigned long *end)
{
	size_t len = strlen(function);
	char line[512], name[128];
	unsigned long addr;
	FILE *file = fopen("/proc/kallsyms", "re");

	if (!file)
		return -errno;
	*start = 0;
	*end = 0;
	while (!*end && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %127s", &addr, name) != 2)
			continue;
		if (!strncmp(name, function, len) && (!name[len] || name[len] == '.'))
			*start = addr;
		else if (*start && addr > *start)
			*end = addr;
	}
	fclose(file);
	return *end ? 0 : -ENOENT;
}

static int set_range(enum inject_kind kind, unsigned long start, unsigned long end)
{
	char text[2][32];

	snprintf(text[0], sizeof(text[0]), "0x%lx", start);
	snprintf(text[1], sizeof(text[1]), "0x%lx", end);
	return set_text(kind, "require-start", text[0]) ?:
		set_text(kind, "require-end", text[1]);
}

static int set_up(enum inject_kind kind, unsigned long start, unsigned long end)
{
	return set(kind, "probability", 0) ?: set(kind, "interval", 1) ?:
		set(kind, "space", 0) ?: set(kind, "verbose", 0) ?:
		set_text(kind, "task-filter", "N") ?: set(kind, "times", BUDGET) ?:
		set(kind, "stacktrace-depth", DEPTH) ?: set_range(kind, start, end);
}

static int begin(unsigned long start, unsigned long end)
{
	int kind, ret = 0;

	for (kind = 0; kind < INJECT_KINDS && !ret; kind++)
		ret = set_up(kind, start, end);
	return ret ?: set_text(INJECT_SLAB, "ignore-gfp-wait", "N") ?:
		set_text(INJECT_PAGE, "ignore-gfp-wait", "N") ?:
		set_text(INJECT_PAGE, "ignore-gfp-highmem", "N") ?:
		set(INJECT_PAGE, "min-order", 0);
}

/**
 * inject_begin() - get ready
 * @module: what leads to one of its functions can fail
 *
 * Return: 0 or a negative errno
 */
int inject_begin(const char *module)
{
	unsigned long start, end;
	int ret = find_text(module, &start, &end);

	return ret ?: begin(start, end);
}

/**
 * inject_begin_function() - get ready, for what a function of the kernel leads to
 * @function: of the kernel itself; in whatever module calls it
 *
 * Return: 0 or a negative errno
 */
int inject_begin_function(const char *function)
{
	unsigned long start, end;
	int ret = find_function(function, &start, &end);

	return ret ?: begin(start, end);
}

/**
 * inject_begin_init() - get ready for the init functions of modules
 *
 * Where one will be is not known before it is there: so what can fail is all that
 * the kernel's function leads to which calls it.
 *
 * Return: 0 or a negative errno
 */
int inject_begin_init(void)
{
	return inject_begin_function("do_one_initcall");
}

/** inject_end() - everything as the kernel has it at first */
void inject_end(void)
{
	int kind;

	write_text(FAIL_NTH, "0");
	for (kind = 0; kind < INJECT_KINDS; kind++) {
		set_up(kind, 0, ULONG_MAX);
		set(kind, "times", 1);
		set(kind, "verbose", 2);
	}
	set_text(INJECT_SLAB, "ignore-gfp-wait", "Y");
	set_text(INJECT_PAGE, "ignore-gfp-wait", "Y");
	set_text(INJECT_PAGE, "ignore-gfp-highmem", "Y");
	set(INJECT_PAGE, "min-order", 1);
}

/* The n-th call of this thread fails; says whether it came to that. */
static long run_nth(struct inject_sweep *sweep, unsigned int nth, bool *hit)
{
	char text[16];
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	long ret;

	snprintf(text, sizeof(text), "%u", nth);
	if (fd < 0 || pwrite(fd, text, strlen(text), 0) < 0) {
		perror("# " FAIL_NTH);
		abort();
	}
	ret = sweep->run(sweep->arg);
	if (pread(fd, text, sizeof(text), 0) < 0 || pwrite(fd, "0", 1, 0) < 0) {
		perror("# " FAIL_NTH);
		abort();
	}
	close(fd);
	*hit = text[0] == '0';
	return ret;
}

/* How many calls of a kind have failed since the attributes were set. */
static long failures(enum inject_kind kind)
{
	return BUDGET - get(kind, "times");
}

static int complain(const struct inject_sweep *sweep, const char *what, long ret)
{
	printf("# %s, run %u: %s: %s\n", sweep->name, sweep->runs, what,
	       ret < 0 ? strerror(-ret) : "success");
	return 1;
}

static bool allowed(const struct inject_sweep *sweep, long ret)
{
	const int *error;

	for (error = sweep->errors; error && *error; error++)
		if (ret == -*error)
			return true;
	return false;
}

/* What a run returned, and left: returns how many complaints there are. */
static int judge(struct inject_sweep *sweep, long ret, bool hit)
{
	int bad = 0, err;

	sweep->runs++;
	if (ret < 0 && ret > -INJECT_ERRNOS)
		sweep->returned[-ret]++;
	if (ret < 0 && !hit)
		bad += complain(sweep, "nothing was made to fail, but it did", ret);
	else if (ret < 0 && !allowed(sweep, ret))
		bad += complain(sweep, "an error that it does not have", ret);
	err = sweep->check ? sweep->check(sweep->arg, ret) : 0;
	if (!err)
		return bad;
	printf("# %s, run %u: what it left, when it had returned %ld: %s\n", sweep->name,
	       sweep->runs, ret, strerror(-err));
	return bad + 1;
}

static void print_counts(const struct inject_sweep *sweep)
{
	int kind, error;

	printf("# %s: %u runs, failed:", sweep->name, sweep->runs);
	for (kind = 0; kind < INJECT_KINDS; kind++)
		printf(" %u %s", sweep->failed[kind], kind_names[kind]);
	printf("; returned:");
	for (error = 1; error < INJECT_ERRNOS; error++)
		if (sweep->returned[error])
			printf(" %u %s", sweep->returned[error], strerrorname_np(error));
	printf("\n");
}

/* A kind of which one has to fail, and did not: the set of them. */
static unsigned int lacking(const struct inject_sweep *sweep)
{
	unsigned int kind, lacks = 0;

	for (kind = 0; kind < INJECT_KINDS; kind++)
		if (!sweep->failed[kind])
			lacks |= sweep->must & 1U << kind;
	return lacks;
}

/* Were those made to fail that should be, and no others? */
static int judge_kinds(struct inject_sweep *sweep)
{
	unsigned int failed = 0, known = sweep->must | sweep->may, lacks = lacking(sweep);
	int kind, bad = 0;
	char what[64];

	print_counts(sweep);
	for (kind = 0; kind < INJECT_KINDS; kind++) {
		failed += sweep->failed[kind];
		snprintf(what, sizeof(what), "%s: %s", kind_names[kind],
			 sweep->failed[kind] ? "is not said to need that" : "never failed");
		if (sweep->failed[kind] ? !(known & 1U << kind) : lacks & 1U << kind)
			bad += complain(sweep, what, 0);
	}
	if (!sweep->partial && sweep->returned[EFAULT] != sweep->failed[INJECT_COPY])
		bad += complain(sweep, "a copy failed, and it did not", 0);
	/* Where nothing can fail, none of the kinds is said to be needed. */
	if (sweep->may && !sweep->idle && !failed)
		bad += complain(sweep, "nothing was made to fail", 0);
	return bad;
}

/* Counts of an earlier sweep. */
static void forget(struct inject_sweep *sweep)
{
	sweep->runs = 0;
	memset(sweep->failed, 0, sizeof(sweep->failed));
	memset(sweep->returned, 0, sizeof(sweep->returned));
}

/* Does a run with the n-th call failing; says whether it came to that. */
static int step(struct inject_sweep *sweep, unsigned int nth, bool *hit)
{
	long ret = run_nth(sweep, nth, hit);

	return judge(sweep, ret, *hit);
}

/* The first, second, ... call fails, until a run passes because none does. */
static int sweep_once(struct inject_sweep *sweep)
{
	unsigned int nth = 0, again = 0, stride = sweep->stride ?: 1;
	bool hit = true;
	int bad = 0;

	while (hit && !bad && nth < RUNS_MAX)
		bad = step(sweep, nth += nth ? stride : 1, &hit);
	if (hit && !bad)
		bad += complain(sweep, "it never passes", 0);
	while (!bad && stride == 1 && (sweep->must | sweep->may) & FAIL_SLAB &&
	       ++again < nth && again <= TAIL)
		bad = step(sweep, nth - again, &hit);
	return bad;
}

/**
 * inject_sweep() - run an operation with its first, second, ... call failing
 * @sweep: the operation; its counts are set
 *
 * Ends with a run that passes because none of its calls fails. But a slab that
 * needs a page now and then has a call more, and those that follow are passed
 * over: so the last steps are taken once more, and all, if a kind that has to fail
 * was passed over whenever it came.
 *
 * Return: how many complaints there were, which were printed
 */
int inject_sweep(struct inject_sweep *sweep)
{
	long before[INJECT_KINDS];
	int kind, bad, tries = SWEEPS;

	forget(sweep);
	for (kind = 0; kind < INJECT_KINDS; kind++)
		before[kind] = failures(kind);
	do {
		bad = sweep_once(sweep);
		for (kind = 0; kind < INJECT_KINDS; kind++)
			sweep->failed[kind] = failures(kind) - before[kind];
	} while (!bad && lacking(sweep) && --tries);
	return bad ?: judge_kinds(sweep);
}

/*
 * Whatever task they are in, calls of a kind fail, as many as there are times,
 * once so much was allocated. Says how many did.
 */
static long run_after(struct inject_sweep *sweep, enum inject_kind kind, long space,
		      long times, unsigned int *failed)
{
	long ret;

	set(kind, "times", times);
	set(kind, "space", space);
	set(kind, "probability", 100);
	ret = sweep->run(sweep->arg);
	set(kind, "probability", 0);
	*failed = times - get(kind, "times");
	set(kind, "space", 0);
	set(kind, "times", BUDGET);
	return ret;
}

/*
 * Passes over one call more each time or, as slabs are counted in bytes, over
 * some more of these.
 */
static int sweep_after(struct inject_sweep *sweep, enum inject_kind kind, long times)
{
	unsigned int failed = 1;
	long space = 0, ret;
	int bad = 0;

	forget(sweep);
	while (failed && !bad && sweep->runs < RUNS_MAX) {
		ret = run_after(sweep, kind, space, times, &failed);
		sweep->failed[kind] += failed;
		bad = judge(sweep, ret, failed);
		/* A call of as much as is left fails: so none is, but one. */
		space += kind == INJECT_SLAB ? 8 + space / 2 : space ? 1 : 2;
	}
	if (failed && !bad)
		bad += complain(sweep, "it never passes", 0);
	return bad ?: judge_kinds(sweep);
}

/**
 * inject_sweep_kind() - as inject_sweep(), with calls of one kind, of any task
 * @sweep: the operation; its counts are set
 * @kind: what fails
 *
 * Also what is done by a worker of a ring or of a workqueue, if the operation ends
 * when that is done. Of copies, none is passed over.
 *
 * Return: how many complaints there were, which were printed
 */
int inject_sweep_kind(struct inject_sweep *sweep, enum inject_kind kind)
{
	return sweep_after(sweep, kind, 1);
}

/**
 * inject_sweep_from() - all calls of a kind fail from the n-th on
 * @sweep: the operation; its counts are set
 * @kind: what fails
 *
 * So what can be allocated in two ways, or tries again, fails too.
 *
 * Return: how many complaints there were, which were printed
 */
int inject_sweep_from(struct inject_sweep *sweep, enum inject_kind kind)
{
	return sweep_after(sweep, kind, BUDGET);
}
