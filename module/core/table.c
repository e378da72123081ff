// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - walking, growing and pruning the page table
 */
#include <linux/rcupdate.h>
#include "pin.h"
#include "table.h"

/**
 * kmdom_table_init - an empty page table; page 0 is never used
 * @table: the page table, zeroed
 * @ledger: where its frames come from
 */
void kmdom_table_init(struct kmdom_table *table, struct kmdom_ledger *ledger)
{
	table->ledger = ledger;
	table->top.level = KMDOM_LEVELS + 1;
	spin_lock_init(&table->top.lock);
	atomic64_set(&table->cursor, 1);
}

static u64 *kmdom_table_slot_of(const struct kmdom_frame *frame, u64 index)
{
	if (frame->level > KMDOM_LEVELS)
		return &container_of(frame, struct kmdom_table, top)->root;
	return (u64 *)kmdom_frame_data(frame) +
	       kmdom_table_slot(index, frame->level);
}

/**
 * kmdom_table_walk - the entry of a page, or of the first table that is missing
 * @table: the page table
 * @index: of the first page of objects in it
 * @level: of the page, 0 to KMDOM_LEVELS
 * @stopped: out: level of the page whose entry it is; @level if all the tables
 *	over the page are present
 *
 * Context: in an RCU section.
 * Return: the entry as it was at some instant.
 */
u64 kmdom_table_walk(const struct kmdom_table *table, u64 index,
		     unsigned int level, unsigned int *stopped)
{
	unsigned int at = KMDOM_LEVELS;
	u64 entry;

	/* Pairs with smp_store_release() of kmdom_table_set(). */
	entry = smp_load_acquire(&table->root);
	RCU_LOCKDEP_WARN(!rcu_read_lock_any_held(), "table walk outside RCU");
	while (at > level && kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) {
		const u64 *entries = kmdom_entry_table(entry);

		/* The same, at this level. */
		entry = smp_load_acquire(&entries[kmdom_table_slot(index, at)]);
		at--;
	}
	*stopped = at;
	return entry;
}

/**
 * kmdom_table_read - the entry of a page of objects, or what stands for it
 * @table: the page table
 * @index: of the page
 *
 * Where a table is missing, its entry stands for those of all pages under it:
 * they are empty, absent or lost as it is. Its cache is 0, which no page has.
 *
 * Context: in an RCU section.
 * Return: the entry as it was at some instant.
 */
u64 kmdom_table_read(const struct kmdom_table *table, u64 index)
{
	unsigned int stopped;

	return kmdom_table_walk(table, index, 0, &stopped);
}

/**
 * kmdom_table_find - the table of a level that covers a page
 * @table: the page table
 * @index: of the page
 * @level: 1 to KMDOM_LEVELS + 1, which is the one that holds the root
 *
 * Context: in an RCU section, for which the frame is valid.
 * Return: the table's frame, or NULL if it is not present.
 */
struct kmdom_frame *kmdom_table_find(struct kmdom_table *table, u64 index,
				     unsigned int level)
{
	unsigned int stopped;
	u64 entry;

	if (level > KMDOM_LEVELS)
		return &table->top;
	entry = kmdom_table_walk(table, index, level, &stopped);
	return stopped == level && kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT ?
	       kmdom_entry_frame(entry) : NULL;
}

/**
 * kmdom_table_lock - lock the table that a page's entry is in
 * @table: the page table
 * @index: of the first page of objects in it
 * @level: of the page, 0 to KMDOM_LEVELS
 *
 * Context: any that does not interrupt; enters an RCU section, which keeps the
 * frames of the entries under it from leaving.
 * Return: the table's frame, to be given to kmdom_table_unlock(); NULL if that
 * table is not present, and nothing is locked.
 */
struct kmdom_frame *kmdom_table_lock(struct kmdom_table *table, u64 index,
				     unsigned int level)
{
	struct kmdom_frame *leaf;

	rcu_read_lock();
	while ((leaf = kmdom_table_find(table, index, level + 1))) {
		spin_lock_nested(&leaf->lock, level + 1);
		if (!leaf->dead) {
			/* Both are the caller's from here on: __cond_acquires(). */
			__release(&leaf->lock);
			__release(RCU);
			return leaf;
		}
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	return NULL;
}

/** kmdom_table_unlock - end what kmdom_table_lock() began */
void kmdom_table_unlock(struct kmdom_frame *leaf)
{
	/* The caller's until now: as kmdom_table_lock() gave them away. */
	__acquire(&leaf->lock);
	__acquire(RCU);
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
	WRITE_ONCE(leaf->nr_used, leaf->nr_used +
		   (*slot == KMDOM_ENTRY_EMPTY) - (entry == KMDOM_ENTRY_EMPTY));
	WRITE_ONCE(leaf->nr_present, leaf->nr_present +
		   (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) -
		   (kmdom_entry_state(*slot) == KMDOM_PAGE_PRESENT));
	WRITE_ONCE(leaf->dirty, true);
	/* Who is about to come under it, or has just left, may not be the last. */
	WRITE_ONCE(leaf->referenced, true);
	/*
	 * Publishes what the frame's descriptor and memory hold: pairs with
	 * the load of the walker.
	 */
	smp_store_release(slot, entry);
}

/**
 * kmdom_table_describe - a frame in transit is to be a table
 * @frame: the frame
 * @index: of the first page of objects that it covers
 * @level: 1 to KMDOM_LEVELS
 *
 * It is as if it had just been made: without a record, and empty.
 */
void kmdom_table_describe(struct kmdom_frame *frame, u64 index,
			  unsigned int level)
{
	kmdom_frame_describe(frame, kmdom_table_index(index, level), level, NULL,
			     0, 0);
	WRITE_ONCE(frame->nr_used, 0);
	WRITE_ONCE(frame->nr_present, 0);
	frame->dead = false;
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
static struct kmdom_frame *kmdom_table_new(struct kmdom_ledger *ledger,
					   u64 index, unsigned int level,
					   unsigned int *promised)
{
	struct kmdom_frame *frame = NULL;

	if (*promised) {
		--*promised;
		frame = kmdom_frame_take(ledger, KMDOM_CLAIM_PROMISED);
	}
	if (!frame)
		frame = kmdom_frame_take(ledger, KMDOM_CLAIM_OLDEST);
	if (!frame)
		return NULL;
	kmdom_table_describe(frame, index, level);
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
	struct kmdom_frame *parent;
	bool linked;

	parent = kmdom_table_lock(table, index, frame->level);
	if (!parent)
		return false;
	linked = kmdom_table_entry(parent, index) == KMDOM_ENTRY_EMPTY;
	if (linked) {
		kmdom_frame_publish(frame, KMDOM_FRAME_TABLE);
		atomic64_set_release(&frame->pins, 0);
		kmdom_table_set(parent, index,
				kmdom_entry_make(KMDOM_PAGE_PRESENT, 0,
						 page_to_pfn(frame->page)));
	}
	kmdom_table_unlock(parent);
	return linked;
}

/* The entry of the first table over a page that is missing, and its level. */
static u64 kmdom_table_missing(struct kmdom_table *table, u64 index,
			       unsigned int *level)
{
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_walk(table, index, 1, level);
	rcu_read_unlock();
	return entry;
}

/**
 * kmdom_table_grow - make the tables over a page
 * @table: the page table
 * @index: of the page
 * @promised: frames promised to the caller; those used are taken off
 *
 * Context: any that does not interrupt.
 * Return: 0, or -ENOBUFS, -ENODEV, -EAGAIN: a table over the page is absent or
 * lost, so that it cannot be made now.
 */
int kmdom_table_grow(struct kmdom_table *table, u64 index,
		     unsigned int *promised)
{
	struct kmdom_ledger *ledger = table->ledger;
	struct kmdom_frame *frame;
	unsigned int level;
	u64 entry;

	for (;;) {
		entry = kmdom_table_missing(table, index, &level);
		if (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT)
			return 0;
		if (ledger->ops->aborted(ledger))
			return -ENODEV;
		if (entry != KMDOM_ENTRY_EMPTY)
			return -EAGAIN;
		frame = kmdom_table_new(ledger, index, level, promised);
		if (!frame)
			return -ENOBUFS;
		/* A parent was pruned, or a neighbour was faster. */
		if (!kmdom_table_link(table, frame, index))
			kmdom_frame_put(frame);
	}
}

/* Passes what a lost table covers. */
static void kmdom_table_skip(struct kmdom_table *table, u64 cursor,
			     unsigned int level)
{
	u64 next = kmdom_page_first(kmdom_table_index(cursor, level) + 1, level);

	atomic64_cmpxchg(&table->cursor, cursor, next);
}

/**
 * kmdom_table_ready - are the tables there that a new page may need?
 * @table: the page table; whoever has a promise keeps those that are there
 * @cursor: out: of the pages that were looked at
 * @level: out: of the table that is absent
 *
 * Those over the cursor: what is beyond was never used, and empty.
 *
 * Context: any that does not interrupt.
 * Return: 0, -EAGAIN (one is absent), -EIO (all are lost).
 */
int kmdom_table_ready(struct kmdom_table *table, u64 *cursor, unsigned int *level)
{
	struct kmdom_frame *leaf;
	u64 entry;

	for (;;) {
		*cursor = atomic64_read(&table->cursor);
		if (*cursor > KMDOM_INDEX_MAX)
			return 0;
		rcu_read_lock_sched();
		leaf = kmdom_table_resident(table, *cursor, 1);
		rcu_read_unlock_sched();
		if (likely(leaf))
			return 0;
		entry = kmdom_table_missing(table, *cursor, level);
		switch (kmdom_entry_state(entry)) {
		case KMDOM_PAGE_ABSENT:
			return -EAGAIN;
		case KMDOM_PAGE_LOST:
			if (*level == KMDOM_LEVELS)
				return -EIO;
			kmdom_table_skip(table, *cursor, *level);
			break;
		default:
			return 0;
		}
	}
}

/** kmdom_table_look - kmdom_table_promised() where it is not known yet */
int kmdom_table_look(struct kmdom_table *table)
{
	unsigned int level;
	u64 cursor;
	int ret = kmdom_table_ready(table, &cursor, &level);

	if (ret || cursor > KMDOM_INDEX_MAX)
		return ret;
	rcu_read_lock();
	if (kmdom_table_find(table, cursor, 1))
		WRITE_ONCE(table->found, 1 + kmdom_table_index(cursor, 1));
	rcu_read_unlock();
	return 0;
}

/**
 * kmdom_table_at_cursor - will a new page need this table?
 * @table: the page table
 * @index: of the first page of objects that the table covers
 * @level: of the table
 *
 * Context: any.
 * Return: whether it covers the cursor.
 */
bool kmdom_table_at_cursor(const struct kmdom_table *table, u64 index,
			   unsigned int level)
{
	return kmdom_table_index(atomic64_read(&table->cursor), level) ==
	       kmdom_table_index(index, level);
}

/**
 * kmdom_table_leave - make the entry of a table absent, unless it is needed
 * @table: the page table
 * @parent: of the table that leaves; locked
 * @frame: that table, locked and frozen; no entry of it is present
 * @entry: the new entry
 *
 * In one step with those who begin to need it.
 *
 * Context: any that does not interrupt.
 * Return: 0 or -EBUSY.
 */
int kmdom_table_leave(struct kmdom_table *table, struct kmdom_frame *parent,
		      struct kmdom_frame *frame, u64 entry)
{
	u64 first = kmdom_page_first(frame->index, frame->level);
	int ret = -EBUSY;

	lockdep_assert_held(&frame->lock);
	spin_lock(&table->ledger->lock);
	if (!kmdom_table_at_cursor(table, first, frame->level) ||
	    !kmdom_ledger_grows(table->ledger)) {
		frame->dead = true;
		kmdom_table_set(parent, first, entry);
		if (READ_ONCE(table->found) == 1 + kmdom_table_index(first, 1))
			WRITE_ONCE(table->found, 0);
		ret = 0;
	}
	spin_unlock(&table->ledger->lock);
	return ret;
}

/* Cuts one empty table off, if it is there and empty; false if something stays. */
static bool kmdom_table_prune_level(struct kmdom_table *table, u64 index,
				    unsigned int level, u64 *version)
{
	struct kmdom_frame *parent, *child;
	bool cut = false;
	u64 entry;

	parent = kmdom_table_lock(table, index, level);
	/* It went with a table over it, or will be found when that has come back. */
	if (!parent)
		return true;
	entry = kmdom_table_entry(parent, index);
	if (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) {
		child = kmdom_entry_frame(entry);
		spin_lock_nested(&child->lock, level);
		/*
		 * Who pinned it for its sake tries again, and for a look at a page that
		 * was in its frame before does not: then the pager's next export does.
		 */
		if (!child->nr_used &&
		    !kmdom_frame_try_freeze(child, KMDOM_PIN_FREEZE_ALL)) {
			child->dead = true;
			*version = child->version ?: child->spent;
			kmdom_table_set(parent, index, KMDOM_ENTRY_EMPTY);
			/* Within the RCU section, which who reaps the domain waits for. */
			kmdom_frame_withdraw(child);
			cut = true;
		}
		spin_unlock(&child->lock);
	}
	kmdom_table_unlock(parent);
	if (cut)
		kmdom_frame_put_deferred(child, false);
	return cut || entry == KMDOM_ENTRY_EMPTY;
}

/**
 * kmdom_table_prune - give back the tables over a page that hold nothing
 * @table: the page table
 * @index: of a page that was just freed
 * @versions: out: for each level, of the last record of the table that went; 0 if
 *	it had none
 *
 * The tables that the cursor is in stay, and so does the topmost.
 *
 * Context: any that does not interrupt; no table is locked.
 * Return: up to which level there is no table now; 0: all stay.
 */
unsigned int kmdom_table_prune(struct kmdom_table *table, u64 index,
			       u64 versions[KMDOM_LEVELS])
{
	unsigned int level;

	memset(versions, 0, KMDOM_LEVELS * sizeof(*versions));
	for (level = 1; level < KMDOM_LEVELS; level++) {
		if (kmdom_table_at_cursor(table, index, level))
			break;
		if (!kmdom_table_prune_level(table, index, level,
					     &versions[level]))
			break;
	}
	return level - 1;
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
	spin_lock(&table->top.lock);
	WRITE_ONCE(table->root, kmdom_entry_make(KMDOM_PAGE_LOST, 0, ENODEV));
	spin_unlock(&table->top.lock);
}
