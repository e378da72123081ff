// SPDX-License-Identifier: GPL-2.0
/*
 * The domain that most rows work in: with so many frames that its pager, which is
 * this process, is not asked for any.
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

static int bench_begin(struct bench *bench, const char *aead)
{
	struct kmdom_create create = { .max_frames = BENCH_FRAMES };
	struct kmdom_adopt adopt = { .pool_frames = BENCH_FRAMES, .slots = 4 };
	int ret;

	bench->dev = kmdom_open(0, NULL);
	if (bench->dev < 0)
		return bench->dev;
	kmdom_set_name(create.name, BENCH_DOMAIN);
	kmdom_set_name(adopt.name, BENCH_DOMAIN);
	snprintf(create.aead, sizeof(create.aead), "%s", aead);
	ret = kmdom_create(bench->dev, &create);
	if (!ret)
		ret = kmdom_session_begin(bench->dev, &adopt, &bench->session);
	if (!ret)
		ret = kmdom_session_grant(bench->session, 0, BENCH_FRAMES);
	if (ret < 0)
		return ret;
	if (ret != BENCH_FRAMES)
		return -ENOBUFS;
	return kmdom_batch_new(KMDOM_OPS_MAX, 0, &bench->batch);
}

/**
 * bench_open() - make the domain, and the module its client
 * @bench: to be filled in
 * @aead: of the domain
 *
 * Return: 0 or a negative errno; bench_close() in any case.
 */
int bench_open(struct bench *bench, const char *aead)
{
	int ret;

	*bench = (struct bench){ .dev = -1, .client = -1 };
	ret = bench_begin(bench, aead);
	if (ret)
		return ret;
	ret = client_open(BENCH_DOMAIN, aead);
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
		kmdom_destroy(bench->dev, BENCH_DOMAIN);
		close(bench->dev);
	}
}
