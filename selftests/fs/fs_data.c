// SPDX-License-Identifier: GPL-2.0
/*
 * Data: reading, writing, holes, truncation, unlinked files.
 */
#include <sys/sendfile.h>
#include <sys/statfs.h>

#include "fs.h"

static char buf[16 * MIB], back[16 * MIB];

TEST_F(fs, data_comes_back)
{
	const size_t len = scaled("bytes", sizeof(buf));

	pattern(buf, len, 1);
	ASSERT_EQ(0, put("big", buf, len));
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ((ssize_t)len, get("big", back, sizeof(back)));
		ASSERT_EQ(0, memcmp(buf, back, len));
		drop_caches();
	}
}

TEST_F(fs, unmounting_keeps_everything)
{
	char path[400];

	pattern(buf, MIB, 2);
	ASSERT_EQ(0, put("file", buf, MIB));
	ASSERT_EQ(0, ERR(symlink("file", "link")));
	ASSERT_EQ(0, ERR(chmod("file", 04751)));
	ASSERT_EQ(0, ERR(chdir("/")));
	ASSERT_EQ(0, remount());
	snprintf(path, sizeof(path), "%s/link", self->dir);
	ASSERT_EQ((ssize_t)MIB, get(path, back, MIB + 1));
	ASSERT_EQ(0, memcmp(buf, back, MIB));
	snprintf(path, sizeof(path), "%s/file", self->dir);
	struct stat st;

	ASSERT_EQ(0, stat(path, &st));
	ASSERT_EQ(04751, st.st_mode & 07777);
	ASSERT_EQ(2 * MIB, st.st_blocks * 512 * 2);
}

TEST_F(fs, holes)
{
	static const off_t at[] = { 1, 4095, 4096, 65535, 65536, 2 * MIB - 1, 2 * MIB,
		1 << 30, 1LL << 32, 1LL << 39, 1LL << 40, (1LL << 48) - 1 };
	unsigned int n;
	ssize_t len;
	int fd;

	for (n = 0; n < ARRAY_SIZE(at); n++) {
		fd = open("sparse", O_CREAT | O_TRUNC | O_RDWR, 0644);
		ASSERT_LE(0, fd);
		ASSERT_EQ(1, pwrite(fd, "x", 1, at[n])) TH_LOG("place %u", n);
		ASSERT_EQ(at[n] + 1, size_of("sparse"));
		drop_caches();
		memset(back, 1, PAGE);
		len = at[n] < PAGE ? at[n] : PAGE;
		ASSERT_EQ(len, pread(fd, back, len, 0));
		ASSERT_TRUE(all_zero(back, len));
		ASSERT_EQ(1, pread(fd, back, 2, at[n]));
		ASSERT_EQ('x', back[0]);
		/* Pages in between are made, also before others. */
		ASSERT_EQ(1, pwrite(fd, "y", 1, at[n] / 2));
		ASSERT_EQ(1, pwrite(fd, "z", 1, 0));
		drop_caches();
		ASSERT_EQ(1, pread(fd, back, 1, 0));
		ASSERT_EQ('z', back[0]);
		ASSERT_EQ(1, pread(fd, back, 1, at[n] / 2));
		ASSERT_EQ(at[n] > 1 ? 'y' : 'z', back[0]);
		ASSERT_EQ(1, pread(fd, back, 1, at[n]));
		ASSERT_EQ('x', back[0]);
		close(fd);
	}
	fd = open("sparse", O_RDWR);
	ASSERT_EQ(-EFBIG, ERR(pwrite(fd, "x", 1, 1LL << 48)));
	ASSERT_EQ(-EFBIG, ERR(ftruncate(fd, (1LL << 48) + 1)));
	close(fd);
}

/* What was cut off is zero when the file grows again, wherever it is read. */
TEST_F(fs, truncate_zeroes)
{
	static const struct {
		off_t cut, grow;
	} sizes[] = {
		{ 0, 10000 }, { 1, 10000 }, { 4095, 8192 }, { 4096, 8192 }, { 4097, 4098 },
		{ 65536, 300000 }, { 70000, 70001 }, { MIB, 4 * MIB }, { 3 * MIB + 7, 3 * MIB + 9 },
	};
	unsigned int n, way;
	int fd;

	pattern(buf, 4 * MIB, 3);
	for (n = 0; n < 3 * ARRAY_SIZE(sizes); n++) {
		off_t cut = sizes[n / 3].cut, grow = sizes[n / 3].grow;

		way = n % 3;
		ASSERT_EQ(0, put("file", buf, 4 * MIB));
		fd = open("file", O_RDWR);
		ASSERT_EQ(0, ERR(ftruncate(fd, cut)));
		ASSERT_EQ(cut, size_of("file"));
		if (way == 0) {
			ASSERT_EQ(0, ERR(ftruncate(fd, grow)));
		} else {
			ASSERT_EQ(1, pwrite(fd, "", 1, grow - 1));
		}
		if (way == 2)
			drop_caches();
		ASSERT_EQ(grow, pread(fd, back, sizeof(back), 0));
		ASSERT_EQ(0, memcmp(buf, back, cut));
		ASSERT_TRUE(all_zero(back + cut, grow - cut)) TH_LOG("%u", n);
		drop_caches();
		ASSERT_EQ(grow, pread(fd, back, sizeof(back), 0));
		ASSERT_EQ(0, memcmp(buf, back, cut));
		ASSERT_TRUE(all_zero(back + cut, grow - cut)) TH_LOG("%u", n);
		close(fd);
	}
}

TEST_F(fs, bad_addresses)
{
	char *hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("file", O_CREAT | O_RDWR, 0644);

	munmap(hole + PAGE, PAGE);
	ASSERT_EQ(-EFAULT, ERR(write(fd, hole + PAGE, 10)));
	ASSERT_EQ(0, size_of("file"));
	ASSERT_EQ(100, pwrite(fd, hole + PAGE - 100, 200, 50));
	ASSERT_EQ(150, size_of("file"));
	ASSERT_EQ(-EFAULT, ERR(pread(fd, hole + PAGE, 10, 0)));
	ASSERT_EQ(-EINVAL, ERR(pread(fd, buf, 10, -1)));
	close(fd);
}

TEST_F(fs, flags_of_open)
{
	void *aligned;
	int fd;

	ASSERT_EQ(0, put("file", "12345", 5));
	fd = open("file", O_WRONLY | O_APPEND);
	ASSERT_EQ(2, pwrite(fd, "67", 2, 0));
	close(fd);
	ASSERT_EQ(7, get("file", back, 100));
	ASSERT_EQ(0, memcmp(back, "1234567", 7));
	fd = open("file", O_RDONLY | O_TRUNC);
	ASSERT_EQ(0, size_of("file"));
	close(fd);
	ASSERT_EQ(0, posix_memalign(&aligned, PAGE, PAGE));
	memset(aligned, 'd', PAGE);
	fd = open("file", O_RDWR | O_DIRECT | O_SYNC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(PAGE, write(fd, aligned, PAGE));
	ASSERT_EQ(PAGE, pread(fd, aligned, PAGE, 0));
	ASSERT_EQ(0, ERR(fsync(fd)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(fallocate(fd, 0, 0, MIB)));
	ASSERT_EQ(0, posix_fallocate(fd, 0, MIB));
	ASSERT_EQ((off_t)MIB, size_of("file"));
	close(fd);
	free(aligned);
}

TEST_F(fs, data_within_the_kernel)
{
	int from, to, pipes[2];
	off_t at = 0;

	pattern(buf, MIB, 8);
	ASSERT_EQ(0, put("from", buf, MIB));
	drop_caches();
	from = open("from", O_RDONLY);
	to = open("to", O_CREAT | O_RDWR, 0644);
	while (at < (off_t)MIB)
		ASSERT_LT(0, sendfile(to, from, &at, MIB - at));
	ASSERT_EQ((ssize_t)MIB, pread(to, back, MIB, 0));
	ASSERT_EQ(0, memcmp(buf, back, MIB));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(3 * PAGE, splice(from, NULL, pipes[1], NULL, 3 * PAGE, 0));
	at = 100;
	ASSERT_EQ(3 * PAGE, splice(pipes[0], NULL, to, &at, 3 * PAGE, 0));
	ASSERT_EQ(3 * PAGE, pread(to, back, 3 * PAGE, 100));
	ASSERT_EQ(0, memcmp(buf, back, 3 * PAGE));
	close(from);
	close(to);
}

static long blocks_used(void)
{
	struct statfs st;

	return statfs(".", &st) ? -1 : (long)(st.f_blocks - st.f_bfree);
}

TEST_F(fs, unlinked_files_live_while_open)
{
	long before, full;
	int fd;

	pattern(buf, 4 * MIB, 9);
	before = blocks_used();
	fd = open("file", O_CREAT | O_RDWR, 0644);
	ASSERT_EQ((ssize_t)(4 * MIB), write(fd, buf, 4 * MIB));
	full = blocks_used();
	ASSERT_LE(before + 1024, full);
	ASSERT_EQ(0, ERR(unlink("file")));
	ASSERT_EQ(-ENOENT, ERR(open("file", O_RDONLY)));
	drop_caches();
	ASSERT_EQ((ssize_t)(4 * MIB), pread(fd, back, 4 * MIB, 0));
	ASSERT_EQ(0, memcmp(buf, back, 4 * MIB));
	ASSERT_EQ(5, pwrite(fd, "hello", 5, 5 * MIB));
	ASSERT_EQ(0, ERR(ftruncate(fd, MIB)));
	ASSERT_LE(before + 256, blocks_used());
	close(fd);
	/* The reaper frees it when it comes to it. */
	for (int i = 0; i < 6000 && blocks_used() > before + 16; i++)
		usleep(10000);
	ASSERT_GE(before + 16, blocks_used());
}

TEST_HARNESS_MAIN
