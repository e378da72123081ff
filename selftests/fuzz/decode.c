// SPDX-License-Identifier: GPL-2.0
/*
 * decode.c - target: kmdom_record_decode() on any map and payload
 *
 * An input is the number of a type, then a record from its map on. What comes
 * before the map the decoder does not look at. The last type is that of tables.
 */
#include "fuzz.h"
#include "table_type.h"

#define MAP	offsetof(struct kmdom_record, map)
#define TABLE	UNIT_NR_TYPES

static const char *const reasons[] = {
	[KMDOM_REJECT_NONE] = "NONE", [KMDOM_REJECT_LENGTH] = "LENGTH",
	[KMDOM_REJECT_MAP] = "MAP", [KMDOM_REJECT_END] = "END",
	[KMDOM_REJECT_RANGE] = "RANGE", [KMDOM_REJECT_FLAGS] = "FLAGS",
	[KMDOM_REJECT_REF] = "REF", [KMDOM_REJECT_COUNT] = "COUNT",
	[KMDOM_REJECT_TRIM] = "TRIM", [KMDOM_REJECT_REST] = "REST",
	[KMDOM_REJECT_CHECK] = "CHECK",
};

static const struct kmdom_type *type_of(u8 nr)
{
	nr %= UNIT_NR_TYPES + 1;
	return nr == TABLE ? &kmdom_table_type : &unit_types[nr];
}

static unsigned int run(const u8 *data, size_t len)
{
	struct kmdom_record_id id = {};
	struct kmdom_schema schema;
	unsigned int why;
	u8 *rec;

	if (!len)
		return KMDOM_REJECT_LENGTH;
	EXPECT_EQ(kmdom_schema_init(&schema, type_of(data[0])), 0);
	rec = unit_alloc(MAP + len - 1);
	memcpy(rec + MAP, data + 1, len - 1);
	why = fuzz_decode(&schema, &id, rec, MAP + len - 1);
	/* The oracle asks the type's own check, which for tables is the module's. */
	if (schema.type == &kmdom_table_type &&
	    (why == KMDOM_REJECT_NONE || why == KMDOM_REJECT_CHECK))
		EXPECT_EQ(oracle_table(rec, MAP + len - 1), why == KMDOM_REJECT_NONE);
	unit_free(rec);
	return why;
}

/* A record of one object, with some of its bytes changed, or cut, or longer. */
static void seed(unsigned int why, u8 type, const char *payload, size_t len)
{
	u8 data[1 + 32 + 64 + KMDOM_TAG_SIZE] = { type, 1 };

	memcpy(data + 33, payload, len);
	fuzz_seed(why, data, 33 + len + KMDOM_TAG_SIZE);
}

#define SEED(why, type, payload) seed(KMDOM_REJECT_##why, type, payload, sizeof(payload) - 1)

static void seed_pages(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int type;

	for (type = 0; type < UNIT_NR_TYPES; type++) {
		unit_page_make(p, &unit_types[type]);
		p->rec[MAP - 1] = type;
		fuzz_seed(KMDOM_REJECT_NONE, p->rec + MAP - 1, p->len - MAP + 1);
		p->rec[MAP + 31] |= 0x80;
		if (p->schema.slots < KMDOM_SLOTS_PER_PAGE)
			fuzz_seed(KMDOM_REJECT_MAP, p->rec + MAP - 1, p->len - MAP + 1);
		unit_page_free(p);
	}
	unit_free(p);
}

/* One that is full, as no record of another type is: of every slot and all bytes. */
static void seed_full_table(void)
{
	static u8 data[1 + 32 + KMDOM_FRAME_SIZE + KMDOM_TAG_SIZE];
	unsigned int i;

	data[0] = TABLE;
	memset(data + 1, 0xff, 32);
	for (i = 0; i < KMDOM_TABLE_ENTRIES; i++)
		put_unaligned_le64(kmdom_entry_make(i % 3 ? KMDOM_PAGE_ABSENT : KMDOM_PAGE_LOST,
						    i, i + 1), data + 33 + 8 * i);
	fuzz_seed(KMDOM_REJECT_NONE, data, sizeof(data));
	data[33 + 8 * (KMDOM_TABLE_ENTRIES - 1)] ^= KMDOM_PAGE_PRESENT ^ KMDOM_PAGE_ABSENT;
	fuzz_seed(KMDOM_REJECT_CHECK, data, sizeof(data));
}

/* Pairs of entries: state in the lowest 3 bits, the value above the lowest 13. */
static void seed_tables(void)
{
	SEED(NONE, TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	SEED(NONE, TABLE, "\0\0\0\0\0\0\0\0\13\240\0\0\0\0\0\0");
	SEED(END, TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0");
	SEED(REST, TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	/* A pair that is empty, a page in a frame, no version, an unknown state, and so on. */
	SEED(CHECK, TABLE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\1\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\2\0\0\0\0\0\0\0\2\40\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\3\37\0\0\0\0\0\0\2\40\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\4\40\0\0\0\0\0\0\2\40\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\2\40\0\0\0\0\0\0\10\0\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
	seed_full_table();
}

static void seeds(void)
{
	static const u8 longest[KMDOM_RECORD_MAX + 2 - MAP];

	fuzz_seed(KMDOM_REJECT_LENGTH, longest, 0);
	fuzz_seed(KMDOM_REJECT_LENGTH, longest, 32 + KMDOM_TAG_SIZE);
	fuzz_seed(KMDOM_REJECT_LENGTH, longest, sizeof(longest));
	fuzz_seed(KMDOM_REJECT_REST, longest, sizeof(longest) - 1);
	seed_pages();
	/* small: mode, any, count, flags, next */
	SEED(NONE, 0, "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0");
	SEED(END, 0, "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0");
	SEED(REST, 0, "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0");
	SEED(RANGE, 0, "\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0");
	SEED(RANGE, 0, "\10\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0");
	SEED(REF, 0, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0");
	SEED(REF, 0, "\1\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0");
	/* data: bytes without the zeroes at their end */
	SEED(NONE, 2, "\2\0ab");
	SEED(END, 2, "\2");
	SEED(END, 2, "\2\0a");
	SEED(TRIM, 2, "\2\0a\0");
	SEED(COUNT, 2, "\1\20");
	/* edited: flags, nr, words */
	SEED(NONE, UNIT_CHECKED, "\3\0\0\200\10\0\0\0\1\0\0\0\2\0\0\0");
	SEED(FLAGS, UNIT_CHECKED, "\4\0\0\0\0\0\0\0");
	SEED(RANGE, UNIT_CHECKED, "\0\0\0\0\31\0\0\0");
	SEED(END, UNIT_CHECKED, "\0\0\0\0\10\0\0\0\1\0\0\0");
	SEED(CHECK, UNIT_CHECKED, "\0\0\0\0\1\0\0\0\1");
	SEED(CHECK, UNIT_CHECKED, "\0\0\0\0\10\0\0\0\2\0\0\0\1\0\0\0");
	seed_tables();
}

const struct fuzz_target fuzz_target = {
	.reasons = reasons, .nr_reasons = ARRAY_SIZE(reasons), .run = run, .seeds = seeds,
};
