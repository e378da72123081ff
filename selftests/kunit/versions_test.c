// SPDX-License-Identifier: GPL-2.0
/*
 * versions_test.c - the end of a domain's versions, which are its nonces: the last one
 * is given, once, and then there is none, for ever
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "desk.h"

#define LAST	KMDOM_ENTRY_VALUE_MAX
#define VAIN	1000	/* exports without a version */

/* The record of a version, all over; and then the page is absent at that. */
static void gives(struct desk *desk, u64 version)
{
	const struct kmdom_record *rec = (const struct kmdom_record *)desk->record;
	u64 entry;

	EXPECT_EQ(desk_export(desk), 0);
	EXPECT_EQ(desk->res.version, version);
	EXPECT_EQ(desk->seal.calls, 1);
	EXPECT_EQ(desk->seal.version, version);
	EXPECT_EQ(le64_to_cpu(rec->version), version);
	EXPECT_EQ(desk_exported(desk), 0);
	EXPECT_EQ(desk_evict(desk, version), 0);
	entry = desk_entry(desk);
	EXPECT_EQ(kmdom_entry_state(entry), KMDOM_PAGE_ABSENT);
	EXPECT_EQ(kmdom_entry_value(entry), version);
	EXPECT_EQ(kmdom_entry_cache(entry), desk->shop->cache->id);
}

/* None, and what was there stays there, as it was. */
static void gives_none(struct desk *desk)
{
	struct kmdom_frame *frame = shop_page(desk->shop, desk->op.index);

	EXPECT_EQ(desk_export(desk), -EOVERFLOW);
	EXPECT_EQ(desk->res.version, 0);
	EXPECT_EQ(desk->res.len, 0);
	EXPECT_EQ(desk->seal.calls, 0);
	EXPECT(frame->dirty);
	EXPECT_EQ(frame->version, 0);
	EXPECT_EQ(atomic64_read(&frame->pins), 0);
	EXPECT_EQ(desk_evict(desk, 0), -EAGAIN);
	EXPECT_EQ(desk_evict(desk, LAST), -EAGAIN);
}

static void open_shop(struct shop *shop, struct kunit *test)
{
	shop_begin(shop, test);
	shop_open(shop, test, SIZE_OF(1));
}

/* The last three, and no more. */
static void test_last(struct kunit *test)
{
	atomic64_t *counter;
	struct desk *desk;
	struct shop shop;
	u64 version;
	unsigned int i, cases = 0;

	open_shop(&shop, test);
	counter = &shop.bed->dom.version;
	atomic64_set(counter, LAST - 3);
	for (version = LAST - 2; version <= LAST; version++, cases++) {
		desk = desk_open(&shop);
		gives(desk, version);
		desk_close(desk);
	}
	for (i = 0; i < VAIN; i++, cases++) {
		desk = desk_open(&shop);
		gives_none(desk);
		desk_close(desk);
	}
	EXPECT_EQ(atomic64_read(counter), LAST);
	EXPECT_CASES(cases, 3 + VAIN);
	shop_close(&shop);
	shop_end(&shop);
}

/* One that was sealed in vain is spent as well, though it was the last. */
static void test_last_in_vain(struct kunit *test)
{
	struct desk *desk;
	struct shop shop;

	open_shop(&shop, test);
	atomic64_set(&shop.bed->dom.version, LAST - 1);
	desk = desk_open(&shop);
	desk->seal.ret = -ENOMEM;
	EXPECT_EQ(desk_export(desk), -ENOMEM);
	EXPECT_EQ(desk->seal.version, LAST);
	desk->seal.ret = 0;
	desk->seal.calls = 0;
	EXPECT_EQ(desk_export(desk), -EOVERFLOW);
	EXPECT_EQ(desk->seal.calls, 0);
	desk_close(desk);
	shop_close(&shop);
	shop_end(&shop);
}

/* Several who found it short of its end leave it beyond: there it stays. */
static void test_beyond(struct kunit *test)
{
	static const u64 beyond[] = {
		LAST, LAST + 1, LAST + KMDOM_SLOTS_MAX, 2 * LAST, S64_MAX - 1, S64_MAX,
	};
	struct desk *desk;
	struct shop shop;
	unsigned int i;

	open_shop(&shop, test);
	desk = desk_open(&shop);
	for (i = 0; i < ARRAY_SIZE(beyond); i++) {
		atomic64_set(&shop.bed->dom.version, beyond[i]);
		gives_none(desk);
		gives_none(desk);
		EXPECT_EQ(atomic64_read(&shop.bed->dom.version), beyond[i]);
	}
	EXPECT_CASES(i, 6);
	desk_close(desk);
	shop_close(&shop);
	shop_end(&shop);
}

#define RACERS	4
#define RACE	400	/* versions that there are for them */

/**
 * struct race - exporters that come to the end at the same time
 * @go: they may begin
 * @given: bit N: version LAST - N was
 * @twice: how often it was already
 * @wrong: versions that there are not, and other errors
 */
struct race {
	struct completion go;
	DECLARE_BITMAP(given, RACE);
	atomic_t twice;
	atomic_t wrong;
};

struct racer {
	struct race *race;
	struct desk *desk;
	struct task_struct *task;
	unsigned int given;
};

/* Until there has been none for a while, or one that must not be. */
static int racer_run(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	struct desk *desk = racer->desk;
	unsigned int vain = 0;

	wait_for_completion(&race->go);
	while (vain < VAIN && !atomic_read(&race->wrong)) {
		int ret = desk_export(desk);

		if (ret == -EOVERFLOW) {
			vain++;
		} else if (ret || desk->res.version > LAST ||
			   desk->res.version <= LAST - RACE ||
			   desk->seal.version != desk->res.version) {
			atomic_inc(&race->wrong);
		} else {
			racer->given++;
			if (test_and_set_bit(LAST - desk->res.version, race->given))
				atomic_inc(&race->twice);
		}
		cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* Each export is of a page that is dirty, because nobody takes its record. */
static void test_race(struct kunit *test)
{
	struct race *race = unit_alloc(sizeof(*race));
	struct racer racers[RACERS];
	unsigned int i, given = 0;
	struct shop shop;
	u64 end;

	open_shop(&shop, test);
	init_completion(&race->go);
	atomic64_set(&shop.bed->dom.version, LAST - RACE);
	for (i = 0; i < RACERS; i++) {
		racers[i] = (struct racer) { .race = race, .desk = desk_open(&shop) };
		racers[i].task = kthread_run(racer_run, &racers[i], "kmdom_racer/%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, racers[i].task);
	}
	complete_all(&race->go);
	for (i = 0; i < RACERS; i++) {
		EXPECT_EQ(kthread_stop(racers[i].task), 0);
		given += racers[i].given;
		desk_close(racers[i].desk);
	}
	end = atomic64_read(&shop.bed->dom.version);
	EXPECT(end >= LAST && end < LAST + RACERS);
	EXPECT_EQ(atomic_read(&race->twice), 0);
	EXPECT_EQ(atomic_read(&race->wrong), 0);
	EXPECT(bitmap_full(race->given, RACE));
	EXPECT_CASES(given, RACE);
	shop_close(&shop);
	shop_end(&shop);
	unit_free(race);
}

static struct kunit_case versions_cases[] = {
	KUNIT_CASE(test_last),
	KUNIT_CASE(test_last_in_vain),
	KUNIT_CASE(test_beyond),
	KUNIT_CASE(test_race),
	{}
};

struct kunit_suite versions_suite = {
	.name = "kmdom_versions",
	.test_cases = versions_cases,
};
