// SPDX-License-Identifier: GPL-2.0
/*
 * page.c - pages of random objects, and what must come back of them
 *
 * The reference does not use the code it checks: it copies from object to
 * object what leaves, field by field, and knows no wire form.
 */
#include <linux/build_bug.h>
#include "unit.h"

/* The reference copies integers of any size into a u64. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

static u64 get_int(const struct kmdom_field *field, const u8 *obj)
{
	u64 value = 0;

	memcpy(&value, obj + field->offset, field->size);
	return value;
}

static void put_int(const struct kmdom_field *field, u8 *obj, u64 value)
{
	memcpy(obj + field->offset, &value, field->size);
}

/* The greatest value that the lengths measured by field @nr allow. */
static u64 length_limit(const struct kmdom_type *type, unsigned int nr)
{
	u64 limit = ~0ULL;
	unsigned int i;

	for (i = nr + 1; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];
		bool is_bytes = field->kind == KMDOM_FIELD_BYTES ||
				field->kind == KMDOM_FIELD_SECRET;

		if (is_bytes && field->len_field == nr && field->size < limit)
			limit = field->size;
	}
	return limit;
}

/* A value that is allowed; the boundaries are drawn often. */
static u64 random_int(const struct kmdom_type *type, unsigned int nr)
{
	const struct kmdom_field *field = &type->fields[nr];
	u64 min = field->min, max = field->max, limit = length_limit(type, nr);

	if (!min && !max)
		max = ~0ULL >> (64 - 8 * field->size);
	if (limit < max)
		max = limit > min ? limit : min;
	switch (unit_random_below(4)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		return max - min == ~0ULL ? unit_random() :
		       min + unit_random() % (max - min + 1);
	}
}

static void random_bytes(const struct kmdom_field *field, u8 *obj)
{
	unsigned int zeroes = unit_random_below(field->size + 1);

	unit_random_bytes(obj + field->offset, field->size);
	if (unit_random() & 1)
		memset(obj + field->offset + field->size - zeroes, 0, zeroes);
}

static void random_object(const struct kmdom_type *type, u8 *obj)
{
	unsigned int i;

	unit_random_bytes(obj, type->size);
	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];

		switch (field->kind) {
		case KMDOM_FIELD_INT:
			put_int(field, obj, random_int(type, i));
			break;
		case KMDOM_FIELD_FLAGS:
			put_int(field, obj, unit_random() & field->max);
			break;
		case KMDOM_FIELD_REF:
			put_int(field, obj, unit_random_below(4) == 0 ? 0 :
				kmdom_ref_make(1 + (unit_random() >> 29),
					       unit_random()));
			break;
		case KMDOM_FIELD_BYTES:
		case KMDOM_FIELD_SECRET:
			random_bytes(field, obj);
			break;
		}
	}
}

static void random_live(struct unit_page *p)
{
	unsigned int slot, of = unit_random_below(5);

	bitmap_zero(p->live, KMDOM_SLOTS_PER_PAGE);
	for (slot = 0; slot < p->schema.slots; slot++) {
		if (unit_random_below(4) < of)
			__set_bit(slot, p->live);
	}
}

void unit_page_make(struct unit_page *p, const struct kmdom_type *type)
{
	unsigned int slot;

	EXPECT_EQ(kmdom_schema_init(&p->schema, type), 0);
	unit_random_bytes(p->id.domain, sizeof(p->id.domain));
	p->id.index = unit_random() & KMDOM_INDEX_MAX;
	p->id.version = unit_random() & KMDOM_ENTRY_VALUE_MAX;
	p->id.level = unit_random_below(5);
	unit_random_bytes(p->page, sizeof(p->page));
	for (slot = 0; slot < p->schema.slots; slot++) {
		do {
			random_object(type, p->page + slot * type->size);
		} while (type->check && !type->check(p->page + slot * type->size));
	}
	random_live(p);
	p->rec = unit_alloc(KMDOM_RECORD_MAX);
	p->len = kmdom_record_encode(&p->schema, &p->id, p->page, p->live,
				     p->rec, KMDOM_RECORD_MAX);
}

void unit_page_free(struct unit_page *p)
{
	unit_free(p->rec);
}

/* Bytes of the field that leave, from its start. */
static size_t leaving(const struct kmdom_type *type,
		      const struct kmdom_field *field, const u8 *obj)
{
	switch (field->kind) {
	case KMDOM_FIELD_SOFT:
	case KMDOM_FIELD_KERNEL:
		return 0;
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		if (field->len_field < KMDOM_LEN_TRIM)
			return get_int(&type->fields[field->len_field], obj);
		return field->size;
	default:
		return field->size;
	}
}

static void keep_leaving(const struct kmdom_type *type, const u8 *from, u8 *to)
{
	unsigned int i;

	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];

		memcpy(to + field->offset, from + field->offset,
		       leaving(type, field, from));
	}
}

void unit_page_expected(const struct unit_page *p, u8 *page)
{
	const struct kmdom_type *type = p->schema.type;
	unsigned int slot;

	memset(page, 0, KMDOM_FRAME_SIZE);
	for_each_set_bit(slot, p->live, p->schema.slots) {
		size_t pos = slot * type->size;

		keep_leaving(type, p->page + pos, page + pos);
		if (type->restore)
			type->restore(page + pos);
	}
}

void unit_page_scramble(struct unit_page *p)
{
	const struct kmdom_type *type = p->schema.type;
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE);
	unsigned int slot;

	unit_random_bytes(page, KMDOM_FRAME_SIZE);
	for_each_set_bit(slot, p->live, p->schema.slots) {
		size_t pos = slot * type->size;

		keep_leaving(type, p->page + pos, page + pos);
	}
	memcpy(p->page, page, KMDOM_FRAME_SIZE);
	unit_free(page);
}
