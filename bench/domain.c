// SPDX-License-Identifier: GPL-2.0
/*
 * Domains that rows work in: with so many frames that their pager, which is this
 * process, is not asked for any.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int bench_begin(struct bench *bench)
{
	const struct bench_spec *spec = bench->spec;
	struct kmdom_create create = { .max_frames = spec->frames };
	struct kmdom_adopt adopt = { .pool_frames = spec->frames, .slots = 4 };
	int ret;

	bench->dev = kmdom_open(0, NULL);
	if (bench->dev < 0)
		return bench->dev;
	kmdom_set_name(create.name, spec->domain);
	kmdom_set_name(adopt.name, spec->domain);
	snprintf(create.aead, sizeof(create.aead), "%s", spec->aead);
	ret = kmdom_create(bench->dev, &create);
	if (!ret)
		ret = kmdom_session_begin(bench->dev, &adopt, &bench->session);
	if (!ret)
		ret = kmdom_session_grant(bench->session, 0, spec->frames);
	if (ret < 0)
		return ret;
	if (ret != (int)spec->frames)
		return -ENOBUFS;
	return kmdom_batch_new(KMDOM_OPS_MAX, 0, &bench->batch);
}

/**
 * bench_open() - make a domain, and the module its client
 * @bench: to be filled in
 * @spec: of it; must stay
 *
 * Return: 0 or a negative errno; bench_close() in any case.
 */
int bench_open(struct bench *bench, const struct bench_spec *spec)
{
	int ret;

	*bench = (struct bench){ .spec = spec, .dev = -1, .client = -1 };
	ret = bench_begin(bench);
	if (ret)
		return ret;
	ret = spec->trim ? client_open_trim(spec->domain, spec->aead) :
			   client_open(spec->domain, spec->aead);
	if (ret < 0)
		return ret;
	bench->client = ret;
	return 0;
}

void bench_close(struct bench *bench)
{
	if (bench->client >= 0)
		close(bench->client);
	kmdom_batch_free(bench->batch);
	kmdom_session_end(bench->session);
	if (bench->dev >= 0) {
		kmdom_destroy(bench->dev, bench->spec->domain);
		close(bench->dev);
	}
}
