// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - walking, growing and pruning the page table
 */
#include <linux/rcupdate.h>
#include "domain.h"
#include "table.h"

/** kmdom_table_init - an empty page table; page 0 is never used */
void kmdom_table_init(struct kmdom_table *table)
{
	spin_lock_init(&table->root_lock);
	atomic64_set(&table->cursor, 1);
}

static u64 *kmdom_table_slot_of(const struct kmdom_frame *frame, u64 index)
{
	return (u64 *)kmdom_frame_data(frame) +
	       kmdom_table_slot(index, frame->level);
}

/**
 * kmdom_table_find - the table of a level that covers a page
 * @table: the page table
 * @index: of the page
 * @level: 1 to KMDOM_LEVELS
 *
 * Context: in an RCU section, for which the frame is valid.
 * Return: the table's frame, or NULL if it is not present.
 */
struct kmdom_frame *kmdom_table_find(const struct kmdom_table *table, u64 index,
				     unsigned int level)
{
	unsigned int at = KMDOM_LEVELS;
	u64 entry = READ_ONCE(table->root);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "table walk outside RCU");
	for (;;) {
		const u64 *entries;

		if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT)
			return NULL;
		if (at == level)
			return kmdom_entry_frame(entry);
		entries = page_address(pfn_to_page(kmdom_entry_value(entry)));
		entry = READ_ONCE(entries[kmdom_table_slot(index, at)]);
		at--;
	}
}

/**
 * kmdom_table_read - the entry of a page
 * @table: the page table
 * @index: of the page
 *
 * Context: in an RCU section.
 * Return: the entry as it was at some instant; empty if a table is missing.
 */
u64 kmdom_table_read(const struct kmdom_table *table, u64 index)
{
	struct kmdom_frame *leaf = kmdom_table_find(table, index, 1);

	/* Pairs with smp_store_release() of kmdom_table_set(). */
	return leaf ? smp_load_acquire(kmdom_table_slot_of(leaf, index)) :
		      KMDOM_ENTRY_EMPTY;
}

/**
 * kmdom_table_lock - lock the table that a page's entry is in
 * @table: the page table
 * @index: of the page
 *
 * Context: any that does not interrupt; enters an RCU section, which keeps the
 * frames of the entries under it from leaving.
 * Return: the table's frame, to be given to kmdom_table_unlock(); NULL if there
 * is no such table, and nothing is locked.
 */
struct kmdom_frame *kmdom_table_lock(struct kmdom_table *table, u64 index)
{
	struct kmdom_frame *leaf;

	rcu_read_lock();
	while ((leaf = kmdom_table_find(table, index, 1))) {
		spin_lock(&leaf->lock);
		if (!leaf->dead)
			return leaf;
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return NULL;
}

/** kmdom_table_unlock - end what kmdom_table_lock() began */
void kmdom_table_unlock(struct kmdom_frame *leaf)
	__releases(&leaf->lock)
	__releases(RCU)
{
	spin_unlock(&leaf->lock);
	rcu_read_unlock();
}

/** kmdom_table_entry - entry of page @index in the locked table @leaf */
u64 kmdom_table_entry(const struct kmdom_frame *leaf, u64 index)
{
	lockdep_assert_held(&leaf->lock);
	return *kmdom_table_slot_of(leaf, index);
}

/**
 * kmdom_table_set - the one place where an entry changes
 * @leaf: the table, locked; of any level
 * @index: of a page that it covers
 * @entry: the new entry, along a legal edge
 */
void kmdom_table_set(struct kmdom_frame *leaf, u64 index, u64 entry)
{
	u64 *slot = kmdom_table_slot_of(leaf, index);

	lockdep_assert_held(&leaf->lock);
	WARN_ON_ONCE(!kmdom_entry_edge_legal(kmdom_entry_state(*slot),
					     kmdom_entry_state(entry)));
	leaf->nr_used += (*slot == KMDOM_ENTRY_EMPTY) -
			 (entry == KMDOM_ENTRY_EMPTY);
	/*
	 * Publishes what the frame's descriptor and memory hold: pairs with
	 * the load of the walker.
	 */
	smp_store_release(slot, entry);
}

/*
 * A frame that becomes a table. It is zero, which is an empty table.
 *
 * Limit: who has used up the tables that he was promised takes one of the last
 * frames, though he is not the oldest waiter. The promise covers the tables of
 * neighbours, but the cursor is everybody's: with 511 pages of others between
 * any two of his own, each of his can call for a table. To refuse it would fail
 * an allocation that was promised; so the reserve pays, by a frame for each 512
 * new pages at most.
 */
static struct kmdom_frame *kmdom_table_new(struct kmdom_domain *dom, u64 index,
					   unsigned int level,
					   unsigned int *promised)
{
	struct kmdom_frame *frame = NULL;

	if (*promised) {
		--*promised;
		frame = kmdom_frame_take(dom, KMDOM_CLAIM_PROMISED);
	}
	if (!frame)
		frame = kmdom_frame_take(dom, KMDOM_CLAIM_OLDEST);
	if (!frame)
		return NULL;
	frame->index = kmdom_table_index(index, level);
	frame->level = level;
	frame->nr_used = 0;
	frame->dead = false;
	return frame;
}

/*
 * Links a new table under its parent; false: somebody else did. It is a table
 * before it can be found, because it can be cut off as soon as it is found, and
 * both under the parent's lock, so that the tree's end finds it or prevents it.
 */
static bool kmdom_table_link(struct kmdom_table *table, struct kmdom_frame *frame,
			     u64 index)
{
	u64 entry = kmdom_entry_make(KMDOM_PAGE_PRESENT, 0,
				     page_to_pfn(frame->page));
	struct kmdom_frame *parent;
	bool linked = false;

	if (frame->level == KMDOM_LEVELS) {
		spin_lock(&table->root_lock);
		linked = table->root == KMDOM_ENTRY_EMPTY;
		if (linked) {
			kmdom_frame_publish(frame, KMDOM_FRAME_TABLE);
			smp_store_release(&table->root, entry);
		}
		spin_unlock(&table->root_lock);
		return linked;
	}
	rcu_read_lock();
	parent = kmdom_table_find(table, index, frame->level + 1);
	if (parent) {
		spin_lock(&parent->lock);
		if (!parent->dead &&
		    kmdom_table_entry(parent, index) == KMDOM_ENTRY_EMPTY) {
			kmdom_frame_publish(frame, KMDOM_FRAME_TABLE);
			kmdom_table_set(parent, index, entry);
			linked = true;
		}
		spin_unlock(&parent->lock);
	}
	rcu_read_unlock();
	return linked;
}

/**
 * kmdom_table_grow - make the tables over a page
 * @dom: the domain
 * @index: of the page
 * @promised: frames promised to the caller; those used are taken off
 *
 * Context: any that does not interrupt.
 * Return: 0, or -ENOBUFS, -ENODEV.
 */
int kmdom_table_grow(struct kmdom_domain *dom, u64 index,
		     unsigned int *promised)
{
	unsigned int level = KMDOM_LEVELS;

	while (level) {
		struct kmdom_frame *frame;
		bool there;

		rcu_read_lock();
		there = kmdom_table_find(&dom->table, index, level);
		rcu_read_unlock();
		if (there) {
			level--;
			continue;
		}
		if (kmdom_domain_aborted(dom))
			return -ENODEV;
		frame = kmdom_table_new(dom, index, level, promised);
		if (!frame)
			return -ENOBUFS;
		if (!kmdom_table_link(&dom->table, frame, index)) {
			/* A parent was pruned, or a neighbour was faster. */
			kmdom_frame_put(frame);
			level = KMDOM_LEVELS;
		}
	}
	return 0;
}

/* Cuts one empty table off. Returns whether its parent may be empty now. */
static bool kmdom_table_prune_level(struct kmdom_table *table, u64 index,
				    unsigned int level)
{
	struct kmdom_frame *parent, *child;
	bool cut = false, empty = false;
	u64 entry;

	rcu_read_lock();
	parent = kmdom_table_find(table, index, level + 1);
	if (!parent)
		goto out;
	spin_lock_nested(&parent->lock, level + 1);
	entry = kmdom_table_entry(parent, index);
	if (!parent->dead && kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) {
		child = kmdom_entry_frame(entry);
		spin_lock_nested(&child->lock, level);
		if (!child->nr_used) {
			child->dead = true;
			kmdom_table_set(parent, index, KMDOM_ENTRY_EMPTY);
			cut = true;
		}
		spin_unlock(&child->lock);
		empty = !parent->nr_used;
	}
	spin_unlock(&parent->lock);
	if (cut) {
		kmdom_frame_withdraw(child);
		kmdom_frame_put_deferred(child);
	}
out:
	rcu_read_unlock();
	return empty;
}

/**
 * kmdom_table_prune - give back the tables over a page that hold nothing
 * @dom: the domain
 * @index: of a page that was just freed
 *
 * The tables that the cursor is in stay, and so does the topmost.
 *
 * Context: any that does not interrupt; no table is locked.
 */
void kmdom_table_prune(struct kmdom_domain *dom, u64 index)
{
	u64 cursor = atomic64_read(&dom->table.cursor);
	unsigned int level;

	for (level = 1; level < KMDOM_LEVELS; level++) {
		if (kmdom_table_index(index, level) ==
		    kmdom_table_index(cursor, level))
			break;
		if (!kmdom_table_prune_level(&dom->table, index, level))
			break;
	}
}

/**
 * kmdom_table_cut - take the whole tree away from walkers, for ever
 * @table: the page table
 *
 * What remains is no table, and not empty either, so that none grows again.
 * Once a grace period has passed nobody is in the tree.
 */
void kmdom_table_cut(struct kmdom_table *table)
{
	spin_lock(&table->root_lock);
	WRITE_ONCE(table->root, kmdom_entry_make(KMDOM_PAGE_LOST, 0, ENODEV));
	spin_unlock(&table->root_lock);
}
