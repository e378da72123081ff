/* SPDX-License-Identifier: GPL-2.0 */
/*
 * desk.h - a pager's thread for the tests: it exports, evicts and restores one page,
 * of a shop's objects or of its tables
 *
 * The cipher is the desk's. It lies between the steps of an operation, where nothing
 * is held: so what another thread does there meanwhile can be told to the cipher.
 */
#ifndef KMDOM_KUNIT_DESK_H
#define KMDOM_KUNIT_DESK_H

#include "paging.h"
#include "seal.h"
#include "session.h"
#include "shop.h"

/**
 * struct kmdom_seal_request - the cipher of these tests: it notes what it is asked
 * @ret: what it returns
 * @calls: how often it was asked to seal
 * @version: with which version, the last time
 * @meanwhile: what others do while it opens the next record; or NULL
 * @arg: for that
 */
struct kmdom_seal_request {
	int ret;
	unsigned int calls;
	u64 version;
	void (*meanwhile)(void *arg);
	void *arg;
};

/**
 * struct desk - one who pages, with all that it takes
 * @shop: whose page it is
 * @session: as all desks of a shop have it
 * @slot: of the exchange
 * @seal: the cipher
 * @record: the page's, after an export
 * @op: EXPORT of the page
 * @res: result of the last export
 * @why: why the last restore was rejected
 */
struct desk {
	struct shop *shop;
	struct kmdom_session session;
	struct kmdom_slot slot;
	struct kmdom_seal_request seal;
	u8 record[KMDOM_RECORD_MAX];
	struct kmdom_op op;
	struct kmdom_result res;
	u64 why;
};

struct desk *desk_open(struct shop *shop);
struct desk *desk_beside(const struct desk *desk, unsigned int level);
void desk_leave(struct desk *desk);
void desk_free(struct desk *desk);
void desk_close(struct desk *desk);

int desk_export(struct desk *desk);
int desk_exported(struct desk *desk);
int desk_evict(struct desk *desk, u64 version);
void desk_take(struct desk *desk);
int desk_restore(struct desk *desk);
void desk_lose(struct desk *desk);
u64 desk_entry(const struct desk *desk);

#endif /* KMDOM_KUNIT_DESK_H */
