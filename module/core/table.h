/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - the page table: a radix tree of four levels in granted frames
 *
 * Its tables are pages of levels 1 to 4, and leave and come back as pages of
 * objects (level 0) do: the entry of each is in the table of the level above, the
 * topmost one's in the domain. Whatever the level, a page is named here by the
 * index of the first page of objects that it covers, and its level.
 *
 * Readers walk it in an RCU section without locks, down to what is not present.
 * An entry changes only under the lock of the table that it is in, which is in
 * that table's frame. A table that leaves is marked dead under its lock first, and
 * its frame is reused only after a grace period. It leaves only while none of its
 * entries is present: so over a page in a frame all tables are in frames.
 *
 * New pages are made where the cursor is, in an operation that may not wait. So
 * the tables over the cursor stay while any operation has a promise to make one
 * (kmdom_frames_reserve()).
 */
#ifndef KMDOM_TABLE_H
#define KMDOM_TABLE_H

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include "entry.h"
#include "frames.h"

/**
 * struct kmdom_table - the page table of a domain
 * @ledger: where its frames come from; constant
 * @root: entry of the topmost table, the one entry of @top
 * @top: descriptor of a table that is in no frame: its lock is that of @root
 * @cursor: index of the next new page
 * @found: 1 + index of the table of level 1 that was last found over the cursor by who has
 *	a promise, which keeps it; 0 when it has left. Behind the cursor it says nothing
 */
struct kmdom_table {
	struct kmdom_ledger *ledger;
	u64 root;
	struct kmdom_frame top;
	atomic64_t cursor;
	u64 found;
};

/* Most tables that a new page, or a few neighbours, can call for. */
#define KMDOM_TABLES_EXTRA	(2 * KMDOM_LEVELS - 1)

/**
 * kmdom_entry_frame - the frame of a present entry
 * @entry: as it was read, within the same RCU section
 *
 * Return: the frame.
 */
static inline struct kmdom_frame *kmdom_entry_frame(u64 entry)
{
	return (struct kmdom_frame *)
		page_private(pfn_to_page(kmdom_entry_value(entry)));
}

/*
 * kmdom_entry_table - the entries of a table that is present
 *
 * Tables have no cache: so below its number there is the state alone, which one shift
 * makes vanish.
 */
static inline const u64 *kmdom_entry_table(u64 entry)
{
	static_assert(KMDOM_PAGE_PRESENT >> (KMDOM_ENTRY_VALUE_SHIFT - PAGE_SHIFT) == 0);
	return __va(entry >> (KMDOM_ENTRY_VALUE_SHIFT - PAGE_SHIFT));
}

/**
 * kmdom_table_resident - the frame of a page, if it has one
 * @table: the page table
 * @index: of the first page of objects in it
 * @level: of the page; constant where it is called
 *
 * The way to what is resident. For all else there is kmdom_table_walk().
 *
 * Context: in an RCU section, for which the frame is valid; it may become another
 * page's at any time, unless it is pinned: then its descriptor tells whose it is.
 * Return: the frame, or NULL if the page or a table over it is not present.
 */
static __always_inline struct kmdom_frame *
kmdom_table_resident(const struct kmdom_table *table, u64 index, int level)
{
	u64 entry;
	int at;

	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "table walk outside RCU");
	/* Pairs with smp_store_release() of kmdom_table_set(). */
	entry = smp_load_acquire(&table->root);
#pragma GCC unroll 4
	for (at = KMDOM_LEVELS; at > level; at--) {
		const u64 *entries;

		if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT)
			return NULL;
		entries = kmdom_entry_table(entry);
		/* The same, at this level. */
		entry = smp_load_acquire(&entries[kmdom_table_slot(index, at)]);
	}
	return kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT ?
	       kmdom_entry_frame(entry) : NULL;
}

int kmdom_table_look(struct kmdom_table *table);

/** kmdom_table_found - are they, as it seems? Who has no promise cannot know */
static inline bool kmdom_table_found(const struct kmdom_table *table)
{
	u64 cursor = atomic64_read(&table->cursor);

	return READ_ONCE(table->found) == 1 + kmdom_table_index(cursor, 1);
}

/**
 * kmdom_table_promised - are the tables there that a new page may need?
 * @table: the page table
 *
 * For who has a promise already: so the tables over the cursor do not leave, and what
 * was found then is there. Of those that did leave before, the ledger's lock tells.
 *
 * Context: any that does not interrupt.
 * Return: as kmdom_table_ready().
 */
static inline int kmdom_table_promised(struct kmdom_table *table)
{
	return likely(kmdom_table_found(table)) ? 0 : kmdom_table_look(table);
}

void kmdom_table_init(struct kmdom_table *table, struct kmdom_ledger *ledger);
u64 kmdom_table_walk(const struct kmdom_table *table, u64 index,
		     unsigned int level, unsigned int *stopped);
u64 kmdom_table_read(const struct kmdom_table *table, u64 index);
struct kmdom_frame *kmdom_table_find(struct kmdom_table *table, u64 index,
				     unsigned int level);
struct kmdom_frame *kmdom_table_lock(struct kmdom_table *table, u64 index,
				     unsigned int level)
	__cond_acquires(RCU);
void kmdom_table_unlock(struct kmdom_frame *leaf);
u64 kmdom_table_entry(const struct kmdom_frame *leaf, u64 index);
void kmdom_table_set(struct kmdom_frame *leaf, u64 index, u64 entry);
int kmdom_table_grow(struct kmdom_table *table, u64 index,
		     unsigned int *promised);
int kmdom_table_ready(struct kmdom_table *table, u64 *cursor, unsigned int *level);
bool kmdom_table_at_cursor(const struct kmdom_table *table, u64 index,
			   unsigned int level);
int kmdom_table_leave(struct kmdom_table *table, struct kmdom_frame *parent,
		      struct kmdom_frame *frame, u64 entry);
void kmdom_table_describe(struct kmdom_frame *frame, u64 index,
			  unsigned int level);
unsigned int kmdom_table_prune(struct kmdom_table *table, u64 index,
			       u64 versions[KMDOM_LEVELS]);
void kmdom_table_cut(struct kmdom_table *table);

#endif /* KMDOM_TABLE_H */
