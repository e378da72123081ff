// SPDX-License-Identifier: GPL-2.0
/*
 * bench - measures kmdom and its peers, each row in turn (A B A B), in this boot
 *
 * Prints a line a sample, for bench/report: "sample ROW SIDE VALUE". A value is what one
 * operation costs, in nanoseconds of the clock: instructions, where it counts those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static const struct row *const tables[] = { kernel_rows, page_rows, fault_rows, fs_rows };

/* Once for nothing: what is made at the first time is there then. */
static int measure_row(struct bench *bench, const struct row *row)
{
	const struct side *side;
	double value;
	int sample, samples = row->samples ? row->samples : BENCH_SAMPLES;

	for (sample = -1; sample < samples; sample++) {
		for (side = row->sides; side->name; side++) {
			value = side->measure(bench, side->arg);
			if (value < 0) {
				fprintf(stderr, "bench: %s, %s: %s\n", row->name, side->name,
					strerror(-value));
				return value;
			}
			if (sample >= 0)
				printf("sample %s %s %.1f\n", row->name, side->name, value);
		}
	}
	fflush(stdout);
	return 0;
}

static int measure_all(struct bench *bench, const char *only)
{
	const struct row *row;
	int ret = 0;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (row = tables[i]; row->name && !ret; row++)
			if (!only || !strcmp(only, row->name))
				ret = measure_row(bench, row);
	return ret;
}

int main(int argc, char **argv)
{
	struct bench bench;
	int ret;

	ret = bench_open(&bench, "gcm(aes)");
	if (!ret)
		ret = client_fill(bench.client, BENCH_PAGES);
	if (ret)
		fprintf(stderr, "bench: the domain: %s\n", strerror(-ret));
	else
		ret = measure_all(&bench, argc > 1 ? argv[1] : NULL);
	fault_close();
	fs_close();
	bench_close(&bench);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
