/* SPDX-License-Identifier: GPL-2.0 */
/* Bitmaps of the kernel's layout, done bit by bit: simple, not fast. */
#ifndef SHIM_LINUX_BITMAP_H
#define SHIM_LINUX_BITMAP_H

#include <string.h>
#include <linux/bits.h>
#include <linux/types.h>

#define BITS_PER_LONG		(8 * (unsigned int)sizeof(long))
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, nr) unsigned long name[BITS_TO_LONGS(nr)]

static inline bool test_bit(unsigned int nr, const unsigned long *map)
{
	return map[nr / BITS_PER_LONG] >> (nr % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned int nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] |= BIT(nr % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned int nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] &= ~BIT(nr % BITS_PER_LONG);
}

static inline void bitmap_zero(unsigned long *map, unsigned int nr)
{
	memset(map, 0, BITS_TO_LONGS(nr) * sizeof(long));
}

static inline unsigned int find_next_bit(const unsigned long *map,
					 unsigned int nr, unsigned int from)
{
	while (from < nr && !test_bit(from, map))
		from++;
	return from < nr ? from : nr;
}

#define for_each_set_bit(bit, map, nr)				\
	for ((bit) = find_next_bit((map), (nr), 0); (bit) < (nr);	\
	     (bit) = find_next_bit((map), (nr), (bit) + 1))

static inline unsigned int bitmap_weight(const unsigned long *map,
					 unsigned int nr)
{
	unsigned int bit, weight = 0;

	for_each_set_bit(bit, map, nr)
		weight++;
	return weight;
}

static inline void bitmap_to_arr64(u64 *words, const unsigned long *map,
				   unsigned int nr)
{
	unsigned int bit;

	memset(words, 0, (nr + 63) / 64 * sizeof(*words));
	for_each_set_bit(bit, map, nr)
		words[bit / 64] |= BIT_ULL(bit % 64);
}

static inline void bitmap_from_arr64(unsigned long *map, const u64 *words,
				     unsigned int nr)
{
	unsigned int bit;

	bitmap_zero(map, nr);
	for (bit = 0; bit < nr; bit++) {
		if (words[bit / 64] >> (bit % 64) & 1)
			__set_bit(bit, map);
	}
}

#endif
