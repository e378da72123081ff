// SPDX-License-Identifier: GPL-2.0
/*
 * desk.c - a pager's thread for the tests, and its cipher
 */
#include <linux/string.h>
#include "desk.h"

int kmdom_seal_record(struct kmdom_seal_request *req, u8 policy, void *buf, size_t len,
		      u64 version)
{
	req->calls++;
	req->version = version;
	return req->ret;
}

int kmdom_unseal_record(struct kmdom_seal_request *req, u8 policy, void *buf, size_t len,
			u64 version)
{
	void (*meanwhile)(void *arg) = req->meanwhile;

	req->meanwhile = NULL;
	if (meanwhile)
		meanwhile(req->arg);
	return 0;
}

static struct desk *desk_make(struct shop *shop, u64 index, unsigned int level)
{
	struct desk *desk = unit_alloc(sizeof(*desk));

	desk->shop = shop;
	desk->session.dom = &shop->bed->dom;
	desk->session.id = 1;
	desk->slot.req = &desk->seal;
	desk->slot.record = desk->record;
	desk->op = (struct kmdom_op) {
		.code = KMDOM_OP_EXPORT, .len = KMDOM_RECORD_MAX,
		.level = level, .index = index,
	};
	return desk;
}

/** desk_open - for a page that holds one object, a new one */
struct desk *desk_open(struct shop *shop)
{
	return desk_make(shop, kmdom_ref_index(shop_alloc(shop)), 0);
}

/** desk_beside - another one, for the same page or the table of a level over it */
struct desk *desk_beside(const struct desk *desk, unsigned int level)
{
	return desk_make(desk->shop, kmdom_table_index(kmdom_op_first(&desk->op), level),
			 level);
}

void desk_leave(struct desk *desk)
{
	unit_free(desk);
}

/** desk_free - an object with a page of its own ends, wherever that is */
void desk_free(struct desk *desk)
{
	struct shop *shop = desk->shop;

	EXPECT_EQ(kmdom_slab_free_page(shop->cache, desk->op.index), 0);
	xa_erase(&shop->objects, kmdom_ref_make(desk->op.index, 0));
	shop->nr--;
}

/** desk_close - the object ends, and nobody is there for it any more */
void desk_close(struct desk *desk)
{
	desk_free(desk);
	desk_leave(desk);
}

int desk_export(struct desk *desk)
{
	memset(&desk->res, 0, sizeof(desk->res));
	return kmdom_page_export(&desk->session, &desk->slot, &desk->op, &desk->res);
}

/** desk_exported - the pager has the record: the page is clean */
int desk_exported(struct desk *desk)
{
	return kmdom_page_exported(&desk->session, &desk->op, &desk->res);
}

int desk_evict(struct desk *desk, u64 version)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EVICT, .level = desk->op.level,
		.index = desk->op.index, .version = version,
	};

	return kmdom_page_evict(&desk->session, &op);
}

/** desk_take - the page leaves, at a new version */
void desk_take(struct desk *desk)
{
	EXPECT_EQ(desk_export(desk), 0);
	EXPECT_EQ(desk_exported(desk), 0);
	EXPECT_EQ(desk_evict(desk, desk->res.version), 0);
}

/** desk_restore - the page comes back, from the record of the last export */
int desk_restore(struct desk *desk)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_RESTORE, .level = desk->op.level,
		.index = desk->op.index, .version = desk->res.version,
		.len = desk->res.len,
	};
	struct kmdom_result res = {};
	int ret = kmdom_page_restore(&desk->session, &desk->slot, &op, &res);

	desk->why = res.value;
	return ret;
}

/** desk_lose - the page has no record any more, for ever */
void desk_lose(struct desk *desk)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_REFUSE, .flags = KMDOM_OPF_LOST,
		.level = desk->op.level, .index = desk->op.index,
		.version = desk->res.version,
	};
	struct kmdom_result res = {};

	EXPECT_EQ(kmdom_page_refuse(&desk->session, &op, &res), 0);
}

/** desk_entry - the entry of the page, or of what is missing over it */
u64 desk_entry(const struct desk *desk)
{
	unsigned int stopped;
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_walk(&desk->shop->bed->dom.table, kmdom_op_first(&desk->op),
				 desk->op.level, &stopped);
	rcu_read_unlock();
	return entry;
}
