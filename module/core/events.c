// SPDX-License-Identifier: GPL-2.0
/*
 * events.c - what the pager is told: views of what is waited for, and hints
 */
#include <linux/hash.h>
#include "domain.h"
#include "trace.h"
#include "uring.h"

/**
 * kmdom_want_bucket - where the wants are that stand at a page
 * @wait: of the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 * Return: the list.
 */
struct list_head *kmdom_want_bucket(struct kmdom_wait *wait, u64 index,
				    unsigned int level)
{
	u64 key = kmdom_table_index(index, level) * (KMDOM_LEVELS + 1) + level;

	return &wait->wants[hash_64(key, ilog2(KMDOM_WANT_BUCKETS))];
}

/**
 * kmdom_want_at - does a want stand at this page?
 * @want: the want
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 * Return: whether it does.
 */
bool kmdom_want_at(const struct kmdom_want *want, u64 index,
		   unsigned int level)
{
	return want->level == level && kmdom_table_index(want->index, level) ==
				       kmdom_table_index(index, level);
}

/**
 * kmdom_events_pending - is there anything to tell the session?
 * @wait: of its domain
 *
 * Context: with or without the lock.
 * Return: whether there is; without the lock the answer is of the past.
 */
bool kmdom_events_pending(const struct kmdom_wait *wait)
{
	return !list_empty(&wait->events) ||
	       (READ_ONCE(wait->lack) && !READ_ONCE(wait->lack_shown)) ||
	       READ_ONCE(wait->nr_hints) || READ_ONCE(wait->hints_lost) ||
	       (READ_ONCE(wait->aborted) && !READ_ONCE(wait->close_shown));
}

/**
 * kmdom_events_notify - something became worth telling
 * @dom: the domain
 *
 * Context: the lock of the waits is held.
 */
void kmdom_events_notify(struct kmdom_domain *dom)
{
	lockdep_assert_held(&dom->wait.lock);
	wake_up_all(&dom->wait.wq);
	kmdom_uring_wake_one(&dom->wait);
}

/* Is this very page absent? Not one on the way to it, which others wait for. */
static bool kmdom_page_absent(struct kmdom_domain *dom, u64 index,
			      unsigned int level, u64 *entry)
{
	unsigned int stopped;
	u64 now;

	rcu_read_lock();
	now = kmdom_table_walk(&dom->table, index, level, &stopped);
	rcu_read_unlock();
	if (entry)
		*entry = now;
	return stopped == level && kmdom_entry_state(now) == KMDOM_PAGE_ABSENT;
}

/*
 * Puts an event behind those that older waiters wait for. It is the youngest as a
 * rule, but for who goes on to the next page when a table has come.
 */
static void kmdom_event_enter(struct kmdom_wait *wait, struct kmdom_want *want)
{
	struct kmdom_want *other;

	list_for_each_entry_reverse(other, &wait->events, event)
		if (other->waiter->age <= want->waiter->age)
			break;
	list_add(&want->event, &other->event);
}

static void kmdom_want_lead(struct kmdom_domain *dom, struct kmdom_want *want)
{
	want->leads = true;
	want->shown = false;
	kmdom_event_enter(&dom->wait, want);
	atomic64_inc(&dom->stats.faults);
	trace_kmdom_fault(dom, kmdom_table_index(want->index, want->level),
			  want->level);
	kmdom_events_notify(dom);
}

/**
 * kmdom_events_update - make the wants of a page fit its state
 * @dom: the domain
 * @index: of the first page of objects in it
 * @level: of the page
 *
 * Context: the lock of the waits is held.
 */
void kmdom_events_update(struct kmdom_domain *dom, u64 index,
			 unsigned int level)
{
	struct kmdom_want *want, *first = NULL, *leader = NULL;
	bool absent;

	lockdep_assert_held(&dom->wait.lock);
	list_for_each_entry(want, kmdom_want_bucket(&dom->wait, index, level), hash) {
		if (!kmdom_want_at(want, index, level))
			continue;
		if (want->leads) {
			leader = want;
			/* The oldest, as a rule: so not all the others are looked at. */
			break;
		}
		if (!first)
			first = want;
	}
	absent = kmdom_page_absent(dom, index, level, NULL);
	if (absent && !leader && first) {
		kmdom_want_lead(dom, first);
	} else if (!absent && leader) {
		leader->leads = false;
		list_del_init(&leader->event);
	}
}

/**
 * kmdom_events_drop - a want goes away
 * @dom: the domain
 * @want: off the hash; if it led, the next oldest want of its page does now
 *
 * Context: the lock of the waits is held.
 */
void kmdom_events_drop(struct kmdom_domain *dom, struct kmdom_want *want)
{
	struct kmdom_want *heir;

	lockdep_assert_held(&dom->wait.lock);
	if (!want->leads)
		return;
	want->leads = false;
	list_del_init(&want->event);
	list_for_each_entry(heir, kmdom_want_bucket(&dom->wait, want->index,
						    want->level), hash) {
		if (!kmdom_want_at(heir, want->index, want->level))
			continue;
		heir->leads = true;
		heir->shown = want->shown;
		if (!heir->shown)
			kmdom_event_enter(&dom->wait, heir);
		return;
	}
}

/**
 * kmdom_events_lack - somebody waits for frames
 * @dom: the domain
 * @nr: how many; 0: nobody does any more
 *
 * The event is shown again whenever frames came and did not suffice.
 *
 * Context: the lock of the waits is held.
 */
void kmdom_events_lack(struct kmdom_domain *dom, u64 nr)
{
	lockdep_assert_held(&dom->wait.lock);
	dom->wait.lack = nr;
	dom->wait.lack_shown = false;
	if (nr)
		kmdom_events_notify(dom);
}

/**
 * kmdom_events_freed - hint: the records of a page are garbage
 * @dom: the domain
 * @index: of the page
 * @level: of the page
 * @version: of its last record; 0: it had none, and nothing is said
 *
 * Context: the lock of the waits is not held.
 */
void kmdom_events_freed(struct kmdom_domain *dom, u64 index,
			unsigned int level, u64 version)
{
	struct kmdom_wait *wait = &dom->wait;

	if (!version)
		return;
	spin_lock(&wait->lock);
	if (wait->nr_hints == KMDOM_HINTS) {
		wait->hints_lost = true;
	} else {
		wait->hints[(wait->hint_first + wait->nr_hints++) % KMDOM_HINTS] =
			(struct kmdom_hint){
				.index = index, .version = version, .level = level,
			};
	}
	kmdom_events_notify(dom);
	spin_unlock(&wait->lock);
}

/*
 * Makes the event of a fault; false if the page is not absent any more. Whoever
 * changed it is about to say so, but the value of its entry is no version now.
 */
static bool kmdom_fault_event(struct kmdom_domain *dom,
			      const struct kmdom_want *want,
			      struct kmdom_event *event)
{
	u64 entry;
	bool absent = kmdom_page_absent(dom, want->index, want->level, &entry);

	*event = (struct kmdom_event){
		.type = KMDOM_EVENT_FAULT,
		.cache = kmdom_entry_cache(entry),
		.level = want->level,
		.index = kmdom_table_index(want->index, want->level),
		.version = kmdom_entry_value(entry),
		.arg = want->index,
	};
	return absent;
}

static unsigned int kmdom_events_take_hints(struct kmdom_wait *wait,
					    struct kmdom_event *events,
					    unsigned int max)
{
	unsigned int nr = 0;

	while (nr < max && wait->nr_hints) {
		struct kmdom_hint *hint = &wait->hints[wait->hint_first];

		events[nr++] = (struct kmdom_event){
			.type = KMDOM_EVENT_FREED,
			.level = hint->level,
			.index = hint->index,
			.version = hint->version,
		};
		wait->hint_first = (wait->hint_first + 1) % KMDOM_HINTS;
		wait->nr_hints--;
	}
	if (nr < max && wait->hints_lost) {
		events[nr++] = (struct kmdom_event){
			.type = KMDOM_EVENT_GARBAGE_UNKNOWN,
		};
		wait->hints_lost = false;
	}
	return nr;
}

/**
 * kmdom_events_take - take events for the session
 * @dom: the domain
 * @events: room for them
 * @max: how many at most
 *
 * Context: the lock of the waits is held.
 * Return: how many were taken.
 */
unsigned int kmdom_events_take(struct kmdom_domain *dom,
			       struct kmdom_event *events, unsigned int max)
{
	struct kmdom_wait *wait = &dom->wait;
	struct kmdom_want *want, *next;
	unsigned int nr = 0;

	lockdep_assert_held(&wait->lock);
	if (nr < max && wait->aborted && !wait->close_shown) {
		wait->close_shown = true;
		events[nr++] = (struct kmdom_event){ .type = KMDOM_EVENT_CLOSE };
	}
	list_for_each_entry_safe(want, next, &wait->events, event) {
		if (nr == max)
			return nr;
		list_del_init(&want->event);
		want->shown = kmdom_fault_event(dom, want, &events[nr]);
		if (want->shown)
			nr++;
		else
			want->leads = false;
	}
	if (nr < max && wait->lack && !wait->lack_shown) {
		wait->lack_shown = true;
		events[nr++] = (struct kmdom_event){
			.type = KMDOM_EVENT_NEED_FRAMES,
			.arg = wait->lack,
		};
	}
	return nr + kmdom_events_take_hints(wait, events + nr, max - nr);
}

static struct kmdom_want *kmdom_want_leader(struct kmdom_wait *wait, u64 index,
					    unsigned int level)
{
	struct kmdom_want *want;

	list_for_each_entry(want, kmdom_want_bucket(wait, index, level), hash)
		if (kmdom_want_at(want, index, level) && want->leads)
			return want;
	return NULL;
}

static void kmdom_event_give_back(struct kmdom_wait *wait,
				  const struct kmdom_event *ev)
{
	struct kmdom_want *want;

	switch (ev->type) {
	case KMDOM_EVENT_FAULT:
		want = kmdom_want_leader(wait, kmdom_page_first(ev->index, ev->level),
					 ev->level);
		if (want && want->shown) {
			want->shown = false;
			kmdom_event_enter(wait, want);
		}
		break;
	case KMDOM_EVENT_NEED_FRAMES:
		wait->lack_shown = false;
		break;
	case KMDOM_EVENT_CLOSE:
		wait->close_shown = false;
		break;
	default:
		wait->hints_lost = true;
	}
}

/**
 * kmdom_events_give_back - events that could not be delivered are new again
 * @dom: the domain
 * @events: as they were taken
 * @nr: how many
 *
 * Context: the lock of the waits is not held.
 */
void kmdom_events_give_back(struct kmdom_domain *dom,
			    const struct kmdom_event *events, unsigned int nr)
{
	spin_lock(&dom->wait.lock);
	while (nr--)
		kmdom_event_give_back(&dom->wait, &events[nr]);
	if (kmdom_events_pending(&dom->wait))
		kmdom_events_notify(dom);
	spin_unlock(&dom->wait.lock);
}

/**
 * kmdom_events_show_all - all that is unanswered is new again, oldest first
 * @dom: the domain
 *
 * Context: the lock of the waits is held.
 * Return: how many events there are, hints not counted.
 */
unsigned int kmdom_events_show_all(struct kmdom_domain *dom)
{
	struct kmdom_wait *wait = &dom->wait;
	struct kmdom_waiter *waiter;
	unsigned int i, nr = 0;

	lockdep_assert_held(&wait->lock);
	list_for_each_entry(waiter, &wait->waiters, node) {
		for (i = 0; i < waiter->nr_wants; i++) {
			struct kmdom_want *want = &waiter->wants[i];

			if (!want->leads)
				continue;
			want->shown = false;
			list_move_tail(&want->event, &wait->events);
			nr++;
		}
	}
	wait->lack_shown = false;
	wait->close_shown = false;
	if (kmdom_events_pending(wait))
		kmdom_events_notify(dom);
	return nr + !!wait->lack + wait->aborted;
}
