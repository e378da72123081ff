/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a shell's user would do: commands, and words to the kernel's files.
 */
#ifndef BENCH_SHELL_H
#define BENCH_SHELL_H

__attribute__((format(printf, 2, 3)))
int shell(const char *group, const char *format, ...);
__attribute__((format(printf, 2, 3)))
int put(const char *path, const char *format, ...);

#endif /* BENCH_SHELL_H */
