// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the world of a target: seeds, reasons, failures
 */
#include <stdio.h>
#include <stdlib.h>
#include "fuzz.h"

#define REASONS_MAX	32

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

static unsigned long long counts[REASONS_MAX];
static const char *seed_dir;

void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted)
{
	fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, got, wanted);
	abort();
}

void unit_count(unsigned long long nr)
{
}

void *unit_alloc(size_t len)
{
	void *buf = calloc(1, len);

	if (!buf)
		abort();
	return buf;
}

void unit_free(void *buf)
{
	free(buf);
}

static void print_counts(void)
{
	unsigned int i;

	for (i = 0; i < fuzz_target.nr_reasons; i++) {
		if (fuzz_target.reasons[i])
			fprintf(stderr, "reason %-8s %llu\n", fuzz_target.reasons[i], counts[i]);
	}
}

void fuzz_seed(unsigned int why, const void *data, size_t len)
{
	static unsigned int nr;
	char path[4096];
	FILE *file;

	EXPECT_EQ(fuzz_target.run(data, len), why);
	snprintf(path, sizeof(path), "%s/%02u-%s", seed_dir, nr++, fuzz_target.reasons[why]);
	file = fopen(path, "w");
	if (!file || fwrite(data, 1, len, file) != len || fclose(file)) {
		perror(path);
		exit(1);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	seed_dir = getenv("FUZZ_SEEDS");
	if (seed_dir) {
		unit_seed(1);
		fuzz_target.seeds();
		exit(0);
	}
	atexit(print_counts);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	unsigned int why = fuzz_target.run(data, len);

	/* A reason that the target does not know has no seed. */
	EXPECT(why < fuzz_target.nr_reasons && fuzz_target.reasons[why]);
	counts[why]++;
	return 0;
}
