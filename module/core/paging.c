// SPDX-License-Identifier: GPL-2.0
/*
 * paging.c - export, stored, evict, refuse
 *
 * A page that is present is clean for a session if nothing changed it since the
 * record of its version was copied out to that session, or since that session
 * vouched for that version:
 *
 *	clean = version && !dirty && clean_for == session
 *
 * An export that does not reach its end leaves version 0, which is not clean
 * for anybody. Who froze the page clears "dirty" before it is encoded; a
 * writer sets it under his pin; so of the two one comes first, and the last
 * word is right.
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

static bool kmdom_frame_unchanged(const struct kmdom_frame *frame)
{
	return frame->version && !READ_ONCE(frame->dirty);
}

static bool kmdom_frame_clean(const struct kmdom_frame *frame,
			      const struct kmdom_session *session)
{
	return kmdom_frame_unchanged(frame) && frame->clean_for == session->id;
}

/* What an operation on an entry that holds no present page comes to. */
static int kmdom_entry_error(u64 entry, u64 version)
{
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_EMPTY:
		return -ENOENT;
	case KMDOM_PAGE_ABSENT:
		return kmdom_entry_value(entry) == version ? -EALREADY : -ESTALE;
	case KMDOM_PAGE_LOST:
		return -EIO;
	default:
		return -EBUSY;
	}
}

/* Locks the table of a page; there may be none. */
static int kmdom_entry_lock(struct kmdom_domain *dom, const struct kmdom_op *op,
			    struct kmdom_frame **leaf, u64 *entry)
{
	if (op->index > KMDOM_INDEX_MAX)
		return -ENOENT;
	*leaf = kmdom_table_lock(&dom->table, op->index);
	if (!*leaf)
		return -ENOENT;
	*entry = kmdom_table_entry(*leaf, op->index);
	return 0;
}

/* Locks the table of a present page, and gives its frame. */
static int kmdom_present_lock(struct kmdom_domain *dom,
			      const struct kmdom_op *op,
			      struct kmdom_frame **leaf,
			      struct kmdom_frame **frame)
{
	u64 entry;
	int ret = kmdom_entry_lock(dom, op, leaf, &entry);

	if (ret)
		return ret;
	if (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) {
		*frame = kmdom_entry_frame(entry);
		return 0;
	}
	kmdom_table_unlock(*leaf);
	return kmdom_entry_error(entry, op->version);
}

/*
 * Freezes the frame of a locked table; on error the table is unlocked. With
 * DRAIN the lock is dropped while pins are waited for; the bit keeps the page
 * and its table where they are meanwhile, because nobody evicts or frees what
 * another froze.
 */
static int kmdom_page_freeze(struct kmdom_domain *dom,
			     const struct kmdom_op *op,
			     struct kmdom_frame **leaf,
			     struct kmdom_frame *frame, u64 bit)
{
	int ret = kmdom_frame_try_freeze(frame, bit);

	if (!ret)
		return 0;
	/* Bits are set under the table's lock alone, so this one is not set. */
	if (!(op->flags & KMDOM_OPF_DRAIN) ||
	    (atomic64_read(&frame->pins) & KMDOM_PIN_FROZEN_ANY)) {
		kmdom_table_unlock(*leaf);
		return ret;
	}
	atomic64_or(bit, &frame->pins);
	kmdom_table_unlock(*leaf);
	ret = kmdom_frame_freeze_drain(frame, bit);
	if (ret)
		kmdom_wait_page_changed(dom, op->index, false);
	else
		*leaf = kmdom_table_lock(&dom->table, op->index);
	return ret;
}

/* A version that no record ever had, and none will. */
static int kmdom_version_spend(struct kmdom_domain *dom, u64 *version)
{
	if (atomic64_read(&dom->version) >= KMDOM_ENTRY_VALUE_MAX)
		return -EOVERFLOW;
	*version = atomic64_inc_return(&dom->version);
	return *version > KMDOM_ENTRY_VALUE_MAX ? -EOVERFLOW : 0;
}

static void kmdom_record_id_of(const struct kmdom_domain *dom, u64 index,
			       u64 version, struct kmdom_record_id *id)
{
	memset(id, 0, sizeof(*id));
	memcpy(id->domain, dom->uuid, sizeof(id->domain));
	id->index = index;
	id->version = version;
}

/* Encodes a page that the caller froze against writers, and thaws it. */
static int kmdom_page_encode(struct kmdom_domain *dom, struct kmdom_slot *slot,
			     struct kmdom_frame *frame, u64 version)
{
	struct kmdom_record_id id;
	u64 index = frame->index;
	int len;

	kmdom_slab_drop_magazines(frame);
	WRITE_ONCE(frame->dirty, false);
	kmdom_record_id_of(dom, index, version, &id);
	len = kmdom_record_encode(&frame->cache->schema, &id,
				  kmdom_frame_data(frame), frame->live,
				  slot->record, KMDOM_RECORD_MAX);
	if (len < 0)
		WRITE_ONCE(frame->dirty, true);
	kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_WRITE);
	kmdom_wait_page_changed(dom, index, false);
	return len;
}

/*
 * What the lock of the table must cover of an export. "spent" is told apart
 * under it, so that an older export of the page, which ends while this one
 * clears "dirty", does not take that for its own.
 */
static int kmdom_export_begin(struct kmdom_session *session,
			      const struct kmdom_op *op, u64 version,
			      struct kmdom_result *res,
			      struct kmdom_frame **frame)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *leaf;
	u64 entry;
	int ret;

	ret = kmdom_entry_lock(dom, op, &leaf, &entry);
	if (ret)
		return ret;
	if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT) {
		kmdom_table_unlock(leaf);
		if (kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT)
			res->version = kmdom_entry_value(entry);
		return kmdom_entry_error(entry, res->version);
	}
	*frame = kmdom_entry_frame(entry);
	if (kmdom_frame_clean(*frame, session)) {
		res->version = (*frame)->version;
		kmdom_table_unlock(leaf);
		return -EALREADY;
	}
	ret = kmdom_page_freeze(dom, op, &leaf, *frame, KMDOM_PIN_FREEZE_WRITE);
	if (ret)
		return ret;
	/* Not before: whoever frees the last object cannot release a frozen page. */
	if (bitmap_empty((*frame)->live, KMDOM_SLOTS_PER_PAGE)) {
		kmdom_frame_thaw(*frame, KMDOM_PIN_FREEZE_WRITE);
		kmdom_table_unlock(leaf);
		kmdom_wait_page_changed(dom, op->index, false);
		return kmdom_slab_release(dom, op->index) ? -ENOENT : -EBUSY;
	}
	(*frame)->version = 0;
	(*frame)->spent = version;
	(*frame)->clean_for = 0;
	(*frame)->vouched = false;
	kmdom_table_unlock(leaf);
	return 0;
}

/**
 * kmdom_page_export - make the record of a page
 * @session: the session, entered
 * @slot: out: the record
 * @op: the operation
 * @res: out: version and length
 *
 * The page is not clean until kmdom_page_exported().
 *
 * Context: may sleep; no copy to user memory.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_export(struct kmdom_session *session, struct kmdom_slot *slot,
		      const struct kmdom_op *op, struct kmdom_result *res)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *frame;
	u64 version;
	u8 policy;
	int ret;

	ret = kmdom_version_spend(dom, &version);
	if (ret)
		return ret;
	ret = kmdom_export_begin(session, op, version, res, &frame);
	if (ret)
		return ret;
	policy = frame->cache->schema.type->policy;
	ret = kmdom_page_encode(dom, slot, frame, version);
	if (ret < 0)
		return ret;
	res->version = version;
	res->len = ret;
	if (res->len > op->len)
		return -EMSGSIZE;
	return kmdom_seal_record(slot->req, policy, slot->record, res->len,
				 version);
}

/**
 * kmdom_page_exported - the record has been copied out: the page is clean
 * @session: the session, entered
 * @op: the operation
 * @res: as kmdom_page_export() filled it in
 *
 * Context: any that does not interrupt.
 * Return: 0, or -EAGAIN if it was dirtied or exported anew since, or what became
 * of the page.
 */
int kmdom_page_exported(struct kmdom_session *session,
			const struct kmdom_op *op,
			const struct kmdom_result *res)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *leaf, *frame;
	int ret;

	ret = kmdom_present_lock(dom, op, &leaf, &frame);
	if (ret)
		/* Exported anew, and evicted, by another of the pager's threads. */
		return ret == -ESTALE ? -EAGAIN : ret;
	if (frame->spent != res->version || READ_ONCE(frame->dirty)) {
		ret = -EAGAIN;
	} else {
		frame->version = res->version;
		frame->clean_for = session->id;
		atomic64_inc(&dom->stats.exports);
		atomic64_add(res->len, &dom->stats.bytes_out);
	}
	kmdom_table_unlock(leaf);
	trace_kmdom_export(dom, op->index, res->version, ret);
	return ret;
}

/**
 * kmdom_page_stored - the pager vouches for the version of a page
 * @session: the session, entered
 * @op: the operation
 *
 * It need not be the session that the record was copied out to: a successor
 * says so of what it finds in its store.
 *
 * Context: any that does not interrupt.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_stored(struct kmdom_session *session, const struct kmdom_op *op)
{
	struct kmdom_frame *leaf, *frame;
	int ret;

	ret = kmdom_present_lock(session->dom, op, &leaf, &frame);
	if (ret)
		return ret;
	if (!kmdom_frame_unchanged(frame)) {
		ret = -EAGAIN;
	} else if (frame->version != op->version) {
		ret = -ESTALE;
	} else {
		frame->clean_for = session->id;
		frame->vouched = true;
	}
	kmdom_table_unlock(leaf);
	trace_kmdom_stored(session->dom, op->index, op->version, ret);
	return ret;
}

/* Drops a frozen page, its table locked, unless something forbids it. */
static int kmdom_evict_frozen(struct kmdom_session *session,
			      const struct kmdom_op *op,
			      struct kmdom_frame *leaf,
			      struct kmdom_frame *frame)
{
	struct kmdom_domain *dom = session->dom;
	int ret;

	/* Writers that were drained may have changed it. */
	if (!kmdom_frame_clean(frame, session))
		return -EAGAIN;
	ret = kmdom_wait_evict(dom, leaf, op->index,
			       kmdom_entry_make(KMDOM_PAGE_ABSENT,
						frame->cache->id, op->version));
	if (ret)
		return ret;
	kmdom_slab_page_leaves(frame);
	kmdom_frame_withdraw(frame);
	atomic64_dec(&dom->pages_present);
	atomic64_inc(&dom->pages_absent);
	atomic64_inc(&dom->stats.evictions);
	return 0;
}

/**
 * kmdom_page_evict - drop the frame of a clean page
 * @session: the session, entered
 * @op: the operation
 *
 * Context: may sleep with KMDOM_OPF_DRAIN.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_evict(struct kmdom_session *session, const struct kmdom_op *op)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *leaf, *frame;
	int ret;

	ret = kmdom_present_lock(dom, op, &leaf, &frame);
	if (ret)
		return ret;
	if (!kmdom_frame_clean(frame, session))
		ret = -EAGAIN;
	else if (frame->version != op->version)
		ret = -ESTALE;
	if (ret) {
		kmdom_table_unlock(leaf);
		return ret;
	}
	ret = kmdom_page_freeze(dom, op, &leaf, frame, KMDOM_PIN_FREEZE_ALL);
	if (ret)
		return ret;
	ret = kmdom_evict_frozen(session, op, leaf, frame);
	kmdom_table_unlock(leaf);
	if (ret) {
		kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_ALL);
		kmdom_wait_page_changed(dom, op->index, false);
	} else {
		kmdom_frame_put(frame);
		/* Now: the copy of the result may take for ever. */
		kmdom_wait_frames_freed(dom, true);
	}
	trace_kmdom_evict(dom, op->index, op->version, ret);
	return ret;
}

/**
 * kmdom_page_refuse - fail those who wait for a page, or lose it
 * @session: the session, entered
 * @op: the operation
 * @res: out: how many waited
 *
 * Context: any that does not interrupt.
 * Return: 0 or the error of the operation.
 */
int kmdom_page_refuse(struct kmdom_session *session, const struct kmdom_op *op,
		      struct kmdom_result *res)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *leaf;
	u64 entry;
	int ret;

	ret = kmdom_entry_lock(dom, op, &leaf, &entry);
	if (ret)
		return ret;
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_ABSENT:
		ret = kmdom_entry_value(entry) == op->version ? 0 : -ESTALE;
		break;
	case KMDOM_PAGE_LOST:
		ret = -EALREADY;
		break;
	case KMDOM_PAGE_EMPTY:
		ret = -ENOENT;
		break;
	default:
		ret = -EBUSY;
	}
	if (!ret && (op->flags & KMDOM_OPF_LOST))
		kmdom_table_set(leaf, op->index,
				kmdom_entry_make(KMDOM_PAGE_LOST,
						 kmdom_entry_cache(entry), EIO));
	kmdom_table_unlock(leaf);
	if (ret)
		return ret;
	res->value = kmdom_wait_refuse(dom, op->index);
	atomic64_add(res->value, &dom->stats.refused);
	trace_kmdom_refuse(dom, op->index, op->version, 0);
	return 0;
}
