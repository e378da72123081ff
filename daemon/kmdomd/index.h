/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What records a store has: page -> version and place. Pure memory.
 */
#ifndef KMDOMD_INDEX_H
#define KMDOMD_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* Flags of an entry. */
#define INDEX_SEEN	(1U << 0)	/* the sweep under way keeps it */
#define INDEX_VERIFIED	(1U << 1)	/* its bytes were written or checked here */
#define INDEX_FAULTING	(1U << 2)	/* a fault on it is being answered */
#define INDEX_ABSENT	(1U << 3)	/* a table that was absent during the sweep under way */

struct index_entry {
	uint64_t key;		/* index_key() */
	uint64_t version;	/* 0: the entry is not used */
	uint32_t loc;		/* place in the store */
	uint32_t flags;		/* INDEX_* */
};

struct index {
	struct index_entry *entries;
	size_t mask;		/* size - 1, the size a power of two */
	size_t count;
};

static inline uint64_t index_key(unsigned int level, uint64_t page)
{
	return (uint64_t)level << 60 | page;
}

static inline uint64_t index_page(uint64_t key)
{
	return key & ((1ULL << 60) - 1);
}

static inline unsigned int index_level(uint64_t key)
{
	return key >> 60;
}

int index_init(struct index *index, size_t expected);
void index_exit(struct index *index);
int index_reserve(struct index *index, size_t more);
struct index_entry *index_get(const struct index *index, uint64_t key);
struct index_entry *index_put(struct index *index, uint64_t key);
void index_del(struct index *index, struct index_entry *entry);
void index_clear_flag(struct index *index, uint32_t flag);

/* The next entry that is used from number *@pos on, which moves behind it. */
struct index_entry *index_next(const struct index *index, size_t *pos);

#endif /* KMDOMD_INDEX_H */
