// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation costs where there are many domains, each with its session, its client
 * and a few pages, beside where there are none but those that the bench works in.
 */
#include <stdio.h>
#include "bench.h"

#define OTHERS	255
#define FRAMES	KMDOM_FRAMES_MIN
#define PAGES	4
#define COUNT	1024
#define SAMPLES	3

static struct {
	char domain[KMDOM_NAME_MAX];
	struct bench_spec spec;
	struct bench bench;
} others[OTHERS];

static int nr_others;

/* They end, if there are any. */
void domains_close(void)
{
	while (nr_others)
		bench_close(&others[--nr_others].bench);
}

static int use_others(void)
{
	struct bench_spec *spec;
	int ret = 0;

	while (nr_others < OTHERS && !ret) {
		spec = &others[nr_others].spec;
		*spec = (struct bench_spec){ .domain = others[nr_others].domain,
					     .aead = BENCH_AEAD, .frames = FRAMES };
		snprintf(others[nr_others].domain, KMDOM_NAME_MAX, "bench-other-%d", nr_others);
		ret = bench_open(&others[nr_others].bench, spec);
		nr_others++;
		if (!ret)
			ret = client_fill(others[nr_others - 1].bench.client, PAGES);
	}
	return ret;
}

/**
 * struct measurement - one among other domains, or without them
 * @others: whether there are some
 * @measure: as in struct side
 * @arg: for @measure
 */
struct measurement {
	bool others;
	double (*measure)(struct bench *bench, const void *arg);
	const void *arg;
};

static double measure(struct bench *bench, const void *arg)
{
	const struct measurement *measurement = arg;
	int ret = 0;

	if (measurement->others)
		ret = use_others();
	else
		domains_close();
	return ret ? ret : measurement->measure(bench, measurement->arg);
}

static double measure_work(struct bench *bench, const void *arg)
{
	return client_run(bench->client, *(const enum kb_work *)arg, COUNT);
}

static const enum kb_work pin = KB_PIN_KMDOM, alloc = KB_ALLOC_KMDOM;

#define SIDES(what, argument) { \
	{ .name = "kmdom", .measure = measure, \
	  .arg = &(const struct measurement){ true, what, argument } }, \
	{ .name = "few", .measure = measure, \
	  .arg = &(const struct measurement){ false, what, argument } }, \
}

const struct row domains_rows[] = {
	{ "growth_domains", SAMPLES, SIDES(measure_work, &pin) },
	{ "growth_domains_alloc", SAMPLES, SIDES(measure_work, &alloc) },
	{ "growth_domains_fault", SAMPLES, SIDES(measure_fault, "ioctl") },
	{ }
};
