/* SPDX-License-Identifier: GPL-2.0 */
/*
 * exchange.h - operations in, results and events out, whatever the door
 */
#ifndef KMDOM_EXCHANGE_H
#define KMDOM_EXCHANGE_H

#include <linux/kmdom_client.h>

struct kmdom_seal;
struct kmdom_seal_request;
struct kmdom_session;

/**
 * struct kmdom_slot - what one exchange at work needs; owned by its task
 * @nr: its number in the session
 * @req: request to the cipher
 * @record: bounce buffer for records, and for what SCAN shows
 * @ops: operations, as they were copied in
 * @events: to be copied out
 */
struct kmdom_slot {
	unsigned int nr;
	struct kmdom_seal_request *req;
	void *record;
	struct kmdom_op ops[KMDOM_OPS_MAX];
	struct kmdom_event events[KMDOM_EVENTS_MAX];
};

/* Bytes of the bounce buffer. */
#define KMDOM_BOUNCE	8192

int kmdom_slots_create(struct kmdom_session *session, unsigned int nr,
		       struct kmdom_seal *seal);
void kmdom_slots_destroy(struct kmdom_session *session);

int kmdom_exchange_read(struct kmdom_exchange *ex, u64 addr, u32 len);
int kmdom_exchange_run(struct kmdom_session *session, struct kmdom_exchange *ex,
		       bool nonblock);
int kmdom_exchange_events(struct kmdom_session *session,
			  struct kmdom_exchange *ex, bool nonblock);
int kmdom_exchange_finish(struct kmdom_session *session,
			  struct kmdom_exchange *ex, u64 addr);
long kmdom_exchange_ioctl(struct kmdom_session *session, u64 addr);

#endif /* KMDOM_EXCHANGE_H */
