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
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/page_ref.h>
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

#include "../../module/core/judge.c"
#include "../../module/core/schema.c"
#include "../../module/core/record.c"
#include "../../module/core/table_type.c"
#include "../../module/core/frames.c"
#include "../../module/core/grant.c"
#include "../../module/core/pin.c"
#include "../../module/core/table.c"
#include "../../module/core/slab.c"
#include "../../module/core/cache.c"
#include "../../module/core/paging.c"
#include "../../module/core/restore.c"

static void (*before_promise)(void *arg);
static void *before_promise_arg;

/**
 * bed_before_promise - another thread comes before a client's next promise, once
 * @what: what it does, when the client has looked at the tables, if it does that first
 * @arg: for that
 */
void bed_before_promise(void (*what)(void *arg), void *arg)
{
	before_promise = what;
	before_promise_arg = arg;
}

static bool reserve_late(struct kmdom_ledger *ledger, unsigned int nr,
			 enum kmdom_claim claim)
{
	void (*what)(void *arg) = before_promise;

	before_promise = NULL;
	if (what)
		what(before_promise_arg);
	return kmdom_frames_reserve(ledger, nr, claim);
}

#define kmdom_frames_reserve(ledger, nr, claim)	reserve_late(ledger, nr, claim)
#include "../../module/core/client.c"
#undef kmdom_frames_reserve

/** bed_evict_table - the last step of an eviction: another thread may be before it */
int bed_evict_table(struct kmdom_domain *dom, struct kmdom_frame *parent,
		    struct kmdom_frame *frame)
{
	return kmdom_evict_table(dom, parent, frame);
}
