// SPDX-License-Identifier: GPL-2.0
/*
 * The sample client, built against an installed kmdom by sample/build-test,
 * loaded and used while its pages are preempted.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include "harness.h"

#define FRAMES	160
#define WORDS	300

/* With the modules, if it was built with them, or as its readers would build it. */
static const char *module_path(void)
{
	const char *modules = getenv("KMDOM_MODULES");
	static char path[512];
	char self[400] = "";

	if (modules) {
		snprintf(path, sizeof(path), "%s/selftests/sample/kmdom_sample.ko", modules);
		if (!access(path, R_OK))
			return path;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return NULL;
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/sample/kmdom_sample.ko", self);
	return path;
}

static int load(const char *domain)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC), ret;
	char args[128];

	if (fd < 0)
		return -errno;
	snprintf(args, sizeof(args), "domain=%s", domain);
	ret = syscall(SYS_finit_module, fd, args, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kmdom_sample", O_NONBLOCK) ? -errno : 0;
}

/* Word n is counted n % 5 times, in helpers: the pager may not wait. */
static long count_words(void *arg)
{
	int fd = open("/dev/kmdom_sample", O_WRONLY | O_CLOEXEC), i, j;
	char word[32];

	if (fd < 0)
		return -errno;
	for (j = 0; j < 5; j++)
		for (i = 0; i < WORDS; i++) {
			int len = snprintf(word, sizeof(word), "word-%d", i);

			if (j <= i % 5 && write(fd, word, len) != len)
				return -errno;
		}
	return close(fd);
}

static long check_words(void *arg)
{
	int fd = open("/dev/kmdom_sample", O_RDONLY | O_CLOEXEC), seen = 0, word, count, len;
	char line[128];

	if (fd < 0)
		return -errno;
	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		if (sscanf(line, "word-%d %d\n", &word, &count) != 2 ||
		    count != word % 5 + 1)
			return -EILSEQ;
		seen++;
	}
	close(fd);
	return len < 0 ? -errno : seen;
}

FIXTURE(sample) {
	struct bed bed;
	struct server server;
};

BOTH_DOORS(sample);

FIXTURE_SETUP(sample)
{
	struct bed_spec spec = { .door = variant->door, .frames = FRAMES, .procs = 1 };

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	ASSERT_EQ(0, server_start(&self->server, &self->bed.pager, NULL));
}

FIXTURE_TEARDOWN(sample)
{
	long long start = now_ms();
	int ret;

	EXPECT_EQ(0, server_stop(&self->server));
	EXPECT_EQ(0, bed_down(&self->bed));
	/* Its objects kept it, and go with the domain. */
	do {
		ret = unload();
	} while (ret == -EAGAIN && now_ms() - start < PROC_PATIENCE);
	EXPECT_EQ(0, ret);
}

TEST_F(sample, counts_words)
{
	struct proc *proc = &self->bed.procs[0];
	struct kt_usage before, after;
	int fd;

	ASSERT_EQ(0, load(self->bed.name));
	EXPECT_EQ(0, proc_call(proc, count_words, NULL, 0));
	EXPECT_EQ(WORDS, proc_call(proc, check_words, NULL, 0));
	EXPECT_EQ(-EAGAIN, unload());
	ASSERT_LT(0, pager_preempt_all(&self->bed.pager));
	ASSERT_EQ(0, client_usage(self->bed.client, &before));
	EXPECT_EQ(0, before.pages_present);
	/* Absent pages keep the module that knows their type, too. */
	EXPECT_EQ(-EAGAIN, unload());
	EXPECT_EQ(WORDS, proc_call(proc, check_words, NULL, 0));
	ASSERT_EQ(0, client_usage(self->bed.client, &after));
	EXPECT_EQ(before.pages_absent, after.faults - before.faults);

	fd = open("/dev/kmdom_sample", O_RDONLY | O_CLOEXEC);
	EXPECT_LE(0, fd);
	EXPECT_EQ(-EBUSY, proc_call(proc, check_words, NULL, 0));
	close(fd);
	EXPECT_EQ(WORDS, proc_call(proc, check_words, NULL, 0));
}

TEST_F(sample, needs_its_domain)
{
	ASSERT_EQ(0, load("kt/no-such-domain"));
	EXPECT_EQ(-ENOENT, proc_call(&self->bed.procs[0], check_words, NULL, 0));
}

TEST_HARNESS_MAIN
