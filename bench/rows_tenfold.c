// SPDX-License-Identifier: GPL-2.0
/*
 * A tree that is ten times too large for the memory is unpacked, and read back and
 * compared when nothing of it is in a cache: on a kmdomfs, and on an ext4.
 *
 * One limit is over all that either of them uses: page cache, slab, frames, kmdomd and
 * tar. Only where pages end up, kmdomd's store and the ext4's disk, lies outside, in files
 * of one tmpfs whose memory is there before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"
#include "group.h"
#include "kmdomd.h"
#include "noise.h"
#include "place.h"
#include "shell.h"

#define GROUP		"bench-tenfold"
#define LIMIT		24	/* MiB */
#define DIRS		820	/* 240 MiB */
#define FILES		24	/* in each, of 1 KiB, 2 KiB and so on */
#define TREE		"/tmp/bench-tenfold-tree"
#define ARCHIVE		"/tmp/bench-tenfold.tar"
#define DISK		"/tmp/bench-tenfold.disk"
#define MEGABYTES	360	/* of the store, and of the disk */
#define LOOP		"/dev/loop0"

static const struct kmdomd_spec spec = {
	.domain = "bench-tenfold", .frames = 3072, .low = 192, .high = 320,
	.store_megabytes = MEGABYTES, .group = GROUP,
};

static const struct place kmdomfs = {
	"kmdomfs", "domain=bench-tenfold", "/tmp/bench-tenfold-kmdomfs",
};

static const struct place ext4 = { "ext4", "", "/tmp/bench-tenfold-ext4", LOOP };

static struct kmdomd kmdomd;

static void end_disk(void)
{
	if (access(DISK, F_OK))
		return;
	shell(NULL, "losetup -d " LOOP);
	unlink(DISK);
}

void tenfold_close(void)
{
	place_leave(&kmdomfs);
	place_leave(&ext4);
	kmdomd_stop(&kmdomd);
	end_disk();
	group_end(GROUP);
}

/* Made before its memory is there: mkfs gives back what shall be zero. */
static int begin_disk(void)
{
	int ret = shell(NULL, "truncate -s %dM " DISK " && mkfs.ext4 -q -T default "
			"-E lazy_itable_init=0,lazy_journal_init=0 " DISK, MEGABYTES);

	if (!ret)
		ret = shell(NULL, "fallocate -l %dM " DISK, MEGABYTES);
	return ret ? ret : shell(NULL, "losetup " LOOP " " DISK);
}

static int make_dir(int tree, int number)
{
	char name[32];
	int i, ret = 0;

	snprintf(name, sizeof(name), "dir-%d", number);
	if (mkdirat(tree, name, 0700))
		return -errno;
	for (i = 1; i <= FILES && !ret; i++) {
		snprintf(name, sizeof(name), "dir-%d/file-%d", number, i);
		ret = noise_file(tree, name, i << 10);
	}
	return ret;
}

static int make_tree(void)
{
	int tree, i, ret = 0;

	if (mkdir(TREE, 0700))
		return -errno;
	tree = open(TREE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return -errno;
	for (i = 0; i < DIRS && !ret; i++)
		ret = make_dir(tree, i);
	close(tree);
	return ret;
}

/* Made once. */
static int make_archive(void)
{
	int ret;

	if (!access(ARCHIVE, R_OK))
		return 0;
	ret = make_tree();
	return ret ? ret : shell(NULL, "tar -cf " ARCHIVE " -C " TREE " . && rm -r " TREE);
}

static int begin(const struct place *place)
{
	int ret = make_archive();

	if (!ret)
		ret = group_make(GROUP, LIMIT);
	if (!ret)
		ret = place == &kmdomfs ? kmdomd_start(&kmdomd, &spec, "auto") : begin_disk();
	return ret ? ret : place_use(place);
}

/* All that was written is where it ends up. */
static int settle(struct bench *bench, const struct place *place, uint64_t *busy)
{
	int dir = place_open(place), ret;

	if (dir < 0)
		return dir;
	ret = syncfs(dir) ? -errno : 0;
	close(dir);
	return ret ? ret : client_busy(bench->client, busy);
}

static double measure(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	uint64_t start = 0, end = 0;
	int ret = begin(place);

	if (!ret)
		ret = settle(bench, place, &start);
	if (!ret)
		ret = shell(GROUP, "tar -xf " ARCHIVE " -C %s", place->dir);
	if (!ret)
		ret = settle(bench, place, &end);
	if (!ret)
		ret = place_renew(place);
	if (!ret)
		ret = shell(GROUP, "tar -df " ARCHIVE " -C %s", place->dir);
	if (!ret)
		ret = settle(bench, place, &end);
	tenfold_close();
	return ret ? ret : (double)(end - start);
}

const struct row tenfold_rows[] = {
	{ "fs_unpack_tenfold", 0, {
		{ "kmdom", measure, &kmdomfs },
		{ "ext4", measure, &ext4 },
	}, .once = true },
	{ }
};
