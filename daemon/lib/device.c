// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The device: handshake, and the calls that name a domain.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <kmdom/kmdom.h>

/* ioctl() that returns a negative errno. */
static int device_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/**
 * kmdom_open() - open the device and say hello
 * @need: KMDOM_FEATURE_* bits that the caller cannot do without
 * @features: out: the kernel's feature bits; may be NULL
 *
 * Return: A descriptor (close-on-exec). -ENOENT: the module is not loaded;
 * -EPROTO: it speaks another version; -EOPNOTSUPP: @need is not met.
 */
int kmdom_open(uint64_t need, uint64_t *features)
{
	struct kmdom_hello hello = { .abi = KMDOM_ABI_VERSION, .features = need };
	int fd, ret;

	fd = open(KMDOM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = device_ioctl(fd, KMDOM_IOC_HELLO, &hello);
	if (features)
		*features = hello.features;
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

/**
 * kmdom_create() - create a domain
 * @dev: from kmdom_open()
 * @create: what to create; out: its number and uuid
 *
 * Return: 0 or a negative errno, as <linux/kmdom.h> says.
 */
int kmdom_create(int dev, struct kmdom_create *create)
{
	return device_ioctl(dev, KMDOM_IOC_CREATE, create);
}

/**
 * kmdom_adopt() - begin a session without an object of the library for it
 * @dev: from kmdom_open()
 * @adopt: the domain and the pool; out: the session's number
 *
 * Return: The session's descriptor or a negative errno.
 */
int kmdom_adopt(int dev, struct kmdom_adopt *adopt)
{
	return device_ioctl(dev, KMDOM_IOC_ADOPT, adopt);
}

/**
 * kmdom_set_name() - write a name into a structure's field
 * @field: the field; what is behind the name becomes 0
 * @name: the name
 *
 * Return: 0, or -EINVAL for a name that is empty or too long.
 */
int kmdom_set_name(char field[KMDOM_NAME_MAX], const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= KMDOM_NAME_MAX)
		return -EINVAL;
	memset(field, 0, KMDOM_NAME_MAX);
	memcpy(field, name, len);
	return 0;
}

static int device_by_name(int dev, unsigned long request, const char *name)
{
	struct kmdom_name arg = {};
	int ret;

	ret = kmdom_set_name(arg.name, name);
	if (ret)
		return ret;
	return device_ioctl(dev, request, &arg);
}

/**
 * kmdom_abort() - end a domain, whoever uses it
 * @dev: from kmdom_open()
 * @name: the domain
 *
 * Return: 0 or a negative errno.
 */
int kmdom_abort(int dev, const char *name)
{
	return device_by_name(dev, KMDOM_IOC_ABORT, name);
}

/**
 * kmdom_destroy() - end a domain that no client uses
 * @dev: from kmdom_open()
 * @name: the domain
 *
 * Return: 0, -EBUSY while a client holds it, or another negative errno.
 */
int kmdom_destroy(int dev, const char *name)
{
	return device_by_name(dev, KMDOM_IOC_DESTROY, name);
}
