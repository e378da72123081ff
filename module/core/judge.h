/* SPDX-License-Identifier: GPL-2.0 */
/*
 * judge.h - whether a record is the one of an absent page
 *
 * Pure: no locks, no allocation; also built in user space, where the cipher is
 * the caller's. A reply is judged in the order of enum kmdom_reject: its
 * length, the entry of its page, the record's header and tag, its payload.
 * Every step tells the reason, as the result of a RESTORE does, and its errno.
 */
#ifndef KMDOM_JUDGE_H
#define KMDOM_JUDGE_H

#include "record.h"

struct kmdom_seal_request;

/* As kmdom_unseal_record(). */
typedef int kmdom_unseal_fn(struct kmdom_seal_request *req, u8 policy,
			    void *buf, size_t len, u64 version);

int kmdom_judge_len(size_t len, u64 *why);
int kmdom_judge_entry(u64 entry, u64 version, u64 *why);
int kmdom_judge_record(const struct kmdom_schema *schema,
		       const struct kmdom_record_id *id, void *buf, size_t len,
		       kmdom_unseal_fn *unseal, struct kmdom_seal_request *req,
		       u64 *why);
int kmdom_judge_payload(const struct kmdom_schema *schema, const void *buf,
			size_t len, void *page, unsigned long *live, u64 *why);

#endif /* KMDOM_JUDGE_H */
