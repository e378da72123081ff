// SPDX-License-Identifier: GPL-2.0
/*
 * client.c - operations, pins and allocations of clients: the in-kernel API
 *
 * The fast path of a pin is a walk of the table, a pin of the frame, a look at whose
 * it is (it may have become another page's in between), and the test of the object's
 * bit. What fails there goes to wait.c.
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

/* Frames that are promised for one allocation. */
#define KMDOM_PROMISE_ONE	(1 + KMDOM_TABLES_EXTRA)

/*
 * Promises frames and tables to an operation that is about to allocate. The tables are
 * looked at when they cannot leave any more.
 */
static __always_inline int kmdom_op_promise(struct kmdom_client_op *op, unsigned int nr,
					    enum kmdom_claim claim)
{
	struct kmdom_domain *dom = op->dom;
	int ret;

	if (!kmdom_frames_reserve(&dom->ledger, nr, claim))
		return -ENOBUFS;
	ret = kmdom_table_promised(&dom->table);
	if (unlikely(ret)) {
		kmdom_frames_unreserve(&dom->ledger, nr);
		op->undone = true;
		return ret;
	}
	op->reserved = nr;
	op->grows = true;
	op->keeps = claim == KMDOM_CLAIM_ALLOC;
	return 0;
}

/*
 * The same for a set that is tried again: the tables are looked at first, too, so that
 * who lacks one does not have the frames meanwhile with which it is restored.
 */
static int kmdom_op_reserve(struct kmdom_client_op *op, unsigned int nr,
			    enum kmdom_claim claim)
{
	unsigned int level;
	u64 cursor;
	int ret = kmdom_table_ready(&op->dom->table, &cursor, &level);

	if (!ret)
		ret = kmdom_op_promise(op, nr, claim);
	return ret && kmdom_domain_has_aborted(op->dom) ? -ENODEV : ret;
}

/*
 * Leaves what is a usual promise yet to the next operation. Returns whether that has it;
 * else it has ended, and those who lack frames are to be told: also if another one
 * collected it, who tells nobody.
 */
static bool kmdom_op_keep(struct kmdom_client_op *op, unsigned int nr)
{
	struct kmdom_ledger *ledger = &op->dom->ledger;

	if (nr != KMDOM_PROMISE_ONE || !op->keeps || !kmdom_promise_keep(ledger, nr)) {
		kmdom_frames_unreserve(ledger, nr);
		return false;
	}
	if (likely(!kmdom_promise_unwanted(ledger)))
		return true;
	kmdom_promises_drop(ledger);
	return false;
}

static void kmdom_op_unreserve(struct kmdom_client_op *op)
{
	unsigned int left = op->reserved;

	if (!op->grows)
		return;
	op->grows = false;
	op->reserved = 0;
	if (!kmdom_op_keep(op, left))
		kmdom_wait_frames_freed(op->dom, false);
}

/**
 * kmdom_op_finish - end an operation that has promises left
 * @op: the operation; all its pins have ended
 *
 * For kmdom_op_end().
 *
 * Context: any that does not interrupt.
 */
void kmdom_op_finish(struct kmdom_client_op *op)
{
	WARN_ON_ONCE(op->nr_pins);
	kmdom_op_unreserve(op);
}
EXPORT_SYMBOL_GPL(kmdom_op_finish);

/* Whether the object of a pinned frame is there. */
static __always_inline int kmdom_pin_object(struct kmdom_pin *pin,
					    struct kmdom_frame *frame)
{
	const struct kmdom_schema *schema = &pin->cache->schema;
	unsigned int slot = kmdom_ref_slot(pin->ref);

	if (slot >= schema->slots || !test_bit(slot, frame->live))
		return -ENOENT;
	pin->frame = frame;
	pin->obj = kmdom_frame_data(frame) + slot * schema->type->size;
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

	/* A table that is not there at all: see kmdom_pin_table(). */
	if (!frame)
		return;
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
	if (kmdom_frame_holds(frame, pin->cache, kmdom_ref_index(pin->ref)))
		ret = kmdom_pin_object(pin, frame);
	else if (kmdom_table_read(&dom->table, kmdom_ref_index(pin->ref)) == entry)
		ret = -ENOENT;	/* the cache is another domain's */
	if (ret)
		kmdom_frame_unpin(dom, frame, pin->write);
	return ret;
}

/* Why there is no page for a pin. */
static int kmdom_pin_empty(struct kmdom_domain *dom, const struct kmdom_pin *pin)
{
	if (kmdom_domain_has_aborted(dom))
		return -ENODEV;
	return pin->cache->policy == KMDOM_POLICY_DISCARD ?
	       -ENODATA : -ENOENT;
}

/* By the entry of its page, or of the first table over it that is missing. */
static int kmdom_pin_entry(struct kmdom_domain *dom, struct kmdom_pin *pin,
			   u64 entry, unsigned int level)
{
	if (!level && entry != KMDOM_ENTRY_EMPTY &&
	    kmdom_entry_cache(entry) != pin->cache->id)
		return -ENOENT;
	/* A table leaves when no page under it is there: what is discarded was before. */
	if (level && pin->cache->policy == KMDOM_POLICY_DISCARD)
		return kmdom_pin_empty(dom, pin);
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_EMPTY:
		return kmdom_pin_empty(dom, pin);
	case KMDOM_PAGE_PRESENT:
		return kmdom_pin_present(dom, pin, entry);
	case KMDOM_PAGE_ABSENT:
		return -EAGAIN;
	default:
		return kmdom_domain_has_aborted(dom) ? -ENODEV : -EIO;
	}
}

/*
 * The same for a pin of the table alone: what is not absent needs no pager. The frame
 * that was found is that table's, or nobody's: it is frozen when the table leaves, and
 * becomes another's after a grace period, while the caller is in an RCU section.
 */
static int kmdom_pin_table(struct kmdom_domain *dom, struct kmdom_pin *pin,
			   u64 entry)
{
	struct kmdom_frame *frame;

	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_PRESENT:
		frame = kmdom_entry_frame(entry);
		if (!kmdom_frame_try_pin(frame, false))
			return -EBUSY;
		pin->frame = frame;
		return 0;
	case KMDOM_PAGE_ABSENT:
		return -EAGAIN;
	default:
		return kmdom_domain_has_aborted(dom) ? -ENODEV : 0;
	}
}

/*
 * Pins an object whose page is there. False: it is not, or not as simple as that.
 */
static __always_inline bool kmdom_pin_fast(struct kmdom_domain *dom,
					   struct kmdom_pin *pin)
{
	struct kmdom_frame *frame;

	frame = kmdom_pin_resident(dom, pin->cache, kmdom_ref_index(pin->ref),
				   pin->write);
	if (frame && unlikely(kmdom_pin_object(pin, frame))) {
		kmdom_frame_unpin(dom, frame, pin->write);
		frame = NULL;
	}
	pin->held = frame;
	return frame;
}

/*
 * Pins one object. -EAGAIN: its page or a table over it is absent; -EBUSY: it
 * moves; -ENOENT, -ENODATA, -EIO, -ENODEV are final.
 */
static int kmdom_pin_try(struct kmdom_domain *dom, struct kmdom_pin *pin)
{
	unsigned int level;
	u64 entry;
	int ret;

	if (!pin->table && likely(kmdom_pin_fast(dom, pin)))
		return 0;
	rcu_read_lock();
	do {
		entry = kmdom_table_walk(&dom->table, kmdom_ref_index(pin->ref),
					 pin->table, &level);
		ret = pin->table ? kmdom_pin_table(dom, pin, entry) :
				   kmdom_pin_entry(dom, pin, entry, level);
		/* What was present is that no more: look again. */
	} while (ret == -EAGAIN &&
		 kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT);
	rcu_read_unlock();
	pin->held = !ret;
	return ret;
}

static void kmdom_pin_drop(struct kmdom_domain *dom, struct kmdom_pin *pin)
{
	struct kmdom_frame *frame = pin->frame;

	pin->obj = NULL;
	pin->frame = NULL;
	pin->held = false;
	if (frame)
		kmdom_frame_unpin(dom, frame, pin->write);
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
	if (nr_frames) {
		ret = kmdom_op_reserve(op, nr_frames, claim);
		if (ret)
			goto drop;
	}
	while (i--)
		kmdom_pin_mark(&pins[i]);
	return 0;
drop:
	while (i--)
		kmdom_pin_drop(op->dom, &pins[i]);
	return ret;
}

/**
 * kmdom_op_hand_over - another task may go on with an operation
 * @op: the operation
 *
 * For lockdep, which takes the pins for the task's; without it nothing happens.
 *
 * Context: any that does not interrupt.
 */
void kmdom_op_hand_over(struct kmdom_client_op *op)
{
	if (op->nr_pins)
		lock_map_release(&kmdom_pins_held);
}
EXPORT_SYMBOL_GPL(kmdom_op_hand_over);

/**
 * kmdom_op_take_over - go on with an operation that was handed over
 * @op: the operation, which no task uses
 *
 * Context: any that does not interrupt.
 */
void kmdom_op_take_over(struct kmdom_client_op *op)
{
	if (op->nr_pins)
		lock_map_acquire_read(&kmdom_pins_held);
}
EXPORT_SYMBOL_GPL(kmdom_op_take_over);

/*
 * A pin of a table is for freeing what has a page of its own: other objects are
 * pinned to be freed. What can be no ref is found here, before others are waited
 * for.
 */
static int kmdom_pins_begin(struct kmdom_pin *pins, unsigned int nr)
{
	int ret = 0;

	for (; nr; nr--, pins++) {
		if (pins->table &&
		    (pins->write || pins->cache->schema.slots != 1))
			return -EINVAL;
		if (!kmdom_ref_valid(pins->ref))
			ret = -ENOENT;
		pins->obj = NULL;
		pins->frame = NULL;
		pins->held = false;
	}
	return ret;
}

/*
 * A table may have become empty, and stayed for a pin that has ended. Not where that
 * ends: a set that is tried for a waiter drops pins under the lock of the waits.
 */
static void kmdom_pin_prune(struct kmdom_domain *dom, const struct kmdom_pin *pin)
{
	if (pin->table)
		kmdom_slab_prune(dom, kmdom_ref_index(pin->ref));
}

/* Grants a set, at once or later; then all its pins are held, or none is. */
static int kmdom_set_grant(struct kmdom_client_op *op, struct kmdom_pin *pins,
			   unsigned int nr_pins, unsigned int frames)
{
	int ret = kmdom_set_try(op, pins, nr_pins, frames, KMDOM_CLAIM_ALLOC);

	if (ret != -EAGAIN && ret != -EBUSY && ret != -ENOBUFS)
		return ret;
	/* Frames that were promised for a moment may be what others lacked. */
	if (op->undone) {
		op->undone = false;
		kmdom_wait_frames_freed(op->dom, false);
	}
	if (op->flags & KMDOM_OP_NOWAIT)
		return -EAGAIN;
	return kmdom_wait_for_set(op, pins, nr_pins, frames, ret);
}

/* What all calls must observe who may wait, though most do not come to it. */
static void kmdom_pin_set_rules(const struct kmdom_client_op *op)
{
	/* Who holds a pin is refused. */
	if ((op->flags & KMDOM_OP_NOWAIT) || op->nr_pins)
		return;
	might_sleep_if(IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP));
	lock_map_acquire(&kmdom_pins_held);
	lock_map_release(&kmdom_pins_held);
}

static noinline int kmdom_pin_many(struct kmdom_client_op *op, struct kmdom_pin *pins,
				   unsigned int nr_pins, unsigned int nr_allocs)
{
	unsigned int frames = 0;
	int ret;

	if (nr_pins > KMDOM_PINS_MAX || nr_allocs > KMDOM_ALLOCS_MAX)
		return -EINVAL;
	ret = kmdom_pins_begin(pins, nr_pins);
	if (ret)
		return ret;
	if (op->nr_pins)
		return -EDEADLK;
	/* At once, though its pages are frozen one after the other. */
	if (kmdom_domain_has_aborted(op->dom))
		return -ENODEV;
	if (!(op->flags & KMDOM_OP_NOWAIT))
		cond_resched();
	kmdom_op_unreserve(op);
	if (nr_allocs)
		frames = nr_allocs + KMDOM_TABLES_EXTRA;
	ret = kmdom_set_grant(op, pins, nr_pins, frames);
	if (ret) {
		while (nr_pins--)
			kmdom_pin_prune(op->dom, &pins[nr_pins]);
	} else if (nr_pins) {
		kmdom_pins_count(op, nr_pins);
	}
	return ret;
}

/*
 * The usual set: one object, whose page is there. Nothing is pinned where it is not as
 * simple as that.
 */
static __always_inline bool kmdom_pin_one(struct kmdom_client_op *op,
					  struct kmdom_pin *pin)
{
	if (pin->table || op->nr_pins || op->grows ||
	    kmdom_domain_has_aborted(op->dom) || unlikely(!kmdom_pin_fast(op->dom, pin)))
		return false;
	kmdom_pin_mark(pin);
	kmdom_pins_count(op, 1);
	return true;
}

/*
 * The usual promise: that of one allocation, which the last operation on this CPU did not
 * need, while the tables are there that it keeps. Is the cursor elsewhere by now, the
 * operation has it all the same, and kmdom_pin_many() leaves it to the next. Not while
 * anybody waits: there are older rights then.
 */
static __always_inline bool kmdom_pin_none(struct kmdom_client_op *op)
{
	struct kmdom_domain *dom = op->dom;
	unsigned int nr;

	if (op->nr_pins || op->grows || kmdom_promise_unwanted(&dom->ledger))
		return false;
	nr = kmdom_promise_reuse(&dom->ledger);
	if (unlikely(!nr))
		return false;
	op->reserved = nr;
	op->grows = true;
	op->keeps = true;
	return likely(kmdom_table_found(&dom->table));
}

/* And the next: frames that are there, and the tables, as it seems. */
static noinline int kmdom_pin_others(struct kmdom_client_op *op, struct kmdom_pin *pins,
				     unsigned int nr_pins, unsigned int nr_allocs)
{
	if (!nr_pins && nr_allocs && nr_allocs <= KMDOM_ALLOCS_MAX &&
	    !op->nr_pins && !op->grows && kmdom_table_found(&op->dom->table) &&
	    likely(!kmdom_op_promise(op, nr_allocs + KMDOM_TABLES_EXTRA, KMDOM_CLAIM_ALLOC)))
		return 0;
	return kmdom_pin_many(op, pins, nr_pins, nr_allocs);
}

/* Out of line, as all sets but the usual one, which saves no registers for them. */
static noinline int kmdom_pin_not_one(struct kmdom_client_op *op, struct kmdom_pin *pins,
				      unsigned int nr_pins, unsigned int nr_allocs)
{
	if (!nr_pins && nr_allocs == 1 && likely(kmdom_pin_none(op)))
		return 0;
	return kmdom_pin_others(op, pins, nr_pins, nr_allocs);
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
 * that cache), -ENODATA (it was discarded), -ETIMEDOUT, -EINTR, -EIO, -ENODEV,
 * -EAGAIN (NOWAIT), -EDEADLK (pins are held, the task is in reclaim or is the
 * pager), -EINVAL.
 */
int kmdom_pin_set(struct kmdom_client_op *op, struct kmdom_pin *pins,
		  unsigned int nr_pins, unsigned int nr_allocs)
{
	kmdom_pin_set_rules(op);
	if (unlikely(nr_pins != 1 || nr_allocs))
		return kmdom_pin_not_one(op, pins, nr_pins, nr_allocs);
	return likely(kmdom_pin_one(op, pins)) ? 0 : kmdom_pin_many(op, pins, 1, 0);
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
	kmdom_pin_drop(op->dom, pin);
	kmdom_pins_count(op, -1);
	kmdom_pin_prune(op->dom, pin);
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
	pin->table = false;
	ret = kmdom_slab_alloc(pin->cache, pin, &op->reserved);
	pin->held = !ret;
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
	struct kmdom_frame *frame = pin->frame;

	pin->obj = NULL;
	pin->frame = NULL;
	pin->held = false;
	kmdom_slab_free(frame, kmdom_ref_slot(pin->ref));
	kmdom_pins_count(op, -1);
}
EXPORT_SYMBOL_GPL(kmdom_free_pinned);

/*
 * Frees an object that has a page of its own: that need not be there, but its
 * entry must.
 */
static int kmdom_free_page(struct kmdom_client_op *op, struct kmdom_pin *pin)
{
	u64 index = kmdom_ref_index(pin->ref);
	int ret;

	if (kmdom_ref_slot(pin->ref))
		return -ENOENT;
	ret = kmdom_slab_free_page(pin->cache, index);
	if (ret != -EAGAIN || op->nr_pins)
		return ret;
	ret = kmdom_pin_set(op, pin, 1, 0);
	if (ret)
		return ret;
	ret = kmdom_slab_free_page(pin->cache, index);
	kmdom_unpin(op, pin);
	return ret;
}

/**
 * kmdom_free - free an object, wherever its page is
 * @op: the operation
 * @cache: of the object
 * @ref: its name. Nobody uses the object
 *
 * An object of a type with one to a page is not restored for that, and may be
 * freed while pins on other objects are held: but then, as with KMDOM_OP_NOWAIT,
 * not if a table over its page is absent, unless one of those pins is on that.
 * Any other is pinned for writing first. One that was discarded is free.
 *
 * Context: may sleep; waits for the pager as kmdom_pin_set() does.
 * Return: 0, or -ENOENT, -EAGAIN, -EDEADLK (it stays pinned), or what
 * kmdom_pin_set() returns; unless it is -ENOENT the object is still there then.
 */
int kmdom_free(struct kmdom_client_op *op, struct kmdom_cache *cache,
	       kmdom_ref ref)
{
	bool alone = cache->schema.slots == 1;
	struct kmdom_pin pin = {
		.ref = ref, .cache = cache, .write = !alone, .table = alone,
	};
	int ret;

	if (!kmdom_ref_valid(ref))
		return -ENOENT;
	if (alone) {
		ret = kmdom_free_page(op, &pin);
	} else {
		ret = kmdom_pin_set(op, &pin, 1, 0);
		if (!ret)
			kmdom_free_pinned(op, &pin);
	}
	if (cache->policy == KMDOM_POLICY_DISCARD &&
	    (ret == -ENODATA || ret == -ENOENT))
		ret = 0;
	return ret;
}
EXPORT_SYMBOL_GPL(kmdom_free);
