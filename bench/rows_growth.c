// SPDX-License-Identifier: GPL-2.0
/*
 * What a domain's size costs: a million pages beside a thousand, of which a thousand are
 * used, spread over all. Tables are resident on both sides: one that is absent is a
 * fault of its own.
 *
 * Limit: misses of the processor's caches are not seen where instructions are counted.
 */
#include "wide.h"

#define PINS	4096
#define FAULTS	256

struct wide wide_million = {
	.spec = { .domain = "bench-million", .aead = BENCH_AEAD, .frames = 8192, .trim = true },
	.pages = 1024 * 1024,
};

static struct wide thousand = {
	.spec = { .domain = "bench-thousand", .aead = BENCH_AEAD, .frames = 8192, .trim = true },
	.pages = 1024,
};

void growth_close(void)
{
	wide_close(&wide_million);
	wide_close(&thousand);
}

/* The small one first: what the large one keeps is measured later, and is its alone. */
static int use(struct wide *wide)
{
	int ret = wide_use(&thousand);

	return ret ? ret : wide_use(wide);
}

static double measure_pin(struct bench *bench, const void *arg)
{
	struct wide *wide = *(struct wide *const *)arg;
	int ret = use(wide);

	if (!ret)
		ret = wide_bring_kept(wide);
	return ret ? ret : client_run(wide->bench.client, KB_PIN_KMDOM, PINS);
}

static double measure_wide_fault(struct bench *bench, const void *arg)
{
	struct wide *wide = *(struct wide *const *)arg;
	int ret = use(wide);

	return ret ? ret : wide_fault(wide, FAULTS);
}

static struct wide *const many = &wide_million;
static struct wide *const few = &thousand;

/* The first boot's figures are every boot's, and it takes minutes to make a million. */
const struct row growth_rows[] = {
	{ "growth_pages", .once = true, .sides = {
		{ "kmdom", measure_pin, &many },
		{ "thousand", measure_pin, &few },
	} },
	{ "growth_pages_fault", .once = true, .sides = {
		{ "kmdom", measure_wide_fault, &many },
		{ "thousand", measure_wide_fault, &few },
	} },
	{ }
};
