// SPDX-License-Identifier: GPL-2.0
/*
 * exchange.c - the border: copies in, checks, calls, copies out
 *
 * Every structure of the pager is copied once, into memory that it cannot
 * reach, and checked once. Nothing but a slot of the pager's own is held while
 * its memory is touched: no fence, no lock, no frozen page.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "domain.h"
#include "judge.h"
#include "paging.h"
#include "seal.h"
#include "session.h"
#include "trace.h"
#include "uring.h"

static_assert(KMDOM_RECORD_MAX <= KMDOM_BOUNCE);
static_assert(KMDOM_SCAN_MAX * sizeof(struct kmdom_page) <= KMDOM_BOUNCE);

static void kmdom_slot_free(struct kmdom_slot *slot)
{
	kmdom_seal_request_free(slot->req);
	kfree_sensitive(slot->record);
	kvfree(slot);
}

/**
 * kmdom_slots_create - all buffers that a session's exchanges will need
 * @session: the session
 * @nr: how many, at most KMDOM_SLOTS_MAX
 * @seal: the domain's key
 *
 * Context: may sleep; charged to the caller.
 * Return: 0 or -ENOMEM; then kmdom_slots_destroy() is still to be called.
 */
int kmdom_slots_create(struct kmdom_session *session, unsigned int nr,
		       struct kmdom_seal *seal)
{
	init_waitqueue_head(&session->slots_wq);
	while (session->nr_slots < nr) {
		struct kmdom_slot *slot;

		slot = kvzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
		if (!slot)
			return -ENOMEM;
		slot->nr = session->nr_slots;
		session->slots[session->nr_slots++] = slot;
		slot->record = kzalloc(KMDOM_BOUNCE, GFP_KERNEL_ACCOUNT);
		slot->req = kmdom_seal_request_alloc(seal, GFP_KERNEL_ACCOUNT);
		if (!slot->record || !slot->req)
			return -ENOMEM;
		set_bit(slot->nr, &session->slots_free);
	}
	return 0;
}

/** kmdom_slots_destroy - free the slots; no exchange is at work */
void kmdom_slots_destroy(struct kmdom_session *session)
{
	while (session->nr_slots)
		kmdom_slot_free(session->slots[--session->nr_slots]);
}

static struct kmdom_slot *kmdom_slot_try_get(struct kmdom_session *session)
{
	unsigned long nr;

	for_each_set_bit(nr, &session->slots_free, session->nr_slots)
		if (test_and_clear_bit(nr, &session->slots_free))
			return session->slots[nr];
	return NULL;
}

/* A slot for one exchange: waits, killable, for the pager's other threads. */
static struct kmdom_slot *kmdom_slot_get(struct kmdom_session *session,
					 bool nonblock)
{
	struct kmdom_slot *slot = kmdom_slot_try_get(session);
	int ret;

	if (slot)
		return slot;
	if (nonblock)
		return ERR_PTR(-EAGAIN);
	ret = wait_event_killable(session->slots_wq,
				  (slot = kmdom_slot_try_get(session)));
	return ret ? ERR_PTR(-EINTR) : slot;
}

static void kmdom_slot_put(struct kmdom_session *session,
			   struct kmdom_slot *slot)
{
	smp_mb__before_atomic();	/* pairs with test_and_clear_bit() */
	set_bit(slot->nr, &session->slots_free);
	wake_up(&session->slots_wq);
}

/* Flags and fields that each operation uses; all others must be 0. */
static const struct {
	u16 flags;
	bool level, index, version, buf, arg;
} kmdom_op_uses[] = {
	[KMDOM_OP_GRANT] = { .index = true, .arg = true },
	[KMDOM_OP_REVOKE] = { .index = true, .arg = true },
	[KMDOM_OP_EXPORT] = { .flags = KMDOM_OPF_DRAIN, .level = true,
			      .index = true, .buf = true },
	[KMDOM_OP_STORED] = { .level = true, .index = true, .version = true },
	[KMDOM_OP_EVICT] = { .flags = KMDOM_OPF_DRAIN, .level = true,
			     .index = true, .version = true },
	[KMDOM_OP_RESTORE] = { .level = true, .index = true, .version = true,
			       .buf = true },
	[KMDOM_OP_REFUSE] = { .flags = KMDOM_OPF_LOST, .level = true,
			      .index = true, .version = true },
	[KMDOM_OP_SCAN] = { .flags = KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR,
			    .index = true, .buf = true, .arg = true },
	[KMDOM_OP_RESEND] = { },
};

static int kmdom_op_check(const struct kmdom_op *op)
{
	if (!op->code || op->code >= ARRAY_SIZE(kmdom_op_uses))
		return -EINVAL;
	if ((op->flags & ~kmdom_op_uses[op->code].flags) ||
	    op->level > (kmdom_op_uses[op->code].level ? KMDOM_LEVELS : 0) ||
	    (op->index && !kmdom_op_uses[op->code].index) ||
	    (op->version && !kmdom_op_uses[op->code].version) ||
	    ((op->buf || op->len) && !kmdom_op_uses[op->code].buf) ||
	    (op->arg && !kmdom_op_uses[op->code].arg))
		return -EINVAL;
	if (op->code == KMDOM_OP_SCAN &&
	    (!op->arg || op->arg > KMDOM_SCAN_MAX ||
	     op->len < op->arg * sizeof(struct kmdom_page)))
		return -EINVAL;
	return 0;
}

static int kmdom_op_export(struct kmdom_session *session,
			   struct kmdom_slot *slot, const struct kmdom_op *op,
			   struct kmdom_result *res)
{
	int ret = kmdom_session_enter(session);

	if (ret)
		return ret;
	ret = kmdom_page_export(session, slot, op, res);
	kmdom_session_leave(session);
	if (ret)
		return ret;
	if (copy_to_user(u64_to_user_ptr(op->buf), slot->record, res->len))
		return -EFAULT;
	ret = kmdom_session_enter(session);
	if (ret)
		return ret;
	ret = kmdom_page_exported(session, op, res);
	kmdom_session_leave(session);
	return ret;
}

static int kmdom_op_restore(struct kmdom_session *session,
			    struct kmdom_slot *slot, const struct kmdom_op *op,
			    struct kmdom_result *res)
{
	int ret;

	ret = kmdom_judge_len(op->len, &res->value);
	if (ret)
		return ret;
	if (copy_from_user(slot->record, u64_to_user_ptr(op->buf), op->len))
		return -EFAULT;
	ret = kmdom_session_enter(session);
	if (ret)
		return ret;
	ret = kmdom_page_restore(session, slot, op, res);
	kmdom_session_leave(session);
	return ret;
}

static int kmdom_op_scan(struct kmdom_session *session, struct kmdom_slot *slot,
			 const struct kmdom_op *op, struct kmdom_result *res)
{
	struct kmdom_page *pages = slot->record;
	int ret = kmdom_session_enter(session);

	if (ret)
		return ret;
	ret = kmdom_pages_scan(session, op, pages, res);
	kmdom_session_leave(session);
	if (!ret && copy_to_user(u64_to_user_ptr(op->buf), pages,
				 res->len * sizeof(*pages)))
		return -EFAULT;
	return ret;
}

static int kmdom_op_resend(struct kmdom_session *session,
			   struct kmdom_result *res)
{
	struct kmdom_domain *dom = session->dom;

	spin_lock(&dom->wait.lock);
	res->value = kmdom_events_show_all(dom);
	spin_unlock(&dom->wait.lock);
	return 0;
}

/* GRANT and REVOKE, in steps so short that the session's end can come between. */
static int kmdom_op_frames(struct kmdom_session *session,
			   const struct kmdom_op *op, struct kmdom_result *res)
{
	struct kmdom_pool *pool = session->pool;
	u64 first = op->index;
	u32 nr = op->arg;
	int ret = 0;

	if (!nr || first >= pool->nr_frames || nr > pool->nr_frames - first)
		return -EINVAL;
	while (nr && !ret && !fatal_signal_pending(current)) {
		u32 chunk = min_t(u32, nr, KMDOM_GRANT_CHUNK);

		ret = kmdom_session_enter(session);
		if (ret)
			break;
		if (op->code == KMDOM_OP_GRANT)
			ret = kmdom_pool_grant(pool, first, &chunk, &res->value);
		else
			kmdom_pool_revoke(pool, first, chunk, &res->value);
		kmdom_session_leave(session);
		if (op->code == KMDOM_OP_GRANT)
			kmdom_wait_frames_freed(session->dom, true);
		first += chunk;
		nr -= chunk;
		cond_resched();
	}
	if (op->code == KMDOM_OP_GRANT)
		trace_kmdom_grant(session->dom, op->index, res->value);
	else
		trace_kmdom_revoke(session->dom, op->index, res->value);
	if (res->value)
		return 0;
	return ret ?: -EBUSY;
}

/* Operations that touch no memory of the pager. */
static int kmdom_op_plain(struct kmdom_session *session,
			  const struct kmdom_op *op, struct kmdom_result *res)
{
	int ret = kmdom_session_enter(session);

	if (ret)
		return ret;
	switch (op->code) {
	case KMDOM_OP_STORED:
		ret = kmdom_page_stored(session, op);
		break;
	case KMDOM_OP_EVICT:
		ret = kmdom_page_evict(session, op);
		break;
	case KMDOM_OP_REFUSE:
		ret = kmdom_page_refuse(session, op, res);
		break;
	default:
		ret = kmdom_op_resend(session, res);
	}
	kmdom_session_leave(session);
	return ret;
}

static int kmdom_op_call(struct kmdom_session *session, struct kmdom_slot *slot,
			 const struct kmdom_op *op, struct kmdom_result *res)
{
	int ret = kmdom_op_check(op);

	if (ret)
		return ret;
	switch (op->code) {
	case KMDOM_OP_GRANT:
	case KMDOM_OP_REVOKE:
		return kmdom_op_frames(session, op, res);
	case KMDOM_OP_EXPORT:
		return kmdom_op_export(session, slot, op, res);
	case KMDOM_OP_RESTORE:
		return kmdom_op_restore(session, slot, op, res);
	case KMDOM_OP_SCAN:
		return kmdom_op_scan(session, slot, op, res);
	default:
		return kmdom_op_plain(session, op, res);
	}
}

static void kmdom_op_run(struct kmdom_session *session, struct kmdom_slot *slot,
			 const struct kmdom_op *op, struct kmdom_result *res)
{
	memset(res, 0, sizeof(*res));
	res->ret = kmdom_op_call(session, slot, op, res);
	/* Here, so that none is forgotten, however early it was seen. */
	if (op->code == KMDOM_OP_RESTORE && res->value) {
		atomic64_inc(&session->dom->stats.rejected[res->value]);
		trace_kmdom_reject(session->dom, op, res->value);
	}
}

/**
 * kmdom_exchange_read - copy an exchange in, and check it
 * @ex: out
 * @addr: of the user's structure
 * @len: its size, as the user says
 *
 * Return: 0, -EFAULT, -EINVAL.
 */
int kmdom_exchange_read(struct kmdom_exchange *ex, u64 addr, u32 len)
{
	if (len != sizeof(*ex))
		return -EINVAL;
	if (copy_from_user(ex, u64_to_user_ptr(addr), sizeof(*ex)))
		return -EFAULT;
	if (ex->nr_ops > KMDOM_OPS_MAX || ex->max_events > KMDOM_EVENTS_MAX ||
	    ex->min_events > 1 || ex->min_events > ex->max_events ||
	    (ex->flags & ~KMDOM_EXCHANGE_WAKE))
		return -EINVAL;
	ex->nr_results = 0;
	ex->nr_events = 0;
	return 0;
}

/* Whether an operation may sleep for long: for pins, or for memory. */
static bool kmdom_op_blocks(const struct kmdom_session *session,
			    const struct kmdom_op *op)
{
	return (op->flags & KMDOM_OPF_DRAIN) ||
	       (op->code == KMDOM_OP_GRANT && READ_ONCE(session->pool->nr_bare));
}

static bool kmdom_ops_block(const struct kmdom_session *session,
			    const struct kmdom_op *ops, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (kmdom_op_blocks(session, &ops[i]))
			return true;
	return false;
}

static void kmdom_exchange_wake(struct kmdom_session *session,
				const struct kmdom_exchange *ex)
{
	if (ex->flags & KMDOM_EXCHANGE_WAKE)
		kmdom_uring_wake_all(session);
}

static int kmdom_exchange_ops(struct kmdom_session *session,
			      struct kmdom_slot *slot,
			      struct kmdom_exchange *ex, bool nonblock)
{
	struct kmdom_result __user *results = u64_to_user_ptr(ex->results);
	struct kmdom_result res;
	u32 i;

	if (copy_from_user(slot->ops, u64_to_user_ptr(ex->ops),
			   ex->nr_ops * sizeof(slot->ops[0])))
		return -EFAULT;
	/* Now or never: what was done once must not be done again. */
	if (nonblock && kmdom_ops_block(session, slot->ops, ex->nr_ops))
		return -EAGAIN;
	kmdom_exchange_wake(session, ex);
	for (i = 0; i < ex->nr_ops; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		kmdom_op_run(session, slot, &slot->ops[i], &res);
		if (copy_to_user(&results[i], &res, sizeof(res)))
			return -EFAULT;
		ex->nr_results++;
		cond_resched();
	}
	return 0;
}

/* The session's errno, once it has ended. */
static int kmdom_exchange_ended(struct kmdom_session *session)
{
	return READ_ONCE(session->ended);
}

/**
 * kmdom_exchange_run - run the operations of an exchange
 * @session: the session
 * @ex: the exchange; its count of results is set
 * @nonblock: -EAGAIN, and nothing is done, instead of waiting for a slot, for
 *	pins or for memory
 *
 * Context: may sleep and fault.
 * Return: 0, or the error of the call.
 */
int kmdom_exchange_run(struct kmdom_session *session, struct kmdom_exchange *ex,
		       bool nonblock)
{
	struct kmdom_slot *slot;
	int ret;

	/* Without operations, events are what tells (CLOSE is one). */
	if (!ex->nr_ops) {
		kmdom_exchange_wake(session, ex);
		return ex->max_events ? 0 : kmdom_exchange_ended(session);
	}
	ret = kmdom_exchange_ended(session);
	if (ret)
		return ret;
	slot = kmdom_slot_get(session, nonblock);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	ret = kmdom_exchange_ops(session, slot, ex, nonblock);
	kmdom_slot_put(session, slot);
	/* Who has left no longer keeps a frame from the others. */
	kmdom_wait_frames_freed(session->dom, false);
	return ret;
}

/* Takes events if they are this session's to take. */
static int kmdom_events_collect(struct kmdom_session *session,
				struct kmdom_event *events, u32 max)
{
	struct kmdom_domain *dom = session->dom;
	int nr;

	spin_lock(&dom->wait.lock);
	nr = dom->wait.session == session->id ?
		kmdom_events_take(dom, events, max) : 0;
	spin_unlock(&dom->wait.lock);
	return nr;
}

static int kmdom_events_copy(struct kmdom_session *session,
			     struct kmdom_exchange *ex,
			     const struct kmdom_event *events, u32 nr)
{
	struct kmdom_event __user *to = u64_to_user_ptr(ex->events);

	for (ex->nr_events = 0; ex->nr_events < nr; ex->nr_events++)
		if (copy_to_user(&to[ex->nr_events], &events[ex->nr_events],
				 sizeof(*events)))
			break;
	if (ex->nr_events == nr)
		return 0;
	kmdom_events_give_back(session->dom, events + ex->nr_events,
			       nr - ex->nr_events);
	return -EFAULT;
}

/**
 * kmdom_exchange_events - take and copy out the events of an exchange
 * @session: the session
 * @ex: the exchange; its count of events is set
 * @nonblock: -EAGAIN instead of waiting for a slot
 *
 * Context: may sleep and fault.
 * Return: 0, or the error of the call.
 */
int kmdom_exchange_events(struct kmdom_session *session,
			  struct kmdom_exchange *ex, bool nonblock)
{
	struct kmdom_slot *slot;
	int ret = 0, nr;

	if (!ex->max_events)
		return 0;
	slot = kmdom_slot_get(session, nonblock);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	nr = kmdom_events_collect(session, slot->events, ex->max_events);
	if (nr)
		ret = kmdom_events_copy(session, ex, slot->events, nr);
	else
		ret = kmdom_exchange_ended(session);
	kmdom_slot_put(session, slot);
	return ret;
}

/* The pager does not know which events it was given: all are new again. */
static void kmdom_events_uncounted(struct kmdom_session *session)
{
	struct kmdom_domain *dom = session->dom;

	spin_lock(&dom->wait.lock);
	if (dom->wait.session == session->id) {
		dom->wait.hints_lost = true;
		kmdom_events_show_all(dom);
	}
	spin_unlock(&dom->wait.lock);
}

/**
 * kmdom_exchange_finish - write the counts of an exchange
 * @session: the session
 * @ex: the exchange
 * @addr: of the user's structure
 *
 * Return: 0 or -EFAULT.
 */
int kmdom_exchange_finish(struct kmdom_session *session,
			  struct kmdom_exchange *ex, u64 addr)
{
	struct kmdom_ledger *ledger = &session->dom->ledger;
	size_t from = offsetof(struct kmdom_exchange, nr_results);

	spin_lock(&ledger->lock);
	ex->free_frames = ledger->nr_free;
	ex->used_frames = ledger->nr_used;
	spin_unlock(&ledger->lock);
	if (!copy_to_user(u64_to_user_ptr(addr + from), (void *)ex + from,
			  sizeof(*ex) - from))
		return 0;
	if (ex->nr_events)
		kmdom_events_uncounted(session);
	return -EFAULT;
}

/* Sleeps until there are events, a WAKE, the session's end, or @ex's timeout. */
static void kmdom_exchange_sleep(struct kmdom_session *session,
				 struct kmdom_exchange *ex, unsigned int wakes)
{
	struct kmdom_wait *wait = &session->dom->wait;
	ktime_t timeout = ex->timeout_ns < 0 ? KTIME_MAX :
					       ns_to_ktime(ex->timeout_ns);

	wait_event_interruptible_hrtimeout(wait->wq,
					   kmdom_events_pending(wait) ||
					   READ_ONCE(session->ended) ||
					   READ_ONCE(session->wakes) != wakes,
					   timeout);
}

/**
 * kmdom_exchange_ioctl - the blocking door
 * @session: the session
 * @addr: of the user's struct kmdom_exchange
 *
 * Context: may sleep and fault.
 * Return: 0, or the error of the call.
 */
long kmdom_exchange_ioctl(struct kmdom_session *session, u64 addr)
{
	unsigned int wakes = READ_ONCE(session->wakes);
	struct kmdom_exchange ex;
	int ret, err;

	ret = kmdom_exchange_read(&ex, addr, sizeof(ex));
	if (ret)
		return ret;
	ret = kmdom_exchange_run(session, &ex, false);
	if (!ret)
		ret = kmdom_exchange_events(session, &ex, false);
	if (!ret && ex.min_events && !ex.nr_events) {
		kmdom_exchange_sleep(session, &ex, wakes);
		ret = kmdom_exchange_events(session, &ex, false);
	}
	err = kmdom_exchange_finish(session, &ex, addr);
	return ret ?: err;
}
