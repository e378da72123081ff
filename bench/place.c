// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "place.h"

static int place_mount(const struct place *place)
{
	return mount(place->source ? place->source : "none", place->dir, place->type, 0,
		     place->options) ? -errno : 0;
}

/**
 * place_use() - mount it, unless that was done before
 * @place: it
 *
 * Return: 0 or a negative errno.
 */
int place_use(const struct place *place)
{
	struct stat here, above;

	if (mkdir(place->dir, 0700) && errno != EEXIST)
		return -errno;
	if (stat(place->dir, &here) || stat("/tmp", &above))
		return -errno;
	/* A directory of its own device tells. */
	return here.st_dev != above.st_dev ? 0 : place_mount(place);
}

/**
 * place_open() - open its directory
 * @place: it, mounted
 *
 * Return: a descriptor or a negative errno.
 */
int place_open(const struct place *place)
{
	int fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd;
}

/**
 * place_renew() - end the mount and make it again: the VFS forgets all of it
 * @place: it, mounted, and nobody is there
 *
 * Return: 0 or a negative errno.
 */
int place_renew(const struct place *place)
{
	return umount(place->dir) ? -errno : place_mount(place);
}

/* Ends the mount, if there is one. */
void place_leave(const struct place *place)
{
	umount(place->dir);
}
