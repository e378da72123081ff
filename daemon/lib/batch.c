// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A batch: operations for one exchange, and what came of them.
 *
 * One allocation holds operations, results and events; nothing is allocated
 * after kmdom_batch_new(), so that a pager can serve when memory is short.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "batch.h"

/**
 * kmdom_batch_new() - make a batch
 * @max_ops: room for that many operations, at most KMDOM_OPS_MAX
 * @max_events: and that many events, at most KMDOM_EVENTS_MAX
 * @batch: out: the batch
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kmdom_batch_new(uint32_t max_ops, uint32_t max_events,
		    struct kmdom_batch **batch)
{
	struct kmdom_batch *new;

	if (max_ops > KMDOM_OPS_MAX || max_events > KMDOM_EVENTS_MAX)
		return -EINVAL;
	new = calloc(1, sizeof(*new) + max_ops * sizeof(*new->ops) +
			max_ops * sizeof(*new->results) +
			max_events * sizeof(*new->events));
	if (!new)
		return -ENOMEM;
	new->max_ops = max_ops;
	new->max_events = max_events;
	new->ops = (struct kmdom_op *)(new + 1);
	new->results = (struct kmdom_result *)(new->ops + max_ops);
	new->events = (struct kmdom_event *)(new->results + max_ops);
	*batch = new;
	return 0;
}

/**
 * kmdom_batch_free() - free a batch that is not at work
 * @batch: the batch, or NULL
 */
void kmdom_batch_free(struct kmdom_batch *batch)
{
	free(batch);
}

/**
 * kmdom_batch_reset() - make a batch that is not at work empty again
 * @batch: the batch
 */
void kmdom_batch_reset(struct kmdom_batch *batch)
{
	memset(&batch->xchg, 0, sizeof(batch->xchg));
}

/**
 * kmdom_batch_add() - add an operation
 * @batch: the batch
 * @op: the operation, copied
 *
 * Return: Its number in the batch, or -ENOSPC.
 */
int kmdom_batch_add(struct kmdom_batch *batch, const struct kmdom_op *op)
{
	uint32_t nr = batch->xchg.nr_ops;

	if (nr == batch->max_ops)
		return -ENOSPC;
	batch->ops[nr] = *op;
	batch->xchg.nr_ops++;
	return nr;
}

int kmdom_batch_grant(struct kmdom_batch *batch, uint32_t first, uint32_t count)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_GRANT, .index = first, .arg = count,
	});
}

int kmdom_batch_revoke(struct kmdom_batch *batch, uint32_t first, uint32_t count)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_REVOKE, .index = first, .arg = count,
	});
}

int kmdom_batch_export(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, void *buf, uint32_t len, uint16_t flags)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_EXPORT, .flags = flags,
		.level = level, .index = index,
		.buf = (uintptr_t)buf, .len = len,
	});
}

int kmdom_batch_stored(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, uint64_t version)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_STORED, .level = level, .index = index, .version = version,
	});
}

int kmdom_batch_evict(struct kmdom_batch *batch, unsigned int level,
		      uint64_t index, uint64_t version, uint16_t flags)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_EVICT, .flags = flags,
		.level = level, .index = index,
		.version = version,
	});
}

int kmdom_batch_restore(struct kmdom_batch *batch, unsigned int level,
			uint64_t index, uint64_t version, const void *buf,
			uint32_t len)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_RESTORE, .level = level, .index = index, .version = version,
		.buf = (uintptr_t)buf, .len = len,
	});
}

int kmdom_batch_refuse(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, uint64_t version, uint16_t flags)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_REFUSE, .flags = flags,
		.level = level, .index = index,
		.version = version,
	});
}

int kmdom_batch_scan(struct kmdom_batch *batch, uint64_t cursor,
		     struct kmdom_page *pages, uint32_t max_pages,
		     uint16_t flags)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_SCAN, .flags = flags, .index = cursor,
		.buf = (uintptr_t)pages,
		.len = max_pages * sizeof(*pages), .arg = max_pages,
	});
}

int kmdom_batch_resend(struct kmdom_batch *batch)
{
	return kmdom_batch_add(batch, &(struct kmdom_op) {
		.code = KMDOM_OP_RESEND,
	});
}

/* Fill in what the kernel reads of the exchange besides its operations. */
void kmdom_batch_arm(struct kmdom_batch *batch, bool wait, int64_t timeout_ns)
{
	struct kmdom_exchange *xchg = &batch->xchg;

	*xchg = (struct kmdom_exchange) {
		.ops = xchg->nr_ops ? (uintptr_t)batch->ops : 0,
		.results = xchg->nr_ops ? (uintptr_t)batch->results : 0,
		.events = batch->max_events ? (uintptr_t)batch->events : 0,
		.nr_ops = xchg->nr_ops,
		.max_events = batch->max_events,
		.min_events = wait,
		.timeout_ns = timeout_ns,
	};
}

/**
 * kmdom_batch_submit() - exchange through ioctl: operations in, events out
 * @batch: the batch
 * @fd: the session's descriptor
 * @timeout_ns: how long to wait for an event, after the operations;
 *	KMDOM_DONT_WAIT, KMDOM_WAIT_FOREVER
 *
 * Return: 0 or a negative errno. Even then there may be results, as many as
 * kmdom_batch_results() says.
 */
int kmdom_batch_submit(struct kmdom_batch *batch, int fd, int64_t timeout_ns)
{
	bool wait = timeout_ns != KMDOM_DONT_WAIT && batch->max_events;

	kmdom_batch_arm(batch, wait, wait ? timeout_ns : 0);
	if (ioctl(fd, KMDOM_IOC_EXCHANGE, &batch->xchg) < 0)
		return -errno;
	return 0;
}

/* How many operations the batch has. */
uint32_t kmdom_batch_ops(const struct kmdom_batch *batch)
{
	return batch->xchg.nr_ops;
}

/* How many of them the kernel gave a result of. */
uint32_t kmdom_batch_results(const struct kmdom_batch *batch)
{
	return batch->xchg.nr_results;
}

/* How many events it gave. */
uint32_t kmdom_batch_events(const struct kmdom_batch *batch)
{
	return batch->xchg.nr_events;
}

/* The operation of that number, or NULL. */
const struct kmdom_op *kmdom_batch_op(const struct kmdom_batch *batch, uint32_t nr)
{
	return nr < batch->xchg.nr_ops ? &batch->ops[nr] : NULL;
}

/* The result of the operation of that number; NULL if there is none. */
const struct kmdom_result *kmdom_batch_result(const struct kmdom_batch *batch,
					      uint32_t nr)
{
	return nr < batch->xchg.nr_results ? &batch->results[nr] : NULL;
}

/* The event of that number, or NULL. */
const struct kmdom_event *kmdom_batch_event(const struct kmdom_batch *batch,
					    uint32_t nr)
{
	return nr < batch->xchg.nr_events ? &batch->events[nr] : NULL;
}

/* Lent frames that were free when the exchange ended. */
uint32_t kmdom_batch_free_frames(const struct kmdom_batch *batch)
{
	return batch->xchg.free_frames;
}

/* Frames that were in use then, of all pools of the domain. */
uint32_t kmdom_batch_used_frames(const struct kmdom_batch *batch)
{
	return batch->xchg.used_frames;
}
