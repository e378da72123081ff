// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that are shown while they are answered: once an operation is on its way, the
 * kernel may have carried it out, and the event may tell of what happened after that.
 */
#include <errno.h>
#include "late.h"
#include "tap.h"

#define PAGE		7
#define VERSION		20
#define TABLE_VERSION	30	/* of the record of the table over it */

static void show(struct kmdom_batch *batch, uint64_t key, uint64_t version)
{
	batch->events[batch->xchg.nr_events++] = (struct kmdom_event) {
		.type = KMDOM_EVENT_FAULT, .level = index_level(key),
		.index = index_page(key), .version = version,
	};
}

/* An event that comes by itself. */
static void hear(uint64_t key, uint64_t version)
{
	struct kmdom_event event = {
		.type = KMDOM_EVENT_FAULT, .level = index_level(key),
		.index = index_page(key), .version = version,
	};

	faults_add(&late.pager, &event);
}

/* The exchange that answers, or NULL: nothing is to be answered. */
static struct door_job *answer(void)
{
	late.started = NULL;
	faults_run(&late.pager);
	door_wait(&late.bench.door, 0);
	faults_run(&late.pager);
	return late.started;
}

/* Is it nothing but a RESTORE of this page? */
static bool restores(const struct door_job *job, uint64_t key, uint64_t version)
{
	const struct kmdom_op *op = job ? &job->batch->ops[0] : NULL;

	return op && job->batch->xchg.nr_ops == 1 && op->code == KMDOM_OP_RESTORE &&
	       op->level == index_level(key) && op->index == index_page(key) &&
	       op->version == version;
}

static void end(struct door_job *job, int ret)
{
	struct kmdom_result result = { .ret = ret };

	late_end(job, &result, 0);
}

static bool begin(void)
{
	return late_begin() && !bench_put(&late.bench, PAGE, VERSION) &&
	       !bench_put(&late.bench, index_key(1, 0), TABLE_VERSION);
}

/* Whether the pager is at rest; that of the test ends. */
static bool finish(void)
{
	bool idle = !answer() && faults_idle(&late.pager);

	late_finish();
	return idle;
}

static void test_once(void)
{
	struct door_job *job;

	NEED(begin());
	hear(PAGE, VERSION);
	hear(PAGE, VERSION);
	job = answer();
	NEED(restores(job, PAGE, VERSION));
	end(job, 0);
	CHECK(late.pager.stats.restores == 1);
	CHECK(finish());
}

/* What the first RESTORE came to, when the page is wanted again. */
static const int results[] = { 0, -ENXIO, -EALREADY, -ENOENT, -EIO };

/* The event comes with the very results of the exchange. */
static void test_with_results(void)
{
	struct door_job *job;
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(*results); i++) {
		NEED(begin());
		hear(PAGE, VERSION);
		job = answer();
		NEED(restores(job, PAGE, VERSION));
		show(job->batch, PAGE, VERSION);
		end(job, results[i]);
		job = answer();
		NEED(restores(job, PAGE, VERSION));
		end(job, 0);
		CHECK(finish());
	}
}

/* The listener brings it, while the results are on their way. */
static void test_before_results(void)
{
	struct door_job *job;
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(*results); i++) {
		NEED(begin());
		hear(PAGE, VERSION);
		job = answer();
		NEED(restores(job, PAGE, VERSION));
		hear(PAGE, VERSION);
		CHECK(!answer());
		end(job, results[i]);
		job = answer();
		NEED(restores(job, PAGE, VERSION));
		end(job, 0);
		CHECK(finish());
	}
}

/* The table has left, and comes back behind the page in the same exchange. */
static void test_table(void)
{
	struct door_job *job;

	NEED(begin());
	hear(PAGE, VERSION);
	hear(index_key(1, 0), TABLE_VERSION);
	job = answer();
	NEED(job && job->batch->xchg.nr_ops == 2);
	job->batch->results[0] = (struct kmdom_result) { .ret = -ENXIO };
	job->batch->results[1] = (struct kmdom_result) { };
	job->batch->xchg.nr_results = 2;
	show(job->batch, PAGE, VERSION);
	job->done(job, 0);
	job = answer();
	NEED(restores(job, PAGE, VERSION));
	end(job, 0);
	CHECK(finish());
}

/* No frame was free: it is tried again in any case, and once. */
static void test_starved(void)
{
	struct door_job *job;

	NEED(begin());
	hear(PAGE, VERSION);
	job = answer();
	NEED(restores(job, PAGE, VERSION));
	end(job, -ENOBUFS);
	hear(PAGE, VERSION);
	faults_retry(&late.pager);
	job = answer();
	NEED(restores(job, PAGE, VERSION));
	end(job, 0);
	CHECK(finish());
}

/* The page was changed and exported meanwhile: what is shown is another version. */
static void test_newer(void)
{
	struct door_job *job;

	NEED(begin());
	hear(PAGE, VERSION);
	job = answer();
	NEED(restores(job, PAGE, VERSION));
	NEED(!bench_put(&late.bench, PAGE, VERSION + 1));
	hear(PAGE, VERSION + 1);
	end(job, -ESTALE);
	job = answer();
	NEED(restores(job, PAGE, VERSION + 1));
	end(job, 0);
	CHECK(finish());
}

const struct tap_test tap_tests[] = {
	{ "fault: shown twice, answered once", test_once },
	{ "fault: shown again with the results", test_with_results },
	{ "fault: shown again before the results", test_before_results },
	{ "fault: its table comes back after it", test_table },
	{ "fault: no frame was free", test_starved },
	{ "fault: at another version meanwhile", test_newer },
	{ }
};
