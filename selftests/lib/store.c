// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "proc.h"
#include "store.h"

/**
 * store_create() - make an empty store
 * @capacity: the most records, a power of two
 * @newest_only: keep one version a page
 *
 * Return: the store, in memory shared over fork
 */
struct store *store_create(uint32_t capacity, bool newest_only)
{
	struct store *store = shared_alloc(sizeof(*store) +
					   capacity * sizeof(struct stored));

	store->capacity = capacity;
	store->newest_only = newest_only;
	return store;
}

static uint32_t home(const struct store *store, uint64_t index)
{
	return (index * 0x9e3779b97f4a7c15ULL >> 32) & (store->capacity - 1);
}

/**
 * store_put() - keep a record
 * @store: the store
 * @index: of its page
 * @version: of the record
 * @data: the record
 * @len: its length
 *
 * Return: the entry; the process ends if the store is full
 */
struct stored *store_put(struct store *store, uint64_t index, uint64_t version,
			 const void *data, uint32_t len)
{
	uint32_t at = home(store, index), n;
	struct stored *entry;

	for (n = 0; n < store->capacity; n++) {
		entry = &store->entries[(at + n) & (store->capacity - 1)];
		if (!entry->used)
			break;
		if (entry->index == index &&
		    (store->newest_only || entry->version == version))
			break;
	}
	if (n == store->capacity || len > sizeof(entry->data)) {
		fprintf(stderr, "# store is too small\n");
		abort();
	}
	memcpy(entry->data, data, len);
	entry->len = len;
	entry->index = index;
	entry->version = version;
	entry->used = 1;
	return entry;
}

/**
 * store_get() - find a record
 * @store: the store
 * @index: of its page
 * @version: of the record
 *
 * Return: the entry, or NULL
 */
struct stored *store_get(struct store *store, uint64_t index, uint64_t version)
{
	uint32_t at = home(store, index), n;
	struct stored *entry;

	for (n = 0; n < store->capacity; n++) {
		entry = &store->entries[(at + n) & (store->capacity - 1)];
		if (!entry->used)
			return NULL;
		if (entry->index == index && entry->version == version)
			return entry;
	}
	return NULL;
}

/**
 * store_newest() - find the newest record of a page
 * @store: the store
 * @index: of the page
 *
 * Return: the entry, or NULL
 */
struct stored *store_newest(struct store *store, uint64_t index)
{
	uint32_t at = home(store, index), n;
	struct stored *entry, *newest = NULL;

	for (n = 0; n < store->capacity; n++) {
		entry = &store->entries[(at + n) & (store->capacity - 1)];
		if (!entry->used)
			break;
		if (entry->index == index && (!newest || entry->version > newest->version))
			newest = entry;
	}
	return newest;
}
