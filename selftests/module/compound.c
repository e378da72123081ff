// SPDX-License-Identifier: GPL-2.0
/*
 * Whole operations: begin, pin or allocate, copy, unpin, end - as a client of
 * kmdom is expected to write them. The op is the caller's, locked, not begun.
 */
#include <linux/string.h>
#include <linux/uaccess.h>
#include "test.h"

static int begin_on(struct kt_client *client, struct kt_op *op,
		    struct kt_req *req, bool fill)
{
	int ret;

	if (op->begun)
		return -EBUSY;
	ret = kt_window(req, req->type);
	if (ret)
		return ret;
	if (fill && copy_from_user(op->bounce, u64_to_user_ptr(req->buf), req->len))
		return -EFAULT;
	return kt_op_begin(client, op, req->flags);
}

static int end_on(struct kt_client *client, struct kt_op *op,
		  struct kt_req *req, int ret)
{
	req->waited = op->op.waited;
	kt_op_end(client, op);
	return ret;
}

/* Copies between the object and the bounce buffer, under a pin. */
static int move(struct kt_client *client, struct kt_op *op, struct kt_req *req,
		bool write)
{
	struct kmdom_pin *pin = &op->pins[0];
	int ret;

	*pin = (struct kmdom_pin) {
		.ref = req->ref,
		.cache = kt_cache(client, req->type),
		.write = write,
	};
	if (!pin->cache)
		return -ENOENT;
	ret = kmdom_pin_set(&op->op, pin, 1, 0);
	if (ret)
		return ret;
	if (write)
		memcpy(pin->obj + req->offset, op->bounce, req->len);
	else
		memcpy(op->bounce, pin->obj + req->offset, req->len);
	kmdom_unpin(&op->op, pin);
	return 0;
}

/**
 * kt_new() - allocate an object and fill it
 * @client: the client
 * @op: an operation that is not begun
 * @req: type, offset, len, buf, flags; out: ref
 *
 * Context: may sleep; waits for frames
 * Return: 0 or a negative errno
 */
int kt_new(struct kt_client *client, struct kt_op *op, struct kt_req *req)
{
	struct kmdom_pin *pin = &op->pins[0];
	int ret = begin_on(client, op, req, true);

	if (ret)
		return ret;
	*pin = (struct kmdom_pin) { .cache = kt_cache(client, req->type) };
	ret = pin->cache ? kmdom_pin_set(&op->op, NULL, 0, 1) : -ENOENT;
	if (!ret)
		ret = kmdom_alloc(&op->op, pin);
	if (!ret) {
		memcpy(pin->obj + req->offset, op->bounce, req->len);
		req->ref = pin->ref;
		kmdom_unpin(&op->op, pin);
	}
	return end_on(client, op, req, ret);
}

/**
 * kt_get() - read an object
 * @client: the client
 * @op: an operation that is not begun
 * @req: type, ref, offset, len, buf, flags
 *
 * Context: may sleep; waits for the pager
 * Return: 0 or a negative errno
 */
int kt_get(struct kt_client *client, struct kt_op *op, struct kt_req *req)
{
	int ret = begin_on(client, op, req, false);

	if (ret)
		return ret;
	ret = end_on(client, op, req, move(client, op, req, false));
	if (!ret && copy_to_user(u64_to_user_ptr(req->buf), op->bounce, req->len))
		ret = -EFAULT;
	return ret;
}

/**
 * kt_set() - write an object
 * @client: the client
 * @op: an operation that is not begun
 * @req: type, ref, offset, len, buf, flags
 *
 * Context: may sleep; waits for the pager
 * Return: 0 or a negative errno
 */
int kt_set(struct kt_client *client, struct kt_op *op, struct kt_req *req)
{
	int ret = begin_on(client, op, req, true);

	if (ret)
		return ret;
	return end_on(client, op, req, move(client, op, req, true));
}

/**
 * kt_del() - free an object
 * @client: the client
 * @op: an operation that is not begun
 * @req: type, ref, flags
 *
 * Context: may sleep; may wait for the pager
 * Return: 0 or a negative errno
 */
int kt_del(struct kt_client *client, struct kt_op *op, struct kt_req *req)
{
	struct kmdom_cache *cache;
	int ret = begin_on(client, op, req, false);

	if (ret)
		return ret;
	cache = kt_cache(client, req->type);
	ret = cache ? kmdom_free(&op->op, cache, req->ref) : -ENOENT;
	return end_on(client, op, req, ret);
}
