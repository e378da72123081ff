// SPDX-License-Identifier: GPL-2.0
/*
 * unit.c - random numbers, and other small things of the cases
 */
#include "unit.h"

static u64 random_state;

void unit_seed(u64 seed)
{
	random_state = seed;
}

/* splitmix64: Steele, Lea and Flood, OOPSLA 2014 */
u64 unit_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned int unit_random_below(unsigned int n)
{
	return unit_random() % n;
}

void unit_random_bytes(void *buf, size_t len)
{
	u8 *pos = buf;

	while (len) {
		u64 random = unit_random();
		size_t step = len < sizeof(random) ? len : sizeof(random);

		memcpy(pos, &random, step);
		pos += step;
		len -= step;
	}
}

bool unit_is_zero(const void *buf, size_t len)
{
	const u8 *byte = buf;

	while (len--) {
		if (*byte++)
			return false;
	}
	return true;
}
