/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes that do not compress.
 */
#ifndef BENCH_NOISE_H
#define BENCH_NOISE_H

#include <stddef.h>

void noise_fill(void *buf, size_t bytes);
int noise_file(int dir, const char *name, size_t bytes);

#endif /* BENCH_NOISE_H */
