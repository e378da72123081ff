// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that the real kmdomd answers from its store in memory, one at a time: from a
 * client's pin of an absent object until the client runs on. Evictions stay outside:
 * before each sample kmdomd is made to free more frames than it needs.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "kmdomd.h"

#define PAGES		2000
#define FAULTS		256	/* a sample; fewer than kmdomd has free */

static const struct kmdomd_spec spec = {
	.domain = "bench-paged", .frames = 1024, .low = 64, .high = 640, .store_megabytes = 64,
};

static struct kmdomd kmdomd;
static int client = -1;

/* kmdomd and its domain end, if there are any. */
void fault_close(void)
{
	if (client >= 0) {
		client_fill(client, 0);
		close(client);
	}
	client = -1;
	kmdomd_stop(&kmdomd);
}

/* The one of this door, made anew if it was the other's. */
static int use_door(const char *door)
{
	int ret;

	if (kmdomd.pid && !strcmp(kmdomd.door, door))
		return 0;
	fault_close();
	ret = kmdomd_start(&kmdomd, &spec, door);
	if (ret)
		return ret;
	client = client_open(spec.domain, BENCH_AEAD);
	return client < 0 ? client : client_fill(client, PAGES);
}

static int free_frames(uint64_t *frames)
{
	struct kmdom_info info = { 0 };
	int ret = kmdom_info_find(spec.domain, &info);

	*frames = info.frames_free;
	return ret;
}

/* Has kmdomd take pages, and waits until it is at rest. */
static int make_room(void)
{
	uint64_t frames, before;
	double fault;
	int ret;

	ret = free_frames(&frames);
	if (ret)
		return ret;
	/* Once below its low water it frees frames up to the high one. */
	fault = client_run(client, KB_FAULT, frames > spec.low ? frames - spec.low + 1 : 1);
	if (fault < 0)
		return fault;
	do {
		before = frames;
		usleep(10000);
		ret = free_frames(&frames);
	} while (!ret && (frames < spec.high || frames != before));
	return ret;
}

double measure_fault(struct bench *bench, const void *arg)
{
	int ret = use_door(arg);

	if (!ret)
		ret = make_room();
	return ret ? ret : client_run(client, KB_FAULT, FAULTS);
}

/* What it cannot be cheaper than: two switches, the cipher, two copies. */
static double measure_floors(struct bench *bench, const void *arg)
{
	double pipe = measure_pipe(bench, NULL);
	double unseal;

	if (pipe < 0 || client_run(bench->client, KB_SEAL, 1) < 0)
		return -EIO;
	unseal = client_run(bench->client, KB_UNSEAL, 1);
	return pipe + unseal + 2 * client_run(bench->client, KB_COPY, 64);
}

const struct row fault_rows[] = {
	{ "fault_ioctl", 0, {
		{ "kmdom", measure_fault, "ioctl" },
		{ "userfaultfd", measure_uffd, NULL },
		{ "userfaultfd_thread", measure_uffd_thread, NULL },
		{ "pipe", measure_pipe, NULL },
		{ "floors", measure_floors, NULL },
	} },
	{ "fault_uring", 0, {
		{ "kmdom", measure_fault, "uring" },
		{ "userfaultfd", measure_uffd, NULL },
	} },
	{ }
};
