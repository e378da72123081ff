// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "group.h"
#include "shell.h"

#define COMMAND_MAX	512	/* bytes */

/**
 * shell() - run a command
 * @group: the group that it belongs to; NULL: ours
 * @format: of the command
 *
 * Return: 0 or a negative errno: -EIO, if it failed.
 */
int shell(const char *group, const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list args;
	int status;
	pid_t pid;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		if (!group_enter(group))
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return status ? -EIO : 0;
}

/**
 * put() - write a text to a file that is there
 * @path: of it
 * @format: of the text
 *
 * Return: 0 or a negative errno.
 */
int put(const char *path, const char *format, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;
	va_list args;

	if (fd < 0)
		return -errno;
	va_start(args, format);
	ret = vdprintf(fd, format, args) < 0 ? -errno : 0;
	va_end(args);
	close(fd);
	return ret;
}
