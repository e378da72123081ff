/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that allocates, changes, reads and frees objects at random, and
 * knows what each must hold. Runs in a helper process.
 */
#ifndef KT_LOAD_H
#define KT_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include "client.h"

/**
 * struct load - what it does
 * @fd: client
 * @op: operation to use
 * @type: KT_SMALL, KT_PAGE or KT_SIGNED
 * @objects: how many may live at once
 * @steps: how many steps to take; 0: until @stop
 * @seed: of its choices
 * @rest_us: microseconds to sleep after a step, on average
 * @stop: shared: set by the test to end it; may be NULL
 * @progress: shared: steps taken, and objects filled or verified; may be NULL
 * @refs: shared: ref of each object, 0 if it is not there
 * @seeds: shared: what each holds
 * @excuse: may say of an error that it had to be: then the object is forgotten,
 *	and is the excuse's to free; may be NULL
 * @ctx: of @excuse
 */
struct load {
	int fd;
	unsigned int op;
	unsigned int type;
	unsigned int objects;
	unsigned int steps;
	uint64_t seed;
	unsigned int rest_us;
	atomic_uint *stop;
	atomic_uint *progress;
	uint64_t *refs;
	uint64_t *seeds;
	bool (*excuse)(struct load *load, uint64_t ref, int error);
	void *ctx;
};

void load_init(struct load *load, int fd, unsigned int op, unsigned int type,
	       unsigned int objects);
long load_fill(void *arg);
long load_run(void *arg);
long load_verify(void *arg);
long load_empty(void *arg);

#endif /* KT_LOAD_H */
