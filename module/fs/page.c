// SPDX-License-Identifier: GPL-2.0
/*
 * page.c - a file's pages, between objects and folios
 *
 * The object is the page; a folio is a copy of it. A change goes to both under
 * the folio's lock, with the object pinned, so that nobody who fills or cleans
 * the folio meanwhile sees one without the other. Pins come first, and then the
 * folio's lock is only tried: a reader may hold it while he waits for the
 * pager, though only until the folio is up to date.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>

#include "kmdomfs.h"

/**
 * struct page_objects - what a change of a page takes
 * @slot: where the page hangs
 * @ino: the inode's object
 * @data: the page's, new if @slot had none
 * @map: of @slot, if the page is new and does not hang from the inode
 */
struct page_objects {
	struct kmdomfs_slot slot;
	struct kmdom_pin *ino;
	struct kmdom_pin *data;
	struct kmdom_pin *map;
};

static int take_page(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		     struct page_objects *page)
{
	const struct kmdomfs_slot *slot = &page->slot;

	page->ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	page->map = NULL;
	if (slot->data) {
		page->data = kmdomfs_tx_write(tx, KMDOMFS_DATA, slot->data);
	} else {
		page->data = kmdomfs_tx_new(tx, KMDOMFS_DATA);
		if (slot->node)
			page->map = kmdomfs_tx_write(tx, slot->kind,
						     slot->node);
	}
	return kmdomfs_tx_take(tx);
}

/* With all pinned: a new page becomes part of its file. */
static void hang_page(struct inode *inode, struct page_objects *page)
{
	struct kmdomfs_tree *tree = &KMDOMFS_I(inode)->tree;

	if (page->slot.data)
		return;
	lockdep_assert_held_write(&KMDOMFS_I(inode)->map_sem);
	kmdomfs_map_set(tree, &page->slot, page->map, page->data->ref);
	kmdomfs_tree_store(tree, page->ino->obj);
	kmdomfs_set_blocks(inode, tree->pages);
}

/**
 * kmdomfs_page_folio() - the folio of a page, made if there is none
 * @inode: the file
 * @index: of the page
 *
 * Return: the folio, not locked, perhaps not up to date; or an error.
 */
struct folio *kmdomfs_page_folio(struct inode *inode, u64 index)
{
	return __filemap_get_folio(inode->i_mapping, index,
				   FGP_CREAT | FGP_FOR_MMAP | FGP_ACCESSED,
				   mapping_gfp_mask(inode->i_mapping));
}

/**
 * kmdomfs_folio_wait() - wait until nobody has a folio locked
 * @folio: the folio
 *
 * Context: nothing is pinned, no map_sem is held.
 * Return: 0 or -EINTR.
 */
int kmdomfs_folio_wait(struct folio *folio)
{
	int ret = folio_lock_killable(folio);

	if (!ret)
		folio_unlock(folio);
	return ret;
}

/* Both copies of the page, which is pinned, and locked as @folio, change. */
static void copy_change(const struct kmdomfs_change *change,
			struct kmdomfs_data_obj *data, struct folio *folio)
{
	unsigned int at = offset_in_page(change->pos);

	if (change->from && change->len == PAGE_SIZE)
		memcpy(data->data, change->from, PAGE_SIZE);	/* one instruction */
	else if (change->from)
		memcpy(data->data + at, change->from, change->len);
	else
		memset(data->data + at, 0, change->len);
	if (folio_test_uptodate(folio)) {
		/* It may be a large one, if khugepaged made it. */
		memcpy_to_folio(folio, offset_in_folio(folio, change->pos),
				data->data + at, change->len);
	} else {
		memcpy_to_folio(folio, 0, data->data, PAGE_SIZE);
		folio_mark_uptodate(folio);
	}
}

static void change_inode(struct inode *inode,
			 const struct kmdomfs_change *change,
			 struct page_objects *page)
{
	if (change->size >= 0)
		i_size_write(inode, change->size);
	if (change->cut)
		KMDOMFS_I(inode)->tail = true;
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
	kmdomfs_inode_store(inode, page->ino->obj);
}

/* Returns -EAGAIN if the folio is locked, -ESTALE if it is no more the page's. */
static int change_slot(struct kmdomfs_tx *tx, struct inode *inode,
		       const struct kmdomfs_change *change,
		       struct page_objects *page, struct folio *folio)
{
	int ret = take_page(tx, &KMDOMFS_I(inode)->tree, page);

	if (ret)
		return ret;
	if (!folio_trylock(folio)) {
		kmdomfs_tx_undo(tx);
		return -EAGAIN;
	}
	if (folio->mapping != inode->i_mapping) {
		folio_unlock(folio);
		kmdomfs_tx_undo(tx);
		return -ESTALE;
	}
	copy_change(change, page->data->obj, folio);
	hang_page(inode, page);
	change_inode(inode, change, page);
	folio_unlock(folio);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* If there is a page: under the shared lock. Else returns -ENODATA. */
static int change_existing(struct kmdomfs_tx *tx, struct inode *inode,
			   const struct kmdomfs_change *change,
			   struct folio *folio)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct page_objects page;
	int ret;

	ret = kmdomfs_map_lock_shared(tx, inode);
	if (ret)
		return ret;
	ret = kmdomfs_map_find(tx, &ki->tree, change->pos >> PAGE_SHIFT,
			       &page.slot);
	if (!ret)
		ret = page.slot.data ?
		      change_slot(tx, inode, change, &page, folio) : -ENODATA;
	up_read(&ki->map_sem);
	return ret;
}

static int change_hole(struct kmdomfs_tx *tx, struct inode *inode,
		       const struct kmdomfs_change *change,
		       struct folio *folio)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct page_objects page;
	int ret;

	ret = kmdomfs_map_lock(tx, inode);
	if (ret)
		return ret;
	ret = kmdomfs_map_make(tx, &ki->tree, change->pos >> PAGE_SHIFT,
			       &page.slot);
	if (!ret)
		ret = change_slot(tx, inode, change, &page, folio);
	up_write(&ki->map_sem);
	return ret;
}

static int change_once(struct kmdomfs_tx *tx, struct inode *inode,
		       const struct kmdomfs_change *change)
{
	struct folio *folio;
	int ret;

	folio = kmdomfs_page_folio(inode, change->pos >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	ret = change_existing(tx, inode, change, folio);
	if (ret == -ENODATA && !change->cut)
		ret = change_hole(tx, inode, change, folio);
	if (ret == -EAGAIN)
		ret = kmdomfs_folio_wait(folio) ?: -EAGAIN;
	folio_put(folio);
	return ret;
}

/**
 * kmdomfs_page_change() - change a page of a file, and its inode
 * @inode: the file, its i_rwsem held exclusive
 * @change: what to change, within one page
 *
 * Context: may wait for the pager.
 * Return: 0, an error with nothing changed; or, if @change->cut, -ENODATA if
 * there is no page.
 */
int kmdomfs_page_change(struct inode *inode,
			const struct kmdomfs_change *change)
{
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), 0);
	do {
		ret = change_once(&tx, inode, change);
	} while (ret == -EAGAIN || ret == -ESTALE);
	kmdomfs_tx_end(&tx);
	return ret;
}

static int make_page(struct kmdomfs_tx *tx, struct inode *inode, u64 index)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct page_objects page;
	int ret;

	ret = kmdomfs_map_lock(tx, inode);
	if (ret)
		return ret;
	ret = kmdomfs_map_make(tx, &ki->tree, index, &page.slot);
	if (!ret && !page.slot.data) {
		ret = take_page(tx, &ki->tree, &page);
		if (!ret) {
			hang_page(inode, &page);
			kmdomfs_tx_drop(tx);
		}
	}
	up_write(&ki->map_sem);
	return ret;
}

/**
 * kmdomfs_page_exists() - see to it that a page has an object
 * @tx: a transaction with nothing pinned
 * @inode: the file, its invalidate_lock held
 * @index: of the page, which is not beyond the file's end
 *
 * Context: may wait for the pager, if @tx may.
 * Return: 0 or an error.
 */
int kmdomfs_page_exists(struct kmdomfs_tx *tx, struct inode *inode, u64 index)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct kmdomfs_slot slot;
	int ret;

	ret = kmdomfs_map_lock_shared(tx, inode);
	if (ret)
		return ret;
	ret = kmdomfs_map_find(tx, &ki->tree, index, &slot);
	up_read(&ki->map_sem);
	if (!ret && !slot.data)
		ret = make_page(tx, inode, index);
	return ret;
}

static int fill_folio(struct kmdomfs_tx *tx, struct inode *inode,
		      struct folio *folio)
{
	struct kmdomfs_slot slot;
	struct kmdom_pin *data;
	int ret;

	ret = kmdomfs_map_find(tx, &KMDOMFS_I(inode)->tree, folio->index,
			       &slot);
	if (ret)
		return ret;
	if (!slot.data) {
		folio_zero_range(folio, 0, PAGE_SIZE);
		return 0;
	}
	data = kmdomfs_tx_read(tx, KMDOMFS_DATA, slot.data);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	memcpy_to_folio(folio, 0, data->obj, PAGE_SIZE);
	kmdomfs_tx_drop(tx);
	return 0;
}

/*
 * ->read_folio: waits with the folio locked, which is
 * not up to date. Not if the task's readahead has just missed a deadline.
 */
int kmdomfs_read_folio(struct file *file, struct folio *folio)
{
	struct inode *inode = folio->mapping->host;
	bool missed = kmdomfs_noted_failure(inode) == -ETIMEDOUT;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb),
			 missed ? KMDOM_OP_NOWAIT : 0);
	ret = kmdomfs_map_lock_shared(&tx, inode);
	if (!ret) {
		ret = fill_folio(&tx, inode, folio);
		up_read(&KMDOMFS_I(inode)->map_sem);
	}
	kmdomfs_tx_end(&tx);
	if (!ret)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
	if (ret == -ETIMEDOUT)
		kmdomfs_note_failure(inode, ret);
	return missed && ret == -EAGAIN ? -ETIMEDOUT : ret;
}
