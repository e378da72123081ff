// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "door.h"

#define EXCHANGE	1
#define WAKE		2

/**
 * door_open() - make a way to exchange
 * @door: filled in
 * @kind: which way
 * @fd: session's descriptor
 *
 * Return: 0 or a negative errno
 */
int door_open(struct door *door, enum door_kind kind, int fd)
{
	memset(door, 0, sizeof(*door));
	door->kind = kind;
	door->fd = fd;
	if (kind == DOOR_IOCTL)
		return 0;
	return io_uring_queue_init(16, &door->ring, 0);
}

/**
 * door_close() - undo door_open()
 * @door: the door
 */
void door_close(struct door *door)
{
	if (door->kind == DOOR_URING)
		io_uring_queue_exit(&door->ring);
}

/**
 * uring_fill() - write a URING_CMD that exchanges
 * @sqe: where
 * @fd: session's descriptor
 * @ex: the exchange, which must stay until the completion
 * @user_data: of the completion
 */
void uring_fill(struct io_uring_sqe *sqe, int fd,
		const struct kmdom_exchange *ex, __u64 user_data)
{
	struct kmdom_uring_cmd *cmd = (struct kmdom_uring_cmd *)sqe->cmd;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = KMDOM_URING_EXCHANGE;
	sqe->user_data = user_data;
	cmd->addr = (unsigned long)ex;
	cmd->len = sizeof(*ex);
}

/**
 * uring_submit() - submit an exchange and do not wait
 * @ring: the ring
 * @fd: session's descriptor
 * @ex: the exchange, which must stay until the completion
 * @user_data: of the completion
 *
 * Return: 0 or a negative errno
 */
int uring_submit(struct io_uring *ring, int fd, const struct kmdom_exchange *ex,
		 __u64 user_data)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int ret;

	if (!sqe)
		return -ENOSPC;
	uring_fill(sqe, fd, ex, user_data);
	ret = io_uring_submit(ring);
	return ret < 0 ? ret : 0;
}

/**
 * uring_take() - take a completion
 * @ring: the ring
 * @timeout_ms: how long to wait for one
 * @user_data: out: whose it is
 * @res: out: its result
 *
 * Return: 0, or -ETIME
 */
int uring_take(struct io_uring *ring, int timeout_ms, __u64 *user_data, int *res)
{
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000LL,
	};
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_wait_cqe_timeout(ring, &cqe, &ts);
	} while (ret == -EINTR);
	if (ret)
		return ret;
	*user_data = cqe->user_data;
	*res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return 0;
}

/* Takes the completion of the exchange, and that of the waker if there is one. */
static int take_both(struct door *door, bool woken, int *res)
{
	int left = woken ? 2 : 1, ret, one;
	__u64 data;

	while (left--) {
		ret = uring_take(&door->ring, DOOR_PATIENCE * 1000, &data, &one);
		if (ret)
			return ret;
		if (data == EXCHANGE)
			*res = one;
	}
	return 0;
}

/*
 * A parked exchange has no timeout of its own: when it is time, another one
 * wakes it. Which completes first makes no difference.
 */
static int uring_exchange(struct door *door, struct kmdom_exchange *ex)
{
	struct kmdom_exchange wake = {
		.flags = KMDOM_EXCHANGE_WAKE, .timeout_ns = -1,
	};
	__s64 timeout_ns = ex->timeout_ns;
	int ret, res = -ETIME;
	__u64 data;

	ex->timeout_ns = -1;
	ret = uring_submit(&door->ring, door->fd, ex, EXCHANGE);
	if (!ret && (!ex->min_events || timeout_ns < 0)) {
		ret = take_both(door, false, &res);
	} else if (!ret) {
		ret = uring_take(&door->ring, timeout_ns / 1000000, &data, &res);
		if (ret == -ETIME) {
			ret = uring_submit(&door->ring, door->fd, &wake, WAKE);
			if (!ret)
				ret = take_both(door, true, &res);
		}
	}
	ex->timeout_ns = timeout_ns;
	return ret ? ret : res;
}

/**
 * door_exchange() - exchange, and wait for the end of it
 * @door: the door
 * @ex: the exchange
 *
 * Return: 0 or a negative errno; -ETIME if no completion comes
 */
int door_exchange(struct door *door, struct kmdom_exchange *ex)
{
	if (door->kind == DOOR_URING)
		return uring_exchange(door, ex);
	return ioctl(door->fd, KMDOM_IOC_EXCHANGE, ex) ? -errno : 0;
}
