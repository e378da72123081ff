/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that allocates, changes, reads and frees objects at random, and
 * knows what each must hold. Runs in a helper process.
 */
#ifndef KT_LOAD_H
#define KT_LOAD_H

#include <stdatomic.h>
#include "client.h"

/**
 * struct load - what it does
 * @fd: client
 * @op: operation to use
 * @type: KT_SMALL, KT_PAGE or KT_SIGNED
 * @objects: how many may live at once
 * @steps: how many steps to take; 0: until @stop
 * @seed: of its choices
 * @stop: shared: set by the test to end it; may be NULL
 * @progress: shared: steps taken; may be NULL
 * @refs: shared: ref of each object, 0 if it is not there
 * @seeds: shared: what each holds
 */
struct load {
	int fd;
	unsigned int op;
	unsigned int type;
	unsigned int objects;
	unsigned int steps;
	uint64_t seed;
	atomic_uint *stop;
	atomic_uint *progress;
	uint64_t *refs;
	uint64_t *seeds;
};

void load_init(struct load *load, int fd, unsigned int op, unsigned int type,
	       unsigned int objects);
long load_fill(void *arg);
long load_run(void *arg);
long load_verify(void *arg);
long load_empty(void *arg);

#endif /* KT_LOAD_H */
