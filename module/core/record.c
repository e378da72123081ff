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
	const u8 *record;
	struct kmdom_record_where at;
};

/* The next @len bytes of what is written, or NULL: there is no room for them. */
static u8 *put_bytes(struct writer *w, size_t len)
{
	u8 *pos = w->pos;

	if (w->left < len)
		return NULL;
	w->pos += len;
	w->left -= len;
	return pos;
}

/* The next @len bytes of what is read, or NULL: they are not there. */
static const u8 *take_bytes(struct reader *r, size_t len)
{
	const u8 *pos = r->pos;

	if (r->left < len)
		return NULL;
	r->pos += len;
	r->left -= len;
	return pos;
}

/* A page is copied as a whole: the compiler makes one instruction of that. */
static void copy_bytes(void *dst, const void *src, size_t len)
{
	if (len == KMDOM_FRAME_SIZE)
		memcpy(dst, src, KMDOM_FRAME_SIZE);
	else
		memcpy(dst, src, len);
}

static int write_bytes(struct writer *w, const void *src, size_t len)
{
	u8 *pos = put_bytes(w, len);

	if (!pos)
		return -EMSGSIZE;
	copy_bytes(pos, src, len);
	return 0;
}

/* The lowest @size bytes of @value, the lowest first. */
static int write_int(struct writer *w, u64 value, size_t size)
{
	__le64 bytes = cpu_to_le64(value);
	u8 *pos = put_bytes(w, size);

	if (!pos)
		return -EMSGSIZE;
	memcpy(pos, &bytes, size);
	return 0;
}

static enum kmdom_reject read_bytes(struct reader *r, void *dst, size_t len)
{
	const u8 *pos = take_bytes(r, len);

	if (!pos)
		return KMDOM_REJECT_END;
	copy_bytes(dst, pos, len);
	return KMDOM_REJECT_NONE;
}

static enum kmdom_reject read_int(struct reader *r, u64 *value, size_t size)
{
	const u8 *pos = take_bytes(r, size);
	__le64 bytes = 0;

	if (!pos)
		return KMDOM_REJECT_END;
	memcpy(&bytes, pos, size);
	*value = le64_to_cpu(bytes);
	return KMDOM_REJECT_NONE;
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
static enum kmdom_reject value_check(const struct kmdom_field *field, u64 value)
{
	switch (field->kind) {
	case KMDOM_FIELD_REF:
		return !value || kmdom_ref_valid(value) ? KMDOM_REJECT_NONE :
							  KMDOM_REJECT_REF;
	case KMDOM_FIELD_FLAGS:
		return value & ~field->max ? KMDOM_REJECT_FLAGS :
					     KMDOM_REJECT_NONE;
	default:
		if (!field->min && !field->max)
			return KMDOM_REJECT_NONE;
		return value >= field->min && value <= field->max ?
		       KMDOM_REJECT_NONE : KMDOM_REJECT_RANGE;
	}
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
static enum kmdom_reject told_len(const struct kmdom_type *type,
				  const struct kmdom_field *field,
				  const void *obj, size_t *len)
{
	u64 told = field->size;

	if (field->len_field != KMDOM_LEN_ALL)
		told = object_int(&type->fields[field->len_field], obj);
	if (told > field->size)
		return KMDOM_REJECT_COUNT;
	*len = told;
	return KMDOM_REJECT_NONE;
}

static int encode_bytes(const struct kmdom_type *type,
			const struct kmdom_field *field, const void *obj,
			struct writer *w)
{
	const void *bytes = obj + field->offset;
	size_t len;
	int ret;

	if (field->len_field != KMDOM_LEN_TRIM)
		return told_len(type, field, obj, &len) ? -EINVAL :
		       write_bytes(w, bytes, len);
	len = trimmed_len(bytes, field->size);
	ret = write_int(w, len, sizeof(__le16));
	return ret ?: write_bytes(w, bytes, len);
}

/* There is one form for each content: a trimmed field does not end in zero. */
static enum kmdom_reject decode_bytes(const struct kmdom_type *type,
				      const struct kmdom_field *field,
				      void *obj, struct reader *r)
{
	u8 *bytes = obj + field->offset;
	enum kmdom_reject why;
	size_t len;
	u64 told;

	if (field->len_field != KMDOM_LEN_TRIM) {
		why = told_len(type, field, obj, &len);
		return why ?: read_bytes(r, bytes, len);
	}
	why = read_int(r, &told, sizeof(__le16));
	if (why)
		return why;
	if (told > field->size)
		return KMDOM_REJECT_COUNT;
	why = read_bytes(r, bytes, told);
	if (why)
		return why;
	return told && !bytes[told - 1] ? KMDOM_REJECT_TRIM : KMDOM_REJECT_NONE;
}

static int encode_field(const struct kmdom_type *type,
			const struct kmdom_field *field, const void *obj,
			struct writer *w)
{
	u64 value;

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_FLAGS:
	case KMDOM_FIELD_REF:
		value = object_int(field, obj);
		if (value_check(field, value))
			return -EINVAL;
		return write_int(w, value, field->size);
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		return encode_bytes(type, field, obj, w);
	default:
		return 0;
	}
}

static enum kmdom_reject decode_field(const struct kmdom_type *type,
				      const struct kmdom_field *field,
				      void *obj, struct reader *r)
{
	enum kmdom_reject why;
	u64 value;

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_FLAGS:
	case KMDOM_FIELD_REF:
		why = read_int(r, &value, field->size);
		if (!why)
			why = value_check(field, value);
		if (!why)
			object_set_int(field, obj, value);
		return why;
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		return decode_bytes(type, field, obj, r);
	default:
		return KMDOM_REJECT_NONE;
	}
}

/* Of each field alone, then of all together. */
static enum kmdom_reject object_check(const struct kmdom_type *type,
				      const void *obj)
{
	return !type->check || type->check(obj) ? KMDOM_REJECT_NONE :
						  KMDOM_REJECT_CHECK;
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
	return object_check(type, obj) ? -EINVAL : 0;
}

static enum kmdom_reject decode_object(const struct kmdom_type *type, void *obj,
				       struct reader *r)
{
	enum kmdom_reject why;
	unsigned int i;

	for (i = 0; i < type->nr_fields; i++) {
		r->at.field = i;
		r->at.offset = r->pos - r->record;
		why = decode_field(type, &type->fields[i], obj, r);
		if (why)
			return why;
	}
	r->at.field = KMDOM_RECORD_WHOLE;
	return object_check(type, obj);
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

/* What the header says of the length: nothing, if the pager may change it. */
static __le32 header_length(const struct kmdom_schema *schema, size_t len)
{
	return cpu_to_le32(schema->type->policy == KMDOM_POLICY_CHECKED ? 0 : len);
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
	rec->length = header_length(schema, len);
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
static enum kmdom_reject check_format(const struct kmdom_record *rec)
{
	if (le32_to_cpu(rec->magic) != KMDOM_MAGIC_RECORD)
		return KMDOM_REJECT_MAGIC;
	if (le16_to_cpu(rec->format) != KMDOM_RECORD_FORMAT)
		return KMDOM_REJECT_FORMAT;
	return rec->reserved ? KMDOM_REJECT_RESERVED : KMDOM_REJECT_NONE;
}

/* Is it of that page, whatever that page holds? */
static enum kmdom_reject check_identity(const struct kmdom_record *rec,
					const struct kmdom_record_id *expected)
{
	if (memcmp(rec->domain, expected->domain, sizeof(rec->domain)))
		return KMDOM_REJECT_DOMAIN;
	if (rec->level != expected->level)
		return KMDOM_REJECT_LEVEL;
	return le64_to_cpu(rec->index) == expected->index ? KMDOM_REJECT_NONE :
							    KMDOM_REJECT_INDEX;
}

/* Is it a record of the type, of @len bytes? */
static enum kmdom_reject check_type(const struct kmdom_schema *schema,
				    const struct kmdom_record *rec, size_t len,
				    const unsigned long *live)
{
	if (rec->policy != schema->type->policy)
		return KMDOM_REJECT_POLICY;
	if (le64_to_cpu(rec->type) != schema->hash)
		return KMDOM_REJECT_TYPE;
	if (le16_to_cpu(rec->slots) != schema->slots)
		return KMDOM_REJECT_SLOTS;
	if (!live_ok(schema, live))
		return KMDOM_REJECT_MAP;
	if (le16_to_cpu(rec->live) != bitmap_weight(live, KMDOM_SLOTS_PER_PAGE))
		return KMDOM_REJECT_LIVE;
	return rec->length == header_length(schema, len) ? KMDOM_REJECT_NONE :
							   KMDOM_REJECT_SIZE;
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
 * Return: KMDOM_REJECT_NONE, or the first reason, in the order of enum
 * kmdom_reject: whether it is a record, of that page, of that type, of that
 * version.
 */
enum kmdom_reject kmdom_record_check(const struct kmdom_schema *schema,
				     const struct kmdom_record_id *expected,
				     void *buf, size_t len)
{
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_record *rec = buf;
	enum kmdom_reject why;

	if (len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;
	why = check_format(rec) ?: check_identity(rec, expected);
	if (why)
		return why;
	map_read(rec, live);
	why = check_type(schema, rec, len, live);
	if (why)
		return why;
	if (le64_to_cpu(rec->version) != expected->version)
		return KMDOM_REJECT_VERSION;

	header_fill(schema, expected, rec, len,
		    bitmap_weight(live, KMDOM_SLOTS_PER_PAGE));
	return KMDOM_REJECT_NONE;
}

/**
 * kmdom_reject_error - the errno that a reason is told with
 * @why: the reason
 *
 * Context: any.
 * Return: 0 or a negative errno, as enum kmdom_reject says.
 */
int kmdom_reject_error(enum kmdom_reject why)
{
	switch (why) {
	case KMDOM_REJECT_NONE:
		return 0;
	case KMDOM_REJECT_DOMAIN:
	case KMDOM_REJECT_LEVEL:
	case KMDOM_REJECT_INDEX:
		return -EXDEV;
	case KMDOM_REJECT_STALE:
	case KMDOM_REJECT_VERSION:
		return -ESTALE;
	case KMDOM_REJECT_TAG:
		return -EBADMSG;
	default:
		return -EINVAL;
	}
}

static enum kmdom_reject decode_objects(const struct kmdom_schema *schema,
					void *page, const unsigned long *live,
					struct reader *r)
{
	const struct kmdom_type *type = schema->type;
	enum kmdom_reject why;
	unsigned int slot;

	if (!live_ok(schema, live))
		return KMDOM_REJECT_MAP;
	for_each_set_bit(slot, live, schema->slots) {
		r->at.slot = slot;
		why = decode_object(type, page + slot * type->size, r);
		if (why)
			return why;
	}
	r->at.slot = KMDOM_RECORD_WHOLE;
	r->at.offset = r->pos - r->record;
	return r->left ? KMDOM_REJECT_REST : KMDOM_REJECT_NONE;
}

/**
 * kmdom_record_decode_where - as kmdom_record_decode(), and tell where it failed
 * @schema: of the page's type
 * @buf: the record, that kmdom_record_check() let pass; aligned to 8 bytes
 * @len: its length
 * @page: in: KMDOM_FRAME_SIZE zeroes, that nobody else uses; out: the objects, or
 *	zeroes again if the record is refused
 * @live: out: KMDOM_SLOTS_PER_PAGE bits: which slots are live
 * @where: out: the place, if the payload is malformed
 *
 * Context: as kmdom_record_decode().
 * Return: KMDOM_REJECT_NONE, or why the payload is malformed.
 */
enum kmdom_reject kmdom_record_decode_where(const struct kmdom_schema *schema,
					    const void *buf, size_t len,
					    void *page, unsigned long *live,
					    struct kmdom_record_where *where)
{
	const struct kmdom_type *type = schema->type;
	struct reader r = {
		.pos = buf + sizeof(struct kmdom_record),
		.left = len - KMDOM_RECORD_MIN,
		.record = buf,
	};
	enum kmdom_reject why;
	unsigned int slot;

	bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
	if (len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;

	map_read(buf, live);
	why = decode_objects(schema, page, live, &r);
	if (why) {
		*where = r.at;
		memset(page, 0, KMDOM_FRAME_SIZE);
		bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
		return why;
	}
	if (type->restore) {
		for_each_set_bit(slot, live, schema->slots)
			type->restore(page + slot * type->size);
	}
	return KMDOM_REJECT_NONE;
}

/**
 * kmdom_record_decode - write the objects of a record to a page
 * @schema: of the page's type
 * @buf: the record, that kmdom_record_check() let pass and that is authentic;
 *	aligned to 8 bytes
 * @len: its length
 * @page: in: KMDOM_FRAME_SIZE zeroes, that nobody else uses; out: the objects, or
 *	zeroes again if the record is refused
 * @live: out: KMDOM_SLOTS_PER_PAGE bits: which slots are live
 *
 * The type's restore() is called for each live object, when all are there.
 *
 * Context: any that the type's check() and restore() can stand.
 * Return: KMDOM_REJECT_NONE, or why the payload is malformed.
 */
enum kmdom_reject kmdom_record_decode(const struct kmdom_schema *schema,
				      const void *buf, size_t len, void *page,
				      unsigned long *live)
{
	struct kmdom_record_where where;

	return kmdom_record_decode_where(schema, buf, len, page, live, &where);
}
