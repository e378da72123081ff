/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shop.h - a cache for the tests of slots and pages
 *
 * Each object is filled when it is made, and found unchanged when it ends; all of
 * them are known, so that a page's bitmaps can be told from them.
 */
#ifndef KMDOM_KUNIT_SHOP_H
#define KMDOM_KUNIT_SHOP_H

#include <linux/xarray.h>
#include "bed.h"

#define SHOP_FRAMES	160

/* Frames that an allocation is promised, as kmdom_pin_set() does it. */
#define SHOP_PROMISE	(1 + KMDOM_TABLES_EXTRA)

/* The largest objects of which a page holds so many. */
#define SIZE_OF(slots)	(round_down(KMDOM_FRAME_SIZE / (slots), 8))

/**
 * struct shop - a cache, and what must be in it
 * @bed: its domain
 * @pool: the domain's frames
 * @cache: the cache that is open
 * @size: of its objects
 * @objects: by ref; the byte that fills each, as a value
 * @nr: of them
 * @first: index of the first page that is looked at
 */
struct shop {
	struct bed *bed;
	struct kmdom_pool *pool;
	struct kmdom_cache *cache;
	u16 size;
	struct xarray objects;
	unsigned int nr;
	u64 first;
};

void shop_begin(struct shop *shop, struct kunit *test);
void shop_open(struct shop *shop, struct kunit *test, u16 size);
void shop_sweep(struct shop *shop);
void shop_close(struct shop *shop);
void shop_end(struct shop *shop);

kmdom_ref shop_alloc(struct shop *shop);
u64 shop_fill(struct shop *shop, kmdom_ref *refs);
void shop_free(struct shop *shop, kmdom_ref ref);
void shop_free_at(struct shop *shop, unsigned int nr);

struct kmdom_frame *shop_page(struct shop *shop, u64 index);
u64 shop_last(const struct shop *shop);
void shop_drop(struct kmdom_frame *frame);
void shop_check_page(struct shop *shop, u64 index);
void shop_check(struct shop *shop);

#endif /* KMDOM_KUNIT_SHOP_H */
