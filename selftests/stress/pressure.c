// SPDX-License-Identifier: GPL-2.0
/*
 * Takes most memory that there is, keeps it for a moment, gives it back
 * and has the caches dropped, again and again. What the kernel keeps for the
 * tenants beside their domains (folios, inodes, names) is reclaimed meanwhile.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stress.h"

#define STEP		(8UL << 20)
#define FILL_MS		4000	/* at most */
#define HOLD_MS		500
#define PAUSE_MS	20000

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

static unsigned long available(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static void rest(const struct pressure_work *work, int ms)
{
	long long end = now_ms() + ms;

	while (!atomic_load(work->stop) && now_ms() < end)
		poll(NULL, 0, 50);
}

/* Whether there was any to take. */
static bool fill(const struct pressure_work *work)
{
	size_t most = available(), used = 0;
	long long end = now_ms() + FILL_MS;
	char *mem;

	if (most < work->leave || most - work->leave < STEP)
		return false;
	most -= work->leave;
	mem = mmap(NULL, most, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return false;
	madvise(mem, most, MADV_HUGEPAGE);
	while (!atomic_load(work->stop) && used + STEP <= most && available() > work->leave &&
	       now_ms() < end) {
		memset(mem + used, 1, STEP);
		used += STEP;
	}
	rest(work, HOLD_MS);
	munmap(mem, most);
	return used;
}

/**
 * pressure_work() - go on until told to stop
 * @arg: struct pressure_work
 *
 * Return: 0
 */
long pressure_work(void *arg)
{
	struct pressure_work *work = arg;

	put("/proc/self/oom_score_adj", "1000");
	while (!atomic_load(work->stop)) {
		if (fill(work))
			atomic_fetch_add(work->times, 1);
		put("/proc/sys/vm/drop_caches", "3");
		rest(work, PAUSE_MS);
	}
	return 0;
}
