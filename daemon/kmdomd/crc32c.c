// SPDX-License-Identifier: GPL-2.0
/*
 * CRC-32C, eight bytes at a time: by the CPU's instruction where it has one,
 * else with tables ("slicing by 8").
 */
#include <endian.h>
#include <stdbool.h>
#include <string.h>
#include "crc32c.h"

#define CRC32C_POLY	0x82f63b78U	/* reflected */

static uint32_t crc32c_table[8][256];

static void crc32c_init(void)
{
	uint32_t crc;
	int i, j;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (j = 0; j < 8; j++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY : 0);
		crc32c_table[0][i] = crc;
	}
	for (j = 1; j < 8; j++) {
		for (i = 0; i < 256; i++) {
			crc = crc32c_table[j - 1][i];
			crc32c_table[j][i] = crc >> 8 ^ crc32c_table[0][crc & 0xff];
		}
	}
}

static uint32_t crc32c_word(uint64_t word)
{
	uint32_t crc = 0;
	int i;

	for (i = 0; i < 8; i++)
		crc ^= crc32c_table[7 - i][word >> (8 * i) & 0xff];
	return crc;
}

static uint32_t crc32c_tables(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t word;

	if (!crc32c_table[0][1])
		crc32c_init();
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		crc = crc32c_word(le64toh(word) ^ crc);
	}
	for (; len; len--, p++)
		crc = crc >> 8 ^ crc32c_table[0][(crc ^ *p) & 0xff];
	return crc;
}

#ifdef __x86_64__
#define CRC32C_BLOCK	128	/* bytes between two looks at how many are left */

__attribute__((target("sse4.2")))
static uint32_t crc32c_sse(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t word, wide = crc;
	size_t i;

	for (; len >= CRC32C_BLOCK; len -= CRC32C_BLOCK, p += CRC32C_BLOCK) {
#pragma GCC unroll 16
		for (i = 0; i < CRC32C_BLOCK; i += 8) {
			memcpy(&word, p + i, 8);
			wide = __builtin_ia32_crc32di(wide, word);
		}
	}
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	for (crc = wide; len; len--, p++)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *buf, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc32c_sse(~crc, buf, len);
#endif
	return crc32c_software(crc, buf, len);
}

uint32_t crc32c_software(uint32_t crc, const void *buf, size_t len)
{
	return ~crc32c_tables(~crc, buf, len);
}
