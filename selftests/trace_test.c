// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: a little life of a domain, in which each of them is passed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "harness.h"

#define FRAMES	160
#define TRACING	"/sys/kernel/tracing"

FIXTURE(trace) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	char dir[128];		/* of an instance of the test's own */
};

BOTH_DOORS(trace);

static int write_to(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

FIXTURE_SETUP(trace)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_SMALL | 1 << KT_PAGE, .no_session = true,
	};

	if (access(TRACING "/instances", F_OK)) {
		ASSERT_EQ(0, mount("tracefs", TRACING, "tracefs", 0, NULL));
	}
	snprintf(self->dir, sizeof(self->dir), TRACING "/instances/kt-%d", getpid());
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	ASSERT_EQ(0, write_to(self->dir, "events/kmdom/enable", "1"));
	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
}

FIXTURE_TEARDOWN(trace)
{
	EXPECT_EQ(0, bed_down(&self->bed));
	EXPECT_EQ(0, write_to(self->dir, "events/kmdom/enable", "0"));
	EXPECT_EQ(0, rmdir(self->dir));
}

/* Looks for an event in what was traced, once. */
static bool traced_now(const char *dir, const char *event)
{
	char path[256], line[1024], word[128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", dir);
	snprintf(word, sizeof(word), " %s: ", event);
	file = fopen(path, "r");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, word);
	if (file)
		fclose(file);
	return found;
}

/* Some come from workqueues, in their own time. */
static bool traced(const char *dir, const char *event)
{
	long long start = now_ms();

	while (!traced_now(dir, event))
		if (now_ms() - start > PROC_PATIENCE / 3)
			return false;
	return true;
}

/* Pages that come and go: new, export, stored, evict, fault, restore, freed. */
static int page_life(struct pager *pager, struct proc *proc, int fd)
{
	struct kmdom_event event;
	uint64_t ref, index, version;
	int ret = kt_new(fd, 0, KT_PAGE, NULL, 0, &ref);

	index = KT_REF_INDEX(ref);
	if (!ret)
		ret = pager_export(pager, index, 0);
	version = pager->res.version;
	if (!ret)
		ret = pager_stored(pager, index, version);
	if (!ret)
		ret = pager_evict(pager, index, version, 0);
	if (ret)
		return ret;
	px_get_start(proc, fd, KT_PAGE, ref, 8);
	ret = pager_event(pager, KMDOM_EVENT_FAULT, &event);
	if (!ret)
		ret = pager_answer(pager, index, version);
	if (!ret)
		ret = px_get_finish(proc, NULL, 0);
	return ret ? ret : kt_del(fd, 0, KT_PAGE, ref);
}

/* A page that its pager has no good record of: reject, refuse. */
static int bad_life(struct pager *pager, int fd)
{
	struct stored *rec;
	uint64_t ref, index;
	int ret = kt_new(fd, 0, KT_SMALL, NULL, 0, &ref);

	index = KT_REF_INDEX(ref);
	if (!ret)
		ret = pager_preempt(pager, index);
	if (ret)
		return ret;
	rec = store_get(pager->store, index, pager->res.version);
	rec->data[rec->len - 1] ^= 1;
	ret = pager_answer(pager, index, rec->version);
	if (ret != -EBADMSG)
		return ret ? ret : -EILSEQ;
	return pager_refuse(pager, index, rec->version, KMDOM_OPF_LOST);
}

TEST_F(trace, every_event)
{
	struct dirent *entry;
	char path[256];
	int seen = 0;
	DIR *events;

	ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door, FRAMES, 0));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	EXPECT_EQ(1, pager_revoke(self->pager, 0, 1));
	EXPECT_EQ(0, page_life(self->pager, self->proc, self->bed.client));
	EXPECT_EQ(0, bad_life(self->pager, self->bed.client));
	pager_leave(self->pager);
	ASSERT_EQ(0, pager_abort(self->pager, self->bed.name));
	self->bed.aborted = true;
	EXPECT_EQ(0, proc_kill(self->proc));
	close(self->bed.client);
	self->bed.client = -1;

	snprintf(path, sizeof(path), "%s/events/kmdom", self->dir);
	events = opendir(path);
	ASSERT_NE(NULL, events);
	while ((entry = readdir(events))) {
		if (strncmp(entry->d_name, "kmdom_", 6))
			continue;
		EXPECT_TRUE(traced(self->dir, entry->d_name))
			TH_LOG("%s", entry->d_name);
		seen++;
	}
	closedir(events);
	EXPECT_EQ(18, seen);
}

TEST_HARNESS_MAIN
