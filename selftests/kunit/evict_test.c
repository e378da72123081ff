// SPDX-License-Identifier: GPL-2.0
/*
 * evict_test.c - tables that are to leave: what is under them may change until they are
 * locked, or leave them empty. And whoever freezes a page in vain tells those who met that
 */
#include <linux/kthread.h>
#include <linux/sched.h>
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

#define ATTEMPTS	100

/**
 * struct drain - an eviction that waits for a pin
 * @table: of a table
 * @over: it does not wait any more
 */
struct drain {
	struct desk *table;
	bool over;
};

static int drain_run(void *arg)
{
	struct drain *drain = arg;
	struct desk *table = drain->table;
	struct kmdom_op op = {
		.code = KMDOM_OP_EVICT, .flags = KMDOM_OPF_DRAIN, .level = table->op.level,
		.index = table->op.index, .version = table->res.version,
	};
	int ret = kmdom_page_evict(&table->session, &op);

	WRITE_ONCE(drain->over, true);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return ret;
}

/*
 * The last page under a table is freed while that is frozen; was it? It may have been
 * thawed before, because the wait is short.
 */
static bool free_while_frozen(struct kunit *test, struct desk *page, struct desk *table)
{
	struct kmdom_frame *frame = kmdom_entry_frame(desk_entry(table));
	struct drain drain = { .table = table };
	struct task_struct *task;
	bool stays;

	EXPECT(kmdom_frame_try_pin(frame, false));
	task = kthread_run(drain_run, &drain, "kmdom_drain");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	while (!READ_ONCE(drain.over) &&
	       !(atomic64_read(&frame->pins) & KMDOM_PIN_FREEZE_ALL))
		cond_resched();
	desk_free(page);
	stays = kmdom_entry_state(desk_entry(table)) == KMDOM_PAGE_PRESENT;
	kmdom_frame_unpin(&page->shop->bed->dom, frame, false);
	/* The pin would have kept it as well: so it must have been drained. */
	return kthread_stop(task) == -EAGAIN && stays;
}

/* Whoever thaws a table gives back what became empty meanwhile. */
static void test_thawed(struct kunit *test)
{
	unsigned int attempts = 0;
	struct desk *page, *table;
	struct shop shop;
	bool frozen;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	do {
		atomic64_set(&shop.bed->dom.table.cursor, 1);
		page = desk_open(&shop);
		desk_take(page);
		/* New pages are elsewhere, so that nothing else keeps the table. */
		atomic64_set(&shop.bed->dom.table.cursor, KMDOM_TABLE_ENTRIES);
		table = desk_beside(page, 1);
		EXPECT_EQ(desk_export(table), 0);
		EXPECT_EQ(desk_exported(table), 0);
		frozen = free_while_frozen(test, page, table);
		if (frozen) {
			EXPECT_EQ(desk_entry(table), KMDOM_ENTRY_EMPTY);
			EXPECT_EQ(shop.bed->hint_index, table->op.index);
			EXPECT_EQ(shop.bed->hint_version, table->res.version);
		}
		kmdom_slab_prune(&shop.bed->dom, page->op.index);
		desk_leave(table);
		desk_leave(page);
	} while (!frozen && ++attempts < ATTEMPTS);
	EXPECT(frozen);
	shop_close(&shop);
	shop_end(&shop);
}

/* Who stays longer in a page than a drain waits for him. */
static void check_drained_in_vain(struct desk *page)
{
	struct kmdom_frame *frame = kmdom_entry_frame(desk_entry(page));
	struct bed *bed = page->shop->bed;

	EXPECT(kmdom_frame_try_pin(frame, true));
	page->op.flags = KMDOM_OPF_DRAIN;
	bed->changes = 0;
	EXPECT_EQ(desk_export(page), -EBUSY);
	EXPECT_EQ(bed->changes, 1);
	page->op.flags = 0;
	kmdom_frame_unpin(&bed->dom, frame, true);
}

/* A page without objects has no record, and stays for who looks for one in it. */
static void check_empty(struct desk *page)
{
	struct kmdom_frame *frame = kmdom_entry_frame(desk_entry(page));
	struct bed *bed = page->shop->bed;

	shop_free(page->shop, kmdom_ref_make(page->op.index, 0));
	EXPECT(kmdom_frame_try_pin(frame, false));
	bed->changes = 0;
	EXPECT_EQ(desk_export(page), -EBUSY);
	EXPECT_EQ(bed->changes, 1);
	kmdom_frame_unpin(&bed->dom, frame, false);
	EXPECT_EQ(desk_export(page), -ENOENT);
	EXPECT(!shop_page(page->shop, page->op.index));
}

static void test_in_vain(struct kunit *test)
{
	struct desk *page;
	struct shop shop;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	page = desk_open(&shop);
	check_drained_in_vain(page);
	check_empty(page);
	desk_leave(page);
	shop_close(&shop);
	shop_end(&shop);
}

static struct kunit_case evict_cases[] = {
	KUNIT_CASE(test_changes),
	KUNIT_CASE(test_thawed),
	KUNIT_CASE(test_in_vain),
	{}
};

struct kunit_suite evict_suite = {
	.name = "kmdom_evict",
	.test_cases = evict_cases,
};
