// SPDX-License-Identifier: GPL-2.0
/*
 * mmap.c - shared mappings, which alone make folios dirty
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "kmdomfs.h"

/* The folio is locked: is it still the page's, and before the end? */
static bool folio_counts(struct inode *inode, struct folio *folio)
{
	return folio->mapping == inode->i_mapping &&
	       folio_pos(folio) < i_size_read(inode);
}

static vm_fault_t make_writable(struct inode *inode, struct folio *folio)
{
	int ret;

	if (((loff_t)folio->index << PAGE_SHIFT) >= i_size_read(inode))
		return VM_FAULT_SIGBUS;
	ret = kmdomfs_page_exists(inode, folio->index);
	if (ret)
		return vmf_error(ret);
	folio_lock(folio);
	if (!folio_counts(inode, folio)) {
		folio_unlock(folio);
		return VM_FAULT_NOPAGE;
	}
	kmdomfs_dirty_count(folio);
	folio_mark_dirty(folio);
	return VM_FAULT_LOCKED;
}

/*
 * ->page_mkwrite: whatever waits for the pager comes before the folio, which
 * is up to date, is locked. Limit: the fault's VMA is locked meanwhile, so that
 * the task's own threads cannot unmap it.
 */
static vm_fault_t kmdomfs_page_mkwrite(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct inode *inode = file_inode(file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t fault;
	int ret;

	sb_start_pagefault(inode->i_sb);
	ret = file_update_time(file);
	if (!ret)
		ret = kmdomfs_dirty_throttle(KMDOMFS_SB(inode->i_sb));
	if (ret) {
		fault = vmf_error(ret);
	} else {
		filemap_invalidate_lock_shared(inode->i_mapping);
		fault = make_writable(inode, folio);
		filemap_invalidate_unlock_shared(inode->i_mapping);
	}
	sb_end_pagefault(inode->i_sb);
	return fault;
}

const struct vm_operations_struct kmdomfs_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = kmdomfs_page_mkwrite,
};

/* What has private data is dirty, and stays until it was cleaned. */
static bool kmdomfs_release_folio(struct folio *folio, gfp_t gfp)
{
	return false;
}

static void kmdomfs_invalidate_folio(struct folio *folio, size_t offset,
				     size_t len)
{
	if (!offset && len == folio_size(folio))
		kmdomfs_dirty_uncount(folio);
}

const struct address_space_operations kmdomfs_aops = {
	.read_folio = kmdomfs_read_folio,
	.readahead = kmdomfs_readahead,
	.dirty_folio = kmdomfs_dirty_folio,
	.release_folio = kmdomfs_release_folio,
	.invalidate_folio = kmdomfs_invalidate_folio,
	.migrate_folio = filemap_migrate_folio,
};
