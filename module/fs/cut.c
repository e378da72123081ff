// SPDX-License-Identifier: GPL-2.0
/*
 * cut.c - free a file's pages from some page on
 *
 * From the end, in bounded steps, each of which leaves a whole tree. Pages are
 * freed by their refs: of what is paged out only the maps come back, one for
 * 512 pages, and the tables of the domain that the pages are in.
 *
 * Context: the file's map_sem exclusive; the reaper needs none.
 */
#include <linux/sched/signal.h>

#include "map.h"

#define CUT_BATCH	128	/* pages freed under one pin */

/**
 * struct cut - where the last page is, and how to get there
 * @node: the map where the way ends
 * @parent: the map above; 0: @node is the root
 * @at: place in @parent
 * @low: first entry of @node that is cut off
 * @last: last entry of @node that is cut off and not a hole; -1: none
 * @data: what that is
 * @whole: all of @node is cut off
 */
struct cut {
	kmdom_ref node;
	kmdom_ref parent;
	unsigned int at;
	unsigned int low;
	int last;
	kmdom_ref data;
	bool whole;
};

/* Last entry at @low or above that is no hole, and what it is; or -1. */
static int last_entry(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		      const struct cut *cut, int *last, kmdom_ref *child)
{
	struct kmdomfs_map_obj *map;
	struct kmdom_pin *pin;
	int ret, i;

	pin = kmdomfs_tx_read(tx, kmdomfs_map_kind(tree), cut->node);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	map = pin->obj;
	i = kmdomfs_map_refs(tree) - 1;
	while (i >= (int)cut->low && !map->ref[i])
		i--;
	*last = i >= (int)cut->low ? i : -1;
	*child = *last >= 0 ? map->ref[i] : 0;
	kmdomfs_tx_drop(tx);
	return 0;
}

/* Goes down along the last entries, to a map of pages or to an empty one. */
static int find_last(struct kmdomfs_tx *tx, const struct kmdomfs_tree *tree,
		     u64 from, struct cut *cut)
{
	unsigned int level = kmdomfs_map_levels(tree);
	kmdom_ref child;
	u64 base = 0;
	int ret;

	*cut = (struct cut) { .node = tree->root };
	for (;; level--) {
		u64 span = kmdomfs_map_span(level);

		cut->whole = from <= base;
		cut->low = cut->whole ? 0 : min_t(u64, (from - base) / span,
						  KMDOMFS_MAP_REFS);
		ret = last_entry(tx, tree, cut, &cut->last, &child);
		cut->data = child;
		if (ret || cut->last < 0 || level == 1)
			return ret;
		cut->parent = cut->node;
		cut->at = cut->last;
		cut->node = child;
		base += cut->last * span;
	}
}

/* Whether it is gone: it can be in use by a reader who does not get on. */
static int free_page_at(struct kmdomfs_tx *tx, kmdom_ref ref)
{
	int ret = kmdom_free(&tx->op, tx->sbi->cache[KMDOMFS_DATA], ref);

	return ret == -ENOENT ? 0 : ret;
}

/*
 * Frees up to CUT_BATCH pages of a map, the last first: that one in any case, and
 * the others as far as their table is there, too. What is not freed keeps its ref.
 */
static int free_pages_of(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
			 const struct cut *cut)
{
	struct kmdom_pin *ino, *pin;
	struct kmdomfs_map_obj *map;
	unsigned int freed = 0;
	int ret, i;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	pin = kmdomfs_tx_write(tx, kmdomfs_map_kind(tree), cut->node);
	kmdomfs_tx_unneeded(tx, KMDOMFS_DATA, cut->data);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	map = pin->obj;
	for (i = cut->last; i >= (int)cut->low && freed < CUT_BATCH; i--) {
		if (!map->ref[i])
			continue;
		ret = free_page_at(tx, map->ref[i]);
		if (ret)
			break;
		map->ref[i] = 0;
		freed++;
	}
	tree->pages -= freed;
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return freed ? 0 : ret;
}

static int free_map(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree,
		    const struct cut *cut)
{
	struct kmdom_pin *ino, *map, *parent = NULL;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	map = kmdomfs_tx_write(tx, kmdomfs_map_kind(tree), cut->node);
	if (cut->parent)
		parent = kmdomfs_tx_write(tx, KMDOMFS_MAP, cut->parent);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	kmdomfs_tx_free(tx, map);
	if (parent) {
		((struct kmdomfs_map_obj *)parent->obj)->ref[cut->at] = 0;
	} else {
		tree->root = 0;
		tree->shape = SHAPE_PAGE;
	}
	kmdomfs_tree_store(tree, ino->obj);
	kmdomfs_tx_drop(tx);
	return 0;
}

static int free_only_page(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree)
{
	kmdom_ref data = tree->root;
	struct kmdom_pin *ino;
	int ret;

	ino = kmdomfs_tx_write(tx, KMDOMFS_INODE, tree->ino);
	kmdomfs_tx_unneeded(tx, KMDOMFS_DATA, data);
	ret = kmdomfs_tx_take(tx);
	if (ret)
		return ret;
	ret = free_page_at(tx, data);
	if (!ret) {
		tree->root = 0;
		tree->pages = 0;
		kmdomfs_tree_store(tree, ino->obj);
	}
	kmdomfs_tx_drop(tx);
	return ret;
}

static int cut_maps(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree, u64 from)
{
	struct cut cut;
	int ret;

	while (tree->root) {
		ret = find_last(tx, tree, from, &cut);
		if (ret)
			return ret;
		if (cut.last >= 0)
			ret = free_pages_of(tx, tree, &cut);
		else if (cut.whole)
			ret = free_map(tx, tree, &cut);
		else
			break;
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * kmdomfs_map_cut() - free all pages from one on
 * @tx: a transaction with nothing pinned
 * @tree: the file's
 * @from: index of the first page that goes
 *
 * Return: 0; or an error with some of them gone, the last first.
 */
int kmdomfs_map_cut(struct kmdomfs_tx *tx, struct kmdomfs_tree *tree, u64 from)
{
	if (tree->shape != SHAPE_PAGE)
		return cut_maps(tx, tree, from);
	if (tree->root && !from)
		return free_only_page(tx, tree);
	return 0;
}
