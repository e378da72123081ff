// SPDX-License-Identifier: GPL-2.0
#include "draw.h"

/**
 * draw() - the next of a sequence (SplitMix64, by Steele, Lea and Flood)
 * @state: of the sequence; at first, its seed
 *
 * Return: a number
 */
uint64_t draw(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/**
 * below() - the next of a sequence, as a choice among a few
 * @state: of the sequence
 * @n: how many there are
 *
 * Return: 0 to @n - 1
 */
unsigned int below(uint64_t *state, unsigned int n)
{
	return draw(state) % n;
}
