/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain of many pages, of which few are ever used again, from one end to the other.
 */
#ifndef BENCH_WIDE_H
#define BENCH_WIDE_H

#include "bench.h"

#define WIDE_KEPT	1024	/* pages that are used again */
#define WIDE_RECORD	256	/* bytes of a record of a page, at most */

/**
 * struct wide - one
 * @spec: of it, with short records
 * @pages: how many it has, a multiple of WIDE_KEPT
 * @bench: it, its pager being this process
 * @batch: for exchanges that take events
 * @first: index of the first page
 * @empty: what the kernel's own memory was before there was any page
 * @kept: records of those that are used again
 */
struct wide {
	struct bench_spec spec;
	uint32_t pages;
	struct bench bench;
	struct kmdom_batch *batch;
	uint64_t first;
	int64_t empty;
	struct {
		uint64_t version;
		uint32_t length;
		uint8_t bytes[WIDE_RECORD];
	} kept[WIDE_KEPT];
};

/* rows_growth.c: of a million pages */
extern struct wide wide_million;

int wide_use(struct wide *wide);
void wide_close(struct wide *wide);
int wide_take_kept(struct wide *wide);
int wide_bring_kept(struct wide *wide);
int wide_take_tables(struct wide *wide);
double wide_fault(struct wide *wide, uint32_t count);

#endif /* BENCH_WIDE_H */
