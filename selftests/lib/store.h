/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A store of records in shared memory, so that it outlives its pager. Every
 * version of a page is kept, for tests that replay old ones, unless told not to.
 */
#ifndef KT_STORE_H
#define KT_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kmdom.h>

/**
 * struct stored - one record
 * @used: whether there is one
 * @len: its length
 * @index: of its page
 * @version: of the record
 * @data: the record
 */
struct stored {
	uint32_t used;
	uint32_t len;
	uint64_t index;
	uint64_t version;
	uint8_t data[KMDOM_RECORD_MAX];
};

/**
 * struct store - records by page and version
 * @capacity: entries, a power of two
 * @newest_only: a new version of a page replaces the older one
 * @entries: a hash table with linear probing
 */
struct store {
	uint32_t capacity;
	bool newest_only;
	struct stored entries[];
};

struct store *store_create(uint32_t capacity, bool newest_only);
struct stored *store_put(struct store *store, uint64_t index, uint64_t version,
			 const void *data, uint32_t len);
struct stored *store_get(struct store *store, uint64_t index, uint64_t version);
struct stored *store_newest(struct store *store, uint64_t index);

#endif /* KT_STORE_H */
