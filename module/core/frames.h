/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frames.h - the frames that pagers lend, and the ledger that counts them
 *
 * A pool belongs to one session and holds a descriptor for each of its frames.
 * A frame's descriptor lives as long as its pool, and a pool as long as its
 * session or any of its frames is in use. All that the kernel must know of a
 * present page is in the descriptor, so that paging never allocates.
 *
 * A free frame is zero: it is wiped when it is lent and when a page leaves it.
 *
 * SCAN looks at descriptors without a lock, and takes what it sees for a hint. So
 * what it reads is written with WRITE_ONCE(), whatever lock is held.
 */
#ifndef KMDOM_FRAMES_H
#define KMDOM_FRAMES_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "schema.h"

struct address_space;
struct kmdom_cache;
struct kmdom_ledger;
struct kmdom_pool;
struct user_struct;
struct vm_area_struct;

/**
 * enum kmdom_frame_state - whose a frame is, and what is in it
 * @KMDOM_FRAME_NONE: no memory yet, or no more
 * @KMDOM_FRAME_OWNED: the pager's own; may be mapped
 * @KMDOM_FRAME_FREE: lent, on the ledger's list
 * @KMDOM_FRAME_TRANSIT: in use by one task that fills or empties it
 * @KMDOM_FRAME_PAGE: in use, holds a page of objects
 * @KMDOM_FRAME_TABLE: in use, holds a table
 */
enum kmdom_frame_state {
	KMDOM_FRAME_NONE,
	KMDOM_FRAME_OWNED,
	KMDOM_FRAME_FREE,
	KMDOM_FRAME_TRANSIT,
	KMDOM_FRAME_PAGE,
	KMDOM_FRAME_TABLE,
};

/**
 * struct kmdom_frame - one frame of a pool
 * @pins: readers, writers and what is frozen, as pin.h packs them
 * @page: the memory; changes with the state, to and from NONE
 * @pool: the pool; constant
 * @node: on the ledger's list (ledger lock) or its cache's partial list (the
 *	cache's lock)
 * @index: of the page or table in it; constant while it is in use
 * @cache: PAGE: the page's cache; constant while it is in use
 * @version: of the page's valid record, 0 if there is none (lock of the
 *	page's table, of a table its parent's)
 * @spent: version of the last export begun (lock of the page's table)
 * @clean_for: session for which the page is clean at @version while @dirty is
 *	not set (lock of the page's table)
 * @state: enum kmdom_frame_state (ledger lock; to and from OWNED the pool's
 *	mutex also)
 * @level: of the page or table
 * @dirty: changed since @version or since @spent; set by whoever holds a write
 *	pin, cleared by whoever froze the page against those. TABLE: @lock
 * @referenced: pinned since it was cleared; a hint, no lock
 * @vouched: the pager vouched for @version (lock of the page's table)
 * @partial: on its cache's partial list (the cache's lock)
 * @late: FREE although its session has ended, see the ledger (ledger lock)
 * @lock: TABLE: protects the entries, and the marks of the pages under them.
 *	Taken from parent to child
 * @live: PAGE: slots that hold objects (atomic; stable while frozen for write)
 * @used: PAGE: slots that are live or in a magazine or, of a CHECKED type, freed
 *	since the page was frozen last (atomic, found free only under the cache's
 *	lock)
 * @mag: PAGE: slots in a magazine; who clears the bit owns the slot
 * @nr_used: TABLE: entries that are not empty (@lock)
 * @nr_present: TABLE: entries of pages in frames: with one it cannot leave (@lock)
 * @dead: TABLE: cut off from its parent; walkers start again (@lock)
 * @answer: once a TABLE: the pager evicted it (whoever took it away)
 * @leave: gives the frame away after a grace period
 */
struct kmdom_frame {
	atomic64_t pins;
	struct page *page;
	struct kmdom_pool *pool;
	struct list_head node;
	u64 index;
	struct kmdom_cache *cache;
	u64 version;
	u64 spent;
	u64 clean_for;
	u8 state;
	u8 level;
	bool dirty;
	bool referenced;
	bool vouched;
	bool partial;
	bool late;
	spinlock_t lock;
	union {
		struct {
			unsigned long live[BITS_TO_LONGS(KMDOM_SLOTS_PER_PAGE)];
			unsigned long used[BITS_TO_LONGS(KMDOM_SLOTS_PER_PAGE)];
			unsigned long mag[BITS_TO_LONGS(KMDOM_SLOTS_PER_PAGE)];
		};
		struct {
			u16 nr_used;
			u16 nr_present;
			bool dead;
			bool answer;
		};
	};
	struct rcu_work leave;
};

/**
 * struct kmdom_pool - the frames of a session
 * @ledger: the ledger, which the pool keeps (@get of its ops); constant
 * @node: in the ledger's list of pools (ledger lock)
 * @id: its number in the ledger, from 1; constant
 * @user: who is charged for locked memory
 * @mapping: of the session's file; where the pager's mappings are. NULL once
 *	the session has ended (@lock)
 * @lock: ownership against mapping: a frame is mapped, lent or taken back
 *	under it. Never held over a copy to or from user memory
 * @users: the session's file, and each frame that is in use or leaving
 * @ended: the session has ended: frames leave instead of becoming free
 *	(ledger lock)
 * @nr_frames: constant
 * @nr_bare: of these, in state NONE (ledger lock; also read without)
 * @free: frees the pool: whoever ends its last use may not be able to sleep
 * @frames: the descriptors
 */
struct kmdom_pool {
	struct kmdom_ledger *ledger;
	struct list_head node;
	u64 id;
	struct user_struct *user;
	struct address_space *mapping;
	struct mutex lock;
	refcount_t users;
	bool ended;
	u32 nr_frames;
	u32 nr_bare;
	struct work_struct free;
	struct kmdom_frame frames[];
};

/**
 * struct kmdom_ledger_ops - what a ledger depends on: its domain's, or a test's
 * @new_page: memory for a frame, or NULL. Context: may sleep
 * @get: keep what the ledger is part of. Context: any
 * @put: end that. Context: any
 * @aborted: has what it is part of ended for ever? Context: any
 * @freed: a frame came back after a grace period; is it the pager's answer to
 *	those who lack frames? Context: may sleep
 *
 * None of them is called to take or to put a frame: that is fast.
 */
struct kmdom_ledger_ops {
	struct page *(*new_page)(struct kmdom_ledger *ledger, gfp_t gfp);
	void (*get)(struct kmdom_ledger *ledger);
	void (*put)(struct kmdom_ledger *ledger);
	bool (*aborted)(const struct kmdom_ledger *ledger);
	void (*freed)(struct kmdom_ledger *ledger, bool answer);
};

/**
 * struct kmdom_ledger - who holds how many frames of a domain
 * @ops: what it depends on; constant
 * @wq: runs what it defers; constant
 * @nr_waiters: how many wait, to be left a frame each; constant, and read
 *	without a lock
 * @lock: protects all that follows, and every frame's state
 * @free: frames lent and free
 * @pools: all pools, in order of their numbers
 * @last_pool: number of the latest
 * @max: limit of @backed; constant
 * @backed: frames with memory, in all pools
 * @nr_free: lent and free
 * @nr_used: lent and in use; granted = @nr_free + @nr_used at every instant
 * @nr_tables: of these, tables
 * @reserved: of the free ones, promised to operations, or kept
 * @growers: operations that have a promise, be it used up: they may make new pages. And
 *	promises that are kept
 * @kept: for each CPU the frames of a promise that nobody has now, or 0: see
 *	kmdom_promise_keep(). Atomic, the pointer constant
 * @keeps: there may be some (cleared under the lock)
 * @nr_late: of the free ones, those of pools whose session has ended: kept for
 *	promises, and given away as soon as these end (also read without)
 * @peak_used: the most that @nr_used ever was
 * @closed: the domain is aborted: nothing is taken any more (also read without)
 */
struct kmdom_ledger {
	const struct kmdom_ledger_ops *ops;
	struct workqueue_struct *wq;
	const unsigned int *nr_waiters;
	spinlock_t lock;
	struct list_head free;
	struct list_head pools;
	u64 last_pool;
	u64 max;
	u64 backed;
	u64 nr_free;
	u64 nr_used;
	u64 nr_tables;
	u64 reserved;
	unsigned int growers;
	atomic_t __percpu *kept;
	bool keeps;
	u64 nr_late;
	u64 peak_used;
	bool closed;
};

/**
 * enum kmdom_claim - by what right a frame is taken
 * @KMDOM_CLAIM_ALLOC: for a new page: leaves the reserve, what is promised, and
 *	a frame for each who waits
 * @KMDOM_CLAIM_RESTORE: leaves the reserve and what is promised
 * @KMDOM_CLAIM_OLDEST: for the oldest waiting pin set: leaves what is promised
 * @KMDOM_CLAIM_PROMISED: one that was promised to the caller's operation
 */
enum kmdom_claim {
	KMDOM_CLAIM_ALLOC,
	KMDOM_CLAIM_RESTORE,
	KMDOM_CLAIM_OLDEST,
	KMDOM_CLAIM_PROMISED,
};

/** kmdom_frame_data - the memory of a frame that has some */
static inline void *kmdom_frame_data(const struct kmdom_frame *frame)
{
	return page_address(frame->page);
}

/** kmdom_frames_plenty - is a quarter of what is lent free? As it seems, without the lock */
static inline bool kmdom_frames_plenty(const struct kmdom_ledger *ledger)
{
	/* A hint: nothing depends on it but who shares a page with whom. */
	return data_race(3 * ledger->nr_free >= ledger->nr_used);
}

/** kmdom_promise_unwanted - does anybody miss frames that a promise would keep? A hint */
static inline bool kmdom_promise_unwanted(const struct kmdom_ledger *ledger)
{
	return READ_ONCE(*ledger->nr_waiters) || READ_ONCE(ledger->nr_late) ||
	       READ_ONCE(ledger->closed);
}

/**
 * kmdom_promise_keep - leave a promise to the next operation on this CPU
 * @ledger: the ledger
 * @nr: the frames of the promise, as many as one allocation may need; the same for all
 *	that are kept. It was made by right of ALLOC
 *
 * So most operations find one, without a lock. It counts as a promise meanwhile, in
 * all that the ledger says and refuses; but whoever would be refused for it collects
 * what is kept first. Who has kept one looks at kmdom_promise_unwanted() then, and drops
 * it: of one who keeps and one who begins to miss frames at least one sees the other.
 *
 * Context: any that does not interrupt.
 * Return: whether it is kept; else it is the caller's yet.
 */
static inline bool kmdom_promise_keep(struct kmdom_ledger *ledger, unsigned int nr)
{
	atomic_t *kept = raw_cpu_ptr(ledger->kept);

	if (kmdom_promise_unwanted(ledger) || atomic_read(kept))
		return false;
	/* Fully ordered; pairs with kmdom_promises_collect(). */
	if (atomic_cmpxchg(kept, 0, nr))
		return false;
	/*
	 * Acquire: if another one has set it, who may have looked at it too early for that,
	 * then what is read next, whether it is wanted, is as new.
	 */
	if (unlikely(!smp_load_acquire(&ledger->keeps)))
		smp_store_mb(ledger->keeps, true);	/* pairs with the same */
	return true;
}

/**
 * kmdom_promise_reuse - take a promise that is kept on this CPU
 * @ledger: the ledger
 *
 * Context: any that does not interrupt.
 * Return: its frames, or 0: there is none.
 */
static inline unsigned int kmdom_promise_reuse(struct kmdom_ledger *ledger)
{
	atomic_t *kept = raw_cpu_ptr(ledger->kept);

	return atomic_read(kept) ? atomic_xchg(kept, 0) : 0;
}

int kmdom_ledger_init(struct kmdom_ledger *ledger, u64 max,
		      const struct kmdom_ledger_ops *ops,
		      struct workqueue_struct *wq,
		      const unsigned int *nr_waiters);
void kmdom_ledger_exit(struct kmdom_ledger *ledger);
void kmdom_ledger_close(struct kmdom_ledger *ledger);
bool kmdom_promises_collect(struct kmdom_ledger *ledger);
void kmdom_promises_drop(struct kmdom_ledger *ledger);
bool kmdom_ledger_grows(struct kmdom_ledger *ledger);
struct kmdom_pool *kmdom_pool_create(struct kmdom_ledger *ledger, u32 nr_frames);
void kmdom_pool_end(struct kmdom_pool *pool);
void kmdom_pool_put(struct kmdom_pool *pool);

bool kmdom_frames_reserve(struct kmdom_ledger *ledger, unsigned int nr,
			  enum kmdom_claim claim);
void kmdom_frames_unreserve(struct kmdom_ledger *ledger, unsigned int nr);
struct kmdom_frame *kmdom_frame_take(struct kmdom_ledger *ledger,
				     enum kmdom_claim claim);
void kmdom_frame_put(struct kmdom_frame *frame);
void kmdom_frame_put_deferred(struct kmdom_frame *frame, bool answer);
void kmdom_frame_publish(struct kmdom_frame *frame,
			 enum kmdom_frame_state state);
void kmdom_frame_withdraw(struct kmdom_frame *frame);
void kmdom_frame_describe(struct kmdom_frame *frame, u64 index,
			  unsigned int level, struct kmdom_cache *cache,
			  u64 version, u64 clean_for);
int kmdom_frame_back(struct kmdom_frame *frame);
void kmdom_frame_set_state(struct kmdom_frame *frame,
			   enum kmdom_frame_state state);

/* grant.c: the border between the pager's mappings and the kernel's frames. */

/* Frames that one step lends or takes back, under one hold of the mutex. */
#define KMDOM_GRANT_CHUNK	512
/* Of these, frames that get memory first: how long that takes is the pager's. */
#define KMDOM_BACK_CHUNK	8

int kmdom_pool_mmap(struct kmdom_pool *pool, struct vm_area_struct *vma);
int kmdom_pool_grant(struct kmdom_pool *pool, u64 first, u32 *nr, u64 *done);
void kmdom_pool_revoke(struct kmdom_pool *pool, u64 first, u32 nr, u64 *done);

#endif /* KMDOM_FRAMES_H */
