// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "noise.h"

/**
 * noise_fill() - never the same bytes twice
 * @buf: where
 * @bytes: how many, a multiple of an int's
 */
void noise_fill(void *buf, size_t bytes)
{
	static unsigned int seed = 1;
	unsigned int *word = buf;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++) {
		seed = seed * 1664525 + 1013904223;
		word[i] = seed;
	}
}

/**
 * noise_file() - write a file of them
 * @dir: where
 * @name: of the file
 * @bytes: its size, a multiple of an int's
 *
 * Return: 0 or a negative errno.
 */
int noise_file(int dir, const char *name, size_t bytes)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY, 0600), ret = 0;
	static unsigned int block[1024];
	size_t done, len;

	if (fd < 0)
		return -errno;
	for (done = 0; done < bytes && !ret; done += len) {
		len = bytes - done < sizeof(block) ? bytes - done : sizeof(block);
		noise_fill(block, len);
		if (write(fd, block, len) != (ssize_t)len)
			ret = -EIO;
	}
	close(fd);
	return ret;
}
