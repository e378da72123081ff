// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - encode a page of objects to a record, check and decode a record
 *
 * One encoder and one decoder work from the schema for all types. Both refuse
 * the same values, so that what was exported can always be restored. The
 * decoder trusts nothing but the schema: even a record that is authentic is
 * checked at every step.
 */
#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "entry.h"
#include "record.h"

#define MAP_BYTES	sizeof_field(struct kmdom_record, map)
#define MAP_WORDS	(MAP_BYTES / sizeof(u64))

static_assert(MAP_BYTES * 8 == KMDOM_SLOTS_PER_PAGE);

/* What is left of a buffer, to be written or to be read. */
struct writer {
	u8 *pos;
	size_t left;
};

struct reader {
	const u8 *pos;
	size_t left;
};

static int write_bytes(struct writer *w, const void *src, size_t len)
{
	if (w->left < len)
		return -EMSGSIZE;
	memcpy(w->pos, src, len);
	w->pos += len;
	w->left -= len;
	return 0;
}

/* The lowest @size bytes of @value, the lowest first. */
static int write_int(struct writer *w, u64 value, size_t size)
{
	__le64 bytes = cpu_to_le64(value);

	return write_bytes(w, &bytes, size);
}

static int read_bytes(struct reader *r, void *dst, size_t len)
{
	if (r->left < len)
		return -EINVAL;
	memcpy(dst, r->pos, len);
	r->pos += len;
	r->left -= len;
	return 0;
}

static int read_int(struct reader *r, u64 *value, size_t size)
{
	__le64 bytes = 0;
	int ret;

	ret = read_bytes(r, &bytes, size);
	*value = le64_to_cpu(bytes);
	return ret;
}

/* Integers of objects: in host order, aligned (kmdom_schema_init() saw to it). */
static u64 object_int(const struct kmdom_field *field, const void *obj)
{
	const void *pos = obj + field->offset;

	switch (field->size) {
	case 1:
		return *(const u8 *)pos;
	case 2:
		return *(const u16 *)pos;
	case 4:
		return *(const u32 *)pos;
	default:
		return *(const u64 *)pos;
	}
}

static void object_set_int(const struct kmdom_field *field, void *obj,
			   u64 value)
{
	void *pos = obj + field->offset;

	switch (field->size) {
	case 1:
		*(u8 *)pos = value;
		break;
	case 2:
		*(u16 *)pos = value;
		break;
	case 4:
		*(u32 *)pos = value;
		break;
	default:
		*(u64 *)pos = value;
		break;
	}
}

/* May this integer or ref leave, or come back? */
static bool value_ok(const struct kmdom_field *field, u64 value)
{
	if (field->kind == KMDOM_FIELD_REF)
		return !value || kmdom_ref_valid(value);
	if (!field->min && !field->max)
		return true;
	return value >= field->min && value <= field->max;
}

/* Length without the zeroes at the end: by words, then by bytes. */
static size_t trimmed_len(const u8 *bytes, size_t len)
{
	while (len >= sizeof(u64) &&
	       !get_unaligned((const u64 *)(bytes + len - sizeof(u64))))
		len -= sizeof(u64);
	while (len && !bytes[len - 1])
		len--;
	return len;
}

/*
 * Length of a field that is not trimmed. In the decoder the integer that
 * tells it is already in @obj: it comes first.
 */
static int told_len(const struct kmdom_type *type,
		    const struct kmdom_field *field, const void *obj,
		    size_t *len)
{
	u64 told = field->size;

	if (field->len_field != KMDOM_LEN_ALL)
		told = object_int(&type->fields[field->len_field], obj);
	if (told > field->size)
		return -EINVAL;
	*len = told;
	return 0;
}

static int encode_bytes(const struct kmdom_type *type,
			const struct kmdom_field *field, const void *obj,
			struct writer *w)
{
	const void *bytes = obj + field->offset;
	size_t len;
	int ret;

	if (field->len_field == KMDOM_LEN_TRIM) {
		len = trimmed_len(bytes, field->size);
		ret = write_int(w, len, sizeof(__le16));
	} else {
		ret = told_len(type, field, obj, &len);
	}
	return ret ?: write_bytes(w, bytes, len);
}

/* There is one form for each content: a trimmed field does not end in zero. */
static int decode_bytes(const struct kmdom_type *type,
			const struct kmdom_field *field, void *obj,
			struct reader *r)
{
	u8 *bytes = obj + field->offset;
	size_t len;
	u64 told;
	int ret;

	if (field->len_field != KMDOM_LEN_TRIM) {
		ret = told_len(type, field, obj, &len);
		return ret ?: read_bytes(r, bytes, len);
	}
	ret = read_int(r, &told, sizeof(__le16));
	if (ret)
		return ret;
	if (told > field->size)
		return -EINVAL;
	ret = read_bytes(r, bytes, told);
	if (ret)
		return ret;
	return told && !bytes[told - 1] ? -EINVAL : 0;
}

static int encode_field(const struct kmdom_type *type,
			const struct kmdom_field *field, const void *obj,
			struct writer *w)
{
	u64 value;

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_REF:
		value = object_int(field, obj);
		if (!value_ok(field, value))
			return -EINVAL;
		return write_int(w, value, field->size);
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		return encode_bytes(type, field, obj, w);
	default:
		return 0;
	}
}

static int decode_field(const struct kmdom_type *type,
			const struct kmdom_field *field, void *obj,
			struct reader *r)
{
	u64 value;
	int ret;

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_REF:
		ret = read_int(r, &value, field->size);
		if (ret)
			return ret;
		if (!value_ok(field, value))
			return -EINVAL;
		object_set_int(field, obj, value);
		return 0;
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		return decode_bytes(type, field, obj, r);
	default:
		return 0;
	}
}

static int encode_object(const struct kmdom_type *type, const void *obj,
			 struct writer *w)
{
	unsigned int i;
	int ret;

	for (i = 0; i < type->nr_fields; i++) {
		ret = encode_field(type, &type->fields[i], obj, w);
		if (ret)
			return ret;
	}
	return 0;
}

static int decode_object(const struct kmdom_type *type, void *obj,
			 struct reader *r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < type->nr_fields; i++) {
		ret = decode_field(type, &type->fields[i], obj, r);
		if (ret)
			return ret;
	}
	return 0;
}

static void map_write(struct kmdom_record *rec, const unsigned long *live)
{
	u64 words[MAP_WORDS];
	unsigned int i;

	bitmap_to_arr64(words, live, KMDOM_SLOTS_PER_PAGE);
	for (i = 0; i < MAP_WORDS; i++)
		put_unaligned_le64(words[i], rec->map + i * sizeof(u64));
}

static void map_read(const struct kmdom_record *rec, unsigned long *live)
{
	u64 words[MAP_WORDS];
	unsigned int i;

	for (i = 0; i < MAP_WORDS; i++)
		words[i] = get_unaligned_le64(rec->map + i * sizeof(u64));
	bitmap_from_arr64(live, words, KMDOM_SLOTS_PER_PAGE);
}

/* Is no slot live that the page does not have? */
static bool live_ok(const struct kmdom_schema *schema,
		    const unsigned long *live)
{
	return find_next_bit(live, KMDOM_SLOTS_PER_PAGE, schema->slots) >=
	       KMDOM_SLOTS_PER_PAGE;
}

/* All of the header but the map, from what the kernel itself knows. */
static void header_fill(const struct kmdom_schema *schema,
			const struct kmdom_record_id *id,
			struct kmdom_record *rec, size_t len,
			unsigned int nr_live)
{
	rec->magic = cpu_to_le32(KMDOM_MAGIC_RECORD);
	rec->format = cpu_to_le16(KMDOM_RECORD_FORMAT);
	rec->policy = schema->type->policy;
	rec->level = id->level;
	rec->type = cpu_to_le64(schema->hash);
	memcpy(rec->domain, id->domain, sizeof(rec->domain));
	rec->index = cpu_to_le64(id->index);
	rec->version = cpu_to_le64(id->version);
	rec->length = cpu_to_le32(len);
	rec->slots = cpu_to_le16(schema->slots);
	rec->live = cpu_to_le16(nr_live);
	rec->reserved = 0;
}

/**
 * kmdom_record_encode - write the record of a page
 * @schema: of the page's type
 * @id: what the record is the record of
 * @page: KMDOM_FRAME_SIZE bytes of objects; may be read by others meanwhile,
 *	but nobody changes fields that leave
 * @live: KMDOM_SLOTS_PER_PAGE bits: which slots are live
 * @buf: out: the record, not sealed; aligned to 8 bytes
 * @size: of @buf; KMDOM_RECORD_MAX is enough for any record
 *
 * Every byte of the record comes from the schema, @id, or a field that may
 * leave. The room for the tag, at the end, is zeroed.
 *
 * Context: any.
 * Return: length of the record with the tag; -EINVAL if an object holds what
 * its type forbids; -EMSGSIZE if @buf is too small.
 */
int kmdom_record_encode(const struct kmdom_schema *schema,
			const struct kmdom_record_id *id, const void *page,
			const unsigned long *live, void *buf, size_t size)
{
	const struct kmdom_type *type = schema->type;
	struct kmdom_record *rec = buf;
	struct writer w;
	unsigned int slot;
	size_t len;
	int ret;

	if (!live_ok(schema, live))
		return -EINVAL;
	if (size < KMDOM_RECORD_MIN)
		return -EMSGSIZE;

	w.pos = buf + sizeof(*rec);
	w.left = size - KMDOM_RECORD_MIN;
	for_each_set_bit(slot, live, schema->slots) {
		ret = encode_object(type, page + slot * type->size, &w);
		if (ret)
			return ret;
	}
	memset(w.pos, 0, KMDOM_TAG_SIZE);

	len = size - w.left;
	map_write(rec, live);
	header_fill(schema, id, rec, len,
		    bitmap_weight(live, KMDOM_SLOTS_PER_PAGE));
	return len;
}

/* Is this a record at all, of a format that is known? */
static bool format_ok(const struct kmdom_record *rec)
{
	return le32_to_cpu(rec->magic) == KMDOM_MAGIC_RECORD &&
	       le16_to_cpu(rec->format) == KMDOM_RECORD_FORMAT &&
	       !rec->reserved;
}

/* Is it of that page, whatever that page holds? */
static bool identity_ok(const struct kmdom_record *rec,
			const struct kmdom_record_id *expected)
{
	return !memcmp(rec->domain, expected->domain, sizeof(rec->domain)) &&
	       rec->level == expected->level &&
	       le64_to_cpu(rec->index) == expected->index;
}

/* Is it a record of the type, of @len bytes? */
static bool header_ok(const struct kmdom_schema *schema,
		      const struct kmdom_record *rec, size_t len,
		      const unsigned long *live)
{
	if (rec->policy != schema->type->policy ||
	    le64_to_cpu(rec->type) != schema->hash ||
	    le16_to_cpu(rec->slots) != schema->slots)
		return false;
	return live_ok(schema, live) &&
	       le16_to_cpu(rec->live) ==
			bitmap_weight(live, KMDOM_SLOTS_PER_PAGE) &&
	       le32_to_cpu(rec->length) == len;
}

/**
 * kmdom_record_check - compare a received header with the kernel's own
 * @schema: of the type that the page must have
 * @expected: what the record must be the record of
 * @buf: the record, in memory that the pager cannot reach; aligned to 8 bytes
 * @len: its length
 *
 * Tells the pager what is wrong before anything is decrypted. What it lets
 * pass is written anew, all but the map, from @schema, @expected and @len, so
 * that only the kernel's own word is authenticated afterwards.
 *
 * Context: any.
 * Return: 0; -EINVAL if it is no record; -EXDEV if it is one of another domain or
 * page, of whatever type; -EINVAL if it is none of that type; -ESTALE if it is
 * one of another version.
 */
int kmdom_record_check(const struct kmdom_schema *schema,
		       const struct kmdom_record_id *expected,
		       void *buf, size_t len)
{
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_record *rec = buf;

	if (len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX)
		return -EINVAL;
	if (!format_ok(rec))
		return -EINVAL;
	if (!identity_ok(rec, expected))
		return -EXDEV;
	map_read(rec, live);
	if (!header_ok(schema, rec, len, live))
		return -EINVAL;
	if (le64_to_cpu(rec->version) != expected->version)
		return -ESTALE;

	header_fill(schema, expected, rec, len,
		    bitmap_weight(live, KMDOM_SLOTS_PER_PAGE));
	return 0;
}

static int decode_objects(const struct kmdom_schema *schema,
			  const void *buf, size_t len, void *page,
			  const unsigned long *live)
{
	const struct kmdom_type *type = schema->type;
	struct reader r = {
		.pos = buf + sizeof(struct kmdom_record),
		.left = len - KMDOM_RECORD_MIN,
	};
	unsigned int slot;
	int ret;

	if (!live_ok(schema, live))
		return -EINVAL;
	for_each_set_bit(slot, live, schema->slots) {
		ret = decode_object(type, page + slot * type->size, &r);
		if (ret)
			return ret;
	}
	return r.left ? -EINVAL : 0;
}

/**
 * kmdom_record_decode - write the objects of a record to a page
 * @schema: of the page's type
 * @buf: the record, that kmdom_record_check() let pass and that is authentic;
 *	aligned to 8 bytes
 * @len: its length
 * @page: out: KMDOM_FRAME_SIZE bytes that nobody else uses; all zeroes if the
 *	record is refused
 * @live: out: KMDOM_SLOTS_PER_PAGE bits: which slots are live
 *
 * The type's restore() is called for each live object, when all are there.
 *
 * Context: any that the type's restore() can stand.
 * Return: 0; -EINVAL if the payload is malformed.
 */
int kmdom_record_decode(const struct kmdom_schema *schema, const void *buf,
			size_t len, void *page, unsigned long *live)
{
	const struct kmdom_type *type = schema->type;
	unsigned int slot;
	int ret = -EINVAL;

	memset(page, 0, KMDOM_FRAME_SIZE);
	bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
	if (len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX)
		return ret;

	map_read(buf, live);
	ret = decode_objects(schema, buf, len, page, live);
	if (ret) {
		memset(page, 0, KMDOM_FRAME_SIZE);
		bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
		return ret;
	}
	if (type->restore) {
		for_each_set_bit(slot, live, schema->slots)
			type->restore(page + slot * type->size);
	}
	return 0;
}
