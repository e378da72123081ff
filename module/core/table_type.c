// SPDX-License-Identifier: GPL-2.0
/*
 * table_type.c - the type that the records of tables have
 *
 * SIGNED: who pages a domain may read which of its pages are absent at which
 * versions, which he knows anyway, and so finds garbage, and what to bring in
 * next; but he cannot make up a version, which is what makes a record the one
 * valid one of its page.
 */
#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include "table_type.h"

#define PAIRS	(KMDOM_TABLE_ENTRIES / 2)

static_assert(sizeof(struct kmdom_entries) == KMDOM_OBJECT_MIN);
static_assert(PAIRS == KMDOM_SLOTS_PER_PAGE);

static const struct kmdom_field table_fields[] = {
	KMDOM_F_INT(struct kmdom_entries, entry[0], 0, 0),
	KMDOM_F_INT(struct kmdom_entries, entry[1], 0, 0),
};

/* What may leave is not in a frame: the number of that would mean nothing. */
static bool entry_ok(u64 entry)
{
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_EMPTY:
		return entry == KMDOM_ENTRY_EMPTY;
	case KMDOM_PAGE_ABSENT:
	case KMDOM_PAGE_LOST:
		return kmdom_entry_value(entry);
	default:
		return false;
	}
}

/* A pair that is empty is none: there is one form for each table. */
static bool table_check(const void *obj)
{
	const struct kmdom_entries *pair = obj;

	return entry_ok(pair->entry[0]) && entry_ok(pair->entry[1]) &&
	       (pair->entry[0] || pair->entry[1]);
}

const struct kmdom_type kmdom_table_type = {
	.name = "kmdom.table",
	.size = sizeof(struct kmdom_entries),
	.policy = KMDOM_POLICY_SIGNED,
	.nr_fields = ARRAY_SIZE(table_fields),
	.fields = table_fields,
	.check = table_check,
};

/**
 * kmdom_table_live - which pairs of a table's entries are objects
 * @table: KMDOM_TABLE_ENTRIES entries
 * @live: out: KMDOM_SLOTS_PER_PAGE bits
 *
 * Context: any; the table does not change meanwhile.
 */
void kmdom_table_live(const void *table, unsigned long *live)
{
	const struct kmdom_entries *pairs = table;
	unsigned int i;

	bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
	for (i = 0; i < PAIRS; i++) {
		if (pairs[i].entry[0] || pairs[i].entry[1])
			__set_bit(i, live);
	}
}
