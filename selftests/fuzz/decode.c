// SPDX-License-Identifier: GPL-2.0
/*
 * decode.c - target: kmdom_record_decode() on any map and payload
 *
 * An input is the number of a type, then a record from its map on. What comes
 * before the map the decoder does not look at.
 */
#include "fuzz.h"

#define MAP	offsetof(struct kmdom_record, map)

static const char *const reasons[] = {
	[KMDOM_REJECT_NONE] = "NONE", [KMDOM_REJECT_LENGTH] = "LENGTH",
	[KMDOM_REJECT_MAP] = "MAP", [KMDOM_REJECT_END] = "END",
	[KMDOM_REJECT_RANGE] = "RANGE", [KMDOM_REJECT_FLAGS] = "FLAGS",
	[KMDOM_REJECT_REF] = "REF", [KMDOM_REJECT_COUNT] = "COUNT",
	[KMDOM_REJECT_TRIM] = "TRIM", [KMDOM_REJECT_REST] = "REST",
	[KMDOM_REJECT_CHECK] = "CHECK",
};

static unsigned int run(const u8 *data, size_t len)
{
	struct kmdom_record_id id = {};
	struct kmdom_schema schema;
	unsigned int why;
	u8 *rec;

	if (!len)
		return KMDOM_REJECT_LENGTH;
	EXPECT_EQ(kmdom_schema_init(&schema, &unit_types[data[0] % UNIT_NR_TYPES]), 0);
	rec = unit_alloc(MAP + len - 1);
	memcpy(rec + MAP, data + 1, len - 1);
	why = fuzz_decode(&schema, &id, rec, MAP + len - 1);
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
}

const struct fuzz_target fuzz_target = {
	.reasons = reasons, .nr_reasons = ARRAY_SIZE(reasons), .run = run, .seeds = seeds,
};
