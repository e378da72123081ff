// SPDX-License-Identifier: GPL-2.0
/*
 * header.c - what a header must be, by the words of the UAPI
 *
 * Shares nothing with the module: the one header that does is written down byte by
 * byte, and compared in the order that enum kmdom_reject promises.
 */
#include "fuzz.h"

const struct kmdom_record_id fuzz_ids[FUZZ_IDS] = {
	{ .domain = "0123456789abcde", .index = 1, .version = 1 },
	{ .domain = { [15] = 1 }, .index = KMDOM_INDEX_MAX,
	  .version = KMDOM_ENTRY_VALUE_MAX, .level = 3 },
};

const struct header_part header_parts[HEADER_PARTS] = {
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

void header_wanted(const struct kmdom_schema *schema, const struct kmdom_record_id *id,
		   const u8 *rec, size_t len, u8 *wanted)
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

unsigned int oracle_header(const struct kmdom_schema *schema,
			   const struct kmdom_record_id *id, const u8 *rec, size_t len)
{
	u8 wanted[sizeof(struct kmdom_record)];
	unsigned int i;

	if (len < sizeof(wanted) + KMDOM_TAG_SIZE || len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;
	header_wanted(schema, id, rec, len, wanted);
	for (i = 0; i < HEADER_PARTS; i++) {
		const struct header_part *part = &header_parts[i];

		if (memcmp(rec + part->at, wanted + part->at, part->size))
			return part->why;
	}
	return KMDOM_REJECT_NONE;
}
