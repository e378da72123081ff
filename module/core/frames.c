// SPDX-License-Identifier: GPL-2.0
/*
 * frames.c - pools of frames and their ledger
 *
 * Frames move along the edges of kmdom_frame_edges and no other way. A frame
 * that goes back to the system waits for a grace period first, because a
 * reader of the page table may still hold the number that it just read, and
 * finds the descriptor through it.
 */
#include <linux/cred.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "frames.h"
#include "pin.h"

/* Legal changes of a frame's state: a bit for each state that may follow. */
static const u8 kmdom_frame_edges[] = {
	[KMDOM_FRAME_NONE] = BIT(KMDOM_FRAME_OWNED),
	[KMDOM_FRAME_OWNED] = BIT(KMDOM_FRAME_FREE) | BIT(KMDOM_FRAME_NONE),
	[KMDOM_FRAME_FREE] = BIT(KMDOM_FRAME_OWNED) |
			     BIT(KMDOM_FRAME_TRANSIT) | BIT(KMDOM_FRAME_NONE),
	[KMDOM_FRAME_TRANSIT] = BIT(KMDOM_FRAME_FREE) | BIT(KMDOM_FRAME_PAGE) |
				BIT(KMDOM_FRAME_TABLE) | BIT(KMDOM_FRAME_NONE),
	[KMDOM_FRAME_PAGE] = BIT(KMDOM_FRAME_TRANSIT),
	[KMDOM_FRAME_TABLE] = BIT(KMDOM_FRAME_TRANSIT),
};

/**
 * kmdom_frame_set_state - the one place where a frame's state changes
 * @frame: the frame
 * @state: the state that it shall be in
 *
 * Context: the ledger's lock is held; to and from OWNED the pool's mutex too,
 * except where the pool has no other user.
 */
void kmdom_frame_set_state(struct kmdom_frame *frame,
			   enum kmdom_frame_state state)
{
	struct kmdom_pool *pool = frame->pool;

	lockdep_assert_held(&pool->ledger->lock);
	WARN_ON_ONCE(!(kmdom_frame_edges[frame->state] & BIT(state)));
	WRITE_ONCE(pool->nr_bare, pool->nr_bare + (state == KMDOM_FRAME_NONE) -
				  (frame->state == KMDOM_FRAME_NONE));
	WRITE_ONCE(frame->state, state);
}

/**
 * kmdom_ledger_init - an empty ledger
 * @ledger: the ledger, zeroed
 * @max: most frames of all pools together
 * @ops: what it depends on
 * @wq: what runs its deferred work; as long as @ops->get() keeps the ledger
 * @nr_waiters: where the number of those who wait is
 *
 * Context: may sleep; charged to the caller.
 * Return: 0 or -ENOMEM.
 */
int kmdom_ledger_init(struct kmdom_ledger *ledger, u64 max,
		      const struct kmdom_ledger_ops *ops,
		      struct workqueue_struct *wq,
		      const unsigned int *nr_waiters)
{
	ledger->kept = alloc_percpu_gfp(atomic_t, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ledger->kept)
		return -ENOMEM;
	ledger->ops = ops;
	ledger->wq = wq;
	ledger->nr_waiters = nr_waiters;
	spin_lock_init(&ledger->lock);
	INIT_LIST_HEAD(&ledger->free);
	INIT_LIST_HEAD(&ledger->pools);
	ledger->max = max;
	return 0;
}

/** kmdom_ledger_exit - the end of a ledger that nobody uses, or could not be made */
void kmdom_ledger_exit(struct kmdom_ledger *ledger)
{
	free_percpu(ledger->kept);
}

/* Frames that the caller may lock at most. */
static unsigned long kmdom_user_limit(void)
{
	return capable(CAP_IPC_LOCK) ? LONG_MAX :
				       rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/*
 * The uid's locked memory, not the process's: frames in use outlive the mm
 * that lent them, and a uid that forks and dies gains nothing.
 */
static int kmdom_user_charge(struct user_struct *user)
{
	unsigned long limit = kmdom_user_limit();
	unsigned long old = atomic_long_read(&user->locked_vm);

	do {
		if (old >= limit)
			return -EDQUOT;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, old + 1));
	return 0;
}

/**
 * kmdom_frame_back - give memory to a frame that has none
 * @frame: a frame of the caller's session, in state NONE
 *
 * Context: may sleep; in the pager's own process, which is charged; the pool's
 * mutex is held, or nobody else knows the pool.
 * Return: 0, the frame is OWNED and zero; -EDQUOT over the domain's limit or the
 * user's locked memory, -ENOMEM.
 */
int kmdom_frame_back(struct kmdom_frame *frame)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;
	struct page *page;
	int ret = -EDQUOT;

	spin_lock(&ledger->lock);
	if (ledger->backed < ledger->max) {
		ledger->backed++;
		ret = 0;
	}
	spin_unlock(&ledger->lock);
	if (ret)
		return ret;

	ret = kmdom_user_charge(frame->pool->user);
	if (ret)
		goto uncount;
	ret = -ENOMEM;
	page = ledger->ops->new_page(ledger, GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					     __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!page)
		goto uncharge;
	set_page_private(page, (unsigned long)frame);
	frame->page = page;
	spin_lock(&ledger->lock);
	kmdom_frame_set_state(frame, KMDOM_FRAME_OWNED);
	spin_unlock(&ledger->lock);
	return 0;

uncharge:
	atomic_long_dec(&frame->pool->user->locked_vm);
uncount:
	spin_lock(&ledger->lock);
	ledger->backed--;
	spin_unlock(&ledger->lock);
	return ret;
}

/* After the grace period: no reader can find the descriptor any more. */
static void kmdom_frame_release_memory(struct kmdom_frame *frame)
{
	struct page *page = frame->page;

	frame->page = NULL;
	set_page_private(page, 0);
	__free_page(page);
	atomic_long_dec(&frame->pool->user->locked_vm);
}

static void kmdom_frame_leave_work(struct work_struct *work)
{
	struct kmdom_frame *frame = container_of(to_rcu_work(work),
						 struct kmdom_frame, leave);
	struct kmdom_pool *pool = frame->pool;

	kmdom_frame_release_memory(frame);
	kmdom_pool_put(pool);
}

static void kmdom_table_leave_work(struct work_struct *work)
{
	struct kmdom_frame *frame = container_of(to_rcu_work(work),
						 struct kmdom_frame, leave);
	struct kmdom_ledger *ledger = frame->pool->ledger;
	bool answer = frame->answer;

	/* The frame may be the last that keeps its pool. */
	ledger->ops->get(ledger);
	kmdom_frame_put(frame);
	ledger->ops->freed(ledger, answer);
	ledger->ops->put(ledger);
}

static void kmdom_pool_free_work(struct work_struct *work)
{
	struct kmdom_pool *pool = container_of(work, struct kmdom_pool, free);
	struct kmdom_ledger *ledger = pool->ledger;

	kvfree(pool);
	ledger->ops->put(ledger);
}

/* Why the rest of a new pool need not be backed any more, or 0. */
static int kmdom_pool_unwanted(const struct kmdom_ledger *ledger)
{
	if (ledger->ops->aborted(ledger))
		return -ENODEV;
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * kmdom_pool_create - a pool, backed as far as the limits allow
 * @ledger: the domain's ledger
 * @nr_frames: 1 to the domain's limit
 *
 * Frames beyond what older pools leave of the domain's limit, or of the user's,
 * have no memory yet; GRANT gives it to them as those pools shrink. So whoever
 * could be the first pager can be a successor.
 *
 * Context: may sleep, for as long as the pager's memory cgroup makes it; in the
 * pager's process, which is charged. No lock is held.
 * Return: the pool with one user, or an ERR_PTR: -ENOMEM, -EDQUOT (locked
 * memory of the user, and the domain has no other pool), -EINTR, -ENODEV
 * (aborted meanwhile).
 */
struct kmdom_pool *kmdom_pool_create(struct kmdom_ledger *ledger, u32 nr_frames)
{
	struct kmdom_pool *pool;
	bool first;
	u32 i;
	int ret = 0;

	/* Before the descriptors of frames that it can never have. */
	if (nr_frames > kmdom_user_limit())
		return ERR_PTR(-EDQUOT);
	/* More than there is memory for is an error, and nobody is killed for it. */
	pool = kvzalloc(struct_size(pool, frames, nr_frames),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!pool)
		return ERR_PTR(-ENOMEM);
	ledger->ops->get(ledger);
	pool->ledger = ledger;
	pool->user = get_uid(current_user());
	pool->nr_frames = nr_frames;
	pool->nr_bare = nr_frames;
	mutex_init(&pool->lock);
	refcount_set(&pool->users, 1);
	INIT_WORK(&pool->free, kmdom_pool_free_work);
	for (i = 0; i < nr_frames; i++) {
		struct kmdom_frame *frame = &pool->frames[i];

		frame->pool = pool;
		atomic64_set(&frame->pins, KMDOM_PIN_FROZEN);
		spin_lock_init(&frame->lock);
		INIT_LIST_HEAD(&frame->node);
	}

	spin_lock(&ledger->lock);
	first = list_empty(&ledger->pools);
	pool->id = ++ledger->last_pool;
	list_add_tail(&pool->node, &ledger->pools);
	spin_unlock(&ledger->lock);

	for (i = 0; i < nr_frames && !ret; i++) {
		if (ledger->max == READ_ONCE(ledger->backed))
			break;
		ret = kmdom_pool_unwanted(ledger) ?:
			kmdom_frame_back(&pool->frames[i]);
		cond_resched();
	}
	if (ret == -EDQUOT && !first)
		ret = 0;
	if (ret) {
		kmdom_pool_end(pool);
		kmdom_pool_put(pool);
		return ERR_PTR(ret);
	}
	return pool;
}

/* Takes a frame off the list of the free; it is nobody's then. */
static void kmdom_frame_unlist(struct kmdom_frame *frame)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;

	lockdep_assert_held(&ledger->lock);
	list_del_init(&frame->node);
	ledger->nr_free--;
	WRITE_ONCE(ledger->nr_late, ledger->nr_late - frame->late);
}

/* A frame of an ended session leaves; its use of the pool ends in the work. */
static void kmdom_frame_leave(struct kmdom_frame *frame)
{
	INIT_RCU_WORK(&frame->leave, kmdom_frame_leave_work);
	queue_rcu_work(frame->pool->ledger->wq, &frame->leave);
}

/* Gives away free frames of ended sessions that no promise needs any more. */
static void kmdom_frames_give_late(struct kmdom_ledger *ledger)
{
	struct kmdom_frame *frame, *next;

	lockdep_assert_held(&ledger->lock);
	if (!ledger->nr_late)
		return;
	list_for_each_entry_safe(frame, next, &ledger->free, node) {
		if (!ledger->nr_late || ledger->nr_free <= ledger->reserved)
			break;
		if (!frame->late)
			continue;
		kmdom_frame_unlist(frame);
		frame->late = false;
		kmdom_frame_set_state(frame, KMDOM_FRAME_NONE);
		ledger->backed--;
		kmdom_frame_leave(frame);
	}
}

/**
 * kmdom_promises_collect - end the promises that are kept
 * @ledger: the ledger, locked
 *
 * For who is refused frames, or waits for promises to end.
 *
 * Context: the ledger's lock is held.
 * Return: whether there were any.
 */
bool kmdom_promises_collect(struct kmdom_ledger *ledger)
{
	bool any = false;
	int cpu;

	lockdep_assert_held(&ledger->lock);
	/*
	 * If the caller has said that frames are missed, who keeps a promise after that sees
	 * it; else that one is as if it were still under way. Pairs with
	 * kmdom_promise_keep(), as do the next two.
	 */
	smp_mb();
	if (!READ_ONCE(ledger->keeps))
		return false;
	smp_store_mb(ledger->keeps, false);	/* who keeps one now sets it again */
	for_each_possible_cpu(cpu) {
		atomic_t *kept = per_cpu_ptr(ledger->kept, cpu);
		unsigned int nr = atomic_read(kept) ? atomic_xchg(kept, 0) : 0;

		if (nr) {
			ledger->reserved -= nr;
			ledger->growers--;
			any = true;
		}
	}
	if (any)
		kmdom_frames_give_late(ledger);
	return any;
}

/**
 * kmdom_promises_drop - end the promises that are kept, of who has no lock
 * @ledger: the ledger
 *
 * Context: any that does not interrupt.
 */
void kmdom_promises_drop(struct kmdom_ledger *ledger)
{
	spin_lock(&ledger->lock);
	kmdom_promises_collect(ledger);
	spin_unlock(&ledger->lock);
}

/** kmdom_ledger_grows - may an operation make new pages? The ledger's lock is held */
bool kmdom_ledger_grows(struct kmdom_ledger *ledger)
{
	if (ledger->growers)
		kmdom_promises_collect(ledger);
	return ledger->growers;
}

/**
 * kmdom_ledger_close - the domain is aborted: no frame is taken any more
 * @ledger: the ledger
 *
 * Context: any that does not interrupt.
 */
void kmdom_ledger_close(struct kmdom_ledger *ledger)
{
	spin_lock(&ledger->lock);
	WRITE_ONCE(ledger->closed, true);
	kmdom_promises_collect(ledger);
	spin_unlock(&ledger->lock);
}

/*
 * Takes all frames of an ending pool that are not in use off the ledger, but
 * for those that were promised to operations under way: these can still
 * allocate what they reserved, whatever became of the pager.
 */
static void kmdom_pool_strip(struct kmdom_pool *pool, struct list_head *gone)
{
	struct kmdom_ledger *ledger = pool->ledger;
	u32 i;

	spin_lock(&ledger->lock);
	pool->ended = true;
	spin_unlock(&ledger->lock);

	for (i = 0; i < pool->nr_frames; i++) {
		struct kmdom_frame *frame = &pool->frames[i];

		spin_lock(&ledger->lock);
		if (frame->state == KMDOM_FRAME_FREE && !ledger->closed &&
		    ledger->nr_free <= ledger->reserved) {
			/* As if in use: see kmdom_frames_give_late(). */
			refcount_inc(&pool->users);
			frame->late = true;
			WRITE_ONCE(ledger->nr_late, ledger->nr_late + 1);
			spin_unlock(&ledger->lock);
			continue;
		}
		if (frame->state == KMDOM_FRAME_FREE)
			kmdom_frame_unlist(frame);
		if (frame->state == KMDOM_FRAME_FREE ||
		    frame->state == KMDOM_FRAME_OWNED) {
			kmdom_frame_set_state(frame, KMDOM_FRAME_NONE);
			ledger->backed--;
			list_add(&frame->node, gone);
		}
		spin_unlock(&ledger->lock);
		cond_resched();
	}
	/* Those that were kept before this pool had late ones: none is after that. */
	kmdom_promises_drop(ledger);
}

/**
 * kmdom_pool_end - the session is over: all but the frames in use go back
 * @pool: the pool
 *
 * Context: may sleep; waits for a grace period. The pool's mappings are zapped
 * and never filled again.
 */
void kmdom_pool_end(struct kmdom_pool *pool)
{
	struct address_space *mapping;
	struct kmdom_frame *frame, *next;
	LIST_HEAD(gone);

	mutex_lock(&pool->lock);
	mapping = pool->mapping;
	pool->mapping = NULL;
	mutex_unlock(&pool->lock);
	if (mapping)
		unmap_mapping_range(mapping, 0, 0, 1);
	kmdom_pool_strip(pool, &gone);
	if (!list_empty(&gone))
		synchronize_rcu();
	list_for_each_entry_safe(frame, next, &gone, node) {
		list_del_init(&frame->node);
		kmdom_frame_release_memory(frame);
		cond_resched();
	}
}

/** kmdom_pool_put - end one use of a pool; the last one frees it */
void kmdom_pool_put(struct kmdom_pool *pool)
{
	struct kmdom_ledger *ledger = pool->ledger;

	if (!refcount_dec_and_test(&pool->users))
		return;
	spin_lock(&ledger->lock);
	list_del(&pool->node);
	spin_unlock(&ledger->lock);
	free_uid(pool->user);
	queue_work(ledger->wq, &pool->free);
}

static bool kmdom_ledger_spares(const struct kmdom_ledger *ledger, unsigned int nr,
				enum kmdom_claim claim)
{
	u64 keep = ledger->reserved;

	lockdep_assert_held(&ledger->lock);
	if (claim == KMDOM_CLAIM_ALLOC)
		keep += READ_ONCE(*ledger->nr_waiters);
	if (claim != KMDOM_CLAIM_OLDEST)
		keep += KMDOM_FRAMES_RESERVE;
	return !ledger->closed && ledger->nr_free >= keep + nr;
}

static bool kmdom_ledger_has(struct kmdom_ledger *ledger, unsigned int nr,
			     enum kmdom_claim claim)
{
	return kmdom_ledger_spares(ledger, nr, claim) ||
	       (kmdom_promises_collect(ledger) && kmdom_ledger_spares(ledger, nr, claim));
}

/**
 * kmdom_frames_reserve - promise free frames to an operation
 * @ledger: the ledger
 * @nr: how many
 * @claim: ALLOC or OLDEST
 *
 * It may make new pages from now on: the tables over the cursor do not leave until
 * kmdom_frames_unreserve(). Whether they are there tells kmdom_table_promised(),
 * afterwards.
 *
 * Context: any that does not interrupt.
 * Return: whether they were there.
 */
bool kmdom_frames_reserve(struct kmdom_ledger *ledger, unsigned int nr,
			  enum kmdom_claim claim)
{
	bool ok;

	spin_lock(&ledger->lock);
	ok = kmdom_ledger_has(ledger, nr, claim);
	if (ok) {
		ledger->reserved += nr;
		ledger->growers++;
	}
	spin_unlock(&ledger->lock);
	return ok;
}

/** kmdom_frames_unreserve - end a promise, of which @nr frames are left */
void kmdom_frames_unreserve(struct kmdom_ledger *ledger, unsigned int nr)
{
	spin_lock(&ledger->lock);
	ledger->reserved -= nr;
	ledger->growers--;
	kmdom_frames_give_late(ledger);
	spin_unlock(&ledger->lock);
}

/**
 * kmdom_frame_take - take a free frame into use
 * @ledger: the ledger
 * @claim: by what right; PROMISED uses one up
 *
 * Context: any that does not interrupt.
 * Return: a frame in TRANSIT, zero and frozen, or NULL.
 */
struct kmdom_frame *kmdom_frame_take(struct kmdom_ledger *ledger,
				     enum kmdom_claim claim)
{
	struct kmdom_frame *frame = NULL;

	spin_lock(&ledger->lock);
	if (claim == KMDOM_CLAIM_PROMISED) {
		/* No promise any more, but by right of one. */
		ledger->reserved--;
		claim = KMDOM_CLAIM_OLDEST;
	}
	if (kmdom_ledger_has(ledger, 1, claim)) {
		frame = list_first_entry(&ledger->free, struct kmdom_frame,
					 node);
		kmdom_frame_unlist(frame);
		kmdom_frame_set_state(frame, KMDOM_FRAME_TRANSIT);
		/* A late one has its use of the pool already. */
		if (!frame->late)
			refcount_inc(&frame->pool->users);
		frame->late = false;
		ledger->nr_used++;
		if (ledger->nr_used > ledger->peak_used)
			ledger->peak_used = ledger->nr_used;
	}
	/* A promise that was used up ends, too. */
	kmdom_frames_give_late(ledger);
	spin_unlock(&ledger->lock);
	return frame;
}

/**
 * kmdom_frame_put - end the use of a frame
 * @frame: in TRANSIT, frozen, found through no entry
 *
 * Context: may not interrupt. The frame is wiped, and is free again or, if its
 * session has ended, leaves for the system after a grace period.
 */
void kmdom_frame_put(struct kmdom_frame *frame)
{
	struct kmdom_pool *pool = frame->pool;
	struct kmdom_ledger *ledger = pool->ledger;
	bool leaves;

	clear_page(kmdom_frame_data(frame));
	spin_lock(&ledger->lock);
	ledger->nr_used--;
	leaves = pool->ended;
	if (leaves) {
		kmdom_frame_set_state(frame, KMDOM_FRAME_NONE);
		ledger->backed--;
	} else {
		kmdom_frame_set_state(frame, KMDOM_FRAME_FREE);
		list_add(&frame->node, &ledger->free);
		ledger->nr_free++;
	}
	spin_unlock(&ledger->lock);

	if (!leaves) {
		kmdom_pool_put(pool);
		return;
	}
	kmdom_frame_leave(frame);
}

/**
 * kmdom_frame_put_deferred - kmdom_frame_put() after a grace period
 * @frame: in TRANSIT; readers without locks may still be in it
 * @answer: it is the pager's answer to those who lack frames
 *
 * Context: may not interrupt.
 */
void kmdom_frame_put_deferred(struct kmdom_frame *frame, bool answer)
{
	frame->answer = answer;
	INIT_RCU_WORK(&frame->leave, kmdom_table_leave_work);
	queue_rcu_work(frame->pool->ledger->wq, &frame->leave);
}

/** kmdom_frame_publish - TRANSIT to PAGE or TABLE */
void kmdom_frame_publish(struct kmdom_frame *frame,
			 enum kmdom_frame_state state)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;

	spin_lock(&ledger->lock);
	kmdom_frame_set_state(frame, state);
	if (state == KMDOM_FRAME_TABLE)
		ledger->nr_tables++;
	spin_unlock(&ledger->lock);
}

/**
 * kmdom_frame_describe - what a frame in transit is going to hold
 * @frame: the frame
 * @index: of the page or table
 * @level: of it
 * @cache: of a page, else NULL
 * @version: of the record that it comes from, or 0: it is new
 * @clean_for: with @version, the session that has the record; else 0
 *
 * Context: any.
 */
void kmdom_frame_describe(struct kmdom_frame *frame, u64 index,
			  unsigned int level, struct kmdom_cache *cache,
			  u64 version, u64 clean_for)
{
	WRITE_ONCE(frame->index, index);
	WRITE_ONCE(frame->level, level);
	frame->cache = cache;
	WRITE_ONCE(frame->version, version);
	frame->spent = version;
	WRITE_ONCE(frame->clean_for, clean_for);
	WRITE_ONCE(frame->dirty, !version);
	WRITE_ONCE(frame->referenced, true);
	WRITE_ONCE(frame->vouched, false);
	frame->partial = false;
}

/** kmdom_frame_withdraw - PAGE or TABLE to TRANSIT; frozen, nobody finds it */
void kmdom_frame_withdraw(struct kmdom_frame *frame)
{
	struct kmdom_ledger *ledger = frame->pool->ledger;

	/* Who waited to free the page looks for it in vain from now on. */
	atomic64_andnot(KMDOM_PIN_ENDING, &frame->pins);
	spin_lock(&ledger->lock);
	if (frame->state == KMDOM_FRAME_TABLE)
		ledger->nr_tables--;
	kmdom_frame_set_state(frame, KMDOM_FRAME_TRANSIT);
	spin_unlock(&ledger->lock);
}
