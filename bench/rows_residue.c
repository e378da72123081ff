// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel keeps of a million pages that are all paged out, in memory that nobody
 * can page out: of a domain's, beyond what it keeps of one without pages; and of a
 * process's own, swapped to zram: page tables, the map of the swap, zram's table. Their
 * contents count on neither side: zram's is one word a page, which its table holds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "wide.h"
#include "zram.h"

#define PAGE		4096UL
#define PAGES		(1024UL * 1024)
#define CHUNK		4096UL	/* pages that are in memory at a time */
#define SWAP_MEGABYTES	4097	/* with its header */
#define PATIENCE	500	/* looks, 10 ms apart, at what is still in a frame */

/* Frames of tables come free when a grace period has passed. */
static int await_absent(const struct wide *wide)
{
	struct kmdom_info info = { 0 };
	int i, ret = -EBUSY;

	for (i = 0; i < PATIENCE && ret == -EBUSY; i++) {
		usleep(10000);
		ret = kmdom_info_find(wide->spec.domain, &info);
		if (!ret && info.frames_used)
			ret = -EBUSY;
	}
	if (!ret && (info.pages_absent != PAGES || info.tables))
		ret = -EBADSLT;
	return ret;
}

static double measure_kmdom(struct bench *bench, const void *arg)
{
	struct wide *wide = &wide_million;
	double kept;
	int ret;

	ret = wide_use(wide);
	if (!ret)
		ret = wide_take_kept(wide);
	if (!ret)
		ret = wide_take_tables(wide);
	if (!ret)
		ret = await_absent(wide);
	if (ret)
		return ret;
	kept = kernel_memory();
	if (kept >= 0)
		kept = kept > wide->empty ? kept - wide->empty : 0;
	wide_close(wide);
	return kept;
}

static long pages_swapped(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kilobytes = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmSwap: %ld", &kilobytes) == 1)
			break;
	if (file)
		fclose(file);
	return kilobytes / (PAGE / 1024);
}

static int swap_out(char *area)
{
	unsigned long page;

	madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (page = 0; page < PAGES; page++) {
		memset(area + page * PAGE, 1 + page % 255, PAGE);
		if (page % CHUNK == CHUNK - 1 &&
		    madvise(area + (page + 1 - CHUNK) * PAGE, CHUNK * PAGE, MADV_PAGEOUT))
			return -errno;
	}
	return pages_swapped() >= (long)(PAGES - PAGES / 1024) ? 0 : -ENOSPC;
}

static double measure_swapped(struct bench *bench, const void *arg)
{
	double before, kept = -ENOMEM;
	char *area;
	int ret;

	before = kernel_memory();
	if (before < 0)
		return before;
	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	ret = zram_swap_on(SWAP_MEGABYTES);
	if (!ret)
		ret = swap_out(area);
	if (!ret)
		kept = kernel_memory();
	munmap(area, PAGES * PAGE);
	zram_stop();
	if (ret)
		return ret;
	return kept < 0 ? kept : kept - before;
}

const struct row residue_rows[] = {
	{ "residue_million_pages", .once = true, .unit = "bytes", .sides = {
		{ "kmdom", measure_kmdom, NULL },
		{ "swapped_anon", measure_swapped, NULL },
	} },
	{ }
};
