// SPDX-License-Identifier: GPL-2.0
/*
 * How much more two processors do at once than one, in one cache of one domain: 2 where
 * nothing stands in the way. Its peer is a loop that shares nothing, on this same
 * machine. By its clock, which does not count instructions: a boot of its own.
 *
 * Limit: a host that is busy with something else has no two processors to give, and the
 * peer's gain tells that. Of several tries, in turn, the least disturbed ones count.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include "bench.h"

#define SAMPLES	21
#define TRIES	5

struct scale_work {
	enum kb_work work;
	uint32_t count;
};

struct runner {
	pthread_barrier_t *start;
	const struct scale_work *work;
	int client;
	int cpu;
	uint64_t begin;
	uint64_t end;
	double ret;
};

static void *run(void *arg)
{
	struct runner *runner = arg;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(runner->cpu, &cpus);
	runner->ret = sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
	pthread_barrier_wait(runner->start);
	runner->begin = bench_now();
	if (runner->ret >= 0)
		runner->ret = client_run(runner->client, runner->work->work,
					 runner->work->count);
	runner->end = bench_now();
	return NULL;
}

/* From the first one's begin to the last one's end, in ns, or a negative errno. */
static double measure_time(int client, const struct scale_work *work, int nr)
{
	struct runner runners[2];
	pthread_barrier_t start;
	uint64_t begin = UINT64_MAX, end = 0;
	pthread_t threads[2];
	double ret = 0;
	int i;

	pthread_barrier_init(&start, NULL, nr);
	for (i = 0; i < nr; i++) {
		runners[i] = (struct runner){ &start, work, client, i };
		if (pthread_create(&threads[i], NULL, run, &runners[i]))
			return -EAGAIN;
	}
	for (i = 0; i < nr; i++) {
		pthread_join(threads[i], NULL);
		if (runners[i].ret < 0)
			ret = runners[i].ret;
		begin = runners[i].begin < begin ? runners[i].begin : begin;
		end = runners[i].end > end ? runners[i].end : end;
	}
	pthread_barrier_destroy(&start);
	return ret < 0 ? ret : end - begin;
}

static double measure(struct bench *bench, const void *arg)
{
	double best[2] = { 0 }, time;
	int try, nr;

	for (try = 0; try < TRIES; try++)
		for (nr = 1; nr <= 2; nr++) {
			time = measure_time(bench->client, arg, nr);
			if (time < 0)
				return time;
			if (!best[nr - 1] || time < best[nr - 1])
				best[nr - 1] = time;
		}
	return 2 * best[0] / best[1];
}

/* All take about as long. */
static const struct scale_work alloc = { KB_ALLOC_KMDOM, 4000 },
	pin = { KB_PIN_KMDOM, 20000 }, nothing = { KB_NOTHING_SHARED, 10000 };

const struct row scale_rows[] = {
	{ "scale_two_cpus", SAMPLES, {
		{ "kmdom", measure, &alloc },
		{ "nothing_shared", measure, &nothing },
	}, "gain", .higher = true, .alone = true },
	{ "scale_two_cpus_pin", SAMPLES, {
		{ "kmdom", measure, &pin },
		{ "nothing_shared", measure, &nothing },
	}, "gain", .higher = true, .alone = true },
	{ }
};
