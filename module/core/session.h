/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.h - one pager process's hold on a domain
 *
 * A session ends by the death of its process, by the last close of its file, by
 * ABORT or by ADOPT of a successor; all of them go through
 * kmdom_session_end(), which is complete when it returns. The file, and with it
 * the memory of this structure, may live on.
 */
#ifndef KMDOM_SESSION_H
#define KMDOM_SESSION_H

#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "exchange.h"

struct kmdom_adopt;
struct kmdom_domain;
struct kmdom_parked;
struct kmdom_pool;
struct kmdom_wait;
struct pid;

/**
 * struct kmdom_session - a session
 * @dom: the domain; the file holds a reference. Constant
 * @id: number in the domain; constant since it began
 * @pool: its frames; used until the file is released. Constant
 * @owner: process that began it; constant
 * @owner_wait: on the queue of those who are told of its death
 * @owner_work: ends the session after that
 * @fence: read: a step of an exchange that touches the domain. Never held over
 *	a copy to or from user memory, so that who ends the session waits for
 *	the kernel alone
 * @ended: 0, or the errno of what is asked before it begins or after its end
 *	(@fence)
 * @slots: buffers for exchanges, by number
 * @nr_slots: constant
 * @slots_free: bits of those that are free (atomic)
 * @slots_wq: threads that wait for one
 * @parked: room for commands that wait in rings, as many as slots
 * @parked_free: bits of what is free of it (atomic)
 * @wakes: counts WAKE
 */
struct kmdom_session {
	struct kmdom_domain *dom;
	u64 id;
	struct kmdom_pool *pool;
	struct pid *owner;
	wait_queue_entry_t owner_wait;
	struct work_struct owner_work;
	struct rw_semaphore fence;
	int ended;
	struct kmdom_slot *slots[KMDOM_SLOTS_MAX];
	unsigned int nr_slots;
	unsigned long slots_free;
	wait_queue_head_t slots_wq;
	struct kmdom_parked *parked;
	unsigned long parked_free;
	unsigned int wakes;
};

int kmdom_session_adopt(struct kmdom_domain *dom, struct kmdom_adopt *arg,
			struct file **filp);
void kmdom_session_end(struct kmdom_session *session, int error);
u32 kmdom_session_deadline_ms(const struct kmdom_wait *wait);
struct kmdom_session *kmdom_session_of_file(struct file *file);

int kmdom_session_enter(struct kmdom_session *session);
void kmdom_session_leave(struct kmdom_session *session);

#endif /* KMDOM_SESSION_H */
