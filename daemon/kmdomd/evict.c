// SPDX-License-Identifier: GPL-2.0
/*
 * Evictions, in rounds of a batch: SCAN shows pages, the policy chooses, EXPORT
 * brings the records of those that the store has not, they are written, and
 * EVICT vouches for them and frees their frames. Rounds follow one another
 * until the high water is reached.
 *
 * A slot is reserved before a page is exported: a page that was exported is
 * clean, and its record is not given out again. If the write fails all the
 * same, the record stays here and is written until it succeeds; meanwhile
 * rounds take only pages that the store has.
 */
#include <errno.h>
#include <string.h>
#include "pager.h"
#include "report.h"

#define EVICT_PATIENCE	256	/* pages shown in vain before trying harder */
#define EVICT_PAUSE_MIN	5	/* ms after a round in vain, doubled each time */
#define EVICT_PAUSE_MAX	500
#define EVICT_REWRITE	500	/* ms before the store is tried again */
#define EVICT_FULL_MS	5000	/* with room, until the store is not full any more */
#define EVICT_RESERVE	KMDOM_FRAMES_RESERVE

static void evict_begin(struct pager *pager);
static void evict_scanned(struct pager *pager, int ret);
static void evict_exported(struct pager *pager, int ret);
static void evict_evicted(struct pager *pager, int ret);

int evict_init(struct pager *pager)
{
	struct evict *evict = &pager->evict;
	int i, ret;

	for (i = 0; i < PAGER_EVICT; i++) {
		ret = store_io_init(&evict->items[i].io, pager->store);
		if (ret)
			return ret;
		evict->items[i].pager = pager;
	}
	/* One more: evict_lend(). */
	return pager_exchange_init(&evict->xchg, pager, PAGER_EVICT + 1, 0, NULL);
}

void evict_exit(struct pager *pager)
{
	int i;

	for (i = 0; i < PAGER_EVICT; i++)
		store_io_exit(&pager->evict.items[i].io);
	kmdom_batch_free(pager->evict.xchg.batch);
}

/* Free frames at which the present need is met. */
static uint32_t evict_goal(const struct pager *pager)
{
	uint64_t goal = pager->options.high;

	/* The reserve is for the oldest waiting set alone. */
	if (pager->evict.need && goal < pager->evict.need + EVICT_RESERVE)
		goal = pager->evict.need + EVICT_RESERVE;
	return goal < pager->pool_frames ? goal : pager->pool_frames;
}

/* Whether pages should be taken now. */
bool evict_wanted(const struct pager *pager)
{
	if (pager->evict.active)
		return pager->free_frames < evict_goal(pager);
	return pager->evict.need || pager->free_frames < pager->options.low;
}

/**
 * evict_need() - somebody waits for frames
 * @pager: the pager
 * @frames: how many
 */
void evict_need(struct pager *pager, uint64_t frames)
{
	struct evict *evict = &pager->evict;

	pager->stats.shortages++;
	if (frames > pager->pool_frames)
		frames = pager->pool_frames;
	if (evict->need < frames)
		evict->need = frames ? frames : 1;
	evict->pause_until = 0;
}

/* How long the loop may wait until evict_run() has something to do; ms. */
int evict_timeout(const struct pager *pager)
{
	const struct evict *evict = &pager->evict;
	int64_t until = INT64_MAX, left;

	if (evict->pause_until && (evict->active || evict_wanted(pager)))
		until = evict->pause_until;
	if (evict->nr_kept && evict->rewrite_at < until)
		until = evict->rewrite_at;
	if (until == INT64_MAX)
		return -1;
	left = until - pager_now();
	return left > 0 ? left : 0;
}

static void evict_pause(struct evict *evict, int ms)
{
	evict->pause_until = pager_now() + ms;
}

/* The goal is reached, or what can be done is done. */
static void evict_end(struct pager *pager)
{
	struct evict *evict = &pager->evict;

	evict->active = false;
	evict->need = 0;
	evict->effort = POLICY_GENTLE;
	evict->scanned = 0;
	evict->turns = 0;
	evict->pause = 0;
	evict->pause_until = 0;
}

/* A round is over: try harder, or take a breath, if it was in vain. */
static void evict_judge(struct pager *pager, uint32_t taken)
{
	struct evict *evict = &pager->evict;

	if (taken) {
		evict->scanned = 0;
		evict->turns = 0;
		evict->pause = 0;
		evict->pause_until = 0;
		evict->effort = POLICY_GENTLE;
		faults_retry(pager);
		return;
	}
	/* Somebody waits: a sample will do. Else the hand goes round first. */
	if (evict->turns < 2 && !(evict->need && evict->scanned >= EVICT_PATIENCE))
		return;
	evict->scanned = 0;
	evict->turns = 0;
	if (evict->effort < (evict->need ? POLICY_HARD : POLICY_FIRM)) {
		evict->effort++;
		return;
	}
	pager->stats.stalls++;
	evict->pause = evict->pause ? evict->pause * 2 : EVICT_PAUSE_MIN;
	if (evict->pause > EVICT_PAUSE_MAX)
		evict->pause = EVICT_PAUSE_MAX;
	evict_pause(evict, evict->pause);
}

static void evict_exchange(struct pager *pager, void (*done)(struct pager *, int))
{
	pager->evict.xchg.done = done;
	pager_exchange_start(&pager->evict.xchg);
}

static void evict_begin(struct pager *pager)
{
	struct evict *evict = &pager->evict;

	evict->active = true;
	/* What can be taken is all clean, and little: it has been used, probably. */
	if (evict->nr_kept && evict->effort < POLICY_FIRM)
		evict->effort = POLICY_FIRM;
	kmdom_batch_reset(evict->xchg.batch);
	kmdom_batch_scan(evict->xchg.batch, pager->policy->hand, evict->pages,
			 PAGER_EVICT, pager->policy->ops->scan_flags);
	evict_exchange(pager, evict_scanned);
}

/* The store has this record: the next exchange may say so. */
static void evict_add_vouch(struct evict *evict, uint64_t key, uint64_t version,
			    bool clean)
{
	evict->vouches[evict->nr_vouches++] = (struct evict_vouch) {
		.key = key, .version = version, .clean = clean,
	};
}

/* A round did or did not find room for what it wanted to export. */
static void evict_report_full(struct pager *pager, bool full)
{
	struct evict *evict = &pager->evict;

	if (full && !evict->full_since)
		report_error("store %s: it is full (%zu records): what it has not stays in its "
			     "frames until records become garbage; faults are served",
			     pager->store->path, pager->store->index.count);
	if (full) {
		evict->full_since = pager_now();
	} else if (evict->full_since && pager_now() - evict->full_since > EVICT_FULL_MS) {
		report_info("store %s: it has room again", pager->store->path);
		evict->full_since = 0;
	}
}

static void evict_report_memory(struct pager *pager)
{
	if (!pager->evict.no_memory)
		report_error("store %s: no memory for its index beyond %zu records: raise the limit of locked memory (ulimit -l, or with systemd LimitMEMLOCK=) or memory.max; faults are served",
			     pager->store->path, pager->store->index.count);
	pager->evict.no_memory = true;
}

/*
 * A record that will not be asked for again. That of a table stays until a newer one
 * takes its place, or the kernel says that the table is gone: a sweep that is under
 * way goes by it when it looks at what is under an absent table.
 */
static void evict_drop(struct pager *pager, uint64_t key, uint64_t version)
{
	if (!index_level(key))
		store_drop(pager->store, key, version);
}

/* A table is evicted, or may be: SCAN does not show what is under it. */
static void evict_hides(struct pager *pager, uint64_t key)
{
	struct index_entry *entry = index_get(&pager->store->index, key);

	if (entry && index_level(key))
		entry->flags |= INDEX_ABSENT;
}

/**
 * evict_hides_pending() - say of all tables whose eviction is under way that they are absent
 * @pager: the pager
 *
 * The kernel may have evicted them long since: their results and those of other
 * exchanges come in any order, and after a failure never.
 */
void evict_hides_pending(struct pager *pager)
{
	struct evict *evict = &pager->evict;
	uint32_t i;

	for (i = 0; i < evict->nr_vouches; i++)
		evict_hides(pager, evict->vouches[i].key);
}

/* A page that was chosen: is its record in the store, or must it be exported? */
static void evict_choose(struct pager *pager, const struct kmdom_page *page)
{
	struct evict *evict = &pager->evict;
	uint64_t key = index_key(page->level, page->index);
	struct index_entry *entry = index_get(&pager->store->index, key);
	uint16_t flags = evict->effort == POLICY_HARD ? KMDOM_OPF_DRAIN : 0;
	struct evict_item *item;
	int room;

	if (page->policy == KMDOM_POLICY_DISCARD) {
		evict_add_vouch(evict, key, 0, true);
		return;
	}
	if (!(page->flags & KMDOM_PAGEF_DIRTY)) {
		/* Clean, but not by us: nobody can have its record. */
		if (entry && entry->version == page->version)
			evict_add_vouch(evict, key, page->version, true);
		return;
	}
	if (evict->nr_kept)
		return;
	item = &evict->items[evict->nr_items];
	room = store_reserve(pager->store, &item->io);
	if (room == -ENOMEM) {
		evict_report_memory(pager);
		return;
	}
	if (room < 0) {
		evict->no_room = true;
		return;
	}
	evict->nr_items++;
	item->io.key = key;
	item->io.stored = 0;
	item->state = EVICT_EXPORT;
	kmdom_batch_export(evict->xchg.batch, page->level, page->index,
			   store_record(&item->io), room, flags);
}

/*
 * Frames that could not be lent, because the domain's limit was in use by the
 * pools of earlier sessions, are lent as evictions shrink those.
 */
static void evict_lend(struct pager *pager)
{
	if (pager->lent_frames < pager->pool_frames)
		kmdom_batch_grant(pager->evict.xchg.batch, 0, pager->pool_frames);
}

static void evict_vouch(struct pager *pager)
{
	struct evict *evict = &pager->evict;
	uint16_t flags = evict->effort == POLICY_HARD ? KMDOM_OPF_DRAIN : 0;
	uint32_t i;

	kmdom_batch_reset(evict->xchg.batch);
	for (i = 0; i < evict->nr_vouches; i++)
		kmdom_batch_evict(evict->xchg.batch, index_level(evict->vouches[i].key),
				  index_page(evict->vouches[i].key),
				  evict->vouches[i].version, flags);
	evict_lend(pager);
	if (kmdom_batch_ops(evict->xchg.batch))
		evict_exchange(pager, evict_evicted);
	else
		evict_judge(pager, 0);
}

static void evict_scanned(struct pager *pager, int ret)
{
	struct evict *evict = &pager->evict;
	const struct kmdom_result *result = kmdom_batch_result(evict->xchg.batch, 0);
	uint32_t i, count;

	if (ret || !result || result->ret) {
		evict_pause(evict, PAGER_RETRY_MS);
		return;
	}
	count = result->len;
	pager->policy->hand = result->value;
	evict->scanned += count;
	if (!result->value)
		evict->turns++;
	evict->no_room = false;
	kmdom_batch_reset(evict->xchg.batch);
	for (i = 0; i < count && i < PAGER_EVICT; i++) {
		if (policy_wants(pager->policy, &evict->pages[i], evict->effort))
			evict_choose(pager, &evict->pages[i]);
	}
	if (kmdom_batch_ops(evict->xchg.batch))
		evict_exchange(pager, evict_exported);
	else
		evict_vouch(pager);
	if (evict->no_room)
		evict_report_full(pager, true);
}

/* A write has ended, and all others, too: the store has the record, or not. */
static void evict_commit(struct pager *pager, struct evict_item *item)
{
	if (item->state != EVICT_WRITE)
		return;
	if (store_commit(pager->store, &item->io)) {
		item->state = EVICT_FAILED;
		return;
	}
	item->state = EVICT_NOTHING;
	evict_add_vouch(&pager->evict, item->io.key, item->io.version, false);
}

/* Move what could not be written to the front. */
static void evict_keep_failed(struct evict *evict)
{
	struct evict_item swap;
	uint32_t i;

	evict->nr_kept = 0;
	for (i = 0; i < evict->nr_items; i++) {
		if (evict->items[i].state != EVICT_FAILED)
			continue;
		swap = evict->items[evict->nr_kept];
		evict->items[evict->nr_kept++] = evict->items[i];
		evict->items[i] = swap;
	}
	evict->nr_items = evict->nr_kept;
}

/* All writes have ended: what is in the store may be vouched for. */
static void evict_written(struct pager *pager)
{
	struct evict *evict = &pager->evict;
	uint32_t i, before = evict->nr_kept;

	for (i = 0; i < evict->nr_items; i++)
		evict_commit(pager, &evict->items[i]);
	evict_keep_failed(evict);
	if (evict->nr_kept && !before)
		report_error("store %s: it cannot be written: %s: what it has not stays in its "
			     "frames until it can; faults are served",
			     pager->store->path, strerror(-evict->error));
	else if (!evict->nr_kept && before)
		report_info("store %s: it can be written again", pager->store->path);
	evict->rewrite_all = evict->nr_kept < before;
	evict->rewrite_at = pager_now() + (evict->rewrite_all ? 0 : EVICT_REWRITE);
	evict_vouch(pager);
}

static void evict_put_writing(struct pager *pager)
{
	if (!--pager->evict.writing)
		evict_written(pager);
}

static void evict_write_done(struct store_io *io, int ret)
{
	struct evict_item *item = (struct evict_item *)io;

	if (ret < 0) {
		item->state = EVICT_FAILED;
		item->pager->evict.error = ret;
	}
	evict_put_writing(item->pager);
}

static void evict_write(struct pager *pager, struct evict_item *item,
			void (*write)(struct store *store, struct store_io *io))
{
	item->state = EVICT_WRITE;
	item->io.done = evict_write_done;
	pager->evict.writing++;
	write(pager->store, &item->io);
}

/*
 * An export succeeded: the page has its truth in the kernel at this instant,
 * and will never be asked for at an older version.
 */
static void evict_take_record(struct pager *pager, struct evict_item *item,
			      const struct kmdom_result *result)
{
	struct kmdom_record_info info;

	item->io.version = result->version;
	item->io.length = result->len;
	pager->stats.exports++;
	if (kmdom_record_parse(store_record(&item->io), result->len, &info) ||
	    info.version != result->version ||
	    memcmp(info.domain, pager->store->uuid, sizeof(info.domain))) {
		report_error("page %llu: its record is not of this domain",
			     (unsigned long long)index_page(item->io.key));
		pager->ended = -EXDEV;
		return;
	}
	evict_drop(pager, item->io.key, result->version - 1);
	evict_write(pager, item, store_write);
}

static void evict_export_failed(struct pager *pager, struct evict_item *item,
				const struct kmdom_result *result)
{
	struct index_entry *entry;

	store_cancel(pager->store, &item->io);
	item->state = EVICT_NOTHING;
	if (!result)
		return;
	if (result->ret == -EMSGSIZE)
		pager->evict.no_room = true;
	if (result->ret != -EALREADY)
		return;
	entry = index_get(&pager->store->index, item->io.key);
	if (!entry || entry->version != result->version)
		return;
	evict_add_vouch(&pager->evict, item->io.key, result->version, true);
}

static void evict_exported(struct pager *pager, int ret)
{
	struct evict *evict = &pager->evict;
	const struct kmdom_result *result;
	uint32_t i, nr = 0;

	(void)ret;	/* missing results tell it */
	evict->writing = 1;
	for (i = 0; i < evict->nr_items; i++) {
		if (evict->items[i].state != EVICT_EXPORT)
			continue;
		result = kmdom_batch_result(evict->xchg.batch, nr++);
		if (!result || result->ret) {
			evict_export_failed(pager, &evict->items[i], result);
			continue;
		}
		evict_take_record(pager, &evict->items[i], result);
	}
	evict_report_full(pager, evict->no_room);
	evict_put_writing(pager);
}

/*
 * The store failed: try again with what is here only. With one of them, until
 * that succeeds: each try may cost a slot, and the whole medium may be away.
 */
static void evict_rewrite(struct pager *pager)
{
	struct evict *evict = &pager->evict;
	uint32_t first = evict->rewrite_all ? 0 : evict->tries++ % evict->nr_kept;
	uint32_t end = evict->rewrite_all ? evict->nr_kept : first + 1;

	evict->writing = 1;
	for (; first < end; first++)
		evict_write(pager, &evict->items[first], store_write_again);
	evict_put_writing(pager);
}

/* The result of one eviction; returns whether a frame was freed. */
static bool evict_result(struct pager *pager, const struct evict_vouch *vouch,
			 const struct kmdom_result *result)
{
	/* Whether it was done before the exchange failed cannot be told. */
	if (!result || !result->ret || result->ret == -EALREADY)
		evict_hides(pager, vouch->key);
	if (!result)
		return false;
	switch (result->ret) {
	case 0:
		pager->stats.evictions++;
		pager->stats.evicted_clean += vouch->clean;
		return true;
	case -EAGAIN:
		pager->stats.dirtied++;
		evict_drop(pager, vouch->key, vouch->version);
		return false;
	case -ESTALE:
	case -ENOENT:
		/* That version will never be asked for again. */
		evict_drop(pager, vouch->key, vouch->version);
		return false;
	default:
		return false;
	}
}

static void evict_evicted(struct pager *pager, int ret)
{
	struct evict *evict = &pager->evict;
	const struct kmdom_result *lent;
	uint32_t i, taken = 0;

	(void)ret;	/* missing results tell it */
	for (i = 0; i < evict->nr_vouches; i++)
		taken += evict_result(pager, &evict->vouches[i],
				      kmdom_batch_result(evict->xchg.batch, i));
	lent = kmdom_batch_result(evict->xchg.batch, evict->nr_vouches);
	evict->nr_vouches = 0;
	if (lent && !lent->ret) {
		pager->lent_frames += lent->value;
		taken += lent->value;
	}
	evict_judge(pager, taken);
}

/* Start what can be started. */
void evict_run(struct pager *pager)
{
	struct evict *evict = &pager->evict;

	if (evict->xchg.busy || evict->writing)
		return;
	if (evict->nr_kept && !pager->stopping && pager_now() >= evict->rewrite_at)
		evict_rewrite(pager);
	if (evict->xchg.busy || evict->writing)
		return;
	if (evict->pause_until && pager_now() < evict->pause_until)
		return;
	evict->pause_until = 0;
	if (pager->stopping || !evict_wanted(pager)) {
		if (evict->active)
			evict_end(pager);
		return;
	}
	evict_begin(pager);
}
