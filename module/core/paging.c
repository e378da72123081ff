// SPDX-License-Identifier: GPL-2.0
/*
 * paging.c - export, stored, evict, refuse: of pages of objects and of tables
 *
 * A page that is present is clean for a session if nothing changed it since the
 * record of its version was copied out to that session, or since that session
 * vouched for that version:
 *
 *	clean = version && !dirty && clean_for == session
 *
 * A page of a DISCARD type is always clean: nothing of it is to be kept.
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
#include "table_type.h"
#include "trace.h"

struct kmdom_schema kmdom_table_schema;

/**
 * kmdom_paging_init - make the schema of tables
 *
 * Context: the module's beginning.
 * Return: 0 or a negative errno.
 */
int __init kmdom_paging_init(void)
{
	return kmdom_schema_init(&kmdom_table_schema, &kmdom_table_type);
}

static u8 kmdom_frame_policy(const struct kmdom_frame *frame)
{
	return frame->level ? kmdom_table_type.policy : frame->cache->policy;
}

static bool kmdom_frame_unchanged(const struct kmdom_frame *frame)
{
	return frame->version && !READ_ONCE(frame->dirty);
}

static bool kmdom_frame_discards(const struct kmdom_frame *frame)
{
	return kmdom_frame_policy(frame) == KMDOM_POLICY_DISCARD;
}

static bool kmdom_frame_clean(const struct kmdom_frame *frame,
			      const struct kmdom_session *session)
{
	return kmdom_frame_discards(frame) ||
	       (kmdom_frame_unchanged(frame) && frame->clean_for == session->id);
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

/**
 * kmdom_table_missing_error - why a page's table could not be locked
 * @dom: the domain
 * @op: an operation on the page
 *
 * Context: any.
 * Return: -ENXIO, -EIO, -ENOENT, or -EBUSY if it is there by now.
 */
int kmdom_table_missing_error(struct kmdom_domain *dom, const struct kmdom_op *op)
{
	unsigned int stopped;
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_walk(&dom->table, kmdom_op_first(op), op->level + 1,
				 &stopped);
	rcu_read_unlock();
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_EMPTY:
		return -ENOENT;
	case KMDOM_PAGE_ABSENT:
		return -ENXIO;
	case KMDOM_PAGE_LOST:
		return -EIO;
	default:
		return -EBUSY;
	}
}

/* Locks the table of a page, if it is present. */
static int kmdom_entry_lock(struct kmdom_domain *dom, const struct kmdom_op *op,
			    struct kmdom_frame **leaf, u64 *entry)
{
	if (!kmdom_page_valid(op->index, op->level))
		return -ENOENT;
	*leaf = kmdom_table_lock(&dom->table, kmdom_op_first(op), op->level);
	if (!*leaf)
		return kmdom_table_missing_error(dom, op);
	*entry = kmdom_table_entry(*leaf, kmdom_op_first(op));
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

/* What was frozen, and stays: somebody may have waited, or have left a table empty. */
static void kmdom_page_thawed(struct kmdom_domain *dom, const struct kmdom_op *op)
{
	kmdom_wait_page_changed(dom, kmdom_op_first(op), op->level, false);
	if (op->level)
		kmdom_slab_prune(dom, kmdom_op_first(op));
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
	    (atomic64_read(&frame->pins) & (KMDOM_PIN_FROZEN_ANY | KMDOM_PIN_ENDING))) {
		kmdom_table_unlock(*leaf);
		return ret;
	}
	atomic64_or(bit, &frame->pins);
	kmdom_table_unlock(*leaf);
	ret = kmdom_frame_freeze_drain(frame, bit);
	if (ret)
		kmdom_page_thawed(dom, op);
	else
		*leaf = kmdom_table_lock(&dom->table, kmdom_op_first(op), op->level);
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

/**
 * kmdom_record_id_of - what a record of a page must say
 * @dom: the domain
 * @op: an operation on the page
 * @version: of the record
 * @id: out
 */
void kmdom_record_id_of(const struct kmdom_domain *dom, const struct kmdom_op *op,
			u64 version, struct kmdom_record_id *id)
{
	memset(id, 0, sizeof(*id));
	memcpy(id->domain, dom->uuid, sizeof(id->domain));
	id->index = op->index;
	id->version = version;
	id->level = op->level;
}

/* Encodes a page that the caller froze against writers, and thaws it. */
static int kmdom_page_encode(struct kmdom_domain *dom, const struct kmdom_op *op,
			     struct kmdom_slot *slot,
			     struct kmdom_frame *frame, u64 version)
{
	struct kmdom_record_id id;
	int len;

	kmdom_slab_drop_magazines(frame);
	WRITE_ONCE(frame->dirty, false);
	kmdom_record_id_of(dom, op, version, &id);
	len = kmdom_record_encode(&frame->cache->schema, &id,
				  kmdom_frame_data(frame), frame->live,
				  slot->record, KMDOM_RECORD_MAX);
	if (len < 0)
		WRITE_ONCE(frame->dirty, true);
	kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_WRITE);
	kmdom_wait_page_changed(dom, op->index, 0, false);
	return len;
}

/* Locks the table of a page that is to be exported, and gives its frame. */
static int kmdom_export_lock(struct kmdom_session *session,
			     const struct kmdom_op *op, struct kmdom_result *res,
			     struct kmdom_frame **leaf,
			     struct kmdom_frame **frame)
{
	u64 entry;
	int ret;

	ret = kmdom_entry_lock(session->dom, op, leaf, &entry);
	if (ret)
		return ret;
	if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT) {
		if (kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT)
			res->version = kmdom_entry_value(entry);
		ret = kmdom_entry_error(entry, res->version);
		goto unlock;
	}
	*frame = kmdom_entry_frame(entry);
	ret = -ENODATA;
	if (kmdom_frame_discards(*frame))
		goto unlock;
	if (!kmdom_frame_clean(*frame, session))
		return 0;
	res->version = (*frame)->version;
	ret = -EALREADY;
unlock:
	kmdom_table_unlock(*leaf);
	return ret;
}

/*
 * The marks of a page that an export of it begins. "spent" is told apart, so that
 * an older export, which ends while this one clears "dirty", does not take that
 * for its own.
 */
static void kmdom_export_mark(struct kmdom_frame *frame, u64 version)
{
	WRITE_ONCE(frame->version, 0);
	frame->spent = version;
	WRITE_ONCE(frame->clean_for, 0);
	WRITE_ONCE(frame->vouched, false);
}

/* What the lock of the table must cover of an export. */
static int kmdom_export_begin(struct kmdom_session *session,
			      const struct kmdom_op *op, u64 version,
			      struct kmdom_result *res,
			      struct kmdom_frame **frame)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_frame *leaf;
	int ret;

	ret = kmdom_export_lock(session, op, res, &leaf, frame);
	if (ret)
		return ret;
	ret = kmdom_page_freeze(dom, op, &leaf, *frame, KMDOM_PIN_FREEZE_WRITE);
	if (ret)
		return ret;
	/* Not before: whoever frees the last object cannot release a frozen page. */
	if (bitmap_empty((*frame)->live, KMDOM_SLOTS_PER_PAGE)) {
		kmdom_frame_thaw(*frame, KMDOM_PIN_FREEZE_WRITE);
		kmdom_table_unlock(leaf);
		kmdom_wait_page_changed(dom, op->index, 0, false);
		return kmdom_slab_release(dom, op->index) ? -ENOENT : -EBUSY;
	}
	kmdom_export_mark(*frame, version);
	kmdom_table_unlock(leaf);
	return 0;
}

/*
 * A table is encoded under its lock, which keeps its entries as they are: it has
 * no pins for writing.
 */
static int kmdom_table_encode(struct kmdom_session *session,
			      struct kmdom_slot *slot, const struct kmdom_op *op,
			      u64 version, struct kmdom_result *res)
{
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_frame *parent, *frame;
	struct kmdom_record_id id;
	int ret;

	ret = kmdom_export_lock(session, op, res, &parent, &frame);
	if (ret)
		return ret;
	kmdom_record_id_of(session->dom, op, version, &id);
	spin_lock_nested(&frame->lock, frame->level);
	if (frame->nr_present) {
		ret = -EBUSY;
	} else {
		kmdom_export_mark(frame, version);
		kmdom_table_live(kmdom_frame_data(frame), live);
		ret = kmdom_record_encode(&kmdom_table_schema, &id,
					  kmdom_frame_data(frame), live,
					  slot->record, KMDOM_RECORD_MAX);
		WRITE_ONCE(frame->dirty, ret < 0);
	}
	spin_unlock(&frame->lock);
	kmdom_table_unlock(parent);
	return ret;
}

/* Makes the record, but for its seal. Returns its length. */
static int kmdom_record_make(struct kmdom_session *session,
			     struct kmdom_slot *slot, const struct kmdom_op *op,
			     u64 version, struct kmdom_result *res, u8 *policy)
{
	struct kmdom_frame *frame;
	int ret;

	*policy = kmdom_table_type.policy;
	if (op->level) {
		/* One that holds nothing needs no record, unless it has to stay. */
		kmdom_slab_prune(session->dom, kmdom_op_first(op));
		return kmdom_table_encode(session, slot, op, version, res);
	}
	ret = kmdom_export_begin(session, op, version, res, &frame);
	if (ret)
		return ret;
	*policy = kmdom_frame_policy(frame);
	return kmdom_page_encode(session->dom, op, slot, frame, version);
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
	u64 version;
	u8 policy;
	int ret;

	if (!kmdom_page_valid(op->index, op->level))
		return -ENOENT;
	ret = kmdom_version_spend(session->dom, &version);
	if (ret)
		return ret;
	ret = kmdom_record_make(session, slot, op, version, res, &policy);
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
		WRITE_ONCE(frame->version, res->version);
		WRITE_ONCE(frame->clean_for, session->id);
		atomic64_inc(&dom->stats.exports);
		atomic64_add(res->len, &dom->stats.bytes_out);
	}
	kmdom_table_unlock(leaf);
	trace_kmdom_export(dom, op->index, op->level, res->version, ret);
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
	if (kmdom_frame_discards(frame)) {
		ret = -ENODATA;
	} else if (!kmdom_frame_unchanged(frame)) {
		ret = -EAGAIN;
	} else if (frame->version != op->version) {
		ret = -ESTALE;
	} else {
		WRITE_ONCE(frame->clean_for, session->id);
		WRITE_ONCE(frame->vouched, true);
	}
	kmdom_table_unlock(leaf);
	trace_kmdom_stored(session->dom, op->index, op->level, op->version, ret);
	return ret;
}

/* The entry of a page of objects that was evicted. */
static u64 kmdom_evicted_entry(const struct kmdom_frame *frame)
{
	if (kmdom_frame_discards(frame))
		return KMDOM_ENTRY_EMPTY;
	return kmdom_entry_make(KMDOM_PAGE_ABSENT, frame->cache->id, frame->version);
}

/* Drops a frozen page, its table locked, unless something forbids it. */
static int kmdom_evict_page(struct kmdom_domain *dom, struct kmdom_frame *leaf,
			    struct kmdom_frame *frame)
{
	int ret = kmdom_wait_evict(dom, leaf, frame, kmdom_evicted_entry(frame));

	if (ret)
		return ret;
	if (kmdom_frame_discards(frame)) {
		kmdom_slab_discard(frame);
		return 0;
	}
	kmdom_slab_page_leaves(frame);
	kmdom_frame_withdraw(frame);
	atomic64_dec(&dom->pages_present);
	atomic64_inc(&dom->pages_absent);
	return 0;
}

/* Drops a frozen table, its parent locked, unless something forbids it. */
static int kmdom_evict_table(struct kmdom_domain *dom, struct kmdom_frame *parent,
			     struct kmdom_frame *frame)
{
	int ret = -EBUSY;

	spin_lock_nested(&frame->lock, frame->level);
	if (frame->dirty)
		ret = -EAGAIN;
	else if (!frame->nr_present)
		ret = kmdom_wait_evict(dom, parent, frame,
				       kmdom_entry_make(KMDOM_PAGE_ABSENT, 0,
							frame->version));
	spin_unlock(&frame->lock);
	if (!ret)
		kmdom_frame_withdraw(frame);
	return ret;
}

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
	/* A table may have been exported anew, by another of the pager's threads. */
	if (frame->version != op->version)
		return -ESTALE;
	ret = op->level ? kmdom_evict_table(dom, leaf, frame) :
			  kmdom_evict_page(dom, leaf, frame);
	if (!ret)
		atomic64_inc(&dom->stats.evictions);
	return ret;
}

/* What remains to be done when the table is unlocked. */
static void kmdom_evicted(struct kmdom_domain *dom, const struct kmdom_op *op,
			  struct kmdom_frame *frame)
{
	if (op->level) {
		/* Walkers may still be in it; and then those are told who lack frames. */
		kmdom_frame_put_deferred(frame, true);
	} else if (kmdom_frame_discards(frame)) {
		kmdom_slab_discarded(frame);
	} else {
		kmdom_frame_put(frame);
		/* Now: the copy of the result may take for ever. */
		kmdom_wait_frames_freed(dom, true);
	}
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
		kmdom_page_thawed(dom, op);
	} else {
		kmdom_evicted(dom, op, frame);
	}
	trace_kmdom_evict(dom, op->index, op->level, op->version, ret);
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
		kmdom_table_set(leaf, kmdom_op_first(op),
				kmdom_entry_make(KMDOM_PAGE_LOST,
						 kmdom_entry_cache(entry), EIO));
	/* In one step: those who wait for what comes later are not refused. */
	if (!ret)
		res->value = kmdom_wait_refuse(dom, kmdom_op_first(op), op->level);
	kmdom_table_unlock(leaf);
	if (ret)
		return ret;
	atomic64_add(res->value, &dom->stats.refused);
	trace_kmdom_refuse(dom, op->index, op->level, op->version, 0);
	return 0;
}
