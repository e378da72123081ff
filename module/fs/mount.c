// SPDX-License-Identifier: GPL-2.0
/*
 * mount.c - what a mount reads, and makes, before there is a superblock
 *
 * All of this may wait for the pager, and there is no s_umount yet. Holding the
 * domain's caches keeps other mounts out.
 */
#include <linux/random.h>
#include <linux/slab.h>

#include "kmdomfs.h"

static struct kmdomfs_sb *sb_alloc(struct kmdom_domain *dom)
{
	struct kmdomfs_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!sbi)
		return NULL;
	sbi->dom = dom;
	for (i = 0; i < KMDOMFS_ORPHAN_LISTS; i++)
		mutex_init(&sbi->orphans[i].lock);
	init_waitqueue_head(&sbi->reaper_wait);
	spin_lock_init(&sbi->victims_lock);
	INIT_LIST_HEAD(&sbi->victims);
	kmdomfs_cleaner_init(sbi);
	return sbi;
}

static int attach(struct kmdomfs_sb *sbi)
{
	struct kmdom_cache *cache;
	unsigned int i;

	for (i = 0; i < KMDOMFS_KINDS; i++) {
		cache = kmdom_cache_attach(sbi->dom, &kmdomfs_types[i]);
		if (IS_ERR(cache))
			return PTR_ERR(cache);
		sbi->cache[i] = cache;
	}
	return 0;
}

/**
 * kmdomfs_sb_detach() - let go of the domain's caches
 * @sbi: the mount, of which nothing uses an object any more
 */
void kmdomfs_sb_detach(struct kmdomfs_sb *sbi)
{
	unsigned int i;

	for (i = 0; i < KMDOMFS_KINDS; i++) {
		if (sbi->cache[i])
			kmdom_cache_detach(sbi->cache[i]);
		sbi->cache[i] = NULL;
	}
}

static void fill_root(struct kmdomfs_inode_obj *obj,
		      const struct kmdomfs_root_attr *attr)
{
	struct timespec64 now;

	ktime_get_real_ts64(&now);
	obj->mode = S_IFDIR | attr->mode;
	obj->uid = from_kuid(&init_user_ns, attr->uid);
	obj->gid = from_kgid(&init_user_ns, attr->gid);
	obj->nlink = 2;
	obj->generation = get_random_u32();
	obj->atime = now.tv_sec;
	obj->mtime = now.tv_sec;
	obj->ctime = now.tv_sec;
	obj->btime = now.tv_sec;
	obj->atime_ns = now.tv_nsec;
	obj->mtime_ns = now.tv_nsec;
	obj->ctime_ns = now.tv_nsec;
	obj->btime_ns = now.tv_nsec;
}

/* Makes a file system where there was none; the anchor comes last. */
static int format(struct kmdomfs_tx *tx, const struct kmdomfs_root_attr *attr)
{
	struct kmdomfs_super_obj *super;
	struct kmdom_pin *pin, *root;
	int ret;

	pin = kmdomfs_tx_new(tx, KMDOMFS_SUPER);
	root = kmdomfs_tx_new(tx, KMDOMFS_INODE);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	fill_root(root->obj, attr);
	super = pin->obj;
	super->format = KMDOMFS_FORMAT;
	super->root = root->ref;
	get_random_bytes(super->hash_key, sizeof(super->hash_key));
	kmdom_cache_set_anchor(tx->sbi->cache[KMDOMFS_SUPER], pin->ref);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int load_super(struct kmdomfs_tx *tx)
{
	struct kmdomfs_sb *sbi = tx->sbi;
	struct kmdomfs_super_obj *super;
	struct kmdom_pin *pin;
	unsigned int i;
	int ret;

	sbi->super = kmdom_cache_anchor(sbi->cache[KMDOMFS_SUPER]);
	pin = kmdomfs_tx_read(tx, KMDOMFS_SUPER, sbi->super);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	super = pin->obj;
	sbi->root = super->root;
	sbi->hash_key.key[0] = super->hash_key[0];
	sbi->hash_key.key[1] = super->hash_key[1];
	for (i = 0; i < KMDOMFS_ORPHAN_LISTS; i++) {
		sbi->orphans[i].head = super->orphan[i];
		sbi->orphans[i].left = super->orphan[i];
	}
	if (super->format != KMDOMFS_FORMAT)
		ret = -EINVAL;
	kmdomfs_tx_drop(tx);
	return ret;
}

static int load(struct kmdomfs_tx *tx, const struct kmdomfs_root_attr *attr,
		struct kmdomfs_inode_obj *root)
{
	struct kmdomfs_sb *sbi = tx->sbi;
	struct kmdom_pin *pin;
	int ret;

	if (!kmdom_cache_anchor(sbi->cache[KMDOMFS_SUPER])) {
		ret = format(tx, attr);
		if (ret)
			return ret;
	}
	ret = load_super(tx);
	if (ret)
		return ret;
	pin = kmdomfs_tx_read(tx, KMDOMFS_INODE, sbi->root);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	*root = *(struct kmdomfs_inode_obj *)pin->obj;
	kmdomfs_tx_drop(tx);
	return 0;
}

/**
 * kmdomfs_sb_create() - take hold of a domain's file system, or make it
 * @dom: the domain; its reference is the result's from now on, if there is one
 * @attr: of the root directory, if it is made
 * @root: out: copy of its inode object
 *
 * Context: may wait for the pager.
 * Return: the mount; -EBUSY if another has it, -EPROTOTYPE if another version
 * of this module made it, or an error of the pager's.
 */
struct kmdomfs_sb *kmdomfs_sb_create(struct kmdom_domain *dom,
				     const struct kmdomfs_root_attr *attr,
				     struct kmdomfs_inode_obj *root)
{
	struct kmdomfs_sb *sbi = sb_alloc(dom);
	struct kmdomfs_tx tx;
	int ret;

	if (!sbi)
		return ERR_PTR(-ENOMEM);
	ret = attach(sbi);
	if (!ret) {
		kmdomfs_tx_begin(&tx, sbi, 0);
		ret = load(&tx, attr, root);
		kmdomfs_tx_end(&tx);
	}
	if (!ret)
		return sbi;
	kmdomfs_sb_detach(sbi);
	kfree(sbi);
	return ERR_PTR(ret);
}

/**
 * kmdomfs_sb_destroy() - let go of the domain
 * @sbi: the mount; may be NULL
 */
void kmdomfs_sb_destroy(struct kmdomfs_sb *sbi)
{
	if (!sbi)
		return;
	kmdomfs_reaper_forget(sbi);
	kmdomfs_sb_detach(sbi);
	kmdom_domain_put(sbi->dom);
	kfree(sbi);
}
