// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include "disk.h"

struct disk disk;

ssize_t __real_pread(int fd, void *buf, size_t len, off_t offset);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t offset);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset);
int __real_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs);

/* Bytes of a transfer that are before the bad place; none: errno tells why. */
static size_t disk_good(size_t len, off_t offset, int error)
{
	if (!error || offset >= disk.end || offset + (off_t)len <= disk.bad)
		return len;
	errno = error;
	return offset < disk.bad ? disk.bad - offset : 0;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset)
{
	len = disk_good(len, offset, disk.read_error);
	return len ? __real_pread(fd, buf, len, offset) : -1;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	len = disk_good(len, offset, disk.write_error);
	return len ? __real_pwrite(fd, buf, len, offset) : -1;
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	int ret = __real_fstatfs(fd, fs);

	if (!ret && fs->f_type == TMPFS_MAGIC && !disk.tmpfs)
		fs->f_type = EXT4_SUPER_MAGIC;
	return ret;
}
