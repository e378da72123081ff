/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own compressed memory, /dev/zram0.
 */
#ifndef BENCH_ZRAM_H
#define BENCH_ZRAM_H

int zram_swap_on(unsigned int megabytes);
void zram_stop(void);

#endif /* BENCH_ZRAM_H */
