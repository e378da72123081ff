// SPDX-License-Identifier: GPL-2.0
/*
 * map.c - from a page of a file to its object
 *
 * Context: the file's map_sem: shared to find, exclusive for the rest.
 */
#include "map.h"

/**
 * kmdomfs_map_lock_shared() - lock a file's map to find pages in it
 * @tx: the transaction that will
 * @inode: the file
 *
 * Return: 0; -EINTR; -EAGAIN if @tx does not wait.
 */
int kmdomfs_map_lock_shared(struct kmdomfs_tx *tx, struct inode *inode)
{
	struct rw_semaphore *sem = &KMDOMFS_I(inode)->map_sem;

	if (tx->nowait)
		return down_read_trylock(sem) ? 0 : -EAGAIN;
	return down_read_killable(sem);
}

/**
 * kmdomfs_map_lock() - lock a file's map to change it
 * @tx: the transaction that will
 * @inode: the file
 *
 * Return: 0; -EINTR; -EAGAIN if @tx does not wait.
 */
int kmdomfs_map_lock(struct kmdomfs_tx *tx, struct inode *inode)
{
	struct rw_semaphore *sem = &KMDOMFS_I(inode)->map_sem;

	if (tx->nowait)
		return down_write_trylock(sem) ? 0 : -EAGAIN;
	return down_write_killable(sem);
}

/**
 * kmdomfs_map_find() - find a page
 * @tx: a transaction with nothing pinned
 * @tree: the file's
 * @index: of the page
 * @slot: out: where it hangs; if @slot->data is 0, nothing else in it counts
 *
 * Return: 0, or an error; nothing is pinned.
 */
int kmdomfs_map_find(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		     u64 index, struct kmdomfs_slot *slot)
{
	unsigned int level = kmdomfs_map_levels(tree);
	struct kmdom_pin *pin;
	int ret;

	*slot = (struct kmdomfs_slot) { .kind = kmdomfs_map_kind(tree) };
	if (index >= kmdomfs_map_capacity(tree->shape))
		return 0;
	slot->data = tree->root;
	for (; level && slot->data; level--) {
		slot->node = slot->data;
		slot->at = kmdomfs_map_place(index, level);
		pin = kmdomfs_tx_read(tx, slot->kind, slot->node);
		ret = kmdomfs_tx_take(tx);
		if (ret)
			return ret;
		slot->data = ((struct kmdomfs_map_obj *)pin->obj)->ref[slot->at];
		kmdomfs_tx_drop(tx);
	}
	return 0;
}

/* Least shape with room for page @index, one step above the present one. */
static u8 next_shape(const struct kmdomfs_tree *tree, u64 index)
{
	u8 shape = tree->shape + 1;

	/* From one page a file goes to the map that it needs. */
	if (shape == SHAPE_SMALL && index >= kmdomfs_map_capacity(SHAPE_SMALL))
		shape++;
	return shape;
}

/* Adds a level: a new root whose first entry is what the old one was. */
static int add_level(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		     u64 index)
{
	u8 shape = next_shape(tree, index);
	struct kmdom_pin *ino, *root;
	struct kmdomfs_map_obj *map;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	root = kmdomfs_tx_new(tx, shape == SHAPE_SMALL ? KMDOMFS_MAP_SMALL :
							 KMDOMFS_MAP);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	map = root->obj;
	map->ref[0] = tree->root;
	tree->root = root->ref;
	tree->shape = shape;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Makes the small map one of full size. */
static int enlarge(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *small, *full;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	small = kmdomfs_tx_write(tx, KMDOMFS_MAP_SMALL, tree->root);
	full = kmdomfs_tx_new(tx, KMDOMFS_MAP);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	memcpy(full->obj, small->obj,
	       KMDOMFS_MAP_SMALL_REFS * sizeof(kmdom_ref));
	kmdomfs_tx_free(tx, small);
	tree->root = full->ref;
	tree->shape = SHAPE_SMALL + 1;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int grow(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree, u64 index)
{
	int ret = 0;

	while (!ret && index >= kmdomfs_map_capacity(tree->shape)) {
		if (tree->shape == SHAPE_MAX)
			ret = -EFBIG;
		else if (!tree->root)
			/* Nothing hangs there: any shape will do. */
			tree->shape = next_shape(tree, index);
		else if (tree->shape == SHAPE_SMALL)
			ret = enlarge(tx, tree);
		else
			ret = add_level(tx, tree, index);
	}
	return ret;
}

static int plant(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	struct kmdom_pin *ino, *root;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	root = kmdomfs_tx_new(tx, kmdomfs_map_kind(tree));
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	tree->root = root->ref;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int read_slot(struct kmdomfs_tx *tx, struct kmdomfs_slot *slot)
{
	struct kmdom_pin *pin = kmdomfs_tx_read(tx, slot->kind, slot->node);
	int ret = kmdomfs_tx_take(tx);

	if (ret)
		return ret;
	slot->data = ((struct kmdomfs_map_obj *)pin->obj)->ref[slot->at];
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Hangs a new map where @slot found a hole. */
static int make_child(struct kmdomfs_tx *tx, struct kmdomfs_slot *slot)
{
	struct kmdom_pin *map, *child;
	int ret;

	map = kmdomfs_tx_write(tx, KMDOMFS_MAP, slot->node);
	child = kmdomfs_tx_new(tx, KMDOMFS_MAP);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	slot->data = child->ref;
	((struct kmdomfs_map_obj *)map->obj)->ref[slot->at] = child->ref;
	kmdomfs_tx_drop(tx);
	return 0;
}

/**
 * kmdomfs_map_make() - find the place of a page, and make the way there
 * @tx: a transaction with nothing pinned
 * @tree: the file's
 * @index: of the page
 * @slot: out: where it hangs, or can be hung
 *
 * Return: 0, or an error; nothing is pinned.
 */
int kmdomfs_map_make(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		     u64 index, struct kmdomfs_slot *slot)
{
	unsigned int level;
	int ret;

	ret = grow(tx, tree, index);
	if (ret)
		return ret;
	*slot = (struct kmdomfs_slot) { .kind = kmdomfs_map_kind(tree) };
	level = kmdomfs_map_levels(tree);
	if (!level) {
		slot->data = tree->root;
		return 0;
	}
	if (!tree->root) {
		ret = plant(tx, tree);
		if (ret)
			return ret;
	}
	for (slot->data = tree->root; level; level--) {
		slot->node = slot->data;
		slot->at = kmdomfs_map_place(index, level);
		ret = read_slot(tx, slot);
		if (!ret && !slot->data && level > 1)
			ret = make_child(tx, slot);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * kmdomfs_map_set() - hang a page where there was a hole
 * @tree: the file's, which the caller stores
 * @slot: from kmdomfs_map_make()
 * @map: @slot->node, pinned for writing; NULL if that is 0
 * @data: the page
 */
void kmdomfs_map_set(struct kmdomfs_tree *tree, const struct kmdomfs_slot *slot,
		     struct kmdom_pin *map, kmdom_ref data)
{
	if (map)
		((struct kmdomfs_map_obj *)map->obj)->ref[slot->at] = data;
	else
		tree->root = data;
	tree->pages++;
}
