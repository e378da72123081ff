// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "param.h"

static void param_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, "/sys/module/kmdom/parameters/%s", name);
}

/**
 * param_get() - value of a parameter of kmdom.ko
 * @name: the parameter
 *
 * Return: the value, or a negative errno
 */
long param_get(const char *name)
{
	char path[128];
	long value;
	FILE *file;
	int n;

	param_path(path, sizeof(path), name);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	n = fscanf(file, "%ld", &value);
	fclose(file);
	return n == 1 ? value : -EIO;
}

/**
 * param_set() - set a parameter of kmdom.ko
 * @name: the parameter
 * @value: the value
 *
 * Return: 0 or a negative errno
 */
int param_set(const char *name, long value)
{
	char path[128], text[32];
	int fd, ret = 0;

	param_path(path, sizeof(path), name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%ld", value);
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
