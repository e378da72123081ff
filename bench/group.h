/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory cgroups, by their names. NULL is the one that bench itself is in.
 */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

int group_make(const char *group, unsigned int megabytes);
int group_enter(const char *group);
int group_reclaim(const char *group);
void group_end(const char *group);

#endif /* BENCH_GROUP_H */
