// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are removed while no page of theirs is in a frame; on a tmpfs all are.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "bench.h"
#include "kmdomd.h"
#include "noise.h"
#include "place.h"

#define SAMPLES		3
#define FILES		48	/* a sample */
#define PAGES		16	/* of each */
#define MOUNT_PAGES	8	/* at most, that a mount brings: the super block, the root */

static const struct kmdomd_spec spec = {
	.domain = "bench-fs", .frames = 1024, .low = 64, .high = 128, .store_megabytes = 256,
};

static const struct place kmdomfs = { "kmdomfs", "domain=bench-fs", "/tmp/bench-paged" };
static const struct place tmpfs = { "tmpfs", "size=64M", "/tmp/bench-removed" };

static struct kmdomd kmdomd;
static char names[FILES][16];

void remove_close(void)
{
	place_leave(&kmdomfs);
	place_leave(&tmpfs);
	kmdomd_stop(&kmdomd);
}

static int use(const struct place *place)
{
	int ret = 0;

	if (place == &kmdomfs && !kmdomd.pid)
		ret = kmdomd_start(&kmdomd, &spec, "auto");
	return ret ? ret : place_use(place);
}

static int write_files(const struct place *place)
{
	int dir = place_open(place), i, ret = 0;

	if (dir < 0)
		return dir;
	for (i = 0; i < FILES && !ret; i++) {
		snprintf(names[i], sizeof(names[i]), "file-%d", i);
		ret = noise_file(dir, names[i], PAGES * KMDOM_FRAME_SIZE);
	}
	close(dir);
	return ret;
}

/* The files have more pages than the domain has others. */
static int check_absent(void)
{
	struct kmdom_info info = { 0 };
	int ret = kmdom_info_find(spec.domain, &info);

	if (ret)
		return ret;
	if (info.pages_present <= MOUNT_PAGES && info.pages_absent >= FILES * PAGES)
		return 0;
	fprintf(stderr, "bench: fs_remove_absent: of the files' pages some are in frames: "
		"%llu pages are, and %llu are absent\n",
		(unsigned long long)info.pages_present, (unsigned long long)info.pages_absent);
	return -EBUSY;
}

/* As when the mount has ended, and others have used the frames since. */
static int page_out(void)
{
	int ret = place_renew(&kmdomfs);

	if (!ret)
		ret = client_push_out(spec.domain, spec.frames);
	return ret ? ret : check_absent();
}

static int remove_files(const struct place *place)
{
	int dir = place_open(place), i, ret = 0;

	if (dir < 0)
		return dir;
	for (i = 0; i < FILES && !ret; i++)
		ret = unlinkat(dir, names[i], 0) ? -errno : 0;
	close(dir);
	return ret;
}

/* Until the last page of theirs is free. */
static double measure(struct bench *bench, const void *arg)
{
	const struct place *place = arg;
	uint64_t begin = 0, end = 0;
	int ret = use(place);

	if (!ret)
		ret = write_files(place);
	if (!ret && place == &kmdomfs)
		ret = page_out();
	if (!ret)
		ret = client_busy(bench->client, &begin);
	if (!ret)
		ret = remove_files(place);
	if (!ret)
		ret = client_busy(bench->client, &end);
	return ret ? ret : (double)(end - begin) / FILES;
}

const struct row remove_rows[] = {
	{ "fs_remove_absent", SAMPLES, {
		{ "kmdom", measure, &kmdomfs },
		{ "tmpfs", measure, &tmpfs },
	} },
	{ }
};
