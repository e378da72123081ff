// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include "trap.h"

/**
 * trap_set() - make memory that stalls
 * @trap: filled in
 * @len: bytes, a multiple of a page
 *
 * Return: 0 or a negative errno
 */
int trap_set(struct trap *trap, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	trap->len = len;
	trap->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (trap->fd < 0)
		return -errno;
	trap->mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (trap->mem == MAP_FAILED || ioctl(trap->fd, UFFDIO_API, &api))
		return -errno;
	reg.range.start = (unsigned long)trap->mem;
	reg.range.len = len;
	return ioctl(trap->fd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

/**
 * trap_caught() - wait until somebody is stalled
 * @trap: the trap
 * @timeout_ms: how long at most
 *
 * Return: 0, or -ETIME
 */
int trap_caught(struct trap *trap, int timeout_ms)
{
	struct pollfd pfd = { .fd = trap->fd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return -ETIME;
	return read(trap->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -EIO;
}

/**
 * trap_release() - let who is stalled go on; the memory is plain now, and zero
 * @trap: the trap
 */
void trap_release(struct trap *trap)
{
	struct uffdio_range range = {
		.start = (unsigned long)trap->mem, .len = trap->len,
	};

	ioctl(trap->fd, UFFDIO_UNREGISTER, &range);
}

/**
 * trap_remove() - undo trap_set()
 * @trap: the trap
 */
void trap_remove(struct trap *trap)
{
	close(trap->fd);
	munmap(trap->mem, trap->len);
}

static void *exchange(void *arg)
{
	struct side *side = arg;

	side->ret = door_open(&side->pager.door, side->pager.door.kind, side->pager.fd);
	if (side->ret)
		return NULL;
	side->ret = door_exchange(&side->pager.door, &side->ex);
	door_close(&side->pager.door);
	return NULL;
}

/**
 * side_exchange() - exchange in a thread of its own
 * @side: filled in; must stay until side_join()
 * @pager: the session
 * @ex: the exchange; what it points to must stay, too
 *
 * Return: 0 or a negative errno
 */
int side_exchange(struct side *side, const struct pager *pager,
		  const struct kmdom_exchange *ex)
{
	side->pager = *pager;
	side->ex = *ex;
	side->ret = 0;
	return -pthread_create(&side->thread, NULL, exchange, side);
}

/**
 * side_op() - do one operation in a thread of its own
 * @side: filled in; must stay until side_join()
 * @pager: the session
 * @op: the operation
 *
 * Return: 0 or a negative errno
 */
int side_op(struct side *side, const struct pager *pager,
	    const struct kmdom_op *op)
{
	struct kmdom_exchange ex = {
		.ops = (unsigned long)&side->op,
		.results = (unsigned long)&side->res,
		.nr_ops = 1, .timeout_ns = -1,
	};

	side->op = *op;
	memset(&side->res, 0, sizeof(side->res));
	return side_exchange(side, pager, &ex);
}

/**
 * side_join() - wait for the end of it
 * @side: the exchange
 *
 * Return: what it returned, or what its operation did; -ETIME if it hangs
 */
int side_join(struct side *side)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += DOOR_PATIENCE;
	if (pthread_timedjoin_np(side->thread, NULL, &ts))
		return -ETIME;
	return side->ret ? side->ret : side->res.ret;
}
