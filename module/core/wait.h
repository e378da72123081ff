/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wait.h - who waits for a pager, and what the pager is told
 *
 * A pin set that cannot be granted at once becomes a waiter, on the stack of
 * the waiting task, in one list in order of age, with a "want" a page in a
 * hash. A want stands at the topmost page on its way that is absent: at a table
 * first, and when that has come at the next one, down to the page of the object;
 * so it takes KMDOM_LEVELS + 1 answers at most, as long as nothing that has come
 * is taken away again. Events are views of that: of the wants that stand at one
 * absent page one leads, and while it has not been shown to the session it is in
 * the list of events.
 *
 * Whoever changes a page (restores, thaws, frees, loses it) or gives frames
 * back tries the waiters again and grants them whole, in the same step as the
 * change, so that the pager cannot take a page between its arrival and its
 * pins. The oldest waiter is protected: what has arrived for it is not evicted,
 * and the last frames are its own.
 */
#ifndef KMDOM_WAIT_H
#define KMDOM_WAIT_H

#include <linux/kmdom_client.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct kmdom_domain;
struct kmdom_frame;
struct kmdom_waiter;
struct pid;
struct task_struct;

#define KMDOM_WANT_BUCKETS	64
#define KMDOM_HINTS		512	/* hints kept for the pager */

/**
 * struct kmdom_want - one page that a waiter lacks or keeps
 * @hash: in kmdom_wait.wants, those of older waiters before it
 * @event: in kmdom_wait.events while it leads and is not shown
 * @index: of the page of objects that is wanted in the end
 * @level: of the page on the way to it where the want stands
 * @floor: the least level that it stands at: 1 if only the table is wanted
 * @new: @index is the cursor: the tables are wanted for new pages
 * @discards: of a DISCARD type: under an absent table there is nothing to ask for
 * @waiter: whose it is
 * @leads: stands for all wants of this absent page: the oldest waiter's
 * @shown: the session has taken the event
 */
struct kmdom_want {
	struct list_head hash;
	struct list_head event;
	u64 index;
	u8 level;
	u8 floor;
	bool new;
	bool discards;
	bool leads;
	bool shown;
	struct kmdom_waiter *waiter;
};

/**
 * struct kmdom_waiter - a pin set that waits; all under kmdom_wait.lock
 * @node: in kmdom_wait.waiters
 * @age: its number among all of the domain
 * @task: who sleeps
 * @op: the operation
 * @pins: the set
 * @nr_pins: in @pins
 * @nr_frames: that it will allocate
 * @nr_wants: in @wants
 * @lacks_frames: pages are there, frames are not
 * @done: granted or failed, and off the list
 * @ret: 0 or what failed it
 * @wants: one for each different page, and one for new pages
 */
struct kmdom_waiter {
	struct list_head node;
	u64 age;
	struct task_struct *task;
	struct kmdom_client_op *op;
	struct kmdom_pin *pins;
	unsigned int nr_pins;
	unsigned int nr_frames;
	unsigned int nr_wants;
	bool lacks_frames;
	bool done;
	int ret;
	struct kmdom_want wants[KMDOM_PINS_MAX + 1];
};

/** struct kmdom_hint - a page that is gone, for the pager's garbage */
struct kmdom_hint {
	u64 index;
	u64 version;
	u8 level;
};

/**
 * struct kmdom_wait - waiters and events of a domain
 * @lock: protects all of it
 * @waiters: oldest first
 * @nr_waiters: also read without @lock, by those who changed a page
 * @last_age: of the latest waiter
 * @wants: hash of wants
 * @events: wants that lead and were not shown
 * @lack: frames that the oldest who lacks some lacks; 0: nobody does
 * @lack_stale: @lack is to be found anew, at the end of this pass
 * @lack_shown: the session has taken NEED_FRAMES
 * @hints: ring of pages that are gone
 * @hint_first: oldest of the ring
 * @nr_hints: in the ring
 * @hints_lost: the ring overflowed
 * @session: number of the session that is told; 0: none
 * @pager: its process, which must not wait for itself
 * @deadline_ms: the session's bound on waits; 0: the administrator's
 * @stalled: the pager missed a deadline and has not answered since
 * @aborted: no waiter is let in
 * @close_shown: the session has taken CLOSE
 * @wq: the pager's threads that wait for events
 * @parked: the pager's io_uring commands that wait for events
 */
struct kmdom_wait {
	spinlock_t lock;
	struct list_head waiters;
	unsigned int nr_waiters;
	u64 last_age;
	struct list_head wants[KMDOM_WANT_BUCKETS];
	struct list_head events;
	u64 lack;
	bool lack_stale;
	bool lack_shown;
	struct kmdom_hint hints[KMDOM_HINTS];
	unsigned int hint_first;
	unsigned int nr_hints;
	bool hints_lost;
	u64 session;
	struct pid *pager;
	u32 deadline_ms;
	bool stalled;
	bool aborted;
	bool close_shown;
	wait_queue_head_t wq;
	struct list_head parked;
};

/* wait.c */
void kmdom_wait_init(struct kmdom_wait *wait);
int kmdom_wait_for_set(struct kmdom_client_op *op, struct kmdom_pin *pins,
		       unsigned int nr_pins, unsigned int nr_frames, int lacks);
void kmdom_wait_page_changed(struct kmdom_domain *dom, u64 index,
			     unsigned int level, bool answer);
void kmdom_wait_frames_freed(struct kmdom_domain *dom, bool answer);
int kmdom_wait_evict(struct kmdom_domain *dom, struct kmdom_frame *leaf,
		     struct kmdom_frame *frame, u64 entry);
bool kmdom_wait_is_oldest(struct kmdom_domain *dom, u64 index,
			  unsigned int level);
bool kmdom_wait_is_wanted(struct kmdom_domain *dom, u64 index,
			  unsigned int level);
bool kmdom_wait_is_needed(struct kmdom_domain *dom, u64 index,
			  unsigned int level);
unsigned int kmdom_wait_refuse(struct kmdom_domain *dom, u64 index,
			       unsigned int level);
void kmdom_wait_abort(struct kmdom_domain *dom);

/* events.c */
void kmdom_events_update(struct kmdom_domain *dom, u64 index,
			 unsigned int level);
void kmdom_events_drop(struct kmdom_domain *dom, struct kmdom_want *want);
void kmdom_events_lack(struct kmdom_domain *dom, u64 nr);
void kmdom_events_notify(struct kmdom_domain *dom);
bool kmdom_events_pending(const struct kmdom_wait *wait);
unsigned int kmdom_events_take(struct kmdom_domain *dom,
			       struct kmdom_event *events, unsigned int max);
void kmdom_events_give_back(struct kmdom_domain *dom,
			    const struct kmdom_event *events, unsigned int nr);
unsigned int kmdom_events_show_all(struct kmdom_domain *dom);
void kmdom_events_freed(struct kmdom_domain *dom, u64 index,
			unsigned int level, u64 version);
struct list_head *kmdom_want_bucket(struct kmdom_wait *wait, u64 index,
				    unsigned int level);
bool kmdom_want_at(const struct kmdom_want *want, u64 index,
		   unsigned int level);

#endif /* KMDOM_WAIT_H */
