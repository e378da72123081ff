// SPDX-License-Identifier: GPL-2.0
/*
 * Files, on a kmdomfs whose pages are all resident, and on a tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"

#define FILES	512	/* a sample */

struct place {
	const char *type;
	const char *options;
	const char *dir;
};

static const struct place kmdomfs = { "kmdomfs", "domain=" BENCH_DOMAIN, "/tmp/bench-kmdomfs" };
static const struct place tmpfs = { "tmpfs", "size=64M", "/tmp/bench-tmpfs" };

static char names[FILES][16];

/* What the rows mounted is in nobody's way any more. */
void fs_close(void)
{
	umount(kmdomfs.dir);
	umount(tmpfs.dir);
}

/* Mounts it, unless that was done before: a directory of its own device tells. */
static int use_place(const struct place *place)
{
	struct stat here, above;
	int i;

	for (i = 0; i < FILES; i++)
		snprintf(names[i], sizeof(names[i]), "file-%d", i);
	if (mkdir(place->dir, 0700) && errno != EEXIST)
		return -errno;
	if (stat(place->dir, &here) || stat("/tmp", &above))
		return -errno;
	if (here.st_dev != above.st_dev)
		return 0;
	return mount("none", place->dir, place->type, 0, place->options) ? -errno : 0;
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
	int dir, ret = use_place(place);
	uint64_t ns;

	if (ret)
		return ret;
	dir = open(place->dir, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return -errno;
	ns = bench_now();
	ret = create_files(dir);
	ns = bench_now() - ns;
	if (!ret)
		ret = remove_files(dir);
	close(dir);
	return ret ? ret : (double)ns / FILES;
}

const struct row fs_rows[] = {
	{ "fs_create", {
		{ "kmdom", measure_create, &kmdomfs },
		{ "tmpfs", measure_create, &tmpfs },
	} },
	{ }
};
