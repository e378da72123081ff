// SPDX-License-Identifier: GPL-2.0
/*
 * scan.c - states of pages, for the pager's policy and for a successor
 *
 * What is shown is of some instant for each page, and of no common one: every
 * operation that is made of it names page and version, and finds out.
 */
#include <linux/bitmap.h>
#include "cache.h"
#include "domain.h"
#include "paging.h"
#include "pin.h"
#include "session.h"

/* Entries or frames that one SCAN looks at, found or not. */
#define KMDOM_SCAN_LOOKS	16384

/* A cursor over frames: number of the pool, number of the frame. */
#define KMDOM_SCAN_FRAME_BITS	32

static void kmdom_scan_frame(struct kmdom_session *session,
			     const struct kmdom_op *op,
			     struct kmdom_frame *frame, struct kmdom_page *page)
{
	u32 flags = 0;

	page->version = READ_ONCE(frame->version);
	page->live = bitmap_weight(frame->live, KMDOM_SLOTS_PER_PAGE);
	page->slots = frame->cache->schema.slots;
	if (READ_ONCE(frame->dirty) || !page->version ||
	    READ_ONCE(frame->clean_for) != session->id)
		flags |= KMDOM_PAGEF_DIRTY;
	if (READ_ONCE(frame->referenced))
		flags |= KMDOM_PAGEF_REFERENCED;
	if (op->flags & KMDOM_OPF_CLEAR)
		WRITE_ONCE(frame->referenced, false);
	if (atomic64_read(&frame->pins) & KMDOM_PIN_ANY)
		flags |= KMDOM_PAGEF_PINNED;
	if (READ_ONCE(frame->vouched) && !(flags & KMDOM_PAGEF_DIRTY))
		flags |= KMDOM_PAGEF_VOUCHED;
	page->flags = flags;
}

/* Fills in one page by its entry; in an RCU section. */
static void kmdom_scan_entry(struct kmdom_session *session,
			     const struct kmdom_op *op, u64 index, u64 entry,
			     struct kmdom_page *page)
{
	memset(page, 0, sizeof(*page));
	page->index = index;
	page->cache = kmdom_entry_cache(entry);
	page->state = kmdom_entry_state(entry);
	if (page->state == KMDOM_PAGE_PRESENT)
		kmdom_scan_frame(session, op, kmdom_entry_frame(entry), page);
	else if (page->state == KMDOM_PAGE_ABSENT)
		page->version = kmdom_entry_value(entry);
	if (READ_ONCE(session->dom->wait.nr_waiters)) {
		spin_lock(&session->dom->wait.lock);
		if (kmdom_wait_is_wanted(session->dom, index))
			page->flags |= KMDOM_PAGEF_WANTED;
		spin_unlock(&session->dom->wait.lock);
	}
}

/* First index behind what a missing table of some level covers. */
static u64 kmdom_scan_skip(struct kmdom_domain *dom, u64 index)
{
	unsigned int level = KMDOM_LEVELS;

	while (level && kmdom_table_find(&dom->table, index, level))
		level--;
	if (!level)
		return index;
	return (kmdom_table_index(index, level) + 1) << (KMDOM_TABLE_BITS * level);
}

static u64 kmdom_scan_by_index(struct kmdom_session *session,
			       const struct kmdom_op *op,
			       struct kmdom_page *pages, u32 *nr)
{
	struct kmdom_domain *dom = session->dom;
	u64 end = min_t(u64, atomic64_read(&dom->table.cursor),
			KMDOM_INDEX_MAX + 1);
	unsigned int looks = KMDOM_SCAN_LOOKS;
	u64 index = op->index;

	rcu_read_lock();
	while (index < end && *nr < op->arg && looks--) {
		u64 entry = kmdom_table_read(&dom->table, index);

		if (entry != KMDOM_ENTRY_EMPTY) {
			kmdom_scan_entry(session, op, index, entry,
					 &pages[(*nr)++]);
			index++;
		} else {
			index = max(index + 1, kmdom_scan_skip(dom, index));
		}
	}
	rcu_read_unlock();
	return index < end ? index : 0;
}

/* A page by its frame, if it is in that frame. */
static bool kmdom_scan_by_frame(struct kmdom_session *session,
				const struct kmdom_op *op,
				struct kmdom_frame *frame,
				struct kmdom_page *page)
{
	u64 entry, index;

	if (READ_ONCE(frame->state) != KMDOM_FRAME_PAGE)
		return false;
	index = READ_ONCE(frame->index);
	entry = kmdom_table_read(&session->dom->table, index);
	if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT ||
	    kmdom_entry_frame(entry) != frame)
		return false;
	kmdom_scan_entry(session, op, index, entry, page);
	return true;
}

/* The pool at a cursor, or the next one; with a use of it. */
static struct kmdom_pool *kmdom_scan_pool(struct kmdom_domain *dom, u64 id)
{
	struct kmdom_pool *pool, *found = NULL;

	spin_lock(&dom->ledger.lock);
	list_for_each_entry(pool, &dom->ledger.pools, node) {
		if (pool->id >= id && refcount_inc_not_zero(&pool->users)) {
			found = pool;
			break;
		}
	}
	spin_unlock(&dom->ledger.lock);
	return found;
}

static u64 kmdom_scan_present(struct kmdom_session *session,
			      const struct kmdom_op *op,
			      struct kmdom_page *pages, u32 *nr)
{
	u64 id = op->index >> KMDOM_SCAN_FRAME_BITS;
	u64 at = op->index & (BIT_ULL(KMDOM_SCAN_FRAME_BITS) - 1);
	unsigned int looks = KMDOM_SCAN_LOOKS;
	struct kmdom_pool *pool;

	while ((pool = kmdom_scan_pool(session->dom, id))) {
		if (pool->id != id)
			at = 0;
		id = pool->id;
		rcu_read_lock();
		for (; at < pool->nr_frames && *nr < op->arg && looks; at++) {
			looks--;
			if (kmdom_scan_by_frame(session, op, &pool->frames[at],
						&pages[*nr]))
				++*nr;
		}
		rcu_read_unlock();
		if (at < pool->nr_frames) {
			kmdom_pool_put(pool);
			return id << KMDOM_SCAN_FRAME_BITS | at;
		}
		kmdom_pool_put(pool);
		id++;
		at = 0;
	}
	return 0;
}

/**
 * kmdom_pages_scan - states of pages from a cursor on
 * @session: the session, entered
 * @op: the operation
 * @pages: out: room for KMDOM_SCAN_MAX
 * @res: out: next cursor and how many
 *
 * Context: may sleep; no copy to user memory.
 * Return: 0.
 */
int kmdom_pages_scan(struct kmdom_session *session, const struct kmdom_op *op,
		     struct kmdom_page *pages, struct kmdom_result *res)
{
	if (op->flags & KMDOM_OPF_PRESENT)
		res->value = kmdom_scan_present(session, op, pages, &res->len);
	else
		res->value = kmdom_scan_by_index(session, op, pages, &res->len);
	return 0;
}
