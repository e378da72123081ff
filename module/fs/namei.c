// SPDX-License-Identifier: GPL-2.0
/*
 * namei.c - looking names up, making and removing them
 *
 * Every operation finds its places first, one node at a time, and may split
 * nodes there; then it takes all that it changes in one transaction, and
 * changes objects and VFS inodes alike. If that cannot be had, nothing has
 * happened. Directories' i_rwsem, held by the VFS, keep places valid.
 */
#include <linux/slab.h>

#include "kmdomfs.h"

static struct dentry *kmdomfs_lookup(struct inode *dir, struct dentry *dentry,
				     unsigned int flags)
{
	struct inode *inode = NULL;
	struct kmdomfs_place place;
	struct kmdomfs_tx tx;
	int ret;

	if (dentry->d_name.len > KMDOMFS_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	kmdomfs_tx_begin(&tx, KMDOMFS_SB(dir->i_sb), 0);
	ret = kmdomfs_dir_find(&tx, dir, &dentry->d_name, &place);
	kmdomfs_tx_end(&tx);
	if (!ret)
		inode = kmdomfs_iget(dir->i_sb, place.ref);
	else if (ret != -ENOENT)
		return ERR_PTR(ret);
	return d_splice_alias(inode, dentry);
}

/* The target of a link that is being made: the VFS's inode has it already. */
static void fill_target(struct kmdomfs_tree *tree, const struct kmdom_pin *pin,
			const char *target, unsigned int len)
{
	struct kmdomfs_link_obj *link = pin->obj;

	tree->root = pin->ref;
	if (len > KMDOMFS_LINK_MAX) {
		memcpy(pin->obj, target, len);
		tree->pages = 1;
		return;
	}
	link->len = len;
	memcpy(link->target, target, len);
}

/*
 * Gives @inode an object, and a name in @dir. @target is a symbolic link's, of
 * i_size bytes. Consumes @inode.
 */
static int make(struct inode *dir, struct dentry *dentry, struct inode *inode,
		const char *target)
{
	struct kmdom_pin *parent, *leaf, *ino, *link = NULL;
	struct kmdomfs_place place;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(dir->i_sb), 0);
	ret = kmdomfs_dir_room(&tx, dir, &dentry->d_name, &place);
	if (ret)
		goto end;
	parent = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(dir)->ref);
	leaf = kmdomfs_tx_write(&tx, place.kind, place.leaf);
	ino = kmdomfs_tx_new(&tx, KMDOMFS_INODE);
	if (target)
		link = kmdomfs_tx_new(&tx, inode->i_size > KMDOMFS_LINK_MAX ?
					   KMDOMFS_DATA : KMDOMFS_LINK);
	ret = kmdomfs_tx_take(&tx);
	if (ret)
		goto end;
	if (target)
		fill_target(&KMDOMFS_I(inode)->tree, link, target,
			    inode->i_size);
	kmdomfs_new_store(inode, ino);
	kmdomfs_dir_insert(leaf, &place, inode, &dentry->d_name);
	kmdomfs_dir_changed(dir, 1);
	if (S_ISDIR(inode->i_mode))
		inc_nlink(dir);
	kmdomfs_inode_store(dir, parent->obj);
	kmdomfs_tx_drop(&tx);
end:
	kmdomfs_tx_end(&tx);
	if (!ret)
		return kmdomfs_new_publish(inode, dentry);
	iput(inode);
	return ret;
}

static int kmdomfs_create(struct mnt_idmap *idmap, struct inode *dir,
			  struct dentry *dentry, umode_t mode, bool excl)
{
	struct inode *inode = kmdomfs_new_inode(dir, S_IFREG | mode);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	return make(dir, dentry, inode, NULL);
}

static int kmdomfs_mkdir(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode)
{
	struct inode *inode = kmdomfs_new_inode(dir, S_IFDIR | mode);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	return make(dir, dentry, inode, NULL);
}

static int kmdomfs_symlink(struct mnt_idmap *idmap, struct inode *dir,
			   struct dentry *dentry, const char *target)
{
	unsigned int len = strlen(target);
	struct inode *inode;

	if (len >= PAGE_SIZE)
		return -ENAMETOOLONG;
	inode = kmdomfs_new_inode(dir, S_IFLNK | 0777);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	inode->i_size = len;
	if (len <= KMDOMFS_LINK_MAX) {
		inode->i_link = kmemdup_nul(target, len, GFP_KERNEL_ACCOUNT);
		if (!inode->i_link) {
			iput(inode);
			return -ENOMEM;
		}
	} else {
		kmdomfs_set_blocks(inode, 1);
	}
	return make(dir, dentry, inode, target);
}

static int kmdomfs_mknod(struct mnt_idmap *idmap, struct inode *dir,
			 struct dentry *dentry, umode_t mode, dev_t rdev)
{
	if (!S_ISREG(mode))
		return -EOPNOTSUPP;
	return kmdomfs_create(idmap, dir, dentry, mode, true);
}

static int kmdomfs_link(struct dentry *old, struct inode *dir,
			struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct kmdom_pin *parent, *leaf, *ino;
	struct kmdomfs_place place;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(dir->i_sb), 0);
	ret = kmdomfs_dir_room(&tx, dir, &dentry->d_name, &place);
	if (ret)
		goto end;
	parent = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(dir)->ref);
	leaf = kmdomfs_tx_write(&tx, place.kind, place.leaf);
	ino = kmdomfs_tx_write(&tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	ret = kmdomfs_tx_take(&tx);
	if (ret)
		goto end;
	inc_nlink(inode);
	inode_set_ctime_current(inode);
	kmdomfs_inode_store(inode, ino->obj);
	kmdomfs_dir_insert(leaf, &place, inode, &dentry->d_name);
	kmdomfs_dir_changed(dir, 1);
	kmdomfs_inode_store(dir, parent->obj);
	kmdomfs_tx_drop(&tx);
	ihold(inode);
	d_instantiate(dentry, inode);
end:
	kmdomfs_tx_end(&tx);
	return ret;
}

/**
 * kmdomfs_need_victim() - make what an inode's eviction gives to the reaper
 * @inode: the inode, which may lose its last name
 *
 * Return: 0 or -ENOMEM.
 */
int kmdomfs_need_victim(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	if (ki->victim)
		return 0;
	ki->victim = kmalloc(sizeof(*ki->victim), GFP_KERNEL_ACCOUNT);
	if (!ki->victim)
		return -ENOMEM;
	ki->victim->ref = ki->ref;
	return 0;
}

/* An inode loses a name; a directory that is removed loses all its links. */
static void lose_name(struct inode *inode)
{
	inode_set_ctime_current(inode);
	if (S_ISDIR(inode->i_mode))
		clear_nlink(inode);
	else
		drop_nlink(inode);
}

/* Removes the name at @place; @last: its inode goes on its orphan list. */
static int remove_name(struct kmdomfs_tx *tx, struct inode *dir,
		       struct inode *inode, const struct kmdomfs_place *place,
		       bool last)
{
	struct kmdom_pin *parent, *leaf, *ino;
	struct kmdomfs_orphaning orphaning;
	struct kmdomfs_entry *entry;
	int ret;

	parent = kmdomfs_tx_write(tx, KMDOMFS_INODE, KMDOMFS_I(dir)->ref);
	leaf = kmdomfs_tx_write(tx, place->kind, place->leaf);
	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, KMDOMFS_I(inode)->ref);
	if (last)
		kmdomfs_orphan_name(tx, ino->ref, &orphaning);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	entry = kmdomfs_dir_entry(leaf, place);
	if (!entry) {
		kmdomfs_tx_drop(tx);
		return -EIO;
	}
	kmdomfs_leaf_delete(leaf->obj, entry);
	kmdomfs_dir_changed(dir, -1);
	if (S_ISDIR(inode->i_mode))
		drop_nlink(dir);
	kmdomfs_inode_store(dir, parent->obj);
	lose_name(inode);
	kmdomfs_inode_store(inode, ino->obj);
	if (last)
		kmdomfs_orphan_push(tx->sbi, ino, &orphaning);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int remove_locked(struct kmdomfs_tx *tx, struct inode *dir,
			 struct inode *inode, const struct kmdomfs_place *place)
{
	bool last = S_ISDIR(inode->i_mode) || inode->i_nlink == 1;
	kmdom_ref ref = KMDOMFS_I(inode)->ref;
	int ret;

	if (!last)
		return remove_name(tx, dir, inode, place, false);
	ret = kmdomfs_need_victim(inode);
	if (ret)
		return ret;
	ret = kmdomfs_orphan_lock(tx->sbi, ref);
	if (ret)
		return ret;
	ret = remove_name(tx, dir, inode, place, true);
	kmdomfs_orphan_unlock(tx->sbi, ref);
	return ret;
}

static int kmdomfs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct kmdomfs_place place;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(dir->i_sb), 0);
	ret = kmdomfs_dir_find(&tx, dir, &dentry->d_name, &place);
	if (!ret)
		ret = remove_locked(&tx, dir, d_inode(dentry), &place);
	if (!ret)
		kmdomfs_dir_prune(&tx, dir, &place);
	kmdomfs_tx_end(&tx);
	return ret;
}

static int kmdomfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!kmdomfs_dir_empty(d_inode(dentry)))
		return -ENOTEMPTY;
	return kmdomfs_unlink(dir, dentry);
}

const struct inode_operations kmdomfs_dir_iops = {
	.lookup = kmdomfs_lookup,
	.create = kmdomfs_create,
	.link = kmdomfs_link,
	.unlink = kmdomfs_unlink,
	.symlink = kmdomfs_symlink,
	.mkdir = kmdomfs_mkdir,
	.rmdir = kmdomfs_rmdir,
	.mknod = kmdomfs_mknod,
	.rename = kmdomfs_rename,
	.getattr = kmdomfs_getattr,
	.setattr = kmdomfs_setattr,
	.update_time = kmdomfs_update_time,
};

const struct inode_operations kmdomfs_link_iops = {
	.get_link = simple_get_link,
	.getattr = kmdomfs_getattr,
	.setattr = kmdomfs_setattr,
	.update_time = kmdomfs_update_time,
};

const struct inode_operations kmdomfs_long_link_iops = {
	.get_link = page_get_link,
	.getattr = kmdomfs_getattr,
	.setattr = kmdomfs_setattr,
	.update_time = kmdomfs_update_time,
};
