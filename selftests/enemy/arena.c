// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of the arena: two that do operations in any order, and one that serves the
 * clients as well as those let it.
 */
#include <stdlib.h>
#include <string.h>
#include "kselftest.h"
#include "arena.h"

void arena_init(struct arena *arena, struct enemy *self)
{
	struct watched *watched = arena->watched;
	struct kmdom_page page;
	unsigned int i;

	*arena = (struct arena) { .self = self, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (i = 0; i < WATCHED; i++, watched++) {
		watched->page = i < GOOD ? KT_REF_INDEX(self->good[i]) : tables[i - GOOD];
		if (!pager_look(self->pager, watched->page, &page))
			watched->version = page.version;
	}
}

/* Half of the restores are of the right record, at this instant. */
static void right_record(struct arena *arena, struct kmdom_op *op, uint8_t *buf)
{
	const struct stored *rec = store_get(arena->self->bed.store,
					     PAGE_OF(op->level, op->index), op->version);

	if (!rec)
		return;
	memcpy(buf, rec->data, rec->len);
	op->buf = (unsigned long)buf;
	op->len = rec->len;
}

/* An operation on what is used, with the version that it has. */
static void aim(struct chaos *chaos, struct kmdom_op *op, uint8_t *buf)
{
	struct arena *arena = chaos->arena;
	struct watched *watched = &arena->watched[below(&chaos->state, WATCHED)];

	if (below(&chaos->state, 2))
		watched = &arena->watched[GOOD + below(&chaos->state, TABLES)];
	op->level = PAGE_LEVEL(watched->page);
	op->index = PAGE_INDEX(watched->page);
	if (op->code == KMDOM_OP_EXPORT)
		return;
	pthread_mutex_lock(&arena->lock);
	op->version = watched->version;
	if (op->code == KMDOM_OP_RESTORE && below(&chaos->state, 2))
		right_record(arena, op, buf);
	pthread_mutex_unlock(&arena->lock);
}

static struct kmdom_op any_op(struct chaos *chaos, uint8_t *buf)
{
	static const uint16_t codes[] = {
		KMDOM_OP_EXPORT, KMDOM_OP_EXPORT, KMDOM_OP_STORED, KMDOM_OP_EVICT, KMDOM_OP_EVICT,
		KMDOM_OP_RESTORE, KMDOM_OP_RESTORE, KMDOM_OP_REFUSE, KMDOM_OP_RESEND,
		KMDOM_OP_GRANT, KMDOM_OP_REVOKE,
	};
	struct enemy *self = chaos->self;
	const struct stored *rec = &self->corpus[below(&chaos->state, self->nr_corpus)];
	struct kmdom_op op = { .code = codes[below(&chaos->state, ARRAY_SIZE(codes))] };

	if (op.code == KMDOM_OP_RESEND)
		return op;
	if (op.code == KMDOM_OP_GRANT || op.code == KMDOM_OP_REVOKE) {
		op.index = below(&chaos->state, FRAMES - 8);
		op.arg = 1 + below(&chaos->state, 8);
		return op;
	}
	op.level = PAGE_LEVEL(rec->index);
	op.index = PAGE_INDEX(rec->index);
	if (op.code != KMDOM_OP_EXPORT)
		op.version = rec->version + below(&chaos->state, 2);
	if (op.code == KMDOM_OP_EXPORT || op.code == KMDOM_OP_EVICT)
		op.flags = below(&chaos->state, 4) ? 0 : KMDOM_OPF_DRAIN;
	if (op.code == KMDOM_OP_EXPORT) {
		op.buf = (unsigned long)buf;
		op.len = KMDOM_RECORD_MAX;
	} else if (op.code == KMDOM_OP_RESTORE) {
		op.buf = (unsigned long)rec->data;
		op.len = rec->len;
	}
	if (below(&chaos->state, 2))
		aim(chaos, &op, buf);
	return op;
}

/* Of what is watched the record is kept, unless the other thread has a newer one. */
static void keep(struct arena *arena, const struct kmdom_op *op, const struct kmdom_result *res)
{
	uint64_t page = PAGE_OF(op->level, op->index);
	struct watched *watched;

	for (watched = arena->watched; watched < arena->watched + WATCHED; watched++)
		if (watched->page == page)
			break;
	if (watched == arena->watched + WATCHED)
		return;
	pthread_mutex_lock(&arena->lock);
	if (res->version > watched->version) {
		store_put(arena->self->bed.store, page, res->version,
			  (void *)(unsigned long)op->buf, res->len);
		watched->version = res->version;
	}
	pthread_mutex_unlock(&arena->lock);
}

/* What is exported of other pages is lost: it is not evicted at such a version. */
void *any_order(void *arg)
{
	uint8_t *buf = malloc(BATCH * KMDOM_RECORD_MAX);
	struct chaos *chaos = arg;
	struct kmdom_result results[BATCH];
	struct kmdom_op ops[BATCH];
	unsigned int i;

	while (chaos->steps-- && !chaos->ret) {
		for (i = 0; i < BATCH; i++)
			ops[i] = any_op(chaos, buf + i * KMDOM_RECORD_MAX);
		chaos->ret = pager_exchange(&chaos->view, ops, results, BATCH);
		for (i = 0; i < BATCH && !chaos->ret; i++) {
			if (results[i].ret)
				continue;
			if (ops[i].code == KMDOM_OP_EXPORT)
				keep(chaos->arena, &ops[i], &results[i]);
			else if (ops[i].code == KMDOM_OP_EVICT && ops[i].level)
				atomic_fetch_add(&chaos->arena->tables_left, 1);
		}
	}
	free(buf);
	return NULL;
}

/* Whatever it is told meanwhile: the page may be there, or have left once more. */
static int answer_honestly(struct chaos *chaos, const struct kmdom_event *event)
{
	struct arena *arena = chaos->arena;
	int ret;

	pthread_mutex_lock(&arena->lock);
	ret = pager_answer(&chaos->view, PAGE_OF(event->level, event->index), event->version);
	pthread_mutex_unlock(&arena->lock);
	if (ret == -ENOBUFS) {
		pager_grant(&chaos->view, 0, FRAMES);
		ret = pager_resend(&chaos->view) < 0 ? -EOWNERDEAD : 0;
	}
	return ret == -EALREADY || ret == -ESTALE || ret == -ENXIO ? 0 : ret;
}

/* The pager's honest thread: it serves its clients as well as the others let it. */
void *serve_honestly(void *arg)
{
	struct chaos *chaos = arg;
	struct kmdom_event events[BATCH];
	int nr, i;

	while (!atomic_load(&chaos->arena->stop) && !chaos->ret) {
		nr = pager_events(&chaos->view, events, BATCH, 50);
		if (nr < 0)
			chaos->ret = nr;
		for (i = 0; i < nr && !chaos->ret; i++) {
			if (events[i].type == KMDOM_EVENT_FAULT)
				chaos->ret = answer_honestly(chaos, &events[i]);
			else if (events[i].type == KMDOM_EVENT_NEED_FRAMES)
				pager_grant(&chaos->view, 0, FRAMES);
		}
	}
	return NULL;
}

int chaos_start(struct chaos *chaos, struct arena *arena, unsigned int steps,
		pthread_t *thread, void *(*fn)(void *))
{
	struct pager *pager = arena->self->pager;
	int ret;

	*chaos = (struct chaos) {
		.self = arena->self, .arena = arena, .view = *pager,
		.state = draw(&arena->self->state), .steps = steps,
	};
	ret = door_open(&chaos->view.door, pager->door.kind, pager->fd);
	return ret ?: -pthread_create(thread, NULL, fn, chaos);
}

int chaos_join(struct chaos *chaos, pthread_t thread)
{
	pthread_join(thread, NULL);
	door_close(&chaos->view.door);
	return chaos->ret;
}
