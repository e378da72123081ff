// SPDX-License-Identifier: GPL-2.0
#include "enemy.h"

uint64_t draw(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

unsigned int below(uint64_t *state, unsigned int n)
{
	return draw(state) % n;
}
