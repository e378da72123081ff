// SPDX-License-Identifier: GPL-2.0
/*
 * entry_test.c - entries, refs and places in tables, at all their boundaries
 */
#include "unit.h"

/* Every field comes back, and no field touches another. */
static void check_entry(enum kmdom_page_state state, unsigned int cache,
			u64 value)
{
	u64 entry = kmdom_entry_make(state, cache, value);

	EXPECT_EQ(kmdom_entry_state(entry), state);
	EXPECT_EQ(kmdom_entry_cache(entry), cache);
	EXPECT(kmdom_entry_value(entry) == value);
	EXPECT(entry == ((u64)state | (u64)cache << 3 | value << 13));
}

static void test_packing(struct kunit *test)
{
	unsigned int state, cache, bit, cases = 0;

	EXPECT(kmdom_entry_make(KMDOM_PAGE_EMPTY, 0, 0) == KMDOM_ENTRY_EMPTY);
	EXPECT_EQ(kmdom_entry_state(0), KMDOM_PAGE_EMPTY);
	for (state = 0; state < KMDOM_NR_PAGE_STATES; state++) {
		for (cache = 0; cache <= KMDOM_ENTRY_CACHE_MAX; cache++) {
			check_entry(state, cache, 0);
			check_entry(state, cache, KMDOM_ENTRY_VALUE_MAX);
			for (bit = 0; bit < KMDOM_ENTRY_VALUE_BITS; bit++)
				check_entry(state, cache, BIT_ULL(bit));
			cases += bit + 2;
		}
	}
	EXPECT_CASES(cases, 4 * 1024 * 53);

	/* What does not fit is cut off. */
	EXPECT(kmdom_entry_make(0, KMDOM_ENTRY_CACHE_MAX + 1, 0) == 0);
	EXPECT(kmdom_entry_make(0, 0, KMDOM_ENTRY_VALUE_MAX + 1) == 0);
	EXPECT(kmdom_entry_make(8, 0, 0) == 0);
}

static const struct {
	enum kmdom_page_state from, to;
} legal[] = {
	{ KMDOM_PAGE_EMPTY, KMDOM_PAGE_PRESENT },
	{ KMDOM_PAGE_PRESENT, KMDOM_PAGE_ABSENT },
	{ KMDOM_PAGE_ABSENT, KMDOM_PAGE_PRESENT },
	{ KMDOM_PAGE_PRESENT, KMDOM_PAGE_EMPTY },
	{ KMDOM_PAGE_ABSENT, KMDOM_PAGE_EMPTY },
	{ KMDOM_PAGE_ABSENT, KMDOM_PAGE_LOST },
	{ KMDOM_PAGE_LOST, KMDOM_PAGE_EMPTY },
};

/* All pairs of what 3 bits can hold, states that are none among them. */
static void test_edges(struct kunit *test)
{
	unsigned int from, to, i, cases = 0, nr_legal = 0;

	for (from = 0; from < 8; from++) {
		for (to = 0; to < 8; to++) {
			bool wanted = false;

			for (i = 0; i < ARRAY_SIZE(legal); i++)
				wanted |= legal[i].from == from &&
					  legal[i].to == to;
			EXPECT_EQ(kmdom_entry_edge_legal(from, to), wanted);
			nr_legal += kmdom_entry_edge_legal(from, to);
			cases++;
		}
	}
	EXPECT_EQ(nr_legal, 7);
	EXPECT_CASES(cases, 8 * 8);
}

static void test_refs(struct kunit *test)
{
	unsigned int slot, bit, cases = 0;

	for (bit = 0; bit < KMDOM_INDEX_BITS; bit++) {
		for (slot = 0; slot < KMDOM_SLOTS_PER_PAGE; slot++) {
			kmdom_ref ref = kmdom_ref_make(BIT_ULL(bit), slot);

			EXPECT(kmdom_ref_valid(ref));
			EXPECT(kmdom_ref_index(ref) == BIT_ULL(bit));
			EXPECT_EQ(kmdom_ref_slot(ref), slot);
			cases++;
		}
	}
	EXPECT_CASES(cases, 36 * 256);
	EXPECT(kmdom_ref_valid(kmdom_ref_make(KMDOM_INDEX_MAX, 255)));
	EXPECT(!kmdom_ref_valid(0));
	EXPECT(!kmdom_ref_valid(kmdom_ref_make(0, 255)));
	for (bit = 44; bit < 64; bit++) {
		EXPECT(!kmdom_ref_valid(BIT_ULL(bit)));
		EXPECT(!kmdom_ref_valid(BIT_ULL(bit) | kmdom_ref_make(1, 0)));
	}
}

/* From the root down, the places lead back to the index. */
static void check_places(u64 index)
{
	unsigned int level;
	u64 table = 0;

	EXPECT(kmdom_table_index(index, KMDOM_LEVELS) == 0);
	for (level = KMDOM_LEVELS; level; level--) {
		unsigned int slot = kmdom_table_slot(index, level);

		EXPECT(kmdom_table_index(index, level) == table);
		EXPECT(slot < KMDOM_TABLE_ENTRIES);
		table = table * KMDOM_TABLE_ENTRIES + slot;
	}
	EXPECT(table == index);
}

/* All indexes of slots that are first, second or last in their tables; others. */
static void test_table_places(struct kunit *test)
{
	static const unsigned int slots[] = { 0, 1, 511 };
	unsigned int a, b, c, d, i, cases = 0;

	for (a = 0; a < 3; a++) {
		for (b = 0; b < 3; b++) {
			for (c = 0; c < 3; c++) {
				for (d = 0; d < 3; d++) {
					check_places((u64)slots[a] << 27 | slots[b] << 18 |
						     slots[c] << 9 | slots[d]);
					cases++;
				}
			}
		}
	}
	for (i = 0; i < 10000; i++, cases++)
		check_places(unit_random() & KMDOM_INDEX_MAX);
	EXPECT_CASES(cases, 3 * 3 * 3 * 3 + 10000);
	EXPECT_EQ(kmdom_table_slot(KMDOM_INDEX_MAX, 1), 511);
	EXPECT_EQ(kmdom_table_slot(KMDOM_INDEX_MAX, KMDOM_LEVELS), 511);
	EXPECT_EQ(kmdom_table_slot(511, 2), 0);
	EXPECT_EQ(kmdom_table_slot(512, 2), 1);
}

static struct kunit_case entry_cases[] = {
	KUNIT_CASE(test_packing),
	KUNIT_CASE(test_edges),
	KUNIT_CASE(test_refs),
	KUNIT_CASE(test_table_places),
	{}
};

struct kunit_suite entry_suite = {
	.name = "kmdom_entry",
	.test_cases = entry_cases,
};
