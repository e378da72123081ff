// SPDX-License-Identifier: GPL-2.0
/*
 * btree.c - the tree of a directory's entries
 *
 * A B+-tree of nodes by rising key. A directory begins with one small leaf,
 * which becomes a leaf of full size, which gets indexes above it. Nodes are
 * split before they are needed, each split a step of its own which leaves a
 * whole tree; so the step that inserts a name changes one leaf. An empty node
 * is taken out; nodes that are merely sparse are not merged. Limit: a directory
 * that shrank keeps one node for as little as one name.
 *
 * Context: the directory's i_rwsem, held shared to walk and exclusive to
 * change. A walk pins one node at a time: nothing changes the tree under it.
 * Who frees a directory that is nobody's needs no lock.
 */
#include "kmdomfs.h"

/**
 * kmdomfs_leaf_kind() - of which kind a tree's leaves are
 * @tree: a directory's
 *
 * Return: the kind.
 */
enum kmdomfs_kind kmdomfs_leaf_kind(const struct kmdomfs_tree *tree)
{
	return tree->shape ? KMDOMFS_NODE : KMDOMFS_NODE_SMALL;
}

static unsigned int leaf_size(const struct kmdomfs_tree *tree)
{
	return tree->shape ? KMDOMFS_NODE_SIZE : KMDOMFS_NODE_SMALL_SIZE;
}

static const struct kmdomfs_index *index_child(const struct kmdomfs_node *node,
					       unsigned int at)
{
	return (const struct kmdomfs_index *)node->data + at;
}

/**
 * kmdomfs_btree_walk() - find the leaf where a key belongs
 * @tx: a transaction with nothing pinned
 * @tree: the directory's
 * @key: the key
 * @path: out: the way there
 * @leaf: out: the leaf, pinned for reading by @tx; NULL if the tree is empty
 *
 * Return: 0, or an error with nothing pinned.
 */
int kmdomfs_btree_walk(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		       u64 key, struct kmdomfs_path *path,
		       struct kmdomfs_node **leaf)
{
	enum kmdomfs_kind kind = kmdomfs_leaf_kind(tree);
	kmdom_ref ref = tree->root;
	struct kmdomfs_node *node;
	struct kmdom_pin *pin;
	unsigned int at;
	int ret;

	path->depth = 0;
	path->upper = 0;
	*leaf = NULL;
	while (ref) {
		if (path->depth == KMDOMFS_DIR_LEVELS)
			return -EIO;
		pin = kmdomfs_tx_read(tx, kind, ref);
		ret = kmdomfs_tx_take(tx);
		if (ret)
			return ret;
		node = pin->obj;
		path->node[path->depth] = ref;
		path->full[path->depth++] = node->nr == KMDOMFS_INDEX_MAX;
		if (!node->level) {
			*leaf = node;
			return 0;
		}
		at = kmdomfs_index_find(node, key);
		if (at + 1 < node->nr)
			path->upper = index_child(node, at + 1)->key;
		ref = node->nr ? index_child(node, at)->ref : 0;
		kmdomfs_tx_drop(tx);
	}
	return 0;
}

/* Gives an empty directory its first leaf. */
static int plant(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *leaf;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	leaf = kmdomfs_tx_new(tx, KMDOMFS_NODE_SMALL);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	tree->root = leaf->ref;
	tree->shape = 0;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Makes the small leaf, which is full, one of full size. */
static int enlarge(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *small, *full;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	small = kmdomfs_tx_write(tx, KMDOMFS_NODE_SMALL, tree->root);
	full = kmdomfs_tx_new(tx, KMDOMFS_NODE);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	memcpy(full->obj, small->obj, KMDOMFS_NODE_SMALL_SIZE);
	kmdomfs_tx_free(tx, small);
	tree->root = full->ref;
	tree->shape = 1;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Puts an index with one child, the root, above it. */
static int grow(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *root;
	struct kmdomfs_node *node;
	int ret;

	if (tree->shape == KMDOMFS_DIR_LEVELS)
		return -ENOSPC;
	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	root = kmdomfs_tx_new(tx, KMDOMFS_NODE);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	node = root->obj;
	node->level = tree->shape;
	kmdomfs_index_insert(node, 0, 0, tree->root);
	tree->root = root->ref;
	tree->shape++;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Splits a node whose parent has room for one more child. */
static int split(struct kmdomfs_tx *tx, kmdom_ref parent_ref, kmdom_ref ref)
{
	struct kmdom_pin *parent, *left, *right;
	struct kmdomfs_node *node;
	int ret;
	u64 key;

	parent = kmdomfs_tx_write(tx, KMDOMFS_NODE, parent_ref);
	left = kmdomfs_tx_write(tx, KMDOMFS_NODE, ref);
	right = kmdomfs_tx_new(tx, KMDOMFS_NODE);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	node = left->obj;
	if (node->level)
		key = kmdomfs_index_split(node, right->obj);
	else
		key = kmdomfs_leaf_split(node, right->obj);
	node = parent->obj;
	kmdomfs_index_insert(node, kmdomfs_index_find(node, key) + 1, key,
			     right->ref);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* One step towards room in the leaf at the end of @path. */
static int make_room(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		     const struct kmdomfs_path *path)
{
	unsigned int i;

	if (!path->depth)
		return plant(tx, tree);
	if (!tree->shape)
		return enlarge(tx, tree);
	/* The lowest node that must be split and whose parent is not full. */
	for (i = path->depth - 1; i; i--)
		if (!path->full[i - 1])
			return split(tx, path->node[i - 1], path->node[i]);
	return grow(tx, tree);
}

/**
 * kmdomfs_btree_room() - see to it that a name has room in its leaf
 * @tx: a transaction with nothing pinned
 * @tree: the directory's
 * @key: where the name belongs
 * @len: of the name
 * @path: out: the way to the leaf
 *
 * Return: 0, or an error; nothing is pinned.
 */
int kmdomfs_btree_room(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		       u64 key, unsigned int len, struct kmdomfs_path *path)
{
	struct kmdomfs_node *leaf;
	bool fits;
	int ret;

	for (;;) {
		ret = kmdomfs_btree_walk(tx, tree, key, path, &leaf);
		if (ret)
			return ret;
		fits = leaf && kmdomfs_leaf_fits(leaf, leaf_size(tree), len);
		kmdomfs_tx_drop(tx);
		if (fits)
			return 0;
		ret = make_room(tx, tree, path);
		if (ret)
			return ret;
	}
}

static void delete_child(struct kmdomfs_node *node, kmdom_ref ref)
{
	unsigned int i;

	for (i = 0; i < node->nr; i++) {
		if (index_child(node, i)->ref == ref) {
			kmdomfs_index_delete(node, i);
			return;
		}
	}
}

/*
 * With the path's nodes pinned in @pin, the leaf last: frees those that are
 * empty, from the leaf up, and a root that has one child left.
 */
static void free_empty(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		       struct kmdom_pin *pin, unsigned int depth)
{
	struct kmdomfs_node *node;
	unsigned int i;

	for (i = depth; i--; ) {
		node = pin[i].obj;
		if (node->nr)
			break;
		if (i) {
			delete_child(pin[i - 1].obj, pin[i].ref);
		} else {
			tree->root = 0;
			tree->shape = 0;
		}
		kmdomfs_tx_free(tx, &pin[i]);
	}
	node = pin[0].obj;
	if (node && node->level && node->nr == 1) {
		tree->root = index_child(node, 0)->ref;
		tree->shape--;
		kmdomfs_tx_free(tx, &pin[0]);
	}
}

static int prune(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		 const struct kmdomfs_path *path)
{
	struct kmdom_pin *ino, *first = NULL, *pin;
	unsigned int i;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	for (i = 0; i < path->depth; i++) {
		pin = kmdomfs_tx_write(tx, kmdomfs_leaf_kind(tree),
				       path->node[i]);
		if (!i)
			first = pin;
	}
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	free_empty(tx, tree, first, path->depth);
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/**
 * kmdomfs_btree_prune() - take a leaf that may have become empty out of a tree
 * @tx: a transaction with nothing pinned
 * @tree: the directory's
 * @key: that was in the leaf
 *
 * A leaf that stays, because the pager does not answer, does no harm.
 */
void kmdomfs_btree_prune(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
			 u64 key)
{
	struct kmdomfs_path path;
	struct kmdomfs_node *leaf;
	bool empty;

	if (kmdomfs_btree_walk(tx, tree, key, &path, &leaf))
		return;
	empty = leaf && !leaf->nr;
	kmdomfs_tx_drop(tx);
	if (empty)
		prune(tx, tree, &path);
}

/**
 * kmdomfs_btree_free() - free the nodes of a directory that has no names
 * @tx: a transaction with nothing pinned
 * @tree: the directory's
 *
 * Return: 0, or an error with nothing pinned; then it can be called again.
 */
int kmdomfs_btree_free(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdomfs_path path;
	struct kmdomfs_node *leaf;
	int ret;

	while (tree->root) {
		ret = kmdomfs_btree_walk(tx, tree, 0, &path, &leaf);
		if (ret)
			return ret;
		if (leaf && leaf->nr)
			ret = -ENOTEMPTY;
		kmdomfs_tx_drop(tx);
		if (!ret)
			ret = prune(tx, tree, &path);
		if (ret)
			return ret;
	}
	return 0;
}
