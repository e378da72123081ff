// SPDX-License-Identifier: GPL-2.0
/*
 * orphan.c - lists, in the domain, of inodes that have lost their last name
 *
 * An inode is put on a list in the same transaction that takes its last name,
 * and stays there until it is freed: by the reaper when nobody uses it any
 * more, by the next mount's if this one ends before. The lists are doubly
 * linked, since files are closed in any order; there are several, so that
 * tasks that unlink seldom wait for each other's faults.
 *
 * Context: all of these may wait for the pager, with the list's lock held. It
 * is taken with no other list's.
 */
#include <linux/hash.h>
#include <linux/log2.h>

#include "kmdomfs.h"

static unsigned int list_of(kmdom_ref ref)
{
	return hash_64(ref, ilog2(KMDOMFS_ORPHAN_LISTS));
}

/**
 * kmdomfs_orphan_lock() - lock the list that an inode belongs to
 * @sbi: the mount
 * @ref: the inode
 *
 * Return: 0 or -EINTR.
 */
int kmdomfs_orphan_lock(struct kmdomfs_sb *sbi, kmdom_ref ref)
{
	return mutex_lock_killable(&sbi->orphans[list_of(ref)].lock);
}

/**
 * kmdomfs_orphan_unlock() - unlock it
 * @sbi: the mount
 * @ref: the inode
 */
void kmdomfs_orphan_unlock(struct kmdomfs_sb *sbi, kmdom_ref ref)
{
	mutex_unlock(&sbi->orphans[list_of(ref)].lock);
}

/**
 * kmdomfs_orphan_name() - name what changes when an inode is put on its list
 * @tx: a transaction with nothing pinned, which also names the inode
 * @ref: the inode, its list locked until @tx was dropped
 * @list: out: the objects
 */
void kmdomfs_orphan_name(struct kmdomfs_tx *tx, kmdom_ref ref,
			 struct kmdomfs_orphaning *list)
{
	struct kmdomfs_orphans *orphans = &tx->sbi->orphans[list_of(ref)];

	lockdep_assert_held(&orphans->lock);
	list->super = kmdomfs_tx_write(tx, KMDOMFS_SUPER, tx->sbi->super);
	list->next = orphans->head ?
		     kmdomfs_tx_write(tx, KMDOMFS_INODE, orphans->head) : NULL;
}

/**
 * kmdomfs_orphan_push() - put an inode on its list
 * @sbi: the mount
 * @ino: the inode's object, pinned for writing
 * @list: from kmdomfs_orphan_name(), pinned
 */
void kmdomfs_orphan_push(struct kmdomfs_sb *sbi, struct kmdom_pin *ino,
			 const struct kmdomfs_orphaning *list)
{
	struct kmdomfs_orphans *orphans = &sbi->orphans[list_of(ino->ref)];
	struct kmdomfs_super_obj *super = list->super->obj;
	struct kmdomfs_inode_obj *obj = ino->obj;

	lockdep_assert_held(&orphans->lock);
	obj->orphan_next = orphans->head;
	obj->orphan_prev = 0;
	if (list->next)
		((struct kmdomfs_inode_obj *)list->next->obj)->orphan_prev =
			ino->ref;
	orphans->head = ino->ref;
	super->orphan[list_of(ino->ref)] = ino->ref;
}

static int read_neighbours(struct kmdomfs_tx *tx, kmdom_ref ref,
			   kmdom_ref *next, kmdom_ref *prev)
{
	struct kmdomfs_inode_obj *obj;
	struct kmdom_pin *pin;
	int ret;

	pin = kmdomfs_tx_read(tx, KMDOMFS_INODE, ref);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	obj = pin->obj;
	*next = obj->orphan_next;
	*prev = obj->orphan_prev;
	kmdomfs_tx_drop(tx);
	return 0;
}

static int unlink_and_free(struct kmdomfs_tx *tx, kmdom_ref ref)
{
	struct kmdomfs_orphans *orphans = &tx->sbi->orphans[list_of(ref)];
	struct kmdom_pin *ino, *before, *after = NULL;
	kmdom_ref next, prev;
	int ret;

	ret = read_neighbours(tx, ref, &next, &prev);
	if (ret)
		return ret;
	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, ref);
	before = kmdomfs_tx_write(tx, prev ? KMDOMFS_INODE : KMDOMFS_SUPER,
				  prev ?: tx->sbi->super);
	if (next)
		after = kmdomfs_tx_write(tx, KMDOMFS_INODE, next);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	if (prev) {
		((struct kmdomfs_inode_obj *)before->obj)->orphan_next = next;
	} else {
		((struct kmdomfs_super_obj *)before->obj)->orphan[list_of(ref)] =
			next;
		orphans->head = next;
	}
	if (after)
		((struct kmdomfs_inode_obj *)after->obj)->orphan_prev = prev;
	kmdomfs_tx_free(tx, ino);
	kmdomfs_tx_drop(tx);
	return 0;
}

/**
 * kmdomfs_orphan_delete() - take an inode off its list, and free its object
 * @tx: a transaction with nothing pinned
 * @ref: the inode, whose contents are freed
 *
 * Return: 0; or an error, and it is still there.
 */
int kmdomfs_orphan_delete(struct kmdomfs_tx *tx, kmdom_ref ref)
{
	int ret = kmdomfs_orphan_lock(tx->sbi, ref);

	if (ret)
		return ret;
	ret = unlink_and_free(tx, ref);
	kmdomfs_orphan_unlock(tx->sbi, ref);
	return ret;
}
