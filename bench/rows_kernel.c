// SPDX-License-Identifier: GPL-2.0
/*
 * Rows that the module measures alone: objects that are resident.
 */
#include "bench.h"

struct kernel_work {
	enum kb_work work;
	uint32_t count;
};

static double measure(struct bench *bench, const void *arg)
{
	const struct kernel_work *work = arg;

	return client_run(bench->client, work->work, work->count);
}

#define SIDE(side, what, times) \
	{ .name = side, .measure = measure, \
	  .arg = &(const struct kernel_work){ .work = what, .count = times } }

const struct row kernel_rows[] = {
	{ "alloc_free_single", 0, {
		SIDE("kmdom", KB_ALLOC_KMDOM, 1024),
		SIDE("kmem_cache", KB_ALLOC_KMEM, 1024),
	} },
	{ "alloc_free_batch", 0, {
		SIDE("kmdom", KB_BATCH_KMDOM, KB_BATCH),
		SIDE("kmem_cache", KB_BATCH_KMEM, KB_BATCH),
	} },
	{ "pin_unpin", 0, {
		SIDE("kmdom", KB_PIN_KMDOM, 1024),
		SIDE("srcu", KB_PIN_SRCU, 1024),
		SIDE("atomic", KB_PIN_ATOMIC, 1024),
	} },
	{ "pin_unpin_hot", 0, {
		SIDE("kmdom", KB_PIN_HOT_KMDOM, 1024),
		SIDE("srcu", KB_PIN_SRCU, 1024),
		SIDE("atomic", KB_PIN_ATOMIC, 1024),
	} },
	{ }
};
