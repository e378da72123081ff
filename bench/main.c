// SPDX-License-Identifier: GPL-2.0
/*
 * bench - measures kmdom and its peers, each row in turn (A B A B), in this boot
 *
 * bench [--again | --alone | --rows | --profile] [ROW]: all rows, or that one; --again leaves
 * out those that take long and are the same in each boot. --alone are those that need a boot
 * of their own, which the others do not show; --rows are all, and nothing is measured. With
 * --profile only kmdom is, not its peers.
 *
 * Prints for bench/report a line a row, "row ROW lower|higher every|first|alone UNIT", and
 * a line a sample, "sample ROW SIDE VALUE". Without a unit of its own, a value is what one
 * operation costs, in nanoseconds of the clock: instructions, where it counts those.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "zram.h"

static const struct row *const tables[] = {
	kernel_rows, page_rows, cipher_rows, fault_rows, fs_rows, remove_rows, resident_rows,
	tenfold_rows, neighbour_rows, domains_rows, growth_rows, residue_rows, scale_rows,
};

static const struct bench_spec spec = {
	.domain = BENCH_DOMAIN, .aead = BENCH_AEAD, .frames = BENCH_FRAMES,
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
		printf("sample %s %s %.3f\n", row->name, side->name, value);
	fflush(stdout);
	return 0;
}

static void print_row(const struct row *row)
{
	printf("row %s %s %s %s\n", row->name, row->higher ? "higher" : "lower",
	       row->alone ? "alone" : row->once ? "first" : "every",
	       row->unit ? row->unit : "instructions");
}

static bool without_peers;

/* First for nothing, where it is not long: what is made at the first time is there then. */
static int measure_row(struct bench *bench, const struct row *row)
{
	int samples = row->once ? 1 : row->samples ? row->samples : BENCH_SAMPLES;
	int sides = without_peers ? 1 : ROW_SIDES;
	const struct side *side;
	int sample, ret = 0;

	print_row(row);
	for (sample = row->once ? 0 : -1; sample < samples; sample++)
		for (side = row->sides; side->name && side < row->sides + sides && !ret; side++)
			ret = measure_side(bench, row, side, sample >= 0);
	return ret;
}

static bool is_usual(const struct row *row)
{
	return !row->alone;
}

static bool is_again(const struct row *row)
{
	return !row->alone && !row->once;
}

static bool is_alone(const struct row *row)
{
	return row->alone;
}

static bool is_row(const struct row *row)
{
	return true;
}

/* Which rows, by the option. */
static const struct {
	const char *name;
	bool (*is)(const struct row *row);
} options[] = {
	{ "--again", is_again }, { "--alone", is_alone }, { "--rows", is_row },
	{ "--profile", is_usual },
};

/* Does it to the rows, or, without a domain, tells them. */
static int each_row(struct bench *bench, bool (*is)(const struct row *row), const char *only)
{
	const struct row *row;
	int ret = 0;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (row = tables[i]; row->name && !ret; row++) {
			if ((only && strcmp(only, row->name)) || !is(row))
				continue;
			if (bench)
				ret = measure_row(bench, row);
			else
				print_row(row);
		}
	return ret;
}

int main(int argc, char **argv)
{
	bool (*is)(const struct row *row) = is_usual;
	const char *only = argv[1];
	struct bench bench;
	size_t i;
	int ret;

	for (i = 0; only && i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(argv[1], options[i].name)) {
			is = options[i].is;
			only = argv[2];
			without_peers = !strcmp(argv[1], "--profile");
		}
	if (is == is_row)
		return each_row(NULL, is, only);
	ret = bench_open(&bench, &spec);
	if (!ret)
		ret = client_fill(bench.client, BENCH_PAGES);
	if (ret)
		fprintf(stderr, "bench: the domain: %s\n", strerror(-ret));
	else
		ret = each_row(&bench, is, only);
	fault_close();
	fs_close();
	remove_close();
	resident_close();
	tenfold_close();
	zram_stop();
	neighbour_close();
	growth_close();
	cipher_close();
	domains_close();
	bench_close(&bench);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
