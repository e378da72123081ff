// SPDX-License-Identifier: GPL-2.0
/*
 * grant.c - where frames change between the pager's mappings and the kernel
 *
 * The pool's mutex makes the grant exclusive: a fault maps a frame under it
 * only while the pager owns it, and a grant zaps the mappings under it before
 * it looks for other references. A frame that anybody still refers to is not
 * lent.
 *
 * Lock order: mmap_lock, pool->lock, i_mmap_rwsem, page-table locks.
 */
#include <linux/mm.h>
#include <linux/page_ref.h>
#include <linux/sched/signal.h>
#include "frames.h"

static vm_fault_t kmdom_pool_fault(struct vm_fault *vmf)
{
	struct kmdom_pool *pool = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct kmdom_frame *frame;

	if (vmf->pgoff >= pool->nr_frames)
		return ret;
	frame = &pool->frames[vmf->pgoff];
	mutex_lock(&pool->lock);
	if (pool->mapping && frame->state == KMDOM_FRAME_OWNED)
		ret = vmf_insert_pfn(vmf->vma, vmf->address,
				     page_to_pfn(frame->page));
	mutex_unlock(&pool->lock);
	return ret;
}

/* A mapping may outlive the session but not its file, which uses the pool. */
static const struct vm_operations_struct kmdom_pool_vm_ops = {
	.fault = kmdom_pool_fault,
};

/**
 * kmdom_pool_mmap - map a pool for its pager
 * @pool: the pool
 * @vma: a shared mapping of the session's file
 *
 * Return: 0 or -EINVAL.
 */
int kmdom_pool_mmap(struct kmdom_pool *pool, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	if (vma->vm_pgoff >= pool->nr_frames ||
	    vma_pages(vma) > pool->nr_frames - vma->vm_pgoff)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY);
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = &kmdom_pool_vm_ops;
	vma->vm_private_data = pool;
	return 0;
}

/* Lends one frame whose mappings are gone; false if something refers to it. */
static bool kmdom_frame_lend(struct kmdom_frame *frame)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;

	lockdep_assert_held(&frame->pool->lock);
	if (!page_ref_freeze(frame->page, 1))
		return false;
	page_ref_unfreeze(frame->page, 1);
	clear_page(kmdom_frame_data(frame));
	spin_lock(&ledger->lock);
	kmdom_frame_set_state(frame, KMDOM_FRAME_FREE);
	list_add_tail(&frame->node, &ledger->free);
	ledger->nr_free++;
	spin_unlock(&ledger->lock);
	return true;
}

/**
 * kmdom_pool_grant - lend frames to the kernel
 * @pool: the pool
 * @first: number of the first frame
 * @nr: in: how many, at most KMDOM_GRANT_CHUNK; the range lies in the pool.
 *	Out: how many were looked at; fewer if many lacked memory, so that who
 *	ends the session need not wait for all of that
 * @done: how many were lent is added
 *
 * Context: may sleep; in the pager's process.
 * Return: 0, also if some were passed over; -EDQUOT, -ENOMEM.
 */
int kmdom_pool_grant(struct kmdom_pool *pool, u64 first, u32 *nr, u64 *done)
{
	u32 i, left = KMDOM_BACK_CHUNK;
	int ret = 0;

	mutex_lock(&pool->lock);
	unmap_mapping_range(pool->mapping, first << PAGE_SHIFT,
			    (loff_t)*nr << PAGE_SHIFT, 1);
	for (i = 0; i < *nr && left && !ret && !fatal_signal_pending(current); i++) {
		struct kmdom_frame *frame = &pool->frames[first + i];

		if (frame->state == KMDOM_FRAME_NONE) {
			ret = kmdom_frame_back(frame);
			left--;
		}
		if (frame->state == KMDOM_FRAME_OWNED && kmdom_frame_lend(frame))
			++*done;
	}
	mutex_unlock(&pool->lock);
	*nr = i;
	return ret;
}

/* Takes one frame back if it is free and not promised. */
static bool kmdom_frame_take_back(struct kmdom_frame *frame)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;
	bool free;

	lockdep_assert_held(&frame->pool->lock);
	spin_lock(&ledger->lock);
	free = frame->state == KMDOM_FRAME_FREE &&
	       (ledger->nr_free > ledger->reserved ||
		(kmdom_promises_collect(ledger) && ledger->nr_free > ledger->reserved));
	if (free) {
		list_del_init(&frame->node);
		ledger->nr_free--;
		kmdom_frame_set_state(frame, KMDOM_FRAME_OWNED);
	}
	spin_unlock(&ledger->lock);
	return free;
}

/**
 * kmdom_pool_revoke - give free frames back to their pager
 * @pool: the pool
 * @first: number of the first frame
 * @nr: how many, at most KMDOM_GRANT_CHUNK; the range lies in the pool
 * @done: how many of them were free, and are the pager's now, is added
 *
 * Promised frames stay, so that an operation that began can end.
 *
 * Context: may sleep.
 */
void kmdom_pool_revoke(struct kmdom_pool *pool, u64 first, u32 nr, u64 *done)
{
	u32 i;

	mutex_lock(&pool->lock);
	for (i = 0; i < nr; i++)
		*done += kmdom_frame_take_back(&pool->frames[first + i]);
	mutex_unlock(&pool->lock);
}
