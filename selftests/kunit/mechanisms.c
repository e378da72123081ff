// SPDX-License-Identifier: GPL-2.0
/*
 * mechanisms.c - the module's files under test, once more
 *
 * With three differences: what would be a warning is counted, so that the tests can
 * do what is forbidden, and see that it is noticed; so are pages and users that are
 * let go of, since what is lost of those no ledger tells; and others can come in
 * between two steps of a client's.
 */
#include <linux/bitmap.h>
#include <linux/cred.h>
#include <linux/freezer.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page_ref.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "bed.h"

static atomic_t warnings;

static bool warned(bool condition)
{
	if (condition)
		atomic_inc(&warnings);
	return condition;
}

/** bed_warnings - how many there were since the last call */
unsigned int bed_warnings(void)
{
	return atomic_xchg(&warnings, 0);
}

atomic_long_t bed_pages, bed_users;

/* Somebody who has it still would keep it for ever. */
static void free_counted_page(struct page *page)
{
	if (page_ref_count(page) == 1)
		atomic_long_dec(&bed_pages);
	__free_page(page);
}

static struct user_struct *get_counted_user(struct user_struct *user)
{
	atomic_long_inc(&bed_users);
	return get_uid(user);
}

static void free_counted_user(struct user_struct *user)
{
	atomic_long_dec(&bed_users);
	free_uid(user);
}

#undef WARN_ON_ONCE
#define WARN_ON_ONCE(condition)	warned(condition)
#undef __free_page
#define __free_page(page)	free_counted_page(page)
#define get_uid(user)		get_counted_user(user)
#define free_uid(user)		free_counted_user(user)

static struct {
	void (*what)(void *arg);
	void *arg;
} before[BED_STEPS];

/**
 * bed_before - another thread comes before a step is taken the next time, once
 * @step: which
 * @what: what it does
 * @arg: for that
 */
void bed_before(enum bed_step step, void (*what)(void *arg), void *arg)
{
	before[step].what = what;
	before[step].arg = arg;
}

static void others_come(enum bed_step step)
{
	void (*what)(void *arg) = before[step].what;

	before[step].what = NULL;
	if (what)
		what(before[step].arg);
}

#include "../../module/core/judge.c"
#include "../../module/core/schema.c"
#include "../../module/core/record.c"
#include "../../module/core/table_type.c"
#include "../../module/core/frames.c"
#include "../../module/core/grant.c"
#include "../../module/core/pin.c"
#include "../../module/core/table.c"
#include "../../module/core/events.c"
#include "../../module/core/wait.c"

/* How those who wait and the pager are told, for all that comes after this. */

static void tell_changed(struct kmdom_domain *dom, u64 index, unsigned int level,
			 bool answer)
{
	others_come(BED_TELL);
	bed_of(dom)->changes++;
	kmdom_wait_page_changed(dom, index, level, answer);
}

static void tell_frames(struct kmdom_domain *dom, bool answer)
{
	bed_of(dom)->frees++;
	kmdom_wait_frames_freed(dom, answer);
}

static void tell_freed(struct kmdom_domain *dom, u64 index, unsigned int level,
		       u64 version)
{
	struct bed *bed = bed_of(dom);

	bed->hints++;
	bed->hint_index = index;
	bed->hint_version = version;
	kmdom_events_freed(dom, index, level, version);
}

/* The table that a page's entry is in is locked: the page stays what it is. */
static void expect_locked(struct kmdom_domain *dom, u64 index, unsigned int level)
{
	struct kmdom_frame *leaf = kmdom_table_find(&dom->table, index, level + 1);

	/* -1: nobody knows, because lockdep was turned off. */
	EXPECT(leaf && lockdep_is_held(&leaf->lock) > 0);
}

static int evict_locked(struct kmdom_domain *dom, struct kmdom_frame *leaf,
			struct kmdom_frame *frame, u64 entry)
{
	expect_locked(dom, kmdom_page_first(frame->index, frame->level), frame->level);
	return kmdom_wait_evict(dom, leaf, frame, entry);
}

static unsigned int refuse_locked(struct kmdom_domain *dom, u64 index, unsigned int level)
{
	expect_locked(dom, index, level);
	return kmdom_wait_refuse(dom, index, level);
}

#define kmdom_wait_page_changed(dom, index, level, answer) \
	tell_changed(dom, index, level, answer)
#define kmdom_wait_frames_freed(dom, answer)	tell_frames(dom, answer)
#define kmdom_events_freed(dom, index, level, version) \
	tell_freed(dom, index, level, version)
#define kmdom_wait_evict(dom, leaf, frame, entry) \
	evict_locked(dom, leaf, frame, entry)
#define kmdom_wait_refuse(dom, index, level)	refuse_locked(dom, index, level)

#include "../../module/core/slab.c"
#include "../../module/core/cache.c"
#include "../../module/core/paging.c"

static int judge_late(const struct kmdom_schema *schema, const u8 *record, size_t len,
		      void *page, unsigned long *live, u64 *why)
{
	others_come(BED_DECODE);
	return kmdom_judge_payload(schema, record, len, page, live, why);
}

#define kmdom_judge_payload(schema, record, len, page, live, why) \
	judge_late(schema, record, len, page, live, why)
#include "../../module/core/restore.c"

static bool reserve_late(struct kmdom_ledger *ledger, unsigned int nr,
			 enum kmdom_claim claim)
{
	others_come(BED_PROMISE);
	return kmdom_frames_reserve(ledger, nr, claim);
}

static bool look_late(const struct kmdom_ledger *ledger)
{
	others_come(BED_KEPT);
	return kmdom_promise_unwanted(ledger);
}

#define kmdom_frames_reserve(ledger, nr, claim)	reserve_late(ledger, nr, claim)
#define kmdom_promise_unwanted(ledger)		look_late(ledger)
#include "../../module/core/client.c"

/** bed_evict_table - the last step of an eviction: another thread may be before it */
int bed_evict_table(struct kmdom_domain *dom, struct kmdom_frame *parent,
		    struct kmdom_frame *frame)
{
	return kmdom_evict_table(dom, parent, frame);
}
