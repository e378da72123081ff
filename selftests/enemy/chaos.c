// SPDX-License-Identifier: GPL-2.0
/* Operations, each drawn, and looked at when it has been done. */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include "kselftest.h"
#include "arena.h"

static uint8_t *buf_of(struct chaos *chaos, unsigned int nr)
{
	return chaos->buf + nr * KMDOM_RECORD_MAX;
}

/*
 * An object of a CHECKED page gets another number, or one that its sum is not of. It is
 * the first; its fields are where oracle.c finds them.
 */
static enum edit edit(struct chaos *chaos, uint8_t *rec)
{
	struct kmdom_record *head = (struct kmdom_record *)rec;
	uint32_t sum, more = 1 + below(&chaos->state, 1000);
	uint8_t *sum_at = rec + HEADER + 4;
	uint64_t number;
	uint8_t *number_at = rec + HEADER + 8;

	if (head->policy != KMDOM_POLICY_CHECKED || !head->live || below(&chaos->state, 2))
		return EDIT_NONE;
	memcpy(&number, number_at, sizeof(number));
	number = htole64(le64toh(number) + more);
	memcpy(number_at, &number, sizeof(number));
	if (below(&chaos->state, 2))
		return EDIT_SPOILT;
	memcpy(&sum, sum_at, sizeof(sum));
	sum = htole32(le32toh(sum) + more);
	memcpy(sum_at, &sum, sizeof(sum));
	return EDIT_FAIR;
}

/* The record that is the right one, at this instant. */
static void right_record(struct chaos *chaos, struct kmdom_op *op, unsigned int nr)
{
	const struct stored *rec = store_newest(chaos->self->bed.store,
						PAGE_OF(op->level, op->index));
	uint8_t *buf = buf_of(chaos, nr);

	if (!rec)
		return;
	memcpy(buf, rec->data, rec->len);
	op->buf = (unsigned long)buf;
	op->len = rec->len;
	chaos->edits[nr] = edit(chaos, buf);
}

/* One that was seen; a good page, if none was. */
static uint64_t any_seen(struct chaos *chaos, bool *discards)
{
	const struct kmdom_page *page;

	if (!chaos->nr_seen)
		return KT_REF_INDEX(chaos->self->good[0]);
	page = &chaos->seen[below(&chaos->state, chaos->nr_seen)];
	*discards = page->state == KMDOM_PAGE_PRESENT && page->policy == KMDOM_POLICY_DISCARD;
	return PAGE_OF(page->level, page->index);
}

/* The arena is locked. */
static uint64_t any_page(struct chaos *chaos, bool *discards)
{
	struct arena *arena = chaos->arena;
	uint64_t page;

	*discards = false;
	switch (below(&chaos->state, 8)) {
	case 0:
	case 1:
		return KT_REF_INDEX(chaos->self->good[below(&chaos->state, GOOD)]);
	case 2:
	case 3:
		return tables[below(&chaos->state, TABLES)];
	case 4:
	case 5:
		page = arena->editable[below(&chaos->state, EDITABLE)];
		return page ?: tables[0];
	default:
		return any_seen(chaos, discards);
	}
}

/* An operation on what is used, with the version that it has. */
static void aim(struct chaos *chaos, struct kmdom_op *op, unsigned int nr)
{
	struct arena *arena = chaos->arena;
	const struct stored *rec;
	bool discards;
	uint64_t page;

	pthread_mutex_lock(&arena->lock);
	page = any_page(chaos, &discards);
	op->level = PAGE_LEVEL(page);
	op->index = PAGE_INDEX(page);
	rec = store_newest(arena->self->bed.store, page);
	if (op->code != KMDOM_OP_EXPORT)
		op->version = rec && !discards ? rec->version : 0;
	if (op->code == KMDOM_OP_RESTORE && below(&chaos->state, 4))
		right_record(chaos, op, nr);
	pthread_mutex_unlock(&arena->lock);
	/* Of tables there are few: they are lost in the end, when they have been used. */
	if (op->code == KMDOM_OP_REFUSE && may_be_lost(arena->self, page) &&
	    (op->level ? chaos->steps < chaos->last : !below(&chaos->state, 4)))
		op->flags = KMDOM_OPF_LOST;
}

static void aim_scan(struct chaos *chaos, struct kmdom_op *op, unsigned int nr)
{
	uint64_t page = tables[below(&chaos->state, TABLES)];

	op->arg = 1 + below(&chaos->state, SEEN);
	op->buf = (unsigned long)buf_of(chaos, nr);
	op->len = op->arg * sizeof(struct kmdom_page);
	if (below(&chaos->state, 2))
		op->flags |= KMDOM_OPF_PRESENT;
	if (below(&chaos->state, 2))
		op->flags |= KMDOM_OPF_CLEAR;
	switch (below(&chaos->state, 4)) {
	case 0:
		op->index = KMDOM_SCAN_AT(PAGE_LEVEL(page), PAGE_INDEX(page));
		break;
	case 1:
		page = KT_REF_INDEX(chaos->self->good[0]) + below(&chaos->state, 1000);
		op->index = KMDOM_SCAN_AT(0, page);
		break;
	case 2:
		op->index = draw(&chaos->state) >> below(&chaos->state, 64);
	}
}

/**
 * any_op() - draw an operation
 * @chaos: the thread
 * @nr: of the operation in its exchange
 */
struct kmdom_op any_op(struct chaos *chaos, unsigned int nr)
{
	static const uint16_t codes[] = {
		KMDOM_OP_EXPORT, KMDOM_OP_EXPORT, KMDOM_OP_STORED, KMDOM_OP_EVICT, KMDOM_OP_EVICT,
		KMDOM_OP_RESTORE, KMDOM_OP_RESTORE, KMDOM_OP_REFUSE, KMDOM_OP_RESEND,
		KMDOM_OP_GRANT, KMDOM_OP_REVOKE, KMDOM_OP_SCAN,
	};
	struct enemy *self = chaos->self;
	const struct stored *rec = &self->corpus[below(&chaos->state, self->nr_corpus)];
	struct kmdom_op op = { .code = codes[below(&chaos->state, ARRAY_SIZE(codes))] };

	chaos->edits[nr] = EDIT_NONE;
	if (op.code == KMDOM_OP_RESEND)
		return op;
	if (op.code == KMDOM_OP_SCAN) {
		aim_scan(chaos, &op, nr);
		return op;
	}
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
		op.buf = (unsigned long)buf_of(chaos, nr);
		op.len = KMDOM_RECORD_MAX;
	} else if (op.code == KMDOM_OP_RESTORE) {
		op.buf = (unsigned long)rec->data;
		op.len = rec->len;
	}
	if (below(&chaos->state, 4))
		aim(chaos, &op, nr);
	return op;
}

static bool sensible(const struct kmdom_op *op, const struct kmdom_page *page)
{
	return page->state > KMDOM_PAGE_EMPTY && page->state <= KMDOM_PAGE_LOST &&
	       page->level <= KMDOM_LEVELS && page->live <= page->slots &&
	       page->policy <= KMDOM_POLICY_SEALED && !memcmp(page->reserved, "\0\0", 3) &&
	       (!(op->flags & KMDOM_OPF_PRESENT) || page->state == KMDOM_PAGE_PRESENT);
}

/* What clients use is kept in mind; the pages that lies were about are not. */
static int look(struct chaos *chaos, const struct kmdom_op *op, const struct kmdom_result *res)
{
	const struct kmdom_page *pages = (const struct kmdom_page *)(unsigned long)op->buf;
	uint64_t first = KT_REF_INDEX(chaos->self->good[0]);
	unsigned int i;

	if (res->len > op->arg)
		return -EILSEQ;
	for (i = 0; i < res->len; i++) {
		if (!sensible(op, &pages[i]))
			return -EILSEQ;
		arena_did(chaos->arena, DEED_SCAN);
		if (!pages[i].level && pages[i].index < first)
			continue;
		if (chaos->nr_seen < SEEN)
			chaos->nr_seen++;
		chaos->seen[below(&chaos->state, chaos->nr_seen)] = pages[i];
	}
	return 0;
}

static void evicted(struct chaos *chaos, const struct kmdom_op *op)
{
	if (op->level)
		arena_did(chaos->arena, DEED_TABLE + op->level - 1);
	else if (!op->version)
		arena_did(chaos->arena, DEED_DISCARD);
}

/* An edit that breaks a rule is never taken, and one that breaks none is. */
static int restored(struct chaos *chaos, unsigned int nr, const struct kmdom_result *res)
{
	switch (chaos->edits[nr]) {
	case EDIT_FAIR:
		if (res->value == KMDOM_REJECT_CHECK)
			return -EILSEQ;
		if (!res->ret)
			arena_did(chaos->arena, DEED_EDIT);
		break;
	case EDIT_SPOILT:
		if (!res->ret)
			return -EILSEQ;
		if (res->value == KMDOM_REJECT_CHECK)
			arena_did(chaos->arena, DEED_SPOIL);
		break;
	default:
		break;
	}
	return 0;
}

/**
 * after_op() - look at what became of an operation
 * @chaos: the thread
 * @nr: of the operation in its exchange
 * @op: the operation
 * @res: its result
 *
 * Return: 0, or -EILSEQ if that must not be
 */
int after_op(struct chaos *chaos, unsigned int nr, const struct kmdom_op *op,
	     const struct kmdom_result *res)
{
	int ret = 0;

	if (op->code == KMDOM_OP_RESTORE)
		ret = restored(chaos, nr, res);
	else if (res->ret)
		return 0;
	else if (op->code == KMDOM_OP_EXPORT)
		arena_keep(chaos->arena, PAGE_OF(op->level, op->index), res->version,
			   (void *)(unsigned long)op->buf, res->len);
	else if (op->code == KMDOM_OP_EVICT)
		evicted(chaos, op);
	else if (op->code == KMDOM_OP_REFUSE && op->flags & KMDOM_OPF_LOST)
		arena_did(chaos->arena, op->level ? DEED_LOSE_TABLE : DEED_LOSE);
	else if (op->code == KMDOM_OP_SCAN)
		ret = look(chaos, op, res);
	if (ret)
		printf("# operation %u on page %u:%llu: %d, value %llu, edit %d\n", op->code,
		       op->level, (unsigned long long)op->index, res->ret,
		       (unsigned long long)res->value, chaos->edits[nr]);
	return ret;
}

/* Exports, unless it is clean, and evicts; what is not to be is left. */
static int take(struct chaos *chaos, const struct kmdom_page *page)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .flags = KMDOM_OPF_DRAIN,
		.level = page->level, .index = page->index,
		.buf = (unsigned long)chaos->buf, .len = KMDOM_RECORD_MAX,
	};
	struct kmdom_result *res = &chaos->view.res;
	int64_t ret = pager_op(&chaos->view, &op);

	if (!ret)
		arena_keep(chaos->arena, PAGE_OF(op.level, op.index), res->version, chaos->buf,
			   res->len);
	else if (ret != -EALREADY && ret != -ENODATA)
		return ret == -EOWNERDEAD || ret == -EFAULT ? ret : 0;
	op = (struct kmdom_op) {
		.code = KMDOM_OP_EVICT, .flags = KMDOM_OPF_DRAIN,
		.level = page->level, .index = page->index,
		.version = ret == -ENODATA ? 0 : res->version,
	};
	if (!pager_op(&chaos->view, &op))
		evicted(chaos, &op);
	return 0;
}

/**
 * take_all() - take away, from below, what can be
 * @chaos: the thread
 * @levels: up to which tables
 *
 * Return: 0 or a negative errno
 */
int take_all(struct chaos *chaos, unsigned int levels)
{
	struct kmdom_page pages[BATCH];
	unsigned int level;
	uint64_t cursor;
	int nr, i, ret = 0;

	for (level = 0; level <= levels && !ret; level++) {
		cursor = 0;
		do {
			nr = pager_scan(&chaos->view, &cursor, pages, BATCH, KMDOM_OPF_PRESENT);
			if (nr < 0)
				return nr;
			for (i = 0; i < nr && !ret; i++)
				if (pages[i].level == level)
					ret = take(chaos, &pages[i]);
		} while (cursor && !ret);
	}
	return ret;
}
