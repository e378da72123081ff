/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small pager, honest or not, as its test wants it. Not libkmdom: nothing
 * here checks what a pager ought not to do.
 */
#ifndef KT_PAGER_H
#define KT_PAGER_H

#include <pthread.h>
#include <stdatomic.h>
#include "door.h"
#include "store.h"

#define PAGER_BATCH	32	/* operations that the server does at once */

struct pager;

/*
 * A page as the functions here name it: its level and its index there in one
 * number, which of a page of objects is the index.
 */
#define PAGE_OF(level, index)	((uint64_t)(level) << 60 | (index))
#define PAGE_LEVEL(page)	((unsigned int)((page) >> 60))
#define PAGE_INDEX(page)	((page) & ((1ULL << 60) - 1))

/**
 * struct pager_hooks - where a pager's server can be made to lie
 * @fault: answers a fault; returns false if it wants the honest answer given
 * @ctx: the test's own
 */
struct pager_hooks {
	bool (*fault)(struct pager *pager, const struct kmdom_event *ev);
	void *ctx;
};

/**
 * struct pager - one thread's view of a session
 * @ctl: /dev/kmdom, with the handshake done
 * @fd: session's descriptor, -1 without one
 * @door: how it exchanges
 * @pool: the frames
 * @frames: how many
 * @session: number
 * @lent: frames that it lent and did not get back, by its own results; shared
 *	by all views of the session
 * @name: of the domain
 * @store: the records
 * @buf: PAGER_BATCH buffers of KMDOM_RECORD_MAX bytes
 * @res: the last operation's result
 * @ex: the last exchange
 * @hooks: of the server
 * @hand: where the server's search for pages to preempt goes on
 * @lack: frames that somebody waits for, as far as told
 * @faults: faults served
 * @preempted: pages preempted by the server
 */
struct pager {
	int ctl;
	int fd;
	struct door door;
	char *pool;
	uint32_t frames;
	uint64_t session;
	atomic_long *lent;
	char name[KMDOM_NAME_MAX];
	struct store *store;
	uint8_t *buf;
	struct kmdom_result res;
	struct kmdom_exchange ex;
	struct pager_hooks hooks;
	uint64_t hand;
	uint64_t lack;
	uint64_t faults;
	uint64_t preempted;
};

/* Sessions. */
int pager_open(struct pager *pager, struct store *store);
void pager_close(struct pager *pager);
int pager_create(struct pager *pager, const char *name, uint32_t max_frames,
		 uint32_t orphan_seconds);
int pager_adopt(struct pager *pager, const char *name, enum door_kind door,
		uint32_t frames, uint32_t flags);
int pager_adopt_with(struct pager *pager, enum door_kind door,
		     struct kmdom_adopt *adopt);
void pager_leave(struct pager *pager);
int pager_destroy(struct pager *pager, const char *name);
int pager_abort(struct pager *pager, const char *name);

/* Exchanges and operations: 0, or what the operation says, or -errno. */
int pager_pass(struct pager *pager, struct kmdom_exchange *ex);
int pager_exchange(struct pager *pager, struct kmdom_op *ops,
		   struct kmdom_result *results, uint32_t nr);
int64_t pager_op(struct pager *pager, struct kmdom_op *op);
int64_t pager_grant(struct pager *pager, uint64_t first, uint32_t nr);
int64_t pager_revoke(struct pager *pager, uint64_t first, uint32_t nr);
int pager_export(struct pager *pager, uint64_t index, uint16_t flags);
int pager_stored(struct pager *pager, uint64_t index, uint64_t version);
int pager_evict(struct pager *pager, uint64_t index, uint64_t version,
		uint16_t flags);
int pager_preempt(struct pager *pager, uint64_t index);
int pager_restore(struct pager *pager, uint64_t index, uint64_t version,
		  const void *record, uint32_t len);
int pager_answer(struct pager *pager, uint64_t index, uint64_t version);
int64_t pager_refuse(struct pager *pager, uint64_t index, uint64_t version,
		     uint16_t flags);
int pager_scan(struct pager *pager, uint64_t *cursor, struct kmdom_page *pages,
	       uint32_t nr, uint16_t flags);
int pager_look(struct pager *pager, uint64_t index, struct kmdom_page *page);
int64_t pager_resend(struct pager *pager);
int pager_events(struct pager *pager, struct kmdom_event *events, uint32_t nr,
		 int timeout_ms);
int pager_event(struct pager *pager, uint32_t type, struct kmdom_event *event);

/* Conservation. */
int pager_conserved(struct pager *pager);
int domain_conserved(const char *name);

/* Serving. */
int pager_preempt_all(struct pager *pager);
int pager_serve(struct pager *pager, int timeout_ms);

/**
 * struct server - a thread that serves a session
 * @pager: its own view of it
 * @thread: the thread
 * @stop: set to end it
 * @ret: why it ended, 0 or a negative errno
 */
struct server {
	struct pager pager;
	pthread_t thread;
	atomic_bool stop;
	int ret;
};

int server_start(struct server *server, const struct pager *pager,
		 const struct pager_hooks *hooks);
int server_stop(struct server *server);

#endif /* KT_PAGER_H */
