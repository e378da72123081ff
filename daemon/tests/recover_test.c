// SPDX-License-Identifier: GPL-2.0
/*
 * The sweep beside evictions. The kernel evicts a table at one instant; the pager
 * hears of it at another, or never.
 */
#include <errno.h>
#include <string.h>
#include "late.h"
#include "tap.h"

#define TABLE		index_key(1, 0)
#define VERSION		20	/* of the table's record */
#define UNDER		3	/* pages under it */
#define CURSOR		12345	/* the scan is not over */

/* The end of an exchange that is a SCAN; it shows the table, if @state says how. */
static void end_scan(struct door_job *job, uint32_t state, uint64_t cursor)
{
	struct kmdom_page page = {
		.level = 1, .state = state, .version = VERSION, .live = UNDER,
		.slots = KMDOM_TABLE_ENTRIES, .policy = KMDOM_POLICY_SIGNED,
	};
	struct kmdom_result result = { .len = !!state, .value = cursor };

	if (state)
		memcpy((void *)(uintptr_t)job->batch->ops[0].buf, &page, sizeof(page));
	late_end(job, &result, 0);
}

/* The sweep's next SCAN, under way. */
static struct door_job *sweep_scan(void)
{
	late.started = NULL;
	recover_run(&late.pager);
	return late.started;
}

/* The policy has looked around: the table's EVICT is under way. */
static struct door_job *evict_table(void)
{
	late.started = NULL;
	late.pager.free_frames = 0;
	evict_run(&late.pager);
	end_scan(late.started, KMDOM_PAGE_PRESENT, 0);
	return late.started->batch->ops[0].code == KMDOM_OP_EVICT ? late.started : NULL;
}

static void end_evict(struct door_job *job, int ret)
{
	struct kmdom_result result = { .ret = ret };

	late_end(job, &result, 0);
}

/* A store that has a table and what is under it. */
static bool begin(void)
{
	uint64_t i;

	if (!late_begin())
		return false;
	for (i = 1; i <= UNDER; i++)
		if (bench_put(&late.bench, i, 10 + i))
			return false;
	return !bench_put(&late.bench, TABLE, VERSION);
}

/* How many of the pages under the table the store still has. */
static int finish(void)
{
	int left = 0;
	uint64_t i;

	for (i = 1; i <= UNDER; i++)
		left += !!index_get(&late.bench.store.index, index_key(0, i));
	late_finish();
	return left;
}

/* The table is shown, but nothing under it any more. */
static bool sweep_began(void)
{
	struct door_job *scan;

	recover_start(&late.pager, false);
	scan = sweep_scan();
	if (scan)
		end_scan(scan, KMDOM_PAGE_PRESENT, CURSOR);
	return scan && late.pager.recover.active;
}

static void sweep_ends(void)
{
	end_scan(sweep_scan(), 0, 0);
}

static void test_garbage(void)
{
	NEED(begin());
	NEED(sweep_began());
	sweep_ends();
	CHECK(!late.pager.recover.active);
	CHECK(index_get(&late.bench.store.index, TABLE));
	CHECK(finish() == 0);
}

static void test_evicted(void)
{
	struct door_job *evict;

	NEED(begin());
	NEED(sweep_began());
	evict = evict_table();
	NEED(evict);
	end_evict(evict, 0);
	sweep_ends();
	CHECK(finish() == UNDER);
}

/* The kernel has evicted it, but its word comes after that of the last SCAN. */
static void test_evicted_unheard(void)
{
	struct door_job *evict;

	NEED(begin());
	NEED(sweep_began());
	evict = evict_table();
	NEED(evict);
	sweep_ends();
	end_evict(evict, 0);
	CHECK(late.pager.stats.evictions == 1);
	CHECK(finish() == UNDER);
}

/* It was under way already when the sweep began. */
static void test_evicted_before(void)
{
	struct door_job *evict;

	NEED(begin());
	evict = evict_table();
	NEED(evict);
	NEED(sweep_began());
	sweep_ends();
	end_evict(evict, 0);
	CHECK(finish() == UNDER);
}

/* The exchange failed, and may have evicted it before; it is tried again. */
static void test_evict_fails(void)
{
	static const int errors[] = { -EINTR, -ECANCELED };
	struct door_job *evict;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		NEED(begin());
		NEED(sweep_began());
		evict = evict_table();
		NEED(evict);
		late_end(evict, NULL, errors[i]);
		CHECK(!late.pager.ended);
		sweep_ends();
		CHECK(finish() == UNDER);
	}
	NEED(begin());
	NEED(sweep_began());
	evict = evict_table();
	NEED(evict);
	end_evict(evict, -EALREADY);
	sweep_ends();
	CHECK(finish() == UNDER);
}

/* Another pager took over; a SCAN that was answered before that ends the sweep. */
static void test_taken_over(void)
{
	struct door_job *evict;

	NEED(begin());
	NEED(sweep_began());
	evict = evict_table();
	NEED(evict);
	late_end(evict, NULL, -EOWNERDEAD);
	CHECK(late.pager.ended == -EOWNERDEAD);
	sweep_ends();
	CHECK(finish() == UNDER);
}

/* It stayed, and SCAN would have shown what is under it. */
static void test_evict_refused(void)
{
	static const int errors[] = { -EAGAIN, -EBUSY };
	struct door_job *evict;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		NEED(begin());
		NEED(sweep_began());
		evict = evict_table();
		NEED(evict);
		end_evict(evict, errors[i]);
		sweep_ends();
		CHECK(finish() == 0);
	}
}

/* It stayed, but it was away before, when SCAN came by. */
static void test_evict_refused_later(void)
{
	struct door_job *evict;

	NEED(begin());
	recover_start(&late.pager, false);
	end_scan(sweep_scan(), KMDOM_PAGE_ABSENT, CURSOR);
	evict = evict_table();
	NEED(evict);
	end_evict(evict, -EBUSY);
	sweep_ends();
	CHECK(finish() == UNDER);
}

const struct tap_test tap_tests[] = {
	{ "sweep: what is not there is garbage", test_garbage },
	{ "sweep: a table was evicted", test_evicted },
	{ "sweep: the result comes too late", test_evicted_unheard },
	{ "sweep: it begins in the middle", test_evicted_before },
	{ "sweep: no result", test_evict_fails },
	{ "sweep: taken over", test_taken_over },
	{ "sweep: a table that stays", test_evict_refused },
	{ "sweep: a table that came back", test_evict_refused_later },
	{ }
};
