// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that make objects of every policy, change and free them, each in a helper
 * process. What such a client finds is what it has written; but an object of a CHECKED
 * type may have been edited, within its form, one of a DISCARD type may have ended, and
 * any may be lost.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "kselftest.h"
#include "arena.h"

#define PACE	1000	/* microseconds between two steps, so that what they make is seen */

static const unsigned int types[] = {
	KT_SMALL, KT_SIGNED, KT_CHECKED, KT_PAGE, KT_DISCARD, KT_SCRATCH,
};

static size_t size_of(unsigned int type)
{
	switch (type) {
	case KT_SMALL:
		return sizeof(struct kt_small);
	case KT_SIGNED:
		return sizeof(struct kt_signed);
	case KT_CHECKED:
		return sizeof(struct kt_checked);
	case KT_DISCARD:
		return sizeof(struct kt_discard);
	default:
		return sizeof(struct kt_page);
	}
}

static bool discards(const struct thing *thing)
{
	return thing->type == KT_DISCARD || thing->type == KT_SCRATCH;
}

static void fill(const struct thing *thing, void *obj)
{
	struct kt_checked *checked = obj;

	memset(obj, 0, size_of(thing->type));
	switch (thing->type) {
	case KT_SMALL:
		small_fill(obj, thing->seed);
		break;
	case KT_SIGNED:
		((struct kt_signed *)obj)->number = thing->seed;
		bytes_fill(((struct kt_signed *)obj)->data, 56, thing->seed);
		break;
	case KT_CHECKED:
		checked->colour = 1 + thing->seed % KT_COLOURS;
		checked->flags = thing->seed & KT_FLAGS;
		checked->len = thing->seed % sizeof(checked->bytes);
		checked->number = thing->seed;
		bytes_fill(checked->bytes, checked->len, thing->seed);
		checked->sum = KT_SUM(checked);
		break;
	default:
		bytes_fill(obj, size_of(thing->type), thing->seed);
	}
}

/* The sum and the number may have been edited together, which their sum tells not. */
static bool holds(const struct thing *thing, void *obj)
{
	static char want[sizeof(struct kt_page)];
	struct kt_checked *checked = obj;

	fill(thing, want);
	if (thing->type == KT_CHECKED) {
		if (checked->sum != KT_SUM(checked))
			return false;
		checked->number = thing->seed;
		checked->sum = KT_SUM(checked);
	}
	return !memcmp(obj, want, size_of(thing->type));
}

/* What a client must bear; of others it says what they are. */
static int bear(struct maker *maker, struct thing *thing, const char *what, int ret)
{
	if (ret == -EIO || ret == -ETIMEDOUT)
		return 0;
	if (ret == -ENODATA && discards(thing)) {
		atomic_fetch_add(&maker->signals->ended, 1);
		thing->ref = 0;
		return 0;
	}
	if (ret)
		fprintf(stderr, "# maker %u: %s: type %u, ref %llx: %s\n", maker->op, what,
			thing->type, (unsigned long long)thing->ref, strerror(-ret));
	return ret;
}

static int make(struct maker *maker, struct thing *thing)
{
	static char obj[sizeof(struct kt_page)];
	uint64_t ref;
	int ret;

	if (!maker->left)
		return 0;
	maker->left--;
	thing->type = types[below(&maker->state, ARRAY_SIZE(types))];
	thing->seed = draw(&maker->state);
	fill(thing, obj);
	ret = kt_new(maker->fd, maker->op, thing->type, obj, size_of(thing->type), &ref);
	if (ret)
		return bear(maker, thing, "new", ret);
	thing->ref = ref;
	atomic_fetch_add(&maker->signals->made, 1);
	return 0;
}

static int change(struct maker *maker, struct thing *thing)
{
	static char obj[sizeof(struct kt_page)];
	struct thing new = *thing;
	int ret;

	new.seed = draw(&maker->state);
	fill(&new, obj);
	ret = kt_set(maker->fd, maker->op, thing->type, thing->ref, obj, size_of(thing->type));
	if (!ret)
		thing->seed = new.seed;
	return bear(maker, thing, "set", ret);
}

static int verify(struct maker *maker, struct thing *thing)
{
	static char obj[sizeof(struct kt_page)];
	int ret = kt_get(maker->fd, maker->op, thing->type, thing->ref, obj,
			 size_of(thing->type));

	if (!ret && !holds(thing, obj))
		ret = -EILSEQ;
	if (!ret)
		atomic_fetch_add(&maker->signals->verified, 1);
	return ret;
}

/* Of an object with a page of its own nobody knows more, once its table is lost. */
static int destroy(struct maker *maker, struct thing *thing)
{
	int ret = kt_del(maker->fd, maker->op, thing->type, thing->ref);

	if (ret == -ENOENT && thing->type == KT_PAGE) {
		thing->gone = true;
		return 0;
	}
	if (!ret) {
		atomic_fetch_add(&maker->signals->freed, 1);
		thing->ref = 0;
	}
	return bear(maker, thing, "free", ret);
}

static int step(struct maker *maker)
{
	struct thing *thing = &maker->things[below(&maker->state, THINGS)];

	if (thing->gone)
		return 0;
	if (!thing->ref)
		return make(maker, thing);
	switch (below(&maker->state, 16)) {
	case 0:
	case 1:
		/* Who may make no more keeps what he has. */
		return maker->left ? destroy(maker, thing) : 0;
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		return change(maker, thing);
	default:
		return bear(maker, thing, "get", verify(maker, thing));
	}
}

/**
 * make_things() - make, change, read and free objects until told to stop
 * @arg: struct maker
 *
 * Return: 0, or a negative errno, which was said
 */
long make_things(void *arg)
{
	struct maker *maker = arg;
	int ret = 0;

	while (!ret && !atomic_load(&maker->signals->stop)) {
		if (!atomic_load(&maker->signals->rest))
			ret = step(maker);
		usleep(below(&maker->state, 2 * PACE));
	}
	return ret;
}

/**
 * verify_things() - read all that there is, when its pager is honest again
 * @arg: struct maker; who is told that an object is lost notes it
 *
 * Return: 0, or a negative errno, which was said
 */
long verify_things(void *arg)
{
	struct maker *maker = arg;
	struct thing *thing;
	int ret;

	for (thing = maker->things; thing < maker->things + THINGS; thing++) {
		if (!thing->ref || thing->gone)
			continue;
		ret = verify(maker, thing);
		thing->gone = ret == -EIO;
		if (ret == -ETIMEDOUT || bear(maker, thing, "at last", ret))
			return ret;
	}
	return 0;
}

/**
 * free_things() - free all that is not lost
 * @arg: struct maker
 *
 * Return: 0, or a negative errno, which was said
 */
long free_things(void *arg)
{
	struct maker *maker = arg;
	struct thing *thing;
	int ret = 0;

	for (thing = maker->things; thing < maker->things + THINGS && !ret; thing++)
		if (thing->ref && !thing->gone)
			ret = destroy(maker, thing);
	return ret;
}
