/* SPDX-License-Identifier: GPL-2.0 */
/*
 * paging.h - pages leave, are vouched for, and come back
 *
 * The steps of an operation that copy to or from the pager's memory lie between
 * those below, in exchange.c, where nothing is held.
 */
#ifndef KMDOM_PAGING_H
#define KMDOM_PAGING_H

#include "entry.h"
#include "schema.h"

struct kmdom_domain;
struct kmdom_op;
struct kmdom_page;
struct kmdom_record_id;
struct kmdom_result;
struct kmdom_session;
struct kmdom_slot;

/** kmdom_op_first - the first page of objects of an operation's page */
static inline u64 kmdom_op_first(const struct kmdom_op *op)
{
	return kmdom_page_first(op->index, op->level);
}

/* paging.c */
extern struct kmdom_schema kmdom_table_schema;

int kmdom_paging_init(void);
void kmdom_record_id_of(const struct kmdom_domain *dom, const struct kmdom_op *op,
			u64 version, struct kmdom_record_id *id);
int kmdom_table_missing_error(struct kmdom_domain *dom, const struct kmdom_op *op);
int kmdom_page_export(struct kmdom_session *session, struct kmdom_slot *slot,
		      const struct kmdom_op *op, struct kmdom_result *res);
int kmdom_page_exported(struct kmdom_session *session,
			const struct kmdom_op *op,
			const struct kmdom_result *res);
int kmdom_page_stored(struct kmdom_session *session, const struct kmdom_op *op);
int kmdom_page_evict(struct kmdom_session *session, const struct kmdom_op *op);
int kmdom_page_refuse(struct kmdom_session *session, const struct kmdom_op *op,
		      struct kmdom_result *res);

/* restore.c */
int kmdom_page_restore(struct kmdom_session *session, struct kmdom_slot *slot,
		       const struct kmdom_op *op, struct kmdom_result *res);

/* scan.c */
int kmdom_pages_scan(struct kmdom_session *session, const struct kmdom_op *op,
		     struct kmdom_page *pages, struct kmdom_result *res);

#endif /* KMDOM_PAGING_H */
