/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pager: one loop over three jobs that share a session, a store and a door.
 *
 *	fault.c    a fault: read its record, restore it
 *	evict.c    frames are short: scan, export, write, evict
 *	recover.c  after an adoption, and when hints of garbage were lost: compare
 *		   what the store has with what the domain has
 *
 * Each is a machine whose steps are started by its *_run(), called before every
 * wait, and by completions; none waits for another.
 */
#ifndef KMDOMD_PAGER_H
#define KMDOMD_PAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>
#include "clock.h"
#include "door.h"
#include "policy.h"
#include "store.h"

#define PAGER_FAULTS	64	/* records that are on their way at a time */
#define PAGER_QUEUE	2048	/* faults that wait for one of these */
#define PAGER_RETRY_MS	10	/* until what failed for the moment is tried again */
#define PAGER_TRIES	5	/* to read a record that is damaged or rejected */
#define PAGER_EVICT	STORE_RESERVED	/* pages that are taken at a time */

struct pager;

/**
 * struct pager_exchange - an exchange of one of the machines
 * @job: for the door
 * @pager: whose
 * @done: called with 0 or a negative errno that is no reason to end; results
 *	that are missing are of operations that were not carried out
 * @batch: what is exchanged
 * @busy: it is under way
 */
struct pager_exchange {
	struct door_job job;
	struct pager *pager;
	void (*done)(struct pager *pager, int ret);
	struct kmdom_batch *batch;
	bool busy;
};

struct pager_stats {
	uint64_t faults;
	uint64_t restores;
	uint64_t missing;	/* faults on records that the store has not */
	uint64_t bad;		/* records that the kernel did not take */
	uint64_t refused;
	uint64_t exports;
	uint64_t evictions;
	uint64_t evicted_clean;	/* of these, without an export */
	uint64_t dirtied;	/* exported, but used again before the eviction */
	uint64_t revouched;
	uint64_t garbage;	/* records dropped as such */
	uint64_t shortages;	/* NEED_FRAMES and restores without a frame */
	uint64_t stalls;	/* rounds that found nothing to take */
};

struct pager_options {
	uint32_t low;		/* free frames: below this, pages are taken */
	uint32_t high;		/* until there are so many */
	bool lose_missing;	/* say of records that are missing: lost for good */
};

struct fault {
	struct store_io io;
	struct fault *next;
	struct pager *pager;
	uint32_t tries;		/* to read its record */
	bool again;		/* shown again while its RESTORE was on its way */
};

struct fault_list {
	struct fault *head;
	struct fault **tail;
	uint32_t count;
};

struct fault_refusal {
	uint64_t key;
	uint64_t version;
	bool lost;		/* for good */
};

struct faults {
	struct { uint64_t key, version; } queue[PAGER_QUEUE];
	uint32_t queue_head;
	uint32_t queue_count;
	struct fault slots[PAGER_FAULTS];
	struct fault_list idle;
	struct fault_list ready;	/* read, to be restored */
	struct fault_list starved;	/* no frame was free, or moving: again later */
	struct fault_list unread;	/* could not be read, or was rejected: again later */
	struct fault_list sent;		/* in the exchange, in its order */
	struct fault_refusal refusals[KMDOM_EVENTS_MAX];
	uint32_t nr_refusals;
	uint32_t nr_sent_refusals;
	int64_t retry_at;		/* of both of these; pager_now() */
	bool resend;			/* events were dropped: ask for them again */
	struct pager_exchange xchg;
};

enum evict_state {
	EVICT_NOTHING,		/* the item is done with */
	EVICT_EXPORT,		/* its export is under way */
	EVICT_WRITE,		/* its record is being written */
	EVICT_FAILED,		/* that failed: the record is here only */
};

/* A record that leaves for the store. */
struct evict_item {
	struct store_io io;
	struct pager *pager;
	enum evict_state state;
};

/* A page whose record the store has. */
struct evict_vouch {
	uint64_t key;
	uint64_t version;
	bool clean;		/* it had it before */
};

struct evict {
	struct evict_item items[PAGER_EVICT];
	struct evict_vouch vouches[PAGER_EVICT];
	struct kmdom_page pages[PAGER_EVICT];
	struct pager_exchange xchg;
	uint32_t nr_items;
	uint32_t nr_kept;	/* the first of them: FAILED, and to be written again */
	uint32_t nr_vouches;
	uint32_t writing;
	bool active;		/* a round is under way */
	int error;		/* of the last write that failed */
	uint32_t tries;		/* to write one of them again */
	bool rewrite_all;	/* the last one that was written again succeeded */
	int64_t rewrite_at;	/* ms of pager_now() */
	bool no_room;		/* the round found no slot for a record */
	bool no_memory;		/* the index could not grow, which was reported */
	int64_t full_since;	/* last time of that, once reported; else 0 */
	enum policy_effort effort;
	uint32_t scanned;	/* pages shown since the last that was taken */
	uint32_t turns;		/* times the hand came round since then */
	uint32_t need;		/* frames that somebody waits for */
	int64_t pause_until;	/* ms of pager_now() */
	int pause;		/* ms */
};

struct recover {
	struct kmdom_page pages[KMDOM_SCAN_MAX];
	uint64_t vouch[KMDOM_SCAN_MAX];	/* keys of pages to vouch for again */
	uint64_t versions[KMDOM_SCAN_MAX];
	uint32_t nr_vouch;
	uint32_t next_vouch;
	struct pager_exchange xchg;
	struct store_io io;
	struct pager *pager;
	uint64_t cursor;
	uint64_t missing;
	uint64_t tables_missing;	/* 0: none of these is a table */
	uint64_t found;
	bool active;
	bool again;
	bool adopted;		/* this sweep is the one after the adoption */
};

struct pager {
	struct door *door;
	struct store *store;
	struct policy *policy;
	struct pager_options options;
	uint32_t pool_frames;
	uint32_t lent_frames;	/* of the pool; all, once older pools are gone */
	uint32_t free_frames;	/* as the last exchange told */
	uint32_t used_frames;
	struct pager_exchange listener;
	struct faults faults;
	struct evict evict;
	struct recover recover;
	struct pager_stats stats;
	bool stopping;		/* no new work is begun */
	int ended;		/* negative errno: why the session is over */
};

/* Of all that is timed here. */
static inline int64_t pager_now(void)
{
	return clock_ms();
}

/* Lost is what the store lacks, not what cannot be read of it at this time. */
static inline bool pager_loses(const struct pager *pager)
{
	return pager->options.lose_missing && !pager->store->unreadable;
}

/* pager.c */
int pager_init(struct pager *pager, struct door *door, struct store *store,
	       struct policy *policy, uint32_t pool_frames,
	       uint32_t lent_frames, const struct pager_options *options);
void pager_exit(struct pager *pager);
int pager_step(struct pager *pager);
bool pager_idle(const struct pager *pager);
int pager_exchange_init(struct pager_exchange *xchg, struct pager *pager,
			uint32_t ops, uint32_t events,
			void (*done)(struct pager *pager, int ret));
void pager_exchange_start(struct pager_exchange *xchg);
int pager_result(const struct pager_exchange *xchg, uint32_t nr);

/* fault.c */
int faults_init(struct pager *pager);
void faults_exit(struct pager *pager);
void faults_add(struct pager *pager, const struct kmdom_event *event);
void faults_run(struct pager *pager);
void faults_retry(struct pager *pager);
bool faults_waiting(const struct pager *pager);
bool faults_idle(const struct pager *pager);

/* evict.c */
int evict_init(struct pager *pager);
void evict_exit(struct pager *pager);
void evict_need(struct pager *pager, uint64_t frames);
void evict_hides_pending(struct pager *pager);
void evict_run(struct pager *pager);
int evict_timeout(const struct pager *pager);
bool evict_wanted(const struct pager *pager);

/* recover.c */
int recover_init(struct pager *pager);
void recover_exit(struct pager *pager);
void recover_start(struct pager *pager, bool adopted);
void recover_run(struct pager *pager);

#endif /* KMDOMD_PAGER_H */
