// SPDX-License-Identifier: GPL-2.0
/*
 * Full pages that leave and come back, sealed by other ciphers than the default.
 */
#include "bench.h"

/**
 * struct sealed - a domain of its own cipher
 * @spec: of it
 * @bench: it, if it was made
 */
struct sealed {
	struct bench_spec spec;
	struct bench bench;
};

static struct sealed aegis128 = {
	.spec = { .domain = "bench-aegis128", .aead = "aegis128", .frames = 2048 },
};

static struct sealed chacha20poly1305 = {
	.spec = { .domain = "bench-chacha20", .aead = "rfc7539(chacha20,poly1305)",
		  .frames = 2048 },
};

static void sealed_close(struct sealed *sealed)
{
	if (sealed->bench.spec)
		bench_close(&sealed->bench);
	sealed->bench = (struct bench){ 0 };
}

/* What rows began ends. */
void cipher_close(void)
{
	sealed_close(&aegis128);
	sealed_close(&chacha20poly1305);
}

/**
 * struct measurement - one in such a domain
 * @sealed: which
 * @measure: as in struct side
 * @arg: for @measure
 */
struct measurement {
	struct sealed *sealed;
	double (*measure)(struct bench *bench, const void *arg);
	const void *arg;
};

static double measure(struct bench *bench, const void *arg)
{
	const struct measurement *measurement = arg;
	struct sealed *sealed = measurement->sealed;
	int ret = 0;

	if (!sealed->bench.spec) {
		ret = bench_open(&sealed->bench, &sealed->spec);
		if (!ret)
			ret = client_fill(sealed->bench.client, BENCH_PAGES);
	}
	return ret ? ret : measurement->measure(&sealed->bench, measurement->arg);
}

static const enum kb_work sealing = KB_SEAL, unsealing = KB_UNSEAL;

#define SIDE(side, cipher, what, work) \
	{ .name = side, .measure = measure, \
	  .arg = &(const struct measurement){ &(cipher), what, work } }

#define ROWS(cipher) \
	{ "export_page_" #cipher, 0, { \
		SIDE("kmdom", cipher, measure_export, NULL), \
		SIDE("aead_and_copies", cipher, measure_floor, &sealing), \
	} }, \
	{ "restore_page_" #cipher, 0, { \
		SIDE("kmdom", cipher, measure_restore, NULL), \
		SIDE("aead_and_copies", cipher, measure_floor, &unsealing), \
	} }

const struct row cipher_rows[] = {
	ROWS(aegis128),
	ROWS(chacha20poly1305),
	{ }
};
