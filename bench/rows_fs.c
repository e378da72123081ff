// SPDX-License-Identifier: GPL-2.0
/*
 * Files, on a kmdomfs whose pages are all resident, and on a tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "bench.h"
#include "mark.h"
#include "place.h"
#include "shell.h"

#define FILES		512	/* a sample of fs_create */
#define FS_SAMPLES	3	/* of what takes long */
#define TREE		"/tmp/bench-tree.tar"
#define TREE_DIRS	16
#define TREE_FILES	24	/* in each */

static const struct place kmdomfs = { "kmdomfs", "domain=" BENCH_DOMAIN, "/tmp/bench-kmdomfs" };
static const struct place tmpfs = { "tmpfs", "size=64M", "/tmp/bench-tmpfs" };

static char names[FILES][16];

/* What the rows mounted is in nobody's way any more. */
void fs_close(void)
{
	place_leave(&kmdomfs);
	place_leave(&tmpfs);
}

static void make_names(void)
{
	int i;

	for (i = 0; i < FILES; i++)
		snprintf(names[i], sizeof(names[i]), "file-%d", i);
}

static int create_files(int dir)
{
	int fd, i;

	for (i = 0; i < FILES; i++) {
		fd = openat(dir, names[i], O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			return -errno;
		close(fd);
	}
	return 0;
}

static int remove_files(int dir)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (unlinkat(dir, names[i], 0))
			return -errno;
	return 0;
}

static double measure_create(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	int dir, ret = place_use(place);
	uint64_t ns;

	if (ret)
		return ret;
	dir = place_open(place);
	if (dir < 0)
		return dir;
	make_names();
	ns = bench_now();
	ret = create_files(dir);
	ns = bench_now() - ns;
	if (!ret)
		ret = remove_files(dir);
	close(dir);
	return ret ? ret : (double)ns / FILES;
}

/* A tree like that of sources: files of 1 to 24 KiB. Made once. */
static int make_tree(void)
{
	if (!access(TREE, R_OK))
		return 0;
	return shell(NULL,
		     "d=$(mktemp -d) && cd \"$d\" && for i in $(seq %d); do mkdir dir-$i && "
		     "for j in $(seq %d); do head -c $((j * 1024)) /dev/urandom >dir-$i/file-$j; "
		     "done; done && tar -cf %s . && rm -r \"$d\"",
		     TREE_DIRS, TREE_FILES, TREE);
}

/* All that it costs, until nothing is left to be done. */
static double measure_unpack(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	uint64_t begin = 0, end = 0;
	int ret;

	ret = place_use(place);
	if (!ret)
		ret = make_tree();
	if (!ret)
		ret = client_busy(bench->client, &begin);
	MARK_BEGIN();
	if (!ret)
		ret = shell(NULL, "tar -xf %s -C %s", TREE, place->dir);
	MARK_END();
	if (!ret)
		ret = client_busy(bench->client, &end);
	if (!ret)
		ret = shell(NULL, "rm -rf %s/dir-*", place->dir);
	return ret ? ret : (double)(end - begin);
}

const struct row fs_rows[] = {
	{ "fs_create", 0, {
		{ "kmdom", measure_create, &kmdomfs },
		{ "tmpfs", measure_create, &tmpfs },
	} },
	{ "fs_unpack_fitting", FS_SAMPLES, {
		{ "kmdom", measure_unpack, &kmdomfs },
		{ "tmpfs", measure_unpack, &tmpfs },
	} },
	{ }
};
