// SPDX-License-Identifier: GPL-2.0
/*
 * inode.c - the VFS's inodes as caches over inode objects
 *
 * An inode is found by its object's ref. While it is in memory its fields are
 * the truth, and are written to the object whenever they change; so an inode
 * can be evicted without asking anybody. A new one is filled from its object
 * while the object is pinned, after it was hashed: by then nobody else can
 * change the object, and I_NEW is never held while waiting.
 */
#include <linux/pagemap.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "kmdomfs.h"

static struct kmem_cache *inode_cachep;

static void init_once(void *obj)
{
	struct kmdomfs_inode *ki = obj;

	inode_init_once(&ki->vfs);
	spin_lock_init(&ki->lock);
	init_rwsem(&ki->map_sem);
	INIT_LIST_HEAD(&ki->dirty_link);
}

int kmdomfs_inode_cache_init(void)
{
	inode_cachep = kmem_cache_create("kmdomfs_inode",
					 sizeof(struct kmdomfs_inode), 0,
					 SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					 init_once);
	return inode_cachep ? 0 : -ENOMEM;
}

void kmdomfs_inode_cache_exit(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cachep);
}

struct inode *kmdomfs_alloc_inode(struct super_block *sb)
{
	struct kmdomfs_inode *ki;

	ki = alloc_inode_sb(sb, inode_cachep, GFP_KERNEL);
	if (!ki)
		return NULL;
	ki->ref = 0;
	memset(&ki->tree, 0, sizeof(ki->tree));
	ki->tail = false;
	ki->btime = (struct timespec64) { 0 };
	ki->victim = NULL;
	ki->failed_task = NULL;
	return &ki->vfs;
}

void kmdomfs_free_inode(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kfree(ki->victim);
	kmem_cache_free(inode_cachep, ki);
}

/**
 * kmdomfs_evict_inode() - the VFS's inode goes
 * @inode: the inode
 *
 * Context: may be in reclaim: waits for nobody's pager, allocates nothing.
 */
void kmdomfs_evict_inode(struct inode *inode)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct kmdomfs_victim *victim = ki->victim;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (victim && !inode->i_nlink) {
		ki->victim = NULL;
		kmdomfs_reaper_give(KMDOMFS_SB(inode->i_sb), victim);
	}
}

static void set_operations(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFDIR:
		inode->i_op = &kmdomfs_dir_iops;
		inode->i_fop = &kmdomfs_dir_fops;
		break;
	case S_IFREG:
		inode->i_op = &kmdomfs_file_iops;
		inode->i_fop = &kmdomfs_file_fops;
		inode->i_mapping->a_ops = &kmdomfs_aops;
		break;
	case S_IFLNK:
		if (inode->i_size <= KMDOMFS_LINK_MAX) {
			inode->i_op = &kmdomfs_link_iops;
			break;
		}
		/* A page of data, read as a file's first. */
		inode->i_op = &kmdomfs_long_link_iops;
		inode->i_mapping->a_ops = &kmdomfs_aops;
		inode_nohighmem(inode);
		break;
	}
}

/**
 * kmdomfs_inode_store() - write an inode's fields to its object
 * @inode: the inode
 * @obj: the object, pinned for writing
 *
 * All fields but the tree's and the orphan list's, which have other locks.
 *
 * The VFS changes the inode's fields without that lock: who reads a file sets its access
 * time while another sets all of them. A mixture does not last, because whoever changes
 * them stores them afterwards, and the last to take the lock is the last to look.
 */
void kmdomfs_inode_store(struct inode *inode, struct kmdomfs_inode_obj *obj)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	spin_lock(&ki->lock);
	obj->size = i_size_read(inode);
	obj->atime = data_race(inode_get_atime_sec(inode));
	obj->mtime = data_race(inode_get_mtime_sec(inode));
	obj->ctime = data_race(inode_get_ctime_sec(inode));
	obj->atime_ns = data_race(inode_get_atime_nsec(inode));
	obj->mtime_ns = data_race(inode_get_mtime_nsec(inode));
	obj->ctime_ns = data_race(inode_get_ctime_nsec(inode));
	obj->mode = data_race(inode->i_mode);
	obj->uid = data_race(i_uid_read(inode));
	obj->gid = data_race(i_gid_read(inode));
	obj->nlink = data_race(inode->i_nlink);
	obj->flags = ki->tail ? KMDOMFS_INODE_TAIL : 0;
	spin_unlock(&ki->lock);
}

/**
 * kmdomfs_tree_store() - write a tree's root to its inode's object
 * @tree: the tree, which the caller has locked
 * @obj: the object, pinned for writing
 */
void kmdomfs_tree_store(const struct kmdomfs_tree *tree,
			struct kmdomfs_inode_obj *obj)
{
	obj->root = tree->root;
	obj->pages = tree->pages;
	obj->shape = tree->shape;
}

/**
 * kmdomfs_tree_load() - read a tree's root from its inode's object
 * @tree: out: the tree
 * @ino: the object's ref
 * @obj: the object
 */
void kmdomfs_tree_load(struct kmdomfs_tree *tree, kmdom_ref ino,
		       const struct kmdomfs_inode_obj *obj)
{
	tree->ino = ino;
	tree->root = obj->root;
	tree->pages = obj->pages;
	tree->shape = obj->shape;
}

static void inode_load(struct inode *inode, const struct kmdomfs_inode_obj *obj)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);

	inode->i_mode = obj->mode;
	i_uid_write(inode, obj->uid);
	i_gid_write(inode, obj->gid);
	set_nlink(inode, obj->nlink);
	i_size_write(inode, obj->size);
	kmdomfs_set_blocks(inode, obj->pages);
	inode->i_generation = obj->generation;
	inode_set_atime(inode, obj->atime, obj->atime_ns);
	inode_set_mtime(inode, obj->mtime, obj->mtime_ns);
	inode_set_ctime(inode, obj->ctime, obj->ctime_ns);
	ki->btime = (struct timespec64) { obj->btime, obj->btime_ns };
	ki->tail = obj->flags & KMDOMFS_INODE_TAIL;
	kmdomfs_tree_load(&ki->tree, ki->ref, obj);
	set_operations(inode);
}

static int inode_test(struct inode *inode, void *data)
{
	return KMDOMFS_I(inode)->ref == *(kmdom_ref *)data;
}

static int inode_set(struct inode *inode, void *data)
{
	kmdom_ref ref = *(kmdom_ref *)data;

	KMDOMFS_I(inode)->ref = ref;
	inode->i_ino = ref;
	return 0;
}

static char *read_link(struct kmdomfs_tx *tx, kmdom_ref ref)
{
	char *text = kzalloc(KMDOMFS_LINK_MAX + 1, GFP_KERNEL_ACCOUNT);
	struct kmdomfs_link_obj *link;
	struct kmdom_pin *pin;
	int ret;

	if (!text)
		return ERR_PTR(-ENOMEM);
	pin = kmdomfs_tx_read(tx, KMDOMFS_LINK, ref);
	ret = kmdomfs_tx_take(tx);
	if (ret) {
		kfree(text);
		return ERR_PTR(ret);
	}
	link = pin->obj;
	memcpy(text, link->target, link->len);
	kmdomfs_tx_drop(tx);
	return text;
}

static bool is_short_link(const struct kmdomfs_inode_obj *obj)
{
	return S_ISLNK(obj->mode) && obj->size <= KMDOMFS_LINK_MAX;
}

/*
 * Pins the inode's object, having read its target first if it is a short link:
 * a target never changes.
 */
static struct kmdom_pin *pin_inode(struct kmdomfs_tx *tx, kmdom_ref ref,
				   char **link)
{
	struct kmdomfs_inode_obj *obj;
	struct kmdom_pin *pin;
	kmdom_ref target;
	int ret;

	for (;;) {
		pin = kmdomfs_tx_read(tx, KMDOMFS_INODE, ref);
		ret = kmdomfs_tx_take(tx);
		if (ret)
			return ERR_PTR(ret);
		obj = pin->obj;
		if (*link || !is_short_link(obj))
			return pin;
		target = obj->root;
		kmdomfs_tx_drop(tx);
		*link = read_link(tx, target);
		if (IS_ERR(*link))
			return ERR_CAST(*link);
	}
}

/* Hashes @inode for the pinned object, and fills it, unless there is one. */
static struct inode *insert_inode(struct inode *inode, struct kmdom_pin *pin,
				  char **link)
{
	struct inode *found;

	found = inode_insert5(inode, pin->ref, inode_test, inode_set,
			      &pin->ref);
	if (found != inode)
		return found ?: ERR_PTR(-ESTALE);
	inode_load(inode, pin->obj);
	inode->i_link = *link;
	*link = NULL;
	return inode;
}

static struct inode *load_inode(struct super_block *sb, kmdom_ref ref,
				struct inode *inode)
{
	struct inode *found;
	struct kmdom_pin *pin;
	struct kmdomfs_tx tx;
	char *link = NULL;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(sb), 0);
	pin = pin_inode(&tx, ref, &link);
	if (IS_ERR(pin)) {
		found = ERR_CAST(pin);
	} else {
		found = insert_inode(inode, pin, &link);
		kmdomfs_tx_drop(&tx);
	}
	kmdomfs_tx_end(&tx);
	if (!IS_ERR(link))
		kfree(link);
	return found;
}

/**
 * kmdomfs_iget() - the inode of an object
 * @sb: the superblock
 * @ref: of the object, which somebody keeps alive: by holding the i_rwsem of a
 *	directory that names it
 *
 * Context: may wait for the pager.
 * Return: the inode, or an error.
 */
struct inode *kmdomfs_iget(struct super_block *sb, kmdom_ref ref)
{
	struct inode *inode, *found;

	inode = ilookup5(sb, ref, inode_test, &ref);
	if (inode)
		return inode;
	inode = new_inode(sb);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	found = load_inode(sb, ref, inode);
	if (found == inode)
		unlock_new_inode(inode);
	else
		iput(inode);
	return found;
}

/**
 * kmdomfs_iget_root() - the inode of an object that was read before
 * @sb: the superblock, which nobody else can reach yet
 * @ref: of the object
 * @obj: a copy of it
 *
 * Context: waits for nobody.
 * Return: the inode, or an error.
 */
struct inode *kmdomfs_iget_root(struct super_block *sb, kmdom_ref ref,
				const struct kmdomfs_inode_obj *obj)
{
	struct inode *inode;

	inode = iget5_locked(sb, ref, inode_test, inode_set, &ref);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode_load(inode, obj);
	unlock_new_inode(inode);
	return inode;
}

/**
 * kmdomfs_new_inode() - an inode that has no object yet
 * @dir: where it will be
 * @mode: its type and mode
 *
 * Return: the inode, or an error.
 */
struct inode *kmdomfs_new_inode(struct inode *dir, umode_t mode)
{
	struct inode *inode = new_inode(dir->i_sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
	KMDOMFS_I(inode)->btime = simple_inode_init_ts(inode);
	inode->i_generation = get_random_u32();
	if (S_ISDIR(mode))
		set_nlink(inode, 2);
	return inode;
}

/**
 * kmdomfs_new_store() - give a new inode its object
 * @inode: the inode
 * @pin: the object, just allocated
 */
void kmdomfs_new_store(struct inode *inode, const struct kmdom_pin *pin)
{
	struct kmdomfs_inode *ki = KMDOMFS_I(inode);
	struct kmdomfs_inode_obj *obj = pin->obj;
	kmdom_ref ref = pin->ref;

	inode_set(inode, &ref);
	ki->tree.ino = ref;
	obj->generation = inode->i_generation;
	obj->btime = ki->btime.tv_sec;
	obj->btime_ns = ki->btime.tv_nsec;
	kmdomfs_inode_store(inode, obj);
	kmdomfs_tree_store(&ki->tree, obj);
}

/**
 * kmdomfs_new_publish() - hash a new inode, and give it to its dentry
 * @inode: the inode, whose object and name exist
 * @dentry: its
 *
 * Context: nothing is pinned: it may wait for the eviction of an inode that
 * had the same ref. The directory's i_rwsem keeps others from finding the name.
 * Return: 0, or an error, with the inode gone and the name there.
 */
int kmdomfs_new_publish(struct inode *inode, struct dentry *dentry)
{
	kmdom_ref ref = KMDOMFS_I(inode)->ref;
	int ret;

	set_operations(inode);
	ret = insert_inode_locked4(inode, ref, inode_test, &ref);
	if (ret) {
		iput(inode);
		return -EIO;
	}
	d_instantiate_new(dentry, inode);
	return 0;
}
