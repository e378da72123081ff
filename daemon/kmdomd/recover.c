// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing the store with the domain: a sweep over all pages by SCAN.
 *
 * After an adoption every present page counts as dirty: where the store has
 * the version that the kernel names, and it reads back whole, STORED renews
 * the mark. Records that no page needs are dropped at the end. It goes on
 * beside faults and evictions, and what SCAN showed may be old when it is
 * looked at: so a record is dropped only if it is older than what was shown,
 * and the sweep at the end spares what was written since its start, and what is
 * under a table that is absent: of that SCAN tells nothing.
 */
#include <errno.h>
#include <string.h>
#include "pager.h"
#include "report.h"

static void recover_scanned(struct pager *pager, int ret);
static void recover_vouched(struct pager *pager, int ret);
static void recover_next(struct pager *pager);

int recover_init(struct pager *pager)
{
	pager->recover.pager = pager;
	if (store_io_init(&pager->recover.io, pager->store))
		return -ENOMEM;
	return pager_exchange_init(&pager->recover.xchg, pager, KMDOM_OPS_MAX, 0,
				   NULL);
}

void recover_exit(struct pager *pager)
{
	store_io_exit(&pager->recover.io);
	kmdom_batch_free(pager->recover.xchg.batch);
}

/**
 * recover_start() - sweep
 * @pager: the pager
 * @adopted: the session has just begun
 */
void recover_start(struct pager *pager, bool adopted)
{
	struct recover *recover = &pager->recover;

	if (recover->active) {
		recover->again = true;
		return;
	}
	recover->active = true;
	recover->again = false;
	recover->adopted = adopted;
	recover->cursor = 0;
	recover->missing = 0;
	recover->tables_missing = 0;
	recover->found = 0;
	recover->nr_vouch = 0;
	recover->next_vouch = 0;
	index_clear_flag(&pager->store->index, INDEX_SEEN | INDEX_ABSENT);
}

/* Is this page under a table that is absent? */
static bool recover_hidden(const struct index *index, uint64_t key)
{
	unsigned int level = index_level(key);
	uint64_t page = index_page(key);
	const struct index_entry *entry;

	while (++level <= KMDOM_LEVELS) {
		page /= KMDOM_TABLE_ENTRIES;
		entry = index_get(index, index_key(level, page));
		if (entry && entry->flags & INDEX_ABSENT)
			return true;
	}
	return false;
}

/* The sweep is over: what was not seen is garbage. */
static void recover_end(struct pager *pager)
{
	struct recover *recover = &pager->recover;
	struct index *index = &pager->store->index;
	struct index_entry *entry;
	size_t pos = 0;

	recover->active = false;
	evict_hides_pending(pager);
	while ((entry = index_next(index, &pos))) {
		if (entry->flags & INDEX_SEEN || recover->tables_missing ||
		    recover_hidden(index, entry->key))
			continue;
		pager->stats.garbage++;
		store_drop(pager->store, entry->key, entry->version);
		/* An entry from behind may have moved here. */
		pos--;
	}
	if (recover->missing)
		report_warning("the store lacks %llu of the domain's absent pages: their readers will get EIO%s; is it the right store?",
			       (unsigned long long)recover->missing,
			       pager_loses(pager) ? ", for good" : "");
	if (recover->adopted)
		report_info("the store has %llu of the domain's pages",
			    (unsigned long long)recover->found);
	if (recover->again)
		recover_start(pager, false);
}

static void recover_page(struct pager *pager, const struct kmdom_page *page)
{
	struct recover *recover = &pager->recover;
	uint64_t key = index_key(page->level, page->index);
	struct index_entry *entry = index_get(&pager->store->index, key);

	if (entry && entry->version >= page->version &&
	    page->state != KMDOM_PAGE_LOST) {
		entry->flags |= INDEX_SEEN;
		if (page->level && page->state == KMDOM_PAGE_ABSENT)
			entry->flags |= INDEX_ABSENT;
		recover->found++;
	} else if (page->state == KMDOM_PAGE_ABSENT) {
		recover->missing++;
		recover->tables_missing += page->level;
	}
	if (!entry || entry->version != page->version ||
	    page->state != KMDOM_PAGE_PRESENT ||
	    !(page->flags & KMDOM_PAGEF_DIRTY) || !recover->adopted)
		return;
	recover->vouch[recover->nr_vouch] = key;
	recover->versions[recover->nr_vouch++] = page->version;
}

static void recover_scanned(struct pager *pager, int ret)
{
	struct recover *recover = &pager->recover;
	const struct kmdom_result *result = kmdom_batch_result(recover->xchg.batch, 0);
	uint32_t i;

	if (ret || !result)
		return;		/* again, from the same cursor */
	if (result->ret) {
		report_error("cannot scan the domain: %s", strerror(-result->ret));
		recover->active = false;
		return;
	}
	recover->cursor = result->value;
	recover->nr_vouch = 0;
	recover->next_vouch = 0;
	for (i = 0; i < result->len; i++)
		recover_page(pager, &recover->pages[i]);
	if (recover->nr_vouch)
		recover_next(pager);
	else if (!recover->cursor)
		recover_end(pager);
}

static void recover_read_done(struct store_io *io, int ret)
{
	struct recover *recover = (struct recover *)
		((char *)io - offsetof(struct recover, io));

	/* A record that is not whole is none: the page is exported again. */
	if (ret < 0)
		store_drop(recover->pager->store, io->key, io->version);
	recover->next_vouch++;
	recover->io.done = NULL;
}

/* Check the records to vouch for, one after the other; then vouch. */
static void recover_next(struct pager *pager)
{
	struct recover *recover = &pager->recover;
	struct kmdom_batch *batch = recover->xchg.batch;
	struct index_entry *entry;
	uint32_t i;

	while (recover->next_vouch < recover->nr_vouch) {
		if (recover->io.done)
			return;		/* one is being read */
		entry = index_get(&pager->store->index,
				  recover->vouch[recover->next_vouch]);
		if (!entry || entry->flags & INDEX_VERIFIED ||
		    entry->version != recover->versions[recover->next_vouch]) {
			recover->next_vouch++;
			continue;
		}
		recover->io.key = entry->key;
		recover->io.version = entry->version;
		recover->io.done = recover_read_done;
		store_read(pager->store, &recover->io);
	}
	kmdom_batch_reset(batch);
	for (i = 0; i < recover->nr_vouch; i++) {
		entry = index_get(&pager->store->index, recover->vouch[i]);
		if (entry && entry->version == recover->versions[i])
			kmdom_batch_stored(batch, index_level(entry->key),
					   index_page(entry->key), entry->version);
	}
	recover->xchg.done = recover_vouched;
	pager_exchange_start(&recover->xchg);
}

static void recover_vouched(struct pager *pager, int ret)
{
	struct recover *recover = &pager->recover;
	const struct kmdom_op *op;
	uint32_t i;

	(void)ret;	/* missing results tell it: those pages stay dirty */
	for (i = 0; (op = kmdom_batch_op(recover->xchg.batch, i)); i++) {
		switch (pager_result(&recover->xchg, i)) {
		case 0:
			pager->stats.revouched++;
			break;
		case -EAGAIN:
		case -ESTALE:
		case -ENOENT:
			if (op->level)
				break;
			pager->stats.garbage++;
			store_drop(pager->store, index_key(0, op->index), op->version);
			break;
		}
	}
	recover->nr_vouch = 0;
	recover->next_vouch = 0;
	if (!recover->cursor)
		recover_end(pager);
}

/* Start what can be started. */
void recover_run(struct pager *pager)
{
	struct recover *recover = &pager->recover;

	if (!recover->active || recover->xchg.busy)
		return;
	if (pager->stopping) {
		recover->active = false;
		return;
	}
	if (recover->nr_vouch) {
		recover_next(pager);
		return;
	}
	kmdom_batch_reset(recover->xchg.batch);
	kmdom_batch_scan(recover->xchg.batch, recover->cursor, recover->pages,
			 KMDOM_SCAN_MAX, 0);
	recover->xchg.done = recover_scanned;
	pager_exchange_start(&recover->xchg);
}
