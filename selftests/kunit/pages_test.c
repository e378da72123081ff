// SPDX-License-Identifier: GPL-2.0
/*
 * pages_test.c - pages of a cache: what must not be done to them, how they come and
 * go, and what happens without frames
 */
#include <linux/string.h>
#include "shop.h"

/* A slot that holds no object is freed, as by a ref that was edited: nothing happens. */
static void free_again(struct shop *shop, struct kmdom_frame *frame, unsigned int slot)
{
	struct kmdom_frame before;

	memcpy(before.live, frame->live, sizeof(before.live));
	memcpy(before.used, frame->used, sizeof(before.used));
	memcpy(before.mag, frame->mag, sizeof(before.mag));
	EXPECT(kmdom_frame_try_pin(frame, true));
	kmdom_slab_free(frame, slot);
	EXPECT_EQ(bed_warnings(), 0);
	EXPECT_EQ(atomic64_read(&frame->pins), 0);
	EXPECT(!memcmp(before.live, frame->live, sizeof(before.live)));
	EXPECT(!memcmp(before.used, frame->used, sizeof(before.used)));
	EXPECT(!memcmp(before.mag, frame->mag, sizeof(before.mag)));
	shop_check_page(shop, frame->index);
}

/* Every slot twice: free, and in a magazine. */
static void test_double_free(struct kunit *test)
{
	kmdom_ref *refs = unit_alloc(KMDOM_SLOTS_PER_PAGE * sizeof(*refs));
	static const unsigned int slots[] = { 256, 8, 2 };
	unsigned int i, slot, cases = 0;
	struct shop shop;

	shop_begin(&shop, test);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct kmdom_frame *frame;
		u64 index;

		shop_open(&shop, test, SIZE_OF(slots[i]));
		index = shop_fill(&shop, refs);
		frame = shop_page(&shop, index);
		for (slot = 0; slot < slots[i]; slot++, cases += 2) {
			shop_free(&shop, refs[slot]);
			free_again(&shop, frame, slot);
			EXPECT_EQ(shop_alloc(&shop), refs[slot]);
			/* It is alone in the magazine when the page has no other room. */
			shop_free(&shop, refs[slot]);
			set_bit(slot, frame->used);
			set_bit(slot, frame->mag);
			free_again(&shop, frame, slot);
			shop_drop(frame);
			EXPECT_EQ(shop_alloc(&shop), refs[slot]);
		}
		while (shop.nr)
			shop_free_at(&shop, 0);
		shop_close(&shop);
	}
	EXPECT_CASES(cases, 2 * (256 + 8 + 2));
	shop_end(&shop);
	unit_free(refs);
}

/* Nothing is allocated from a frozen page, though it has room and hints lead to it. */
static void test_frozen(struct kunit *test)
{
	static const u64 bits[] = { KMDOM_PIN_FREEZE_WRITE, KMDOM_PIN_FREEZE_ALL };
	struct kmdom_frame *frame;
	unsigned int i, j;
	struct shop shop;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(256));
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		/* The second one refills the magazine. */
		ref = shop_alloc(&shop);
		EXPECT_EQ(shop_alloc(&shop), ref + 1);
		frame = shop_page(&shop, kmdom_ref_index(ref));
		EXPECT(!bitmap_empty(frame->mag, KMDOM_SLOTS_PER_PAGE));
		EXPECT_EQ(kmdom_frame_try_freeze(frame, bits[i]), 0);
		EXPECT_EQ(kmdom_frame_try_freeze(frame, bits[i]), -EBUSY);
		kmdom_slab_drop_magazines(frame);
		EXPECT_EQ(bitmap_weight(frame->used, KMDOM_SLOTS_PER_PAGE), 2);
		for (j = 0; j < 256; j++)
			EXPECT(kmdom_ref_index(shop_alloc(&shop)) == frame->index + 1);
		kmdom_frame_thaw(frame, bits[i]);
		shop_check(&shop);
		/* From slot 2 on again: what was in the magazine was not lost. */
		EXPECT_EQ(shop_alloc(&shop), ref + 2);
		while (shop.nr)
			shop_free_at(&shop, 0);
		shop_sweep(&shop);
	}
	EXPECT_CASES(i, 2);
	shop_close(&shop);
	shop_end(&shop);
}

/* A page comes back with these objects, and its other slots are free. */
static void arrive(struct shop *shop, kmdom_ref *refs, unsigned long live)
{
	u64 index = shop_fill(shop, refs);
	struct kmdom_frame *frame = shop_page(shop, index);
	unsigned int slot;

	EXPECT_EQ(kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_ALL), 0);
	kmdom_slab_page_leaves(frame);
	EXPECT(!frame->partial);
	frame->live[0] = live;
	for (slot = 0; slot < 4; slot++) {
		if (live & BIT(slot))
			continue;
		xa_erase(&shop->objects, refs[slot]);
		shop->nr--;
	}
	kmdom_slab_page_arrived(frame);
	kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_ALL);
	EXPECT_EQ(frame->partial, live != 0xf);
	shop_check(shop);
	for (slot = 0; slot < 4; slot++)
		if (!(live & BIT(slot)))
			EXPECT_EQ(shop_alloc(shop), refs[slot]);
	EXPECT(kmdom_ref_index(shop_alloc(shop)) == index + 1);
	shop_check(shop);
}

/* All pages of four objects, as a restore brings them. */
static void test_arrivals(struct kunit *test)
{
	kmdom_ref refs[4];
	struct shop shop;
	unsigned int live;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	for (live = 0; live < 16; live++) {
		arrive(&shop, refs, live);
		while (shop.nr)
			shop_free_at(&shop, 0);
		shop_sweep(&shop);
	}
	EXPECT_CASES(live, 2 * 2 * 2 * 2);
	shop_close(&shop);
	shop_end(&shop);
}

/*
 * The first page takes a frame and those of four tables. Without one of them
 * there is no page and no object, and every frame that was not made a table is
 * free again.
 */
static void alloc_without_frames(struct shop *shop, unsigned int nr_free)
{
	struct kmdom_ledger *ledger = &shop->bed->dom.ledger;
	struct kmdom_pin pin = { .cache = shop->cache, .write = true };
	unsigned int promised = nr_free;

	bed_leave_free(shop->bed, nr_free);
	bed_promise(shop->bed, promised);
	EXPECT_EQ(kmdom_slab_alloc(shop->cache, &pin, &promised), -ENOBUFS);
	EXPECT_EQ(promised, 0);
	EXPECT_EQ(ledger->reserved, 0);
	EXPECT(!pin.frame);
	EXPECT_EQ(ledger->nr_tables, nr_free ? nr_free - 1 : 0);
	EXPECT_EQ(ledger->nr_used, ledger->nr_tables);
	EXPECT_EQ(atomic64_read(&shop->bed->dom.pages_present), 0);
	EXPECT_EQ(atomic64_read(&shop->cache->nr_pages), 0);
	EXPECT_EQ(atomic_long_read(&shop->cache->users), 1);
	bed_check_ledger(shop->bed);
	bed_leave_free(shop->bed, SHOP_FRAMES / 2);
	shop_free(shop, shop_alloc(shop));
}

static void test_alloc_without_frames(struct kunit *test)
{
	unsigned int nr_free, cases = 0;

	for (nr_free = 0; nr_free <= KMDOM_LEVELS; nr_free++, cases++) {
		struct shop shop;

		shop_begin(&shop, test);
		shop_open(&shop, test, SIZE_OF(1 + nr_free));
		alloc_without_frames(&shop, nr_free);
		shop_close(&shop);
		shop_end(&shop);
	}
	EXPECT_CASES(cases, 5);
}

/* The highest index is given to a page, and then there is none left. */
static void test_last_index(struct kunit *test)
{
	struct kmdom_pin pin = { .write = true };
	unsigned int promised = SHOP_PROMISE;
	struct kmdom_ledger *ledger;
	struct shop shop;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	ledger = &shop.bed->dom.ledger;
	pin.cache = shop.cache;
	atomic64_set(&shop.bed->dom.table.cursor, KMDOM_INDEX_MAX);
	shop.first = KMDOM_INDEX_MAX;
	ref = shop_alloc(&shop);
	EXPECT_EQ(ref, kmdom_ref_make(KMDOM_INDEX_MAX, 0));
	bed_promise(shop.bed, promised);
	EXPECT_EQ(kmdom_slab_alloc(shop.cache, &pin, &promised), -ENOSPC);
	kmdom_frames_unreserve(ledger, promised);
	EXPECT_EQ(ledger->nr_used, 1 + KMDOM_LEVELS);
	EXPECT_EQ(atomic64_read(&shop.cache->nr_pages), 1);
	shop_free(&shop, ref);
	shop_close(&shop);
	shop_end(&shop);
}

/* The entry of a page, and what the domain counts of it, as an eviction does it. */
static void evict(struct shop *shop, u64 index, enum kmdom_page_state state, u64 value)
{
	struct kmdom_frame *leaf, *frame;

	leaf = kmdom_table_lock(&shop->bed->dom.table, index, 0);
	frame = kmdom_entry_frame(kmdom_table_entry(leaf, index));
	if (kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_ALL))
		kunit_set_failure(kunit_get_current_test());
	kmdom_table_set(leaf, index, kmdom_entry_make(KMDOM_PAGE_ABSENT,
						      shop->cache->id, value));
	if (state != KMDOM_PAGE_ABSENT)
		kmdom_table_set(leaf, index,
				kmdom_entry_make(state, shop->cache->id, value));
	kmdom_slab_page_leaves(frame);
	kmdom_frame_withdraw(frame);
	atomic64_dec(&shop->bed->dom.pages_present);
	atomic64_inc(&shop->bed->dom.pages_absent);
	kmdom_table_unlock(leaf);
	kmdom_frame_put(frame);
}

/* An object that fills its page is freed wherever that is; the pager is told. */
static void free_whole(struct shop *shop, enum kmdom_page_state state, u64 version)
{
	kmdom_ref ref = shop_alloc(shop);
	u64 index = kmdom_ref_index(ref);
	unsigned int hints = shop->bed->hints, changes = shop->bed->changes;

	if (state == KMDOM_PAGE_PRESENT)
		shop_page(shop, index)->spent = version;
	else
		evict(shop, index, state, state == KMDOM_PAGE_LOST ? EIO : version);
	EXPECT_EQ(kmdom_slab_free_page(shop->cache, index), 0);
	EXPECT_EQ(kmdom_slab_free_page(shop->cache, index), -ENOENT);
	EXPECT_EQ(shop->bed->hints, hints + 1);
	EXPECT_EQ(shop->bed->changes, changes + 1);
	EXPECT_EQ(shop->bed->hint_index, index);
	EXPECT_EQ(shop->bed->hint_version, version);
	xa_erase(&shop->objects, ref);
	shop->nr--;
	shop_check(shop);
	EXPECT_EQ(atomic64_read(&shop->bed->dom.pages_absent), 0);
}

/* Somebody waits to free a page: no pager freezes it once more, pins go on. */
static void test_ending(struct kunit *test)
{
	static const u64 bits[] = { KMDOM_PIN_FREEZE_WRITE, KMDOM_PIN_FREEZE_ALL };
	struct kmdom_frame *frame;
	struct shop shop;
	kmdom_ref ref;
	unsigned int i, j;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	for (i = 0; i < 3; i++) {
		ref = shop_alloc(&shop);
		frame = shop_page(&shop, kmdom_ref_index(ref));
		/* The frame of an ended page is as good as any. */
		EXPECT_EQ(atomic64_read(&frame->pins), 0);
		if (i < 2)
			EXPECT_EQ(kmdom_frame_try_freeze(frame, bits[i]), 0);
		else
			EXPECT(kmdom_frame_try_pin(frame, false));
		EXPECT_EQ(kmdom_frame_try_end(frame), -EBUSY);
		if (i < 2)
			kmdom_frame_thaw(frame, bits[i]);
		else
			kmdom_frame_unpin(&shop.bed->dom, frame, false);
		for (j = 0; j < ARRAY_SIZE(bits); j++)
			EXPECT_EQ(kmdom_frame_try_freeze(frame, bits[j]), -EBUSY);
		EXPECT(kmdom_frame_try_pin(frame, true));
		kmdom_frame_unpin(&shop.bed->dom, frame, true);
		EXPECT_EQ(kmdom_slab_free_page(shop.cache, kmdom_ref_index(ref)), 0);
		xa_erase(&shop.objects, ref);
		shop.nr--;
		shop_check(&shop);
	}
	EXPECT_CASES(i, 3);
	shop_close(&shop);
	shop_end(&shop);
}

static void test_free_whole(struct kunit *test)
{
	struct kmdom_cache *cache;
	struct shop shop;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(1));
	free_whole(&shop, KMDOM_PAGE_PRESENT, 0);
	free_whole(&shop, KMDOM_PAGE_PRESENT, 5);
	free_whole(&shop, KMDOM_PAGE_ABSENT, 6);
	free_whole(&shop, KMDOM_PAGE_ABSENT, KMDOM_ENTRY_VALUE_MAX);
	free_whole(&shop, KMDOM_PAGE_LOST, 0);

	/* Not what is another cache's, and not what never was. */
	ref = shop_alloc(&shop);
	cache = shop.cache;
	shop_open(&shop, test, SIZE_OF(2));
	EXPECT_EQ(kmdom_slab_free_page(shop.cache, kmdom_ref_index(ref)), -ENOENT);
	EXPECT_EQ(kmdom_slab_free_page(cache, kmdom_ref_index(ref) + 1), -ENOENT);
	EXPECT_EQ(kmdom_slab_free_page(cache, KMDOM_INDEX_MAX), -ENOENT);
	kmdom_cache_detach(shop.cache);
	shop.cache = cache;
	EXPECT_EQ(kmdom_slab_free_page(cache, kmdom_ref_index(ref)), 0);
	xa_erase(&shop.objects, ref);
	shop.nr--;
	shop_close(&shop);

	shop.bed->dom.state = KMDOM_DOMAIN_ABORTED;
	kmdom_table_cut(&shop.bed->dom.table);
	EXPECT_EQ(kmdom_slab_free_page(cache, kmdom_ref_index(ref)), -ENODEV);
	shop_end(&shop);
}

/* A page is released if it is present, holds nothing, and nobody is in it. */
static void test_release(struct kunit *test)
{
	struct kmdom_frame *frame;
	struct kmdom_domain *dom;
	struct shop shop;
	kmdom_ref ref;
	u64 index;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	dom = &shop.bed->dom;
	ref = shop_alloc(&shop);
	/* Its other slots go to the magazine, so that the page outlives both. */
	EXPECT_EQ(shop_alloc(&shop), ref + 1);
	index = kmdom_ref_index(ref);
	frame = shop_page(&shop, index);
	EXPECT(!kmdom_slab_release(dom, index));
	shop_free(&shop, ref);
	EXPECT(!kmdom_slab_release(dom, index));
	shop_free(&shop, ref + 1);
	EXPECT(shop_page(&shop, index) == frame);
	shop_check(&shop);
	EXPECT(kmdom_frame_try_pin(frame, false));
	EXPECT(!kmdom_slab_release(dom, index));
	kmdom_frame_unpin(dom, frame, false);
	EXPECT_EQ(kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_WRITE), 0);
	EXPECT(!kmdom_slab_release(dom, index));
	kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_WRITE);
	EXPECT(!kmdom_slab_release(dom, index + 1));
	EXPECT(!kmdom_slab_release(dom, KMDOM_INDEX_MAX));
	EXPECT(kmdom_slab_release(dom, index));
	EXPECT(!shop_page(&shop, index));
	EXPECT(!kmdom_slab_release(dom, index));
	/* The hints in the magazine lead nowhere now. */
	EXPECT_EQ(kmdom_ref_index(shop_alloc(&shop)), index + 1);
	while (shop.nr)
		shop_free_at(&shop, 0);
	shop_close(&shop);
	shop_end(&shop);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(test_double_free),
	KUNIT_CASE(test_frozen),
	KUNIT_CASE(test_arrivals),
	KUNIT_CASE(test_alloc_without_frames),
	KUNIT_CASE(test_last_index),
	KUNIT_CASE(test_ending),
	KUNIT_CASE(test_free_whole),
	KUNIT_CASE(test_release),
	{}
};

struct kunit_suite pages_suite = {
	.name = "kmdom_pages",
	.test_cases = pages_cases,
};
