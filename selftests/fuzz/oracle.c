// SPDX-License-Identifier: GPL-2.0
/*
 * oracle.c - what a payload is worth, and an object, by the words of record.h
 *
 * Shares nothing with the decoder: it goes through bytes by their numbers, and
 * keeps the values of a record's fields instead of looking them up in the object.
 */
#include "fuzz.h"

#define HEADER	sizeof(struct kmdom_record)

static u64 little_endian(const u8 *bytes, unsigned int size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static bool is_bytes(const struct kmdom_field *field)
{
	return field->kind == KMDOM_FIELD_BYTES || field->kind == KMDOM_FIELD_SECRET;
}

static bool leaves(const struct kmdom_field *field)
{
	return field->kind != KMDOM_FIELD_SOFT && field->kind != KMDOM_FIELD_KERNEL;
}

/* Page 0 holds no object; of a ref, the bits above the index are 0. */
static unsigned int judge_value(const struct kmdom_field *field, u64 value)
{
	switch (field->kind) {
	case KMDOM_FIELD_REF:
		return value && (value < 256 || value >= 1ULL << 44) ? KMDOM_REJECT_REF : 0;
	case KMDOM_FIELD_FLAGS:
		return (value | field->max) != field->max ? KMDOM_REJECT_FLAGS : 0;
	default:
		if (field->max == 0)
			return 0;
		return value < field->min || value > field->max ? KMDOM_REJECT_RANGE : 0;
	}
}

/* An object from the payload at *@at, of which @end is the end. */
static unsigned int read_object(const struct kmdom_type *type, const u8 *rec, size_t *at,
				size_t end, u8 *obj)
{
	u64 values[KMDOM_FIELDS_MAX] = {};
	unsigned int i, why;

	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];
		u64 len = field->size;
		bool trim = is_bytes(field) && field->len_field == KMDOM_LEN_TRIM;

		if (!leaves(field))
			continue;
		if (trim) {
			if (end - *at < 2)
				return KMDOM_REJECT_END;
			len = little_endian(rec + *at, 2);
			*at += 2;
		} else if (is_bytes(field) && field->len_field != KMDOM_LEN_ALL) {
			len = values[field->len_field];
		}
		if (len > field->size)
			return KMDOM_REJECT_COUNT;
		if (end - *at < len)
			return KMDOM_REJECT_END;
		if (trim && len && !rec[*at + len - 1])
			return KMDOM_REJECT_TRIM;
		if (!is_bytes(field)) {
			values[i] = little_endian(rec + *at, len);
			why = judge_value(field, values[i]);
			if (why)
				return why;
		}
		/* This machine is little-endian as records are: see page.c. */
		memcpy(obj + field->offset, rec + *at, len);
		*at += len;
	}
	return type->check && !type->check(obj) ? KMDOM_REJECT_CHECK : 0;
}

/**
 * oracle_decode - what a decoder must make of a record
 * @type: of its page
 * @rec: the record
 * @len: its length
 * @page: out, if it is good: the objects
 *
 * Return: enum kmdom_reject.
 */
unsigned int oracle_decode(const struct kmdom_type *type, const u8 *rec, size_t len,
			   u8 *page)
{
	const u8 *map = rec + offsetof(struct kmdom_record, map);
	size_t at = HEADER, end = len - KMDOM_TAG_SIZE;
	unsigned int slots = KMDOM_FRAME_SIZE / type->size, slot, why;

	if (len < HEADER + KMDOM_TAG_SIZE || len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;
	memset(page, 0, KMDOM_FRAME_SIZE);
	for (slot = slots; slot < 256; slot++) {
		if (map[slot / 8] & 1 << slot % 8)
			return KMDOM_REJECT_MAP;
	}
	for (slot = 0; slot < slots; slot++) {
		if (!(map[slot / 8] & 1 << slot % 8))
			continue;
		why = read_object(type, rec, &at, end, page + slot * type->size);
		if (why)
			return why;
	}
	if (at != end)
		return KMDOM_REJECT_REST;
	for (slot = 0; type->restore && slot < slots; slot++) {
		if (map[slot / 8] & 1 << slot % 8)
			type->restore(page + slot * type->size);
	}
	return KMDOM_REJECT_NONE;
}

/**
 * oracle_object - may an object leave?
 * @type: its type
 * @obj: the object
 *
 * Return: whether all of its fields hold what the type allows.
 */
bool oracle_object(const struct kmdom_type *type, const u8 *obj)
{
	u64 values[KMDOM_FIELDS_MAX] = {};
	unsigned int i;

	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];

		if (!leaves(field))
			continue;
		if (!is_bytes(field)) {
			values[i] = little_endian(obj + field->offset, field->size);
			if (judge_value(field, values[i]))
				return false;
		} else if (field->len_field < KMDOM_LEN_TRIM &&
			   values[field->len_field] > field->size) {
			return false;
		}
	}
	return !type->check || type->check(obj);
}

/* An entry is empty, or of what is in no frame, and then it has a version or errno. */
static bool is_entry(u64 entry)
{
	return !entry || ((entry % 8 == KMDOM_PAGE_ABSENT || entry % 8 == KMDOM_PAGE_LOST) &&
			  entry >= 1 << 13);
}

/**
 * oracle_table - may its live pairs be a table's?
 * @rec: a record of a table, whose pairs were looked at
 * @len: its length
 *
 * Return: whether each is of entries that may leave, and not both are empty.
 */
bool oracle_table(const u8 *rec, size_t len)
{
	const u8 *map = rec + offsetof(struct kmdom_record, map);
	unsigned int slot;
	size_t at = HEADER;

	for (slot = 0; slot < 256; slot++) {
		u64 first, second;

		if (!(map[slot / 8] & 1 << slot % 8))
			continue;
		/* One that is refused may end behind the pair that it is refused for. */
		if (len - KMDOM_TAG_SIZE - at < 16)
			break;
		first = little_endian(rec + at, 8);
		second = little_endian(rec + at + 8, 8);
		if (!is_entry(first) || !is_entry(second) || (!first && !second))
			return false;
		at += 16;
	}
	return true;
}

unsigned int fuzz_decode(const struct kmdom_schema *schema,
			 const struct kmdom_record_id *id, const u8 *rec, size_t len)
{
	u8 *copy = unit_alloc(len + !len), *again = unit_alloc(KMDOM_RECORD_MAX);
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE), *wanted = unit_alloc(KMDOM_FRAME_SIZE);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	unsigned int why;

	memcpy(copy, rec, len);
	memset(page, 0, KMDOM_FRAME_SIZE);
	memset(live, 0xaa, sizeof(live));
	why = kmdom_record_decode(schema, copy, len, page, live);
	EXPECT(!memcmp(copy, rec, len));
	EXPECT_EQ(why, oracle_decode(schema->type, copy, len, wanted));
	if (why) {
		EXPECT(unit_is_zero(page, KMDOM_FRAME_SIZE));
		EXPECT(unit_is_zero(live, sizeof(live)));
	} else {
		const size_t map = offsetof(struct kmdom_record, map);

		EXPECT(!memcmp(page, wanted, KMDOM_FRAME_SIZE));
		EXPECT_EQ(kmdom_record_encode(schema, id, page, live, again,
					      KMDOM_RECORD_MAX), len);
		EXPECT(!memcmp(again + map, copy + map, len - map - KMDOM_TAG_SIZE));
	}
	unit_free(copy);
	unit_free(again);
	unit_free(page);
	unit_free(wanted);
	return why;
}
