// SPDX-License-Identifier: GPL-2.0
/*
 * slab_test.c - slots of pages against a reference: for every size of object, in
 * every order, in every short sequence of steps
 */
#include <linux/string.h>
#include "shop.h"

enum order { FORWARD, BACKWARD, EVEN_FIRST, RANDOM, NR_ORDERS };

static void put_in_order(kmdom_ref *refs, unsigned int nr, enum order order)
{
	unsigned int i, odd = (nr + 1) / 2;

	for (i = 0; i < nr; i++) {
		unsigned int with = i;

		if (order == BACKWARD && i < nr / 2)
			with = nr - 1 - i;
		if (order == RANDOM)
			with = i + unit_random_below(nr - i);
		swap(refs[i], refs[with]);
	}
	/* They are one page's, in order: 0, 2, 4, ... 1, 3, 5, ... */
	for (i = 0; order == EVEN_FIRST && i < nr; i++)
		refs[i] = (refs[i] & ~0xffULL) | (i < odd ? 2 * i : 2 * (i - odd) + 1);
}

/* Fills a page, and empties it; how many objects it had. */
static unsigned int check_size(struct shop *shop, kmdom_ref *refs, enum order order)
{
	unsigned int slots = shop->cache->schema.slots, i;
	u64 index = shop_fill(shop, refs);
	kmdom_ref next = shop_alloc(shop);

	EXPECT_EQ(next, kmdom_ref_make(index + 1, 0));
	shop_free(shop, next);
	put_in_order(refs, slots, order);
	for (i = 0; i < slots; i++) {
		EXPECT(shop_page(shop, index));
		shop_free(shop, refs[i]);
		/* Large pages: not after each of them. */
		if (i % 8 == 0)
			shop_check_page(shop, index);
	}
	/* The last object takes the page with it, and the pager is told. */
	EXPECT(!shop_page(shop, index));
	EXPECT_EQ(shop->bed->hint_index, index);
	EXPECT_EQ(shop->bed->hint_version, 0);
	return i;
}

/* All sizes that a type may have, in four orders by turns. */
static void test_sizes(struct kunit *test)
{
	kmdom_ref *refs = unit_alloc(KMDOM_SLOTS_PER_PAGE * sizeof(*refs));
	unsigned int size, sizes = 0, objects = 0;
	struct shop shop;

	shop_begin(&shop, test);
	for (size = KMDOM_OBJECT_MIN; size <= KMDOM_FRAME_SIZE; size += 8, sizes++) {
		shop_open(&shop, test, size);
		objects += check_size(&shop, refs, sizes % NR_ORDERS);
		shop_close(&shop);
	}
	EXPECT_EQ(sizes, 511);
	/* The sum of 512 / k, without what remains, for all k from 2 to 512. */
	EXPECT_CASES(objects, 2768);
	shop_end(&shop);
	unit_free(refs);
}

/* Small pages are emptied in every order that there is. */
static void test_all_orders(struct kunit *test)
{
	unsigned int slots, number, of = 1, i, cases = 0;
	kmdom_ref refs[5], order[5];
	struct shop shop;

	shop_begin(&shop, test);
	for (slots = 1; slots <= ARRAY_SIZE(refs); slots++) {
		of *= slots;
		shop_open(&shop, test, SIZE_OF(slots));
		EXPECT_EQ(shop.cache->schema.slots, slots);
		for (number = 0; number < of; number++, cases++) {
			u64 index = shop_fill(&shop, refs);

			bed_permute(refs, order, slots, number);
			for (i = 0; i < slots; i++) {
				shop_free(&shop, order[i]);
				shop_check_page(&shop, index);
			}
			/* What is left is what this CPU has at hand. */
			kmdom_slab_release_magazines(shop.cache);
			EXPECT(!shop_page(&shop, index));
		}
		shop_close(&shop);
	}
	EXPECT_CASES(cases, 1 + 2 + 6 + 24 + 120);
	shop_end(&shop);
}

/* One page stays with its CPU, for the next object; others go with their last. */
static void test_at_hand(struct kunit *test)
{
	kmdom_ref first[4], second;
	struct shop shop;
	unsigned int i;
	u64 index;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	first[0] = shop_alloc(&shop);
	index = kmdom_ref_index(first[0]);
	for (i = 0; i < 3; i++) {
		shop_free(&shop, first[0]);
		shop_check(&shop);
		EXPECT(shop_page(&shop, index));
		EXPECT_EQ(shop_alloc(&shop), first[0]);
	}
	for (i = 1; i < 4; i++)
		first[i] = shop_alloc(&shop);
	second = shop_alloc(&shop);
	EXPECT_EQ(second, kmdom_ref_make(index + 1, 0));
	for (i = 0; i < 4; i++)
		shop_free(&shop, first[i]);
	EXPECT(!shop_page(&shop, index));
	kmdom_slab_release_magazines(shop.cache);
	EXPECT(shop_page(&shop, index + 1));
	shop_free(&shop, second);
	EXPECT(shop_page(&shop, index + 1));
	kmdom_slab_release_magazines(shop.cache);
	EXPECT(!shop_page(&shop, index + 1));
	shop_check(&shop);
	shop_close(&shop);
	shop_end(&shop);
}

/* While somebody waits, perhaps for its frame, a page goes with its last object. */
static void test_awaited(struct kunit *test)
{
	kmdom_ref refs[4];
	struct shop shop;
	unsigned int i;
	u64 index;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(ARRAY_SIZE(refs)));
	index = shop_fill(&shop, refs);
	shop.bed->dom.wait.nr_waiters = 1;
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		shop_free(&shop, refs[i]);
	shop.bed->dom.wait.nr_waiters = 0;
	EXPECT(!shop_page(&shop, index));
	shop_close(&shop);
	shop_end(&shop);
}

/* Who looks whether a page can go freezes it: others may have found it so. */
static void test_told(struct kunit *test)
{
	struct shop shop;
	kmdom_ref ref;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(4));
	ref = shop_alloc(&shop);
	shop.bed->changes = 0;
	EXPECT(!kmdom_slab_release(&shop.bed->dom, kmdom_ref_index(ref)));
	EXPECT_EQ(shop.bed->changes, 1);
	shop_free(&shop, ref);
	shop_close(&shop);
	shop_end(&shop);
}

#define SLOTS	32	/* more than a magazine gets at a time */

/* Another CPU has the last slot of a page. */
static void give_away_last(struct kmdom_frame *frame)
{
	set_bit(SLOTS - 1, frame->used);
	set_bit(SLOTS - 1, frame->mag);
}

/*
 * Of a page of which another CPU has slots none are taken, while frames are plenty: the
 * two would be in each other's way. Then they are, and for who has no promise of a frame.
 */
static void test_apart(struct kunit *test)
{
	unsigned int promised = 0, i;
	struct kmdom_frame *frame;
	struct kmdom_pin pin = {};
	struct shop shop;
	u64 index;

	shop_begin(&shop, test);
	shop_open(&shop, test, SIZE_OF(SLOTS));
	pin.cache = shop.cache;
	pin.write = true;
	index = kmdom_ref_index(shop_alloc(&shop));
	while (shop.nr <= SLOTS / 2)
		shop_alloc(&shop);
	frame = shop_page(&shop, index);
	give_away_last(frame);
	/* As many pages, filled, as make that less than a quarter which is left then. */
	for (i = 0; i < 3 * SHOP_PROMISE * SLOTS; i++)
		EXPECT(kmdom_ref_index(shop_alloc(&shop)) == index + 1 + i / SLOTS);
	EXPECT_EQ(kmdom_slab_alloc(shop.cache, &pin, &promised), 0);
	EXPECT_EQ(pin.ref, kmdom_ref_make(index, SLOTS / 2 + 1));
	kmdom_slab_free(pin.frame, SLOTS / 2 + 1);
	/* Ours are none again, so that they must be found. */
	shop_drop(frame);
	give_away_last(frame);
	bed_leave_free(shop.bed, SHOP_PROMISE);
	EXPECT_EQ(shop_alloc(&shop), kmdom_ref_make(index, SLOTS / 2 + 1));
	clear_bit(SLOTS - 1, frame->mag);
	clear_bit(SLOTS - 1, frame->used);
	while (shop.nr)
		shop_free_at(&shop, 0);
	shop_close(&shop);
	shop_end(&shop);
}

enum step { STEP_ALLOC, STEP_FREE_FIRST, STEP_FREE_MIDDLE, STEP_FREE_LAST, STEP_DROP, NR_STEPS };

static void do_step(struct shop *shop, enum step step)
{
	struct kmdom_frame *frame;
	u64 index;

	switch (step) {
	case STEP_ALLOC:
		shop_alloc(shop);
		break;
	case STEP_FREE_FIRST:
		shop_free_at(shop, 0);
		break;
	case STEP_FREE_MIDDLE:
		shop_free_at(shop, shop->nr / 2);
		break;
	case STEP_FREE_LAST:
		shop_free_at(shop, shop->nr - 1);
		break;
	default:
		for (index = shop->first; index <= shop_last(shop); index++) {
			frame = shop_page(shop, index);
			if (frame)
				shop_drop(frame);
		}
		break;
	}
}

#define SEQUENCE	4

static unsigned int run_sequences(struct shop *shop)
{
	unsigned int sequence, rest, i;

	for (sequence = 0; sequence < 625 && !bed_failed(); sequence++) {
		/* Where three fill a page, and where they do not. */
		shop_alloc(shop);
		shop_alloc(shop);
		for (i = 0, rest = sequence; i < SEQUENCE; i++, rest /= NR_STEPS) {
			do_step(shop, rest % NR_STEPS);
			shop_check(shop);
		}
		while (shop->nr)
			shop_free_at(shop, 0);
		shop_sweep(shop);
	}
	return sequence;
}

/* All sequences of steps on pages of three and of four objects. */
static void test_sequences(struct kunit *test)
{
	unsigned int slots, cases = 0;
	struct shop shop;

	shop_begin(&shop, test);
	for (slots = 3; slots <= 4; slots++) {
		shop_open(&shop, test, SIZE_OF(slots));
		EXPECT_EQ(shop.cache->schema.slots, slots);
		cases += run_sequences(&shop);
		shop_close(&shop);
	}
	EXPECT_CASES(cases, 2 * NR_STEPS * NR_STEPS * NR_STEPS * NR_STEPS);
	shop_end(&shop);
}

/* More and more until there are so many, and fewer until there are none, in turns. */
static void random_step(struct shop *shop, unsigned int most, bool *growing)
{
	unsigned int draw = unit_random_below(16);

	if (draw == 0)
		do_step(shop, STEP_DROP);
	else if (shop->nr && (shop->nr == most || (draw < 4) == *growing))
		shop_free_at(shop, unit_random_below(shop->nr));
	else
		shop_alloc(shop);
	if (shop->nr == most || !shop->nr)
		*growing = !shop->nr;
}

/* Pages of 256, of 20 and of 4 objects, up to three pages of them. */
static void test_random(struct kunit *test)
{
	static const unsigned int slots[] = { 256, 20, 4 };
	unsigned int i, nr, full, cases = 0;
	struct shop shop;
	bool growing;

	shop_begin(&shop, test);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		shop_open(&shop, test, SIZE_OF(slots[i]));
		full = 0;
		growing = true;
		for (nr = 0; nr < UNIT_RANDOM_CASES(40000) && !bed_failed(); nr++, cases++) {
			random_step(&shop, 3 * slots[i], &growing);
			full += shop.nr == 3 * slots[i];
			if (nr % 16 == 0)
				shop_check(&shop);
		}
		EXPECT(full);
		while (shop.nr)
			shop_free_at(&shop, 0);
		shop_close(&shop);
	}
	EXPECT_CASES(cases, 3 * 2000);
	shop_end(&shop);
}

static struct kunit_case slab_cases[] = {
	KUNIT_CASE_SLOW(test_sizes),
	KUNIT_CASE(test_all_orders),
	KUNIT_CASE(test_at_hand),
	KUNIT_CASE(test_awaited),
	KUNIT_CASE(test_told),
	KUNIT_CASE(test_apart),
	KUNIT_CASE_SLOW(test_sequences),
	KUNIT_CASE(test_random),
	{}
};

struct kunit_suite slab_suite = {
	.name = "kmdom_slab",
	.test_cases = slab_cases,
};
