/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The real kmdomd with its store in memory, for the rows about paging.
 */
#ifndef BENCH_KMDOMD_H
#define BENCH_KMDOMD_H

#include <stdio.h>
#include <sys/types.h>

/**
 * struct kmdomd_spec - a domain and its kmdomd
 * @domain: its name
 * @frames: of the pool, which are all that it may have
 * @low: free frames: below this, pages are taken
 * @high: until there are so many
 * @store_megabytes: of its store
 * @group: that it and its frames belong to, but not its store; NULL: ours
 */
struct kmdomd_spec {
	const char *domain;
	unsigned int frames;
	unsigned int low;
	unsigned int high;
	unsigned int store_megabytes;
	const char *group;
};

/**
 * struct kmdomd - one that runs
 * @spec: of it
 * @door: of it
 * @pid: 0: there is none
 * @said: what it says
 */
struct kmdomd {
	const struct kmdomd_spec *spec;
	const char *door;
	pid_t pid;
	FILE *said;
};

int kmdomd_start(struct kmdomd *kmdomd, const struct kmdomd_spec *spec, const char *door);
void kmdomd_stop(struct kmdomd *kmdomd);

#endif /* BENCH_KMDOMD_H */
