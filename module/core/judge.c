// SPDX-License-Identifier: GPL-2.0
/*
 * judge.c - the steps from a pager's reply to a page
 *
 * What must be true of a record is taken from the entry, and from what the
 * kernel knows of the page; nothing in the record is believed before its tag.
 */
#include <linux/errno.h>
#include "entry.h"
#include "judge.h"

/* What is rejected is rejected for one reason, which the pager is told. */
static int judge_reject(enum kmdom_reject reason, u64 *why)
{
	*why = reason;
	return kmdom_reject_error(reason);
}

/**
 * kmdom_judge_len - can a record have that many bytes?
 * @len: the bytes
 * @why: out: enum kmdom_reject
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
int kmdom_judge_len(size_t len, u64 *why)
{
	return judge_reject(len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX ?
			    KMDOM_REJECT_LENGTH : KMDOM_REJECT_NONE, why);
}

/**
 * kmdom_judge_entry - does a page wait for its record at a version?
 * @entry: of the page
 * @version: that the pager says
 * @why: out: enum kmdom_reject, if the page is absent; else it is left alone
 *
 * Context: any.
 * Return: 0; -ESTALE if the page is absent at another version; -ENOENT if it is
 * empty; -EIO if it is lost; -EALREADY if it is there.
 */
int kmdom_judge_entry(u64 entry, u64 version, u64 *why)
{
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_ABSENT:
		return judge_reject(kmdom_entry_value(entry) == version ?
				    KMDOM_REJECT_NONE : KMDOM_REJECT_STALE,
				    why);
	case KMDOM_PAGE_EMPTY:
		return -ENOENT;
	case KMDOM_PAGE_LOST:
		return -EIO;
	default:
		return -EALREADY;
	}
}

/**
 * kmdom_judge_record - compare a record's header, and open it
 * @schema: of the type that the page must have
 * @id: what it must be the record of
 * @buf: the record, in memory that the pager cannot reach; aligned to 8 bytes.
 *	If it is rejected, what @buf holds is undefined
 * @len: its length
 * @unseal: the cipher
 * @req: of the cipher
 * @why: out: enum kmdom_reject
 *
 * Context: as @unseal.
 * Return: 0; the errno of the reason; another one if the cipher failed.
 */
int kmdom_judge_record(const struct kmdom_schema *schema,
		       const struct kmdom_record_id *id, void *buf, size_t len,
		       kmdom_unseal_fn *unseal, struct kmdom_seal_request *req,
		       u64 *why)
{
	int ret = judge_reject(kmdom_record_check(schema, id, buf, len), why);

	if (ret)
		return ret;
	ret = unseal(req, schema->type->policy, buf, len, id->version);
	return ret == -EBADMSG ? judge_reject(KMDOM_REJECT_TAG, why) : ret;
}

/**
 * kmdom_judge_payload - write the objects of an opened record to a page
 * @schema: of the page's type
 * @buf: the record, that kmdom_judge_record() let pass
 * @len: its length
 * @page: in and out: as for kmdom_record_decode()
 * @live: out: as for kmdom_record_decode()
 * @why: out: enum kmdom_reject
 *
 * Context: as kmdom_record_decode().
 * Return: 0 or -EINVAL.
 */
int kmdom_judge_payload(const struct kmdom_schema *schema, const void *buf,
			size_t len, void *page, unsigned long *live, u64 *why)
{
	return judge_reject(kmdom_record_decode(schema, buf, len, page, live),
			    why);
}
