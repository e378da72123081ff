/* SPDX-License-Identifier: GPL-2.0 */
/*
 * uring.h - the door that does not block: exchanges as io_uring commands
 */
#ifndef KMDOM_URING_H
#define KMDOM_URING_H

struct io_uring_cmd;
struct kmdom_session;
struct kmdom_wait;

int kmdom_uring_init(struct kmdom_session *session);
void kmdom_uring_exit(struct kmdom_session *session);
int kmdom_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);
void kmdom_uring_wake_one(struct kmdom_wait *wait);
void kmdom_uring_wake_all(struct kmdom_session *session);

#endif /* KMDOM_URING_H */
