// SPDX-License-Identifier: GPL-2.0
/*
 * reaper.c - the thread that frees unlinked inodes
 *
 * One a mount. It begins with what earlier mounts left on the orphan lists;
 * then eviction gives it the inodes that it evicts. It waits for the pager like
 * any client, so umount, which must not, ends its wait with a signal; what is
 * then not freed waits on its list for the next mount.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kmdomfs.h"

#define RETRY_MIN	HZ
#define RETRY_MAX	(30 * HZ)

static int free_short_link(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *link;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	link = kmdomfs_tx_write(tx, KMDOMFS_LINK, tree->root);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	kmdomfs_tx_free(tx, link);
	tree->root = 0;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int free_contents(struct kmdomfs_tx *tx, kmdom_ref ref,
			 const struct kmdomfs_inode_obj *obj)
{
	struct kmdomfs_tree tree;

	kmdomfs_tree_load(&tree, ref, obj);
	if (!tree.root)
		return 0;
	if (S_ISDIR(obj->mode))
		return kmdomfs_btree_free(tx, &tree);
	if (S_ISLNK(obj->mode) && obj->size <= KMDOMFS_LINK_MAX)
		return free_short_link(tx, &tree);
	return kmdomfs_map_cut(tx, &tree, 0);
}

/* Frees one inode, or goes as far as it can; can be repeated. */
static int reap(struct kmdomfs_sb *sbi, kmdom_ref ref, kmdom_ref *next)
{
	struct kmdomfs_inode_obj obj;
	struct kmdom_pin *ino;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, sbi, 0);
	ino = kmdomfs_tx_read(&tx, KMDOMFS_INODE, ref);
	ret = kmdomfs_tx_take(&tx);
	if (!ret) {
		obj = *(struct kmdomfs_inode_obj *)ino->obj;
		*next = obj.orphan_next;
		kmdomfs_tx_drop(&tx);
		ret = free_contents(&tx, ref, &obj);
	}
	if (!ret)
		ret = kmdomfs_orphan_delete(&tx, ref);
	kmdomfs_tx_end(&tx);
	return ret;
}

/*
 * Frees one of those that an earlier mount left; -ENOENT if there is none. One
 * that cannot be had keeps none of another list.
 */
static int reap_left(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_orphans *orphans;
	kmdom_ref next = 0;
	unsigned int i;
	int ret, err = -ENOENT;

	for (i = 0; i < KMDOMFS_ORPHAN_LISTS; i++) {
		orphans = &sbi->orphans[i];
		if (!orphans->left)
			continue;
		ret = reap(sbi, orphans->left, &next);
		if (!ret) {
			orphans->left = next;
			return 0;
		}
		err = ret;
		if (ret == -EINTR || ret == -ENODEV)
			break;
	}
	return err;
}

static struct kmdomfs_victim *take_victim(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_victim *victim;

	spin_lock(&sbi->victims_lock);
	victim = list_first_entry_or_null(&sbi->victims, struct kmdomfs_victim,
					  link);
	if (victim)
		list_del(&victim->link);
	spin_unlock(&sbi->victims_lock);
	return victim;
}

static void put_victim(struct kmdomfs_sb *sbi, struct kmdomfs_victim *victim)
{
	spin_lock(&sbi->victims_lock);
	list_add_tail(&victim->link, &sbi->victims);
	spin_unlock(&sbi->victims_lock);
}

static int reap_victim(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_victim *victim = take_victim(sbi);
	kmdom_ref next;
	int ret;

	if (!victim)
		return -ENOENT;
	ret = reap(sbi, victim->ref, &next);
	if (ret)
		put_victim(sbi, victim);
	else
		kfree(victim);
	return ret;
}

/* Frees an inode of each kind, if there is one; -ENOENT if there is none. */
static int reap_some(struct kmdomfs_sb *sbi)
{
	int left = reap_left(sbi);
	int victim = reap_victim(sbi);

	if (!left || !victim)
		return 0;
	return left == -ENOENT ? victim : left;
}

static bool reaper_has_work(struct kmdomfs_sb *sbi)
{
	return READ_ONCE(sbi->reaper_stop) || !list_empty_careful(&sbi->victims);
}

static void wait_to_retry(struct kmdomfs_sb *sbi, long delay)
{
	wait_event_interruptible_timeout(sbi->reaper_wait,
					 READ_ONCE(sbi->reaper_stop), delay);
}

static int reaper_main(void *data)
{
	struct kmdomfs_sb *sbi = data;
	long delay = RETRY_MIN;
	int ret;

	allow_kernel_signal(SIGKILL);
	while (!READ_ONCE(sbi->reaper_stop)) {
		ret = reap_some(sbi);
		if (ret == -ENOENT) {
			wait_event_interruptible(sbi->reaper_wait,
						 reaper_has_work(sbi));
		} else if (ret) {
			/* Rather a client's wait than this one, see clean.c. */
			wait_to_retry(sbi, delay);
			delay = min(2 * delay, (long)RETRY_MAX);
		} else {
			delay = RETRY_MIN;
			cond_resched();
		}
	}
	return 0;
}

/**
 * kmdomfs_reaper_start() - start the mount's thread
 * @sbi: the mount, its orphan lists loaded
 *
 * Return: 0 or an error.
 */
int kmdomfs_reaper_start(struct kmdomfs_sb *sbi)
{
	struct task_struct *task;

	task = kthread_create(reaper_main, sbi, "kmdomfs/%s",
			      kmdom_domain_name(sbi->dom));
	if (IS_ERR(task))
		return PTR_ERR(task);
	sbi->reaper = get_task_struct(task);
	wake_up_process(task);
	return 0;
}

/**
 * kmdomfs_reaper_stop() - end the thread, without waiting for the pager
 * @sbi: the mount
 */
void kmdomfs_reaper_stop(struct kmdomfs_sb *sbi)
{
	if (!sbi->reaper)
		return;
	WRITE_ONCE(sbi->reaper_stop, true);
	send_sig(SIGKILL, sbi->reaper, 1);
	kthread_stop_put(sbi->reaper);
	sbi->reaper = NULL;
}

/**
 * kmdomfs_reaper_forget() - drop what the reaper did not come to
 * @sbi: the mount, of which no inode is left
 */
void kmdomfs_reaper_forget(struct kmdomfs_sb *sbi)
{
	struct kmdomfs_victim *victim;

	while ((victim = take_victim(sbi)))
		kfree(victim);
}

/**
 * kmdomfs_reaper_give() - have an inode freed
 * @sbi: the mount
 * @victim: the inode, on its orphan list, which nobody uses any more
 *
 * Context: any; waits for nothing. After the reaper's end the inode stays on
 * its list.
 */
void kmdomfs_reaper_give(struct kmdomfs_sb *sbi, struct kmdomfs_victim *victim)
{
	put_victim(sbi, victim);
	wake_up(&sbi->reaper_wait);
}
