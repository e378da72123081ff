// SPDX-License-Identifier: GPL-2.0
/*
 * What files without data keep in the kernel's memory once all that can leave it has
 * left: the VFS's own copies, which are dropped everywhere, a kmdomfs's pages, and a
 * tmpfs's, if there is swap.
 *
 * Counted is all memory that nothing takes away: the kernel's, frames in use, and what
 * kmdomd has locked. What is in kmdomd's store or in zram is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"
#include "group.h"
#include "kmdomd.h"
#include "place.h"
#include "zram.h"

#define DIRS		100
#define FILES		1000	/* in each */
#define SWAP_MEGABYTES	256
#define GROUP		"bench-resident"

static const struct kmdomd_spec spec = {
	.domain = "bench-resident", .frames = 256, .low = 80, .high = 128, .store_megabytes = 64,
};

/**
 * struct home - where the files are
 * @place: of them
 * @spec: of who pages it, or NULL
 * @group: whose memory goes to swap, or NULL
 */
struct home {
	struct place place;
	const struct kmdomd_spec *spec;
	const char *group;
};

static const struct home kmdomfs = {
	{ "kmdomfs", "domain=bench-resident", "/tmp/bench-resident" }, .spec = &spec,
};

static const struct home tmpfs = {
	{ "tmpfs", "nr_inodes=200k", "/tmp/bench-resident" },
};

static const struct home swapped = {
	{ "tmpfs", "nr_inodes=200k", "/tmp/bench-resident" }, .group = GROUP,
};

static struct kmdomd kmdomd;

void resident_close(void)
{
	place_leave(&tmpfs.place);
	kmdomd_stop(&kmdomd);
	zram_stop();
	group_end(GROUP);
}

static int begin_swap(void)
{
	int ret = zram_swap_on(SWAP_MEGABYTES);

	return ret ? ret : group_make(GROUP, 0);
}

static int begin(const struct home *home)
{
	int ret = 0;

	if (home->spec)
		ret = kmdomd_start(&kmdomd, home->spec, "auto");
	if (!ret && home->group)
		ret = begin_swap();
	return ret ? ret : place_use(&home->place);
}

static int make_files(int dir)
{
	char name[32];
	int i, fd;

	for (i = 0; i < DIRS * FILES; i++) {
		snprintf(name, sizeof(name), "dir-%d", i / FILES);
		if (i % FILES == 0 && mkdirat(dir, name, 0700))
			return -errno;
		snprintf(name, sizeof(name), "dir-%d/file-%d", i / FILES, i % FILES);
		fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

/* By a process of its own, which is in their group. */
static int make_all(const struct home *home)
{
	int dir, status, ret;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return waitpid(pid, &status, 0) < 0 ? -errno :
		       WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	ret = group_enter(home->group);
	dir = ret ? ret : place_open(&home->place);
	_exit(dir < 0 ? -dir : -make_files(dir));
}

/* All that can leave leaves. */
static int page_out(struct bench *bench, const struct home *home)
{
	int ret = kernel_memory_drop();
	uint64_t busy;

	if (!ret && home->spec)
		ret = client_push_out(home->spec->domain, home->spec->frames);
	if (!ret && home->group)
		ret = group_reclaim(home->group);
	return ret ? ret : client_busy(bench->client, &busy);
}

static int resident_bytes(const struct home *home, int64_t *bytes)
{
	struct kmdom_info info = { 0 };
	int ret = home->spec ? kmdom_info_find(home->spec->domain, &info) : 0;

	if (ret)
		return ret;
	*bytes = kernel_memory();
	if (*bytes < 0)
		return *bytes;
	*bytes += info.frames_used * KMDOM_FRAME_SIZE;
	return 0;
}

static double measure(struct bench *bench, const void *arg)
{
	const struct home *home = arg;
	int64_t before = 0, after = 0;
	int ret = begin(home);

	if (!ret)
		ret = page_out(bench, home);
	if (!ret)
		ret = resident_bytes(home, &before);
	if (!ret)
		ret = make_all(home);
	if (!ret)
		ret = page_out(bench, home);
	if (!ret)
		ret = resident_bytes(home, &after);
	resident_close();
	return ret ? ret : ((double)after - before) / (DIRS * FILES);
}

const struct row resident_rows[] = {
	{ "fs_resident_per_file", 0, {
		{ "kmdom", measure, &kmdomfs },
		{ "tmpfs", measure, &tmpfs },
		{ "tmpfs_zram_swap", measure, &swapped },
	}, .unit = "bytes", .once = true },
	{ }
};
