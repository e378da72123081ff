// SPDX-License-Identifier: GPL-2.0
/*
 * client_test.c - operations of clients, when another thread comes in between two of
 * their steps, or the client itself is wrong
 */
#include "desk.h"

/**
 * struct leaving - a table that leaves, at the last moment
 * @table: of a page that is absent; exported
 * @ret: what the eviction returned
 */
struct leaving {
	struct desk *table;
	int ret;
};

static void table_leaves(void *arg)
{
	struct leaving *leaving = arg;

	leaving->ret = desk_evict(leaving->table, leaving->table->res.version);
}

/**
 * struct growth - an operation that pins an object and makes another, or only that
 * @shop: where
 * @ref: what is pinned; 0: nothing
 * @flags: of the operation
 */
struct growth {
	struct shop *shop;
	kmdom_ref ref;
	unsigned int flags;
};

/* What one of its steps returned; the new object ends with it. */
static int grow(const struct growth *growth)
{
	struct kmdom_domain *dom = &growth->shop->bed->dom;
	struct kmdom_cache *cache = growth->shop->cache;
	struct kmdom_pin pin = { .cache = cache, .ref = growth->ref }, new = { .cache = cache };
	unsigned int nr_pins = !!growth->ref;
	struct kmdom_client_op op;
	int ret;

	kmdom_op_begin(&op, dom, growth->flags);
	ret = kmdom_pin_set(&op, &pin, nr_pins, 1);
	if (!ret) {
		ret = kmdom_alloc(&op, &new);
		if (!ret)
			kmdom_free_pinned(&op, &new);
		if (nr_pins)
			kmdom_unpin(&op, &pin);
	}
	kmdom_op_end(&op);
	kmdom_promises_drop(&dom->ledger);
	EXPECT_EQ(dom->ledger.reserved, 0);
	EXPECT_EQ(dom->ledger.growers, 0);
	return ret;
}

/*
 * A promise is of frames, and of the tables that a new page needs: they were there
 * when it was made, or there is none. Who lacked the frames meanwhile is told.
 */
static void check_table_leaves(struct desk *table, const struct growth *growth, int ret)
{
	struct leaving leaving = { .table = table, .ret = -EINVAL };
	struct bed *bed = growth->shop->bed;

	EXPECT_EQ(desk_export(table), 0);
	EXPECT_EQ(desk_exported(table), 0);
	bed->frees = 0;
	bed_before(BED_PROMISE, table_leaves, &leaving);
	EXPECT_EQ(grow(growth), ret);
	EXPECT_EQ(leaving.ret, 0);
	EXPECT(bed->frees);
	EXPECT_EQ(desk_restore(table), 0);
	EXPECT_EQ(grow(growth), 0);
}

static void test_table_leaves(struct kunit *test)
{
	struct desk *page, *table;
	struct growth growth;
	struct shop shop;
	unsigned int i;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	ref = shop_alloc(&shop);
	/* New pages are under another table than that one. */
	atomic64_set(&shop.bed->dom.table.cursor, KMDOM_TABLE_ENTRIES);
	page = desk_open(&shop);
	desk_take(page);
	table = desk_beside(page, 1);
	for (i = 0; i < 8; i++) {
		growth = (struct growth) {
			.shop = &shop, .ref = i & 1 ? ref : 0,
			.flags = i & 2 ? KMDOM_OP_NOWAIT : 0,
		};
		check_table_leaves(table, &growth, i & 2 ? -EAGAIN : -ETIMEDOUT);
	}
	desk_leave(table);
	desk_close(page);
	shop_free(&shop, ref);
	shop_close(&shop);
	shop_end(&shop);
}

static int pin_by(struct shop *shop, struct kmdom_cache *cache, kmdom_ref ref)
{
	struct kmdom_pin pin = { .cache = cache, .ref = ref };
	struct kmdom_client_op op;
	int ret;

	kmdom_op_begin(&op, &shop->bed->dom, 0);
	ret = kmdom_pin_set(&op, &pin, 1, 0);
	if (!ret)
		kmdom_unpin(&op, &pin);
	kmdom_op_end(&op);
	return ret;
}

/* A cache of another domain has the same number, and none of the objects. */
static void test_other_cache(struct kunit *test)
{
	struct shop shop, other;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_begin(&other, test);
	shop_open(&shop, test, SIZE_OF(4));
	shop_open(&other, test, SIZE_OF(4));
	EXPECT_EQ(shop.cache->id, other.cache->id);
	ref = shop_alloc(&shop);
	EXPECT_EQ(pin_by(&shop, shop.cache, ref), 0);
	EXPECT_EQ(pin_by(&shop, other.cache, ref), -ENOENT);
	EXPECT_EQ(shop_alloc(&other), ref);
	EXPECT_EQ(pin_by(&shop, other.cache, ref), -ENOENT);
	EXPECT_EQ(pin_by(&other, shop.cache, ref), -ENOENT);
	EXPECT_EQ(atomic64_read(&shop_page(&shop, kmdom_ref_index(ref))->pins), 0);
	EXPECT_EQ(atomic64_read(&shop_page(&other, kmdom_ref_index(ref))->pins), 0);
	shop_free(&shop, ref);
	shop_free(&other, ref);
	shop_close(&other);
	shop_close(&shop);
	shop_end(&other);
	shop_end(&shop);
}

static struct kunit_case client_cases[] = {
	KUNIT_CASE(test_table_leaves),
	KUNIT_CASE(test_other_cache),
	{}
};

struct kunit_suite client_suite = {
	.name = "kmdom_client",
	.test_cases = client_cases,
};
