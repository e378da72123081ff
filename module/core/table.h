/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - the page table: a radix tree of four levels in granted frames
 *
 * Readers walk it in an RCU section without locks. An entry changes only under
 * the lock of the table that it is in, which is in that table's frame; the
 * entry of the topmost table is the domain's root. A table that is cut off is
 * marked dead under its lock first, and its frame is reused only after a grace
 * period.
 *
 * A table under a present entry is itself present in this version; walkers
 * test the state of every entry on their way, and stop at what is not present.
 */
#ifndef KMDOM_TABLE_H
#define KMDOM_TABLE_H

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include "entry.h"
#include "frames.h"

struct kmdom_domain;

/**
 * struct kmdom_table - the page table of a domain
 * @root: entry of the topmost table (@root_lock)
 * @root_lock: as a table's lock, above all of them
 * @cursor: index of the next new page
 */
struct kmdom_table {
	u64 root;
	spinlock_t root_lock;
	atomic64_t cursor;
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

void kmdom_table_init(struct kmdom_table *table);
u64 kmdom_table_read(const struct kmdom_table *table, u64 index);
struct kmdom_frame *kmdom_table_find(const struct kmdom_table *table, u64 index,
				     unsigned int level);
struct kmdom_frame *kmdom_table_lock(struct kmdom_table *table, u64 index);
void kmdom_table_unlock(struct kmdom_frame *leaf);
u64 kmdom_table_entry(const struct kmdom_frame *leaf, u64 index);
void kmdom_table_set(struct kmdom_frame *leaf, u64 index, u64 entry);
int kmdom_table_grow(struct kmdom_domain *dom, u64 index,
		     unsigned int *promised);
void kmdom_table_prune(struct kmdom_domain *dom, u64 index);
void kmdom_table_cut(struct kmdom_table *table);

#endif /* KMDOM_TABLE_H */
