// SPDX-License-Identifier: GPL-2.0
/*
 * A file of a tmpfs that is read as memory: what cannot be had is told, and nothing
 * else of the process changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../kmdomd/store_map.h"
#include "disk.h"
#include "tap.h"

#define PAGE	4096
#define SIZE	(64 * PAGE)

static uint8_t written[SIZE], back[SIZE];

/* A file of that many bytes, without a name; or -1: there is no tmpfs. */
static int open_file(size_t len)
{
	int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct statfs fs;
	size_t i;

	disk.tmpfs = true;
	if (fd < 0 || fstatfs(fd, &fs) || fs.f_type != TMPFS_MAGIC) {
		printf("# /dev/shm is no tmpfs: not tested here\n");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	for (i = 0; i < SIZE; i++)
		written[i] = tap_random();
	CHECK(pwrite(fd, written, len, 0) == (ssize_t)len);
	return fd;
}

static bool reads(const struct store_map *map, size_t len, uint64_t offset)
{
	memset(back, 0, sizeof(back));
	return store_map_read(map, back, len, offset) && !memcmp(back, written + offset, len);
}

static void test_read(void)
{
	struct store_map map;
	int fd = open_file(SIZE);

	if (fd < 0)
		return;
	NEED(!store_map_open(&map, fd, SIZE));
	CHECK(reads(&map, SIZE, 0));
	CHECK(reads(&map, 5000, 77));
	CHECK(reads(&map, 1, SIZE - 1));
	written[4000] ^= 1;
	CHECK(pwrite(fd, written + 4000, 1, 4000) == 1);
	CHECK(reads(&map, PAGE, 0));
	CHECK(!store_map_read(&map, back, 2, SIZE - 1));
	CHECK(!store_map_read(&map, back, 1, SIZE + 1));
	CHECK(!store_map_read(&map, back, 1, UINT64_MAX));
	store_map_close(&map);
	CHECK(!store_map_read(&map, back, 1, 0));
	close(fd);
}

/* What the file has not, not yet, or not any more. */
static void test_missing(void)
{
	struct store_map map;
	int fd = open_file(SIZE / 2), round;

	if (fd < 0)
		return;
	NEED(!store_map_open(&map, fd, SIZE));
	for (round = 0; round < 3; round++) {
		CHECK(reads(&map, PAGE, SIZE / 2 - PAGE));
		CHECK(!store_map_read(&map, back, PAGE, SIZE / 2));
		CHECK(!store_map_read(&map, back, 2 * PAGE, SIZE / 2 - PAGE));
		CHECK(!ftruncate(fd, 0));
		CHECK(!store_map_read(&map, back, PAGE, 0));
		CHECK(pwrite(fd, written, SIZE, 0) == SIZE);
		CHECK(reads(&map, SIZE, 0));
		CHECK(!ftruncate(fd, SIZE / 2));
	}
	store_map_close(&map);
	close(fd);
}

static void test_elsewhere(void)
{
	char path[] = "/var/tmp/kmdom_map.XXXXXX";
	struct store_map map;
	int fd = mkstemp(path);

	NEED(fd >= 0);
	disk.tmpfs = false;
	CHECK(store_map_open(&map, fd, SIZE) == -EMEDIUMTYPE);
	CHECK(!store_map_read(&map, back, 1, 0));
	store_map_close(&map);
	unlink(path);
	close(fd);
}

/* How a child ends. */
static int status_of(void (*what)(int fd), int fd)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		what(fd);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void open_with_locked_memory(int fd)
{
	struct stat before, after;
	struct store_map map;
	unsigned long start;
	char line[128];
	FILE *file;

	if (mlockall(MCL_FUTURE))
		_exit(2);
	if (fstat(fd, &before) || store_map_open(&map, fd, SIZE) || fstat(fd, &after) ||
	    before.st_blocks != after.st_blocks || !reads(&map, PAGE, 0))
		_exit(1);
	file = fopen("/proc/self/smaps", "re");
	do {
		if (!fgets(line, sizeof(line), file))
			_exit(1);
	} while (sscanf(line, "%lx-", &start) != 1 || start != (unsigned long)map.bytes);
	while (fgets(line, sizeof(line), file) && strncmp(line, "VmFlags:", 8))
		;
	_exit(strstr(line, " sh") && !strstr(line, " lo") ? 0 : 1);
}

/* All memory of the process is locked, but not this; and none of it is made. */
static void test_locked(void)
{
	int fd = open_file(PAGE), status;

	if (fd < 0)
		return;
	CHECK(!ftruncate(fd, SIZE));
	status = status_of(open_with_locked_memory, fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		printf("# memory cannot be locked: not tested here\n");
	else
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	close(fd);
}

static void touch_what_is_missing(int fd)
{
	struct store_map map;

	if (store_map_open(&map, fd, SIZE) || store_map_read(&map, back, PAGE, PAGE))
		_exit(1);
	_exit(*(volatile const uint8_t *)(map.bytes + PAGE));
}

/* A SIGBUS of something else ends the process, as ever. */
static void test_other_signals(void)
{
	int fd = open_file(PAGE), status;

	if (fd < 0)
		return;
	status = status_of(touch_what_is_missing, fd);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	close(fd);
}

const struct tap_test tap_tests[] = {
	{ "map: what is in the file", test_read },
	{ "map: what is not in the file", test_missing },
	{ "map: not on a tmpfs", test_elsewhere },
	{ "map: memory that is locked", test_locked },
	{ "map: signals of others", test_other_signals },
	{ }
};
