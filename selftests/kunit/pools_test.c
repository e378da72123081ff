// SPDX-License-Identifier: GPL-2.0
/*
 * pools_test.c - pools: what limits them, without memory, and their ends
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include "bed.h"

/* Frames of a pool: all get their memory in one step of a grant. */
#define FRAMES	6

static_assert(FRAMES <= KMDOM_BACK_CHUNK);

/* Two pools under one limit: the second gets what is left, the rest when it can. */
static void share_limit(struct bed *bed, u32 max, u32 nr_first, u32 nr_second)
{
	u32 left = min(nr_second, max - nr_first);
	struct kmdom_pool *first, *second;

	bed->dom.ledger.max = max;
	first = bed_pool(bed, nr_first);
	second = bed_pool(bed, nr_second);
	EXPECT_EQ(bed->dom.ledger.backed, nr_first + left);
	EXPECT_EQ(bed_locked() - bed->locked, nr_first + left);
	EXPECT_EQ(second->nr_bare, nr_second - left);
	EXPECT_EQ(bed_grant(second, 0, nr_second), left);
	bed_check_ledger(bed);

	bed_pool_drop(first);
	EXPECT_EQ(bed_grant(second, 0, nr_second), nr_second - left);
	EXPECT_EQ(bed->dom.ledger.nr_free, nr_second);
	bed_check_ledger(bed);
	bed_pool_drop(second);
}

static void test_pools_share_a_limit(struct kunit *test)
{
	struct bed *bed = bed_new(test, 0);
	unsigned int cases = 0;
	u32 max, a, b;

	for (max = 1; max <= 4; max++) {
		for (a = 1; a <= max; a++) {
			for (b = 1; b <= max; b++, cases++)
				share_limit(bed, max, a, b);
		}
	}
	EXPECT_CASES(cases, 1 + 2 * 2 + 3 * 3 + 4 * 4);
	bed_end(bed);
}

/* Memory ends after each number of frames: a new pool leaves nothing behind. */
static void test_new_pool_without_memory(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	unsigned int pages;

	for (pages = 0; pages < FRAMES; pages++) {
		bed->pages_left = pages;
		EXPECT_EQ(PTR_ERR(bed_try_pool(bed, FRAMES)), -ENOMEM);
		EXPECT_EQ(bed->dom.ledger.backed, 0);
		EXPECT_EQ(bed_locked(), bed->locked);
		EXPECT(list_empty(&bed->dom.ledger.pools));
	}
	EXPECT_CASES(pages, FRAMES);
	bed->pages_left = FRAMES;
	bed_pool_drop(bed_granted(bed, FRAMES));
	bed_end(bed);
}

/* And a grant that needs memory lends what there was. */
static void test_grant_without_memory(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	unsigned int pages, cases = 0;

	for (pages = 0; pages <= FRAMES; pages++, cases++) {
		struct kmdom_pool *first, *second;
		u32 nr = FRAMES;
		u64 done = 0;
		int ret;

		bed->pages_left = BED_NEVER;
		first = bed_pool(bed, FRAMES);
		second = bed_pool(bed, FRAMES);
		EXPECT_EQ(second->nr_bare, FRAMES);
		bed_pool_drop(first);
		bed->pages_left = pages;
		ret = kmdom_pool_grant(second, 0, &nr, &done);
		EXPECT_EQ(ret, pages < FRAMES ? -ENOMEM : 0);
		EXPECT_EQ(done, pages);
		EXPECT_EQ(nr, min(pages + 1, FRAMES));
		EXPECT_EQ(bed->dom.ledger.nr_free, pages);
		EXPECT_EQ(bed_locked() - bed->locked, pages);
		bed_check_ledger(bed);
		bed_pool_drop(second);
	}
	EXPECT_CASES(cases, FRAMES + 1);
	bed_end(bed);
}

/* Makes the task one without capabilities, whose user may lock @pages more. */
static const struct cred *become_user(struct kunit *test, unsigned long pages)
{
	struct cred *cred = prepare_creds();
	const struct cred *old;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cap_clear(cred->cap_effective);
	old = override_creds(cred);
	put_cred(cred);
	current->signal->rlim[RLIMIT_MEMLOCK].rlim_cur =
		(bed_locked() + pages) << PAGE_SHIFT;
	return old;
}

/*
 * The user's own limit: the domain's first pool comes whole or not at all, a
 * successor's as far as it goes. The other bed's frames count, too.
 */
static void test_user_limit(struct kunit *test)
{
	struct bed *other = bed_new(test, FRAMES), *bed;
	struct kmdom_pool *before = bed_granted(other, FRAMES);
	unsigned int pages, cases = 0;

	bed = bed_new(test, 2 * FRAMES);
	for (pages = 0; pages <= FRAMES; pages++, cases++) {
		const struct cred *root = become_user(test, pages);
		struct kmdom_pool *pool = bed_try_pool(bed, FRAMES);

		if (pages < FRAMES) {
			EXPECT_EQ(PTR_ERR(pool), -EDQUOT);
			EXPECT_EQ(bed_locked(), bed->locked);
			revert_creds(root);
			pool = bed_pool(bed, FRAMES);
			root = become_user(test, pages);
		}
		if (!IS_ERR(pool)) {
			struct kmdom_pool *next = bed_pool(bed, FRAMES);
			u32 left = pages < FRAMES ? pages : 0;

			EXPECT_EQ(next->nr_bare, FRAMES - left);
			EXPECT_EQ(bed_grant(next, 0, FRAMES), left);
			bed_check_ledger(bed);
			bed_pool_drop(next);
			bed_pool_drop(pool);
		}
		revert_creds(root);
	}
	EXPECT_CASES(cases, FRAMES + 1);
	bed_end(bed);
	bed_pool_drop(before);
	bed_end(other);
}

/* What somebody still refers to is not lent. */
static void test_grant_is_exclusive(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	struct kmdom_pool *pool = bed_pool(bed, FRAMES);
	unsigned int i;

	for (i = 0; i < FRAMES; i++) {
		struct page *page = pool->frames[i].page;

		get_page(page);
		EXPECT_EQ(bed_grant(pool, 0, FRAMES), FRAMES - 1);
		EXPECT_EQ(pool->frames[i].state, KMDOM_FRAME_OWNED);
		bed_check_ledger(bed);
		put_page(page);
		EXPECT_EQ(bed_grant(pool, 0, FRAMES), 1);
		EXPECT_EQ(bed_revoke(pool, 0, FRAMES), FRAMES);
	}
	EXPECT_CASES(i, FRAMES);
	bed_pool_drop(pool);
	bed_end(bed);
}

/*
 * The session ends while @promised of @granted free frames are promised: these
 * stay until the promises end, @taken by use, the others as they are.
 */
static void end_with_promises(struct bed *bed, u32 granted, u32 promised, u32 taken)
{
	struct kmdom_pool *pool = bed_granted(bed, granted);
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	struct kmdom_frame *frames[3];
	u32 i;

	bed_promise(bed, promised);
	bed_pool_drop(pool);
	EXPECT_EQ(ledger->nr_late, promised);
	EXPECT_EQ(ledger->nr_free, promised);
	bed_check_ledger(bed);
	for (i = 0; i < taken; i++) {
		frames[i] = bed_take(bed, KMDOM_CLAIM_PROMISED);
		EXPECT_EQ(ledger->nr_late, promised - i - 1);
		bed_check_ledger(bed);
	}
	kmdom_frames_unreserve(ledger, promised - taken);
	EXPECT_EQ(ledger->nr_late, 0);
	EXPECT_EQ(ledger->nr_free, 0);
	EXPECT_EQ(ledger->nr_used, taken);
	while (i--)
		kmdom_frame_put(frames[i]);
	EXPECT_EQ(ledger->backed, 0);
}

static void test_end_with_promises(struct kunit *test)
{
	struct bed *bed = bed_new(test, 3);
	u32 granted, promised, taken;
	unsigned int cases = 0;

	for (granted = 1; granted <= 3; granted++) {
		for (promised = 0; promised <= granted; promised++) {
			for (taken = 0; taken <= promised; taken++, cases++)
				end_with_promises(bed, granted, promised, taken);
		}
	}
	EXPECT_CASES(cases, (1 + 2) + (1 + 2 + 3) + (1 + 2 + 3 + 4));
	bed_end(bed);
}

/* Frames in use outlive their session, and the pool with them. */
static void test_end_with_use(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	struct kmdom_pool *pool = bed_granted(bed, FRAMES);
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	struct kmdom_frame *frames[FRAMES - 1];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = bed_take(bed, KMDOM_CLAIM_OLDEST);
	kmdom_frame_publish(frames[0], KMDOM_FRAME_PAGE);
	kmdom_frame_publish(frames[1], KMDOM_FRAME_TABLE);
	bed_pool_drop(pool);
	EXPECT_EQ(ledger->nr_free, 0);
	EXPECT_EQ(ledger->nr_used, ARRAY_SIZE(frames));
	EXPECT_EQ(atomic_read(&bed->refs), 1);
	bed_check_ledger(bed);

	kmdom_frame_withdraw(frames[0]);
	kmdom_frame_withdraw(frames[1]);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		EXPECT_EQ(ledger->backed, ARRAY_SIZE(frames) - i);
		EXPECT(!list_empty(&ledger->pools));
		if (i & 1)
			kmdom_frame_put_deferred(frames[i], false);
		else
			kmdom_frame_put(frames[i]);
		bed_settle(bed);
	}
	EXPECT_EQ(atomic_read(&bed->returned), 2);
	bed_end(bed);
}

/* Nobody makes a pool for what has ended. */
static void test_aborted(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);

	bed->dom.state = KMDOM_DOMAIN_ABORTED;
	EXPECT_EQ(PTR_ERR(bed_try_pool(bed, FRAMES)), -ENODEV);
	bed_end(bed);
}

static struct kunit_case pools_cases[] = {
	KUNIT_CASE_SLOW(test_pools_share_a_limit),
	KUNIT_CASE(test_new_pool_without_memory),
	KUNIT_CASE(test_grant_without_memory),
	KUNIT_CASE(test_user_limit),
	KUNIT_CASE(test_grant_is_exclusive),
	KUNIT_CASE(test_end_with_promises),
	KUNIT_CASE(test_end_with_use),
	KUNIT_CASE(test_aborted),
	{}
};

struct kunit_suite pools_suite = {
	.name = "kmdom_pools",
	.test_cases = pools_cases,
};
