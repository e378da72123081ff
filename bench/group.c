// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "group.h"
#include "shell.h"

#define GROUPS	"/sys/fs/cgroup"
#define PATH	128	/* bytes of one */

static const char *group_path(const char *group, const char *file, char path[PATH])
{
	snprintf(path, PATH, GROUPS "/%s/%s", group, file);
	return path;
}

/**
 * group_make() - make one
 * @group: its name
 * @megabytes: what it is held to; 0: nothing
 *
 * By memory.high: what is above it is reclaimed when a system call ends, and then all that
 * can be. With memory.max alone a file system that needs memory in the middle of something
 * could not have its inodes reclaimed, and somebody would be killed, here an ext4's user:
 * that is for a quarter more.
 *
 * Return: 0 or a negative errno.
 */
int group_make(const char *group, unsigned int megabytes)
{
	char path[PATH];
	int ret;

	if (mkdir(group_path(group, "", path), 0755) && errno != EEXIST)
		return -errno;
	if (!megabytes)
		return 0;
	ret = put(group_path(group, "memory.high", path), "%uM", megabytes);
	if (ret)
		return ret;
	return put(group_path(group, "memory.max", path), "%uM", megabytes + megabytes / 4);
}

/**
 * group_enter() - what this process allocates from now on is charged to it
 * @group: its name; NULL: nothing changes
 *
 * Return: 0 or a negative errno.
 */
int group_enter(const char *group)
{
	char path[PATH];

	return group ? put(group_path(group, "cgroup.procs", path), "0") : 0;
}

/**
 * group_reclaim() - have the kernel take what it can of what is charged to it
 * @group: its name
 *
 * Return: 0 or a negative errno.
 */
int group_reclaim(const char *group)
{
	char path[PATH];
	int ret = put(group_path(group, "memory.reclaim", path), "1G");

	/* There was less than that. */
	return ret == -EAGAIN ? 0 : ret;
}

/* Ends it, if nobody is in it. */
void group_end(const char *group)
{
	char path[PATH];

	rmdir(group_path(group, "", path));
}
