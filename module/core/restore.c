// SPDX-License-Identifier: GPL-2.0
/*
 * restore.c - a record becomes a page again, or is rejected
 *
 * The record lies in kernel memory that the pager cannot reach. It is judged
 * against the entry, then authenticated, then decoded into a frame that nobody
 * else knows; only a whole page is published, and only if the entry is still
 * what the record was judged against. So a second answer, or a free, that comes
 * in between wins nothing and loses nothing.
 */
#include <linux/bitmap.h>
#include "cache.h"
#include "domain.h"
#include "paging.h"
#include "pin.h"
#include "record.h"
#include "seal.h"
#include "session.h"
#include "trace.h"

/* The entry that the operation must find: absent, at its version. */
static int kmdom_absent_entry(struct kmdom_domain *dom,
			      const struct kmdom_op *op, u64 *entry)
{
	if (op->index > KMDOM_INDEX_MAX)
		return -ENOENT;
	rcu_read_lock();
	*entry = kmdom_table_read(&dom->table, op->index);
	rcu_read_unlock();
	switch (kmdom_entry_state(*entry)) {
	case KMDOM_PAGE_ABSENT:
		return kmdom_entry_value(*entry) == op->version ? 0 : -ESTALE;
	case KMDOM_PAGE_EMPTY:
		return -ENOENT;
	case KMDOM_PAGE_LOST:
		return -EIO;
	default:
		return -EALREADY;
	}
}

static int kmdom_record_open(struct kmdom_domain *dom, struct kmdom_slot *slot,
			     const struct kmdom_op *op,
			     struct kmdom_cache *cache)
{
	struct kmdom_record_id id = {
		.index = op->index, .version = op->version, .level = 0,
	};
	int ret;

	memcpy(id.domain, dom->uuid, sizeof(id.domain));
	ret = kmdom_record_check(&cache->schema, &id, slot->record, op->len);
	if (!ret)
		ret = kmdom_unseal_record(slot->req, cache->schema.type->policy,
					  slot->record, op->len, op->version);
	return ret;
}

static struct kmdom_frame *kmdom_restore_frame(struct kmdom_domain *dom,
					       u64 index)
{
	enum kmdom_claim claim = KMDOM_CLAIM_RESTORE;

	spin_lock(&dom->wait.lock);
	if (kmdom_wait_is_oldest(dom, index))
		claim = KMDOM_CLAIM_OLDEST;
	spin_unlock(&dom->wait.lock);
	return kmdom_frame_take(dom, claim);
}

/* Somebody may have lacked just this frame. */
static void kmdom_restore_undo(struct kmdom_frame *frame)
{
	struct kmdom_domain *dom = frame->pool->dom;

	kmdom_frame_put(frame);
	kmdom_wait_frames_freed(dom, false);
}

static void kmdom_frame_describe(struct kmdom_frame *frame,
				 struct kmdom_session *session,
				 const struct kmdom_op *op,
				 struct kmdom_cache *cache)
{
	frame->index = op->index;
	frame->level = 0;
	frame->cache = cache;
	frame->version = op->version;
	frame->spent = op->version;
	frame->clean_for = session->id;
	frame->dirty = false;
	frame->referenced = true;
	frame->vouched = false;
	frame->partial = false;
}

/* Publishes a decoded page if its entry is still @entry. */
static int kmdom_restore_publish(struct kmdom_domain *dom,
				 struct kmdom_frame *frame, u64 entry)
{
	u64 index = frame->index;
	struct kmdom_frame *leaf;
	u64 now;

	leaf = kmdom_table_lock(&dom->table, index);
	if (!leaf)
		return -ENOENT;
	now = kmdom_table_entry(leaf, index);
	if (now != entry) {
		kmdom_table_unlock(leaf);
		return kmdom_entry_state(now) == KMDOM_PAGE_PRESENT ?
			-EALREADY : -ENOENT;
	}
	kmdom_frame_publish(frame, KMDOM_FRAME_PAGE);
	kmdom_slab_page_arrived(frame);
	atomic64_set_release(&frame->pins, 0);
	kmdom_table_set(leaf, index,
			kmdom_entry_make(KMDOM_PAGE_PRESENT, frame->cache->id,
					 page_to_pfn(frame->page)));
	atomic64_inc(&dom->pages_present);
	atomic64_dec(&dom->pages_absent);
	kmdom_table_unlock(leaf);
	return 0;
}

static int kmdom_restore_open(struct kmdom_session *session,
			      struct kmdom_slot *slot,
			      const struct kmdom_op *op,
			      struct kmdom_cache *cache, u64 entry)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *frame;
	int ret;

	ret = kmdom_record_open(dom, slot, op, cache);
	if (ret)
		return ret;
	frame = kmdom_restore_frame(dom, op->index);
	if (!frame)
		return -ENOBUFS;
	bitmap_zero(frame->live, KMDOM_SLOTS_PER_PAGE);
	kmdom_frame_describe(frame, session, op, cache);
	ret = kmdom_record_decode(&cache->schema, slot->record, op->len,
				  kmdom_frame_data(frame), frame->live);
	if (!ret)
		ret = kmdom_restore_publish(dom, frame, entry);
	if (ret)
		kmdom_restore_undo(frame);
	return ret;
}

/**
 * kmdom_page_restore - take the record of an absent page
 * @session: the session, entered
 * @slot: holds the record, @op->len bytes
 * @op: the operation; its length was checked
 *
 * Context: may sleep; no copy from user memory.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_restore(struct kmdom_session *session, struct kmdom_slot *slot,
		       const struct kmdom_op *op)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_cache *cache;
	u64 entry;
	int ret;

	ret = kmdom_absent_entry(dom, op, &entry);
	if (ret)
		return ret;
	cache = kmdom_cache_get(dom, kmdom_entry_cache(entry));
	if (!cache)
		return -ENOENT;
	ret = kmdom_restore_open(session, slot, op, cache, entry);
	kmdom_cache_put(cache, 1);
	if (ret)
		return ret;
	atomic64_inc(&dom->stats.restores);
	atomic64_add(op->len, &dom->stats.bytes_in);
	trace_kmdom_restore(dom, op->index, op->version, 0);
	kmdom_wait_page_changed(dom, op->index, true);
	return 0;
}
