// SPDX-License-Identifier: GPL-2.0
/*
 * kept_test.c - promises that nobody has: kept for the next operation on a CPU, and
 * collected by whoever misses what they hold
 */
#include <linux/preempt.h>
#include "desk.h"

#define PROMISE	4
#define FRAMES	(KMDOM_FRAMES_RESERVE + 2 * PROMISE)

/* All on one CPU: as it is for who keeps a promise, and for the next there. */
static bool keep(struct bed *bed)
{
	bed_promise(bed, PROMISE);
	if (kmdom_promise_keep(&bed->dom.ledger, PROMISE))
		return true;
	kmdom_frames_unreserve(&bed->dom.ledger, PROMISE);
	return false;
}

static void check_promised(struct bed *bed, unsigned int promises)
{
	EXPECT_EQ(bed->dom.ledger.reserved, promises * PROMISE);
	EXPECT_EQ(bed->dom.ledger.growers, promises);
	bed_check_ledger(bed);
}

/* It counts as one, whoever has it. */
static void test_reuse(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	struct kmdom_pool *pool = bed_granted(bed, FRAMES);
	struct kmdom_ledger *ledger = &bed->dom.ledger;

	migrate_disable();
	EXPECT_EQ(kmdom_promise_reuse(ledger), 0);
	EXPECT(keep(bed));
	check_promised(bed, 1);
	/* One a CPU. */
	EXPECT(!keep(bed));
	check_promised(bed, 1);
	EXPECT_EQ(kmdom_promise_reuse(ledger), PROMISE);
	check_promised(bed, 1);
	EXPECT_EQ(kmdom_promise_reuse(ledger), 0);
	EXPECT(kmdom_promise_keep(ledger, PROMISE));
	migrate_enable();
	check_promised(bed, 1);
	kmdom_promises_drop(ledger);
	check_promised(bed, 0);
	bed_pool_drop(pool);
	bed_end(bed);
}

/* What it does not hold back: each of these needs what is kept. */

static bool is_reserved(struct bed *bed, struct kmdom_pool *pool)
{
	bool ok = kmdom_frames_reserve(&bed->dom.ledger, 2 * PROMISE, KMDOM_CLAIM_ALLOC);

	if (ok)
		kmdom_frames_unreserve(&bed->dom.ledger, 2 * PROMISE);
	return ok;
}

static bool are_taken(struct bed *bed, enum kmdom_claim claim, unsigned int wanted)
{
	struct kmdom_frame *frames[FRAMES];
	unsigned int nr = 0;

	while (nr < FRAMES) {
		frames[nr] = kmdom_frame_take(&bed->dom.ledger, claim);
		if (!frames[nr])
			break;
		nr++;
	}
	EXPECT_EQ(nr, wanted);
	while (nr--)
		kmdom_frame_put(frames[nr]);
	return true;
}

static bool is_taken(struct bed *bed, struct kmdom_pool *pool)
{
	return are_taken(bed, KMDOM_CLAIM_OLDEST, FRAMES);
}

static bool is_restored(struct bed *bed, struct kmdom_pool *pool)
{
	return are_taken(bed, KMDOM_CLAIM_RESTORE, FRAMES - KMDOM_FRAMES_RESERVE);
}

static bool is_revoked(struct bed *bed, struct kmdom_pool *pool)
{
	return bed_revoke(pool, 0, FRAMES) == FRAMES && bed_grant(pool, 0, FRAMES) == FRAMES;
}

static bool is_still(struct bed *bed, struct kmdom_pool *pool)
{
	bool grows;

	spin_lock(&bed->dom.ledger.lock);
	grows = kmdom_ledger_grows(&bed->dom.ledger);
	spin_unlock(&bed->dom.ledger.lock);
	return !grows;
}

static bool has_closed(struct bed *bed, struct kmdom_pool *pool)
{
	kmdom_ledger_close(&bed->dom.ledger);
	check_promised(bed, 0);
	bed->dom.ledger.closed = false;
	return true;
}

static void test_collected(struct kunit *test)
{
	static bool (*const ways[])(struct bed *bed, struct kmdom_pool *pool) = {
		is_reserved, is_taken, is_restored, is_revoked, is_still, has_closed,
	};
	struct bed *bed = bed_new(test, FRAMES);
	struct kmdom_pool *pool = bed_granted(bed, FRAMES);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		EXPECT(keep(bed));
		check_promised(bed, 1);
		EXPECT(ways[i](bed, pool));
		check_promised(bed, 0);
	}
	bed_pool_drop(pool);
	bed_end(bed);
}

/* A session that ends keeps no frame for it, and none while others wait for promises. */
static void test_late(struct kunit *test)
{
	struct bed *bed = bed_new(test, FRAMES);
	struct kmdom_pool *pool = bed_granted(bed, FRAMES);
	struct kmdom_ledger *ledger = &bed->dom.ledger;

	EXPECT(keep(bed));
	bed_promise(bed, PROMISE);
	bed_pool_drop(pool);
	check_promised(bed, 1);
	EXPECT_EQ(ledger->nr_late, PROMISE);
	EXPECT(kmdom_promise_unwanted(ledger));
	kmdom_frames_unreserve(ledger, PROMISE);
	EXPECT_EQ(ledger->nr_late, 0);
	EXPECT(!kmdom_promise_unwanted(ledger));
	EXPECT_EQ(ledger->backed, 0);
	check_promised(bed, 0);
	bed_end(bed);
}

static int make(struct shop *shop, struct kmdom_client_op *op, kmdom_ref *ref)
{
	struct kmdom_pin new = { .cache = shop->cache };
	int ret = kmdom_pin_set(op, NULL, 0, 1) ?: kmdom_alloc(op, &new);

	if (!ret) {
		*ref = new.ref;
		kmdom_free_pinned(op, &new);
	}
	return ret;
}

/* An operation that finds one makes none; one that has used some of it keeps none. */
static void test_operations(struct kunit *test)
{
	struct kmdom_client_op op;
	struct kmdom_ledger *ledger;
	struct shop shop;
	unsigned int i;
	kmdom_ref ref;
	u64 promised;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	ledger = &shop.bed->dom.ledger;
	migrate_disable();
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(ledger->growers, i > 1);
		kmdom_op_begin(&op, &shop.bed->dom, 0);
		EXPECT_EQ(make(&shop, &op, &ref), 0);
		EXPECT_EQ(ledger->growers, 1);
		promised = ledger->reserved;
		kmdom_op_end(&op);
		/* The first made a page, with a frame of its promise, and some for tables. */
		EXPECT_EQ(ledger->reserved, i ? promised : 0);
	}
	/* The cursor is where no table was found yet. */
	atomic64_set(&shop.bed->dom.table.cursor, KMDOM_TABLE_ENTRIES);
	kmdom_op_begin(&op, &shop.bed->dom, 0);
	EXPECT_EQ(make(&shop, &op, &ref), 0);
	/* The one that was kept is so again: it was of no use. */
	EXPECT_EQ(ledger->growers, 2);
	kmdom_op_end(&op);
	migrate_enable();
	EXPECT_EQ(ledger->growers, 1);
	kmdom_promises_drop(ledger);
	EXPECT_EQ(ledger->reserved, 0);
	EXPECT_EQ(ledger->growers, 0);
	kmdom_slab_release(&shop.bed->dom, kmdom_ref_index(ref));
	shop_close(&shop);
	shop_end(&shop);
}

/* What an operation leaves of its promise: whether it is kept, though others come then. */
static bool op_keeps(struct shop *shop, void (*others)(void *arg))
{
	struct kmdom_ledger *ledger = &shop->bed->dom.ledger;
	struct kmdom_client_op op;
	unsigned int kept;

	kmdom_op_begin(&op, &shop->bed->dom, 0);
	EXPECT_EQ(kmdom_pin_set(&op, NULL, 0, 1), 0);
	shop->bed->frees = 0;
	bed_before(BED_KEPT, others, ledger);
	kmdom_op_end(&op);
	kept = ledger->growers;
	EXPECT_EQ(ledger->reserved, kept ? SHOP_PROMISE : 0);
	EXPECT_EQ(shop->bed->frees, !kept);
	kmdom_promises_drop(ledger);
	EXPECT_EQ(ledger->growers, 0);
	return kept;
}

static void ends(void *arg)
{
	struct kmdom_ledger *ledger = arg;

	WRITE_ONCE(ledger->closed, true);
}

/* Nor is any kept while somebody waits, or when all is over; and they are told. */
static void test_unwanted(struct kunit *test)
{
	struct kmdom_domain *dom;
	struct shop shop;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	dom = &shop.bed->dom;
	EXPECT(op_keeps(&shop, NULL));
	dom->wait.nr_waiters = 1;
	EXPECT(!op_keeps(&shop, NULL));
	dom->wait.nr_waiters = 0;
	EXPECT(!op_keeps(&shop, ends));
	dom->ledger.closed = false;
	EXPECT(op_keeps(&shop, NULL));
	shop_close(&shop);
	shop_end(&shop);
}

/* Nor is what the oldest had by his right, or what is kept given while somebody waits. */
static void test_rights(struct kunit *test)
{
	struct kmdom_client_op op;
	struct kmdom_ledger *ledger;
	struct shop shop;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	ledger = &shop.bed->dom.ledger;
	bed_leave_free(shop.bed, SHOP_PROMISE);
	EXPECT(!op_keeps(&shop, NULL));
	bed_leave_free(shop.bed, SHOP_PROMISE + KMDOM_FRAMES_RESERVE);
	EXPECT(op_keeps(&shop, NULL));
	kmdom_op_begin(&op, &shop.bed->dom, KMDOM_OP_NOWAIT);
	EXPECT_EQ(kmdom_pin_set(&op, NULL, 0, 1), 0);
	kmdom_op_end(&op);
	EXPECT_EQ(ledger->growers, 1);
	bed_leave_free(shop.bed, SHOP_PROMISE);
	shop.bed->dom.wait.nr_waiters = 1;
	kmdom_op_begin(&op, &shop.bed->dom, KMDOM_OP_NOWAIT);
	EXPECT_EQ(kmdom_pin_set(&op, NULL, 0, 1), -EAGAIN);
	shop.bed->dom.wait.nr_waiters = 0;
	kmdom_op_end(&op);
	shop_close(&shop);
	shop_end(&shop);
}

/* The table over the cursor leaves, though a promise is kept that would keep it. */
static void test_table(struct kunit *test)
{
	struct kmdom_ledger *ledger;
	struct kmdom_client_op op;
	struct desk *page, *table;
	struct shop shop;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	ledger = &shop.bed->dom.ledger;
	page = desk_open(&shop);
	desk_take(page);
	table = desk_beside(page, 1);
	EXPECT_EQ(desk_export(table), 0);
	EXPECT_EQ(desk_exported(table), 0);
	kmdom_op_begin(&op, &shop.bed->dom, 0);
	EXPECT_EQ(kmdom_pin_set(&op, NULL, 0, 1), 0);
	EXPECT_EQ(desk_evict(table, table->res.version), -EBUSY);
	kmdom_op_end(&op);
	EXPECT_EQ(ledger->growers, 1);
	EXPECT_EQ(desk_evict(table, table->res.version), 0);
	EXPECT_EQ(ledger->growers, 0);
	EXPECT_EQ(desk_restore(table), 0);
	desk_leave(table);
	desk_close(page);
	shop_close(&shop);
	shop_end(&shop);
}

static struct kunit_case kept_cases[] = {
	KUNIT_CASE(test_reuse),
	KUNIT_CASE(test_collected),
	KUNIT_CASE(test_late),
	KUNIT_CASE(test_unwanted),
	KUNIT_CASE(test_operations),
	KUNIT_CASE(test_rights),
	KUNIT_CASE(test_table),
	{}
};

struct kunit_suite kept_suite = {
	.name = "kmdom_kept",
	.test_cases = kept_cases,
};
