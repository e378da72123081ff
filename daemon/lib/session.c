// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A session: its descriptor, its pool, and the moving of frames.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kmdom/kmdom.h>

struct kmdom_session {
	int fd;
	uint32_t pool_frames;
	void *pool;			/* NULL until it is mapped */
	struct kmdom_batch *batch;	/* for one operation on frames */
};

static size_t session_pool_bytes(const struct kmdom_session *session)
{
	return (size_t)session->pool_frames * KMDOM_FRAME_SIZE;
}

/**
 * kmdom_session_attach() - make a session's object for a descriptor
 * @fd: a session's descriptor, begun here or inherited; owned by the object
 *	when the call succeeds
 * @pool_frames: frames of its pool
 * @session: out: the object
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int kmdom_session_attach(int fd, uint32_t pool_frames,
			 struct kmdom_session **session)
{
	struct kmdom_session *new;
	int ret;

	if (fd < 0 || !pool_frames)
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	ret = kmdom_batch_new(1, 0, &new->batch);
	if (ret) {
		free(new);
		return ret;
	}
	new->fd = fd;
	new->pool_frames = pool_frames;
	*session = new;
	return 0;
}

/**
 * kmdom_session_begin() - become the pager of a domain
 * @dev: from kmdom_open()
 * @adopt: the domain and the pool; out: the session's number
 * @session: out: the session
 *
 * Return: 0 or a negative errno, as <linux/kmdom.h> says of KMDOM_IOC_ADOPT.
 */
int kmdom_session_begin(int dev, struct kmdom_adopt *adopt,
			struct kmdom_session **session)
{
	int fd, ret;

	fd = kmdom_adopt(dev, adopt);
	if (fd < 0)
		return fd;
	ret = kmdom_session_attach(fd, adopt->pool_frames, session);
	if (ret)
		close(fd);
	return ret;
}

/**
 * kmdom_session_end() - end the session; the domain lives on as an orphan
 * @session: the session, or NULL
 *
 * It ends with the last duplicate of its descriptor in this process.
 */
void kmdom_session_end(struct kmdom_session *session)
{
	if (!session)
		return;
	if (session->pool)
		munmap(session->pool, session_pool_bytes(session));
	close(session->fd);
	kmdom_batch_free(session->batch);
	free(session);
}

/**
 * kmdom_session_fd() - the session's descriptor
 * @session: the session
 *
 * Return: The descriptor, which stays the session's.
 */
int kmdom_session_fd(const struct kmdom_session *session)
{
	return session->fd;
}

/**
 * kmdom_session_pool() - the pool's mapping, made when it is first asked for
 * @session: the session
 * @pool: out: its address
 *
 * Only frames that the pager owns can be touched: the others give SIGBUS.
 *
 * Return: 0 or a negative errno of mmap().
 */
int kmdom_session_pool(struct kmdom_session *session, void **pool)
{
	void *map;

	if (!session->pool) {
		map = mmap(NULL, session_pool_bytes(session),
			   PROT_READ | PROT_WRITE, MAP_SHARED, session->fd, 0);
		if (map == MAP_FAILED)
			return -errno;
		session->pool = map;
	}
	*pool = session->pool;
	return 0;
}

/* Carry out the one operation of the session's own batch. */
static int session_move(struct kmdom_session *session)
{
	const struct kmdom_result *result;
	int ret;

	ret = kmdom_batch_submit(session->batch, session->fd, KMDOM_DONT_WAIT);
	if (ret)
		return ret;
	result = kmdom_batch_result(session->batch, 0);
	if (!result)
		return -EINTR;
	return result->ret ? result->ret : (int)result->value;
}

/**
 * kmdom_session_grant() - lend frames of the pool to the kernel
 * @session: the session
 * @first: number of the first frame
 * @count: how many
 *
 * Return: How many were lent, or a negative errno (-EBUSY: none could be).
 */
int kmdom_session_grant(struct kmdom_session *session, uint32_t first,
			uint32_t count)
{
	kmdom_batch_reset(session->batch);
	kmdom_batch_grant(session->batch, first, count);
	return session_move(session);
}

/**
 * kmdom_session_revoke() - take free frames back, zeroed
 * @session: the session
 * @first: number of the first frame
 * @count: how many
 *
 * Return: How many came back, or a negative errno (-EBUSY: none was free).
 */
int kmdom_session_revoke(struct kmdom_session *session, uint32_t first,
			 uint32_t count)
{
	kmdom_batch_reset(session->batch);
	kmdom_batch_revoke(session->batch, first, count);
	return session_move(session);
}
