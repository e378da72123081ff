/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table_type.h - a table of the page table as a page of objects
 *
 * Pure: no locks, no allocation; also built in user space.
 */
#ifndef KMDOM_TABLE_TYPE_H
#define KMDOM_TABLE_TYPE_H

#include "entry.h"
#include "schema.h"

/**
 * struct kmdom_entries - an object of a table: a pair of its entries
 * @entry: neighbours, the first of an even place
 *
 * In pairs, because 512 single ones would be more than a page has slots.
 */
struct kmdom_entries {
	u64 entry[2];
};

extern const struct kmdom_type kmdom_table_type;

void kmdom_table_live(const void *table, unsigned long *live);

#endif /* KMDOM_TABLE_TYPE_H */
