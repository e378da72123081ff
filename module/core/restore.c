// SPDX-License-Identifier: GPL-2.0
/*
 * restore.c - a record becomes a page or a table again, or is rejected
 *
 * The record lies in kernel memory that the pager cannot reach. It is judged
 * (judge.h) against the entry, by its tag, and as it is decoded into a frame
 * that nobody else knows; only a whole page is published, and only if the entry
 * is still what the record was judged against. So a second answer, or a free,
 * that comes in between wins nothing and loses nothing.
 */
#include <linux/bitmap.h>
#include "cache.h"
#include "domain.h"
#include "judge.h"
#include "paging.h"
#include "pin.h"
#include "seal.h"
#include "session.h"
#include "trace.h"

/* The entry that the operation must find: absent, at its version. */
static int kmdom_absent_entry(struct kmdom_domain *dom,
			      const struct kmdom_op *op,
			      struct kmdom_result *res, u64 *entry)
{
	unsigned int stopped;

	if (!kmdom_page_valid(op->index, op->level))
		return -ENOENT;
	rcu_read_lock();
	*entry = kmdom_table_walk(&dom->table, kmdom_op_first(op), op->level,
				  &stopped);
	rcu_read_unlock();
	if (kmdom_entry_state(*entry) == KMDOM_PAGE_ABSENT && stopped != op->level)
		return -ENXIO;
	return kmdom_judge_entry(*entry, op->version, &res->value);
}

static int kmdom_record_open(struct kmdom_domain *dom, struct kmdom_slot *slot,
			     const struct kmdom_op *op,
			     struct kmdom_result *res,
			     const struct kmdom_schema *schema)
{
	struct kmdom_record_id id;

	kmdom_record_id_of(dom, op, op->version, &id);
	return kmdom_judge_record(schema, &id, slot->record, op->len,
				  kmdom_unseal_record, slot->req, &res->value);
}

static struct kmdom_frame *kmdom_restore_frame(struct kmdom_domain *dom,
					       const struct kmdom_op *op)
{
	enum kmdom_claim claim = KMDOM_CLAIM_RESTORE;

	spin_lock(&dom->wait.lock);
	if (kmdom_wait_is_oldest(dom, kmdom_op_first(op), op->level))
		claim = KMDOM_CLAIM_OLDEST;
	spin_unlock(&dom->wait.lock);
	return kmdom_frame_take(&dom->ledger, claim);
}

/* Somebody may have lacked just this frame. */
static void kmdom_restore_undo(struct kmdom_frame *frame)
{
	struct kmdom_domain *dom = kmdom_frame_domain(frame);

	kmdom_frame_put(frame);
	kmdom_wait_frames_freed(dom, false);
}

static int kmdom_restore_decode(const struct kmdom_schema *schema,
				struct kmdom_slot *slot, const struct kmdom_op *op,
				struct kmdom_result *res,
				struct kmdom_frame *frame)
{
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	const u64 *entries = kmdom_frame_data(frame);
	unsigned int i, used = 0;
	int ret;

	ret = kmdom_judge_payload(schema, slot->record, op->len,
				  kmdom_frame_data(frame), live, &res->value);
	if (ret)
		return ret;
	if (!op->level) {
		bitmap_copy(frame->live, live, KMDOM_SLOTS_PER_PAGE);
		return 0;
	}
	for (i = 0; i < KMDOM_TABLE_ENTRIES; i++)
		used += entries[i] != KMDOM_ENTRY_EMPTY;
	WRITE_ONCE(frame->nr_used, used);
	return 0;
}

/* What a page of objects is beside its frame; its table is locked. */
static void kmdom_restore_count(struct kmdom_domain *dom,
				struct kmdom_frame *frame)
{
	if (frame->level)
		return;
	kmdom_slab_page_arrived(frame);
	atomic64_inc(&dom->pages_present);
	atomic64_dec(&dom->pages_absent);
}

/* Publishes a decoded page if its entry is still @entry. */
static int kmdom_restore_publish(struct kmdom_domain *dom,
				 const struct kmdom_op *op, struct kmdom_result *res,
				 struct kmdom_frame *frame, u64 entry)
{
	u64 first = kmdom_op_first(op);
	struct kmdom_frame *leaf;
	u64 now;

	leaf = kmdom_table_lock(&dom->table, first, op->level);
	if (!leaf)
		return kmdom_table_missing_error(dom, op);
	now = kmdom_table_entry(leaf, first);
	if (now != entry) {
		kmdom_table_unlock(leaf);
		/* Absent at the same version, it would be the same entry. */
		return kmdom_judge_entry(now, op->version, &res->value) ?:
		       -EALREADY;
	}
	kmdom_frame_publish(frame, op->level ? KMDOM_FRAME_TABLE : KMDOM_FRAME_PAGE);
	kmdom_restore_count(dom, frame);
	atomic64_set_release(&frame->pins, 0);
	kmdom_table_set(leaf, first,
			kmdom_entry_make(KMDOM_PAGE_PRESENT, kmdom_entry_cache(entry),
					 page_to_pfn(frame->page)));
	kmdom_table_unlock(leaf);
	return 0;
}

static int kmdom_restore_open(struct kmdom_session *session,
			      struct kmdom_slot *slot,
			      const struct kmdom_op *op,
			      struct kmdom_result *res,
			      struct kmdom_cache *cache, u64 entry)
{
	const struct kmdom_schema *schema = cache ? &cache->schema :
						    &kmdom_table_schema;
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *frame;
	int ret;

	ret = kmdom_record_open(dom, slot, op, res, schema);
	if (ret)
		return ret;
	frame = kmdom_restore_frame(dom, op);
	if (!frame)
		return -ENOBUFS;
	if (op->level)
		kmdom_table_describe(frame, kmdom_op_first(op), op->level);
	kmdom_frame_describe(frame, op->index, op->level, cache, op->version,
			     session->id);
	ret = kmdom_restore_decode(schema, slot, op, res, frame);
	if (!ret)
		ret = kmdom_restore_publish(dom, op, res, frame, entry);
	if (ret)
		kmdom_restore_undo(frame);
	return ret;
}

/**
 * kmdom_page_restore - take the record of an absent page
 * @session: the session, entered
 * @slot: holds the record, @op->len bytes
 * @op: the operation; its length was checked
 * @res: out: why the record was rejected, if it was
 *
 * Context: may sleep; no copy from user memory.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_restore(struct kmdom_session *session, struct kmdom_slot *slot,
		       const struct kmdom_op *op, struct kmdom_result *res)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_cache *cache = NULL;
	u64 entry;
	int ret;

	ret = kmdom_absent_entry(dom, op, res, &entry);
	if (ret)
		return ret;
	if (!op->level) {
		cache = kmdom_cache_get(dom, kmdom_entry_cache(entry));
		if (!cache)
			return -ENOENT;
	}
	ret = kmdom_restore_open(session, slot, op, res, cache, entry);
	if (cache)
		kmdom_cache_put(cache, 1);
	if (ret)
		return ret;
	atomic64_inc(&dom->stats.restores);
	atomic64_add(op->len, &dom->stats.bytes_in);
	trace_kmdom_restore(dom, op->index, op->level, op->version, 0);
	kmdom_wait_page_changed(dom, kmdom_op_first(op), op->level, true);
	return 0;
}
