// SPDX-License-Identifier: GPL-2.0
/*
 * The loop, its exchanges, and the events that it takes out of them.
 */
#include <errno.h>
#include <string.h>
#include "pager.h"
#include "report.h"

static void pager_event(struct pager *pager, const struct kmdom_event *event)
{
	switch (event->type) {
	case KMDOM_EVENT_FAULT:
		faults_add(pager, event);
		break;
	case KMDOM_EVENT_NEED_FRAMES:
	case KMDOM_EVENT_PRESSURE:
		evict_need(pager, event->arg);
		break;
	case KMDOM_EVENT_FREED:
		/* Version 0 tells of no record; a sweep finds what there is. */
		store_drop(pager->store, index_key(event->level, event->index),
			   event->version);
		break;
	case KMDOM_EVENT_GARBAGE_UNKNOWN:
		recover_start(pager, false);
		break;
	case KMDOM_EVENT_CLOSE:
		report_info("the domain is ending");
		break;
	}
}

/* Errors of an exchange that the next attempt may not have. */
static bool pager_passes(int ret)
{
	return ret == -EINTR || ret == -EBUSY || ret == -EAGAIN ||
	       ret == -ENOMEM || ret == -ECANCELED;
}

static void pager_exchange_done(struct door_job *job, int ret)
{
	struct pager_exchange *xchg = (struct pager_exchange *)job;
	struct pager *pager = xchg->pager;
	uint32_t i;

	xchg->busy = false;
	if (!ret) {
		pager->free_frames = kmdom_batch_free_frames(xchg->batch);
		pager->used_frames = kmdom_batch_used_frames(xchg->batch);
	} else if (!pager_passes(ret)) {
		if (!pager->ended)
			pager->ended = ret;
		return;
	}
	for (i = 0; i < kmdom_batch_events(xchg->batch); i++)
		pager_event(pager, kmdom_batch_event(xchg->batch, i));
	if (xchg->done)
		xchg->done(pager, ret);
}

/**
 * pager_exchange_init() - make an exchange
 * @xchg: to be filled in
 * @pager: whose
 * @ops: room for operations
 * @events: room for events
 * @done: called when it has ended
 *
 * Return: 0 or -ENOMEM.
 */
int pager_exchange_init(struct pager_exchange *xchg, struct pager *pager,
			uint32_t ops, uint32_t events,
			void (*done)(struct pager *pager, int ret))
{
	*xchg = (struct pager_exchange){ .pager = pager, .done = done };
	xchg->job.done = pager_exchange_done;
	return kmdom_batch_new(ops, events, &xchg->batch);
}

void pager_exchange_start(struct pager_exchange *xchg)
{
	xchg->busy = true;
	xchg->job.batch = xchg->batch;
	door_exchange(xchg->pager->door, &xchg->job);
}

/* What became of an operation: 0, its errno, or -EINTR if it was not reached. */
int pager_result(const struct pager_exchange *xchg, uint32_t nr)
{
	const struct kmdom_result *result = kmdom_batch_result(xchg->batch, nr);

	return result ? result->ret : -EINTR;
}

static void pager_listen(struct pager *pager)
{
	if (pager->listener.busy)
		return;
	kmdom_batch_reset(pager->listener.batch);
	pager->listener.job.wait = true;
	pager_exchange_start(&pager->listener);
}

/**
 * pager_init() - a pager that is ready for pager_step()
 * @pager: to be filled in
 * @door: open
 * @store: loaded
 * @policy: open
 * @pool_frames: frames of the session's pool
 * @lent_frames: of these, lent already
 * @options: copied
 *
 * Return: 0 or -ENOMEM. All that it will ever need is allocated here, but for
 * the growth of the store's index.
 */
int pager_init(struct pager *pager, struct door *door, struct store *store,
	       struct policy *policy, uint32_t pool_frames,
	       uint32_t lent_frames, const struct pager_options *options)
{
	int ret;

	memset(pager, 0, sizeof(*pager));
	pager->door = door;
	pager->store = store;
	pager->policy = policy;
	pager->pool_frames = pool_frames;
	pager->lent_frames = lent_frames;
	pager->free_frames = lent_frames;
	pager->options = *options;
	store->door = door;
	ret = pager_exchange_init(&pager->listener, pager, 0, KMDOM_EVENTS_MAX, NULL);
	if (!ret)
		ret = faults_init(pager);
	if (!ret)
		ret = evict_init(pager);
	if (!ret)
		ret = recover_init(pager);
	if (ret)
		pager_exit(pager);
	return ret;
}

/* Free a pager whose door is closed. */
void pager_exit(struct pager *pager)
{
	recover_exit(pager);
	evict_exit(pager);
	faults_exit(pager);
	kmdom_batch_free(pager->listener.batch);
}

/* Nothing is under way but the listener. */
bool pager_idle(const struct pager *pager)
{
	return faults_idle(pager) && !pager->evict.active && !pager->recover.active;
}

/* The shorter of two timeouts; -1: for ever. */
static int pager_sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* How long to wait at most, in ms; -1: for ever. */
static int pager_timeout(const struct pager *pager)
{
	int timeout = pager_sooner(evict_timeout(pager), chaos_timeout(pager->store));

	/* One that stops looks whether it is idle by now. */
	if (!faults_waiting(pager) && !pager->stopping)
		return timeout;
	return pager_sooner(timeout, PAGER_RETRY_MS);
}

/**
 * pager_step() - start what can be started, and wait until something happens
 * @pager: the pager
 *
 * Return: 0; -EOWNERDEAD: another pager took over; -ENODEV: the domain is gone;
 * another negative errno: the session cannot go on.
 */
int pager_step(struct pager *pager)
{
	int ret;

	pager_listen(pager);
	faults_run(pager);
	evict_run(pager);
	recover_run(pager);
	ret = door_wait(pager->door, pager_timeout(pager));
	chaos_poll(pager->store);
	return ret ? ret : pager->ended;
}
