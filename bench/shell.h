/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands of a shell's.
 */
#ifndef BENCH_SHELL_H
#define BENCH_SHELL_H

__attribute__((format(printf, 1, 2)))
int shell(const char *format, ...);

#endif /* BENCH_SHELL_H */
