// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: what is stored through them, what is seen in them, what stays.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "fs.h"
#include "kmdom_test.h"

static char buf[16 * MIB], back[16 * MIB];

TEST_F(fs, mapping_and_file_agree)
{
	const size_t len = 64 * PAGE;
	char *map;
	int fd;

	pattern(buf, len, 4);
	ASSERT_EQ(0, put("file", buf, len));
	fd = open("file", O_RDWR);
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, memcmp(map, buf, len));
	/* What is written is seen in the mapping, and the other way round. */
	ASSERT_EQ(5, pwrite(fd, "hello", 5, 10000));
	ASSERT_EQ(0, memcmp(map + 10000, "hello", 5));
	memcpy(map + 20000, "world", 5);
	ASSERT_EQ(5, pread(fd, back, 5, 20000));
	ASSERT_EQ(0, memcmp(back, "world", 5));
	/* In one page, in turn. */
	memcpy(map + 30000, "one", 3);
	ASSERT_EQ(3, pwrite(fd, "two", 3, 30003));
	memcpy(map + 30006, "three", 5);
	munmap(map, len);
	close(fd);
	drop_caches();
	ASSERT_EQ((ssize_t)len, get("file", back, len));
	memcpy(buf + 10000, "hello", 5);
	memcpy(buf + 20000, "world", 5);
	memcpy(buf + 30000, "onetwothree", 11);
	ASSERT_EQ(0, memcmp(buf, back, len));
}

TEST_F(fs, mapping_of_holes)
{
	char *map;
	int fd;

	fd = open("file", O_CREAT | O_RDWR, 0644);
	ASSERT_EQ(0, ERR(ftruncate(fd, 3 * MIB)));
	map = mmap(NULL, 3 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_TRUE(all_zero(map, 3 * MIB));
	for (size_t at = 0; at < 3 * MIB; at += 5 * PAGE)
		map[at + 17] = at / PAGE + 1;
	munmap(map, 3 * MIB);
	close(fd);
	drop_caches();
	ASSERT_EQ((ssize_t)(3 * MIB), get("file", back, 3 * MIB));
	for (size_t at = 0; at < 3 * MIB; at += 5 * PAGE) {
		ASSERT_EQ((char)(at / PAGE + 1), back[at + 17]);
		back[at + 17] = 0;
	}
	ASSERT_TRUE(all_zero(back, 3 * MIB));
}

/* Pages of memory that nobody uses, in KiB. */
static long free_memory(void)
{
	FILE *info = fopen("/proc/meminfo", "r");
	char line[100];
	long kib = -1;

	while (info && kib < 0 && fgets(line, sizeof(line), info))
		sscanf(line, "MemFree: %ld", &kib);
	if (info)
		fclose(info);
	return kib;
}

/* Stores in each page through a mapping, and cuts the file under it; rounds of that. */
static int cut_while_dirty(size_t pages, int rounds)
{
	int fd = open("file", O_CREAT | O_RDWR, 0644), ret = 0;

	while (!ret && rounds--) {
		char *map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		ret = map == MAP_FAILED ? -errno : ERR(ftruncate(fd, pages * PAGE));
		for (size_t n = 0; !ret && n < pages; n++)
			map[n * PAGE] = 1;
		ret = ret ?: ERR(ftruncate(fd, 0));
		munmap(map, pages * PAGE);
	}
	close(fd);
	return ret;
}

/* The memory of pages that are cut off comes back, stored or not. */
TEST_F(fs, cut_pages_are_memory_again)
{
	const int rounds = scaled("rounds", 160);
	const size_t pages = 100;
	long before;

	ASSERT_EQ(0, cut_while_dirty(pages, rounds / 8 + 1));
	drop_caches();
	before = free_memory();
	ASSERT_EQ(0, cut_while_dirty(pages, rounds));
	drop_caches();
	ASSERT_LT(before - (long)(rounds * pages * PAGE / 1024 / 2), free_memory())
		TH_LOG("%ld KiB were free before", before);
}

/* What a mapping leaves behind the end is not there when the file grows. */
TEST_F(fs, nothing_appears_behind_the_end)
{
	char *map;
	int fd;

	for (int way = 0; way < 2; way++) {
		ASSERT_EQ(0, put("file", "12345", 5));
		fd = open("file", O_RDWR);
		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		memset(map, 'x', PAGE);
		if (way) {
			ASSERT_EQ(1, pwrite(fd, "", 1, 999));
		} else {
			ASSERT_EQ(0, ERR(ftruncate(fd, 1000)));
		}
		ASSERT_EQ(1000, pread(fd, back, PAGE, 0));
		ASSERT_EQ(0, memcmp(back, "xxxxx", 5));
		ASSERT_TRUE(all_zero(back + 5, 994));
		munmap(map, PAGE);
		close(fd);
		drop_caches();
		ASSERT_EQ(1000, get("file", back, PAGE));
		ASSERT_TRUE(all_zero(back + 5, 994));
	}
}

static sigjmp_buf jump;

static void on_bus(int sig)
{
	siglongjmp(jump, 1);
}

static bool faults(volatile char *addr, bool write)
{
	struct sigaction sa = { .sa_handler = on_bus }, old;
	bool fault = true;

	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(jump, 1)) {
		if (write)
			*addr = 1;
		else
			(void)*addr;
		fault = false;
	}
	sigaction(SIGBUS, &old, NULL);
	return fault;
}

TEST_F(fs, mapping_behind_the_end)
{
	char *map;
	int fd;

	ASSERT_EQ(0, put("file", buf, 2 * PAGE));
	fd = open("file", O_RDWR);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_FALSE(faults(map + PAGE, true));
	ASSERT_TRUE(faults(map + 2 * PAGE, false));
	ASSERT_TRUE(faults(map + 3 * PAGE, true));
	ASSERT_EQ(0, ERR(ftruncate(fd, PAGE)));
	ASSERT_TRUE(faults(map + PAGE, true));
	ASSERT_EQ(0, ERR(ftruncate(fd, 3 * PAGE)));
	ASSERT_FALSE(faults(map + 2 * PAGE, true));
	ASSERT_EQ(0, map[PAGE]);
	munmap(map, 4 * PAGE);
	close(fd);
}

TEST_F(fs, private_mapping)
{
	char *map;
	int fd;

	pattern(buf, 4 * PAGE, 5);
	ASSERT_EQ(0, put("file", buf, 4 * PAGE));
	fd = open("file", O_RDONLY);
	map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	memset(map, 0, PAGE);
	ASSERT_EQ(0, memcmp(map + PAGE, buf + PAGE, 3 * PAGE));
	ASSERT_EQ((ssize_t)(4 * PAGE), get("file", back, sizeof(back)));
	ASSERT_EQ(0, memcmp(buf, back, 4 * PAGE));
	munmap(map, 4 * PAGE);
	close(fd);
}

/* More dirty pages than a mount may have at a time. */
TEST_F(fs, many_dirty_pages)
{
	const size_t len = 3000 * PAGE;
	char *map;
	int fd;

	pattern(buf, len, 6);
	fd = open("file", O_CREAT | O_RDWR, 0644);
	ASSERT_EQ(0, ERR(ftruncate(fd, len)));
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memcpy(map, buf, len);
	ASSERT_EQ(0, memcmp(map, buf, len));
	ASSERT_EQ(0, ERR(msync(map, len, MS_SYNC)));
	munmap(map, len);
	close(fd);
	drop_caches();
	ASSERT_EQ((ssize_t)len, get("file", back, sizeof(back)));
	ASSERT_EQ(0, memcmp(buf, back, len));
}

static void *unlink_file(void *arg)
{
	*(int *)arg = ERR(unlink("file"));
	return NULL;
}

/*
 * Who pinned a page of a mapping, to read a device into it, dirties it when its
 * inode is being evicted: nobody cleans it, and nothing holds the mount for that.
 */
TEST_F(fs, dirtied_while_it_is_evicted)
{
	struct kt_req req = { 0 };
	int fd, kt, ret, unlinked = 1, tries = 1000;
	pthread_t thread;
	char *map;

	kt = open("/dev/kmdom_test", O_RDWR);
	ASSERT_LE(0, kt);
	ASSERT_EQ(0, put("file", buf, PAGE));
	fd = open("file", O_RDWR);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	req.buf = (unsigned long)map;
	ASSERT_EQ(0, ERR(ioctl(kt, KT_IOC_GRAB, &req)));
	munmap(map, PAGE);
	close(fd);
	/* Until the cleaner has been there. */
	while ((ret = ERR(ioctl(kt, KT_IOC_LOCK, &req))) == -EAGAIN && tries--)
		poll(NULL, 0, 20);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, pthread_create(&thread, NULL, unlink_file, &unlinked));
	EXPECT_EQ(0, ERR(ioctl(kt, KT_IOC_DIRTY, &req)));
	close(kt);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, unlinked);
}

/* A write whose source is the file that it goes to. */
TEST_F(fs, write_from_own_mapping)
{
	char *map;
	int fd;

	pattern(buf, 40 * PAGE, 7);
	ASSERT_EQ(0, put("file", buf, 40 * PAGE));
	drop_caches();
	fd = open("file", O_RDWR);
	map = mmap(NULL, 40 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_EQ(20 * PAGE, pwrite(fd, map, 20 * PAGE, 20 * PAGE + 100));
	munmap(map, 40 * PAGE);
	close(fd);
	drop_caches();
	ASSERT_EQ(40 * PAGE + 100, get("file", back, sizeof(back)));
	ASSERT_EQ(0, memcmp(back, buf, 20 * PAGE + 100));
	ASSERT_EQ(0, memcmp(back + 20 * PAGE + 100, buf, 20 * PAGE));
}

static volatile bool stop;

static void *truncate_often(void *arg)
{
	unsigned int seed = 1;
	int fd = open("file", O_RDWR);

	while (!stop && !ftruncate(fd, rand_r(&seed) % (40 * PAGE)))
		;
	close(fd);
	return NULL;
}

static void *write_often(void *arg)
{
	static char ones[8 * PAGE];
	unsigned int seed = 2;
	int fd = open("file", O_RDWR);

	memset(ones, 1, sizeof(ones));
	while (!stop && pwrite(fd, ones, rand_r(&seed) % sizeof(ones),
			       rand_r(&seed) % (40 * PAGE)) >= 0)
		;
	close(fd);
	return NULL;
}

/* Stores ones through a mapping, by read(2), which survives its end. */
static void *map_often(void *arg)
{
	char *map = arg, ones[100];
	unsigned int seed = 3;
	int pipes[2];

	memset(ones, 1, sizeof(ones));
	if (pipe(pipes))
		return NULL;
	while (!stop) {
		char *at = map + rand_r(&seed) % (40 * PAGE - 100);

		if (write(pipes[1], ones, sizeof(ones)) < 0)
			break;
		while (read(pipes[0], at, sizeof(ones)) < 0 && errno == EFAULT)
			at = ones;
	}
	close(pipes[0]);
	close(pipes[1]);
	return NULL;
}

/* Only ones are written: whatever else is read was never there. */
TEST_F(fs, truncation_races)
{
	pthread_t threads[4];
	unsigned int n, reads;
	char *map;
	int fd;

	fd = open("file", O_CREAT | O_RDWR, 0644);
	map = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stop = false;
	pthread_create(&threads[0], NULL, truncate_often, NULL);
	pthread_create(&threads[1], NULL, write_often, NULL);
	pthread_create(&threads[2], NULL, map_often, map);
	reads = scaled("reads", 300);
	for (n = 0; n < reads; n++) {
		ssize_t len = pread(fd, back, 40 * PAGE, 0);

		ASSERT_LE(0, len);
		for (ssize_t i = 0; i < len; i++)
			ASSERT_GE(1, (unsigned char)back[i]);
		if (n % 50 == 0)
			drop_caches();
	}
	stop = true;
	for (n = 0; n < 3; n++)
		pthread_join(threads[n], NULL);
	munmap(map, 40 * PAGE);
	ASSERT_EQ(0, ERR(ftruncate(fd, 0)));
	ASSERT_EQ(0, ERR(ftruncate(fd, 60 * PAGE)));
	drop_caches();
	ASSERT_EQ(60 * PAGE, pread(fd, back, 60 * PAGE, 0));
	ASSERT_TRUE(all_zero(back, 60 * PAGE));
	struct stat st;

	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(0, st.st_blocks);
	close(fd);
}

TEST_HARNESS_MAIN
