// SPDX-License-Identifier: GPL-2.0
/*
 * wait.c - waiting for a pager, and granting pin sets
 *
 * The one place where a client waits for user space. The task that waits holds
 * no pin, no promise of frames and no lock of kmdom; it can be killed, and it
 * has a deadline that no reply moves.
 */
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include "cache.h"
#include "client.h"
#include "domain.h"
#include "session.h"
#include "trace.h"
#include "wait.h"

/** kmdom_wait_init - nobody waits, nobody is told */
void kmdom_wait_init(struct kmdom_wait *wait)
{
	unsigned int i;

	spin_lock_init(&wait->lock);
	INIT_LIST_HEAD(&wait->waiters);
	for (i = 0; i < KMDOM_WANT_BUCKETS; i++)
		INIT_LIST_HEAD(&wait->wants[i]);
	INIT_LIST_HEAD(&wait->events);
	init_waitqueue_head(&wait->wq);
	INIT_LIST_HEAD(&wait->parked);
}

static bool kmdom_waiter_is_first(struct kmdom_wait *wait,
				  struct kmdom_waiter *waiter)
{
	return list_first_entry(&wait->waiters, struct kmdom_waiter, node) ==
	       waiter;
}

/*
 * The frames that the oldest who lacks some lacks. Last, before the lock is
 * dropped: it looks at all waiters, and a pass may have changed many.
 */
static void kmdom_wait_update_lack(struct kmdom_domain *dom)
{
	struct kmdom_waiter *waiter;
	u64 lack = 0;

	lockdep_assert_held(&dom->wait.lock);
	if (!dom->wait.lack_stale)
		return;
	dom->wait.lack_stale = false;
	list_for_each_entry(waiter, &dom->wait.waiters, node) {
		if (waiter->lacks_frames) {
			lack = waiter->nr_frames;
			break;
		}
	}
	if (lack || dom->wait.lack)
		kmdom_events_lack(dom, lack);
}

/* Takes a waiter off all lists. */
static void kmdom_waiter_remove(struct kmdom_domain *dom,
				struct kmdom_waiter *waiter)
{
	unsigned int i;

	lockdep_assert_held(&dom->wait.lock);
	for (i = 0; i < waiter->nr_wants; i++) {
		list_del_init(&waiter->wants[i].hash);
		kmdom_events_drop(dom, &waiter->wants[i]);
	}
	list_del_init(&waiter->node);
	WRITE_ONCE(dom->wait.nr_waiters, dom->wait.nr_waiters - 1);
	if (waiter->lacks_frames) {
		waiter->lacks_frames = false;
		dom->wait.lack_stale = true;
	}
}

static void kmdom_waiter_finish(struct kmdom_domain *dom,
				struct kmdom_waiter *waiter, int ret)
{
	kmdom_waiter_remove(dom, waiter);
	waiter->ret = ret;
	waiter->done = true;
	wake_up_process(waiter->task);
}

/*
 * Tries to grant one waiter whole. Returns whether it is off the list. The
 * pages that it lacks are events already: who makes one absent sees to that, and
 * to do it here would cost all waiters of a page a look at all the others.
 */
static bool kmdom_waiter_try(struct kmdom_domain *dom,
			     struct kmdom_waiter *waiter)
{
	bool lacked = waiter->lacks_frames;
	int ret;

	lockdep_assert_held(&dom->wait.lock);
	ret = kmdom_set_try(waiter->op, waiter->pins, waiter->nr_pins,
			    waiter->nr_frames,
			    kmdom_waiter_is_first(&dom->wait, waiter) ?
			    KMDOM_CLAIM_OLDEST : KMDOM_CLAIM_ALLOC);
	if (ret != -EAGAIN && ret != -EBUSY && ret != -ENOBUFS) {
		kmdom_waiter_finish(dom, waiter, ret);
		return true;
	}
	waiter->lacks_frames = ret == -ENOBUFS;
	if (lacked || waiter->lacks_frames)
		dom->wait.lack_stale = true;
	return false;
}

/*
 * Who has become the oldest has new rights: try it, and the next, and so on. Not @tried,
 * which was the oldest before, and is: what others got since is nothing for it. Returns
 * the oldest.
 */
static const struct kmdom_waiter *
kmdom_wait_advance(struct kmdom_domain *dom, const struct kmdom_waiter *tried)
{
	struct kmdom_waiter *first;

	do {
		first = list_first_entry_or_null(&dom->wait.waiters,
						 struct kmdom_waiter, node);
	} while (first && first != tried && kmdom_waiter_try(dom, first));
	return first;
}

/*
 * Behind the wants of older waiters: it may come to this page after younger ones.
 * Limit: past each of those, so that a table which many old waiters stood at costs
 * their number times that of the younger ones. Both are tasks of the domain's clients.
 */
static void kmdom_want_enter(struct kmdom_wait *wait, struct kmdom_want *want)
{
	struct list_head *bucket = kmdom_want_bucket(wait, want->index, want->level);
	struct kmdom_want *other;

	list_for_each_entry_reverse(other, bucket, hash)
		if (other->waiter->age <= want->waiter->age)
			break;
	list_add(&want->hash, &other->hash);
}

/* The level of the page on its way that a want should stand at. */
static unsigned int kmdom_want_level(struct kmdom_domain *dom,
				     const struct kmdom_want *want)
{
	unsigned int level;
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_walk(&dom->table, want->index, want->floor, &level);
	rcu_read_unlock();
	return kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT && !want->discards ?
	       level : want->floor;
}

/*
 * Where a want should stand; false: nowhere, as one of new pages does while their
 * tables are there.
 */
static bool kmdom_want_place(struct kmdom_domain *dom,
			     const struct kmdom_want *want, u64 *index,
			     unsigned int *level)
{
	if (want->new)
		return kmdom_table_ready(&dom->table, index, level) == -EAGAIN;
	*index = want->index;
	*level = kmdom_want_level(dom, want);
	return true;
}

/* Makes a want stand where it should, now that a table on its way has come or gone. */
static void kmdom_want_move(struct kmdom_domain *dom, struct kmdom_want *want)
{
	bool stands = !list_empty(&want->hash), stays;
	unsigned int level;
	u64 index;

	lockdep_assert_held(&dom->wait.lock);
	stays = kmdom_want_place(dom, want, &index, &level);
	if (stands && stays && kmdom_want_at(want, index, level))
		return;
	if (stands) {
		list_del_init(&want->hash);
		kmdom_events_drop(dom, want);
	}
	if (!stays)
		return;
	want->index = index;
	want->level = level;
	kmdom_want_enter(&dom->wait, want);
	kmdom_events_update(dom, index, level);
}

static void kmdom_waiter_add_want(struct kmdom_waiter *waiter, u64 index,
				  unsigned int floor, bool new, bool discards)
{
	struct kmdom_want *want;
	unsigned int i;

	for (i = 0; i < waiter->nr_wants; i++) {
		want = &waiter->wants[i];
		if (want->index == index && want->floor <= floor && want->new == new)
			return;
	}
	want = &waiter->wants[waiter->nr_wants++];
	*want = (struct kmdom_want) {
		.index = index, .floor = floor, .new = new, .discards = discards,
		.waiter = waiter,
	};
	INIT_LIST_HEAD(&want->event);
	INIT_LIST_HEAD(&want->hash);
}

/*
 * All that it wants. They stand before the set is tried, so that who changes a page
 * after that finds them. Tables come meanwhile, but none leaves: that is done under
 * the lock of the waits. So what need not stand now need not when it was tried.
 */
static void kmdom_waiter_add_wants(struct kmdom_waiter *waiter)
{
	struct kmdom_domain *dom = waiter->op->dom;
	unsigned int i, level;

	for (i = 0; i < waiter->nr_pins; i++)
		kmdom_waiter_add_want(waiter, kmdom_ref_index(waiter->pins[i].ref),
				      waiter->pins[i].table, false,
				      waiter->pins[i].cache->policy == KMDOM_POLICY_DISCARD);
	if (waiter->nr_frames)
		kmdom_waiter_add_want(waiter, 0, 1, true, false);
	for (i = 0; i < waiter->nr_wants; i++) {
		struct kmdom_want *want = &waiter->wants[i];

		if (!kmdom_want_place(dom, want, &want->index, &level))
			continue;
		want->level = level;
		kmdom_want_enter(&dom->wait, want);
	}
}

/* Why this task may not wait for this pager now, or 0. */
static int kmdom_wait_refused(struct kmdom_wait *wait, int lacks)
{
	lockdep_assert_held(&wait->lock);
	if (wait->aborted)
		return -ENODEV;
	if (current->flags & PF_MEMALLOC)
		return -EDEADLK;
	if (wait->pager && task_tgid(current) == wait->pager)
		return -EDEADLK;
	/*
	 * One waiter is let in, to find out whether the pager answers again; and
	 * who waits for a page that moves, because that ends without the pager.
	 */
	if (wait->stalled && !list_empty(&wait->waiters) && lacks != -EBUSY)
		return -ETIMEDOUT;
	return 0;
}

static int kmdom_waiter_add(struct kmdom_waiter *waiter, int lacks)
{
	struct kmdom_domain *dom = waiter->op->dom;
	struct kmdom_wait *wait = &dom->wait;
	unsigned int i;
	int ret;

	lockdep_assert_held(&wait->lock);
	ret = kmdom_wait_refused(wait, lacks);
	if (ret)
		return ret;
	if (!waiter->op->deadline)
		waiter->op->deadline =
			ktime_add_ms(ktime_get(), kmdom_session_deadline_ms(wait));
	waiter->age = ++wait->last_age;
	list_add_tail(&waiter->node, &wait->waiters);
	WRITE_ONCE(wait->nr_waiters, wait->nr_waiters + 1);
	/*
	 * Counted before the set is tried: pairs with the barrier of whoever
	 * changes a page and then looks whether anybody waits.
	 */
	smp_mb();
	kmdom_waiter_add_wants(waiter);
	if (kmdom_waiter_try(dom, waiter))
		return waiter->ret;
	for (i = 0; i < waiter->nr_wants; i++) {
		struct kmdom_want *want = &waiter->wants[i];

		if (!list_empty(&want->hash))
			kmdom_events_update(dom, want->index, want->level);
	}
	return -EAGAIN;
}

/* Sleeps until the waiter is done; -EINTR or -ETIMEDOUT if that came first. */
static int kmdom_waiter_sleep(struct kmdom_waiter *waiter)
{
	ktime_t deadline = waiter->op->deadline;
	int ret = 0;

	for (;;) {
		set_current_state(TASK_KILLABLE | TASK_FREEZABLE);
		if (READ_ONCE(waiter->done))
			break;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		else if (!ktime_before(ktime_get(), deadline))
			ret = -ETIMEDOUT;
		if (ret)
			break;
		schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

static void kmdom_wait_account(struct kmdom_domain *dom, ktime_t since)
{
	s64 ns = ktime_to_ns(ktime_sub(ktime_get(), since));

	atomic64_add(ns, &dom->stats.fault_ns_sum);
	if (ns > atomic64_read(&dom->stats.fault_ns_max))
		atomic64_set(&dom->stats.fault_ns_max, ns);
}

/*
 * A deadline passed: the pager does not answer. Unless the operation came here
 * with little of its time left, which says nothing of the pager.
 */
static void kmdom_wait_stalled(struct kmdom_domain *dom, ktime_t since)
{
	s64 ms = ktime_ms_delta(ktime_get(), since);

	lockdep_assert_held(&dom->wait.lock);
	if (2 * ms >= kmdom_session_deadline_ms(&dom->wait))
		dom->wait.stalled = dom->wait.session;
}

/**
 * kmdom_wait_for_set - wait until a pin set is granted
 * @op: the operation; holds no pin and no promise
 * @pins: the set
 * @nr_pins: in @pins
 * @nr_frames: to be promised with it
 * @lacks: why it was not granted at once: -EAGAIN, -EBUSY or -ENOBUFS
 *
 * Context: sleeps, killable and freezable, until the operation's deadline.
 * Return: 0, or the error of the pin set.
 */
int kmdom_wait_for_set(struct kmdom_client_op *op, struct kmdom_pin *pins,
		       unsigned int nr_pins, unsigned int nr_frames, int lacks)
{
	struct kmdom_domain *dom = op->dom;
	struct kmdom_waiter waiter = {
		.task = current, .op = op, .pins = pins, .nr_pins = nr_pins,
		.nr_frames = nr_frames,
	};
	ktime_t since;
	int ret;

	might_sleep();
	spin_lock(&dom->wait.lock);
	ret = kmdom_waiter_add(&waiter, lacks);
	kmdom_wait_update_lack(dom);
	spin_unlock(&dom->wait.lock);
	if (ret != -EAGAIN)
		return ret;

	op->waited = true;
	since = ktime_get();
	trace_kmdom_wait_begin(dom, nr_pins, nr_frames);
	ret = kmdom_waiter_sleep(&waiter);
	/* The lock also ends the step of whoever woke us. */
	spin_lock(&dom->wait.lock);
	if (waiter.done) {
		ret = waiter.ret;
	} else {
		kmdom_waiter_remove(dom, &waiter);
		if (ret == -ETIMEDOUT) {
			atomic64_inc(&dom->stats.timeouts);
			kmdom_wait_stalled(dom, since);
		}
		kmdom_wait_advance(dom, NULL);
		kmdom_wait_update_lack(dom);
	}
	spin_unlock(&dom->wait.lock);
	kmdom_wait_account(dom, since);
	trace_kmdom_wait_end(dom, ret);
	return ret;
}

/*
 * The first want of a page behind @pos in its bucket, of another waiter than @but:
 * it stays there if that one leaves, whose wants stand one behind the other.
 */
static struct kmdom_want *kmdom_want_behind(struct list_head *bucket,
					    struct list_head *pos, u64 index,
					    unsigned int level,
					    const struct kmdom_waiter *but)
{
	struct kmdom_want *want;

	for (pos = pos->next; pos != bucket; pos = pos->next) {
		want = list_entry(pos, struct kmdom_want, hash);
		if (want->waiter != but && kmdom_want_at(want, index, level))
			return want;
	}
	return NULL;
}

static void kmdom_waiter_move(struct kmdom_domain *dom,
			      struct kmdom_waiter *waiter)
{
	unsigned int i;

	for (i = 0; i < waiter->nr_wants; i++)
		kmdom_want_move(dom, &waiter->wants[i]);
}

/* Tries each waiter of a page once; those of a table want the next page then. */
static void kmdom_wait_try_page(struct kmdom_domain *dom, u64 index,
				unsigned int level)
{
	struct list_head *bucket = kmdom_want_bucket(&dom->wait, index, level);
	struct kmdom_want *want, *next;

	for (want = kmdom_want_behind(bucket, bucket, index, level, NULL); want;
	     want = next) {
		next = kmdom_want_behind(bucket, &want->hash, index, level,
					 want->waiter);
		if (level)
			kmdom_waiter_move(dom, want->waiter);
		kmdom_waiter_try(dom, want->waiter);
	}
}

/**
 * kmdom_wait_page_changed - a page came, went, or can be pinned again
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 * @answer: it is the pager's answer to those who wait for it
 *
 * Context: any that does not interrupt; no lock of a table is held. What was
 * changed was changed before.
 */
void kmdom_wait_page_changed(struct kmdom_domain *dom, u64 index,
			     unsigned int level, bool answer)
{
	struct kmdom_wait *wait = &dom->wait;
	const struct kmdom_waiter *oldest;

	smp_mb();	/* pairs with kmdom_waiter_add() */
	if (!READ_ONCE(wait->nr_waiters))
		return;
	spin_lock(&wait->lock);
	if (answer && kmdom_wait_is_wanted(dom, index, level))
		wait->stalled = false;
	kmdom_events_update(dom, index, level);
	/* Oldest first, whatever it waits for: it has the first right. */
	oldest = kmdom_wait_advance(dom, NULL);
	kmdom_wait_try_page(dom, index, level);
	kmdom_wait_advance(dom, oldest);
	kmdom_wait_update_lack(dom);
	spin_unlock(&wait->lock);
}

/**
 * kmdom_wait_frames_freed - free frames came, or promises ended
 * @dom: the domain
 * @answer: they are the pager's answer, if somebody lacked some
 *
 * Context: any that does not interrupt; no lock of a table is held.
 */
void kmdom_wait_frames_freed(struct kmdom_domain *dom, bool answer)
{
	struct kmdom_wait *wait = &dom->wait;
	struct kmdom_waiter *waiter, *next;
	const struct kmdom_waiter *oldest;
	unsigned int before;

	smp_mb();	/* pairs with kmdom_waiter_add() */
	if (!READ_ONCE(wait->nr_waiters))
		return;
	spin_lock(&wait->lock);
	answer = answer && wait->lack;
	before = wait->nr_waiters;
	oldest = kmdom_wait_advance(dom, NULL);
	list_for_each_entry_safe(waiter, next, &wait->waiters, node)
		if (waiter->lacks_frames &&
		    (waiter == oldest || !kmdom_waiter_try(dom, waiter)))
			break;
	kmdom_wait_advance(dom, oldest);
	kmdom_wait_update_lack(dom);
	if (answer && wait->nr_waiters < before)
		wait->stalled = false;
	spin_unlock(&wait->lock);
}

/* Does a want need this page, wherever on its way it stands? */
static bool kmdom_want_needs(struct kmdom_domain *dom,
			     const struct kmdom_want *want, u64 index,
			     unsigned int level)
{
	if (want->new)
		return level && kmdom_table_at_cursor(&dom->table, index, level);
	return level >= want->floor && kmdom_table_index(want->index, level) ==
				       kmdom_table_index(index, level);
}

/**
 * kmdom_wait_is_oldest - does the oldest waiter want this page?
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 * Return: whether it does, for itself or for what is under it.
 */
bool kmdom_wait_is_oldest(struct kmdom_domain *dom, u64 index,
			  unsigned int level)
{
	struct kmdom_waiter *first;
	unsigned int i;

	lockdep_assert_held(&dom->wait.lock);
	first = list_first_entry_or_null(&dom->wait.waiters,
					 struct kmdom_waiter, node);
	for (i = 0; first && i < first->nr_wants; i++)
		if (kmdom_want_needs(dom, &first->wants[i], index, level))
			return true;
	return false;
}

/**
 * kmdom_wait_is_wanted - does anybody wait for this page?
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 * Return: whether somebody's want stands at it.
 */
bool kmdom_wait_is_wanted(struct kmdom_domain *dom, u64 index,
			  unsigned int level)
{
	struct kmdom_want *want;

	lockdep_assert_held(&dom->wait.lock);
	list_for_each_entry(want, kmdom_want_bucket(&dom->wait, index, level), hash)
		if (kmdom_want_at(want, index, level))
			return true;
	return false;
}

/**
 * kmdom_wait_is_needed - does anybody wait for this page, or for what is under it?
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 * Return: whether somebody does.
 */
bool kmdom_wait_is_needed(struct kmdom_domain *dom, u64 index,
			  unsigned int level)
{
	struct kmdom_waiter *waiter;
	unsigned int i;

	lockdep_assert_held(&dom->wait.lock);
	if (!level)
		return kmdom_wait_is_wanted(dom, index, 0);
	list_for_each_entry(waiter, &dom->wait.waiters, node)
		for (i = 0; i < waiter->nr_wants; i++)
			if (kmdom_want_needs(dom, &waiter->wants[i], index, level))
				return true;
	return false;
}

/* A table has gone: who wants what is under it stands at the table again. */
static void kmdom_wait_table_left(struct kmdom_domain *dom, u64 index,
				  unsigned int level)
{
	struct kmdom_waiter *waiter;
	unsigned int i;

	list_for_each_entry(waiter, &dom->wait.waiters, node)
		for (i = 0; i < waiter->nr_wants; i++)
			if (kmdom_want_needs(dom, &waiter->wants[i], index, level))
				kmdom_want_move(dom, &waiter->wants[i]);
}

/**
 * kmdom_wait_evict - take a page's entry away, unless the oldest waiter wants it
 * @dom: the domain
 * @leaf: the page's table, locked
 * @frame: of the page, present and frozen by the caller; locked, if a table
 * @entry: the new entry: absent, or of what is discarded empty
 *
 * In one step with the waiters, so that the protection of what has arrived
 * has no gap, and who else waits for the page asks for it again.
 *
 * Context: the table is locked.
 * Return: 0 or -EBUSY.
 */
int kmdom_wait_evict(struct kmdom_domain *dom, struct kmdom_frame *leaf,
		     struct kmdom_frame *frame, u64 entry)
{
	unsigned int level = frame->level;
	u64 index = kmdom_page_first(frame->index, level);
	int ret = -EBUSY;

	spin_lock(&dom->wait.lock);
	if (kmdom_wait_is_oldest(dom, index, level))
		goto unlock;
	/*
	 * Who restored it may not have said so yet: a leader from before
	 * that is answered. Left there, it would stand for this absence
	 * too, and the session has taken its event.
	 */
	kmdom_events_update(dom, index, level);
	if (level) {
		ret = kmdom_table_leave(&dom->table, leaf, frame, entry);
		if (ret)
			goto unlock;
		kmdom_wait_table_left(dom, index, level);
	} else {
		kmdom_table_set(leaf, index, entry);
		ret = 0;
	}
	kmdom_events_update(dom, index, level);
unlock:
	spin_unlock(&dom->wait.lock);
	return ret;
}

/**
 * kmdom_wait_refuse - fail all who wait for a page
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the page's table is locked, so that it stays what they wait for.
 * Return: how many waited.
 */
unsigned int kmdom_wait_refuse(struct kmdom_domain *dom, u64 index,
			       unsigned int level)
{
	struct kmdom_wait *wait = &dom->wait;
	struct list_head *bucket = kmdom_want_bucket(wait, index, level);
	struct kmdom_want *want, *next;
	unsigned int nr = 0;

	spin_lock(&wait->lock);
	for (want = kmdom_want_behind(bucket, bucket, index, level, NULL); want;
	     want = next) {
		next = kmdom_want_behind(bucket, &want->hash, index, level,
					 want->waiter);
		kmdom_waiter_finish(dom, want->waiter, -EIO);
		nr++;
	}
	if (nr) {
		wait->stalled = false;
		kmdom_wait_advance(dom, NULL);
	}
	kmdom_wait_update_lack(dom);
	spin_unlock(&wait->lock);
	return nr;
}

/**
 * kmdom_wait_abort - the domain is aborted: all waits fail, and all to come
 * @dom: the domain
 *
 * Context: any that does not interrupt.
 */
void kmdom_wait_abort(struct kmdom_domain *dom)
{
	struct kmdom_waiter *waiter, *next;

	spin_lock(&dom->wait.lock);
	dom->wait.aborted = true;
	list_for_each_entry_safe(waiter, next, &dom->wait.waiters, node)
		kmdom_waiter_finish(dom, waiter, -ENODEV);
	kmdom_wait_update_lack(dom);
	kmdom_events_notify(dom);
	spin_unlock(&dom->wait.lock);
}
