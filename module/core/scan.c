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

/* A cursor over indices: the next page, and how far below the topmost level. */
#define KMDOM_SCAN_DEPTH_BITS	3

/* By the entry's cache: the frame may be another page's by now, or a table's. */
static void kmdom_scan_objects(struct kmdom_domain *dom,
			       const struct kmdom_frame *frame,
			       struct kmdom_page *page)
{
	const struct kmdom_cache *cache = xa_load(&dom->caches, page->cache);

	if (!cache)
		return;
	/* A look, while clients set and clear bits. */
	page->live = data_race(bitmap_weight(frame->live, KMDOM_SLOTS_PER_PAGE));
	page->slots = cache->schema.slots;
	page->policy = cache->policy;
}

static void kmdom_scan_table(const struct kmdom_frame *frame,
			     struct kmdom_page *page)
{
	page->live = READ_ONCE(frame->nr_used);
	page->slots = KMDOM_TABLE_ENTRIES;
	page->policy = KMDOM_POLICY_SIGNED;
	if (READ_ONCE(frame->nr_present))
		page->flags |= KMDOM_PAGEF_HOLDS;
}

static void kmdom_scan_frame(struct kmdom_session *session,
			     const struct kmdom_op *op,
			     struct kmdom_frame *frame, struct kmdom_page *page)
{
	u32 flags = 0;

	page->version = READ_ONCE(frame->version);
	if (page->level)
		kmdom_scan_table(frame, page);
	else
		kmdom_scan_objects(session->dom, frame, page);
	if (page->policy != KMDOM_POLICY_DISCARD &&
	    (READ_ONCE(frame->dirty) || !page->version ||
	     READ_ONCE(frame->clean_for) != session->id))
		flags |= KMDOM_PAGEF_DIRTY;
	if (READ_ONCE(frame->referenced))
		flags |= KMDOM_PAGEF_REFERENCED;
	if (op->flags & KMDOM_OPF_CLEAR)
		WRITE_ONCE(frame->referenced, false);
	if (atomic64_read(&frame->pins) & KMDOM_PIN_ANY)
		flags |= KMDOM_PAGEF_PINNED;
	if (READ_ONCE(frame->vouched) && !(flags & KMDOM_PAGEF_DIRTY))
		flags |= KMDOM_PAGEF_VOUCHED;
	page->flags |= flags;
}

/* Fills in one page by its entry; in an RCU section. */
static void kmdom_scan_entry(struct kmdom_session *session,
			     const struct kmdom_op *op, u64 first,
			     unsigned int level, u64 entry,
			     struct kmdom_page *page)
{
	memset(page, 0, sizeof(*page));
	page->index = kmdom_table_index(first, level);
	page->level = level;
	page->cache = kmdom_entry_cache(entry);
	page->state = kmdom_entry_state(entry);
	if (page->state == KMDOM_PAGE_PRESENT)
		kmdom_scan_frame(session, op, kmdom_entry_frame(entry), page);
	else if (page->state == KMDOM_PAGE_ABSENT)
		page->version = kmdom_entry_value(entry);
	if (READ_ONCE(session->dom->wait.nr_waiters)) {
		spin_lock(&session->dom->wait.lock);
		if (kmdom_wait_is_needed(session->dom, first, level))
			page->flags |= KMDOM_PAGEF_WANTED;
		spin_unlock(&session->dom->wait.lock);
	}
}

/* The topmost level at which a page begins with this page of objects. */
static unsigned int kmdom_scan_top(u64 first)
{
	unsigned int level = KMDOM_LEVELS;

	while (kmdom_page_first(kmdom_table_index(first, level), level) != first)
		level--;
	return level;
}

/* To the next page: one level down, if there is anything, or past this one. */
static void kmdom_scan_next(u64 *first, unsigned int *level, bool down)
{
	if (*level && down) {
		--*level;
		return;
	}
	*first = kmdom_page_first(kmdom_table_index(*first, *level) + 1, *level);
	*level = kmdom_scan_top(*first);
}

static u64 kmdom_scan_by_index(struct kmdom_session *session,
			       const struct kmdom_op *op,
			       struct kmdom_page *pages, u32 *nr)
{
	struct kmdom_domain *dom = session->dom;
	u64 end = min_t(u64, atomic64_read(&dom->table.cursor), KMDOM_INDEX_END);
	unsigned int depth = op->index & (BIT(KMDOM_SCAN_DEPTH_BITS) - 1);
	u64 first = op->index >> KMDOM_SCAN_DEPTH_BITS;
	unsigned int looks = KMDOM_SCAN_LOOKS, level, stopped;

	/* A cursor that was never given leads somewhere, too. */
	level = KMDOM_LEVELS - min_t(unsigned int, depth, KMDOM_LEVELS);
	first = kmdom_page_first(kmdom_table_index(first, level), level);
	rcu_read_lock();
	while (first < end && *nr < op->arg && looks--) {
		u64 entry = kmdom_table_walk(&dom->table, first, level, &stopped);

		/* What has gone since the last call covers it all. */
		if (stopped == level && entry != KMDOM_ENTRY_EMPTY)
			kmdom_scan_entry(session, op, first, level, entry,
					 &pages[(*nr)++]);
		level = stopped;
		kmdom_scan_next(&first, &level,
				kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT);
	}
	rcu_read_unlock();
	return first < end ? first << KMDOM_SCAN_DEPTH_BITS |
			     (KMDOM_LEVELS - level) : 0;
}

/* A page by its frame, if it is in that frame. */
static bool kmdom_scan_by_frame(struct kmdom_session *session,
				const struct kmdom_op *op,
				struct kmdom_frame *frame,
				struct kmdom_page *page)
{
	u8 state = READ_ONCE(frame->state);
	unsigned int level, stopped;
	u64 entry, first;

	if (state != KMDOM_FRAME_PAGE && state != KMDOM_FRAME_TABLE)
		return false;
	level = READ_ONCE(frame->level);
	first = kmdom_page_first(READ_ONCE(frame->index), level);
	entry = kmdom_table_walk(&session->dom->table, first, level, &stopped);
	if (stopped != level || kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT ||
	    kmdom_entry_frame(entry) != frame)
		return false;
	kmdom_scan_entry(session, op, first, level, entry, page);
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
