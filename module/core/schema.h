/* SPDX-License-Identifier: GPL-2.0 */
/*
 * schema.h - what is made of a client's type once it was checked
 *
 * Pure: no locks, no allocation; also built in user space, on daemon/shim/.
 */
#ifndef KMDOM_SCHEMA_H
#define KMDOM_SCHEMA_H

#include <linux/types.h>
#include <linux/kmdom_client.h>

#define KMDOM_TAG_SIZE		16	/* authentication tag, ends every record */
#define KMDOM_SLOTS_PER_PAGE	256	/* most objects in a page: bits of a map */
#define KMDOM_FIELD_NAME_MAX	64	/* with the final NUL */

/**
 * struct kmdom_schema - a type that was checked
 * @type: the client's; constant
 * @hash: of all that makes the schema; equal hashes mean equal wire forms
 * @slots: objects in a page
 * @wire_max: most bytes of payload that one object can take
 *
 * Constant after kmdom_schema_init().
 */
struct kmdom_schema {
	const struct kmdom_type *type;
	u64 hash;
	u16 slots;
	u16 wire_max;
};

int kmdom_schema_init(struct kmdom_schema *schema,
		      const struct kmdom_type *type);

#endif /* KMDOM_SCHEMA_H */
