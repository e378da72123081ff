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
 * work item, and when a file that was open for writing is closed. An inode on
 * the list holds itself and its superblock active, and so does the work item:
 * a mount whose pager is dead lives on, unmounted, until the pager answers or
 * the domain is aborted. In the first case the data is there at the next mount,
 * in the second it is lost, as all of the domain's is; either way a failure is
 * an error of the mapping, which fsync() reports.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/rmap.h>

#include "kmdomfs.h"

#define CLEAN_DELAY	HZ

static struct workqueue_struct *cleaner_wq;

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
	/* The list's reference is there, so that neither is this the last. */
	atomic_inc(&sb->s_active);
	if (!queue_delayed_work(cleaner_wq, &sbi->cleaner, CLEAN_DELAY))
		atomic_dec(&sb->s_active);
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

static int clean_once(struct kmdomfs_tx *tx, struct inode *inode,
		      struct folio *folio)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	int ret;

	ret = down_read_killable(&ki->map_sem);
	if (ret)
		return ret;
	ret = clean_pinned(tx, inode, folio);
	up_read(&ki->map_sem);
	if (ret == -EAGAIN)
		ret = kmdomfs_folio_wait(folio) ?: -EAGAIN;
	return ret;
}

/* The domain is aborted: there is nothing to copy to. */
static void drop_dirty(struct inode *inode, struct folio *folio)
{
	folio_lock(folio);
	mark_clean(inode, folio);
	folio_unlock(folio);
}

static int clean_folio(struct inode *inode, struct folio *folio)
{
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), 0);
	do {
		ret = clean_once(&tx, inode, folio);
	} while (ret == -EAGAIN);
	kmdomfs_tx_end(&tx);
	if (ret && ret != -EINTR)
		mapping_set_error(inode->i_mapping, -EIO);
	if (ret == -ENODEV) {
		drop_dirty(inode, folio);
		ret = 0;
	}
	return ret;
}

/* A page that cannot be had keeps no other one dirty. */
static int clean_mapping(struct inode *inode)
{
	struct folio_batch batch;
	int ret = 0, err = 0;
	pgoff_t start = 0;
	unsigned int i;

	folio_batch_init(&batch);
	while (!ret && filemap_get_folios_tag(inode->i_mapping, &start,
					      (pgoff_t)-1, PAGECACHE_TAG_DIRTY,
					      &batch)) {
		for (i = 0; !ret && i < folio_batch_count(&batch); i++) {
			ret = clean_folio(inode, batch.folios[i]);
			if (ret == -EIO) {
				err = ret;
				ret = 0;
			}
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return ret ?: err;
}

/* Gives back what an inode on the list holds. */
static void release_inode(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;

	iput(inode);
	deactivate_super(sb);
}

static struct inode *take_inode(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_inode *ki;

	spin_lock(&sbi->dirty_lock);
	ki = list_first_entry_or_null(&sbi->dirty, struct kmdomfs_inode,
				      dirty_link);
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
	if (!listed)
		list_add_tail(&ki->dirty_link, &sbi->dirty);
	spin_unlock(&sbi->dirty_lock);
	if (listed)
		release_inode(inode);
}

/* The caller holds the superblock active. */
static int clean_all(struct kmdomfs_sb *sbi)
{
	struct inode *inode;
	int ret;

	lockdep_assert_held(&sbi->clean_lock);
	while ((inode = take_inode(sbi))) {
		ret = clean_mapping(inode);
		if (ret) {
			return_inode(sbi, inode);
			return ret;
		}
		release_inode(inode);
	}
	return 0;
}

static bool too_many_dirty(struct kmdomfs_sb *sbi)
{
	return atomic_read(&sbi->nr_dirty) >= KMDOMFS_DIRTY_MAX;
}

/**
 * kmdomfs_dirty_throttle() - before one more folio becomes dirty
 * @sbi: the mount
 *
 * While one task cleans, those that would dirty more wait for it: so there are
 * never more than the limit and one for each task that faults.
 *
 * Context: may wait for the pager; no folio is locked.
 * Return: 0 or an error, with too many dirty still.
 */
int kmdomfs_dirty_throttle(struct kmdomfs_sb *sbi)
{
	int ret;

	if (!too_many_dirty(sbi))
		return 0;
	ret = mutex_lock_killable(&sbi->clean_lock);
	if (ret)
		return ret;
	if (too_many_dirty(sbi))
		ret = clean_all(sbi);
	if (!too_many_dirty(sbi))
		ret = 0;
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
 * kmdomfs_clean_inode() - clean a file's dirty folios
 * @inode: the file, which the caller holds
 *
 * Context: may wait for the pager. If it fails, the cleaner goes on.
 */
void kmdomfs_clean_inode(struct inode *inode)
{
	if (mapping_tagged(inode->i_mapping, PAGECACHE_TAG_DIRTY) &&
	    !clean_mapping(inode))
		unlist_inode(inode);
}

static void cleaner_work(struct work_struct *work)
{
	struct kmdomfs_sb *sbi = container_of(to_delayed_work(work),
					      struct kmdomfs_sb, cleaner);
	struct super_block *sb = sbi->sb;
	int ret = -EAGAIN;

	/* If another cleans, he may be long: looks again later. */
	if (mutex_trylock(&sbi->clean_lock)) {
		ret = clean_all(sbi);
		mutex_unlock(&sbi->clean_lock);
	}
	/*
	 * The reference goes to the next run. That one soon notices that the
	 * pager answers, or that the domain is aborted; a pager that stands
	 * still costs it little, since waits for that one fail at once.
	 */
	if (ret && queue_delayed_work(cleaner_wq, &sbi->cleaner, CLEAN_DELAY))
		return;
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
