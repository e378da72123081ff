// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of noise, which do not compress, no more than sealed records do, that are
 * written to zram and read again: as many in one call as kmdom moves in one exchange.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/swap.h>
#include <unistd.h>
#include "bench.h"
#include "noise.h"
#include "shell.h"
#include "zram.h"

#define DEVICE		"/dev/zram0"
#define SYSFS		"/sys/block/zram0/"
#define PAGES_MEGABYTES	4	/* of the device, for pages alone */
#define BYTES		(BENCH_BATCH * KMDOM_FRAME_SIZE)

#define PRIORITY	32767	/* before any other swap */

static bool started, swapping;

/* The device anew, with nothing on it. */
static int start(unsigned int megabytes)
{
	int ret;

	zram_stop();
	ret = put(SYSFS "disksize", "%uM", megabytes);
	started = !ret;
	return ret;
}

/**
 * zram_swap_on() - swap to it, made anew; zram_stop() in any case
 * @megabytes: of its size
 *
 * Return: 0 or a negative errno.
 */
int zram_swap_on(unsigned int megabytes)
{
	int ret = start(megabytes);

	if (!ret)
		ret = shell(NULL, "mkswap -q " DEVICE " >/dev/null");
	if (!ret && swapon(DEVICE, SWAP_FLAG_PREFER | PRIORITY))
		ret = -errno;
	swapping = !ret;
	return ret;
}

/* What it was used for ends. */
void zram_stop(void)
{
	if (swapping)
		swapoff(DEVICE);
	if (started)
		put(SYSFS "reset", "1");
	started = false;
	swapping = false;
}

static int open_device(void)
{
	int ret = started ? 0 : start(PAGES_MEGABYTES);
	int fd;

	if (ret)
		return ret;
	fd = open(DEVICE, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd;
}

/* Out and back once; the time of one of the two. */
static double round_trip(bool back)
{
	static char bytes[BYTES] __attribute__((aligned(KMDOM_FRAME_SIZE)));
	uint64_t begin, middle, end;
	int fd = open_device();
	ssize_t out, in;

	if (fd < 0)
		return fd;
	noise_fill(bytes, sizeof(bytes));
	begin = bench_now();
	out = pwrite(fd, bytes, sizeof(bytes), 0);
	middle = bench_now();
	in = pread(fd, bytes, sizeof(bytes), 0);
	end = bench_now();
	close(fd);
	if (out != sizeof(bytes) || in != sizeof(bytes))
		return -EIO;
	return (double)(back ? end - middle : middle - begin) / BENCH_BATCH;
}

double measure_zram_write(struct bench *bench, const void *arg)
{
	return round_trip(false);
}

double measure_zram_read(struct bench *bench, const void *arg)
{
	return round_trip(true);
}
