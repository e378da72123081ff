/* SPDX-License-Identifier: GPL-2.0 */
/* The two doors of the exchange behind one call. Used by one thread at a time. */
#ifndef KT_DOOR_H
#define KT_DOOR_H

#include <liburing.h>
#include <linux/kmdom.h>

enum door_kind {
	DOOR_IOCTL,
	DOOR_URING,
};

#define DOOR_PATIENCE	60	/* seconds until a completion counts as lost */

/**
 * struct door - a way to exchange
 * @kind: which
 * @fd: session's descriptor
 * @ring: of DOOR_URING
 */
struct door {
	enum door_kind kind;
	int fd;
	struct io_uring ring;
};

int door_open(struct door *door, enum door_kind kind, int fd);
void door_close(struct door *door);
int door_exchange(struct door *door, struct kmdom_exchange *ex);

void uring_fill(struct io_uring_sqe *sqe, int fd,
		const struct kmdom_exchange *ex, __u64 user_data);
int uring_submit(struct io_uring *ring, int fd, const struct kmdom_exchange *ex,
		 __u64 user_data);
int uring_take(struct io_uring *ring, int timeout_ms, __u64 *user_data, int *res);

#endif /* KT_DOOR_H */
