/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own compressed memory, /dev/zram0.
 */
#ifndef BENCH_ZRAM_H
#define BENCH_ZRAM_H

#define ZRAM_DEVICE	"/dev/zram0"

int zram_start(unsigned int megabytes);
void zram_stop(void);

#endif /* BENCH_ZRAM_H */
