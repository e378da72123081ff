// SPDX-License-Identifier: GPL-2.0
/*
 * restore_test.c - what others do while a record is opened: the page that it is of may
 * be there by then, or be wanted from another record, or from none; and what is in a
 * table that came back
 */
#include <linux/string.h>
#include "desk.h"

/**
 * struct opening - a restore, and who comes in between
 * @page: of an object
 * @mine: what is restored: that page, or its table
 * @his: the same, or the table over it
 * @what: what he does between the first look at the entry and the last
 * @entry: of what is restored, as he leaves it
 */
struct opening {
	struct desk *page;
	struct desk *mine;
	struct desk *his;
	void (*what)(struct opening *opening);
	u64 entry;
};

static void is_idle(struct opening *opening)
{
}

static void brings(struct opening *opening)
{
	EXPECT_EQ(desk_restore(opening->his), 0);
}

/* The same entry again, and for that the same record is good. */
static void takes_again(struct opening *opening)
{
	brings(opening);
	EXPECT_EQ(desk_evict(opening->his, opening->his->res.version), 0);
}

/* Changed meanwhile: what the older record says is not true any more. */
static void renews(struct opening *opening)
{
	struct desk *page = opening->page;
	struct kmdom_frame *frame;

	brings(opening);
	if (opening->his->op.level) {
		/* What was under a table came and went. */
		EXPECT_EQ(desk_restore(page), 0);
		EXPECT_EQ(desk_evict(page, page->res.version), 0);
	} else {
		frame = shop_page(page->shop, page->op.index);
		EXPECT(kmdom_frame_try_pin(frame, true));
		WRITE_ONCE(frame->dirty, true);
		kmdom_frame_unpin(&page->shop->bed->dom, frame, true);
	}
	desk_take(opening->his);
}

static void frees(struct opening *opening)
{
	desk_free(opening->his);
}

static void loses(struct opening *opening)
{
	desk_lose(opening->his);
}

/* What is over it leaves with its entry in it, as nobody need know. */
static void takes_table(struct opening *opening)
{
	desk_take(opening->his);
}

static void takes_table_and_brings(struct opening *opening)
{
	desk_take(opening->his);
	brings(opening);
}

/**
 * struct meanwhile - a case
 * @what: as of struct opening
 * @level: of what is restored
 * @over: levels that his page is over it
 * @ret: what the restore comes to
 * @why: and why the record is rejected
 */
struct meanwhile {
	void (*what)(struct opening *opening);
	unsigned int level;
	unsigned int over;
	int ret;
	u64 why;
};

static const struct meanwhile cases[] = {
	{ is_idle, 0, 0, 0 },
	{ brings, 0, 0, -EALREADY },
	{ takes_again, 0, 0, 0 },
	{ renews, 0, 0, -ESTALE, KMDOM_REJECT_STALE },
	{ frees, 0, 0, -ENOENT },
	{ loses, 0, 0, -EIO },
	{ takes_table, 0, 1, -ENXIO },
	{ takes_table_and_brings, 0, 1, 0 },
	{ is_idle, 1, 0, 0 },
	{ brings, 1, 0, -EALREADY },
	{ takes_again, 1, 0, 0 },
	{ renews, 1, 0, -ESTALE, KMDOM_REJECT_STALE },
	{ takes_table, 1, 1, -ENXIO },
	{ takes_table_and_brings, 1, 1, 0 },
};

static void come_between(void *arg)
{
	struct opening *opening = arg;

	opening->what(opening);
	opening->entry = desk_entry(opening->mine);
}

/* He has the same record, or is to make that of the table. */
static void begin(struct opening *opening, struct shop *shop, const struct meanwhile *with)
{
	struct desk *mine;

	opening->page = desk_open(shop);
	desk_take(opening->page);
	opening->mine = opening->page;
	if (with->level) {
		opening->mine = desk_beside(opening->page, with->level);
		desk_take(opening->mine);
	}
	mine = opening->mine;
	opening->his = desk_beside(mine, with->level + with->over);
	opening->his->res = mine->res;
	memcpy(opening->his->record, mine->record, sizeof(mine->record));
	opening->what = with->what;
	mine->seal.meanwhile = come_between;
	mine->seal.arg = opening;
}

/* What a restore that failed has left alone is still good for what it was. */
static void end(struct opening *opening, const struct meanwhile *with)
{
	if (with->ret == -ESTALE || with->ret == -ENXIO)
		EXPECT_EQ(desk_restore(opening->his), 0);
	if (with->ret == -ENXIO)
		EXPECT_EQ(desk_restore(opening->mine), 0);
	if (with->ret != -ENOENT)
		desk_free(opening->page);
	if (opening->mine != opening->page)
		desk_leave(opening->mine);
	desk_leave(opening->page);
	desk_leave(opening->his);
}

static void check_meanwhile(struct kunit *test, const struct meanwhile *with)
{
	struct opening opening;
	struct shop shop;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	begin(&opening, &shop, with);
	EXPECT_EQ(desk_restore(opening.mine), with->ret);
	EXPECT_EQ(opening.mine->why, with->why);
	if (with->ret)
		EXPECT_EQ(desk_entry(opening.mine), opening.entry);
	else
		EXPECT_EQ(kmdom_entry_state(desk_entry(opening.mine)), KMDOM_PAGE_PRESENT);
	/* The frame that it was decoded into is the page's, or free again. */
	bed_settle(shop.bed);
	bed_check_ledger(shop.bed);
	end(&opening, with);
	shop_close(&shop);
	shop_end(&shop);
}

static void test_meanwhile(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check_meanwhile(test, &cases[i]);
	EXPECT_CASES(i, 14);
}

#define PAGES	3

/*
 * A table that has come back stays as long as there is anything in it: pages without
 * a record too, of which clients must be told that they are lost. Those are freed last.
 */
static void check_used(struct kunit *test, unsigned int nr_lost)
{
	struct desk *pages[PAGES], *table;
	struct shop shop;
	unsigned int i;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	for (i = 0; i < PAGES; i++) {
		pages[i] = desk_open(&shop);
		desk_take(pages[i]);
		if (i < nr_lost)
			desk_lose(pages[i]);
	}
	/* New pages are elsewhere, so that nothing else keeps the table. */
	atomic64_set(&shop.bed->dom.table.cursor, KMDOM_TABLE_ENTRIES);
	table = desk_beside(pages[0], 1);
	desk_take(table);
	EXPECT_EQ(desk_restore(table), 0);
	for (i = PAGES; i--;) {
		EXPECT_EQ(kmdom_entry_state(desk_entry(table)), KMDOM_PAGE_PRESENT);
		EXPECT_EQ(kmdom_entry_state(desk_entry(pages[i])),
			  i < nr_lost ? KMDOM_PAGE_LOST : KMDOM_PAGE_ABSENT);
		desk_close(pages[i]);
	}
	EXPECT_EQ(desk_entry(table), KMDOM_ENTRY_EMPTY);
	desk_leave(table);
	shop_close(&shop);
	shop_end(&shop);
}

static void test_used(struct kunit *test)
{
	unsigned int nr_lost;

	for (nr_lost = 0; nr_lost <= PAGES; nr_lost++)
		check_used(test, nr_lost);
	EXPECT_CASES(nr_lost, 4);
}

static struct kunit_case restore_cases[] = {
	KUNIT_CASE(test_meanwhile),
	KUNIT_CASE(test_used),
	{}
};

struct kunit_suite restore_suite = {
	.name = "kmdom_restore",
	.test_cases = restore_cases,
};
