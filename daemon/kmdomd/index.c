// SPDX-License-Identifier: GPL-2.0
/*
 * A hash table with open addressing and linear probing; what is deleted
 * leaves no trace, the entries behind it move up.
 */
#include <errno.h>
#include <stdlib.h>
#include "index.h"

#define INDEX_SIZE_MIN	1024

static size_t index_hash(const struct index *index, uint64_t key)
{
	/* Fibonacci hashing: pages in a row spread well. */
	return (key * 0x9e3779b97f4a7c15ULL) >> 20 & index->mask;
}

static int index_resize(struct index *index, size_t size)
{
	struct index old = *index;
	struct index_entry *entry;
	size_t pos = 0;

	index->entries = calloc(size, sizeof(*index->entries));
	if (!index->entries) {
		*index = old;
		return -ENOMEM;
	}
	index->mask = size - 1;
	index->count = 0;
	while (old.entries && (entry = index_next(&old, &pos)))
		*index_put(index, entry->key) = *entry;
	free(old.entries);
	return 0;
}

/**
 * index_init() - an empty index
 * @index: to be filled in
 * @expected: entries that it will probably have
 *
 * Return: 0 or -ENOMEM.
 */
int index_init(struct index *index, size_t expected)
{
	*index = (struct index){ .mask = INDEX_SIZE_MIN / 2 - 1 };
	return index_reserve(index, expected);
}

void index_exit(struct index *index)
{
	free(index->entries);
	index->entries = NULL;
}

/**
 * index_reserve() - make room, so that index_put() cannot fail
 * @index: the index
 * @more: how many entries will be put
 *
 * Return: 0 or -ENOMEM; then the index is as it was.
 */
int index_reserve(struct index *index, size_t more)
{
	size_t size = index->mask + 1;

	if (index->entries && (index->count + more) * 4 <= size * 3)
		return 0;
	while (size < INDEX_SIZE_MIN || (index->count + more) * 4 > size * 3)
		size *= 2;
	return index_resize(index, size);
}

static struct index_entry *index_probe(const struct index *index, uint64_t key)
{
	size_t pos = index_hash(index, key);

	while (index->entries[pos].version && index->entries[pos].key != key)
		pos = (pos + 1) & index->mask;
	return &index->entries[pos];
}

/**
 * index_get() - the entry of a page
 * @index: the index
 * @key: of the page
 *
 * Return: The entry, good until the next index_reserve() or index_del(), or NULL.
 */
struct index_entry *index_get(const struct index *index, uint64_t key)
{
	struct index_entry *entry = index_probe(index, key);

	return entry->version ? entry : NULL;
}

/**
 * index_put() - the entry of a page, new if there was none
 * @index: the index, with room by index_reserve()
 * @key: of the page
 *
 * Return: The entry; the caller sets its version, which is 0 in a new one.
 */
struct index_entry *index_put(struct index *index, uint64_t key)
{
	struct index_entry *entry = index_probe(index, key);

	if (!entry->version) {
		*entry = (struct index_entry){ .key = key };
		index->count++;
	}
	return entry;
}

/**
 * index_del() - remove an entry
 * @index: the index
 * @entry: the entry
 */
void index_del(struct index *index, struct index_entry *entry)
{
	size_t hole = entry - index->entries;
	size_t pos = hole, home;

	index->entries[hole].version = 0;
	index->count--;
	for (;;) {
		pos = (pos + 1) & index->mask;
		if (!index->entries[pos].version)
			return;
		home = index_hash(index, index->entries[pos].key);
		/* It stays if its home is behind the hole, cyclically. */
		if (((pos - home) & index->mask) < ((pos - hole) & index->mask))
			continue;
		index->entries[hole] = index->entries[pos];
		index->entries[pos].version = 0;
		hole = pos;
	}
}

void index_clear_flag(struct index *index, uint32_t flag)
{
	size_t pos;

	for (pos = 0; pos <= index->mask; pos++)
		index->entries[pos].flags &= ~flag;
}

struct index_entry *index_next(const struct index *index, size_t *pos)
{
	while (*pos <= index->mask) {
		struct index_entry *entry = &index->entries[(*pos)++];

		if (entry->version)
			return entry;
	}
	return NULL;
}
