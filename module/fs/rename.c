// SPDX-License-Identifier: GPL-2.0
/*
 * rename.c - rename in all its forms
 *
 * The largest transaction has eight objects: two directories, two leaves, the
 * inode that moves, the one that is replaced, and the two that its orphan list
 * takes. A directory or a leaf that is both source and target is named twice;
 * that is allowed, and both pins then lead to the same object.
 */
#include "kmdomfs.h"

/**
 * struct rename - a rename under way
 * @old_dir: where the name is
 * @new_dir: where it goes; may be @old_dir
 * @inode: what moves
 * @target: what it replaces, or is exchanged with; or NULL
 * @old_name: the name
 * @new_name: the new one
 * @old: place of the old name
 * @new: place of the new one, or for it
 * @tx: the transaction
 * @old_parent: object of @old_dir, and so on
 * @new_parent: of @new_dir
 * @old_leaf: of @old
 * @new_leaf: of @new
 * @ino: of @inode
 * @target_ino: of @target
 */
struct rename {
	struct inode *old_dir;
	struct inode *new_dir;
	struct inode *inode;
	struct inode *target;
	const struct qstr *old_name;
	const struct qstr *new_name;
	struct kmdomfs_place old;
	struct kmdomfs_place new;
	struct kmdomfs_tx tx;
	struct kmdom_pin *old_parent;
	struct kmdom_pin *new_parent;
	struct kmdom_pin *old_leaf;
	struct kmdom_pin *new_leaf;
	struct kmdom_pin *ino;
	struct kmdom_pin *target_ino;
};

static int find_places(struct rename *re)
{
	int ret;

	/* The new one first: making room may split the old one's leaf. */
	if (re->target)
		ret = kmdomfs_dir_find(&re->tx, re->new_dir, re->new_name,
				       &re->new);
	else
		ret = kmdomfs_dir_room(&re->tx, re->new_dir, re->new_name,
				       &re->new);
	if (ret)
		return ret;
	return kmdomfs_dir_find(&re->tx, re->old_dir, re->old_name, &re->old);
}

static void name_objects(struct rename *re)
{
	struct kmdomfs_tx *tx = &re->tx;

	re->old_parent = kmdomfs_tx_write(tx, KMDOMFS_INODE,
					  KMDOMFS_I(re->old_dir)->ref);
	re->new_parent = kmdomfs_tx_write(tx, KMDOMFS_INODE,
					  KMDOMFS_I(re->new_dir)->ref);
	re->old_leaf = kmdomfs_tx_write(tx, re->old.kind, re->old.leaf);
	re->new_leaf = kmdomfs_tx_write(tx, re->new.kind, re->new.leaf);
	re->ino = kmdomfs_tx_write(tx, KMDOMFS_INODE,
				   KMDOMFS_I(re->inode)->ref);
	if (re->target)
		re->target_ino = kmdomfs_tx_write(tx, KMDOMFS_INODE,
						  KMDOMFS_I(re->target)->ref);
}

static void store_parents(struct rename *re)
{
	kmdomfs_inode_store(re->old_dir, re->old_parent->obj);
	if (re->new_dir != re->old_dir)
		kmdomfs_inode_store(re->new_dir, re->new_parent->obj);
}

static void store_changed(struct inode *inode, struct kmdom_pin *ino)
{
	inode_set_ctime_current(inode);
	kmdomfs_inode_store(inode, ino->obj);
}

/* The ".." of a directory that moves is a link of its parent's. */
static void move_parent_link(const struct inode *inode, struct inode *from,
			     struct inode *to)
{
	if (S_ISDIR(inode->i_mode) && from != to) {
		drop_nlink(from);
		inc_nlink(to);
	}
}

static void point_entry(struct kmdomfs_entry *entry, const struct inode *inode)
{
	entry->ref = KMDOMFS_I(inode)->ref;
	entry->type = fs_umode_to_dtype(inode->i_mode);
}

/* With all pinned: the new name, of @entry if there was one, names @inode. */
static void move_name(struct rename *re, struct kmdomfs_entry *old,
		      struct kmdomfs_entry *new)
{
	if (new)
		point_entry(new, re->inode);
	/* Of one leaf with @new, perhaps; it was found before this moves it. */
	kmdomfs_leaf_delete(re->old_leaf->obj, old);
	if (!new)
		kmdomfs_dir_insert(re->new_leaf, &re->new, re->inode,
				   re->new_name);
	kmdomfs_dir_changed(re->old_dir, -1);
	kmdomfs_dir_changed(re->new_dir, new ? 0 : 1);
	move_parent_link(re->inode, re->old_dir, re->new_dir);
}

/* With all pinned: what was replaced loses its name. */
static void lose_target(struct rename *re)
{
	struct inode *target = re->target;

	if (S_ISDIR(target->i_mode)) {
		drop_nlink(re->new_dir);
		clear_nlink(target);
	} else {
		drop_nlink(target);
	}
	store_changed(target, re->target_ino);
}

static int move_to_free(struct rename *re)
{
	struct kmdomfs_entry *old;
	int ret;

	name_objects(re);
	ret = kmdomfs_tx_take(&re->tx);
	if (ret)
		return ret;
	old = kmdomfs_dir_entry(re->old_leaf, &re->old);
	if (old) {
		move_name(re, old, NULL);
		store_parents(re);
		store_changed(re->inode, re->ino);
	}
	kmdomfs_tx_drop(&re->tx);
	return old ? 0 : -EIO;
}

/* @last: the target's last name; its orphan list is locked. */
static int move_over(struct rename *re, bool last)
{
	struct kmdomfs_orphaning orphaning;
	struct kmdomfs_entry *old, *new;
	int ret;

	name_objects(re);
	if (last)
		kmdomfs_orphan_name(&re->tx, KMDOMFS_I(re->target)->ref,
				    &orphaning);
	ret = kmdomfs_tx_take(&re->tx);
	if (ret)
		return ret;
	old = kmdomfs_dir_entry(re->old_leaf, &re->old);
	new = kmdomfs_dir_entry(re->new_leaf, &re->new);
	if (old && new) {
		move_name(re, old, new);
		lose_target(re);
		if (last)
			kmdomfs_orphan_push(re->tx.sbi, re->target_ino,
					    &orphaning);
		store_parents(re);
		store_changed(re->inode, re->ino);
	}
	kmdomfs_tx_drop(&re->tx);
	return old && new ? 0 : -EIO;
}

static int replace(struct rename *re)
{
	struct inode *target = re->target;
	kmdom_ref ref = KMDOMFS_I(target)->ref;
	int ret;

	if (S_ISDIR(target->i_mode) && !kmdomfs_dir_empty(target))
		return -ENOTEMPTY;
	if (!S_ISDIR(target->i_mode) && target->i_nlink > 1)
		return move_over(re, false);
	ret = kmdomfs_need_victim(target);
	if (ret)
		return ret;
	ret = kmdomfs_orphan_lock(re->tx.sbi, ref);
	if (ret)
		return ret;
	ret = move_over(re, true);
	kmdomfs_orphan_unlock(re->tx.sbi, ref);
	return ret;
}

static int exchange(struct rename *re)
{
	struct kmdomfs_entry *old, *new;
	int ret;

	name_objects(re);
	ret = kmdomfs_tx_take(&re->tx);
	if (ret)
		return ret;
	old = kmdomfs_dir_entry(re->old_leaf, &re->old);
	new = kmdomfs_dir_entry(re->new_leaf, &re->new);
	if (old && new) {
		point_entry(old, re->target);
		point_entry(new, re->inode);
		kmdomfs_dir_changed(re->old_dir, 0);
		kmdomfs_dir_changed(re->new_dir, 0);
		move_parent_link(re->inode, re->old_dir, re->new_dir);
		move_parent_link(re->target, re->new_dir, re->old_dir);
		store_parents(re);
		store_changed(re->inode, re->ino);
		store_changed(re->target, re->target_ino);
	}
	kmdomfs_tx_drop(&re->tx);
	return old && new ? 0 : -EIO;
}

/*
 * ->rename. The VFS sees to it that RENAME_NOREPLACE finds no target and RENAME_EXCHANGE
 * does, that types fit, and that no directory goes below itself.
 */
int kmdomfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		   struct dentry *old, struct inode *new_dir,
		   struct dentry *new, unsigned int flags)
{
	struct rename re = {
		.old_dir = old_dir,
		.new_dir = new_dir,
		.inode = d_inode(old),
		.target = d_inode(new),
		.old_name = &old->d_name,
		.new_name = &new->d_name,
	};
	int ret;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	kmdomfs_tx_begin(&re.tx, KMDOMFS_SB(old_dir->i_sb), 0);
	ret = find_places(&re);
	if (ret)
		goto end;
	if (flags & RENAME_EXCHANGE) {
		ret = exchange(&re);
		goto end;
	}
	ret = re.target ? replace(&re) : move_to_free(&re);
	if (!ret)
		kmdomfs_dir_prune(&re.tx, old_dir, &re.old);
end:
	kmdomfs_tx_end(&re.tx);
	return ret;
}
