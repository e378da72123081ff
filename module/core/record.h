/* SPDX-License-Identifier: GPL-2.0 */
/*
 * record.h - the safe external representation of a page of objects
 *
 * Pure: no locks, no allocation; also built in user space by the unit tests.
 *
 * A record is struct kmdom_record, then the live objects in order of their
 * slots, then room for the tag. An object is its fields in the order of the
 * type's table, without padding, little-endian:
 *
 *	INT		its 1, 2, 4 or 8 bytes
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

int kmdom_record_encode(const struct kmdom_schema *schema,
			const struct kmdom_record_id *id, const void *page,
			const unsigned long *live, void *buf, size_t size);
int kmdom_record_check(const struct kmdom_schema *schema,
		       const struct kmdom_record_id *expected,
		       void *buf, size_t len);
int kmdom_record_decode(const struct kmdom_schema *schema, const void *buf,
			size_t len, void *page, unsigned long *live);

#endif /* KMDOM_RECORD_H */
