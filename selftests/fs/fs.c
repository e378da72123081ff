// SPDX-License-Identifier: GPL-2.0
#include <sys/mount.h>

#include "files.h"

void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		perror("# /proc/sys/vm/drop_caches");
	if (fd >= 0)
		close(fd);
}

int remount(void)
{
	const char *dir = getenv("KMDOMFS_DIR");
	char options[200];

	snprintf(options, sizeof(options), "domain=%s", getenv("KMDOMFS_DOMAIN"));
	if (umount(dir))
		return -errno;
	return mount("none", dir, "kmdomfs", 0, options) ? -errno : 0;
}

int touch(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	if (fd < 0)
		return -errno;
	return close(fd);
}

/* Writes a file; 0 or a negative errno. */
int put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, data, len);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret == (ssize_t)len ? 0 : ret < 0 ? ret : -EIO;
}

/* Reads a file; its length, or a negative errno. */
ssize_t get(const char *path, void *data, size_t len)
{
	int fd = open(path, O_RDONLY);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, data, len);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void pattern(void *data, size_t len, unsigned int seed)
{
	uint8_t *byte = data;
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		byte[i] = seed >> 16;
	}
}

bool all_zero(const char *data, size_t len)
{
	while (len--)
		if (*data++)
			return false;
	return true;
}

nlink_t links(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_nlink;
}

off_t size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? -1 : st.st_size;
}
