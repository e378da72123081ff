// SPDX-License-Identifier: GPL-2.0
/*
 * client.c - operations, pins and allocations of clients: the in-kernel API
 *
 * The fast path of a pin is a walk of the table, a pin of the frame, a second
 * look at the entry (the frame may have become another page's in between), and
 * the test of the object's bit. What fails there goes to wait.c.
 */
#include <linux/export.h>
#include <linux/lockdep.h>
#include "cache.h"
#include "client.h"
#include "domain.h"
#include "pin.h"

/*
 * Held by a task while it holds a pin, and taken by whoever may wait for a
 * pager: lockdep reports who does both, even if no wait came of it.
 */
#ifdef CONFIG_LOCKDEP
static struct lockdep_map kmdom_pins_held =
	STATIC_LOCKDEP_MAP_INIT("kmdom_pins_held", &kmdom_pins_held);
#endif

static void kmdom_pins_count(struct kmdom_client_op *op, int nr)
{
	if (!op->nr_pins && nr > 0)
		lock_map_acquire_read(&kmdom_pins_held);
	op->nr_pins += nr;
	if (!op->nr_pins && nr < 0)
		lock_map_release(&kmdom_pins_held);
}

/**
 * kmdom_op_begin - begin an operation
 * @op: the operation; on the caller's stack
 * @dom: the domain, on which the caller has a reference
 * @flags: KMDOM_OP_NOWAIT or 0
 *
 * Its deadline counts from the first wait.
 *
 * Context: any.
 */
void kmdom_op_begin(struct kmdom_client_op *op, struct kmdom_domain *dom,
		    unsigned int flags)
{
	*op = (struct kmdom_client_op){ .dom = dom, .flags = flags };
}
EXPORT_SYMBOL_GPL(kmdom_op_begin);

static void kmdom_op_unreserve(struct kmdom_client_op *op)
{
	if (!op->reserved)
		return;
	kmdom_frames_unreserve(op->dom, op->reserved);
	op->reserved = 0;
	kmdom_wait_frames_freed(op->dom, false);
}

/**
 * kmdom_op_end - end an operation
 * @op: the operation; all its pins have ended
 *
 * Context: any that does not interrupt.
 */
void kmdom_op_end(struct kmdom_client_op *op)
{
	WARN_ON_ONCE(op->nr_pins);
	kmdom_op_unreserve(op);
}
EXPORT_SYMBOL_GPL(kmdom_op_end);

/* Whether the object of a pinned frame is there. */
static int kmdom_pin_object(struct kmdom_pin *pin, struct kmdom_frame *frame)
{
	unsigned int slot = kmdom_ref_slot(pin->ref);

	if (slot >= pin->cache->schema.slots || !test_bit(slot, frame->live))
		return -ENOENT;
	pin->frame = frame;
	pin->obj = kmdom_frame_data(frame) + slot * pin->cache->schema.type->size;
	return 0;
}

/*
 * Marks the page of a pin whose set is granted. Not before: each try of a
 * waiting set would undo an export of the pages that it has already, and the
 * pager could not preempt them. Under the pin, before the pointer is out: see
 * pin.h on exports.
 */
static void kmdom_pin_mark(const struct kmdom_pin *pin)
{
	struct kmdom_frame *frame = pin->frame;

	if (pin->write && !READ_ONCE(frame->dirty))
		WRITE_ONCE(frame->dirty, true);
	if (!READ_ONCE(frame->referenced))
		WRITE_ONCE(frame->referenced, true);
}

static int kmdom_pin_present(struct kmdom_domain *dom, struct kmdom_pin *pin,
			     u64 entry)
{
	struct kmdom_frame *frame = kmdom_entry_frame(entry);
	int ret = -EAGAIN;

	if (!kmdom_frame_try_pin(frame, pin->write))
		return -EBUSY;
	if (kmdom_table_read(&dom->table, kmdom_ref_index(pin->ref)) == entry)
		ret = kmdom_pin_object(pin, frame);
	if (ret)
		kmdom_frame_unpin(frame, pin->write);
	return ret;
}

/*
 * Pins one object. -EAGAIN: its page is absent; -EBUSY: it moves; -ENOENT,
 * -EIO, -ENODEV are final.
 */
static int kmdom_pin_try(struct kmdom_domain *dom, struct kmdom_pin *pin)
{
	int ret = -ENOENT;
	u64 entry;

	if (!kmdom_ref_valid(pin->ref))
		return ret;
	rcu_read_lock();
retry:
	entry = kmdom_table_read(&dom->table, kmdom_ref_index(pin->ref));
	if (entry == KMDOM_ENTRY_EMPTY) {
		if (kmdom_domain_aborted(dom))
			ret = -ENODEV;
		goto unlock;
	}
	if (kmdom_entry_cache(entry) != pin->cache->id)
		goto unlock;
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_PRESENT:
		ret = kmdom_pin_present(dom, pin, entry);
		if (ret == -EAGAIN)
			goto retry;
		break;
	case KMDOM_PAGE_ABSENT:
		ret = -EAGAIN;
		break;
	case KMDOM_PAGE_LOST:
		ret = -EIO;
		break;
	default:
		ret = -EBUSY;
	}
unlock:
	rcu_read_unlock();
	return ret;
}

static void kmdom_pin_drop(struct kmdom_pin *pin)
{
	pin->obj = NULL;
	kmdom_frame_unpin(pin->frame, pin->write);
}

/**
 * kmdom_set_try - grant a pin set if it can be granted now
 * @op: the operation
 * @pins: the set
 * @nr_pins: in @pins
 * @nr_frames: to be promised
 * @claim: by what right
 *
 * Context: any that does not interrupt.
 * Return: 0, and all is pinned and promised; else nothing is. -EAGAIN: a page
 * is absent; -EBUSY: one moves; -ENOBUFS: frames lack; others are final.
 */
int kmdom_set_try(struct kmdom_client_op *op, struct kmdom_pin *pins,
		  unsigned int nr_pins, unsigned int nr_frames,
		  enum kmdom_claim claim)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr_pins; i++) {
		ret = kmdom_pin_try(op->dom, &pins[i]);
		if (ret)
			goto drop;
	}
	if (nr_frames && !kmdom_frames_reserve(op->dom, nr_frames, claim)) {
		ret = kmdom_domain_aborted(op->dom) ? -ENODEV : -ENOBUFS;
		goto drop;
	}
	op->reserved = nr_frames;
	while (i--)
		kmdom_pin_mark(&pins[i]);
	return 0;
drop:
	while (i--)
		kmdom_pin_drop(&pins[i]);
	return ret;
}

/**
 * kmdom_pin_set - pin all objects of one step, and reserve what it allocates
 * @op: the operation; holds no pin
 * @pins: the objects
 * @nr_pins: how many, at most KMDOM_PINS_MAX; may be 0
 * @nr_allocs: calls of kmdom_alloc() until the next set or the end of the
 *	operation that will find memory, at most KMDOM_ALLOCS_MAX
 *
 * Context: may sleep and wait for the pager, killable and freezable, unless
 * KMDOM_OP_NOWAIT was given. Never called with a lock that the pager, reclaim
 * or another domain needs.
 * Return: 0, and all is pinned; else nothing is: -ENOENT (no such object in
 * that cache), -ETIMEDOUT, -EINTR, -EIO, -ENODEV, -EAGAIN (NOWAIT), -EDEADLK
 * (pins are held, the task is in reclaim or is the pager), -EINVAL.
 */
int kmdom_pin_set(struct kmdom_client_op *op, struct kmdom_pin *pins,
		  unsigned int nr_pins, unsigned int nr_allocs)
{
	unsigned int frames = 0;
	int ret;

	if (nr_pins > KMDOM_PINS_MAX || nr_allocs > KMDOM_ALLOCS_MAX)
		return -EINVAL;
	if (op->nr_pins)
		return -EDEADLK;
	/* At once, though its pages are frozen one after the other. */
	if (kmdom_domain_aborted(op->dom))
		return -ENODEV;
	if (!(op->flags & KMDOM_OP_NOWAIT)) {
		might_sleep();
		lock_map_acquire(&kmdom_pins_held);
		lock_map_release(&kmdom_pins_held);
	}
	kmdom_op_unreserve(op);
	if (nr_allocs)
		frames = nr_allocs + KMDOM_TABLES_EXTRA;
	ret = kmdom_set_try(op, pins, nr_pins, frames, KMDOM_CLAIM_ALLOC);
	if (ret == -EAGAIN || ret == -EBUSY || ret == -ENOBUFS) {
		if (op->flags & KMDOM_OP_NOWAIT)
			return -EAGAIN;
		ret = kmdom_wait_for_set(op, pins, nr_pins, frames, ret);
	}
	if (!ret && nr_pins)
		kmdom_pins_count(op, nr_pins);
	return ret;
}
EXPORT_SYMBOL_GPL(kmdom_pin_set);

/**
 * kmdom_unpin - end a pin
 * @op: the operation
 * @pin: of a set that was granted, or of an allocation
 *
 * Context: any that does not interrupt.
 */
void kmdom_unpin(struct kmdom_client_op *op, struct kmdom_pin *pin)
{
	kmdom_pin_drop(pin);
	kmdom_pins_count(op, -1);
}
EXPORT_SYMBOL_GPL(kmdom_unpin);

/**
 * kmdom_alloc - a new object, zeroed and pinned for writing
 * @op: the operation, for which it was reserved by kmdom_pin_set()
 * @pin: in: cache; out: ref and obj
 *
 * Context: any that does not interrupt; never waits.
 * Return: 0, -ENOBUFS (nothing was reserved), -ENODEV, -ENOSPC (the domain has
 * no index left).
 */
int kmdom_alloc(struct kmdom_client_op *op, struct kmdom_pin *pin)
{
	int ret;

	pin->write = true;
	ret = kmdom_slab_alloc(pin->cache, pin, &op->reserved);
	if (!ret)
		kmdom_pins_count(op, 1);
	return ret;
}
EXPORT_SYMBOL_GPL(kmdom_alloc);

/**
 * kmdom_free_pinned - free an object that is pinned for writing
 * @op: the operation
 * @pin: of the object; ends with it. Nobody else uses the object
 *
 * Context: any that does not interrupt; never waits.
 */
void kmdom_free_pinned(struct kmdom_client_op *op, struct kmdom_pin *pin)
{
	pin->obj = NULL;
	kmdom_slab_free(pin->frame, kmdom_ref_slot(pin->ref));
	kmdom_pins_count(op, -1);
}
EXPORT_SYMBOL_GPL(kmdom_free_pinned);

/**
 * kmdom_free - free an object, wherever its page is
 * @op: the operation
 * @cache: of the object
 * @ref: its name. Nobody uses the object
 *
 * A type with one object to a page never waits for the pager here, restores
 * nothing, and may be freed while pins on other objects are held. Any other is
 * pinned for writing first.
 *
 * Context: may sleep; waits for the pager as kmdom_pin_set() does.
 * Return: 0, or -ENOENT, or what kmdom_pin_set() returns; the object is still
 * there then.
 */
int kmdom_free(struct kmdom_client_op *op, struct kmdom_cache *cache,
	       kmdom_ref ref)
{
	struct kmdom_pin pin = { .ref = ref, .cache = cache, .write = true };
	int ret;

	if (!kmdom_ref_valid(ref))
		return -ENOENT;
	if (cache->schema.slots == 1)
		return kmdom_ref_slot(ref) ? -ENOENT :
			kmdom_slab_free_page(cache, kmdom_ref_index(ref));
	ret = kmdom_pin_set(op, &pin, 1, 0);
	if (!ret)
		kmdom_free_pinned(op, &pin);
	return ret;
}
EXPORT_SYMBOL_GPL(kmdom_free);
