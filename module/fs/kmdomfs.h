/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmdomfs.h - a file system whose inodes, names and data are objects of a domain
 *
 * What the VFS holds (inodes, dentries, folios) is a cache over the objects of
 * types.h, and can be dropped at any time without asking anybody. All changes
 * are written through: an operation names the objects that it changes in one
 * transaction (struct kmdomfs_tx), waits for them while it holds no pin, and
 * changes them, and then the VFS's copies, when it has them all. So an
 * operation that fails has changed nothing, or has done a step that leaves the
 * file system as consistent as before (a node that was split, a map that grew).
 *
 * Lock order, outer first:
 *
 *   1. i_rwsem (VFS)		a directory's tree; a file's size against writers
 *   2. invalidate_lock (VFS)	exclusive in truncate: no folio of what is cut off
 *				is filled or dirtied until its objects are gone
 *   3. kmdomfs_sb.clean_lock	one task cleans what all mappings dirtied; 2 is
 *				not held, nor is a lock of the mapping
 *      folio lock		of a folio that is not up to date, by ->read_folio
 *   4. kmdomfs_inode.map_sem	a file's map: shared to walk it and to use the
 *				refs found there, exclusive to change it
 *   5. kmdomfs_orphans.lock	a list of unlinked inodes, and its neighbours
 *   -- here a transaction waits for the pager, and takes its pins --
 *   6. folio lock		of an up-to-date folio; only tried under pins, and
 *				nobody who holds it waits for a pager
 *   7. kmdomfs_inode.lock	VFS inode to object, field by field
 *   8. kmdomfs_sb.dirty_lock, .victims_lock
 *
 * Of these, 1 to 5 are held while waiting for the pager, all of them an
 * inode's own or this mount's, and never taken by eviction, reclaim, sync or
 * umount. s_umount is never held while waiting: what a mount reads is read
 * before there is a superblock, and umount ends the reaper's wait.
 * Limit: who queues for 1, 2, 3 behind a waiting task cannot be killed there,
 * but waits no longer than the deadlines of those in front of him.
 */
#ifndef _KMDOMFS_H
#define _KMDOMFS_H

#include <linux/fs.h>
#include <linux/kmdom_client.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>

#include "types.h"

#define KMDOMFS_MAGIC		0x6b6d6673	/* "kmfs" */
#define KMDOMFS_NAME_MAX	255
#define KMDOMFS_DIRENT_SIZE	32	/* what an entry adds to st_size */
#define KMDOMFS_ORPHAN_LISTS	KMDOMFS_ORPHAN_HEADS

/* Most folios of a mount that shared mappings may have dirtied: 4 MiB. */
#define KMDOMFS_DIRTY_MAX	1024

/**
 * struct kmdomfs_orphans - one of the mount's lists of unlinked inodes
 * @lock: the list in the domain, and @head. May be held while waiting
 * @head: as in the superblock's object
 * @left: first of those that an earlier mount left; the reaper's own. None of
 *	them is reachable, so none but the reaper takes them off the list
 */
struct kmdomfs_orphans {
	struct mutex lock;	/* see above */
	kmdom_ref head;
	kmdom_ref left;
};

/**
 * struct kmdomfs_sb - a mount
 * @sb: its superblock
 * @dom: the domain
 * @cache: one for each kind of object; NULL once detached
 * @super: the superblock's object
 * @root: the root directory's inode object
 * @hash_key: of names; secret, so that nobody can make names collide
 * @orphans: an unlinked inode is on the list that its ref selects
 * @reaper: the thread that frees unlinked inodes
 * @reaper_wait: where it sleeps
 * @reaper_stop: tells it to end
 * @victims_lock: @victims
 * @victims: unlinked inodes that nobody uses any more
 * @cleaner: cleans dirty folios; holds the superblock active while it is
 *	queued or runs
 * @clean_after: when it may wait for the pager again, in jiffies; @clean_lock
 * @clean_pause: how long it lets be once the pager has missed a deadline, in
 *	jiffies; @clean_lock
 * @clean_lock: whoever cleans all inodes on @dirty; may be held while waiting
 * @dirty_lock: @dirty, and kmdomfs_inode.dirty_link
 * @dirty: inodes with dirty folios; each is held by the list
 * @nr_dirty: dirty folios, of those that a shared mapping made so
 */
struct kmdomfs_sb {
	struct super_block *sb;
	struct kmdom_domain *dom;
	struct kmdom_cache *cache[KMDOMFS_KINDS];
	kmdom_ref super;
	kmdom_ref root;
	siphash_key_t hash_key;
	struct kmdomfs_orphans orphans[KMDOMFS_ORPHAN_LISTS];

	struct task_struct *reaper;
	wait_queue_head_t reaper_wait;
	bool reaper_stop;
	spinlock_t victims_lock;	/* see above */
	struct list_head victims;

	struct delayed_work cleaner;
	unsigned long clean_after;
	unsigned long clean_pause;
	struct mutex clean_lock;	/* see above */
	spinlock_t dirty_lock;	/* see above */
	struct list_head dirty;
	atomic_t nr_dirty;
};

/**
 * struct kmdomfs_tree - where an inode's contents hang
 * @ino: the inode's object
 * @root: its root: a node, a map, a page, a link; 0: none
 * @pages: data pages
 * @shape: of a directory: levels of full-sized nodes, 0 if the root is a small
 *	one; of a file: see map.c
 *
 * The in-memory copy of the inode object's fields of the same names, which are
 * written by kmdomfs_tree_store() alone. Under i_rwsem for a directory, under
 * map_sem for a file, the reaper's own once the inode is nobody's.
 */
struct kmdomfs_tree {
	kmdom_ref ino;
	kmdom_ref root;
	u64 pages;
	u8 shape;
};

/**
 * struct kmdomfs_inode - the VFS's inode and what we keep with it
 * @vfs: mode, owner, links, size, times: always as the object has them, but
 *	for an access time that was not worth a fault
 * @ref: of the object; 0 before it has one. Names the inode
 * @tree: see there
 * @tail: data beyond the size may be left from a truncate that failed half
 *	way; under i_rwsem
 * @btime: constant
 * @lock: serialises copies of @vfs into the object
 * @map_sem: @tree of a file, and its maps
 * @victim: made when the last link goes, given to the reaper on eviction
 * @failed_task: whose wait for a page failed last; a name only, for that task.
 *	This and the next three are under the inode's i_lock
 * @failed_start: when that task began, ns: addresses of tasks come back
 * @failed_at: when it failed, in jiffies
 * @failed_err: how
 * @dirty_link: in kmdomfs_sb.dirty
 */
struct kmdomfs_inode {
	kmdom_ref ref;
	struct kmdomfs_tree tree;
	bool tail;
	struct timespec64 btime;
	spinlock_t lock;	/* see above */
	struct rw_semaphore map_sem;
	struct kmdomfs_victim *victim;
	const void *failed_task;
	u64 failed_start;
	unsigned long failed_at;
	int failed_err;
	struct list_head dirty_link;
	struct inode vfs;
};

/* An unlinked inode that nobody uses any more. */
struct kmdomfs_victim {
	struct list_head link;
	kmdom_ref ref;
};

#define KMDOMFS_TX_NEW		4

/**
 * struct kmdomfs_tx - objects that one step works on
 * @sbi: the mount
 * @op: of kmdom: one deadline for all steps until kmdomfs_tx_end()
 * @nowait: it waits for no pager and for no lock behind which one is waited
 *	for; what would is -EAGAIN
 * @nr: objects in @pin
 * @nr_new: objects in @fresh
 * @pin: that exist
 * @fresh: that are allocated
 *
 * begin; then any number of: read, write and new name objects; take waits for
 * them and pins them; drop unpins; then end. The pointers that read, write and
 * new return are valid until drop.
 */
struct kmdomfs_tx {
	struct kmdomfs_sb *sbi;
	struct kmdom_client_op op;
	bool nowait;
	unsigned int nr;
	unsigned int nr_new;
	struct kmdom_pin pin[KMDOM_PINS_MAX];
	struct kmdom_pin fresh[KMDOMFS_TX_NEW];
};

static inline struct kmdomfs_sb *KMDOMFS_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct kmdomfs_inode *KMDOMFS_I(const struct inode *inode)
{
	return container_of(inode, struct kmdomfs_inode, vfs);
}

/* Data pages, as st_blocks has them: in 512 bytes. */
static inline void kmdomfs_set_blocks(struct inode *inode, u64 pages)
{
	inode->i_blocks = pages << (PAGE_SHIFT - 9);
}

/* tx.c */
void kmdomfs_tx_begin(struct kmdomfs_tx *tx, struct kmdomfs_sb *sbi,
		      unsigned int flags);
void kmdomfs_tx_end(struct kmdomfs_tx *tx);
struct kmdom_pin *kmdomfs_tx_read(struct kmdomfs_tx *tx,
				  enum kmdomfs_kind kind, kmdom_ref ref);
struct kmdom_pin *kmdomfs_tx_write(struct kmdomfs_tx *tx,
				   enum kmdomfs_kind kind, kmdom_ref ref);
void kmdomfs_tx_unneeded(struct kmdomfs_tx *tx, enum kmdomfs_kind kind,
			 kmdom_ref ref);
struct kmdom_pin *kmdomfs_tx_new(struct kmdomfs_tx *tx, enum kmdomfs_kind kind);
int kmdomfs_tx_take(struct kmdomfs_tx *tx);
void kmdomfs_tx_drop(struct kmdomfs_tx *tx);
void kmdomfs_tx_undo(struct kmdomfs_tx *tx);
void kmdomfs_tx_free(struct kmdomfs_tx *tx, struct kmdom_pin *pin);

/* mount.c */

/**
 * struct kmdomfs_root_attr - of the root directory, when it is made
 * @uid: owner
 * @gid: group
 * @mode: permissions
 */
struct kmdomfs_root_attr {
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

struct kmdomfs_sb *kmdomfs_sb_create(struct kmdom_domain *dom,
				     const struct kmdomfs_root_attr *attr,
				     struct kmdomfs_inode_obj *root);
void kmdomfs_sb_detach(struct kmdomfs_sb *sbi);
void kmdomfs_sb_destroy(struct kmdomfs_sb *sbi);

/* inode.c */
extern const struct inode_operations kmdomfs_file_iops;
extern const struct inode_operations kmdomfs_link_iops;
extern const struct inode_operations kmdomfs_long_link_iops;

int kmdomfs_inode_cache_init(void);
void kmdomfs_inode_cache_exit(void);
struct inode *kmdomfs_alloc_inode(struct super_block *sb);
void kmdomfs_free_inode(struct inode *inode);
void kmdomfs_evict_inode(struct inode *inode);
void kmdomfs_inode_store(struct inode *inode, struct kmdomfs_inode_obj *obj);
void kmdomfs_tree_store(const struct kmdomfs_tree *tree,
			struct kmdomfs_inode_obj *obj);
void kmdomfs_tree_load(struct kmdomfs_tree *tree, kmdom_ref ino,
		       const struct kmdomfs_inode_obj *obj);
struct inode *kmdomfs_iget(struct super_block *sb, kmdom_ref ref);
struct inode *kmdomfs_iget_root(struct super_block *sb, kmdom_ref ref,
				const struct kmdomfs_inode_obj *obj);
struct inode *kmdomfs_new_inode(struct inode *dir, umode_t mode);
void kmdomfs_new_store(struct inode *inode, const struct kmdom_pin *pin);
int kmdomfs_new_publish(struct inode *inode, struct dentry *dentry);

/* attr.c */
int kmdomfs_getattr(struct mnt_idmap *idmap, const struct path *path,
		    struct kstat *stat, u32 mask, unsigned int flags);
int kmdomfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
		    struct iattr *attr);
int kmdomfs_update_time(struct inode *inode, int flags);
int kmdomfs_touch(struct kmdomfs_tx *tx, struct inode *inode);

/* node.c */
struct kmdomfs_entry *kmdomfs_leaf_find(struct kmdomfs_node *node, u64 key);
struct kmdomfs_entry *kmdomfs_leaf_end(struct kmdomfs_node *node);
struct kmdomfs_entry *kmdomfs_leaf_next(struct kmdomfs_entry *entry);
bool kmdomfs_leaf_fits(const struct kmdomfs_node *node, unsigned int size,
		       unsigned int len);
void kmdomfs_leaf_insert(struct kmdomfs_node *node, u64 key, kmdom_ref ref,
			 u8 type, const struct qstr *name);
void kmdomfs_leaf_delete(struct kmdomfs_node *node,
			 struct kmdomfs_entry *entry);
u64 kmdomfs_leaf_split(struct kmdomfs_node *node, struct kmdomfs_node *right);
unsigned int kmdomfs_index_find(const struct kmdomfs_node *node, u64 key);
void kmdomfs_index_insert(struct kmdomfs_node *node, unsigned int at, u64 key,
			  kmdom_ref ref);
void kmdomfs_index_delete(struct kmdomfs_node *node, unsigned int at);
u64 kmdomfs_index_split(struct kmdomfs_node *node, struct kmdomfs_node *right);

/* btree.c */

/**
 * struct kmdomfs_path - the way from the root to a leaf
 * @depth: nodes on it; 0: the tree is empty
 * @node: them, the root first, the leaf last
 * @full: of each that is not the leaf: whether it has no room
 * @upper: least key that belongs to the next leaf; 0: there is none
 */
struct kmdomfs_path {
	unsigned int depth;
	kmdom_ref node[KMDOMFS_DIR_LEVELS];
	bool full[KMDOMFS_DIR_LEVELS];
	u64 upper;
};

static inline kmdom_ref kmdomfs_path_leaf(const struct kmdomfs_path *path)
{
	return path->node[path->depth - 1];
}

enum kmdomfs_kind kmdomfs_leaf_kind(const struct kmdomfs_tree *tree);
int kmdomfs_btree_walk(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		       u64 key, struct kmdomfs_path *path,
		       struct kmdomfs_node **leaf);
int kmdomfs_btree_room(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		       u64 key, unsigned int len, struct kmdomfs_path *path);
void kmdomfs_btree_prune(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
			 u64 key);
int kmdomfs_btree_free(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree);

/* dir.c */

/**
 * struct kmdomfs_place - where an entry is, or can be put
 * @leaf: the node
 * @kind: of the node
 * @key: of the entry
 * @ref: inode that it names; 0: none yet
 * @type: of the inode, DT_*
 *
 * Valid as long as the directory's i_rwsem is held, and nothing else changed
 * its tree.
 */
struct kmdomfs_place {
	kmdom_ref leaf;
	enum kmdomfs_kind kind;
	u64 key;
	kmdom_ref ref;
	u8 type;
};

extern const struct file_operations kmdomfs_dir_fops;

int kmdomfs_dir_find(struct kmdomfs_tx *tx, struct inode *dir,
		     const struct qstr *name, struct kmdomfs_place *place);
int kmdomfs_dir_room(struct kmdomfs_tx *tx, struct inode *dir,
		     const struct qstr *name, struct kmdomfs_place *place);
void kmdomfs_dir_prune(struct kmdomfs_tx *tx, struct inode *dir,
		       const struct kmdomfs_place *place);
struct kmdomfs_entry *kmdomfs_dir_entry(struct kmdom_pin *leaf,
					const struct kmdomfs_place *place);
void kmdomfs_dir_insert(struct kmdom_pin *leaf,
			const struct kmdomfs_place *place, struct inode *inode,
			const struct qstr *name);
void kmdomfs_dir_changed(struct inode *dir, int entries);

static inline bool kmdomfs_dir_empty(const struct inode *dir)
{
	return i_size_read(dir) == 0;
}

/* namei.c, rename.c */
extern const struct inode_operations kmdomfs_dir_iops;

int kmdomfs_need_victim(struct inode *inode);
int kmdomfs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		   struct dentry *old, struct inode *new_dir,
		   struct dentry *new, unsigned int flags);

/* map.c */

/**
 * struct kmdomfs_slot - where a file's page hangs
 * @node: the map; 0: the page is the tree's root
 * @kind: of the map
 * @at: place in the map
 * @data: the page; 0: a hole
 */
struct kmdomfs_slot {
	kmdom_ref node;
	enum kmdomfs_kind kind;
	unsigned int at;
	kmdom_ref data;
};

int kmdomfs_map_lock_shared(struct kmdomfs_tx *tx, struct inode *inode);
int kmdomfs_map_lock(struct kmdomfs_tx *tx, struct inode *inode);
int kmdomfs_map_find(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		     u64 index, struct kmdomfs_slot *slot);
int kmdomfs_map_make(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		     u64 index, struct kmdomfs_slot *slot);
void kmdomfs_map_set(struct kmdomfs_tree *tree, const struct kmdomfs_slot *slot,
		     struct kmdom_pin *map, kmdom_ref data);
int kmdomfs_map_cut(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		    u64 from);

/* page.c */

/**
 * struct kmdomfs_change - a change of one page of a file
 * @pos: where it begins, in the file
 * @len: bytes, at most to the end of the page
 * @from: what is written there; NULL: zeroes
 * @size: the file's new size, or negative: as it is
 * @cut: the file is cut: a hole stays one, and what is beyond is to be freed
 */
struct kmdomfs_change {
	loff_t pos;
	unsigned int len;
	const void *from;
	loff_t size;
	bool cut;
};

struct folio *kmdomfs_page_folio(struct inode *inode, u64 index);
int kmdomfs_folio_wait(struct folio *folio);
int kmdomfs_page_change(struct inode *inode,
			const struct kmdomfs_change *change);
int kmdomfs_page_exists(struct kmdomfs_tx *tx, struct inode *inode, u64 index);
int kmdomfs_read_folio(struct file *file, struct folio *folio);

/* readahead.c */
void kmdomfs_readahead(struct readahead_control *rac);
void kmdomfs_readahead_on(struct file *file);
void kmdomfs_note_failure(struct inode *inode, int err);
void kmdomfs_forget_failure(struct inode *inode);
int kmdomfs_noted_failure(struct inode *inode);

/* truncate.c */
int kmdomfs_before_growth(struct inode *inode, loff_t pos);
int kmdomfs_set_size(struct inode *inode, loff_t size);

/* file.c, mmap.c */
extern const struct file_operations kmdomfs_file_fops;
extern const struct address_space_operations kmdomfs_aops;
extern const struct vm_operations_struct kmdomfs_vm_ops;

/* clean.c */
bool kmdomfs_dirty_folio(struct address_space *mapping, struct folio *folio);
void kmdomfs_dirty_count(struct folio *folio);
void kmdomfs_dirty_uncount(struct folio *folio);
int kmdomfs_dirty_throttle(struct kmdomfs_tx *tx);
void kmdomfs_clean_inode(struct inode *inode);
void kmdomfs_cleaner_init(struct kmdomfs_sb *sbi);
int kmdomfs_cleaner_start(void);
void kmdomfs_cleaner_stop(void);

/* orphan.c */
int kmdomfs_orphan_lock(struct kmdomfs_sb *sbi, kmdom_ref ref);
void kmdomfs_orphan_unlock(struct kmdomfs_sb *sbi, kmdom_ref ref);

/**
 * struct kmdomfs_orphaning - objects that change when an inode is put on a list
 * @super: the superblock's object
 * @next: the inode that was first, or NULL
 */
struct kmdomfs_orphaning {
	struct kmdom_pin *super;
	struct kmdom_pin *next;
};

void kmdomfs_orphan_name(struct kmdomfs_tx *tx, kmdom_ref ref,
			 struct kmdomfs_orphaning *list);
void kmdomfs_orphan_push(struct kmdomfs_sb *sbi, struct kmdom_pin *ino,
			 const struct kmdomfs_orphaning *list);
int kmdomfs_orphan_delete(struct kmdomfs_tx *tx, kmdom_ref ref);

/* reaper.c */
int kmdomfs_reaper_start(struct kmdomfs_sb *sbi);
void kmdomfs_reaper_stop(struct kmdomfs_sb *sbi);
void kmdomfs_reaper_forget(struct kmdomfs_sb *sbi);
void kmdomfs_reaper_give(struct kmdomfs_sb *sbi, struct kmdomfs_victim *victim);

#endif /* _KMDOMFS_H */
