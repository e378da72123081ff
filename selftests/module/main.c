// SPDX-License-Identifier: GPL-2.0
/*
 * kmdom_test - a client of kmdom whose every step is an ioctl
 *
 * For the selftests, and for root alone: a test may hold a pin for ever, which
 * no real client does.
 */
#include <linux/err.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "test.h"

/**
 * kt_cache() - the cache of a type
 * @client: the client; the caller has begun an operation, or holds its lock
 * @type: enum kt_type
 *
 * Return: the cache, or NULL if that type is not attached
 */
struct kmdom_cache *kt_cache(struct kt_client *client, u32 type)
{
	return type < KT_TYPES ? READ_ONCE(client->caches[type]) : NULL;
}

/**
 * kt_window() - check that a request stays within objects of a type
 * @req: offset and len
 * @type: enum kt_type
 *
 * Return: 0 or -EINVAL
 */
int kt_window(const struct kt_req *req, u32 type)
{
	if (type >= KT_BAD || req->offset > kt_types[type].size ||
	    req->len > kt_types[type].size - req->offset)
		return -EINVAL;
	return 0;
}

/**
 * kt_op_begin() - begin an operation
 * @client: the client
 * @op: locked, not begun
 * @flags: KMDOM_OP_*
 *
 * Return: 0, -ENOENT without a domain, -EBUSY
 */
int kt_op_begin(struct kt_client *client, struct kt_op *op, unsigned int flags)
{
	int ret = 0;

	if (op->begun)
		return -EBUSY;
	mutex_lock(&client->lock);
	if (client->dom)
		client->active++;
	else
		ret = -ENOENT;
	mutex_unlock(&client->lock);
	if (ret)
		return ret;
	kmdom_op_begin(&op->op, client->dom, flags);
	op->begun = true;
	return 0;
}

/**
 * kt_op_end() - drop an operation's pins and end it
 * @client: the client
 * @op: locked, begun
 */
void kt_op_end(struct kt_client *client, struct kt_op *op)
{
	unsigned int i;

	for (i = 0; i < KT_PLACES; i++)
		if (op->pins[i].held)
			kmdom_unpin(&op->op, &op->pins[i]);
	kmdom_op_end(&op->op);
	op->begun = false;
	mutex_lock(&client->lock);
	client->active--;
	mutex_unlock(&client->lock);
}

static int do_find(struct kt_client *client, struct kt_req *req)
{
	struct kmdom_domain *dom;

	if (client->dom)
		return -EBUSY;
	req->name[sizeof(req->name) - 1] = '\0';
	dom = req->name[0] ? kmdom_domain_find(req->name) :
			     kmdom_domain_find_fd(req->fd);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	client->dom = dom;
	strscpy_pad(req->name, kmdom_domain_name(dom), sizeof(req->name));
	return 0;
}

static int do_put(struct kt_client *client)
{
	unsigned int i;

	if (!client->dom)
		return -ENOENT;
	if (client->active || client->nr_crowd)
		return -EBUSY;
	for (i = 0; i < KT_TYPES; i++)
		if (client->caches[i])
			return -EBUSY;
	kmdom_domain_put(client->dom);
	client->dom = NULL;
	return 0;
}

static int do_usage(struct kt_client *client, struct kt_req *req)
{
	struct kmdom_usage usage;

	if (!client->dom)
		return -ENOENT;
	kmdom_domain_usage(client->dom, &usage);
	req->usage = (struct kt_usage) {
		.frames_max = usage.frames_max,
		.frames_granted = usage.frames_granted,
		.frames_free = usage.frames_free,
		.frames_used = usage.frames_used,
		.pages_present = usage.pages_present,
		.pages_absent = usage.pages_absent,
		.faults = usage.faults,
	};
	req->flags = kmdom_domain_aborted(client->dom);
	return 0;
}

static int do_attach(struct kt_client *client, struct kt_req *req)
{
	struct kmdom_cache *cache;

	if (!client->dom)
		return -ENOENT;
	if (req->type >= KT_TYPES || client->caches[req->type])
		return -EINVAL;
	cache = kmdom_cache_attach(client->dom, &kt_types[req->type]);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	WRITE_ONCE(client->caches[req->type], cache);
	return 0;
}

static int do_detach(struct kt_client *client, struct kt_req *req)
{
	if (!kt_cache(client, req->type))
		return -ENOENT;
	if (client->active)
		return -EBUSY;
	kmdom_cache_detach(client->caches[req->type]);
	WRITE_ONCE(client->caches[req->type], NULL);
	return 0;
}

static int do_anchor(struct kt_client *client, struct kt_req *req, bool set)
{
	struct kmdom_cache *cache = kt_cache(client, req->type);

	if (!cache)
		return -ENOENT;
	if (set)
		kmdom_cache_set_anchor(cache, req->ref);
	else
		req->ref = kmdom_cache_anchor(cache);
	return 0;
}

static int do_crowd(struct kt_client *client, struct kt_req *req)
{
	return client->dom ? kt_crowd_attach(client, req->nr_pins) : -ENOENT;
}

/* Calls on the client. */
static int client_call(struct kt_client *client, unsigned int cmd,
		       struct kt_req *req)
{
	switch (cmd) {
	case KT_IOC_FIND:
		return do_find(client, req);
	case KT_IOC_PUT:
		return do_put(client);
	case KT_IOC_USAGE:
		return do_usage(client, req);
	case KT_IOC_ATTACH:
		return do_attach(client, req);
	case KT_IOC_DETACH:
		return do_detach(client, req);
	case KT_IOC_ANCHOR:
		return do_anchor(client, req, false);
	case KT_IOC_ANCHORED:
		return do_anchor(client, req, true);
	case KT_IOC_CROWD:
		return do_crowd(client, req);
	case KT_IOC_GRAB:
		return kt_folio_grab(client, req->buf);
	case KT_IOC_LOCK:
		return kt_folio_lock(client);
	case KT_IOC_DIRTY:
		return kt_folio_dirty(client);
	}
	return -ENOTTY;
}

static int do_pinset(struct kt_client *client, struct kt_op *op,
		     struct kt_req *req)
{
	struct kmdom_pin *pins = &op->pins[req->pin];
	unsigned int i, flags;
	int ret;

	if (req->nr_pins > KT_SETMAX || req->nr_allocs > KMDOM_ALLOCS_MAX ||
	    req->pin + req->nr_pins > KT_PLACES)
		return -EINVAL;
	for (i = 0; i < req->nr_pins; i++) {
		if (pins[i].held || !kt_cache(client, req->pins[i].type))
			return -EINVAL;
		pins[i] = (struct kmdom_pin) {
			.ref = req->pins[i].ref,
			.cache = kt_cache(client, req->pins[i].type),
			.write = req->pins[i].mode == KT_PIN_WRITE,
			.table = req->pins[i].mode == KT_PIN_TABLE,
		};
	}
	if (!(req->flags & KT_RECLAIM))
		return kmdom_pin_set(&op->op, pins, req->nr_pins, req->nr_allocs);
	flags = memalloc_noreclaim_save();
	ret = kmdom_pin_set(&op->op, pins, req->nr_pins, req->nr_allocs);
	memalloc_noreclaim_restore(flags);
	return ret;
}

static int do_alloc(struct kt_client *client, struct kt_op *op,
		    struct kt_req *req)
{
	struct kmdom_pin *pin = &op->pins[req->pin];
	int ret;

	if (pin->held || !kt_cache(client, req->type))
		return -EINVAL;
	*pin = (struct kmdom_pin) { .cache = kt_cache(client, req->type) };
	ret = kmdom_alloc(&op->op, pin);
	if (!ret)
		req->ref = pin->ref;
	return ret;
}

/* The size of what is pinned is its cache's, found by its pointer. */
static int pin_window(struct kt_client *client, struct kmdom_pin *pin,
		      struct kt_req *req)
{
	u32 type;

	if (!pin->obj)
		return -ENOENT;
	for (type = 0; type < KT_BAD; type++)
		if (kt_cache(client, type) == pin->cache)
			return kt_window(req, type);
	return -EINVAL;
}

static int do_read(struct kt_client *client, struct kt_op *op,
		   struct kt_req *req)
{
	struct kmdom_pin *pin = &op->pins[req->pin];
	int ret = pin_window(client, pin, req);

	if (ret)
		return ret;
	memcpy(op->bounce, pin->obj + req->offset, req->len);
	if (copy_to_user(u64_to_user_ptr(req->buf), op->bounce, req->len))
		return -EFAULT;
	return 0;
}

static int do_write(struct kt_client *client, struct kt_op *op,
		    struct kt_req *req)
{
	struct kmdom_pin *pin = &op->pins[req->pin];
	int ret = pin_window(client, pin, req);

	if (ret)
		return ret;
	if (!pin->write)
		return -EINVAL;
	if (copy_from_user(op->bounce, u64_to_user_ptr(req->buf), req->len))
		return -EFAULT;
	memcpy(pin->obj + req->offset, op->bounce, req->len);
	return 0;
}

static int do_drop(struct kt_op *op, struct kt_req *req, bool free)
{
	struct kmdom_pin *pin = &op->pins[req->pin];

	if (!pin->held)
		return -ENOENT;
	if (free && !pin->write)
		return -EINVAL;
	if (free)
		kmdom_free_pinned(&op->op, pin);
	else
		kmdom_unpin(&op->op, pin);
	return 0;
}

/* Calls on an operation that was begun. */
static int step_call(struct kt_client *client, struct kt_op *op,
		     unsigned int cmd, struct kt_req *req)
{
	switch (cmd) {
	case KT_IOC_END:
		kt_op_end(client, op);
		return 0;
	case KT_IOC_PINSET:
		return do_pinset(client, op, req);
	case KT_IOC_UNPIN:
		return do_drop(op, req, false);
	case KT_IOC_READ:
		return do_read(client, op, req);
	case KT_IOC_WRITE:
		return do_write(client, op, req);
	case KT_IOC_ALLOC:
		return do_alloc(client, op, req);
	case KT_IOC_FREEPIN:
		return do_drop(op, req, true);
	case KT_IOC_FREE:
		if (!kt_cache(client, req->type))
			return -EINVAL;
		return kmdom_free(&op->op, kt_cache(client, req->type), req->ref);
	}
	return -ENOTTY;
}

static int op_call(struct kt_client *client, struct kt_op *op, unsigned int cmd,
		   struct kt_req *req)
{
	int ret;

	switch (cmd) {
	case KT_IOC_BEGIN:
		return kt_op_begin(client, op, req->flags);
	case KT_IOC_NEW:
		return kt_new(client, op, req);
	case KT_IOC_GET:
		return kt_get(client, op, req);
	case KT_IOC_SET:
		return kt_set(client, op, req);
	case KT_IOC_DEL:
		return kt_del(client, op, req);
	}
	if (!op->begun)
		return -ENOENT;
	kmdom_op_take_over(&op->op);
	ret = step_call(client, op, cmd, req);
	kmdom_op_hand_over(&op->op);
	req->waited = op->op.waited;
	return ret;
}

static int kt_call(struct kt_client *client, unsigned int cmd,
		   struct kt_req *req)
{
	struct kt_op *op;
	int ret;

	if (_IOC_NR(cmd) < _IOC_NR(KT_IOC_BEGIN)) {
		if (mutex_lock_killable(&client->lock))
			return -EINTR;
		ret = client_call(client, cmd, req);
		mutex_unlock(&client->lock);
		return ret;
	}
	if (req->op >= KT_OPS || req->pin >= KT_PLACES)
		return -EINVAL;
	op = &client->ops[req->op];
	if (mutex_lock_killable(&op->lock))
		return -EINTR;
	ret = op_call(client, op, cmd, req);
	mutex_unlock(&op->lock);
	return ret;
}

static long kt_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kt_req __user *user = (struct kt_req __user *)arg;
	struct kt_req *req;
	int ret;

	if (_IOC_TYPE(cmd) != 0xD8 || _IOC_SIZE(cmd) != sizeof(*req))
		return -ENOTTY;
	req = memdup_user(user, sizeof(*req));
	if (IS_ERR(req))
		return PTR_ERR(req);
	ret = kt_call(file->private_data, cmd, req);
	if (copy_to_user(user, req, sizeof(*req)) && !ret)
		ret = -EFAULT;
	kfree(req);
	return ret;
}

static void client_free(struct kt_client *client)
{
	unsigned int i;

	for (i = 0; i < KT_OPS; i++)
		kfree(client->ops[i].bounce);
	kvfree(client);
}

static int kt_open(struct inode *inode, struct file *file)
{
	struct kt_client *client;
	unsigned int i;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	client = kvzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	mutex_init(&client->lock);
	for (i = 0; i < KT_OPS; i++) {
		mutex_init(&client->ops[i].lock);
		client->ops[i].bounce = kmalloc(KMDOM_FRAME_SIZE, GFP_KERNEL);
		if (!client->ops[i].bounce) {
			client_free(client);
			return -ENOMEM;
		}
	}
	file->private_data = client;
	return 0;
}

/* No call is under way: each holds the file. */
static int kt_release(struct inode *inode, struct file *file)
{
	struct kt_client *client = file->private_data;
	unsigned int i;

	for (i = 0; i < KT_OPS; i++) {
		if (!client->ops[i].begun)
			continue;
		kmdom_op_take_over(&client->ops[i].op);
		kt_op_end(client, &client->ops[i]);
	}
	for (i = 0; i < KT_TYPES; i++)
		if (client->caches[i])
			kmdom_cache_detach(client->caches[i]);
	kt_crowd_attach(client, 0);
	kt_folio_drop(client);
	if (client->dom)
		kmdom_domain_put(client->dom);
	client_free(client);
	return 0;
}

static const struct file_operations kt_fops = {
	.owner = THIS_MODULE,
	.open = kt_open,
	.release = kt_release,
	.unlocked_ioctl = kt_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice kt_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmdom_test",
	.fops = &kt_fops,
	.mode = 0600,
};

static int __init kt_init(void)
{
	kt_crowd_init();
	return misc_register(&kt_device);
}
module_init(kt_init);

static void __exit kt_exit(void)
{
	misc_deregister(&kt_device);
}
module_exit(kt_exit);

MODULE_DESCRIPTION("Client of kernel-memory domains, for the selftests");
MODULE_LICENSE("GPL");
