// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own memory, such as no policy can page out.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"

/* Of /proc/meminfo. */
static const char *const parts[] = { "SUnreclaim", "PageTables", "VmallocUsed", "Percpu" };

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* What is only kept in case that it is wanted again goes. */
static int settle(void)
{
	glob_t caches;
	size_t i;
	int ret;

	/* Those of before have ended by then, and so has what RCU frees. */
	usleep(200000);
	ret = put("/proc/sys/vm/drop_caches", "3");
	if (ret || glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		return ret ? ret : -ENOENT;
	for (i = 0; i < caches.gl_pathc; i++)
		put(caches.gl_pathv[i], "1");
	globfree(&caches);
	return 0;
}

/**
 * kernel_memory() - how much it is now, when nothing is under way
 *
 * Return: bytes or a negative errno.
 */
int64_t kernel_memory(void)
{
	int64_t sum = 0, kilobytes;
	char line[128], name[64];
	int ret = settle();
	FILE *file;
	size_t i;

	if (ret)
		return ret;
	file = fopen("/proc/meminfo", "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %lld", name, (long long *)&kilobytes) != 2)
			continue;
		for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			if (!strcmp(name, parts[i]))
				sum += kilobytes * 1024;
	}
	fclose(file);
	return sum;
}
