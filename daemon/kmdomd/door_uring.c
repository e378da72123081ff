// SPDX-License-Identifier: GPL-2.0
/*
 * The door of one io_uring: the listener stays parked in the kernel while
 * exchanges and the store's transfers come and go beside it.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include "door.h"

#define URING_ENTRIES	256

struct door_uring {
	struct io_uring ring;
	int session;
	int wake;
	bool wake_armed;
};

/* DEFER_TASKRUN is of Linux 6.1; without it the ring is only slower. */
static int uring_init_ring(struct io_uring *ring)
{
	int ret;

	ret = io_uring_queue_init(URING_ENTRIES, ring,
				  IORING_SETUP_SINGLE_ISSUER |
				  IORING_SETUP_DEFER_TASKRUN);
	if (ret == -EINVAL)
		ret = io_uring_queue_init(URING_ENTRIES, ring, 0);
	return ret;
}

static int uring_open(struct door *door, int session, int wake)
{
	struct door_uring *self = calloc(1, sizeof(*self));
	int ret;

	if (!self)
		return -ENOMEM;
	ret = uring_init_ring(&self->ring);
	if (ret) {
		free(self);
		return ret;
	}
	self->session = session;
	self->wake = wake;
	door->priv = self;
	return 0;
}

static void uring_close(struct door *door)
{
	struct door_uring *self = door->priv;

	if (!self)
		return;
	io_uring_queue_exit(&self->ring);
	free(self);
	door->priv = NULL;
}

/* An SQE; when the queue is full its entries are handed over first. */
static struct io_uring_sqe *uring_sqe(struct door_uring *self)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&self->ring)))
		io_uring_submit(&self->ring);
	return sqe;
}

static void uring_exchange(struct door *door, struct door_job *job)
{
	struct door_uring *self = door->priv;
	struct io_uring_sqe *sqe = uring_sqe(self);

	kmdom_uring_prep(sqe, job->batch, self->session, job->wait);
	io_uring_sqe_set_data(sqe, job);
}

static void uring_transfer(struct door *door, struct door_job *job)
{
	struct io_uring_sqe *sqe = uring_sqe(door->priv);

	job->batch = NULL;
	if (job->write)
		io_uring_prep_write(sqe, job->fd, job->buf, job->len, job->offset);
	else
		io_uring_prep_read(sqe, job->fd, job->buf, job->len, job->offset);
	io_uring_sqe_set_data(sqe, job);
}

/* A signal ends the wait: its descriptor is polled in the ring, too. */
static void uring_arm_wake(struct door_uring *self)
{
	struct io_uring_sqe *sqe;

	if (self->wake < 0 || self->wake_armed)
		return;
	sqe = uring_sqe(self);
	io_uring_prep_poll_add(sqe, self->wake, POLLIN);
	io_uring_sqe_set_data(sqe, NULL);
	self->wake_armed = true;
}

static void uring_complete(struct door_uring *self, const struct io_uring_cqe *cqe)
{
	struct door_job *job = io_uring_cqe_get_data(cqe);

	if (!job) {
		self->wake_armed = false;
		return;
	}
	if (job->batch)
		job->done(job, kmdom_uring_complete(job->batch, cqe->res));
	else
		job->done(job, cqe->res);
}

/* Complete what is there; what that starts is left to the next wait. */
static void uring_reap(struct door_uring *self)
{
	struct io_uring_cqe copy, *cqe;
	unsigned int n;

	for (n = io_uring_cq_ready(&self->ring); n; n--) {
		if (io_uring_peek_cqe(&self->ring, &cqe))
			return;
		copy.user_data = cqe->user_data;
		copy.res = cqe->res;
		io_uring_cqe_seen(&self->ring, cqe);
		uring_complete(self, &copy);
	}
}

static int uring_wait(struct door *door, int timeout_ms)
{
	struct door_uring *self = door->priv;
	struct __kernel_timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000LL,
	};
	struct io_uring_cqe *cqe;
	int ret;

	uring_arm_wake(self);
	if (io_uring_cq_ready(&self->ring))
		ret = io_uring_submit(&self->ring);
	else
		ret = io_uring_submit_and_wait_timeout(&self->ring, &cqe, 1,
						       timeout_ms < 0 ? NULL : &ts,
						       NULL);
	if (ret < 0 && ret != -ETIME && ret != -EINTR && ret != -EAGAIN &&
	    ret != -EBUSY)
		return ret;
	uring_reap(self);
	return 0;
}

const struct door_ops door_uring_ops = {
	.name = "uring",
	.open = uring_open,
	.exchange = uring_exchange,
	.transfer = uring_transfer,
	.wait = uring_wait,
	.close = uring_close,
};
