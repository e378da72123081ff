/* SPDX-License-Identifier: GPL-2.0 */
/*
 * record.h - the safe external representation of a page of objects
 *
 * Pure: no locks, no allocation; also built in user space, on daemon/shim/.
 *
 * A record is struct kmdom_record, then the live objects in order of their
 * slots, then room for the tag. An object is its fields in the order of the
 * type's table, without padding, little-endian:
 *
 *	INT, FLAGS	its 1, 2, 4 or 8 bytes
 *	REF		8 bytes
 *	BYTES, SECRET	all bytes; or as many as the integer of @len_field says;
 *			or (KMDOM_LEN_TRIM) a length of 2 bytes and the bytes
 *			up to the last that is not zero
 *	SOFT, KERNEL	nothing
 *
 * Way out: kmdom_record_encode(), kmdom_seal_record(). Way in:
 * kmdom_record_check(), kmdom_unseal_record(), kmdom_record_decode().
 */
#ifndef KMDOM_RECORD_H
#define KMDOM_RECORD_H

#include <linux/types.h>
#include "schema.h"

/* Bytes of the shortest record: no live object. */
#define KMDOM_RECORD_MIN	(sizeof(struct kmdom_record) + KMDOM_TAG_SIZE)

/**
 * struct kmdom_record_id - what a record is the record of
 * @domain: uuid of the domain
 * @index: of the page
 * @version: of the record
 * @level: of the page
 */
struct kmdom_record_id {
	u8 domain[16];
	u64 index;
	u64 version;
	u8 level;
};

/* Of a place: all of what has slots, or fields. */
#define KMDOM_RECORD_WHOLE	0xffff

/**
 * struct kmdom_record_where - a place in a record's payload
 * @slot: of the object; KMDOM_RECORD_WHOLE: behind all objects
 * @field: of the object, by its place in the schema; KMDOM_RECORD_WHOLE: all of
 *	the object
 * @offset: in the record, in bytes: where the field begins
 */
struct kmdom_record_where {
	unsigned int slot;
	unsigned int field;
	size_t offset;
};

int kmdom_record_encode(const struct kmdom_schema *schema,
			const struct kmdom_record_id *id, const void *page,
			const unsigned long *live, void *buf, size_t size);
enum kmdom_reject kmdom_record_check(const struct kmdom_schema *schema,
				     const struct kmdom_record_id *expected,
				     void *buf, size_t len);
enum kmdom_reject kmdom_record_decode(const struct kmdom_schema *schema,
				      const void *buf, size_t len, void *page,
				      unsigned long *live);
enum kmdom_reject kmdom_record_decode_where(const struct kmdom_schema *schema,
					    const void *buf, size_t len,
					    void *page, unsigned long *live,
					    struct kmdom_record_where *where);
int kmdom_reject_error(enum kmdom_reject why);

#endif /* KMDOM_RECORD_H */
