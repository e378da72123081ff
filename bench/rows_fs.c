// SPDX-License-Identifier: GPL-2.0
/*
 * Files, on a kmdomfs whose pages are all resident, and on a tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench.h"
#include "kmdomd.h"

#define FILES		512	/* a sample of fs_create */
#define FS_SAMPLES	3	/* of what takes long */
#define TREE		"/tmp/bench-tree.tar"
#define TREE_DIRS	16
#define TREE_FILES	24	/* in each */
#define GONE_FILES	48	/* a sample of fs_remove_absent */
#define GONE_BYTES	65536	/* of each */
#define FILLER_BYTES	(8 << 20)

struct place {
	const char *type;
	const char *options;
	const char *dir;
};

static const struct place kmdomfs = { "kmdomfs", "domain=" BENCH_DOMAIN, "/tmp/bench-kmdomfs" };
static const struct kmdomd_spec paged_spec = {
	.domain = "bench-fs", .frames = 1024, .low = 64, .high = 128, .store_megabytes = 256,
};

static const struct place paged = { "kmdomfs", "domain=bench-fs", "/tmp/bench-paged" };
static const struct place tmpfs = { "tmpfs", "size=64M", "/tmp/bench-tmpfs" };

static struct kmdomd kmdomd;
static char names[FILES][16];

/* What the rows mounted is in nobody's way any more. */
void fs_close(void)
{
	umount(kmdomfs.dir);
	umount(tmpfs.dir);
	umount(paged.dir);
	kmdomd_stop(&kmdomd);
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

static int open_place(const struct place *place)
{
	int fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd;
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
	dir = open_place(place);
	if (dir < 0)
		return dir;
	ns = bench_now();
	ret = create_files(dir);
	ns = bench_now() - ns;
	if (!ret)
		ret = remove_files(dir);
	close(dir);
	return ret ? ret : (double)ns / FILES;
}

/* Runs a command of a shell's. */
static int shell(const char *command)
{
	int status = system(command);

	return status < 0 ? -errno : status ? -EIO : 0;
}

/* A tree like that of sources: files of 1 to 24 KiB. Made once. */
static int make_tree(void)
{
	char command[512];

	if (!access(TREE, R_OK))
		return 0;
	snprintf(command, sizeof(command),
		 "d=$(mktemp -d) && cd \"$d\" && for i in $(seq %d); do mkdir dir-$i && "
		 "for j in $(seq %d); do head -c $((j * 1024)) /dev/urandom >dir-$i/file-$j; "
		 "done; done && tar -cf %s . && rm -r \"$d\"",
		 TREE_DIRS, TREE_FILES, TREE);
	return shell(command);
}

/* All that it costs, until nothing is left to be done. */
static double measure_unpack(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	uint64_t begin = 0, end = 0;
	char command[256];
	int ret;

	ret = use_place(place);
	if (!ret)
		ret = make_tree();
	if (!ret)
		ret = client_busy(bench->client, &begin);
	snprintf(command, sizeof(command), "tar -xf %s -C %s", TREE, place->dir);
	if (!ret)
		ret = shell(command);
	if (!ret)
		ret = client_busy(bench->client, &end);
	snprintf(command, sizeof(command), "rm -rf %s/dir-*", place->dir);
	if (!ret)
		ret = shell(command);
	return ret ? ret : (double)(end - begin);
}

/* Writes a file of bytes that do not compress. */
static int write_file(int dir, const char *name, size_t bytes)
{
	static unsigned int block[1024];
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	static unsigned int seed = 1;
	size_t i, done;

	if (fd < 0)
		return -errno;
	for (done = 0; done < bytes; done += sizeof(block)) {
		for (i = 0; i < sizeof(block) / sizeof(*block); i++) {
			seed = seed * 1664525 + 1013904223;
			block[i] = seed;
		}
		if (write(fd, block, sizeof(block)) != sizeof(block)) {
			close(fd);
			return -EIO;
		}
	}
	close(fd);
	return 0;
}

static int write_files(int dir)
{
	int i, ret = 0;

	for (i = 0; i < GONE_FILES && !ret; i++)
		ret = write_file(dir, names[i], GONE_BYTES);
	return ret;
}

static int use_paged(void)
{
	int ret = kmdomd.pid ? 0 : kmdomd_start(&kmdomd, &paged_spec, "auto");

	return ret ? ret : use_place(&paged);
}

/*
 * So much is written after them that none of their pages is in a frame any more; and
 * the VFS forgets their inodes, as it does when the mount ends.
 */
static int page_out(int *dir)
{
	int ret = write_file(*dir, "filler", FILLER_BYTES);

	close(*dir);
	if (!ret && umount(paged.dir))
		ret = -errno;
	if (!ret)
		ret = use_place(&paged);
	*dir = open_place(&paged);
	return ret ? ret : *dir < 0 ? *dir : 0;
}

/* Until the last page of theirs is free. */
static double measure_remove(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	uint64_t begin = 0, end = 0;
	int dir, i, ret;

	ret = place == &paged ? use_paged() : use_place(place);
	if (ret)
		return ret;
	dir = open_place(place);
	if (dir < 0)
		return dir;
	ret = write_files(dir);
	if (!ret && place == &paged)
		ret = page_out(&dir);
	if (!ret)
		ret = client_busy(bench->client, &begin);
	for (i = 0; i < GONE_FILES && !ret; i++)
		ret = unlinkat(dir, names[i], 0) ? -errno : 0;
	if (!ret)
		ret = client_busy(bench->client, &end);
	close(dir);
	return ret ? ret : (double)(end - begin) / GONE_FILES;
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
	{ "fs_remove_absent", FS_SAMPLES, {
		{ "kmdom", measure_remove, &paged },
		{ "tmpfs", measure_remove, &tmpfs },
	} },
	{ }
};
