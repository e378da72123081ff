// SPDX-License-Identifier: GPL-2.0
/*
 * mmap.c - shared mappings, which alone make folios dirty
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "kmdomfs.h"

/* The folio is locked: is it still the page's, and before the end? */
static bool folio_counts(struct inode *inode, struct folio *folio)
{
	return folio->mapping == inode->i_mapping &&
	       folio_pos(folio) < i_size_read(inode);
}

/*
 * What a write through a shared mapping changes in the domain: the page has an
 * object then, and the file its times. With invalidate_lock held.
 */
static int prepare_write(struct kmdomfs_tx *tx, struct inode *inode, u64 index)
{
	int ret;

	ret = kmdomfs_page_exists(tx, inode, index);
	return ret ?: kmdomfs_touch(tx, inode);
}

static bool beyond_end(struct inode *inode, pgoff_t index)
{
	return ((loff_t)index << PAGE_SHIFT) >= i_size_read(inode);
}

/* For a fault that will then find it done, unless pages leave meanwhile. */
static int prepare_fault(struct inode *inode, pgoff_t index, unsigned int flags)
{
	struct address_space *mapping = inode->i_mapping;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), flags);
	ret = kmdomfs_dirty_throttle(&tx);
	if (ret)
		goto end;
	if (!tx.nowait)
		filemap_invalidate_lock_shared(mapping);
	else if (!filemap_invalidate_trylock_shared(mapping))
		ret = -EAGAIN;
	if (ret)
		goto end;
	/* What is beyond the end is the fault's to refuse. */
	if (!beyond_end(inode, index))
		ret = prepare_write(&tx, inode, index);
	filemap_invalidate_unlock_shared(mapping);
end:
	kmdomfs_tx_end(&tx);
	return ret;
}

/*
 * Waits for the pager while the fault can let go of its locks, so that neither
 * the task's other threads nor who looks at its memory wait with it. A user's
 * fault that comes back and would wait again is begun anew, so that it can let
 * go again; only the kernel's own, which cannot, then wait with the locks held.
 * Limit: a pager that takes pages away as soon as they are there makes it begin
 * anew as often as it wins that race.
 */
static vm_fault_t before_write(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct inode *inode = file_inode(file);
	pgoff_t index = vmf->pgoff;
	int ret;

	ret = prepare_fault(inode, index, KMDOM_OP_NOWAIT);
	if (ret == -EAGAIN)
		/* The one that waited has ended so, for this access. */
		ret = kmdomfs_noted_failure(inode) ?: -EAGAIN;
	if (ret != -EAGAIN)
		return ret ? vmf_error(ret) : 0;
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!fault_flag_allow_retry_first(vmf->flags)) {
		if (vmf->flags & FAULT_FLAG_USER)
			return VM_FAULT_NOPAGE;
		ret = prepare_fault(inode, index, 0);
		return ret ? vmf_error(ret) : 0;
	}
	get_file(file);
	release_fault_lock(vmf);
	ret = prepare_fault(inode, index, 0);
	if (ret)
		kmdomfs_note_failure(inode, ret);
	fput(file);
	/* MAJOR: it has waited, and counts as tried. */
	return VM_FAULT_RETRY | VM_FAULT_MAJOR;
}

static vm_fault_t kmdomfs_fault(struct vm_fault *vmf)
{
	vm_fault_t fault = 0;

	if ((vmf->flags & FAULT_FLAG_WRITE) && (vmf->vma->vm_flags & VM_SHARED))
		fault = before_write(vmf);
	return fault ?: filemap_fault(vmf);
}

/* With invalidate_lock held. */
static int mark_writable(struct kmdomfs_tx *tx, struct inode *inode,
			 struct folio *folio, vm_fault_t *fault)
{
	int ret;

	*fault = VM_FAULT_SIGBUS;
	if (beyond_end(inode, folio->index))
		return 0;
	ret = prepare_write(tx, inode, folio->index);
	if (ret)
		return ret;
	*fault = VM_FAULT_NOPAGE;
	folio_lock(folio);
	if (!folio_counts(inode, folio)) {
		folio_unlock(folio);
		return 0;
	}
	kmdomfs_dirty_count(folio);
	folio_mark_dirty(folio);
	*fault = VM_FAULT_LOCKED;
	return 0;
}

/* Returns -EAGAIN if it would have to wait. */
static int make_writable(struct inode *inode, struct folio *folio,
			 vm_fault_t *fault)
{
	struct address_space *mapping = inode->i_mapping;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), KMDOM_OP_NOWAIT);
	ret = kmdomfs_dirty_throttle(&tx);
	if (!ret && !filemap_invalidate_trylock_shared(mapping))
		ret = -EAGAIN;
	if (!ret) {
		ret = mark_writable(&tx, inode, folio, fault);
		filemap_invalidate_unlock_shared(mapping);
	}
	kmdomfs_tx_end(&tx);
	return ret;
}

/*
 * ->page_mkwrite: cannot let go of the fault's locks, and so never waits for the
 * pager: where it would, the page leaves all mappings, and the access comes back
 * through ->fault. Limit: unless another thread, which reads the page all the
 * time, has it mapped again before; then the two race until the writer is first.
 */
static vm_fault_t kmdomfs_page_mkwrite(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio = page_folio(vmf->page);
	vm_fault_t fault;
	int ret;

	sb_start_pagefault(inode->i_sb);
	ret = make_writable(inode, folio, &fault);
	sb_end_pagefault(inode->i_sb);
	if (ret == -EAGAIN) {
		unmap_mapping_range(inode->i_mapping, folio_pos(folio),
				    folio_size(folio), 0);
		fault = VM_FAULT_NOPAGE;
	} else if (ret) {
		fault = vmf_error(ret);
	}
	return fault;
}

const struct vm_operations_struct kmdomfs_vm_ops = {
	.fault = kmdomfs_fault,
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
