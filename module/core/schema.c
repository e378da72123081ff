// SPDX-License-Identifier: GPL-2.0
/*
 * schema.c - check a client's type, and hash what makes it
 *
 * All that the encoder and the decoder rely on is checked here, once: that
 * fields lie inside their object and apart, that integers and refs are
 * aligned, that lengths come before what they measure, and that the longest
 * record of a page fits the pager's buffer.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include "schema.h"

/*
 * FNV-1a, 64 bits: Fowler, Noll and Vo, http://www.isthe.com/chongo/tech/comp/fnv/
 * Types come from kernel code, so nobody searches for collisions.
 */
#define FNV64_BASIS	0xcbf29ce484222325ULL
#define FNV64_PRIME	0x00000100000001b3ULL

static u64 hash_bytes(u64 hash, const void *data, size_t len)
{
	const u8 *byte = data;

	while (len--) {
		hash ^= *byte++;
		hash *= FNV64_PRIME;
	}
	return hash;
}

/* The lowest byte first, whatever this machine's order is. */
static u64 hash_u64(u64 hash, u64 value)
{
	unsigned int i;

	for (i = 0; i < 64; i += 8) {
		u8 byte = value >> i;

		hash = hash_bytes(hash, &byte, 1);
	}
	return hash;
}

/* The final NUL ends a name, so that no two lists of names look alike. */
static u64 hash_name(u64 hash, const char *name)
{
	if (!name)
		name = "";
	return hash_bytes(hash, name, strlen(name) + 1);
}

static u64 schema_hash(const struct kmdom_type *type)
{
	u64 hash = FNV64_BASIS;
	unsigned int i;

	hash = hash_name(hash, type->name);
	hash = hash_u64(hash, type->size);
	hash = hash_u64(hash, type->policy);
	hash = hash_u64(hash, type->nr_fields);
	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];

		hash = hash_name(hash, field->name);
		hash = hash_u64(hash, field->offset);
		hash = hash_u64(hash, field->size);
		hash = hash_u64(hash, field->kind);
		hash = hash_u64(hash, field->len_field);
		hash = hash_name(hash, field->ref_type);
		hash = hash_u64(hash, field->flags);
		hash = hash_u64(hash, field->min);
		hash = hash_u64(hash, field->max);
	}
	return hash;
}

/* Printable ASCII, 1 to @size - 1 characters. */
static bool name_ok(const char *name, size_t size)
{
	size_t len, i;

	if (!name)
		return false;
	len = strnlen(name, size);
	if (!len || len == size)
		return false;
	for (i = 0; i < len; i++) {
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	}
	return true;
}

static bool int_ok(const struct kmdom_field *field)
{
	switch (field->size) {
	case 1:
	case 2:
	case 4:
		if (field->max >> (8 * field->size))
			return false;
		break;
	case 8:
		break;
	default:
		return false;
	}
	return field->offset % field->size == 0 && field->min <= field->max;
}

static bool ref_ok(const struct kmdom_field *field)
{
	if (field->size != sizeof(kmdom_ref) ||
	    field->offset % sizeof(kmdom_ref))
		return false;
	return !field->ref_type || name_ok(field->ref_type, KMDOM_TYPE_MAX);
}

/* A length is an integer that the decoder has read before the bytes. */
static bool length_ok(const struct kmdom_type *type, unsigned int nr)
{
	unsigned int len_field = type->fields[nr].len_field;

	if (len_field == KMDOM_LEN_ALL || len_field == KMDOM_LEN_TRIM)
		return true;
	return len_field < nr && type->fields[len_field].kind == KMDOM_FIELD_INT;
}

static bool kind_ok(const struct kmdom_type *type, unsigned int nr)
{
	const struct kmdom_field *field = &type->fields[nr];

	switch (field->kind) {
	case KMDOM_FIELD_INT:
		return int_ok(field);
	case KMDOM_FIELD_FLAGS:
		return int_ok(field) && !field->min;
	case KMDOM_FIELD_REF:
		return ref_ok(field);
	case KMDOM_FIELD_SECRET:
		return (type->policy == KMDOM_POLICY_SEALED ||
			type->policy == KMDOM_POLICY_DISCARD) &&
		       length_ok(type, nr);
	case KMDOM_FIELD_BYTES:
		return length_ok(type, nr);
	case KMDOM_FIELD_SOFT:
	case KMDOM_FIELD_KERNEL:
		return true;
	default:
		return false;
	}
}

/* What a kind does not use is zero: a value there is a mistake. */
static bool unused_zero(const struct kmdom_field *field)
{
	bool is_bytes = field->kind == KMDOM_FIELD_BYTES ||
			field->kind == KMDOM_FIELD_SECRET;
	bool is_int = field->kind == KMDOM_FIELD_INT ||
		      field->kind == KMDOM_FIELD_FLAGS;

	if (!is_int && (field->min || field->max))
		return false;
	if (field->kind != KMDOM_FIELD_REF && field->ref_type)
		return false;
	return is_bytes || !field->len_field;
}

/* Inside the object, and apart from all the fields before it. */
static bool place_ok(const struct kmdom_type *type, unsigned int nr)
{
	const struct kmdom_field *field = &type->fields[nr];
	unsigned int i;

	if (!field->size || field->offset + field->size > type->size)
		return false;
	for (i = 0; i < nr; i++) {
		const struct kmdom_field *other = &type->fields[i];

		if (field->offset < other->offset + other->size &&
		    other->offset < field->offset + field->size)
			return false;
	}
	return true;
}

/* What grants authority is nothing that a pager may edit. */
static bool authority_ok(const struct kmdom_type *type,
			 const struct kmdom_field *field)
{
	if (field->flags & ~KMDOM_FIELDF_AUTHORITY)
		return false;
	return !(field->flags & KMDOM_FIELDF_AUTHORITY) ||
	       type->policy != KMDOM_POLICY_CHECKED;
}

static bool field_ok(const struct kmdom_type *type, unsigned int nr)
{
	const struct kmdom_field *field = &type->fields[nr];

	return name_ok(field->name, KMDOM_FIELD_NAME_MAX) &&
	       place_ok(type, nr) && unused_zero(field) && kind_ok(type, nr) &&
	       authority_ok(type, field);
}

/* Most bytes of payload that the field can take. */
static unsigned int field_wire_max(const struct kmdom_field *field)
{
	switch (field->kind) {
	case KMDOM_FIELD_SOFT:
	case KMDOM_FIELD_KERNEL:
		return 0;
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		if (field->len_field == KMDOM_LEN_TRIM)
			return sizeof(__le16) + field->size;
		return field->size;
	default:
		return field->size;
	}
}

/**
 * kmdom_schema_init - check a type and make its schema
 * @schema: out: the schema; unchanged if the type is refused
 * @type: the client's; must live as long as @schema
 *
 * Context: any.
 * Return: 0; -EINVAL for anything that a type may not be.
 */
int kmdom_schema_init(struct kmdom_schema *schema,
		      const struct kmdom_type *type)
{
	unsigned int slots, wire_max = 0, i;

	if (!type || !name_ok(type->name, KMDOM_TYPE_MAX))
		return -EINVAL;
	if (type->size < KMDOM_OBJECT_MIN || type->size > KMDOM_FRAME_SIZE ||
	    type->size % 8)
		return -EINVAL;
	if (type->policy > KMDOM_POLICY_SEALED)
		return -EINVAL;
	if (type->nr_fields > KMDOM_FIELDS_MAX ||
	    (type->nr_fields && !type->fields))
		return -EINVAL;

	for (i = 0; i < type->nr_fields; i++) {
		if (!field_ok(type, i))
			return -EINVAL;
		wire_max += field_wire_max(&type->fields[i]);
	}
	slots = KMDOM_FRAME_SIZE / type->size;
	if (slots * wire_max + sizeof(struct kmdom_record) + KMDOM_TAG_SIZE >
	    KMDOM_RECORD_MAX)
		return -EINVAL;

	*schema = (struct kmdom_schema) {
		.type = type,
		.hash = schema_hash(type),
		.slots = slots,
		.wire_max = wire_max,
	};
	return 0;
}
