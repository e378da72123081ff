// SPDX-License-Identifier: GPL-2.0
/*
 * uring.c - exchanges as io_uring commands
 *
 * Operations run at once, in the submitter's context, or in a worker of the ring
 * if one of them may wait: with DRAIN for pins, in a GRANT for memory. A command that is to wait
 * for events is parked: a node in the domain's list, under the lock of the
 * waits. Whoever takes the node off the list, and he alone, completes the
 * command: an event or a WAKE sends it to its submitter's context, where the
 * events are taken and copied; cancellation ends it on the spot. A submitter
 * that is dying takes no event.
 *
 * A parked command holds its file, so that the session's memory stays; it is
 * woken for the last time when the session ends.
 */
#include <linux/io_uring/cmd.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "domain.h"
#include "exchange.h"
#include "session.h"
#include "uring.h"

/**
 * struct kmdom_parked - a command that waits for events
 * @nr: its number in the session
 * @node: in kmdom_wait.parked, or empty (lock of the waits)
 * @cmd: the command
 * @session: the session; the command's file keeps it
 * @ex: the exchange, as it was read, with the counts of its operations
 * @addr: of the user's structure
 */
struct kmdom_parked {
	unsigned int nr;
	struct list_head node;
	struct io_uring_cmd *cmd;
	struct kmdom_session *session;
	struct kmdom_exchange ex;
	u64 addr;
};

struct kmdom_uring_pdu {
	struct kmdom_parked *parked;
};

/**
 * kmdom_uring_init - room for what a session's rings will park
 * @session: the session; its slots are made, and as many may be parked
 *
 * Context: may sleep; charged to the caller.
 * Return: 0 or -ENOMEM.
 */
int kmdom_uring_init(struct kmdom_session *session)
{
	unsigned int i;

	session->parked = kcalloc(session->nr_slots, sizeof(*session->parked),
				  GFP_KERNEL_ACCOUNT);
	if (!session->parked)
		return -ENOMEM;
	for (i = 0; i < session->nr_slots; i++) {
		session->parked[i].nr = i;
		set_bit(i, &session->parked_free);
	}
	return 0;
}

/** kmdom_uring_exit - undo kmdom_uring_init(); no command is parked */
void kmdom_uring_exit(struct kmdom_session *session)
{
	kfree(session->parked);
}

static struct kmdom_parked *kmdom_parked_get(struct kmdom_session *session)
{
	unsigned long nr;

	for_each_set_bit(nr, &session->parked_free, session->nr_slots)
		if (test_and_clear_bit(nr, &session->parked_free))
			return &session->parked[nr];
	return NULL;
}

static struct kmdom_parked **kmdom_cmd_parked(struct io_uring_cmd *cmd)
{
	return &io_uring_cmd_to_pdu(cmd, struct kmdom_uring_pdu)->parked;
}

/* Ends a command whose node is off the list. */
static void kmdom_parked_done(struct kmdom_parked *parked, int ret,
			      unsigned int issue_flags)
{
	struct kmdom_session *session = parked->session;
	struct io_uring_cmd *cmd = parked->cmd;

	/* The command still holds its file, and that the session. */
	smp_mb__before_atomic();	/* pairs with test_and_clear_bit() */
	set_bit(parked->nr, &session->parked_free);
	io_uring_cmd_done(cmd, ret, 0, issue_flags);
}

/*
 * Whether events must not go to this task's memory. One that was killed gets
 * here before it counts as exiting, and perhaps with no signal pending any more.
 */
static bool kmdom_submitter_dies(unsigned int issue_flags)
{
	return (issue_flags & IO_URING_F_TASK_DEAD) ||
	       fatal_signal_pending(current) ||
	       (READ_ONCE(current->signal->flags) & SIGNAL_GROUP_EXIT);
}

/* In the submitter's context, or in a worker's if it is dying. */
static void kmdom_parked_complete(struct io_uring_cmd *cmd,
				  unsigned int issue_flags)
{
	struct kmdom_parked *parked = *kmdom_cmd_parked(cmd);
	struct kmdom_session *session = parked->session;
	struct kmdom_wait *wait = &session->dom->wait;
	int ret = -ECANCELED;

	if (kmdom_submitter_dies(issue_flags)) {
		/* The event that woke this one is another's now. */
		spin_lock(&wait->lock);
		if (kmdom_events_pending(wait))
			kmdom_events_notify(session->dom);
		spin_unlock(&wait->lock);
	} else {
		int err;

		ret = kmdom_exchange_events(session, &parked->ex, true);
		/* Every slot is at work: the events stay for the next call. */
		if (ret == -EAGAIN)
			ret = 0;
		err = kmdom_exchange_finish(session, &parked->ex, parked->addr);
		ret = ret ?: err;
	}
	kmdom_parked_done(parked, ret, issue_flags);
}

static void kmdom_parked_wake(struct kmdom_wait *wait,
			      struct kmdom_parked *parked)
{
	lockdep_assert_held(&wait->lock);
	list_del_init(&parked->node);
	io_uring_cmd_complete_in_task(parked->cmd, kmdom_parked_complete);
}

/**
 * kmdom_uring_wake_one - an event is there: send the oldest parked command off
 * @wait: of the domain; its lock is held
 */
void kmdom_uring_wake_one(struct kmdom_wait *wait)
{
	struct kmdom_parked *parked;

	parked = list_first_entry_or_null(&wait->parked, struct kmdom_parked,
					  node);
	if (parked)
		kmdom_parked_wake(wait, parked);
}

/**
 * kmdom_uring_wake_all - send all off that a session parked, and its threads
 * @session: the session
 *
 * Context: any that does not interrupt.
 */
void kmdom_uring_wake_all(struct kmdom_session *session)
{
	struct kmdom_wait *wait = &session->dom->wait;
	struct kmdom_parked *parked, *next;

	spin_lock(&wait->lock);
	list_for_each_entry_safe(parked, next, &wait->parked, node)
		if (parked->session == session)
			kmdom_parked_wake(wait, parked);
	WRITE_ONCE(session->wakes, session->wakes + 1);
	wake_up_all(&wait->wq);
	spin_unlock(&wait->lock);
}

static int kmdom_uring_cancel(struct io_uring_cmd *cmd,
			      struct kmdom_session *session,
			      unsigned int issue_flags)
{
	struct kmdom_parked *parked = *kmdom_cmd_parked(cmd);
	struct kmdom_wait *wait = &session->dom->wait;
	bool mine;

	/*
	 * The command is not completed while this runs, but whoever took the
	 * node may be about to: the lock tells who it is.
	 */
	spin_lock(&wait->lock);
	mine = !list_empty(&parked->node);
	if (mine)
		list_del_init(&parked->node);
	spin_unlock(&wait->lock);
	if (mine)
		kmdom_parked_done(parked, -ECANCELED, issue_flags);
	return 0;
}

static int kmdom_uring_park(struct io_uring_cmd *cmd,
			    struct kmdom_session *session,
			    const struct kmdom_exchange *ex, u64 addr,
			    unsigned int issue_flags)
{
	struct kmdom_wait *wait = &session->dom->wait;
	struct kmdom_parked *parked;

	parked = kmdom_parked_get(session);
	if (!parked)
		return -EBUSY;
	parked->cmd = cmd;
	parked->session = session;
	parked->ex = *ex;
	parked->addr = addr;
	/* A cancellation that comes before it is on the list finds it on none. */
	INIT_LIST_HEAD(&parked->node);
	*kmdom_cmd_parked(cmd) = parked;
	io_uring_cmd_mark_cancelable(cmd, issue_flags);

	/* From the moment it is on the list, another may complete it. */
	spin_lock(&wait->lock);
	list_add_tail(&parked->node, &wait->parked);
	if (kmdom_events_pending(wait) || session->ended)
		kmdom_parked_wake(wait, parked);
	spin_unlock(&wait->lock);
	return -EIOCBQUEUED;
}

static int kmdom_uring_exchange(struct io_uring_cmd *cmd,
				struct kmdom_session *session, u64 addr,
				u32 len, unsigned int issue_flags)
{
	bool nonblock = issue_flags & IO_URING_F_NONBLOCK;
	struct kmdom_exchange ex;
	int ret, err;

	ret = kmdom_exchange_read(&ex, addr, len);
	if (ret)
		return ret;
	/* A wait is bounded by the ring's own timeouts. */
	if (ex.min_events && ex.timeout_ns >= 0)
		return -EINVAL;
	ret = kmdom_exchange_run(session, &ex, nonblock);
	/* Nothing was done: a worker of the ring may wait, for a slot or pins. */
	if (ret == -EAGAIN)
		return ret;
	if (!ret) {
		ret = kmdom_exchange_events(session, &ex, nonblock);
		if (ret == -EAGAIN)
			ret = 0;
	}
	if (!ret && ex.min_events && !ex.nr_events) {
		ret = kmdom_uring_park(cmd, session, &ex, addr, issue_flags);
		if (ret == -EIOCBQUEUED)
			return ret;
	}
	err = kmdom_exchange_finish(session, &ex, addr);
	return ret ?: err;
}

/**
 * kmdom_uring_cmd - ->uring_cmd of a session's file
 * @cmd: the command; its SQE is memory that user space can still write, so
 *	each field is read once
 * @issue_flags: from io_uring
 *
 * Return: 0 or a negative errno for the completion, -EIOCBQUEUED if it comes
 * later, -EAGAIN to be called again where it may block.
 */
int kmdom_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct kmdom_session *session = kmdom_session_of_file(cmd->file);
	const struct kmdom_uring_cmd *payload;
	u32 len, reserved;
	u64 addr;

	if (issue_flags & IO_URING_F_CANCEL)
		return kmdom_uring_cancel(cmd, session, issue_flags);
	if (issue_flags & IO_URING_F_IOPOLL)
		return -EOPNOTSUPP;
	if (cmd->cmd_op != KMDOM_URING_EXCHANGE)
		return -EINVAL;
	payload = io_uring_sqe_cmd(cmd->sqe);
	addr = READ_ONCE(payload->addr);
	len = READ_ONCE(payload->len);
	reserved = READ_ONCE(payload->reserved);
	if (reserved)
		return -EINVAL;
	return kmdom_uring_exchange(cmd, session, addr, len, issue_flags);
}
