// SPDX-License-Identifier: GPL-2.0
/*
 * --chaos: what it is told to, it does, as often as it says and no more; faults
 * that shall lose nothing lose nothing, and what the others lose is an error,
 * in the log, and never wrong bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../kmdomd/clock.h"
#include "bench.h"
#include "tap.h"

#define TRIES	50

static struct bench bench;
static char log_path[80];
/* What the log has of each page: bit N, kind N. */
static unsigned int logged[PAGES];

static void chaos_set(const char *list)
{
	static char arg[256];	/* parts of it stay in use */

	snprintf(arg, sizeof(arg), "seed=7,log=%s%s%s", log_path, *list ? "," : "", list);
	bench.options.chaos = (struct chaos_options){};
	CHECK(!chaos_parse(&bench.options.chaos, arg));
	CHECK(chaos_wanted(&bench.options.chaos) == !!*list);
}

static void chaos_paths(void)
{
	bench_path(&bench);
	snprintf(log_path, sizeof(log_path), "%s.log", bench.path);
	unlink(log_path);
}

static void chaos_end(void)
{
	unlink(bench.path);
	unlink(log_path);
}

/* Reads the log; how many lines it has. */
static unsigned int log_read(void)
{
	unsigned long long page, version;
	unsigned int lines = 0, level;
	int kind, found;
	FILE *file = fopen(log_path, "r");
	char name[16];

	memset(logged, 0, sizeof(logged));
	while (file && fscanf(file, "%15s %u %llu %llu", name, &level, &page, &version) == 4) {
		found = -1;
		for (kind = 0; kind < CHAOS_KINDS; kind++) {
			if (!strcmp(name, chaos_name(kind)))
				found = kind;
		}
		CHECK(found >= 0 && !level && page < PAGES && version);
		if (found >= 0 && page < PAGES)
			logged[page] |= 1U << found;
		lines++;
	}
	if (file)
		fclose(file);
	return lines;
}

static uint64_t count_all(void)
{
	uint64_t sum = 0;
	int kind;

	for (kind = 0; kind < CHAOS_KINDS; kind++)
		sum += chaos_count(&bench.store, kind);
	return sum;
}

/* Put and written again until it is. */
static int put_at_last(uint64_t page, uint64_t version)
{
	int ret = bench_put(&bench, page, version), tries;

	for (tries = 0; ret == -EIO && tries < TRIES; tries++)
		ret = bench_put_again(&bench);
	return ret;
}

static int get_at_last(uint64_t page, uint64_t version)
{
	int ret, tries;

	for (tries = 0; tries < TRIES; tries++) {
		ret = bench_get(&bench, page, version);
		if (ret != -EIO && ret != -EBADMSG)
			break;
	}
	return ret;
}

/* Whoever tries again loses nothing. */
static void test_harmless(void)
{
	static const char list[] = "fail=0.1,corrupt=0.1,delay=0.05:3,reorder=0.1";
	const struct setting *setting;
	uint64_t page;
	int round, kind;

	FOR_EACH_SETTING(setting) {
		chaos_paths();
		chaos_set(list);
		for (round = 0; round < 3; round++) {
			NEED(!bench_open(&bench, setting));
			for (page = 0; page < PAGES; page++)
				CHECK(!put_at_last(page, page + 1 + round * 1000));
			for (page = 0; page < PAGES; page++)
				CHECK(!get_at_last(page, page + 1 + round * 1000));
			for (kind = 0; kind < CHAOS_KINDS; kind++)
				CHECK(!!chaos_count(&bench.store, kind) ==
				      !!bench.options.chaos.chance[kind]);
			chaos_report(&bench.store);
			CHECK(strstr(tap_reported, "forge 0"));
			bench_close(&bench);
		}
		/* On the medium all is well. */
		chaos_set("");
		NEED(!bench_open(&bench, setting));
		for (page = 0; page < PAGES; page++)
			CHECK(!bench_get(&bench, page, page + 2001));
		CHECK(!count_all());
		bench_close(&bench);
		chaos_end();
	}
}

/* Each that is counted is an error, and each error is counted. */
static void test_told(void)
{
	const struct setting *setting;
	unsigned int failed, corrupt;
	uint64_t page;
	int ret;

	FOR_EACH_SETTING(setting) {
		chaos_paths();
		chaos_set("fail=0.3");
		NEED(!bench_open(&bench, setting));
		for (page = 0, failed = 0; page < PAGES; page++) {
			for (ret = bench_put(&bench, page, page + 1); ret == -EIO; failed++)
				ret = bench_put_again(&bench);
			NEED(!ret);
		}
		CHECK(failed > PAGES / 5 && failed == chaos_count(&bench.store, CHAOS_FAIL));
		for (page = 0; page < PAGES; page++) {
			ret = bench_get(&bench, page, page + 1);
			CHECK(ret == 0 || ret == -EIO);
			failed += !!ret;
		}
		CHECK(failed == chaos_count(&bench.store, CHAOS_FAIL));
		bench_close(&bench);

		chaos_set("corrupt=0.3");
		NEED(!bench_open(&bench, setting));
		for (page = 0, corrupt = 0; page < PAGES; page++) {
			ret = bench_get(&bench, page, page + 1);
			CHECK(ret == 0 || ret == -EBADMSG);
			corrupt += !!ret;
		}
		CHECK(corrupt > PAGES / 5 && corrupt == chaos_count(&bench.store, CHAOS_CORRUPT));
		bench_close(&bench);
		chaos_end();
	}
}

/* Bits that differ between a page's record as it was read and as it was put. */
static unsigned int bits_turned(uint64_t page, uint64_t version)
{
	uint32_t i, len = record_length(page, version);
	const uint8_t *got = store_record(&bench.io);
	uint8_t want[KMDOM_RECORD_MAX];
	unsigned int bits = 0;

	record_fill(want, uuid, page, version);
	for (i = 0; i < len; i++)
		bits += __builtin_popcount(want[i] ^ got[i]);
	return bits;
}

/* The store does not notice: one bit, once. */
static void test_forge(void)
{
	const struct setting *setting;
	uint64_t page;
	int ret;

	FOR_EACH_SETTING(setting) {
		unsigned int forged = 0;

		chaos_paths();
		chaos_set("forge=0.3");
		NEED(!bench_open(&bench, setting));
		for (page = 0; page < PAGES; page++)
			NEED(!bench_put(&bench, page, page + 1));
		for (page = 0; page < PAGES; page++) {
			ret = bench_get(&bench, page, page + 1);
			CHECK(ret == 0 || ret == -EILSEQ);
			CHECK(bits_turned(page, page + 1) == !!ret);
			forged += !!ret;
		}
		CHECK(forged > PAGES / 5 && forged < PAGES / 2);
		CHECK(forged == chaos_count(&bench.store, CHAOS_FORGE));
		CHECK(forged == log_read());
		bench_close(&bench);
		chaos_end();
	}
}

/* What is lost, and only that, is an error; for who reopens the store as well. */
static void check_lost(unsigned int kinds)
{
	unsigned int lost = 0;
	uint64_t page;
	int ret;

	for (page = 0; page < PAGES; page++) {
		ret = bench_get(&bench, page, page + 1001);
		CHECK(ret == 0 || ret == -EBADMSG || ret == -ENOENT);
		CHECK(!!ret == !!(logged[page] & kinds));
		lost += !!ret;
	}
	CHECK(lost > PAGES / 10 && lost < PAGES / 2);
}

static void test_lossy(void)
{
	static const struct {
		const char *list;
		unsigned int kinds;
		bool fresh;	/* nothing of the store, its segments neither, is there */
	} cases[] = {
		{ "drop=0.2", 1U << CHAOS_DROP, false },
		{ "drop=0.4", 1U << CHAOS_DROP, true },
		{ "rot=0.2", 1U << CHAOS_ROT, false },
		{ "rot=0.4", 1U << CHAOS_ROT, true },
		{ "drop=0.1,rot=0.1", 1U << CHAOS_DROP | 1U << CHAOS_ROT, false },
	};
	const struct setting *setting;
	uint64_t page;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		FOR_EACH_SETTING(setting) {
			chaos_paths();
			chaos_set("");
			NEED(!bench_open(&bench, setting));
			for (page = 0; page < PAGES && !cases[i].fresh; page++)
				NEED(!bench_put(&bench, page, page + 1));
			bench_close(&bench);

			chaos_set(cases[i].list);
			NEED(!bench_open(&bench, setting));
			for (page = 0; page < PAGES; page++) {
				/* The buffer must be as it was, whatever went wrong. */
				CHECK(!bench_put(&bench, page, page + 1001));
				CHECK(!memcmp(bench.store.uuid, uuid, sizeof(uuid)));
			}
			CHECK(log_read() == count_all());
			check_lost(cases[i].kinds);
			bench_close(&bench);

			chaos_set("");
			NEED(!bench_open(&bench, setting));
			check_lost(cases[i].kinds);
			bench_close(&bench);
			chaos_end();
		}
	}
}

/* Transfers that are under way at the same time, in the order of their ends. */
#define MANY	20

static struct store_io many[MANY];
static unsigned int ended[MANY], nr_ended;

static void many_done(struct store_io *io, int ret)
{
	CHECK(ret > 0);
	ended[nr_ended++] = io - many;
}

static void many_read(void)
{
	unsigned int i;

	nr_ended = 0;
	for (i = 0; i < MANY; i++) {
		CHECK(!store_io_init(&many[i], &bench.store));
		many[i].key = index_key(0, i);
		many[i].version = i + 1;
		many[i].done = many_done;
		store_read(&bench.store, &many[i]);
	}
	while (nr_ended < MANY) {
		door_wait(&bench.door, chaos_timeout(&bench.store));
		chaos_poll(&bench.store);
	}
	for (i = 0; i < MANY; i++)
		store_io_exit(&many[i]);
}

static void test_order(void)
{
	const struct setting *setting;
	unsigned int i, moved;
	uint64_t page;
	int far;

	FOR_EACH_SETTING(setting) {
		/* With a ring the order is nobody's affair. */
		if (setting->door != &door_ioctl_ops)
			continue;
		chaos_paths();
		chaos_set("");
		NEED(!bench_open(&bench, setting));
		for (page = 0; page < MANY; page++)
			NEED(!bench_put(&bench, page, page + 1));
		many_read();
		for (i = 0; i < MANY; i++)
			CHECK(ended[i] == i);
		bench_close(&bench);

		chaos_set("reorder=0.3");
		NEED(!bench_open(&bench, setting));
		many_read();
		for (i = 0, moved = 0, far = 0; i < MANY; i++) {
			moved += ended[i] != i;
			if (far < abs((int)ended[i] - (int)i))
				far = abs((int)ended[i] - (int)i);
		}
		CHECK(chaos_count(&bench.store, CHAOS_REORDER));
		/* Behind the next one, not behind all. */
		CHECK(moved && far < MANY / 2);
		bench_close(&bench);
		chaos_end();
	}
}

/* A delay takes time, which is not spent by who waits for something else. */
static void test_delay(void)
{
	const struct setting *setting;
	int64_t start, longest = 0;
	uint64_t page;

	FOR_EACH_SETTING(setting) {
		chaos_paths();
		chaos_set("delay=1:40");
		NEED(!bench_open(&bench, setting));
		for (page = 0; page < 20; page++) {
			start = clock_ms();
			NEED(!bench_put_begin(&bench, page, page + 1));
			CHECK(!bench.done);
			NEED(bench_wait(&bench) > 0);
			NEED(!store_commit(&bench.store, &bench.io));
			CHECK(clock_ms() - start >= 1);
			if (longest < clock_ms() - start)
				longest = clock_ms() - start;
		}
		CHECK(longest >= 20);
		CHECK(chaos_count(&bench.store, CHAOS_DELAY) == 20);
		CHECK(chaos_timeout(&bench.store) == -1);
		bench_close(&bench);
		chaos_end();
	}
}

/* The same seed, the same faults; without one they differ. */
static void test_seed(void)
{
	static const struct setting setting = { "mem", &door_ioctl_ops };
	uint64_t counts[4], page, drawn;
	int round;

	for (round = 0; round < 4; round++) {
		chaos_paths();
		chaos_set("forge=0.5");
		bench.options.chaos.has_seed = round < 2;
		NEED(!bench_open(&bench, &setting));
		CHECK(strstr(tap_reported, "on purpose: --chaos seed="));
		if (round < 2)
			CHECK(strstr(tap_reported, "seed=7"));
		NEED(!bench_put(&bench, 1, 1));
		for (page = 0, drawn = 0; page < 60; page++)
			drawn = drawn << 1 | !!bench_get(&bench, 1, 1);
		counts[round] = drawn;
		bench_close(&bench);
		chaos_end();
	}
	CHECK(counts[0] == counts[1]);
	CHECK(counts[1] != counts[2] && counts[2] != counts[3]);
}

static void test_parse(void)
{
	static const struct {
		const char *list;
		const char *error;
	} cases[] = {
		{ "fail=0.5", NULL },
		{ "fail=0,corrupt=1,delay=.01:20", NULL },
		{ "fail", "\"fail\" is not NAME=VALUE" },
		{ "fail=", "is not NAME=VALUE" },
		{ "fail=2", "\"2\" is no chance" },
		{ "fail=-0.1", "no chance" },
		{ "fail=nan", "no chance" },
		{ "fail=1x", "no chance" },
		{ "loss=0.1", "there is no \"loss\": fail, corrupt" },
		{ "delay=0.1", "lacks the milliseconds" },
		{ "delay=0.1:0", "\"0\" is none from 1 to 10000" },
		{ "delay=0.1:-5", "none from" },
		{ "delay=0.1:20000", "none from" },
		{ "delay=7:5", "no chance" },
		{ "seed=-1", "no seed" },
		{ "seed=99999999999999999999999", "no seed" },
		{ "seed=x", "no seed" },
	};
	struct chaos_options options;
	const char *error;
	char arg[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		options = (struct chaos_options){};
		strcpy(arg, cases[i].list);
		error = chaos_parse(&options, arg);
		CHECK(!!error == !!cases[i].error);
		if (error && cases[i].error)
			CHECK(strstr(error, cases[i].error));
	}
	options = (struct chaos_options){};
	strcpy(arg, "drop=0.25,delay=1:30,seed=12,log=/x");
	NEED(!chaos_parse(&options, arg));
	CHECK(options.chance[CHAOS_DROP] == 1U << 30);
	CHECK(options.chance[CHAOS_DELAY] == 1ULL << 32 && options.delay_ms == 30);
	CHECK(options.has_seed && options.seed == 12 && !strcmp(options.log, "/x"));
	CHECK(!options.chance[CHAOS_ROT]);
}

const struct tap_test tap_tests[] = {
	{ "chaos: options", test_parse },
	{ "chaos: what is harmless", test_harmless },
	{ "chaos: what is told", test_told },
	{ "chaos: above the checksum", test_forge },
	{ "chaos: what is lost", test_lossy },
	{ "chaos: order", test_order },
	{ "chaos: delay", test_delay },
	{ "chaos: seed", test_seed },
	{ }
};
