// SPDX-License-Identifier: GPL-2.0
/*
 * readahead.c - several pages of a file at once
 *
 * One pin set names as many pages as it may, so that the pager is asked for all
 * of them before it is waited for. The backing device, which has no writeback,
 * has no readahead either; so it is turned on for each open file.
 */
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "kmdomfs.h"

/**
 * struct batch - folios that are filled together
 * @folio: locked, not up to date
 * @data: the pins of their pages; NULL for holes
 * @nr: how many
 */
struct batch {
	struct folio *folio[KMDOM_PINS_MAX];
	struct kmdom_pin *data[KMDOM_PINS_MAX];
	unsigned int nr;
};

static void collect(struct readahead_control *rac, struct batch *batch)
{
	struct folio *folio;

	batch->nr = 0;
	while (batch->nr < KMDOM_PINS_MAX && (folio = readahead_folio(rac)))
		batch->folio[batch->nr++] = folio;
}

/* Finds all pages first: nothing may be pinned while a map is looked at. */
static int take_pages(struct kmdomfs_tx *tx, struct inode *inode,
		      struct batch *batch)
{
	struct kmdomfs_slot slot[KMDOM_PINS_MAX];
	unsigned int i;
	int ret;

	for (i = 0; i < batch->nr; i++) {
		ret = kmdomfs_map_find(tx, &KMDOMFS_I(inode)->tree,
				       batch->folio[i]->index, &slot[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < batch->nr; i++)
		batch->data[i] = slot[i].data ?
			kmdomfs_tx_read(tx, KMDOMFS_DATA, slot[i].data) : NULL;
	return kmdomfs_tx_take(tx);
}

static int fill(struct kmdomfs_tx *tx, struct inode *inode, struct batch *batch)
{
	unsigned int i;
	int ret;

	ret = take_pages(tx, inode, batch);
	if (ret)
		return ret;
	for (i = 0; i < batch->nr; i++) {
		if (batch->data[i])
			memcpy_to_folio(batch->folio[i], 0,
					batch->data[i]->obj, PAGE_SIZE);
		else
			folio_zero_range(batch->folio[i], 0, PAGE_SIZE);
		folio_mark_uptodate(batch->folio[i]);
	}
	kmdomfs_tx_drop(tx);
	return 0;
}

/*
 * ->readahead: waits with the folios locked, which are not up to date. What
 * cannot be had is left to ->read_folio, which tells why.
 */
void kmdomfs_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	bool missed = kmdomfs_noted_failure(inode) == -ETIMEDOUT;
	struct kmdomfs_tx tx;
	struct batch batch;
	unsigned int i;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb),
			 missed ? KMDOM_OP_NOWAIT : 0);
	ret = kmdomfs_map_lock_shared(&tx, inode);
	if (ret)
		goto end;
	for (collect(rac, &batch); batch.nr; collect(rac, &batch)) {
		if (!ret)
			ret = fill(&tx, inode, &batch);
		for (i = 0; i < batch.nr; i++)
			folio_unlock(batch.folio[i]);
	}
	up_read(&KMDOMFS_I(inode)->map_sem);
	if (ret == -ETIMEDOUT)
		kmdomfs_note_failure(inode, ret);
end:
	kmdomfs_tx_end(&tx);
}

/**
 * kmdomfs_readahead_on() - turn readahead on
 * @file: an open file that is about to be read
 */
void kmdomfs_readahead_on(struct file *file)
{
	if (!READ_ONCE(file->f_ra.ra_pages))
		WRITE_ONCE(file->f_ra.ra_pages, KMDOM_PINS_MAX);
}

/* How long a failure is remembered for a page fault that comes back. */
#define FAILED_FOR	HZ

/**
 * kmdomfs_note_failure() - remember how this task's wait for a page failed
 * @inode: the file
 * @err: the error
 *
 * One read or one page fault comes through several doors of the page cache, and
 * only the first of them may wait for a pager that does not answer: its deadline
 * is the call's. A read forgets this when it begins and when it ends. A page fault
 * cannot tell whether it comes back or is another: for a moment it is the same.
 *
 * Another task's failure may take the place of this one, which is then forgotten.
 *
 * Context: any that does not interrupt.
 */
void kmdomfs_note_failure(struct inode *inode, int err)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	spin_lock(&inode->i_lock);
	ki->failed_err = err;
	ki->failed_start = current->start_boottime;
	ki->failed_at = jiffies;
	WRITE_ONCE(ki->failed_task, current);
	spin_unlock(&inode->i_lock);
}

/**
 * kmdomfs_forget_failure() - a call of this task begins or ends
 * @inode: the file
 *
 * Context: any that does not interrupt.
 */
void kmdomfs_forget_failure(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	/* Nobody else puts this task there: without the lock it is seen, too. */
	if (READ_ONCE(ki->failed_task) != current)
		return;
	spin_lock(&inode->i_lock);
	if (ki->failed_task == current)
		WRITE_ONCE(ki->failed_task, NULL);
	spin_unlock(&inode->i_lock);
}

/**
 * kmdomfs_noted_failure() - has a wait of this task for a page just failed?
 * @inode: the file
 *
 * Context: any that does not interrupt.
 * Return: the error, or 0.
 */
int kmdomfs_noted_failure(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	int err = 0;

	/* As in kmdomfs_forget_failure(). */
	if (READ_ONCE(ki->failed_task) != current)
		return 0;
	spin_lock(&inode->i_lock);
	/* A task that has ended may have left its address to this one. */
	if (ki->failed_task == current &&
	    ki->failed_start == current->start_boottime &&
	    time_before_eq(jiffies, ki->failed_at + FAILED_FOR))
		err = ki->failed_err;
	spin_unlock(&inode->i_lock);
	return err;
}
