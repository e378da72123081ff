/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - how a page-table entry, a ref and a table's place are packed
 *
 * Pure: no locks, no allocation; also built in user space, on daemon/shim/.
 *
 * An entry is 3 bits of state, 10 bits of cache, and 51 bits of value: the
 * number of the frame of what is present, the version of the one valid record
 * of what is absent. An empty entry is all zero, so that a zeroed frame is an
 * empty table.
 */
#ifndef KMDOM_ENTRY_H
#define KMDOM_ENTRY_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/kmdom_client.h>

#define KMDOM_ENTRY_STATE_BITS	3
#define KMDOM_ENTRY_CACHE_BITS	10
#define KMDOM_ENTRY_VALUE_BITS	51

#define KMDOM_ENTRY_STATE_MASK	(BIT_ULL(KMDOM_ENTRY_STATE_BITS) - 1)
/* Also the greatest number of a cache, and the greatest value. */
#define KMDOM_ENTRY_CACHE_MAX	(BIT_ULL(KMDOM_ENTRY_CACHE_BITS) - 1)
#define KMDOM_ENTRY_VALUE_MAX	(BIT_ULL(KMDOM_ENTRY_VALUE_BITS) - 1)

#define KMDOM_ENTRY_CACHE_SHIFT	KMDOM_ENTRY_STATE_BITS
#define KMDOM_ENTRY_VALUE_SHIFT	(KMDOM_ENTRY_CACHE_SHIFT + KMDOM_ENTRY_CACHE_BITS)

#define KMDOM_ENTRY_EMPTY	0ULL

#define KMDOM_NR_PAGE_STATES	(KMDOM_PAGE_LOST + 1)

/* Tables: 512 entries of 8 bytes each fill a frame. */
#define KMDOM_TABLE_BITS	9

#define KMDOM_REF_SLOT_BITS	8
#define KMDOM_INDEX_MAX		(BIT_ULL(KMDOM_INDEX_BITS) - 1)

/* The number of no page: behind the last. */
#define KMDOM_INDEX_END		(KMDOM_INDEX_MAX + 1)

/**
 * kmdom_entry_make - pack an entry
 * @state: where the page is
 * @cache: number of its cache, at most KMDOM_ENTRY_CACHE_MAX
 * @value: frame number or version, at most KMDOM_ENTRY_VALUE_MAX
 *
 * Context: any. What does not fit is cut off and never reaches a neighbour.
 * Return: the entry.
 */
static inline u64 kmdom_entry_make(enum kmdom_page_state state,
				   unsigned int cache, u64 value)
{
	return ((u64)state & KMDOM_ENTRY_STATE_MASK) |
	       ((u64)cache & KMDOM_ENTRY_CACHE_MAX) << KMDOM_ENTRY_CACHE_SHIFT |
	       value << KMDOM_ENTRY_VALUE_SHIFT;
}

/** kmdom_entry_state - where the page of @entry is */
static inline enum kmdom_page_state kmdom_entry_state(u64 entry)
{
	return entry & KMDOM_ENTRY_STATE_MASK;
}

/** kmdom_entry_cache - number of the cache of @entry */
static inline unsigned int kmdom_entry_cache(u64 entry)
{
	return (entry >> KMDOM_ENTRY_CACHE_SHIFT) & KMDOM_ENTRY_CACHE_MAX;
}

/** kmdom_entry_value - frame number or version of @entry */
static inline u64 kmdom_entry_value(u64 entry)
{
	return entry >> KMDOM_ENTRY_VALUE_SHIFT;
}

/**
 * kmdom_entry_edge_legal - may an entry go from one state to another?
 * @from: the state it is in
 * @to: the state it shall be in
 *
 * The setter of entries asserts this. Tables are pages, and take the same edges.
 *
 * Context: any.
 * Return: true if the edge exists. No state has an edge to itself.
 */
static inline bool kmdom_entry_edge_legal(enum kmdom_page_state from,
					  enum kmdom_page_state to)
{
	static const u8 edges[KMDOM_NR_PAGE_STATES] = {
		/* a new page */
		[KMDOM_PAGE_EMPTY] = BIT(KMDOM_PAGE_PRESENT),
		/* evict; free, or discard */
		[KMDOM_PAGE_PRESENT] = BIT(KMDOM_PAGE_ABSENT) |
				       BIT(KMDOM_PAGE_EMPTY),
		/* restore; free; refused as lost */
		[KMDOM_PAGE_ABSENT] = BIT(KMDOM_PAGE_PRESENT) |
				      BIT(KMDOM_PAGE_EMPTY) |
				      BIT(KMDOM_PAGE_LOST),
		/* free */
		[KMDOM_PAGE_LOST] = BIT(KMDOM_PAGE_EMPTY),
	};

	if ((unsigned int)from >= KMDOM_NR_PAGE_STATES ||
	    (unsigned int)to >= KMDOM_NR_PAGE_STATES)
		return false;
	return edges[from] & BIT(to);
}

/**
 * kmdom_ref_make - name an object
 * @index: of its page, 1 to KMDOM_INDEX_MAX
 * @slot: its place in the page, 0 to 255
 *
 * Context: any.
 * Return: the ref.
 */
static inline kmdom_ref kmdom_ref_make(u64 index, unsigned int slot)
{
	return index << KMDOM_REF_SLOT_BITS | (slot & 0xff);
}

/** kmdom_ref_index - index of the page of @ref's object */
static inline u64 kmdom_ref_index(kmdom_ref ref)
{
	return ref >> KMDOM_REF_SLOT_BITS;
}

/** kmdom_ref_slot - place of @ref's object in its page */
static inline unsigned int kmdom_ref_slot(kmdom_ref ref)
{
	return ref & 0xff;
}

/** kmdom_ref_valid - may @ref name an object? Page 0 holds none. */
static inline bool kmdom_ref_valid(kmdom_ref ref)
{
	u64 index = kmdom_ref_index(ref);

	return index && index <= KMDOM_INDEX_MAX;
}

/** kmdom_table_index - index, in @level (1 up), of the table over page @index */
static inline u64 kmdom_table_index(u64 index, unsigned int level)
{
	return index >> (KMDOM_TABLE_BITS * level);
}

/** kmdom_table_slot - place in that table of the entry that leads to @index */
static inline unsigned int kmdom_table_slot(u64 index, unsigned int level)
{
	return (index >> (KMDOM_TABLE_BITS * (level - 1))) &
	       (KMDOM_TABLE_ENTRIES - 1);
}

/** kmdom_page_first - the first page of objects that page @index of @level covers */
static inline u64 kmdom_page_first(u64 index, unsigned int level)
{
	return index << (KMDOM_TABLE_BITS * level);
}

/** kmdom_page_valid - can there be a page @index of @level? */
static inline bool kmdom_page_valid(u64 index, unsigned int level)
{
	return level <= KMDOM_LEVELS &&
	       index <= kmdom_table_index(KMDOM_INDEX_MAX, level);
}

#endif /* KMDOM_ENTRY_H */
