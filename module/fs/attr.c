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

/*
 * ->setattr. A new size is a step of its own. The rest is changed in the VFS's inode only
 * when the object is pinned, so that nothing has changed if it cannot be.
 */
int kmdomfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		    struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct kmdom_pin *ino;
	struct kmdomfs_tx tx;
	int ret;

	ret = setattr_prepare(idmap, dentry, attr);
	if (ret)
		return ret;
	if (attr->ia_valid & ATTR_SIZE) {
		ret = kmdomfs_set_size(inode, attr->ia_size);
		if (ret)
			return ret;
	}
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
