// SPDX-License-Identifier: GPL-2.0
/*
 * file.c - regular files: read, write, map
 *
 * Reading is the page cache's. Writing is write-through, page by page: the
 * user's bytes are first copied to a page of ours, since user memory may take
 * as long as it likes (userfaultfd) and no pin may be held that long; then the
 * object and the folio are changed together. So write(2) leaves no dirty folio.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "kmdomfs.h"

static int kmdomfs_open(struct inode *inode, struct file *file)
{
	/* As in tmpfs, O_DIRECT is allowed and changes nothing. */
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

/* Whoever closes a file last may be anybody, and must not wait for its pager. */
static int kmdomfs_release(struct inode *inode, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		kmdomfs_clean_inode(inode);
	return 0;
}

static ssize_t kmdomfs_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	kmdomfs_readahead_on(iocb->ki_filp);
	kmdomfs_forget_failure(inode);
	ret = filemap_read(iocb, to, 0);
	kmdomfs_forget_failure(inode);
	return ret;
}

static ssize_t kmdomfs_splice_read(struct file *file, loff_t *pos,
				   struct pipe_inode_info *pipe, size_t len,
				   unsigned int flags)
{
	struct inode *inode = file_inode(file);
	ssize_t ret;

	kmdomfs_readahead_on(file);
	kmdomfs_forget_failure(inode);
	ret = filemap_splice_read(file, pos, pipe, len, flags);
	kmdomfs_forget_failure(inode);
	return ret;
}

static int write_chunk(struct inode *inode, loff_t pos, const void *from,
		       unsigned int len)
{
	struct kmdomfs_change change = {
		.pos = pos,
		.len = len,
		.from = from,
		.size = pos + len > inode->i_size ? pos + len : -1,
	};

	return kmdomfs_page_change(inode, &change);
}

static ssize_t write_pages(struct inode *inode, loff_t pos,
			   struct iov_iter *from, void *bounce)
{
	ssize_t written = 0;
	size_t len;
	int ret = 0;

	while (!ret && iov_iter_count(from)) {
		len = min(iov_iter_count(from), PAGE_SIZE - offset_in_page(pos));
		len = copy_from_iter(bounce, len, from);
		if (!len) {
			ret = -EFAULT;
			break;
		}
		ret = write_chunk(inode, pos, bounce, len);
		if (ret) {
			iov_iter_revert(from, len);
			break;
		}
		pos += len;
		written += len;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	return written ?: ret;
}

static ssize_t write_locked(struct kiocb *iocb, struct iov_iter *from)
{
	struct file *file = iocb->ki_filp;
	struct inode *inode = file_inode(file);
	void *bounce;
	ssize_t ret;

	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		return ret;
	ret = file_remove_privs(file);
	if (ret)
		return ret;
	if (iocb->ki_pos + iov_iter_count(from) > inode->i_size) {
		ret = kmdomfs_before_growth(inode, iocb->ki_pos);
		if (ret)
			return ret;
	}
	bounce = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;
	ret = write_pages(inode, iocb->ki_pos, from, bounce);
	kfree(bounce);
	if (ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

static ssize_t kmdomfs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	inode_lock(inode);
	ret = write_locked(iocb, from);
	inode_unlock(inode);
	return ret;
}

static int kmdomfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Writes the access time only if it need not wait: mmap_lock is held. */
	file_accessed(file);
	kmdomfs_readahead_on(file);
	vma->vm_ops = &kmdomfs_vm_ops;
	return 0;
}

/* Data is as safe as it gets; tells of what could not be taken out of folios. */
static int kmdomfs_fsync(struct file *file, loff_t start, loff_t end,
			 int datasync)
{
	return file_check_and_advance_wb_err(file);
}

const struct file_operations kmdomfs_file_fops = {
	.open = kmdomfs_open,
	.release = kmdomfs_release,
	.llseek = generic_file_llseek,
	.read_iter = kmdomfs_read_iter,
	.write_iter = kmdomfs_write_iter,
	.mmap = kmdomfs_mmap,
	.fsync = kmdomfs_fsync,
	.splice_read = kmdomfs_splice_read,
	.splice_write = iter_file_splice_write,
};

const struct inode_operations kmdomfs_file_iops = {
	.getattr = kmdomfs_getattr,
	.setattr = kmdomfs_setattr,
	.update_time = kmdomfs_update_time,
};
