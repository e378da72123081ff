/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What ioctl and io_uring share of a batch.
 */
#ifndef KMDOM_BATCH_H
#define KMDOM_BATCH_H

#include <stdbool.h>
#include <kmdom/kmdom.h>

struct kmdom_batch {
	struct kmdom_exchange xchg;	/* what the kernel reads and writes */
	uint32_t max_ops;
	uint32_t max_events;
	struct kmdom_op *ops;
	struct kmdom_result *results;
	struct kmdom_event *events;
};

/* Not for users of the library: it is in no symbol version. */
__attribute__((visibility("hidden")))
void kmdom_batch_arm(struct kmdom_batch *batch, bool wait, int64_t timeout_ns);

#endif /* KMDOM_BATCH_H */
