// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Exchanges through an io_uring of the caller's.
 *
 * The library makes no ring: it fills an SQE that the caller took from his
 * own, and reads the completion that he hands back. Debian 12's liburing has
 * no helper for URING_CMD, and none is needed.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "batch.h"

static int uring_probe_op(int ring)
{
	struct {
		struct io_uring_probe probe;
		struct io_uring_probe_op ops[IORING_OP_URING_CMD + 1];
	} arg = {};

	if (syscall(__NR_io_uring_register, ring, IORING_REGISTER_PROBE, &arg,
		    IORING_OP_URING_CMD + 1) < 0)
		return -errno;
	if (arg.probe.last_op < IORING_OP_URING_CMD ||
	    !(arg.ops[IORING_OP_URING_CMD].flags & IO_URING_OP_SUPPORTED))
		return -EOPNOTSUPP;
	return 0;
}

/**
 * kmdom_uring_probe() - can exchanges go through io_uring here?
 * @features: what kmdom_open() told
 *
 * Return: 0; -ENOSYS: the kernel has no io_uring; -EPERM: the administrator
 * has switched it off; -EOPNOTSUPP: kmdom or the kernel lacks the command.
 */
int kmdom_uring_probe(uint64_t features)
{
	struct io_uring_params params = {};
	int ring, ret;

	if (!(features & KMDOM_FEATURE_URING))
		return -EOPNOTSUPP;
	ring = syscall(__NR_io_uring_setup, 1, &params);
	if (ring < 0)
		return -errno;
	ret = uring_probe_op(ring);
	close(ring);
	return ret;
}

/**
 * kmdom_uring_prep() - fill in an SQE with an exchange
 * @sqe: the SQE; the caller sets its user_data, before or after
 * @batch: the batch; belongs to the kernel until the SQE's completion
 * @fd: the session's descriptor
 * @wait: wait for an event after the operations
 */
void kmdom_uring_prep(struct io_uring_sqe *sqe, struct kmdom_batch *batch,
		      int fd, int wait)
{
	struct kmdom_uring_cmd cmd = {
		.addr = (uintptr_t)&batch->xchg,
		.len = sizeof(batch->xchg),
	};
	uint64_t user_data = sqe->user_data;

	kmdom_batch_arm(batch, wait && batch->max_events, -1);
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = KMDOM_URING_EXCHANGE;
	sqe->user_data = user_data;
	/* sqe->cmd, 16 bytes: not every version of the header names it. */
	memcpy((char *)sqe + offsetof(struct io_uring_sqe, addr3), &cmd, sizeof(cmd));
}

/**
 * kmdom_uring_complete() - take the completion of an exchange
 * @batch: the batch
 * @res: the res field of the CQE
 *
 * Return: 0 or a negative errno, as kmdom_batch_submit().
 */
int kmdom_uring_complete(struct kmdom_batch *batch, int32_t res)
{
	(void)batch;	/* its counts are the kernel's, or 0 as they were armed */
	return res < 0 ? res : 0;
}
