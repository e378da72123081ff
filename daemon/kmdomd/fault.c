// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: from the event through the store to RESTORE, or to REFUSE.
 *
 * A fault that was taken in is queued, read when a buffer is idle, restored
 * with all others that are ready then, and, if no frame was free, tried again
 * when there are some. The index marks pages whose fault is being answered, so
 * that an event that is shown twice is answered once. But once its RESTORE is on
 * its way, an event may tell of what the page became after that: then the fault
 * begins anew.
 */
#include <errno.h>
#include <string.h>
#include "pager.h"
#include "report.h"

static void list_init(struct fault_list *list)
{
	*list = (struct fault_list){ .tail = &list->head };
}

static void list_put(struct fault_list *list, struct fault *fault)
{
	fault->next = NULL;
	*list->tail = fault;
	list->tail = &fault->next;
	list->count++;
}

static struct fault *list_get(struct fault_list *list)
{
	struct fault *fault = list->head;

	if (fault) {
		list->head = fault->next;
		list->count--;
		if (!list->head)
			list->tail = &list->head;
	}
	return fault;
}

static void fault_restored(struct pager *pager, int ret);

int faults_init(struct pager *pager)
{
	struct faults *faults = &pager->faults;
	int i, ret;

	list_init(&faults->idle);
	list_init(&faults->ready);
	list_init(&faults->starved);
	list_init(&faults->unread);
	list_init(&faults->sent);
	for (i = 0; i < PAGER_FAULTS; i++) {
		ret = store_io_init(&faults->slots[i].io, pager->store);
		if (ret)
			return ret;
		faults->slots[i].pager = pager;
		list_put(&faults->idle, &faults->slots[i]);
	}
	return pager_exchange_init(&faults->xchg, pager, KMDOM_OPS_MAX,
				   KMDOM_EVENTS_MAX, fault_restored);
}

void faults_exit(struct pager *pager)
{
	int i;

	for (i = 0; i < PAGER_FAULTS; i++)
		store_io_exit(&pager->faults.slots[i].io);
	kmdom_batch_free(pager->faults.xchg.batch);
}

bool faults_idle(const struct pager *pager)
{
	const struct faults *faults = &pager->faults;

	return !faults->queue_count && !faults->nr_refusals && !faults->resend &&
	       faults->idle.count == PAGER_FAULTS && !faults->xchg.busy;
}

/* Some wait for time to pass. */
bool faults_waiting(const struct pager *pager)
{
	return pager->faults.starved.count || pager->faults.unread.count;
}

/* Refuse a fault with the next exchange; without room, when it is shown again. */
static void fault_refuse(struct pager *pager, uint64_t key, uint64_t version, bool lost)
{
	struct faults *faults = &pager->faults;

	if (faults->nr_refusals == KMDOM_EVENTS_MAX) {
		faults->resend = true;
		return;
	}
	faults->refusals[faults->nr_refusals++] = (struct fault_refusal) {
		.key = key, .version = version, .lost = lost,
	};
}

static void fault_missing(struct pager *pager, uint64_t key, uint64_t version)
{
	bool lost = pager_loses(pager);

	if (!pager->stats.missing++)
		report_warning("the store has no record of page %llu at version %llu: its readers get EIO%s",
			       (unsigned long long)index_page(key),
			       (unsigned long long)version, lost ? ", for good" : "");
	fault_refuse(pager, key, version, lost);
}

static void fault_queue(struct pager *pager, struct index_entry *entry)
{
	struct faults *faults = &pager->faults;
	uint32_t pos;

	if (faults->queue_count == PAGER_QUEUE) {
		faults->resend = true;
		return;
	}
	pager->stats.faults++;
	entry->flags |= INDEX_FAULTING;
	pos = (faults->queue_head + faults->queue_count++) % PAGER_QUEUE;
	faults->queue[pos].key = entry->key;
	faults->queue[pos].version = entry->version;
}

/* The event is of after its RESTORE, perhaps, which has not been heard of yet. */
static void fault_shown_again(struct faults *faults, const struct index_entry *entry)
{
	struct fault *fault;

	for (fault = faults->sent.head; fault; fault = fault->next)
		if (fault->io.key == entry->key)
			fault->again = fault->io.version == entry->version;
}

/**
 * faults_add() - an absent page is wanted
 * @pager: the pager
 * @event: as the kernel showed it
 */
void faults_add(struct pager *pager, const struct kmdom_event *event)
{
	uint64_t key = index_key(event->level, event->index);
	struct index_entry *entry = index_get(&pager->store->index, key);

	if (!entry || entry->version != event->version)
		fault_missing(pager, key, event->version);
	else if (entry->flags & INDEX_FAULTING)
		fault_shown_again(&pager->faults, entry);
	else
		fault_queue(pager, entry);
}

/* The entry of the record that is on its way, if the store still has it. */
static struct index_entry *fault_entry(struct pager *pager, const struct store_io *io)
{
	struct index_entry *entry = index_get(&pager->store->index, io->key);

	return entry && entry->version == io->version ? entry : NULL;
}

/* A fault has been answered, one way or another. */
static void fault_end(struct pager *pager, struct fault *fault)
{
	struct index_entry *entry = fault_entry(pager, &fault->io);

	list_put(&pager->faults.idle, fault);
	if (!entry)
		return;
	entry->flags &= ~INDEX_FAULTING;
	if (fault->again)
		fault_queue(pager, entry);
}

/* What failed for the moment is tried again. */
static void fault_postpone(struct pager *pager, struct fault_list *list,
			   struct fault *fault)
{
	if (!faults_waiting(pager))
		pager->faults.retry_at = pager_now() + PAGER_RETRY_MS;
	list_put(list, fault);
}

/*
 * A read that failed: may it succeed if it is tried again? What is damaged may
 * have been so on its way only.
 */
static bool fault_may_read(const struct fault *fault, int ret)
{
	if (fault->tries >= PAGER_TRIES)
		return false;
	return ret == -EAGAIN || ret == -EINTR || ret == -ENOMEM || ret == -EIO ||
	       ret == -EBADMSG;
}

static void fault_read_done(struct store_io *io, int ret)
{
	struct fault *fault = (struct fault *)io;
	struct pager *pager = fault->pager;

	if (ret > 0) {
		list_put(&pager->faults.ready, fault);
		return;
	}
	/* Freed while it was read: its slot may have another record by now. */
	if (!fault_entry(pager, io)) {
		fault_end(pager, fault);
		return;
	}
	if (fault_may_read(fault, ret)) {
		fault_postpone(pager, &pager->faults.unread, fault);
		return;
	}
	report_error("store %s: page %llu at version %llu: %s", pager->store->path,
		     (unsigned long long)index_page(io->key),
		     (unsigned long long)io->version,
		     ret == -EBADMSG ? "its record is damaged" : strerror(-ret));
	fault_refuse(pager, io->key, io->version, false);
	fault_end(pager, fault);
}

static void fault_read(struct pager *pager, struct fault *fault)
{
	fault->tries++;
	fault->again = false;
	fault->io.done = fault_read_done;
	store_read(pager->store, &fault->io);
}

/* Read again what could not be read; or freed since: the kernel told its waiters. */
static void faults_read_again(struct pager *pager)
{
	struct fault_list again = pager->faults.unread;
	struct fault *fault;

	list_init(&pager->faults.unread);
	while ((fault = list_get(&again))) {
		if (fault_entry(pager, &fault->io))
			fault_read(pager, fault);
		else
			fault_end(pager, fault);
	}
}

/* Begin to read what is queued, as long as there are buffers. */
static void faults_read(struct pager *pager)
{
	struct faults *faults = &pager->faults;
	struct index_entry *entry;
	struct fault *fault;
	uint64_t version;

	while (faults->queue_count && faults->idle.count) {
		entry = index_get(&pager->store->index,
				  faults->queue[faults->queue_head].key);
		version = faults->queue[faults->queue_head].version;
		faults->queue_head = (faults->queue_head + 1) % PAGER_QUEUE;
		faults->queue_count--;
		/* Freed since: the kernel has told its waiters. */
		if (!entry || entry->version != version)
			continue;
		fault = list_get(&faults->idle);
		fault->io.key = entry->key;
		fault->io.version = version;
		fault->tries = 0;
		fault_read(pager, fault);
	}
}

static void faults_add_refusals(struct pager *pager)
{
	struct faults *faults = &pager->faults;
	uint32_t i;

	for (i = 0; i < faults->nr_refusals; i++) {
		const struct fault_refusal *refusal = &faults->refusals[i];

		if (kmdom_batch_refuse(faults->xchg.batch, index_level(refusal->key),
				       index_page(refusal->key), refusal->version,
				       refusal->lost ? KMDOM_OPF_LOST : 0) < 0)
			break;
	}
	faults->nr_sent_refusals = i;
}

/* Nothing but an event can give this pager work after the exchange. */
static bool faults_last(const struct pager *pager)
{
	const struct faults *faults = &pager->faults;

	return !faults->queue_count && !faults->ready.count &&
	       !faults_waiting(pager) && !pager->evict.active &&
	       !pager->recover.active &&
	       faults->idle.count + faults->sent.count == PAGER_FAULTS &&
	       pager->free_frames >= pager->options.low + faults->sent.count;
}

static void faults_send(struct pager *pager)
{
	struct faults *faults = &pager->faults;
	struct kmdom_batch *batch = faults->xchg.batch;
	struct fault *fault;

	kmdom_batch_reset(batch);
	while ((fault = list_get(&faults->ready))) {
		kmdom_batch_restore(batch, index_level(fault->io.key),
				    index_page(fault->io.key), fault->io.version,
				    store_record(&fault->io), fault->io.length);
		list_put(&faults->sent, fault);
	}
	if (faults->resend && !faults->queue_count)
		faults->resend = kmdom_batch_resend(batch) < 0;
	faults_add_refusals(pager);
	faults->xchg.job.reply = faults_last(pager);
	pager_exchange_start(&faults->xchg);
}

/*
 * The kernel does not take the record. The store's checksums were in order, so
 * it was damaged since, if the store has the right one: it is read again. ESTALE
 * may tell of that, too: the record seems to be of another version.
 */
static void fault_rejected(struct pager *pager, struct fault *fault, int ret)
{
	if (!fault_entry(pager, &fault->io)) {
		/* The page has gone on meanwhile. */
		fault_end(pager, fault);
		return;
	}
	pager->stats.bad++;
	if (fault->tries < PAGER_TRIES) {
		fault_postpone(pager, &pager->faults.unread, fault);
		return;
	}
	report_error("page %llu at version %llu: the kernel does not take its record: %s",
		     (unsigned long long)index_page(fault->io.key),
		     (unsigned long long)fault->io.version, strerror(-ret));
	fault_refuse(pager, fault->io.key, fault->io.version, false);
	fault_end(pager, fault);
}

static void fault_result(struct pager *pager, struct fault *fault, int ret)
{
	switch (ret) {
	case 0:
		pager->stats.restores++;
		break;
	case -ENOBUFS:
		evict_need(pager, 1);
		fault_postpone(pager, &pager->faults.starved, fault);
		return;
	case -EBUSY:
	case -EINTR:
	case -EAGAIN:
	case -ENOMEM:
		fault_postpone(pager, &pager->faults.starved, fault);
		return;
	case -EOWNERDEAD:
	case -ENODEV:
		if (!pager->ended)
			pager->ended = ret;
		break;
	case -EALREADY:
	case -ENOENT:
	case -ENXIO:
	case -EIO:
		/* Somebody was faster, or the page has gone on meanwhile, or its table has. */
		break;
	default:
		fault_rejected(pager, fault, ret);
		return;
	}
	fault_end(pager, fault);
}

static void fault_restored(struct pager *pager, int error)
{
	struct faults *faults = &pager->faults;
	uint32_t nr, refused = faults->nr_sent_refusals;
	struct fault *fault;

	(void)error;	/* missing results tell it */
	/* Refusals may be added below: those that were sent go first. */
	faults->nr_refusals -= refused;
	memmove(faults->refusals, faults->refusals + refused,
		faults->nr_refusals * sizeof(*faults->refusals));
	for (nr = 0; (fault = list_get(&faults->sent)); nr++)
		fault_result(pager, fault, pager_result(&faults->xchg, nr));
	for (; refused; refused--) {
		nr = kmdom_batch_ops(faults->xchg.batch) - refused;
		if (!pager_result(&faults->xchg, nr))
			pager->stats.refused++;
		else if (pager_result(&faults->xchg, nr) == -EINTR)
			faults->resend = true;
	}
}

/* Frames were freed, or time has passed: try the starved again. */
void faults_retry(struct pager *pager)
{
	struct fault *fault;

	while ((fault = list_get(&pager->faults.starved)))
		list_put(&pager->faults.ready, fault);
}

/* Start what can be started. */
void faults_run(struct pager *pager)
{
	struct faults *faults = &pager->faults;

	if (faults_waiting(pager) && pager_now() >= faults->retry_at) {
		faults_retry(pager);
		faults_read_again(pager);
	}
	faults_read(pager);
	if (faults->xchg.busy)
		return;
	if (faults->ready.count || faults->nr_refusals ||
	    (faults->resend && !faults->queue_count))
		faults_send(pager);
}
