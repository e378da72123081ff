/* SPDX-License-Identifier: GPL-2.0 */
/*
 * map.h - the shape of a file's tree of pages
 *
 * A radix tree of maps. The shape says what the root is:
 *
 *	0	the file's first page itself
 *	1	a small map, of 16 pages
 *	2	a map, of 512 pages
 *	3 to 5	a map of maps, of maps of maps, and so on: up to 256 TiB
 *
 * A ref of 0 is a hole. The shape only grows, until the file is cut to nothing.
 * Every step (growing by one level, adding a map, freeing some pages) is a
 * transaction which leaves a whole tree; an empty map does no harm.
 */
#ifndef _KMDOMFS_MAP_H
#define _KMDOMFS_MAP_H

#include "kmdomfs.h"

#define MAP_BITS	9
#define MAP_MASK	(KMDOMFS_MAP_REFS - 1)

#define SHAPE_PAGE	0
#define SHAPE_SMALL	1
#define SHAPE_MAX	5

static_assert(KMDOMFS_MAP_REFS == 1 << MAP_BITS);
static_assert(SHAPE_MAX <= KMDOMFS_DIR_LEVELS);

/* Pages that a tree of this shape has room for. */
static inline u64 kmdomfs_map_capacity(u8 shape)
{
	switch (shape) {
	case SHAPE_PAGE:
		return 1;
	case SHAPE_SMALL:
		return KMDOMFS_MAP_SMALL_REFS;
	default:
		return 1ULL << (MAP_BITS * (shape - 1));
	}
}

/* Levels of maps; those at level 1 hold pages. */
static inline unsigned int kmdomfs_map_levels(const struct kmdomfs_tree *tree)
{
	return tree->shape <= SHAPE_SMALL ? tree->shape : tree->shape - 1;
}

static inline enum kmdomfs_kind
kmdomfs_map_kind(const struct kmdomfs_tree *tree)
{
	return tree->shape == SHAPE_SMALL ? KMDOMFS_MAP_SMALL : KMDOMFS_MAP;
}

static inline unsigned int kmdomfs_map_refs(const struct kmdomfs_tree *tree)
{
	return tree->shape == SHAPE_SMALL ? KMDOMFS_MAP_SMALL_REFS :
					    KMDOMFS_MAP_REFS;
}

/* Pages below one entry of a map at @level. */
static inline u64 kmdomfs_map_span(unsigned int level)
{
	return 1ULL << (MAP_BITS * (level - 1));
}

/* Place, in a map at @level, of what leads to page @index. */
static inline unsigned int kmdomfs_map_place(u64 index, unsigned int level)
{
	return (index >> (MAP_BITS * (level - 1))) & MAP_MASK;
}

#endif /* _KMDOMFS_MAP_H */
