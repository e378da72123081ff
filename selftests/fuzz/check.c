// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - target: kmdom_record_check() on any header
 *
 * An input is the number of a type, that of an identity, and a record. The header
 * that would do is written down here byte by byte, and compared in the order that
 * enum kmdom_reject promises.
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

static const struct kmdom_record_id ids[] = {
	{ .domain = "0123456789abcde", .index = 1, .version = 1 },
	{ .domain = { [15] = 1 }, .index = KMDOM_INDEX_MAX,
	  .version = KMDOM_ENTRY_VALUE_MAX, .level = 3 },
};

/* Where the parts of a header lie, by the reason that they are compared for. */
static const struct {
	unsigned int why, at, size;
} parts[] = {
	{ KMDOM_REJECT_MAGIC, 0, 4 }, { KMDOM_REJECT_FORMAT, 4, 2 },
	{ KMDOM_REJECT_RESERVED, 56, 8 }, { KMDOM_REJECT_DOMAIN, 16, 16 },
	{ KMDOM_REJECT_LEVEL, 7, 1 }, { KMDOM_REJECT_INDEX, 32, 8 },
	{ KMDOM_REJECT_POLICY, 6, 1 }, { KMDOM_REJECT_TYPE, 8, 8 },
	{ KMDOM_REJECT_SLOTS, 52, 2 }, { KMDOM_REJECT_MAP, 64, 32 },
	{ KMDOM_REJECT_LIVE, 54, 2 }, { KMDOM_REJECT_SIZE, 48, 4 },
	{ KMDOM_REJECT_VERSION, 40, 8 },
};

static void put(u8 *to, u64 value, unsigned int size)
{
	for (; size; size--, value >>= 8)
		*to++ = value;
}

/* The one header that does for this record; slots that do not exist are cleared. */
static void header_wanted(const struct kmdom_schema *schema,
			  const struct kmdom_record_id *id, const u8 *rec, size_t len,
			  u8 *wanted)
{
	unsigned int slots = KMDOM_FRAME_SIZE / schema->type->size, slot, live = 0;
	bool checked = schema->type->policy == KMDOM_POLICY_CHECKED;

	memset(wanted, 0, sizeof(struct kmdom_record));
	memcpy(wanted, "kdom\2", 5);
	wanted[6] = schema->type->policy;
	wanted[7] = id->level;
	put(wanted + 8, schema->hash, 8);
	memcpy(wanted + 16, id->domain, 16);
	put(wanted + 32, id->index, 8);
	put(wanted + 40, id->version, 8);
	put(wanted + 48, checked ? 0 : len, 4);
	put(wanted + 52, slots, 2);
	for (slot = 0; slot < slots; slot++) {
		unsigned int bit = rec[64 + slot / 8] & 1 << slot % 8;

		wanted[64 + slot / 8] |= bit;
		live += !!bit;
	}
	put(wanted + 54, live, 2);
}

static unsigned int oracle(const struct kmdom_schema *schema,
			   const struct kmdom_record_id *id, const u8 *rec, size_t len)
{
	u8 wanted[sizeof(struct kmdom_record)];
	unsigned int i;

	if (len < sizeof(wanted) + KMDOM_TAG_SIZE || len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;
	header_wanted(schema, id, rec, len, wanted);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (memcmp(rec + parts[i].at, wanted + parts[i].at, parts[i].size))
			return parts[i].why;
	}
	return KMDOM_REJECT_NONE;
}

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
	id = &ids[data[1] % ARRAY_SIZE(ids)];
	data += 2;
	len -= 2;
	rec = unit_alloc(len + !len);
	memcpy(rec, data, len);
	why = kmdom_record_check(&schema, id, rec, len);
	EXPECT_EQ(why, oracle(&schema, id, data, len));
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
	EXPECT_EQ(kmdom_record_encode(&schema, &ids[nr], page, live, rec, sizeof(rec)),
		  sizeof(rec));
	seed(KMDOM_REJECT_NONE, input, rec, sizeof(rec));
	seed(KMDOM_REJECT_LENGTH, input, rec, sizeof(rec) - 1);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		u8 *last = rec + parts[i].at + parts[i].size - 1;

		if (parts[i].why == KMDOM_REJECT_MAP && schema.slots == KMDOM_SLOTS_PER_PAGE)
			continue;
		*last ^= 0x80;
		seed(parts[i].why, input, rec, sizeof(rec));
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
