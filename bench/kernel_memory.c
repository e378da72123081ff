// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own memory, such as no policy can page out, and what processes have locked.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "shell.h"

#define DROPS	3	/* so often: what was used is passed over once */

/* Of /proc/meminfo. Slab is what is left of it when all that can be dropped is. */
static const char *const parts[] = {
	"Slab", "PageTables", "SecPageTables", "VmallocUsed", "Percpu", "KernelStack", "Mlocked",
};

/**
 * kernel_memory_drop() - what is only kept in case that it is wanted again goes
 *
 * Return: 0 or a negative errno.
 */
int kernel_memory_drop(void)
{
	glob_t caches;
	int ret = 0;
	size_t i;

	/* Those of before have ended by then, and so has what RCU frees. */
	usleep(200000);
	for (i = 0; i < DROPS && !ret; i++)
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
	int ret = kernel_memory_drop();
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
