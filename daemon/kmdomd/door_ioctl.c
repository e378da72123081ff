// SPDX-License-Identifier: GPL-2.0
/*
 * The door for kernels without io_uring: exchanges by ioctl, I/O by pread and
 * pwrite. The listener's ioctl is the one that waits, and only when nothing
 * else is to be done. A signal that comes just before does not end that wait, so it is
 * cut into pieces.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "door.h"

/* The longest wait in one ioctl: how late a signal may be seen. */
#define IOCTL_WAIT_MS	250
/* The longest that results of a reply may be late, if no event comes. */
#define IOCTL_REPLY_MS	20

struct door_ioctl {
	int session;
	struct door_queue queue;
	struct door_job *listener;
};

static int ioctl_open(struct door *door, int session, int wake)
{
	struct door_ioctl *self = calloc(1, sizeof(*self));

	(void)wake;	/* looked at by the caller, after each wait */
	if (!self)
		return -ENOMEM;
	self->session = session;
	door_queue_init(&self->queue);
	door->priv = self;
	return 0;
}

static void ioctl_close(struct door *door)
{
	free(door->priv);
	door->priv = NULL;
}

static void ioctl_exchange(struct door *door, struct door_job *job)
{
	struct door_ioctl *self = door->priv;

	if (job->wait)
		self->listener = job;
	else
		door_queue_put(&self->queue, job);
}

static void ioctl_transfer(struct door *door, struct door_job *job)
{
	struct door_ioctl *self = door->priv;

	job->batch = NULL;
	door_queue_put(&self->queue, job);
}

static int ioctl_do_transfer(const struct door_job *job)
{
	ssize_t done;

	do {
		if (job->write)
			done = pwrite(job->fd, job->buf, job->len, job->offset);
		else
			done = pread(job->fd, job->buf, job->len, job->offset);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : (int)done;
}

/* An exchange; a reply that is the last thing to do waits for the next event. */
static bool ioctl_do_exchange(struct door_ioctl *self, struct door_job *job, bool wait)
{
	int64_t timeout = wait ? IOCTL_REPLY_MS * 1000000LL : KMDOM_DONT_WAIT;

	job->done(job, kmdom_batch_submit(job->batch, self->session, timeout));
	return wait;
}

/* Carry out what was queued until now; returns whether events were waited for. */
static bool ioctl_run_queue(struct door_ioctl *self, bool may_wait)
{
	struct door_queue todo = self->queue;
	struct door_job *job;
	bool waited = false;

	door_queue_init(&self->queue);
	while ((job = todo.head)) {
		todo.head = job->next;
		if (job->batch)
			waited = ioctl_do_exchange(self, job, job->reply && may_wait &&
						   !todo.head && !self->queue.head);
		else
			job->done(job, ioctl_do_transfer(job));
	}
	return waited;
}

static int ioctl_wait(struct door *door, int timeout_ms)
{
	struct door_ioctl *self = door->priv;
	struct door_job *job;

	if (self->queue.head) {
		if (ioctl_run_queue(self, timeout_ms != 0))
			return 0;
		/* What that completed may give work: look for events only. */
		timeout_ms = 0;
	}
	job = self->listener;
	if (!job)
		return 0;
	if (timeout_ms < 0 || timeout_ms > IOCTL_WAIT_MS)
		timeout_ms = IOCTL_WAIT_MS;
	self->listener = NULL;
	job->done(job, kmdom_batch_submit(job->batch, self->session,
					  timeout_ms * 1000000LL));
	return 0;
}

const struct door_ops door_ioctl_ops = {
	.name = "ioctl",
	.open = ioctl_open,
	.exchange = ioctl_exchange,
	.transfer = ioctl_transfer,
	.wait = ioctl_wait,
	.close = ioctl_close,
};
