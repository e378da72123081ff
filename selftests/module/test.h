/* SPDX-License-Identifier: GPL-2.0 */
/* kmdom_test's own: what its files share. */
#ifndef _KMDOM_TEST_MODULE_H
#define _KMDOM_TEST_MODULE_H

#include <linux/kmdom_client.h>
#include <linux/mutex.h>
#include "kmdom_test.h"

/**
 * struct kt_op - an operation that outlives the call that began it
 * @lock: held by each call on it, also while that waits for the pager
 * @begun: whether @op is one
 * @op: kmdom's
 * @pins: by place; one without an object is free
 * @bounce: what goes between objects and user memory, so that no user memory
 *	is touched while a call of kmdom is under way
 */
struct kt_op {
	struct mutex lock;	/* outermost */
	bool begun;
	struct kmdom_client_op op;
	struct kmdom_pin pins[KT_PLACES];
	u8 *bounce;
};

/**
 * struct kt_client - one open file
 * @lock: protects all but @ops. Taken inside a kt_op's lock, and
 *	never held while something waits for a pager
 * @dom: NULL until one was found; stays while there are caches or operations
 * @caches: by type; an entry stays while there are operations
 * @crowd: caches of the crowd, from the first
 * @nr_crowd: how many
 * @page: of a file, grabbed; or NULL
 * @page_locked: its folio is locked by us
 * @active: operations that were begun
 * @ops: by number
 */
struct kt_client {
	struct mutex lock;	/* inside a kt_op's */
	struct kmdom_domain *dom;
	struct kmdom_cache *caches[KT_TYPES];
	struct kmdom_cache *crowd[KT_CROWD];
	unsigned int nr_crowd;
	struct page *page;
	bool page_locked;
	unsigned int active;
	struct kt_op ops[KT_OPS];
};

extern const struct kmdom_type kt_types[KT_TYPES];

int kt_op_begin(struct kt_client *client, struct kt_op *op, unsigned int flags);
void kt_op_end(struct kt_client *client, struct kt_op *op);
struct kmdom_cache *kt_cache(struct kt_client *client, u32 type);
int kt_window(const struct kt_req *req, u32 type);

void kt_crowd_init(void);
int kt_crowd_attach(struct kt_client *client, unsigned int nr);

int kt_folio_grab(struct kt_client *client, unsigned long addr);
int kt_folio_lock(struct kt_client *client);
int kt_folio_dirty(struct kt_client *client);
void kt_folio_drop(struct kt_client *client);

int kt_new(struct kt_client *client, struct kt_op *op, struct kt_req *req);
int kt_get(struct kt_client *client, struct kt_op *op, struct kt_req *req);
int kt_set(struct kt_client *client, struct kt_op *op, struct kt_req *req);
int kt_del(struct kt_client *client, struct kt_op *op, struct kt_req *req);

#endif /* _KMDOM_TEST_MODULE_H */
