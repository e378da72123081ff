// SPDX-License-Identifier: GPL-2.0
/*
 * fs_diff - the same random operations on two file systems, compared
 *
 * Usage: fs_diff DIR REFERENCE SEED OPERATIONS
 *
 * Every operation is done in DIR and in REFERENCE (a tmpfs), and must have the
 * same result, errno, data and attributes; now and then the VFS's caches are
 * dropped, and the whole trees compared. Prints TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define PATHS		4096
#define HANDLES		8
#define CHUNK		20000
#define SPAN		300000		/* files are mostly that long */

static const char *root[2];
static unsigned long step;
static unsigned int failures;

/**
 * struct handle - a file that is kept open, on both sides
 * @fd: descriptors
 * @map: shared mappings of the first bytes, or NULL
 * @size: of the mappings
 */
struct handle {
	int fd[2];
	char *map[2];
	size_t size;
};

static struct handle handles[HANDLES];

static uint64_t state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return (rnd() >> 11) % n;
}

static void differ(const char *what, long a, long b)
{
	if (failures++ < 20)
		printf("# step %lu: %s: %ld, reference %ld\n", step, what, a, b);
}

/* Results are compared with their errno. */
static long outcome(long ret)
{
	return ret < 0 ? -errno : ret;
}

static void same(const char *what, const long r[2])
{
	if (r[0] != r[1])
		differ(what, r[0], r[1]);
}

/* A name out of few, so that operations meet; one of them is long. */
static void add_name(char *path)
{
	unsigned int n = below(14);
	size_t len = strlen(path);

	if (n == 13) {
		path[len] = '/';
		memset(path + len + 1, 'x', 255);
		path[len + 256] = '\0';
	} else {
		sprintf(path + len, "/n%u", n);
	}
}

static void random_path(char path[2][PATHS])
{
	char rel[PATHS] = "";
	unsigned int depth = 1 + below(3);
	int i;

	while (depth--)
		add_name(rel);
	for (i = 0; i < 2; i++)
		snprintf(path[i], PATHS, "%s%s", root[i], rel);
}

static off_t random_offset(void)
{
	switch (below(40)) {
	case 0:
		return below(3000000);
	case 1:
		return 5000000000ULL + below(10000);
	case 2:
		return below(SPAN) & ~4095UL;
	case 3:
		return below(8) * 4096 + 4090 + below(12);
	default:
		return below(SPAN);
	}
}

static void random_bytes(char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = rnd();
	/* Ends of zeroes matter: what is trimmed must come back. */
	if (!below(4))
		memset(buf + len / 3, 0, len - len / 3);
}

static void op_make(void)
{
	char path[2][PATHS];
	mode_t mode = below(01000);
	unsigned int kind = below(4);
	long r[2];
	int i, fd;

	random_path(path);
	for (i = 0; i < 2; i++) {
		if (kind == 0) {
			r[i] = outcome(mkdir(path[i], mode));
			continue;
		}
		fd = open(path[i], O_CREAT | (kind == 1 ? O_EXCL : 0) |
			  (kind == 2 ? O_TRUNC : 0) | O_RDWR, mode);
		r[i] = outcome(fd) < 0 ? outcome(fd) : 0;
		if (fd >= 0)
			close(fd);
	}
	same("make", r);
}

static void op_remove(void)
{
	char path[2][PATHS];
	bool dir = below(2);
	long r[2];
	int i;

	random_path(path);
	for (i = 0; i < 2; i++)
		r[i] = outcome(dir ? rmdir(path[i]) : unlink(path[i]));
	same(dir ? "rmdir" : "unlink", r);
}

static void op_link(void)
{
	char from[2][PATHS], to[2][PATHS];
	long r[2];
	int i;

	random_path(from);
	random_path(to);
	for (i = 0; i < 2; i++)
		r[i] = outcome(link(from[i], to[i]));
	same("link", r);
}

static void op_symlink(void)
{
	static const unsigned int lengths[] = { 1, 10, 253, 254, 255, 256, 3000, 4095 };
	char path[2][PATHS], target[4096];
	unsigned int len = lengths[below(8)];
	long r[2];
	int i;

	random_path(path);
	memset(target, 'a' + below(26), len);
	target[len] = '\0';
	if (len == 10)
		snprintf(target, sizeof(target), "n1");
	for (i = 0; i < 2; i++)
		r[i] = outcome(symlink(target, path[i]));
	same("symlink", r);
}

static void op_rename(void)
{
	static const unsigned int flags[] = { 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	char from[2][PATHS], to[2][PATHS];
	unsigned int flag = flags[below(5)];
	long r[2];
	int i;

	random_path(from);
	random_path(to);
	for (i = 0; i < 2; i++)
		r[i] = outcome(renameat2(AT_FDCWD, from[i], AT_FDCWD, to[i], flag));
	same("rename", r);
}

static void op_attr(void)
{
	char path[2][PATHS];
	unsigned int what = below(3), value = below(100000);
	struct timespec times[2] = { { value, below(1000000000) }, { value + 7, 5 } };
	long r[2];
	int i;

	random_path(path);
	for (i = 0; i < 2; i++) {
		if (what == 0)
			r[i] = outcome(chmod(path[i], value & 07777));
		else if (what == 1)
			r[i] = outcome(lchown(path[i], value, value / 2));
		else
			r[i] = outcome(utimensat(AT_FDCWD, path[i], times,
						 AT_SYMLINK_NOFOLLOW));
	}
	same("attributes", r);
}

static void op_truncate(void)
{
	char path[2][PATHS];
	off_t size = below(6) ? random_offset() : 0;
	long r[2];
	int i;

	random_path(path);
	for (i = 0; i < 2; i++)
		r[i] = outcome(truncate(path[i], size));
	same("truncate", r);
}

static void op_write(void)
{
	static char buf[CHUNK];
	char path[2][PATHS];
	off_t at = random_offset();
	size_t len = below(5) ? below(6000) : below(CHUNK);
	int append = below(6) ? 0 : O_APPEND;
	long r[2];
	int i, fd;

	random_path(path);
	random_bytes(buf, len);
	for (i = 0; i < 2; i++) {
		fd = open(path[i], O_WRONLY | append);
		r[i] = outcome(fd < 0 ? fd : pwrite(fd, buf, len, at));
		if (fd >= 0)
			close(fd);
	}
	same("write", r);
}

static void op_read(void)
{
	static char buf[2][CHUNK];
	char path[2][PATHS];
	off_t at = random_offset();
	size_t len = below(CHUNK);
	long r[2];
	int i, fd;

	random_path(path);
	for (i = 0; i < 2; i++) {
		fd = open(path[i], O_RDONLY);
		r[i] = outcome(fd < 0 ? fd : pread(fd, buf[i], len, at));
		if (fd >= 0)
			close(fd);
	}
	same("read", r);
	if (r[0] > 0 && memcmp(buf[0], buf[1], r[0]))
		differ("data read", 1, 0);
}

static void close_handle(struct handle *handle)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (handle->map[i])
			munmap(handle->map[i], handle->size);
		if (handle->fd[i] >= 0)
			close(handle->fd[i]);
		handle->map[i] = NULL;
		handle->fd[i] = -1;
	}
}

static void map_handle(struct handle *handle)
{
	struct stat st;
	int i;

	if (fstat(handle->fd[0], &st) || !st.st_size)
		return;
	handle->size = st.st_size < SPAN ? st.st_size : SPAN;
	for (i = 0; i < 2; i++)
		handle->map[i] = mmap(NULL, handle->size, PROT_READ | PROT_WRITE,
				      MAP_SHARED, handle->fd[i], 0);
	if (handle->map[0] == MAP_FAILED || handle->map[1] == MAP_FAILED) {
		differ("mmap", 1, 0);
		handle->map[0] = NULL;
		handle->map[1] = NULL;
	}
}

static void op_open(void)
{
	struct handle *handle = &handles[below(HANDLES)];
	char path[2][PATHS];
	long r[2];
	int i;

	close_handle(handle);
	random_path(path);
	for (i = 0; i < 2; i++) {
		handle->fd[i] = open(path[i], O_RDWR);
		r[i] = handle->fd[i] < 0 ? -errno : 0;
	}
	same("open", r);
	if (!r[0] && !r[1] && below(3))
		map_handle(handle);
}

/* Within the mapping and the file, since the latter may have become shorter. */
static size_t mapped_range(struct handle *handle, off_t *at)
{
	struct stat st;
	size_t end;

	if (!handle->map[0] || fstat(handle->fd[0], &st))
		return 0;
	end = (size_t)st.st_size < handle->size ? (size_t)st.st_size : handle->size;
	if (!end)
		return 0;
	*at = below(end);
	return 1 + below(end - *at < 5000 ? end - *at : 5000);
}

static void op_mapped(void)
{
	static char buf[5001];
	struct handle *handle = &handles[below(HANDLES)];
	size_t len;
	off_t at;

	len = mapped_range(handle, &at);
	if (!len)
		return;
	if (below(2)) {
		random_bytes(buf, len);
		memcpy(handle->map[0] + at, buf, len);
		memcpy(handle->map[1] + at, buf, len);
	} else if (memcmp(handle->map[0] + at, handle->map[1] + at, len)) {
		differ("data mapped", 1, 0);
	}
}

static void op_handle(void)
{
	static char buf[2][CHUNK];
	struct handle *handle = &handles[below(HANDLES)];
	off_t at = random_offset();
	size_t len = below(CHUNK);
	unsigned int what = below(3);
	long r[2];
	int i;

	if (handle->fd[0] < 0)
		return;
	if (!what)
		random_bytes(buf[0], len);
	for (i = 0; i < 2; i++) {
		if (what == 0)
			r[i] = outcome(pwrite(handle->fd[i], buf[0], len, at));
		else if (what == 1)
			r[i] = outcome(pread(handle->fd[i], buf[i], len, at));
		else
			r[i] = outcome(ftruncate(handle->fd[i], at));
	}
	same("operation on an open file", r);
	if (what == 1 && r[0] > 0 && memcmp(buf[0], buf[1], r[0]))
		differ("data read from an open file", 1, 0);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd >= 0) {
		if (write(fd, "3", 1) != 1)
			printf("# cannot drop caches\n");
		close(fd);
	}
}

static void compare(void)
{
	if (below(2))
		drop_caches();
	failures += tree_compare(root[0], root[1]);
}

static void (*const operations[])(void) = {
	op_make, op_make, op_make, op_remove, op_link, op_symlink, op_rename,
	op_rename, op_attr, op_truncate, op_write, op_write, op_write, op_read,
	op_read, op_open, op_mapped, op_mapped, op_mapped, op_handle, op_handle,
};

int main(int argc, char *argv[])
{
	unsigned long count;
	unsigned int i;

	if (argc != 5) {
		fprintf(stderr, "Usage: fs_diff DIR REFERENCE SEED OPERATIONS\n");
		return 2;
	}
	root[0] = argv[1];
	root[1] = argv[2];
	state = strtoull(argv[3], NULL, 0) * 0x9e3779b97f4a7c15ULL + 1;
	count = strtoul(argv[4], NULL, 0);
	umask(0);
	for (i = 0; i < HANDLES; i++) {
		handles[i].fd[0] = -1;
		handles[i].fd[1] = -1;
	}
	printf("TAP version 13\n1..1\n");
	for (step = 1; step <= count && !failures; step++) {
		operations[below(sizeof(operations) / sizeof(operations[0]))]();
		if (!(step % 500))
			compare();
	}
	for (i = 0; i < HANDLES; i++)
		close_handle(&handles[i]);
	drop_caches();
	failures += tree_compare(root[0], root[1]);
	printf("%s 1 seed %s: %lu operations\n", failures ? "not ok" : "ok",
	       argv[3], step - 1);
	return !!failures;
}
