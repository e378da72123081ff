// SPDX-License-Identifier: GPL-2.0
/*
 * truncate.c - change a file's size
 *
 * To cut a file is to change its size, and zero the rest of its last page, in
 * one transaction; then to drop the folios behind; then to free the pages
 * behind. The last can fail half way: so the first also notes, in the inode's
 * object, that there may be such pages, and whatever makes the file longer
 * frees them before. What is read behind a file's old end is zero.
 *
 * Context: the file's i_rwsem is held exclusive.
 */
#include <linux/pagemap.h>

#include "kmdomfs.h"

/* Changes the size alone; @cut: pages may be left behind it. */
static int store_size(struct inode *inode, loff_t size, bool cut)
{
	struct kmdom_pin *ino;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), 0);
	ino = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	ret = kmdomfs_tx_take(&tx);
	if (!ret) {
		i_size_write(inode, size);
		KMDOMFS_I(inode)->tail |= cut;
		inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
		kmdomfs_inode_store(inode, ino->obj);
		kmdomfs_tx_drop(&tx);
	}
	kmdomfs_tx_end(&tx);
	return ret;
}

static int free_tail(struct kmdomfs_tx *tx, struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct kmdom_pin *ino;
	int ret;

	ret = kmdomfs_map_cut(tx, &ki->tree,
			      DIV_ROUND_UP_ULL(inode->i_size, PAGE_SIZE));
	kmdomfs_set_blocks(inode, ki->tree.pages);
	if (ret)
		return ret;
	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, ki->ref);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	ki->tail = false;
	kmdomfs_inode_store(inode, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* With invalidate_lock held exclusive. */
static int finish_cut(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct kmdomfs_tx tx;
	int ret;

	ret = down_write_killable(&ki->map_sem);
	if (ret)
		return ret;
	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), 0);
	ret = free_tail(&tx, inode);
	kmdomfs_tx_end(&tx);
	up_write(&ki->map_sem);
	return ret;
}

/* Zeroes what is behind the file's end in its last folio, if there is one. */
static int wipe_end(struct inode *inode)
{
	struct folio *folio;
	int ret;

	folio = filemap_get_folio(inode->i_mapping,
				  inode->i_size >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return 0;
	/* A reader who fills it waits for the pager. */
	ret = folio_lock_killable(folio);
	if (!ret) {
		if (folio->mapping == inode->i_mapping &&
		    folio_test_uptodate(folio))
			folio_zero_segment(folio,
					   offset_in_folio(folio, inode->i_size),
					   folio_size(folio));
		folio_unlock(folio);
	}
	folio_put(folio);
	return ret;
}

/**
 * kmdomfs_before_growth() - prepare a file for data behind its end
 * @inode: the file
 * @pos: where it begins
 *
 * Frees what a truncate left, and wipes what a shared mapping may have left
 * in the last folio, behind the end.
 *
 * Return: 0 or an error.
 */
int kmdomfs_before_growth(struct inode *inode, loff_t pos)
{
	struct address_space *mapping = inode->i_mapping;
	int ret = 0;

	if (KMDOMFS_I(inode)->tail) {
		filemap_invalidate_lock(mapping);
		/* A read that began before the cut may have filled folios. */
		truncate_pagecache(inode, inode->i_size);
		ret = finish_cut(inode);
		filemap_invalidate_unlock(mapping);
	}
	if (ret || !offset_in_page(inode->i_size) || pos <= inode->i_size)
		return ret;
	return wipe_end(inode);
}

static int cut_size(struct inode *inode, loff_t size)
{
	unsigned int at = offset_in_page(size);
	struct kmdomfs_change change = {
		.pos = size,
		.len = PAGE_SIZE - at,
		.size = size,
		.cut = true,
	};
	int ret = -ENODATA;

	if (at)
		ret = kmdomfs_page_change(inode, &change);
	if (ret == -ENODATA)
		ret = store_size(inode, size, true);
	return ret;
}

static int shrink(struct inode *inode, loff_t size)
{
	struct address_space *mapping = inode->i_mapping;
	int ret;

	filemap_invalidate_lock(mapping);
	ret = cut_size(inode, size);
	if (!ret) {
		truncate_pagecache(inode, size);
		/* The file has its size: what is left waits for its growth. */
		finish_cut(inode);
	}
	filemap_invalidate_unlock(mapping);
	return ret;
}

/**
 * kmdomfs_set_size() - change a file's size
 * @inode: the file
 * @size: the new size
 *
 * Return: 0, or an error with nothing changed.
 */
int kmdomfs_set_size(struct inode *inode, loff_t size)
{
	int ret;

	if (size == inode->i_size)
		return 0;
	if (size < inode->i_size)
		return shrink(inode, size);
	ret = kmdomfs_before_growth(inode, size);
	return ret ?: store_size(inode, size, false);
}
