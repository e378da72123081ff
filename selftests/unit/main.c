// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the user-space world: run the suites, print TAP
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "unit.h"

/* More failures of one case than this say nothing new. */
#define FAILURES_SHOWN	10

static struct kunit_suite *const suites[] = { UNIT_SUITES };

static unsigned int failures;

void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted)
{
	if (failures++ < FAILURES_SHOWN)
		printf("# %s:%d: %s is %lld, not %lld\n", file, line, what,
		       got, wanted);
}

void unit_count(unsigned long long nr)
{
	printf("# %llu cases\n", nr);
}

void *unit_alloc(size_t len)
{
	void *buf = calloc(1, len);

	if (buf)
		return buf;
	printf("Bail out! no memory\n");
	exit(1);
}

void unit_free(void *buf)
{
	free(buf);
}

static void seed(void)
{
	const char *given = getenv("UNIT_SEED");
	u64 seed;

	if (given)
		seed = strtoull(given, NULL, 0);
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = 1;
	printf("# UNIT_SEED=%#llx\n", (unsigned long long)seed);
	unit_seed(seed);
}

static unsigned int count_cases(void)
{
	const struct kunit_case *c;
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (c = suites[i]->test_cases; c->run_case; c++)
			nr++;
	}
	return nr;
}

int main(void)
{
	unsigned int i, nr = 0, failed = 0;
	const struct kunit_case *c;
	struct kunit test;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", count_cases());
	seed();
	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (c = suites[i]->test_cases; c->run_case; c++) {
			failures = 0;
			test.name = c->name;
			c->run_case(&test);
			printf("%sok %u %s: %s\n", failures ? "not " : "", ++nr,
			       suites[i]->name, test.name);
			failed += failures > 0;
		}
	}
	return failed > 0;
}
