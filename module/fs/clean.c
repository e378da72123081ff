// SPDX-License-Identifier: GPL-2.0
/*
 * clean.c - take what shared mappings wrote out of dirty folios
 *
 * The kernel's writeback does not know of these folios: their backing device
 * has none, and no count of dirty pages includes them. So nothing that waits
 * for writeback waits for a pager. They are few, KMDOMFS_DIRTY_MAX a mount: a
 * fault that would make one more cleans the others first.
 *
 * A folio's dirty mark in the mapping says that it is to be cleaned, and its
 * private flag that it is counted. They are cleaned about a second later by a
 * work item, and when a file that was open for writing is closed, as far as
 * that needs no pager: whoever closes it last may be anybody. An inode on the
 * list holds itself and its superblock active, and so does the work item: a
 * mount whose pager is dead lives on, unmounted, until the pager answers or the
 * domain is aborted. In the first case the data is there at the next mount, in
 * the second it is lost, as all of the domain's is. What is lost, or cannot be
 * written now, is an error of the mapping, which fsync() reports.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/rmap.h>

#include "kmdomfs.h"

#define CLEAN_DELAY	HZ
#define CLEAN_PAUSE_MAX	(30 * HZ)

static struct workqueue_struct *cleaner_wq;

/*
 * Has the cleaner look in a while: soon enough to notice that the domain is
 * aborted. The caller, or an inode that is listed, holds the superblock active.
 */
static void queue_cleaner(struct kmdomfs_sb *sbi)
{
	atomic_inc(&sbi->sb->s_active);
	/* The other reference is there, so that this is not the last. */
	if (!queue_delayed_work(cleaner_wq, &sbi->cleaner, CLEAN_DELAY))
		atomic_dec(&sbi->sb->s_active);
}

/* Puts a dirty inode on its mount's list, and starts the cleaner. */
static void list_inode(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct super_block *sb = inode->i_sb;
	struct kmdomfs_sb *sbi = KMDOMFS_SB(sb);

	spin_lock(&sbi->dirty_lock);
	if (!list_empty(&ki->dirty_link) ||
	    !atomic_inc_not_zero(&sb->s_active))
		goto unlock;
	if (!igrab(inode)) {
		/* It is being evicted. The last reference is the cleaner's. */
		if (!atomic_add_unless(&sb->s_active, -1, 1))
			queue_delayed_work(cleaner_wq, &sbi->cleaner, 0);
		goto unlock;
	}
	list_add_tail(&ki->dirty_link, &sbi->dirty);
	queue_cleaner(sbi);
unlock:
	spin_unlock(&sbi->dirty_lock);
}

/*
 * ->dirty_folio: like noop_dirty_folio(), and marks it. Context: any that keeps
 * the folio in its mapping; may be atomic.
 */
bool kmdomfs_dirty_folio(struct address_space *mapping, struct folio *folio)
{
	unsigned long flags;

	if (folio_test_set_dirty(folio))
		return false;
	xa_lock_irqsave(&mapping->i_pages, flags);
	if (folio->mapping == mapping)
		__xa_set_mark(&mapping->i_pages, folio->index,
			      PAGECACHE_TAG_DIRTY);
	xa_unlock_irqrestore(&mapping->i_pages, flags);
	list_inode(mapping->host);
	return true;
}

/**
 * kmdomfs_dirty_count() - a shared mapping is about to dirty a folio
 * @folio: the folio, locked
 */
void kmdomfs_dirty_count(struct folio *folio)
{
	struct kmdomfs_sb *sbi = KMDOMFS_SB(folio->mapping->host->i_sb);

	if (folio_test_private(folio))
		return;
	folio_attach_private(folio, (void *)1);
	atomic_inc(&sbi->nr_dirty);
}

/**
 * kmdomfs_dirty_uncount() - a folio is clean, or goes
 * @folio: the folio, locked
 */
void kmdomfs_dirty_uncount(struct folio *folio)
{
	struct kmdomfs_sb *sbi = KMDOMFS_SB(folio->mapping->host->i_sb);

	if (folio_detach_private(folio))
		atomic_dec(&sbi->nr_dirty);
}

/*
 * The folio is locked, so that no PTE becomes writable. What was written
 * through those that were is in the folio when this returns.
 */
static bool mark_clean(struct inode *inode, struct folio *folio)
{
	struct address_space *mapping = inode->i_mapping;
	bool dirty;

	if (folio->mapping != mapping)
		return false;
	folio_mkclean(folio);
	xa_lock_irq(&mapping->i_pages);
	dirty = folio_test_clear_dirty(folio);
	__xa_clear_mark(&mapping->i_pages, folio->index, PAGECACHE_TAG_DIRTY);
	xa_unlock_irq(&mapping->i_pages);
	kmdomfs_dirty_uncount(folio);
	return dirty;
}

/* Copies a folio to its object; what is beyond the file's end is zero there. */
static void copy_out(struct inode *inode, struct folio *folio,
		     struct kmdomfs_data_obj *data)
{
	loff_t size = i_size_read(inode);
	loff_t pos = folio_pos(folio);
	size_t len = size > pos ? min_t(loff_t, size - pos, PAGE_SIZE) : 0;

	memcpy_from_folio((char *)data->data, folio, 0, len);
	memset(data->data + len, 0, PAGE_SIZE - len);
}

/* With map_sem held. Returns -EAGAIN if the folio is locked. */
static int clean_pinned(struct kmdomfs_tx *tx, struct inode *inode,
			struct folio *folio)
{
	struct kmdomfs_slot slot;
	struct kmdom_pin *data;
	int ret;

	ret = kmdomfs_map_find(tx, &KMDOMFS_I(inode)->tree, folio->index,
			       &slot);
	if (ret || !slot.data)
		/* If there is no object, the folio is just being cut off. */
		return ret;
	data = kmdomfs_tx_write(tx, KMDOMFS_DATA, slot.data);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	if (folio_trylock(folio)) {
		if (mark_clean(inode, folio))
			copy_out(inode, folio, data->obj);
		folio_unlock(folio);
	} else {
		ret = -EAGAIN;
	}
	kmdomfs_tx_drop(tx);
	return ret;
}

static int clean_to_object(struct kmdomfs_tx *tx, struct inode *inode,
			   struct folio *folio)
{
	int ret;

	ret = kmdomfs_map_lock_shared(tx, inode);
	if (ret)
		return ret;
	ret = clean_pinned(tx, inode, folio);
	up_read(&KMDOMFS_I(inode)->map_sem);
	return ret;
}

/* With map_sem held exclusive. Returns -EAGAIN if the folio is locked. */
static int replace_object(struct kmdomfs_tx *tx, struct inode *inode,
			  struct folio *folio)
{
	struct kmdomfs_tree *tree = &KMDOMFS_I(inode)->tree;
	struct kmdom_pin *ino, *data, *map = NULL;
	struct kmdomfs_slot slot;
	int ret;

	ret = kmdomfs_map_find(tx, tree, folio->index, &slot);
	if (ret || !slot.data)
		return ret;
	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	data = kmdomfs_tx_new(tx, KMDOMFS_DATA);
	kmdomfs_tx_unneeded(tx, KMDOMFS_DATA, slot.data);
	if (slot.node)
		map = kmdomfs_tx_write(tx, slot.kind, slot.node);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	if (!folio_trylock(folio)) {
		kmdomfs_tx_undo(tx);
		return -EAGAIN;
	}
	if (!mark_clean(inode, folio)) {
		folio_unlock(folio);
		kmdomfs_tx_undo(tx);
		return 0;
	}
	copy_out(inode, folio, data->obj);
	folio_unlock(folio);
	kmdom_free(&tx->op, tx->sbi->cache[KMDOMFS_DATA], slot.data);
	tree->pages--;
	kmdomfs_map_set(tree, &slot, map, data->ref);
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/*
 * The page's object cannot be had any more; but all of the page is in the folio.
 * So it gets another, and the old one ends, for which it is not brought in.
 */
static int clean_to_new(struct kmdomfs_tx *tx, struct inode *inode,
			struct folio *folio)
{
	int ret;

	ret = kmdomfs_map_lock(tx, inode);
	if (ret)
		return ret;
	ret = replace_object(tx, inode, folio);
	up_write(&KMDOMFS_I(inode)->map_sem);
	return ret;
}

/* The domain is aborted: there is nothing to copy to. */
static void drop_dirty(struct inode *inode, struct folio *folio)
{
	folio_lock(folio);
	mark_clean(inode, folio);
	folio_unlock(folio);
}

static int clean_folio(struct kmdomfs_tx *tx, struct inode *inode,
		       struct folio *folio)
{
	int ret;

	for (;;) {
		ret = clean_to_object(tx, inode, folio);
		if (ret == -EIO)
			ret = clean_to_new(tx, inode, folio);
		if (ret != -EAGAIN || tx->nowait)
			break;
		ret = kmdomfs_folio_wait(folio);
		if (ret)
			break;
	}
	if (ret == -ENODEV || ret == -EIO)
		mapping_set_error(inode->i_mapping, -EIO);
	if (ret == -ENODEV) {
		drop_dirty(inode, folio);
		ret = 0;
	}
	return ret;
}

static bool keeps_no_other(int err)
{
	return err == -EIO || err == -EAGAIN || err == -ETIMEDOUT;
}

/*
 * A page that cannot be had keeps no other one dirty: once the deadline has
 * passed, those still become clean that need no pager.
 */
static int clean_mapping(struct kmdomfs_tx *tx, struct inode *inode)
{
	struct kmdomfs_tx rest, *use = tx;
	struct folio_batch batch;
	int ret = 0, err = 0;
	pgoff_t start = 0;
	unsigned int i;

	kmdomfs_tx_begin(&rest, tx->sbi, KMDOM_OP_NOWAIT);
	folio_batch_init(&batch);
	while (!ret && filemap_get_folios_tag(inode->i_mapping, &start,
					      (pgoff_t)-1, PAGECACHE_TAG_DIRTY,
					      &batch)) {
		for (i = 0; !ret && i < folio_batch_count(&batch); i++) {
			ret = clean_folio(use, inode, batch.folios[i]);
			if (ret == -ETIMEDOUT)
				use = &rest;
			if (keeps_no_other(ret)) {
				if (ret != -EAGAIN || !err)
					err = ret;
				ret = 0;
			}
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	kmdomfs_tx_end(&rest);
	return ret ?: err;
}

/* Gives back what an inode on the list holds. */
static void release_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	iput(inode);
	deactivate_super(sb);
}

static struct inode *take_inode(struct kmdomfs_sb *sbi, struct list_head *list)
{
	struct kmdomfs_inode *ki;

	spin_lock(&sbi->dirty_lock);
	ki = list_first_entry_or_null(list, struct kmdomfs_inode, dirty_link);
	if (ki)
		list_del_init(&ki->dirty_link);
	spin_unlock(&sbi->dirty_lock);
	return ki ? &ki->vfs : NULL;
}

/* An inode that could not be cleaned, unless it was listed again meanwhile. */
static void return_inode(struct kmdomfs_sb *sbi, struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	bool listed;

	spin_lock(&sbi->dirty_lock);
	listed = !list_empty(&ki->dirty_link);
	if (!listed) {
		list_add_tail(&ki->dirty_link, &sbi->dirty);
		queue_cleaner(sbi);
	}
	spin_unlock(&sbi->dirty_lock);
	if (listed)
		release_inode(inode);
}

static bool too_many_dirty(struct kmdomfs_sb *sbi)
{
	return atomic_read(&sbi->nr_dirty) >= KMDOMFS_DIRTY_MAX;
}

/*
 * Each inode that is listed now gets one turn; who dirties more meanwhile is
 * listed for another round. One that cannot be cleaned keeps no other dirty.
 * With @room only until there is room. The caller holds the superblock active.
 */
static int clean_round(struct kmdomfs_tx *tx, bool room)
{
	struct kmdomfs_sb *sbi = tx->sbi;
	int ret = 0, err = 0;
	struct inode *inode;
	LIST_HEAD(todo);

	lockdep_assert_held(&sbi->clean_lock);
	spin_lock(&sbi->dirty_lock);
	list_splice_init(&sbi->dirty, &todo);
	spin_unlock(&sbi->dirty_lock);
	while (!ret && !(room && !too_many_dirty(sbi)) &&
	       (inode = take_inode(sbi, &todo))) {
		ret = clean_mapping(tx, inode);
		if (ret)
			return_inode(sbi, inode);
		else
			release_inode(inode);
		if (keeps_no_other(ret)) {
			err = ret;
			ret = 0;
		}
	}
	spin_lock(&sbi->dirty_lock);
	if (!list_empty(&todo)) {
		list_splice(&todo, &sbi->dirty);
		queue_cleaner(sbi);
	}
	spin_unlock(&sbi->dirty_lock);
	return ret ?: err;
}

/* With clean_lock held. Fails only if a whole round made no room. */
static int make_room(struct kmdomfs_tx *tx)
{
	int ret, before;

	while (too_many_dirty(tx->sbi)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		before = atomic_read(&tx->sbi->nr_dirty);
		ret = clean_round(tx, true);
		if (ret && atomic_read(&tx->sbi->nr_dirty) >= before)
			return ret;
	}
	return 0;
}

/**
 * kmdomfs_dirty_throttle() - before one more folio becomes dirty
 * @tx: a transaction with nothing pinned
 *
 * While one task cleans, those that would dirty more wait for it: so there are
 * never more than the limit and one for each task that faults.
 *
 * Context: may wait for the pager, if @tx may; no folio is locked.
 * Return: 0 or an error, with too many dirty still; -EAGAIN if @tx does not
 * wait.
 */
int kmdomfs_dirty_throttle(struct kmdomfs_tx *tx)
{
	struct kmdomfs_sb *sbi = tx->sbi;
	int ret;

	if (!too_many_dirty(sbi))
		return 0;
	if (tx->nowait)
		return -EAGAIN;
	ret = mutex_lock_killable(&sbi->clean_lock);
	if (ret)
		return ret;
	ret = make_room(tx);
	mutex_unlock(&sbi->clean_lock);
	return ret;
}

/*
 * Takes a clean inode off the list, and the cleaner out of its queue if that
 * was the last one, so that they do not keep the mount busy.
 */
static void unlist_inode(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct super_block *sb = inode->i_sb;
	struct kmdomfs_sb *sbi = KMDOMFS_SB(sb);
	bool unlisted = false, unqueued = false;

	spin_lock(&sbi->dirty_lock);
	if (!list_empty(&ki->dirty_link) &&
	    !mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY)) {
		list_del_init(&ki->dirty_link);
		unlisted = true;
		if (list_empty(&sbi->dirty))
			unqueued = cancel_delayed_work(&sbi->cleaner);
	}
	spin_unlock(&sbi->dirty_lock);
	if (unqueued)
		deactivate_super(sb);
	if (unlisted)
		release_inode(inode);
}

/**
 * kmdomfs_clean_inode() - clean those of a file's dirty folios that can be now
 * @inode: the file, which the caller holds
 *
 * Context: may sleep, but waits for no pager and nobody who does. The cleaner
 * does the rest.
 */
void kmdomfs_clean_inode(struct inode *inode)
{
	struct kmdomfs_tx tx;
	int ret;

	if (!mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY))
		return;
	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), KMDOM_OP_NOWAIT);
	ret = clean_mapping(&tx, inode);
	kmdomfs_tx_end(&tx);
	if (!ret)
		unlist_inode(inode);
}

/*
 * A domain whose pager has missed a deadline lets one waiter in at a time, to
 * see whether it answers again. That should be a client more often than the
 * cleaner, which therefore lets be, longer each time; but not once the domain is
 * aborted, for then it has to let go of the mount.
 */
static void clean_unless_paused(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_tx tx;
	int ret;

	lockdep_assert_held(&sbi->clean_lock);
	if (time_before(jiffies, sbi->clean_after) &&
	    !kmdom_domain_aborted(sbi->dom)) {
		queue_cleaner(sbi);
		return;
	}
	kmdomfs_tx_begin(&tx, sbi, 0);
	ret = clean_round(&tx, false);
	kmdomfs_tx_end(&tx);
	sbi->clean_pause = ret == -ETIMEDOUT ?
		min(2 * sbi->clean_pause + CLEAN_DELAY,
		    (unsigned long)CLEAN_PAUSE_MAX) : 0;
	sbi->clean_after = jiffies + sbi->clean_pause;
}

/* What a round leaves is listed, which has queued the next one. */
static void cleaner_work(struct work_struct *work)
{
	struct kmdomfs_sb *sbi = container_of(to_delayed_work(work),
					      struct kmdomfs_sb, cleaner);
	struct super_block *sb = sbi->sb;

	/* If another cleans, he may be long: looks again later. */
	if (mutex_trylock(&sbi->clean_lock)) {
		clean_unless_paused(sbi);
		mutex_unlock(&sbi->clean_lock);
	} else {
		queue_cleaner(sbi);
	}
	/* May be the last one: @sbi may be gone. */
	deactivate_super(sb);
}

/**
 * kmdomfs_cleaner_init() - set a mount's cleaner up
 * @sbi: the mount
 */
void kmdomfs_cleaner_init(struct kmdomfs_sb *sbi)
{
	INIT_DELAYED_WORK(&sbi->cleaner, cleaner_work);
	mutex_init(&sbi->clean_lock);
	spin_lock_init(&sbi->dirty_lock);
	INIT_LIST_HEAD(&sbi->dirty);
	sbi->clean_after = jiffies;
}

int kmdomfs_cleaner_start(void)
{
	cleaner_wq = alloc_workqueue("kmdomfs", WQ_UNBOUND, 0);
	return cleaner_wq ? 0 : -ENOMEM;
}

void kmdomfs_cleaner_stop(void)
{
	destroy_workqueue(cleaner_wq);
}
