/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A door: how exchanges and the store's I/O are carried out and waited for.
 *
 * What is started completes in door_wait() alone, by a call of its done(); so
 * nothing that is started calls back before door_wait() is entered. One thread.
 *
 *	uring	one ring for exchanges and I/O, everything at the same time
 *	ioctl	one thing after the other, for kernels without io_uring
 */
#ifndef KMDOMD_DOOR_H
#define KMDOMD_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <kmdom/kmdom.h>

struct door;
struct door_job;

typedef void (*door_fn)(struct door_job *job, int res);

/**
 * struct door_job - something that was started: an exchange or a transfer
 * @done: called with 0 or a negative errno; for a transfer, bytes or -errno
 * @next: for the door
 * @batch: exchange: what to exchange; untouched by others until @done
 * @wait: exchange: wait for an event, after the operations. One job a time
 *	may; it is the listener
 * @reply: exchange: nothing will be started until there is an event, so that
 *	the door may wait for it in the same call
 * @fd: transfer: of this file
 * @write: transfer: write, not read
 * @buf: transfer: memory, aligned as the file asks
 * @len: transfer: bytes
 * @offset: transfer: place in the file
 */
struct door_job {
	door_fn done;
	struct door_job *next;
	struct kmdom_batch *batch;
	bool wait;
	bool reply;
	bool write;
	int fd;
	void *buf;
	size_t len;
	off_t offset;
};

struct door_ops {
	const char *name;
	/* @session: the session's descriptor; @wake: readable on a signal */
	int (*open)(struct door *door, int session, int wake);
	void (*exchange)(struct door *door, struct door_job *job);
	void (*transfer)(struct door *door, struct door_job *job);
	/* Wait until something completes, at most @timeout_ms; -1: for ever. */
	int (*wait)(struct door *door, int timeout_ms);
	void (*close)(struct door *door);
};

struct door {
	const struct door_ops *ops;
	void *priv;
};

extern const struct door_ops door_ioctl_ops;
extern const struct door_ops door_uring_ops;

static inline void door_exchange(struct door *door, struct door_job *job)
{
	door->ops->exchange(door, job);
}

static inline void door_transfer(struct door *door, struct door_job *job)
{
	door->ops->transfer(door, job);
}

static inline int door_wait(struct door *door, int timeout_ms)
{
	return door->ops->wait(door, timeout_ms);
}

/* A first in, first out queue of jobs. */
struct door_queue {
	struct door_job *head;
	struct door_job **tail;
};

static inline void door_queue_init(struct door_queue *queue)
{
	queue->head = NULL;
	queue->tail = &queue->head;
}

static inline void door_queue_put(struct door_queue *queue, struct door_job *job)
{
	job->next = NULL;
	*queue->tail = job;
	queue->tail = &job->next;
}

static inline struct door_job *door_queue_get(struct door_queue *queue)
{
	struct door_job *job = queue->head;

	if (job) {
		queue->head = job->next;
		if (!queue->head)
			queue->tail = &queue->head;
	}
	return job;
}

#endif /* KMDOMD_DOOR_H */
