// SPDX-License-Identifier: GPL-2.0
/*
 * dir.c - names in a directory, and reading it
 *
 * A name's key is 55 bits of its hash and 8 that tell names of one hash apart,
 * the first that is free when the name is made. The key stays with the entry,
 * so it is the readdir cookie as well: reading goes by rising key, and the
 * position is one more than the last key that was delivered. Whatever is
 * inserted or deleted meanwhile, nothing else is delivered twice or left out.
 * The hash is keyed by a secret of the file system, so that 256 names of one
 * hash cannot be made; who had them would get ENOSPC for the next.
 *
 * Limit: entries come in the order of their hashes, not in that of their
 * inodes; and 32-bit programs without large file support get EOVERFLOW.
 */
#include <linux/slab.h>

#include "kmdomfs.h"

#define HASH_BITS	55
#define SERIAL_BITS	8
#define SERIAL_MASK	((1ULL << SERIAL_BITS) - 1)
#define POS_END		S64_MAX		/* above every key */

/* First of the keys that a name may have; never that of "." or "..". */
static u64 name_key(struct inode *dir, const struct qstr *name)
{
	u64 hash = siphash(name->name, name->len,
			   &KMDOMFS_SB(dir->i_sb)->hash_key);

	hash &= (1ULL << HASH_BITS) - 1;
	return clamp(hash, 1ULL, (1ULL << HASH_BITS) - 2) << SERIAL_BITS;
}

static struct kmdomfs_entry *find_name(struct kmdomfs_node *leaf, u64 key,
				       u64 last, const struct qstr *name)
{
	struct kmdomfs_entry *end = kmdomfs_leaf_end(leaf);
	struct kmdomfs_entry *entry = kmdomfs_leaf_find(leaf, key);

	for (; entry < end && entry->key <= last;
	     entry = kmdomfs_leaf_next(entry))
		if (entry->len == name->len &&
		    !memcmp(entry->name, name->name, name->len))
			return entry;
	return NULL;
}

/**
 * kmdomfs_dir_find() - find a name
 * @tx: a transaction with nothing pinned
 * @dir: the directory, its i_rwsem held
 * @name: the name
 * @place: out: where it is
 *
 * Return: 0, -ENOENT, or an error of the pager's.
 */
int kmdomfs_dir_find(struct kmdomfs_tx *tx, struct inode *dir,
		     const struct qstr *name, struct kmdomfs_place *place)
{
	const struct kmdomfs_tree *tree = &KMDOMFS_I(dir)->tree;
	u64 key = name_key(dir, name);
	u64 last = key | SERIAL_MASK;
	struct kmdomfs_entry *entry;
	struct kmdomfs_path path;
	struct kmdomfs_node *leaf;
	int ret;

	do {
		ret = kmdomfs_btree_walk(tx, tree, key, &path, &leaf);
		if (ret)
			return ret;
		entry = leaf ? find_name(leaf, key, last, name) : NULL;
		if (entry)
			*place = (struct kmdomfs_place) {
				.leaf = kmdomfs_path_leaf(&path),
				.kind = kmdomfs_leaf_kind(tree),
				.key = entry->key,
				.ref = entry->ref,
				.type = entry->type,
			};
		kmdomfs_tx_drop(tx);
		if (entry)
			return 0;
		key = path.upper;
	} while (key && key <= last);
	return -ENOENT;
}

/* The first key from @key on that no entry of @leaf has. */
static u64 free_key(struct kmdomfs_node *leaf, u64 key)
{
	struct kmdomfs_entry *end = kmdomfs_leaf_end(leaf);
	struct kmdomfs_entry *entry = kmdomfs_leaf_find(leaf, key);

	for (; entry < end && entry->key == key;
	     entry = kmdomfs_leaf_next(entry))
		key++;
	return key;
}

static int choose_key(struct kmdomfs_tx *tx, struct inode *dir,
		      const struct qstr *name, u64 *chosen)
{
	u64 key = name_key(dir, name);
	u64 last = key | SERIAL_MASK;
	struct kmdomfs_path path;
	struct kmdomfs_node *leaf;
	int ret;

	do {
		ret = kmdomfs_btree_walk(tx, &KMDOMFS_I(dir)->tree, key, &path,
					 &leaf);
		if (ret)
			return ret;
		if (leaf)
			key = free_key(leaf, key);
		kmdomfs_tx_drop(tx);
	} while (path.upper && key >= path.upper && key <= last);
	*chosen = key;
	return key <= last ? 0 : -ENOSPC;
}

/**
 * kmdomfs_dir_room() - see to it that a new name can be inserted
 * @tx: a transaction with nothing pinned
 * @dir: the directory, its i_rwsem held exclusive
 * @name: the name, which it does not have
 * @place: out: where the name goes
 *
 * Return: 0, -ENOSPC, or an error of the pager's.
 */
int kmdomfs_dir_room(struct kmdomfs_tx *tx, struct inode *dir,
		     const struct qstr *name, struct kmdomfs_place *place)
{
	struct kmdomfs_tree *tree = &KMDOMFS_I(dir)->tree;
	struct kmdomfs_path path;
	int ret;
	u64 key;

	ret = choose_key(tx, dir, name, &key);
	if (ret)
		return ret;
	ret = kmdomfs_btree_room(tx, tree, key, name->len, &path);
	if (ret)
		return ret;
	*place = (struct kmdomfs_place) {
		.leaf = kmdomfs_path_leaf(&path),
		.kind = kmdomfs_leaf_kind(tree),
		.key = key,
	};
	return 0;
}

/**
 * kmdomfs_dir_prune() - after a deletion: free its leaf if it is empty
 * @tx: a transaction with nothing pinned
 * @dir: the directory, its i_rwsem held exclusive
 * @place: where the entry was
 */
void kmdomfs_dir_prune(struct kmdomfs_tx *tx, struct inode *dir,
		       const struct kmdomfs_place *place)
{
	kmdomfs_btree_prune(tx, &KMDOMFS_I(dir)->tree, place->key);
}

/**
 * kmdomfs_dir_entry() - the entry of a place
 * @leaf: the place's leaf, pinned
 * @place: from kmdomfs_dir_find()
 *
 * Return: it; NULL if it is not there, which means that the tree is damaged.
 */
struct kmdomfs_entry *kmdomfs_dir_entry(struct kmdom_pin *leaf,
					const struct kmdomfs_place *place)
{
	struct kmdomfs_node *node = leaf->obj;
	struct kmdomfs_entry *entry = kmdomfs_leaf_find(node, place->key);

	if (entry == kmdomfs_leaf_end(node) || entry->key != place->key)
		return NULL;
	return entry;
}

/**
 * kmdomfs_dir_insert() - insert a name
 * @leaf: the place's leaf, pinned for writing
 * @place: from kmdomfs_dir_room()
 * @inode: what it names
 * @name: the name
 */
void kmdomfs_dir_insert(struct kmdom_pin *leaf,
			const struct kmdomfs_place *place, struct inode *inode,
			const struct qstr *name)
{
	kmdomfs_leaf_insert(leaf->obj, place->key, KMDOMFS_I(inode)->ref,
			    fs_umode_to_dtype(inode->i_mode), name);
}

/**
 * kmdomfs_dir_changed() - a directory has changed: its size and times
 * @dir: the directory, which the caller stores
 * @entries: how many it has more
 */
void kmdomfs_dir_changed(struct inode *dir, int entries)
{
	i_size_write(dir, dir->i_size + entries * KMDOMFS_DIRENT_SIZE);
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
}

/* Copies the leaf where @pos belongs: user memory is not touched under a pin. */
static int copy_leaf(struct inode *dir, u64 pos, struct kmdomfs_node *copy,
		     u64 *upper)
{
	const struct kmdomfs_tree *tree = &KMDOMFS_I(dir)->tree;
	struct kmdomfs_path path;
	struct kmdomfs_node *leaf;
	struct kmdomfs_tx tx;
	int ret;

	kmdomfs_tx_begin(&tx, KMDOMFS_SB(dir->i_sb), 0);
	ret = kmdomfs_btree_walk(&tx, tree, pos, &path, &leaf);
	if (!ret) {
		copy->used = 0;
		if (leaf)
			memcpy(copy, leaf, sizeof(*leaf) + leaf->used);
		*upper = path.upper;
		kmdomfs_tx_drop(&tx);
	}
	kmdomfs_tx_end(&tx);
	return ret;
}

static bool emit_leaf(struct dir_context *ctx, struct kmdomfs_node *leaf)
{
	struct kmdomfs_entry *end = kmdomfs_leaf_end(leaf);
	struct kmdomfs_entry *entry = kmdomfs_leaf_find(leaf, ctx->pos);

	for (; entry < end; entry = kmdomfs_leaf_next(entry)) {
		if (!dir_emit(ctx, entry->name, entry->len, entry->ref,
			      entry->type))
			return false;
		ctx->pos = entry->key + 1;
	}
	return true;
}

static int kmdomfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct kmdomfs_node *leaf;
	u64 upper;
	int ret = 0;

	if (!dir_emit_dots(file, ctx))
		return 0;
	leaf = kmalloc(KMDOMFS_NODE_SIZE, GFP_KERNEL);
	if (!leaf)
		return -ENOMEM;
	while (ctx->pos < POS_END) {
		ret = copy_leaf(dir, ctx->pos, leaf, &upper);
		if (ret || !emit_leaf(ctx, leaf))
			break;
		ctx->pos = upper ?: POS_END;
	}
	kfree(leaf);
	return ret;
}

/* Positions are keys: there is no size that they end at. */
static loff_t kmdomfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	switch (whence) {
	case SEEK_CUR:
		if (check_add_overflow(offset, file->f_pos, &offset))
			return -EINVAL;
		break;
	case SEEK_SET:
		break;
	default:
		return -EINVAL;
	}
	return vfs_setpos(file, offset, POS_END);
}

const struct file_operations kmdomfs_dir_fops = {
	.llseek = kmdomfs_dir_llseek,
	.read = generic_read_dir,
	.iterate_shared = kmdomfs_iterate,
	.fsync = noop_fsync,
};
