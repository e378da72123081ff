// SPDX-License-Identifier: GPL-2.0
/*
 * table_type_test.c - tables as pages of objects: what may leave, and come back
 */
#include "table_type.h"
#include "unit.h"

#define RANDOM_TABLES	UNIT_RANDOM_CASES(2000)

struct table {
	u64 entry[KMDOM_TABLE_ENTRIES];
};

static u64 random_entry(void)
{
	u64 version = 1 + (unit_random() >> 14);

	switch (unit_random_below(4)) {
	case 0:
		return KMDOM_ENTRY_EMPTY;
	case 1:
		return kmdom_entry_make(KMDOM_PAGE_LOST, unit_random(), EIO);
	default:
		return kmdom_entry_make(KMDOM_PAGE_ABSENT, unit_random(), version);
	}
}

static int encode(const struct kmdom_schema *schema, const struct table *table, u8 *rec)
{
	struct kmdom_record_id id = { .level = 1 + unit_random_below(4) };
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);

	kmdom_table_live(table, live);
	return kmdom_record_encode(schema, &id, table, live, rec, KMDOM_RECORD_MAX);
}

static void test_round_trips(struct kunit *test)
{
	struct table *table = unit_alloc(sizeof(*table)), *back = unit_alloc(sizeof(*back));
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	u8 *rec = unit_alloc(KMDOM_RECORD_MAX);
	struct kmdom_schema schema;
	unsigned int i, n, of;
	int len;

	EXPECT_EQ(kmdom_schema_init(&schema, &kmdom_table_type), 0);
	EXPECT_EQ(schema.slots, KMDOM_SLOTS_PER_PAGE);
	for (n = 0; n < RANDOM_TABLES; n++) {
		of = 1 + unit_random_below(100);
		for (i = 0; i < KMDOM_TABLE_ENTRIES; i++)
			table->entry[i] = unit_random_below(of) ? KMDOM_ENTRY_EMPTY :
								  random_entry();
		len = encode(&schema, table, rec);
		EXPECT(len >= (int)KMDOM_RECORD_MIN);
		memset(back, 0, sizeof(*back));
		EXPECT_EQ(kmdom_record_decode(&schema, rec, len, back, live), KMDOM_REJECT_NONE);
		EXPECT(!memcmp(back, table, sizeof(*table)));
	}
	EXPECT_CASES(n, RANDOM_TABLES);
	unit_free(rec);
	unit_free(back);
	unit_free(table);
}

/* Only what is in no frame leaves: in every place, and in every state of 3 bits. */
static void test_entries(struct kunit *test)
{
	struct table *table = unit_alloc(sizeof(*table));
	u8 *rec = unit_alloc(KMDOM_RECORD_MAX);
	unsigned int at, state, value, cases = 0;
	struct kmdom_schema schema;

	EXPECT_EQ(kmdom_schema_init(&schema, &kmdom_table_type), 0);
	for (at = 0; at < KMDOM_TABLE_ENTRIES; at++) {
		for (state = 0; state < 8; state++) {
			for (value = 0; value < 2; value++, cases++) {
				bool leaves = (!state && !value) ||
					      (value && (state == KMDOM_PAGE_ABSENT ||
							 state == KMDOM_PAGE_LOST));

				table->entry[at] = kmdom_entry_make(state, 0, value);
				EXPECT_EQ(encode(&schema, table, rec) > 0, leaves);
			}
		}
		table->entry[at] = KMDOM_ENTRY_EMPTY;
	}
	EXPECT_CASES(cases, 512 * 8 * 2);
	unit_free(rec);
	unit_free(table);
}

/* There is one record for each table: a pair that is empty is not in it. */
static void test_one_form(struct kunit *test)
{
	struct table *table = unit_alloc(sizeof(*table));
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_record_id id = { .level = 1 };
	u8 *rec = unit_alloc(KMDOM_RECORD_MAX);
	struct kmdom_schema schema;

	EXPECT_EQ(kmdom_schema_init(&schema, &kmdom_table_type), 0);
	table->entry[7] = kmdom_entry_make(KMDOM_PAGE_ABSENT, 1, 1);
	kmdom_table_live(table, live);
	EXPECT_EQ(bitmap_weight(live, KMDOM_SLOTS_PER_PAGE), 1);
	EXPECT(test_bit(3, live));
	__set_bit(4, live);
	EXPECT_EQ(kmdom_record_encode(&schema, &id, table, live, rec, KMDOM_RECORD_MAX), -EINVAL);
	/* A record that has it all the same: its bytes are nought, and it is refused. */
	EXPECT_EQ(encode(&schema, table, rec), KMDOM_RECORD_MIN + 16);
	rec[offsetof(struct kmdom_record, map)] |= 1 << 4;
	EXPECT_EQ(kmdom_record_decode(&schema, rec, KMDOM_RECORD_MIN + 32, table, live),
		  KMDOM_REJECT_CHECK);
	EXPECT(unit_is_zero(table, sizeof(*table)));
	unit_free(rec);
	unit_free(table);
}

static struct kunit_case table_type_cases[] = {
	KUNIT_CASE(test_round_trips),
	KUNIT_CASE(test_entries),
	KUNIT_CASE(test_one_form),
	{}
};

struct kunit_suite table_type_suite = {
	.name = "kmdom_table_type",
	.test_cases = table_type_cases,
};
