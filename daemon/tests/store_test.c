// SPDX-License-Identifier: GPL-2.0
/*
 * The stores, with both doors' transfers: what was vouched for is found, by
 * who reopens the store after a SIGKILL at any instant; what is no store, or
 * another domain's, is refused and not touched; damage is found and contained.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../kmdomd/store_format.h"
#include "bench.h"
#include "disk.h"
#include "tap.h"

static void test_round_trip(void)
{
	const struct setting *setting;
	static struct bench bench;
	uint64_t page;
	int round;

	FOR_EACH_SETTING(setting) {
		bench_path(&bench);
		for (round = 0; round < 3; round++) {
			NEED(!bench_open(&bench, setting));
			CHECK(bench.store.index.count == (round ? PAGES : 0));
			for (page = 0; page < PAGES && round; page++)
				CHECK(!bench_get(&bench, page, page + 1 + round * 1000 - 1000));
			for (page = 0; page < PAGES; page++)
				CHECK(!bench_put(&bench, page, page + 1 + round * 1000));
			for (page = 0; page < PAGES; page++)
				CHECK(!bench_get(&bench, page, page + 1 + round * 1000));
			CHECK(bench.store.index.count == PAGES);
			bench_close(&bench);
		}
		unlink(bench.path);
	}
}

/* Rewritten far more often than there is room: nothing is lost of the room. */
static void test_reuse(void)
{
	const struct setting *setting;
	static struct bench bench;
	uint64_t version;

	FOR_EACH_SETTING(setting) {
		bench_path(&bench);
		NEED(!bench_open(&bench, setting));
		for (version = 1; version < 5000; version++)
			NEED(!bench_put(&bench, version % PAGES, version));
		CHECK(bench.store.index.count == PAGES);
		for (version = 0; version < PAGES; version++)
			store_drop(&bench.store, index_key(0, version), UINT64_MAX);
		CHECK(bench.store.space.used_units == 0);
		CHECK(bench.store.space.free_segments == bench.store.space.nr_segments);
		bench_close(&bench);
		unlink(bench.path);
	}
}

/* Full: refused before anything is written, and what is there stays. */
static void test_full(void)
{
	const struct setting *setting;
	static struct bench bench;
	uint64_t page, count;
	int ret;

	FOR_EACH_SETTING(setting) {
		bench_path(&bench);
		NEED(!bench_open_as(&bench, setting, uuid, 512 << 10, false));
		for (page = 0; !(ret = bench_put(&bench, page, page + 1)); page++)
			;
		CHECK(ret == -ENOSPC || ret == -EMSGSIZE);
		CHECK(page > 30);
		count = page;
		for (page = 0; page < count; page++)
			CHECK(!bench_get(&bench, page, page + 1));
		store_drop(&bench.store, index_key(0, 3), 4);
		CHECK(store_reserve(&bench.store, &bench.io) > 0);
		store_cancel(&bench.store, &bench.io);
		bench_close(&bench);
		/* The last slot ends with the file, or behind its end. */
		NEED(!bench_open_as(&bench, setting, uuid, 512 << 10, false));
		for (page = 0; page < count; page++)
			CHECK(page == 3 || !bench_get(&bench, page, page + 1));
		bench_close(&bench);
		unlink(bench.path);
	}
}

static int file_sum(const char *path, uint64_t *sum)
{
	uint8_t buf[65536];
	ssize_t len, i;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return -errno;
	for (*sum = 0; (len = read(fd, buf, sizeof(buf))) > 0;) {
		for (i = 0; i < len; i++)
			*sum = *sum * 31 + buf[i];
	}
	close(fd);
	return 0;
}

static void test_foreign(void)
{
	const struct setting *setting;
	static struct bench bench;
	uint64_t before, after, page;

	FOR_EACH_SETTING(setting) {
		bench_path(&bench);
		NEED(!bench_open(&bench, setting));
		for (page = 0; page < PAGES; page++)
			NEED(!bench_put(&bench, page, page + 1));
		bench_close(&bench);
		NEED(!file_sum(bench.path, &before));
		CHECK(bench_open_as(&bench, setting, other_uuid, SIZE, false) == -EINVAL);
		CHECK(strstr(tap_reported, "another domain"));
		NEED(!file_sum(bench.path, &after));
		CHECK(before == after);
		/* Given up on demand: nothing of the other domain is found. */
		NEED(!bench_open_as(&bench, setting, other_uuid, SIZE, true));
		CHECK(bench.store.index.count == 0);
		CHECK(!bench_put(&bench, 1, 7));
		bench_close(&bench);
		NEED(!bench_open_as(&bench, setting, other_uuid, SIZE, false));
		CHECK(bench.store.index.count == 1);
		CHECK(!bench_get(&bench, 1, 7));
		bench_close(&bench);
		unlink(bench.path);
	}
}

/* What was of a domain that has ended is made anew, and nothing of it is found. */
static bool other_is_gone(const uint8_t id[16])
{
	return !memcmp(id, other_uuid, sizeof(other_uuid));
}

static bool none_is_gone(const uint8_t id[16])
{
	(void)id;
	return false;
}

static void test_gone(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;
	struct store_super_info info;
	uint8_t super[STORE_ALIGN];
	int fd;

	bench_path(&bench);
	NEED(!bench_open_as(&bench, &setting, other_uuid, SIZE, false));
	CHECK(!store_is_zero(bench.store.boot, sizeof(bench.store.boot)));
	NEED(!bench_put(&bench, 1, 7));
	bench_close(&bench);
	bench.options.gone = none_is_gone;
	CHECK(bench_open(&bench, &setting) == -EINVAL);
	CHECK(strstr(tap_reported, "another domain"));
	bench.options.gone = other_is_gone;
	NEED(!bench_open(&bench, &setting));
	CHECK(strstr(tap_reported, "gone"));
	CHECK(bench.store.index.count == 0);
	bench_close(&bench);

	/* Of another boot nothing has to be asked. */
	bench.options.gone = none_is_gone;
	NEED((fd = open(bench.path, O_RDWR)) >= 0);
	NEED(pread(fd, super, sizeof(super), 0) == sizeof(super));
	NEED(!store_super_read(super, &info));
	CHECK(!memcmp(info.uuid, uuid, sizeof(uuid)));
	memset(info.boot, 0, sizeof(info.boot));
	store_super_write(super, &info);
	NEED(pwrite(fd, super, sizeof(super), 0) == sizeof(super));
	CHECK(bench_open_as(&bench, &setting, other_uuid, SIZE, false) == -EINVAL);
	memset(info.boot, 1, sizeof(info.boot));
	store_super_write(super, &info);
	NEED(pwrite(fd, super, sizeof(super), 0) == sizeof(super));
	close(fd);
	NEED(!bench_open_as(&bench, &setting, other_uuid, SIZE, false));
	CHECK(strstr(tap_reported, "gone"));
	bench_close(&bench);
	/* It is this boot's now. */
	CHECK(bench_open(&bench, &setting) == -EINVAL);
	bench.options.gone = NULL;
	unlink(bench.path);
}

/* Zeroes before data do not make it new; as far as is looked. */
static void test_new(void)
{
	static const off_t places[] = { 0, 4096, 65536, (1 << 20) - 1 };
	const struct setting *setting;
	static struct bench bench;
	size_t i;
	int fd;

	FOR_EACH_SETTING(setting) {
		for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
			bench_path(&bench);
			NEED((fd = open(bench.path, O_RDWR | O_CREAT, 0600)) >= 0);
			NEED(!ftruncate(fd, 2 << 20));
			NEED(pwrite(fd, "x", 1, places[i]) == 1);
			CHECK(bench_open(&bench, setting) == -EINVAL);
			CHECK(strstr(tap_reported, "no store"));
			NEED(!ftruncate(fd, 0));
			NEED(!ftruncate(fd, 10000));
			close(fd);
			NEED(!bench_open(&bench, setting));
			bench_close(&bench);
		}
		unlink(bench.path);
	}
}

/* A size that hides records is refused, and what is needed is told. */
static void test_smaller(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;
	uint64_t need;
	char *size;

	bench_path(&bench);
	NEED(!bench_open_as(&bench, &setting, uuid, 64 << 20, false));
	NEED(!bench_put(&bench, 0, 1));
	bench_close(&bench);
	CHECK(bench_open_as(&bench, &setting, uuid, 1 << 20, false) == -EINVAL);
	NEED((size = strstr(tap_reported, "size=")));
	need = strtoull(size + 5, NULL, 10);
	CHECK(bench_open_as(&bench, &setting, uuid, need - 1, false) == -EINVAL);
	NEED(!bench_open_as(&bench, &setting, uuid, need, false));
	CHECK(!bench_get(&bench, 0, 1));
	bench_close(&bench);
	unlink(bench.path);
}

/* What cannot be read when it is opened costs what lies there, and no more. */
static void test_unreadable(void)
{
	static const struct setting settings[] = {
		{ "mem", &door_ioctl_ops }, { "file", &door_ioctl_ops },
	};
	static struct bench bench;
	int lost, most = 0, round;
	uint64_t page, version = PAGES + 1;
	off_t unit;

	for (round = 0; round < 2; round++) {
		bench_path(&bench);
		NEED(!bench_open(&bench, &settings[round]));
		for (page = 0; page < PAGES; page++)
			NEED(!bench_put(&bench, page, page + 1));
		unit = bench.store.unit;
		bench_close(&bench);
		for (disk.bad = STORE_SEGMENTS; disk.bad < STORE_SEGMENTS + 200 * unit;
		     disk.bad += unit) {
			disk.end = disk.bad + unit;
			disk.read_error = EIO;
			NEED(!bench_open(&bench, &settings[round]));
			for (lost = 0, page = 0; page < PAGES; page++)
				lost += !!bench_get(&bench, page, page + 1);
			CHECK(lost <= 1 || (disk.bad - STORE_SEGMENTS) / unit %
					   SPACE_SEGMENT_UNITS == 0);
			most = lost > most ? lost : most;
			/* Its slot is not given to another. */
			disk.write_error = EIO;
			for (page = PAGES; lost == 1 && page < PAGES + 50; page++)
				CHECK(!bench_put(&bench, page, version++));
			disk = (struct disk){ .bad = disk.bad };
			for (page = 0; page < PAGES && !lost; page++)
				CHECK(!bench_get(&bench, page, page + 1));
			bench_close(&bench);
		}
		CHECK(most > 1);
		disk = (struct disk){};
		NEED(!bench_open(&bench, &settings[round]));
		for (page = 0; page < PAGES; page++)
			CHECK(!bench_get(&bench, page, page + 1));
		bench_close(&bench);
		unlink(bench.path);
	}
}

/* Told to stop while it loads, it stops. */
static bool stop_now(void)
{
	return true;
}

static void test_stop(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;

	bench_path(&bench);
	NEED(!bench_open(&bench, &setting));
	NEED(!bench_put(&bench, 0, 1));
	bench_close(&bench);
	bench.options.stop = stop_now;
	CHECK(bench_open(&bench, &setting) == -EINTR);
	bench.options.stop = NULL;
	unlink(bench.path);
}

static void test_no_store(void)
{
	const struct setting *setting;
	static struct bench bench;
	uint64_t before, after;
	FILE *file;
	int i;

	FOR_EACH_SETTING(setting) {
		bench_path(&bench);
		file = fopen(bench.path, "w");
		for (i = 0; i < 5000; i++)
			fprintf(file, "%d green bottles\n", i);
		fclose(file);
		NEED(!file_sum(bench.path, &before));
		CHECK(bench_open(&bench, setting) == -EINVAL);
		CHECK(strstr(tap_reported, "no store"));
		NEED(!file_sum(bench.path, &after));
		CHECK(before == after);
		unlink(bench.path);
		CHECK(bench_open_as(&bench, setting, uuid, 1000, false) == -EINVAL);
		unlink(bench.path);
	}
}

static void flip(const char *path, off_t offset)
{
	uint8_t byte;
	int fd = open(path, O_RDWR);

	if (pread(fd, &byte, 1, offset) == 1) {
		byte ^= 1 << offset % 8;
		pwrite(fd, &byte, 1, offset);
	}
	close(fd);
}

/* A damaged byte costs the record that it is of, and no other. */
static void test_damage(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;
	off_t offset, first = 65536;
	uint64_t page;
	int lost, ret;
	struct stat st;

	bench_path(&bench);
	NEED(!bench_open(&bench, &setting));
	for (page = 0; page < 20; page++)
		NEED(!bench_put(&bench, page, page + 1));
	bench_close(&bench);
	NEED(!stat(bench.path, &st));
	for (offset = first + 512; offset < st.st_size; offset += 97) {
		flip(bench.path, offset);
		NEED(!bench_open(&bench, &setting));
		for (lost = 0, page = 0; page < 20; page++) {
			ret = bench_get(&bench, page, page + 1);
			CHECK(!ret || ret == -ENOENT || ret == -EBADMSG);
			lost += ret != 0;
		}
		CHECK(lost <= 1 || offset % 65536 < 512);
		bench_close(&bench);
		flip(bench.path, offset);
	}
	/* The superblock: refused, nothing is overwritten. */
	for (offset = 0; offset < 64; offset++) {
		flip(bench.path, offset);
		CHECK(bench_open(&bench, &setting) == -EINVAL);
		flip(bench.path, offset);
	}
	NEED(!bench_open(&bench, &setting));
	CHECK(bench.store.index.count == 20);
	bench_close(&bench);
	unlink(bench.path);
}

/* What the writer tells: that a page was exported; that it is vouched for. */
struct word {
	uint32_t page;
	uint32_t vouched;
	uint64_t version;
};

__attribute__((noreturn))
static void writer(struct bench *bench, const struct setting *setting, int out,
		   uint64_t version, uint64_t seed)
{
	struct word word;

	if (bench_open(bench, setting))
		_exit(1);
	for (;; version++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		word = (struct word){ .page = (seed >> 33) % PAGES, .version = version };
		/* From here on the page has its truth elsewhere, as in kmdomd. */
		if (write(out, &word, sizeof(word)) != sizeof(word))
			_exit(2);
		store_drop(&bench->store, index_key(0, word.page), version - 1);
		if (bench_put(bench, word.page, version))
			_exit(3);
		word.vouched = 1;
		if (write(out, &word, sizeof(word)) != sizeof(word))
			_exit(2);
	}
}

/* Runs a writer and kills it after some words; notes what it told. */
static void run_writer(struct bench *bench, const struct setting *setting,
		       struct word *told, uint64_t *version, int words)
{
	struct word word;
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes))
		exit(1);
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		writer(bench, setting, pipes[1], *version + 1, *version * 7 + 1);
	}
	close(pipes[1]);
	while (read(pipes[0], &word, sizeof(word)) == sizeof(word)) {
		told[word.page] = word;
		*version = word.version;
		if (!words--)
			kill(pid, SIGKILL);
	}
	close(pipes[0]);
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status));
}

static void test_killed(void)
{
	const struct setting *setting;
	static struct word told[PAGES];
	static struct bench bench;
	uint64_t version, page;
	int round;

	FOR_EACH_SETTING(setting) {
		memset(told, 0, sizeof(told));
		version = 0;
		bench_path(&bench);
		for (round = 0; round < 25; round++) {
			run_writer(&bench, setting, told, &version, 50 + tap_random() % 400);
			NEED(!bench_open(&bench, setting));
			for (page = 0; page < PAGES; page++) {
				if (told[page].vouched)
					CHECK(!bench_get(&bench, page, told[page].version));
			}
			bench_close(&bench);
		}
		unlink(bench.path);
	}
}

/* Nobody writes beside another; who is killed makes room. */
static void test_lock(void)
{
	static const struct setting setting = { "file", &door_uring_ops };
	static struct bench bench;
	int pipes[2];
	char byte;
	pid_t pid;

	bench_path(&bench);
	NEED(!pipe(pipes));
	pid = fork();
	if (!pid) {
		if (!bench_open(&bench, &setting))
			write(pipes[1], "x", 1);
		pause();
		_exit(0);
	}
	NEED(read(pipes[0], &byte, 1) == 1);
	bench.options = (struct store_options) {
		.kind = "file", .path = bench.path, .size = SIZE,
	};
	NEED(!store_open(&bench.store, &bench.options));
	CHECK(store_lock(&bench.store, 0) == -EBUSY);
	CHECK(store_lock(&bench.store, 100) == -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(store_lock(&bench.store, 10000) == 0);
	store_close(&bench.store);
	close(pipes[0]);
	close(pipes[1]);
	unlink(bench.path);
}

/* A bad place, of a slot or of a segment's header, costs one try for ever. */
static void test_bad_place(void)
{
	static const struct setting settings[] = {
		{ "mem", &door_ioctl_ops }, { "file", &door_ioctl_ops },
	};
	static const int places[] = {
		0,				/* the segment's header */
		1,				/* its first slot */
		2,				/* the same, but not from its start */
		SPACE_SEGMENT_UNITS / 2,
	};
	static struct bench bench;
	uint64_t page, failed;
	size_t i, j;

	for (i = 0; i < 2 * sizeof(places) / sizeof(*places); i++) {
		bench_path(&bench);
		NEED(!bench_open(&bench, &settings[i % 2]));
		disk.bad = STORE_SEGMENTS + (off_t)places[i / 2] * bench.store.unit;
		disk.end = disk.bad + 1;
		disk.write_error = EIO;
		for (failed = 0, j = 0; j < 3; j++) {
			for (page = 0; page < PAGES; page++) {
				if (!bench_put(&bench, page, page + 1 + j * 1000))
					continue;
				failed++;
NEED(!bench_put_again(&bench));
			}
			for (page = 0; page < PAGES; page++)
				CHECK(!bench_get(&bench, page, page + 1 + j * 1000));
		}
		CHECK(failed == 1);
		disk = (struct disk){};
		bench_close(&bench);
		unlink(bench.path);
	}
}

/* A write that failed is written again; nothing is committed before. */
static void test_failed_write(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;
	int fd;

	bench_path(&bench);
	NEED(!bench_open(&bench, &setting));
	NEED(!bench_put(&bench, 1, 1));
	fd = bench.store.fd;
	bench.store.fd = open("/dev/full", O_RDWR);
	CHECK(bench_put(&bench, 2, 2) < 0);
	CHECK(!index_get(&bench.store.index, index_key(0, 2)));
	close(bench.store.fd);
	bench.store.fd = fd;
	/* The record is still in the buffer, packed; what was full can be used. */
	CHECK(!bench_put_again(&bench));
	CHECK(!bench_get(&bench, 2, 2));
	store_drop(&bench.store, index_key(0, 1), 1);
	CHECK(bench.store.space.used_units ==
	      space_units(&bench.store.space,
			  index_get(&bench.store.index, index_key(0, 2))->loc));
	CHECK(!bench_put(&bench, 1, 1));
	bench_close(&bench);
	NEED(!bench_open(&bench, &setting));
	CHECK(!bench_get(&bench, 1, 1));
	CHECK(!bench_get(&bench, 2, 2));
	bench_close(&bench);
	unlink(bench.path);
}

/* What cannot become shorter is not tried: that costs more than all the rest. */
static void test_sealed(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	static struct bench bench;
	struct kmdom_record *rec;

	bench_path(&bench);
	NEED(!bench_open(&bench, &setting));
	rec = (struct kmdom_record *)store_record(&bench.io);
	bench.io.length = record_length(2, 1);
	record_fill(rec, bench.store.uuid, 2, 1);
	rec->policy = KMDOM_POLICY_SEALED;
	CHECK(bench.store.ops->put(&bench.store, &bench.io) == bench.io.length);
	CHECK(!(bench.io.flags & STORE_SLOT_ZSTD));
	rec->policy = KMDOM_POLICY_SIGNED;
	CHECK(bench.store.ops->put(&bench.store, &bench.io) < bench.io.length);
	CHECK(bench.io.flags & STORE_SLOT_ZSTD);
	bench_close(&bench);
	unlink(bench.path);
}

const struct tap_test tap_tests[] = {
	{ "store: round trip", test_round_trip },
	{ "store: sealed records", test_sealed },
	{ "store: room is used again", test_reuse },
	{ "store: full", test_full },
	{ "store: of another domain", test_foreign },
	{ "store: of a domain that is gone", test_gone },
	{ "store: what is new", test_new },
	{ "store: smaller than it was", test_smaller },
	{ "store: unreadable places", test_unreadable },
	{ "store: stopped while it loads", test_stop },
	{ "store: no store", test_no_store },
	{ "store: damage", test_damage },
	{ "store: writer killed at any instant", test_killed },
	{ "store: lock", test_lock },
	{ "store: failed write", test_failed_write },
	{ "store: bad place", test_bad_place },
	{ }
};
