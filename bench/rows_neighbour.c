// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation of blue's costs while red, another tenant, does harm: the 99th
 * percentile of what blue's client and blue's kmdomd execute for it, by the clocks of
 * their threads. Its peer is the same blue alone.
 *
 * An operation pins an object that is absent, until the client runs on; what kmdomd did
 * since the operation before, taking pages above all, is this one's.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"
#include "kmdomd.h"
#include "red.h"

#define PAGES		1024
#define OPERATIONS	2048
#define SAMPLES		3

/* Pages are taken a few at a time, so that many operations bear that, not one in 64. */
static const struct kmdomd_spec spec = {
	.domain = "bench-blue", .frames = 256, .low = 64, .high = 72, .store_megabytes = 64,
};

static struct kmdomd kmdomd;
static int client = -1;

/* Blue and its domain end, if there are any; red has ended. */
void neighbour_close(void)
{
	if (client >= 0) {
		client_fill(client, 0);
		close(client);
	}
	client = -1;
	kmdomd_stop(&kmdomd);
}

static int use_blue(void)
{
	int ret = kmdomd.pid ? 0 : kmdomd_start(&kmdomd, &spec, "auto");

	if (ret || client >= 0)
		return ret;
	client = client_open(spec.domain, BENCH_AEAD);
	return client < 0 ? client : client_fill(client, PAGES);
}

static uint64_t worked(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static double measure_operations(void)
{
	static uint64_t costs[OPERATIONS];
	uint64_t pager, before, begin;
	clockid_t clock;
	double ret;
	int i;

	if (clock_getcpuclockid(kmdomd.pid, &clock))
		return -ESRCH;
	pager = worked(clock);
	for (i = 0; i < OPERATIONS; i++) {
		before = pager;
		begin = worked(CLOCK_THREAD_CPUTIME_ID);
		ret = client_run(client, KB_FAULT, 1);
		if (ret < 0)
			return ret;
		costs[i] = worked(CLOCK_THREAD_CPUTIME_ID) - begin;
		pager = worked(clock);
		costs[i] += pager - before;
	}
	qsort(costs, OPERATIONS, sizeof(*costs), compare);
	return costs[OPERATIONS * 99 / 100];
}

static double measure(struct bench *bench, const void *arg)
{
	double value = use_blue();

	if (!value)
		value = red_start(*(const enum red_kind *)arg);
	if (!value)
		value = measure_operations();
	red_stop();
	return value;
}

static const enum red_kind nothing = RED_NOTHING, thrashes = RED_THRASHES,
	stalls = RED_STALLS, lies = RED_LIES;

const struct row neighbour_rows[] = {
	{ "neighbour_p99_thrash", SAMPLES, {
		{ "kmdom", measure, &thrashes },
		{ "alone", measure, &nothing },
	} },
	{ "neighbour_p99_stall", SAMPLES, {
		{ "kmdom", measure, &stalls },
		{ "alone", measure, &nothing },
	} },
	{ "neighbour_p99_lies", SAMPLES, {
		{ "kmdom", measure, &lies },
		{ "alone", measure, &nothing },
	} },
	{ }
};
