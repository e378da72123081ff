// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kmdom.h>
#include "client.h"

/**
 * client_open() - become a client
 *
 * Return: descriptor, or a negative errno
 */
int client_open(void)
{
	int fd = open("/dev/kmdom_test", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/**
 * kt() - one request
 * @fd: client
 * @cmd: KT_IOC_*
 * @req: the request, written back
 *
 * Return: 0 or a negative errno
 */
int kt(int fd, unsigned int cmd, struct kt_req *req)
{
	return ioctl(fd, cmd, req) ? -errno : 0;
}

/**
 * client_find() - take a domain
 * @fd: client
 * @name: the domain's
 *
 * Return: 0 or a negative errno
 */
int client_find(int fd, const char *name)
{
	struct kt_req req = { 0 };

	snprintf(req.name, sizeof(req.name), "%s", name);
	return kt(fd, KT_IOC_FIND, &req);
}

/**
 * client_attach() - attach a cache
 * @fd: client
 * @type: enum kt_type
 *
 * Return: 0 or a negative errno
 */
int client_attach(int fd, unsigned int type)
{
	struct kt_req req = { .type = type };

	return kt(fd, KT_IOC_ATTACH, &req);
}

/**
 * client_usage() - what the domain uses
 * @fd: client
 * @usage: out
 *
 * Return: 0 or a negative errno
 */
int client_usage(int fd, struct kt_usage *usage)
{
	struct kt_req req = { 0 };
	int ret = kt(fd, KT_IOC_USAGE, &req);

	*usage = req.usage;
	return ret;
}

/**
 * kt_new() - allocate and fill an object
 * @fd: client
 * @op: operation to use
 * @type: enum kt_type
 * @obj: contents
 * @len: bytes of @obj
 * @ref: out
 *
 * Return: 0 or a negative errno
 */
int kt_new(int fd, unsigned int op, unsigned int type, const void *obj,
	   size_t len, uint64_t *ref)
{
	struct kt_req req = {
		.op = op, .type = type, .buf = (unsigned long)obj, .len = len,
	};
	int ret = kt(fd, KT_IOC_NEW, &req);

	*ref = req.ref;
	return ret;
}

/**
 * kt_get() - read an object
 * @fd: client
 * @op: operation to use
 * @type: enum kt_type
 * @ref: the object
 * @obj: out
 * @len: bytes of @obj
 *
 * Return: 0 or a negative errno
 */
int kt_get(int fd, unsigned int op, unsigned int type, uint64_t ref, void *obj,
	   size_t len)
{
	struct kt_req req = {
		.op = op, .type = type, .ref = ref,
		.buf = (unsigned long)obj, .len = len,
	};

	return kt(fd, KT_IOC_GET, &req);
}

/**
 * kt_set() - write an object
 * @fd: client
 * @op: operation to use
 * @type: enum kt_type
 * @ref: the object
 * @obj: contents
 * @len: bytes of @obj
 *
 * Return: 0 or a negative errno
 */
int kt_set(int fd, unsigned int op, unsigned int type, uint64_t ref,
	   const void *obj, size_t len)
{
	struct kt_req req = {
		.op = op, .type = type, .ref = ref,
		.buf = (unsigned long)obj, .len = len,
	};

	return kt(fd, KT_IOC_SET, &req);
}

/**
 * kt_del() - free an object
 * @fd: client
 * @op: operation to use
 * @type: enum kt_type
 * @ref: the object
 *
 * Return: 0 or a negative errno
 */
int kt_del(int fd, unsigned int op, unsigned int type, uint64_t ref)
{
	struct kt_req req = { .op = op, .type = type, .ref = ref };

	return kt(fd, KT_IOC_DEL, &req);
}

/**
 * kt_pin() - begin an operation and hold one pin with it, until kt_end()
 * @fd: client
 * @op: operation to use
 * @type: enum kt_type
 * @ref: the object
 * @write: whether for writing
 *
 * Return: 0 or a negative errno
 */
int kt_pin(int fd, unsigned int op, unsigned int type, uint64_t ref, int write)
{
	struct kt_req req = {
		.op = op, .nr_pins = 1,
		.pins = { { .ref = ref, .type = type, .mode = write } },
	};
	int ret = kt(fd, KT_IOC_BEGIN, &req);

	if (ret)
		return ret;
	ret = kt(fd, KT_IOC_PINSET, &req);
	if (ret)
		kt_end(fd, op);
	return ret;
}

/**
 * kt_end() - drop an operation's pins and end it
 * @fd: client
 * @op: the operation
 *
 * Return: 0 or a negative errno
 */
int kt_end(int fd, unsigned int op)
{
	struct kt_req req = { .op = op };

	return kt(fd, KT_IOC_END, &req);
}

static long remote(void *arg)
{
	struct kt_call *call = arg;

	return kt(call->fd, call->cmd, &call->req);
}

/**
 * kt_start() - have a helper make a request
 * @proc: the helper
 * @fd: client, open in the helper
 * @cmd: KT_IOC_*
 * @req: the request; its buf must lie in proc->data
 */
void kt_start(struct proc *proc, int fd, unsigned int cmd, struct kt_req *req)
{
	struct kt_call call = { .fd = fd, .cmd = cmd, .req = *req };

	proc_start(proc, remote, &call, sizeof(call));
}

/**
 * kt_finish() - wait for the helper's request
 * @proc: the helper
 * @req: out; may be NULL
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int kt_finish(struct proc *proc, struct kt_req *req)
{
	struct kt_call call;
	long ret = proc_finish(proc, &call, sizeof(call));

	if (req)
		*req = call.req;
	return ret;
}

/**
 * kt_call() - have a helper make a request, and wait for it
 * @proc: the helper
 * @fd: client, open in the helper
 * @cmd: KT_IOC_*
 * @req: the request, written back
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int kt_call(struct proc *proc, int fd, unsigned int cmd, struct kt_req *req)
{
	kt_start(proc, fd, cmd, req);
	return kt_finish(proc, req);
}

static struct kt_req px_req(struct proc *proc, unsigned int type, uint64_t ref,
			    size_t len)
{
	return (struct kt_req) {
		.op = proc->id, .type = type, .ref = ref,
		.buf = (unsigned long)proc->data, .len = len,
	};
}

/**
 * px_new() - as kt_new(), by a helper
 * @proc: the helper
 * @fd: client
 * @type: enum kt_type
 * @obj: contents
 * @len: bytes of @obj
 * @ref: out
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int px_new(struct proc *proc, int fd, unsigned int type, const void *obj,
	   size_t len, uint64_t *ref)
{
	struct kt_req req = px_req(proc, type, 0, len);
	int ret;

	memcpy(proc->data, obj, len);
	ret = kt_call(proc, fd, KT_IOC_NEW, &req);
	*ref = req.ref;
	return ret;
}

/**
 * px_get() - as kt_get(), by a helper
 * @proc: the helper
 * @fd: client
 * @type: enum kt_type
 * @ref: the object
 * @obj: out
 * @len: bytes of @obj
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int px_get(struct proc *proc, int fd, unsigned int type, uint64_t ref,
	   void *obj, size_t len)
{
	px_get_start(proc, fd, type, ref, len);
	return px_get_finish(proc, obj, len);
}

/**
 * px_get_start() - have a helper read an object, and do not wait for it
 * @proc: the helper
 * @fd: client
 * @type: enum kt_type
 * @ref: the object
 * @len: bytes to read
 */
void px_get_start(struct proc *proc, int fd, unsigned int type, uint64_t ref,
		  size_t len)
{
	struct kt_req req = px_req(proc, type, ref, len);

	kt_start(proc, fd, KT_IOC_GET, &req);
}

/**
 * px_get_finish() - wait for px_get_start()
 * @proc: the helper
 * @obj: out; may be NULL
 * @len: bytes of @obj
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int px_get_finish(struct proc *proc, void *obj, size_t len)
{
	int ret = kt_finish(proc, NULL);

	if (!ret && obj)
		memcpy(obj, proc->data, len);
	return ret;
}

/**
 * px_set() - as kt_set(), by a helper
 * @proc: the helper
 * @fd: client
 * @type: enum kt_type
 * @ref: the object
 * @obj: contents
 * @len: bytes of @obj
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int px_set(struct proc *proc, int fd, unsigned int type, uint64_t ref,
	   const void *obj, size_t len)
{
	struct kt_req req = px_req(proc, type, ref, len);

	memcpy(proc->data, obj, len);
	return kt_call(proc, fd, KT_IOC_SET, &req);
}

/**
 * px_del() - as kt_del(), by a helper
 * @proc: the helper
 * @fd: client
 * @type: enum kt_type
 * @ref: the object
 *
 * Return: 0 or a negative errno; -ETIME if it hangs
 */
int px_del(struct proc *proc, int fd, unsigned int type, uint64_t ref)
{
	struct kt_req req = px_req(proc, type, ref, 0);

	return kt_call(proc, fd, KT_IOC_DEL, &req);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/**
 * bytes_fill() - write bytes that only their seed explains, none of them 0
 * @buf: where
 * @len: how many
 * @seed: which
 */
void bytes_fill(void *buf, size_t len, uint64_t seed)
{
	unsigned char *byte = buf;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = (mix(seed * 8191 + (i >> 3)) >> (i & 7) * 8) | 1;
}

/**
 * bytes_check() - tell whether bytes are those of bytes_fill()
 * @buf: where
 * @len: how many
 * @seed: which
 *
 * Return: 0 if they are, else -EILSEQ
 */
int bytes_check(const void *buf, size_t len, uint64_t seed)
{
	const unsigned char *byte = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (byte[i] != (unsigned char)((mix(seed * 8191 + (i >> 3)) >> (i & 7) * 8) | 1))
			return -EILSEQ;
	return 0;
}

/**
 * small_fill() - an object of KT_SMALL as its seed has it
 * @obj: out; its ref is 0
 * @seed: which
 */
void small_fill(struct kt_small *obj, uint64_t seed)
{
	memset(obj, 0, sizeof(*obj));
	obj->number = mix(seed);
	obj->bounded = seed % (KT_BOUND + 1);
	obj->len = seed % 17;
	obj->tag = seed;
	bytes_fill(obj->bytes, obj->len, seed);
	bytes_fill(obj->secret, sizeof(obj->secret), ~seed);
	obj->soft = KT_SOFT(obj->number);
}

/**
 * small_check() - tell whether an object is that of small_fill()
 * @obj: the object; its ref is not looked at
 * @seed: which
 *
 * Return: 0 if it is, else -EILSEQ
 */
int small_check(const struct kt_small *obj, uint64_t seed)
{
	struct kt_small want;

	small_fill(&want, seed);
	want.ref = obj->ref;
	return memcmp(obj, &want, sizeof(want)) ? -EILSEQ : 0;
}
