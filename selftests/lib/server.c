// SPDX-License-Identifier: GPL-2.0
/* How the test pager serves: faults from its store, frames by preempting. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "pager.h"
#include "proc.h"

/* Exports and evicts what may be; returns how many frames that frees. */
static int preempt_batch(struct pager *pager, const struct kmdom_page *pages,
			 uint32_t nr)
{
	struct kmdom_op ops[PAGER_BATCH];
	struct kmdom_result results[PAGER_BATCH];
	uint32_t i, kept = 0;
	int ret, freed = 0;

	for (i = 0; i < nr; i++)
		ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .level = pages[i].level,
			.index = pages[i].index,
			.buf = (unsigned long)pager->buf + i * KMDOM_RECORD_MAX,
			.len = KMDOM_RECORD_MAX,
		};
	ret = pager_exchange(pager, ops, results, nr);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		if (results[i].ret && results[i].ret != -EALREADY &&
		    results[i].ret != -ENODATA)
			continue;
		if (!results[i].ret)
			store_put(pager->store, PAGE_OF(pages[i].level, pages[i].index),
				  results[i].version, pager->buf + i * KMDOM_RECORD_MAX,
				  results[i].len);
		ops[kept++] = (struct kmdom_op) {
			.code = KMDOM_OP_EVICT, .level = pages[i].level,
			.index = pages[i].index,
			.version = results[i].version,
		};
	}
	ret = kept ? pager_exchange(pager, ops, results, kept) : 0;
	if (ret)
		return ret;
	for (i = 0; i < kept; i++)
		freed += !results[i].ret;
	pager->preempted += freed;
	return freed;
}

/* One step of the clock; *end is set when the hand passes the last frame. */
static int sweep(struct pager *pager, bool hard, bool *end)
{
	struct kmdom_page pages[PAGER_BATCH];
	int nr, i, kept = 0;

	nr = pager_scan(pager, &pager->hand, pages, PAGER_BATCH,
			KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR);
	if (nr < 0)
		return nr;
	*end = !pager->hand;
	for (i = 0; i < nr; i++) {
		if (pages[i].state != KMDOM_PAGE_PRESENT ||
		    pages[i].flags & (KMDOM_PAGEF_PINNED | KMDOM_PAGEF_WANTED |
				      KMDOM_PAGEF_HOLDS) ||
		    (!hard && pages[i].flags & KMDOM_PAGEF_REFERENCED))
			continue;
		pages[kept++] = pages[i];
	}
	return kept ? preempt_batch(pager, pages, kept) : 0;
}

/* Frees frames until nobody lacks any, or each page was tried twice. */
static int make_room(struct pager *pager)
{
	int rounds = 0, ret;
	bool end;

	while (pager->lack && rounds < 3) {
		ret = sweep(pager, rounds > 0, &end);
		if (ret < 0)
			return ret;
		pager->lack -= (uint64_t)ret < pager->lack ? (uint64_t)ret : pager->lack;
		rounds += end;
	}
	return 0;
}

/**
 * pager_preempt_all() - preempt every page that can be
 * @pager: the pager
 *
 * Return: how many were, or a negative errno
 */
int pager_preempt_all(struct pager *pager)
{
	int ret, total = 0;
	bool end;

	pager->hand = 0;
	do {
		ret = sweep(pager, true, &end);
		if (ret < 0)
			return ret;
		total += ret;
	} while (!end);
	return total;
}

/*
 * EALREADY: somebody else brought it. ESTALE, ENOENT, ENXIO: it has moved on since.
 * ENOBUFS: nothing can be preempted now; the event is asked for once more.
 */
static int serve_fault(struct pager *pager, const struct kmdom_event *ev)
{
	uint64_t page = PAGE_OF(ev->level, ev->index);
	int ret;

	if (pager->hooks.fault && pager->hooks.fault(pager, ev))
		return 0;
	ret = pager_answer(pager, page, ev->version);
	if (ret == -ENOBUFS) {
		pager->lack++;
		ret = make_room(pager);
		if (!ret)
			ret = pager_answer(pager, page, ev->version);
		if (ret == -ENOBUFS) {
			pager->lack++;
			return pager_resend(pager) < 0 ? ret : 0;
		}
	}
	pager->faults += !ret;
	return ret == -EALREADY || ret == -ESTALE || ret == -ENOENT || ret == -ENXIO ? 0 : ret;
}

/**
 * pager_serve() - take a batch of events and do what each asks for
 * @pager: the pager
 * @timeout_ms: how long to wait for the first event
 *
 * Return: how many events there were, or a negative errno
 */
int pager_serve(struct pager *pager, int timeout_ms)
{
	struct kmdom_event events[PAGER_BATCH];
	int nr, i, ret = 0;

	if (pager->lack)
		timeout_ms = 20;
	nr = pager_events(pager, events, PAGER_BATCH, timeout_ms);
	if (nr < 0)
		return nr;
	for (i = 0; i < nr && !ret; i++) {
		if (events[i].type == KMDOM_EVENT_FAULT)
			ret = serve_fault(pager, &events[i]);
		else if (events[i].type == KMDOM_EVENT_NEED_FRAMES)
			pager->lack = events[i].arg;
	}
	if (!ret)
		ret = make_room(pager);
	return ret ? ret : nr;
}

static void *serve(void *arg)
{
	struct server *server = arg;
	int ret = 0;

	while (!atomic_load(&server->stop) && ret >= 0)
		ret = pager_serve(&server->pager, 10000);
	server->ret = ret < 0 ? ret : 0;
	return NULL;
}

/**
 * server_start() - serve a session by a thread of its own
 * @server: filled in
 * @pager: the session; can be used for operations meanwhile
 * @hooks: lies to be told; may be NULL
 *
 * Return: 0 or a negative errno
 */
int server_start(struct server *server, const struct pager *pager,
		 const struct pager_hooks *hooks)
{
	int ret;

	memset(server, 0, sizeof(*server));
	server->pager = *pager;
	server->pager.buf = malloc(PAGER_BATCH * KMDOM_RECORD_MAX);
	if (!server->pager.buf)
		return -ENOMEM;
	if (hooks)
		server->pager.hooks = *hooks;
	ret = door_open(&server->pager.door, pager->door.kind, pager->fd);
	if (ret)
		return ret;
	return -pthread_create(&server->thread, NULL, serve, server);
}

/**
 * server_stop() - end the thread
 * @server: the server
 *
 * Return: 0, or what went wrong while it served
 */
int server_stop(struct server *server)
{
	struct kmdom_exchange wake = {
		.flags = KMDOM_EXCHANGE_WAKE, .timeout_ns = -1,
	};
	struct timespec ts;

	atomic_store(&server->stop, true);
	do {
		/* It may not have parked yet: wake it until it is gone. */
		ioctl(server->pager.fd, KMDOM_IOC_EXCHANGE, &wake);
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_nsec += 20000000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_sec++;
			ts.tv_nsec -= 1000000000;
		}
	} while (pthread_timedjoin_np(server->thread, NULL, &ts) == ETIMEDOUT);
	door_close(&server->pager.door);
	free(server->pager.buf);
	return server->ret;
}
