// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of the arena: two that do operations in any order, and one that serves the
 * clients as well as those let it; and what the three share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "arena.h"

#define TAKES	20	/* how often all is taken away, at most, until all is gone */
#define KEEP_MS	60000	/* in which who has exported keeps the record */

void arena_init(struct arena *arena, struct enemy *self, struct signals *signals)
{
	*arena = (struct arena) {
		.self = self, .signals = signals, .lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

void arena_did(struct arena *arena, enum deed deed)
{
	atomic_fetch_add(&arena->deeds[deed], 1);
}

void arena_print(struct arena *arena)
{
	static const char *const names[DEEDS] = {
		[DEED_TABLE] = "tables left", [DEED_TABLE + 1] = "level 2",
		[DEED_TABLE + 2] = "level 3", [DEED_ROOT] = "level 4",
		[DEED_DISCARD] = "discarded", [DEED_EDIT] = "edited", [DEED_SPOIL] = "spoilt",
		[DEED_LOSE] = "lost", [DEED_LOSE_TABLE] = "tables lost", [DEED_SCAN] = "seen",
	};
	struct signals *signals = arena->signals;
	enum deed deed;

	printf("# %u objects made, %u freed, %u verified, %u ended\n",
	       atomic_load(&signals->made), atomic_load(&signals->freed),
	       atomic_load(&signals->verified), atomic_load(&signals->ended));
	printf("#");
	for (deed = 0; deed < DEEDS; deed++)
		printf(" %s %u%s", names[deed], atomic_load(&arena->deeds[deed]),
		       deed + 1 < DEEDS ? "," : "\n");
}

/* Unless another thread has kept a newer one. */
void arena_keep(struct arena *arena, uint64_t page, uint64_t version, const void *rec,
		uint32_t len)
{
	struct store *store = arena->self->bed.store;
	const struct stored *old;

	pthread_mutex_lock(&arena->lock);
	old = store_newest(store, page);
	if (!old || version > old->version)
		store_put(store, page, version, rec, len);
	if (((const struct kmdom_record *)rec)->policy == KMDOM_POLICY_CHECKED)
		arena->editable[arena->nr_kept++ % EDITABLE] = page;
	pthread_mutex_unlock(&arena->lock);
}

/* What is no good page, and covers none. The tables that had been lied about are one. */
bool may_be_lost(const struct enemy *self, uint64_t page)
{
	uint64_t last = KT_REF_INDEX(self->good[GOOD - 1]);

	if (PAGE_LEVEL(page) > 1)
		return false;
	if (PAGE_LEVEL(page))
		return page == tables[1] || PAGE_INDEX(page) > last / KMDOM_TABLE_ENTRIES;
	return page > last;
}

static bool has_state(struct enemy *self, uint64_t page, enum kmdom_page_state state)
{
	struct kmdom_page at;

	return !pager_look(self->pager, page, &at) && at.state == state;
}

/* By itself, or with the table over it. */
bool is_lost(struct enemy *self, uint64_t page)
{
	return has_state(self, page, KMDOM_PAGE_LOST) ||
	       has_state(self, PAGE_OF(1, page / KMDOM_TABLE_ENTRIES), KMDOM_PAGE_LOST);
}

/* Clients rest, until the root has left as well; or until that takes too long. */
static int take_up_to_root(struct chaos *chaos)
{
	struct signals *signals = chaos->arena->signals;
	unsigned int takes;
	int ret = 0;

	atomic_store(&signals->rest, true);
	for (takes = 0; takes < TAKES && !ret; takes++) {
		ret = take_all(chaos, KMDOM_LEVELS);
		if (has_state(chaos->self, PAGE_OF(KMDOM_LEVELS, 0), KMDOM_PAGE_ABSENT))
			break;
	}
	atomic_store(&signals->rest, false);
	return ret;
}

void *any_order(void *arg)
{
	struct chaos *chaos = arg;
	struct kmdom_result results[BATCH];
	struct kmdom_op ops[BATCH];
	unsigned int i;

	while (chaos->steps-- && !chaos->ret) {
		for (i = 0; i < BATCH; i++)
			ops[i] = any_op(chaos, i);
		chaos->ret = pager_exchange(&chaos->view, ops, results, BATCH);
		for (i = 0; i < BATCH && !chaos->ret; i++)
			chaos->ret = after_op(chaos, i, &ops[i], &results[i]);
		if (chaos->rests && !chaos->ret && chaos->steps % RESTS == 0)
			chaos->ret = take_up_to_root(chaos);
	}
	return NULL;
}

/* Frames come from what was revoked, or else from pages. */
static int find_frames(struct chaos *chaos)
{
	if (pager_grant(&chaos->view, 0, FRAMES) > 0)
		return 0;
	return take_all(chaos, 0);
}

static int answer(struct chaos *chaos, const struct kmdom_event *event)
{
	struct arena *arena = chaos->arena;
	int ret;

	pthread_mutex_lock(&arena->lock);
	ret = pager_answer(&chaos->view, PAGE_OF(event->level, event->index), event->version);
	pthread_mutex_unlock(&arena->lock);
	return ret;
}

/*
 * Whatever it is told meanwhile: the page may be there, or have left once more. One
 * thread may have evicted what another has exported, and is about to keep.
 */
static int answer_honestly(struct chaos *chaos, const struct kmdom_event *event)
{
	long long end = now_ms() + KEEP_MS;
	int ret;

	while ((ret = answer(chaos, event)) == -ENOKEY && now_ms() < end)
		usleep(1000);
	if (ret == -ENOBUFS) {
		ret = find_frames(chaos);
		if (!ret && pager_resend(&chaos->view) < 0)
			ret = -EOWNERDEAD;
	}
	switch (ret) {
	case -EALREADY:
	case -ESTALE:
	case -ENXIO:
	case -ENOENT:	/* freed, while it was wanted, with all of its table */
	case -EIO:	/* lost */
	case -EBUSY:	/* the table over it came and went */
		return 0;
	case -ENOKEY:
		printf("# no record of page %u:%llu at %llu\n", event->level,
		       (unsigned long long)event->index, (unsigned long long)event->version);
	}
	return ret;
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
				chaos->ret = find_frames(chaos);
		}
	}
	return NULL;
}

int chaos_start(struct chaos *chaos, struct arena *arena, unsigned int steps, bool rests,
		pthread_t *thread, void *(*fn)(void *))
{
	struct pager *pager = arena->self->pager;
	int ret;

	*chaos = (struct chaos) {
		.self = arena->self, .arena = arena, .view = *pager,
		.buf = malloc(BATCH * KMDOM_RECORD_MAX),
		.state = draw(&arena->self->state), .steps = steps, .last = steps / 4,
		.rests = rests,
	};
	if (!chaos->buf)
		return -ENOMEM;
	ret = door_open(&chaos->view.door, pager->door.kind, pager->fd);
	return ret ?: -pthread_create(thread, NULL, fn, chaos);
}

int chaos_join(struct chaos *chaos, pthread_t thread)
{
	pthread_join(thread, NULL);
	door_close(&chaos->view.door);
	free(chaos->buf);
	return chaos->ret;
}
