// SPDX-License-Identifier: GPL-2.0
/*
 * evict_test.c - tables that are to leave: what is under them may change until they are
 * locked
 */
#include "desk.h"

/* What is done to an absent page when its table has been found clean, and frozen. */

static void is_left_alone(struct desk *page)
{
}

static void is_lost(struct desk *page)
{
	desk_lose(page);
}

static void comes(struct desk *page)
{
	EXPECT_EQ(desk_restore(page), 0);
}

static void comes_and_goes(struct desk *page)
{
	comes(page);
	EXPECT_EQ(desk_evict(page, page->res.version), 0);
}

/* As kmdom_page_evict() does it, with that in between. */
static int evict_late(struct desk *table, struct desk *page, void (*what)(struct desk *page))
{
	struct kmdom_domain *dom = &table->shop->bed->dom;
	struct kmdom_frame *parent, *frame;
	int ret;

	parent = kmdom_table_lock(&dom->table, 0, 1);
	frame = kmdom_entry_frame(kmdom_table_entry(parent, 0));
	EXPECT_EQ(kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_ALL), 0);
	EXPECT(!frame->dirty);
	what(page);
	ret = bed_evict_table(dom, parent, frame);
	kmdom_table_unlock(parent);
	if (ret)
		kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_ALL);
	else
		kmdom_frame_put_deferred(frame, true);
	return ret;
}

/*
 * A table leaves as its record has it, or stays: else what has changed under it would
 * come back as it was before.
 */
static void check_change(struct kunit *test, void (*what)(struct desk *page), int ret)
{
	struct desk *page, *table;
	struct shop shop;
	u64 entry;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	page = desk_open(&shop);
	desk_take(page);
	table = desk_beside(page, 1);
	EXPECT_EQ(desk_export(table), 0);
	EXPECT_EQ(desk_exported(table), 0);
	EXPECT_EQ(evict_late(table, page, what), ret);
	if (ret) {
		EXPECT_EQ(desk_evict(table, table->res.version), ret);
		entry = desk_entry(page);
		EXPECT_EQ(desk_export(table),
			  kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT ? -EBUSY : 0);
		EXPECT_EQ(desk_entry(page), entry);
	} else {
		EXPECT_EQ(desk_restore(table), 0);
	}
	desk_leave(table);
	desk_close(page);
	shop_close(&shop);
	shop_end(&shop);
}

static void test_changes(struct kunit *test)
{
	check_change(test, is_left_alone, 0);
	check_change(test, is_lost, -EAGAIN);
	check_change(test, comes, -EAGAIN);
	check_change(test, comes_and_goes, -EAGAIN);
}

static struct kunit_case evict_cases[] = {
	KUNIT_CASE(test_changes),
	{}
};

struct kunit_suite evict_suite = {
	.name = "kmdom_evict",
	.test_cases = evict_cases,
};
