// SPDX-License-Identifier: GPL-2.0
/*
 * bench - measures kmdom and its peers, each row in turn (A B A B), in this boot
 *
 * bench [--again] [ROW]: all rows, or that one; --again leaves out those that take long
 * and are the same in each boot.
 *
 * Prints for bench/report a line a row, "row ROW lower|higher every|first UNIT", and a
 * line a sample, "sample ROW SIDE VALUE". Without a unit of its own, a value is what one
 * operation costs, in nanoseconds of the clock: instructions, where it counts those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "zram.h"

static const struct row *const tables[] = {
	kernel_rows, page_rows, fault_rows, fs_rows, remove_rows, resident_rows, tenfold_rows,
};

static int measure_side(struct bench *bench, const struct row *row, const struct side *side,
			bool counts)
{
	double value = side->measure(bench, side->arg);

	if (value < 0) {
		fprintf(stderr, "bench: %s, %s: %s\n", row->name, side->name, strerror(-value));
		return value;
	}
	if (counts)
		printf("sample %s %s %.1f\n", row->name, side->name, value);
	fflush(stdout);
	return 0;
}

/* First for nothing, where it is not long: what is made at the first time is there then. */
static int measure_row(struct bench *bench, const struct row *row)
{
	int samples = row->once ? 1 : row->samples ? row->samples : BENCH_SAMPLES;
	const struct side *side;
	int sample, ret = 0;

	printf("row %s %s %s %s\n", row->name, row->higher ? "higher" : "lower",
	       row->once ? "first" : "every", row->unit ? row->unit : "instructions");
	for (sample = row->once ? 0 : -1; sample < samples; sample++)
		for (side = row->sides; side->name && !ret; side++)
			ret = measure_side(bench, row, side, sample >= 0);
	return ret;
}

static int measure_all(struct bench *bench, bool again, const char *only)
{
	const struct row *row;
	int ret = 0;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (row = tables[i]; row->name && !ret; row++)
			if ((!only || !strcmp(only, row->name)) && !(again && row->once))
				ret = measure_row(bench, row);
	return ret;
}

int main(int argc, char **argv)
{
	bool again = argc > 1 && !strcmp(argv[1], "--again");
	const char *only = argv[1 + again];
	struct bench bench;
	int ret;

	ret = bench_open(&bench, BENCH_AEAD);
	if (!ret)
		ret = client_fill(bench.client, BENCH_PAGES);
	if (ret)
		fprintf(stderr, "bench: the domain: %s\n", strerror(-ret));
	else
		ret = measure_all(&bench, again, only);
	fault_close();
	fs_close();
	remove_close();
	resident_close();
	tenfold_close();
	zram_stop();
	bench_close(&bench);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
