// SPDX-License-Identifier: GPL-2.0
/*
 * mechanisms.c - the module's files under test, once more
 *
 * With one difference: what would be a warning is counted, so that the tests can
 * do what is forbidden, and see that it is noticed.
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

#undef WARN_ON_ONCE
#define WARN_ON_ONCE(condition)	warned(condition)

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

/** bed_evict_table - the last step of an eviction: another thread may be before it */
int bed_evict_table(struct kmdom_domain *dom, struct kmdom_frame *parent,
		    struct kmdom_frame *frame)
{
	return kmdom_evict_table(dom, parent, frame);
}
