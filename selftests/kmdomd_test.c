// SPDX-License-Identifier: GPL-2.0
/*
 * The real kmdomd, with each store, door and policy: clients that use far more
 * pages than there are frames find all their objects, through kills, stops and
 * takeovers; and what it says to bad input.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "harness.h"

#define FRAMES	160
#define MAX	640
#define PAGES	600	/* of the largest load */

/**
 * struct daemon - a kmdomd, or another program, and what it says
 * @pid: its pid, 0 if there is none
 * @out: pipe from its standard output and error
 * @text: what came from it
 * @len: bytes of that
 */
struct daemon {
	pid_t pid;
	int out;
	char text[8192];
	size_t len;
};

static int daemon_start(struct daemon *daemon, const char *name, char *const *argv)
{
	int out[2];

	*daemon = (struct daemon){};
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	daemon->pid = fork();
	if (!daemon->pid) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		execv(proc_tool(name), argv);
		_exit(127);
	}
	close(out[1]);
	daemon->out = out[0];
	return daemon->pid < 0 ? -errno : 0;
}

/* Reads on until @what was said; -EPIPE if it never is. */
static int daemon_says(struct daemon *daemon, const char *what)
{
	struct pollfd pfd = { .fd = daemon->out, .events = POLLIN };
	ssize_t n;

	while (!strstr(daemon->text, what)) {
		if (poll(&pfd, 1, PROC_PATIENCE) != 1)
			return -ETIMEDOUT;
		n = read(daemon->out, daemon->text + daemon->len,
			 sizeof(daemon->text) - 1 - daemon->len);
		if (n <= 0) {
			fprintf(stderr, "# \"%s\" was not said, but:\n%s", what,
				daemon->text);
			return -EPIPE;
		}
		daemon->len += n;
	}
	return 0;
}

/* Waits for its end; its exit status, or 128 and the signal. */
static int daemon_wait(struct daemon *daemon)
{
	int status;

	if (!daemon->pid)
		return -ECHILD;
	/* Its pipe ends with it: what it says does not fill it. */
	daemon_says(daemon, "\n\n");
	waitpid(daemon->pid, &status, 0);
	close(daemon->out);
	daemon->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int daemon_end(struct daemon *daemon, int sig)
{
	if (daemon->pid)
		kill(daemon->pid, sig);
	return daemon_wait(daemon);
}

FIXTURE(kmdomd) {
	struct bed bed;
	struct daemon daemon;
	struct daemon other;
	char store[128];
	char store_arg[160];
	struct load load;
	unsigned int pages;	/* its objects fill so many */
};

FIXTURE_VARIANT(kmdomd) {
	const char *store;
	const char *door;
	const char *policy;
	unsigned int type;
};

FIXTURE_VARIANT_ADD(kmdomd, mem_ioctl) {
	.store = "mem", .door = "ioctl", .policy = "clock", .type = KT_SIGNED,
};

FIXTURE_VARIANT_ADD(kmdomd, file_ioctl) {
	.store = "file", .door = "ioctl", .policy = "aging", .type = KT_PAGE,
};

FIXTURE_VARIANT_ADD(kmdomd, file_uring) {
	.store = "file", .door = "uring", .policy = "fifo", .type = KT_PAGE,
};

/* Small objects take longer, for each page: there are half as many pages of them. */
static unsigned int pages_of(unsigned int type)
{
	return type == KT_SIGNED ? PAGES / 2 : PAGES;
}

static void load_of(struct load *load, int client, unsigned int type, unsigned int pages)
{
	load_init(load, client, 1, type,
		  type == KT_SIGNED ? pages * (4096 / sizeof(struct kt_signed)) : pages);
}

FIXTURE_SETUP(kmdomd)
{
	struct bed_spec spec = {
		.max_frames = MAX, .procs = 2, .no_session = true,
		.types = 1 << KT_SIGNED | 1 << KT_PAGE,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	snprintf(self->store, sizeof(self->store), "/dev/shm/kmdomd_test.%d", getpid());
	snprintf(self->store_arg, sizeof(self->store_arg), "%s:%s,size=64M",
		 variant->store, self->store);
	self->pages = FRAMES + scaled("pages beyond the frames",
				      pages_of(variant->type) - FRAMES);
	load_of(&self->load, self->bed.client, variant->type, self->pages);
}

FIXTURE_TEARDOWN(kmdomd)
{
	if (self->daemon.pid)
		EXPECT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	if (self->other.pid)
		daemon_end(&self->other, SIGKILL);
	EXPECT_EQ(0, bed_down(&self->bed));
	unlink(self->store);
}

#define START(daemon, ...) daemon_start(daemon, "kmdomd", (char *const []) {	\
		"kmdomd", "--domain", self->bed.name, "--store", self->store_arg, \
		"--door", (char *)variant->door, "--policy", (char *)variant->policy, \
		"--frames", "160", ##__VA_ARGS__, NULL })

TEST_F(kmdomd, serves)
{
	struct proc *proc = &self->bed.procs[0];
	struct kt_usage usage;

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	self->load.steps = scaled("steps", 2000);
	ASSERT_EQ(0, proc_call(proc, load_run, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, client_usage(self->bed.client, &usage));
	EXPECT_LE(usage.frames_used, FRAMES);
	EXPECT_EQ(FRAMES, usage.frames_granted);
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	EXPECT_EQ(0, proc_call(proc, load_empty, &self->load, sizeof(self->load)));
}

/* Killed again and again while a client works: it only waits a while longer. */
TEST_F(kmdomd, killed)
{
	struct proc *proc = &self->bed.procs[0];
	atomic_uint *stop = shared_alloc(sizeof(*stop));
	atomic_uint *progress = shared_alloc(sizeof(*progress));
	unsigned int round, before;
	struct pollfd none = {};

	self->load.stop = stop;
	self->load.progress = progress;
	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	proc_start(proc, load_run, &self->load, sizeof(self->load));
	for (round = 0; round < 6; round++) {
		before = atomic_load(progress);
		while (atomic_load(progress) < before + 100 + round * 37 &&
		       !proc_done(proc, 1))
			poll(&none, 0, 1);
		ASSERT_EQ(128 + SIGKILL, daemon_end(&self->daemon, SIGKILL));
		ASSERT_EQ(0, START(&self->daemon));
		ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	}
	atomic_store(stop, 1);
	ASSERT_EQ(0, proc_finish(proc, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	EXPECT_EQ(NULL, strstr(self->daemon.text, "lacks"));
}

/* A pager that was stopped in the middle loses domain and store, and its life. */
TEST_F(kmdomd, taken_over)
{
	struct proc *proc = &self->bed.procs[0];

	ASSERT_EQ(0, START(&self->other));
	ASSERT_EQ(0, daemon_says(&self->other, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	kill(self->other.pid, SIGSTOP);
	/* Without being told so, nobody takes over. */
	ASSERT_EQ(0, START(&self->daemon));
	EXPECT_EQ(0, daemon_says(&self->daemon, "another session pages the domain"));
	EXPECT_EQ(1, daemon_wait(&self->daemon));
	ASSERT_EQ(0, START(&self->daemon, "--takeover"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(128 + SIGKILL, daemon_wait(&self->other));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	/* One that runs notices, and leaves in peace. */
	self->other = self->daemon;
	ASSERT_EQ(0, START(&self->daemon, "--takeover"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(3, daemon_wait(&self->other));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
}

/* What goes wrong with a transfer, and not with the next, is tried again. */
TEST_F(kmdomd, store_goes_wrong)
{
	struct proc *proc = &self->bed.procs[0];
	struct kmdom_info info;

	ASSERT_EQ(0, START(&self->daemon, "--chaos",
			   "fail=0.02,corrupt=0.02,forge=0.02,delay=0.05:10,reorder=0.1"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "on purpose: --chaos seed="));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	/* So many that something is forged: not scaled down. */
	self->load.steps = 1000;
	ASSERT_EQ(0, proc_call(proc, load_run, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_LT(0, info.rejected);
	EXPECT_EQ(0, info.refused);
}

/* What goes wrong each time is an error soon, whichever bits it is that are. */
TEST_F(kmdomd, record_is_never_good)
{
	struct proc *proc = &self->bed.procs[0];
	long long start;
	int i, ret, failed = 0;

	ASSERT_EQ(0, START(&self->daemon, "--chaos", "forge=1"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	self->load.steps = 1;
	start = now_ms();
	for (i = 0; i < 100; i++) {
		ret = proc_call(proc, load_run, &self->load, sizeof(self->load));
		ASSERT_TRUE(ret == 0 || ret == -EIO) TH_LOG("%d", ret);
		failed += !!ret;
	}
	EXPECT_LT(0, failed);
	EXPECT_GT(120000 * scale(), now_ms() - start);
}

/* A clean stop, and the next one finds everything. */
TEST_F(kmdomd, stopped)
{
	struct proc *proc = &self->bed.procs[0];
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, START(&self->daemon));
		ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
		self->load.steps = scaled("steps", 500);
		ASSERT_EQ(0, proc_call(proc, load_run, &self->load, sizeof(self->load)));
		ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	}
	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
}

/* A store that is too small stops evictions, and loses nothing. */
TEST_F(kmdomd, store_full)
{
	struct proc *proc = &self->bed.procs[0];

	load_of(&self->load, self->bed.client, variant->type, pages_of(variant->type));
	snprintf(self->store_arg, sizeof(self->store_arg), "%s:%s,size=%d",
		 variant->store, self->store, 512 << 10);
	ASSERT_EQ(0, START(&self->daemon, "--deadline-ms", "3000"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_NE(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, daemon_says(&self->daemon, "it is full"));
	/* What was filled in can be read: reading takes no room of the store. */
	self->load.steps = 0;
	EXPECT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
}

TEST_F(kmdomd, foreign_store)
{
	struct proc *proc = &self->bed.procs[0];
	struct stat before, after;
	char name[KMDOM_NAME_MAX];
	struct kmdom_create create = { .max_frames = MAX };

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	ASSERT_EQ(0, stat(self->store, &before));

	bed_name(name, sizeof(name));
	strcpy(create.name, name);
	ASSERT_EQ(0, ioctl(self->bed.pager.ctl, KMDOM_IOC_CREATE, &create));
	ASSERT_EQ(0, START(&self->other, "--domain", name));
	EXPECT_EQ(0, daemon_says(&self->other, "belongs to another domain"));
	EXPECT_EQ(5, daemon_wait(&self->other));
	EXPECT_EQ(0, pager_destroy(&self->bed.pager, name));
	ASSERT_EQ(0, stat(self->store, &after));
	EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
}

/* Without the right store readers get EIO at once; with it they get all. */
TEST_F(kmdomd, wrong_store)
{
	struct proc *proc = &self->bed.procs[0];
	char wrong[160], path[144];
	long long start;

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));

	snprintf(path, sizeof(path), "%s.wrong", self->store);
	snprintf(wrong, sizeof(wrong), "%s:%s", variant->store, path);
	ASSERT_EQ(0, START(&self->daemon, "--store", wrong));
	ASSERT_EQ(0, daemon_says(&self->daemon, "lacks"));
	start = now_ms();
	EXPECT_EQ(-EIO, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	EXPECT_GT(15000 * scale(), now_ms() - start);
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	unlink(path);

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
}

/**
 * struct slot - a slot of the store whose record was spoilt
 * @at: where it is in the file
 * @header: what it began with then
 */
struct slot {
	off_t at;
	uint8_t header[64];
};

/* Spoil every record, or mend those that have not been written since. */
static int store_spoil(const char *path, struct slot *slots, int max, bool mend)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), nr = 0, i;
	uint8_t header[64], byte;
	off_t at;

	for (at = 65536; !mend && nr < max && pread(fd, header, 64, at) == 64; at += 512) {
		if (memcmp(header, "kslt", 4))
			continue;
		slots[nr].at = at;
		memcpy(slots[nr++].header, header, 64);
	}
	for (i = 0; i < (mend ? max : nr); i++) {
		if (pread(fd, header, 64, slots[i].at) != 64 ||
		    memcmp(header, slots[i].header, 64) ||
		    pread(fd, &byte, 1, slots[i].at + 100) != 1)
			continue;
		byte ^= 1;
		if (pwrite(fd, &byte, 1, slots[i].at + 100) != 1)
			break;
	}
	close(fd);
	return nr;
}

/* Lost for good is what the store lacks, not what it cannot read. */
TEST_F(kmdomd, damaged_is_not_lost)
{
	struct proc *proc = &self->bed.procs[0];
	static struct slot slots[4096];
	int count;

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	count = store_spoil(self->store, slots, 4096, false);
	ASSERT_LE(self->pages - FRAMES, count);

	ASSERT_EQ(0, START(&self->daemon, "--lose-missing"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(-EIO, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	EXPECT_EQ(0, daemon_says(&self->daemon, "damaged"));
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	store_spoil(self->store, slots, count, true);

	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	EXPECT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
}

/* The water marks: what restores leave free. */
TEST_F(kmdomd, water)
{
	struct proc *proc = &self->bed.procs[0];
	struct kt_usage usage = {};
	long long start;

	ASSERT_EQ(0, START(&self->daemon, "--low", "120", "--high", "130"));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, proc_call(proc, load_verify, &self->load, sizeof(self->load)));
	start = now_ms();
	do {
		ASSERT_EQ(0, client_usage(self->bed.client, &usage));
	} while (usage.frames_granted - usage.frames_used < 120 &&
		 now_ms() - start < PROC_PATIENCE);
	EXPECT_LE(120, usage.frames_granted - usage.frames_used);
}

/* Few, so that few pages need as many tables. */
#define FEW_FRAMES	"96"
#define TABLES		112	/* that the pages are under */

/*
 * A page under each table, the first. All between them are made, and freed at once:
 * no index comes twice, and that is quicker than to page them.
 */
static int spread(int fd, uint64_t *refs, unsigned int tables)
{
	uint64_t ref, nr = 0;
	int ret = 0;

	while (nr < tables && !ret) {
		ret = kt_new(fd, 0, KT_PAGE, &nr, sizeof(nr), &ref);
		if (ret)
			break;
		if (KT_REF_INDEX(ref) / KMDOM_TABLE_ENTRIES >= nr)
			refs[nr++] = ref;
		else
			ret = kt_del(fd, 0, KT_PAGE, ref);
	}
	return ret;
}

/* More tables than frames: they leave, as pages do, whatever the policy is. */
TEST_F(kmdomd, tables_leave)
{
	unsigned int tables = scaled("tables", TABLES), i;
	uint64_t refs[TABLES], value;
	struct kmdom_info info;

	ASSERT_EQ(0, START(&self->daemon, "--frames", FEW_FRAMES));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, spread(self->bed.client, refs, tables));
	for (i = 0; i < tables; i++) {
		ASSERT_EQ(0, kt_get(self->bed.client, 0, KT_PAGE, refs[i], &value, sizeof(value)));
		EXPECT_EQ(i, value);
	}
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(0, info.timeouts);
}

/* What is freed leaves the store, by hints or by a sweep: nothing piles up. */
TEST_F(kmdomd, garbage)
{
	struct proc *proc = &self->bed.procs[0];
	char stats[160], text[4096] = "";
	FILE *file;
	int round;

	snprintf(stats, sizeof(stats), "%s.stats", self->store);
	ASSERT_EQ(0, START(&self->daemon, "--stats-json", stats));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, proc_call(proc, load_fill, &self->load, sizeof(self->load)));
		ASSERT_EQ(0, proc_call(proc, load_empty, &self->load, sizeof(self->load)));
	}
	/* A successor takes the old bytes of free slots for records, until it
	 * has compared them with the domain.
	 */
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGKILL) - 128 - SIGKILL);
	ASSERT_EQ(0, START(&self->daemon, "--stats-json", stats));
	ASSERT_EQ(0, daemon_says(&self->daemon, "of the domain's pages"));
	ASSERT_EQ(0, daemon_end(&self->daemon, SIGTERM));
	file = fopen(stats, "r");
	ASSERT_NE(NULL, file);
	ASSERT_NE(0, fread(text, 1, sizeof(text) - 1, file));
	fclose(file);
	unlink(stats);
	/* At most what the frames held when all was freed. */
	ASSERT_NE(NULL, strstr(text, "\"store_records\": "));
	EXPECT_GT(FRAMES, atoi(strstr(text, "\"store_records\": ") + 17));
}

/* An abort ends the pager, with a status of its own. */
TEST_F(kmdomd, aborted)
{
	ASSERT_EQ(0, START(&self->daemon));
	ASSERT_EQ(0, daemon_says(&self->daemon, "ready"));
	ASSERT_EQ(0, daemon_start(&self->other, "kmdomctl", (char *const []) {
			"kmdomctl", "abort", self->bed.name, NULL }));
	EXPECT_EQ(0, daemon_wait(&self->other));
	EXPECT_EQ(4, daemon_wait(&self->daemon));
	/* It is gone with its last client: there is nothing to destroy. */
	pager_close(&self->bed.pager);
	self->bed.pager.ctl = -1;
}

TEST_F(kmdomd, bad_input)
{
	static const struct {
		const char *args[6];
		const char *says;
		int status;
	} cases[] = {
		{ { "--domain", "kt/none" }, "there is no such domain", 5 },
		{ { "--store", "file:/dev/null" }, "neither a file nor a block device", 5 },
		{ { "--store", "mem:/proc/none/x" }, "cannot open it", 5 },
		{ { "--store", "mem:/etc/passwd" }, "is no store", 5 },
		{ { "--store", "disk:/tmp/x" }, "no kind of store", 2 },
		{ { "--store", "mem:/tmp/x,size=1K" }, "too few", 5 },
		{ { "--store", "mem:/tmp/x,length=1M" }, "there is no option \"length=1M\"", 2 },
		{ { "--policy", "none" }, "there is no policy", 2 },
		{ { "--frames", "many" }, "is no number", 2 },
		{ { "--door", "front" }, "there is no", 2 },
		{ { "--frames", "100000" }, "the pool is too large", 5 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ASSERT_EQ(0, START(&self->other, (char *)cases[i].args[0],
				   (char *)cases[i].args[1]));
		EXPECT_EQ(0, daemon_says(&self->other, cases[i].says));
		EXPECT_EQ(cases[i].status, daemon_wait(&self->other));
	}
	unlink("/tmp/x");
}

TEST_HARNESS_MAIN
