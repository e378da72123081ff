// SPDX-License-Identifier: GPL-2.0
/*
 * attr.c - mode, owner, times
 */
#include "kmdomfs.h"

/*
 * ->getattr: from the VFS's inode alone
 */
int kmdomfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		    struct kstat *stat, u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);

	generic_fillattr(idmap, mask, inode, stat);
	stat->result_mask |= STATX_BTIME;
	stat->btime = KMDOMFS_I(inode)->btime;
	return 0;
}

static int store_attr(struct mnt_idmap *idmap, struct inode *inode,
		      const struct iattr *attr)
{
	struct kmdom_pin *ino;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb), 0);
	ino = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	ret = kmdomfs_tx_take(&tx);
	if (!ret) {
		setattr_copy(idmap, inode, attr);
		kmdomfs_inode_store(inode, ino->obj);
		kmdomfs_tx_drop(&tx);
	}
	kmdomfs_tx_end(&tx);
	return ret;
}

/*
 * ->setattr. What is changed in the VFS's inode is changed when the object is
 * pinned, so that nothing has changed if it cannot be. A new size is a step of
 * its own, and the last: a file that could not be cut may have lost its set-id
 * bits, but none that was cut has kept them.
 */
int kmdomfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		    struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int ret;

	ret = setattr_prepare(idmap, dentry, attr);
	if (!ret)
		ret = store_attr(idmap, inode, attr);
	if (!ret && (attr->ia_valid & ATTR_SIZE))
		ret = kmdomfs_set_size(inode, attr->ia_size);
	return ret;
}

/**
 * kmdomfs_touch() - a file is written to through a mapping: set its times
 * @tx: a transaction with nothing pinned
 * @inode: the file
 *
 * Return: 0 or an error with nothing changed.
 */
int kmdomfs_touch(struct kmdomfs_tx *tx, struct inode *inode)
{
	struct kmdom_pin *ino;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	if (inode_update_timestamps(inode, S_MTIME | S_CTIME))
		kmdomfs_inode_store(inode, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/*
 * ->update_time. An access time alone is not worth a fault, and ->mmap asks for one with the
 * caller's mmap_lock held: it is written if the object is there, and else with
 * the next change. Limit: it is lost if the VFS drops the inode before.
 */
int kmdomfs_update_time(struct inode *inode, int flags)
{
	bool idle = !(flags & ~S_ATIME);
	struct kmdom_pin *ino;
	struct kmdomfs_tx tx;
	int ret;

	if (!inode_update_timestamps(inode, flags))
		return 0;
	kmdomfs_tx_begin(&tx, KMDOMFS_SB(inode->i_sb),
			 idle ? KMDOM_OP_NOWAIT : 0);
	ino = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	ret = kmdomfs_tx_take(&tx);
	if (!ret) {
		kmdomfs_inode_store(inode, ino->obj);
		kmdomfs_tx_drop(&tx);
	}
	kmdomfs_tx_end(&tx);
	return idle ? 0 : ret;
}
