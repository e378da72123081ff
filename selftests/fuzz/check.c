// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - target: kmdom_record_check() on any header
 *
 * An input is the number of a type, that of an identity, and a record.
 */
#include "fuzz.h"

static const char *const reasons[] = {
	[KMDOM_REJECT_NONE] = "NONE", [KMDOM_REJECT_LENGTH] = "LENGTH",
	[KMDOM_REJECT_MAGIC] = "MAGIC", [KMDOM_REJECT_FORMAT] = "FORMAT",
	[KMDOM_REJECT_RESERVED] = "RESERVED", [KMDOM_REJECT_DOMAIN] = "DOMAIN",
	[KMDOM_REJECT_LEVEL] = "LEVEL", [KMDOM_REJECT_INDEX] = "INDEX",
	[KMDOM_REJECT_POLICY] = "POLICY", [KMDOM_REJECT_TYPE] = "TYPE",
	[KMDOM_REJECT_SLOTS] = "SLOTS", [KMDOM_REJECT_MAP] = "MAP",
	[KMDOM_REJECT_LIVE] = "LIVE", [KMDOM_REJECT_SIZE] = "SIZE",
	[KMDOM_REJECT_VERSION] = "VERSION",
};

/* The record is left as it came, refused or not: it is as the kernel wrote it. */
static unsigned int run(const u8 *data, size_t len)
{
	const struct kmdom_record_id *id;
	struct kmdom_schema schema;
	unsigned int why;
	u8 *rec;

	if (len < 2)
		return KMDOM_REJECT_LENGTH;
	EXPECT_EQ(kmdom_schema_init(&schema, &unit_types[data[0] % UNIT_NR_TYPES]), 0);
	id = &fuzz_ids[data[1] % FUZZ_IDS];
	data += 2;
	len -= 2;
	rec = unit_alloc(len + !len);
	memcpy(rec, data, len);
	why = kmdom_record_check(&schema, id, rec, len);
	EXPECT_EQ(why, oracle_header(&schema, id, data, len));
	EXPECT(!memcmp(rec, data, len));
	unit_free(rec);
	return why;
}

static void seed(unsigned int why, const u8 *input, const u8 *rec, size_t len)
{
	u8 data[2 + KMDOM_RECORD_MIN];

	memcpy(data, input, 2);
	memcpy(data + 2, rec, len);
	fuzz_seed(why, data, 2 + len);
}

/* A good record, then one for each part of it that is not as it should be. */
static void seed_type(u8 type, u8 nr)
{
	u8 rec[KMDOM_RECORD_MIN] __aligned(8), input[2] = { type, nr };
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE) = {};
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE);
	struct kmdom_schema schema;
	unsigned int i;

	EXPECT_EQ(kmdom_schema_init(&schema, &unit_types[type]), 0);
	EXPECT_EQ(kmdom_record_encode(&schema, &fuzz_ids[nr], page, live, rec, sizeof(rec)),
		  sizeof(rec));
	seed(KMDOM_REJECT_NONE, input, rec, sizeof(rec));
	seed(KMDOM_REJECT_LENGTH, input, rec, sizeof(rec) - 1);
	for (i = 0; i < HEADER_PARTS; i++) {
		u8 *last = rec + header_parts[i].at + header_parts[i].size - 1;

		if (header_parts[i].why == KMDOM_REJECT_MAP &&
		    schema.slots == KMDOM_SLOTS_PER_PAGE)
			continue;
		*last ^= 0x80;
		seed(header_parts[i].why, input, rec, sizeof(rec));
		*last ^= 0x80;
	}
	unit_free(page);
}

static void seeds(void)
{
	static const u8 longest[2 + KMDOM_RECORD_MAX + 1];

	fuzz_seed(KMDOM_REJECT_LENGTH, longest, 0);
	fuzz_seed(KMDOM_REJECT_LENGTH, longest, sizeof(longest));
	fuzz_seed(KMDOM_REJECT_MAGIC, longest, sizeof(longest) - 1);
	seed_type(0, 0);
	seed_type(1, 1);
	seed_type(UNIT_CHECKED, 1);
}

const struct fuzz_target fuzz_target = {
	.reasons = reasons, .nr_reasons = ARRAY_SIZE(reasons), .run = run, .seeds = seeds,
};
