// SPDX-License-Identifier: GPL-2.0
/*
 * See space.h. A segment with free slots is in the list of its class, a free
 * one in list 0, a full one and one that was retired in none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "space.h"

static void space_link(struct space *space, uint32_t nr, unsigned int list)
{
	struct space_segment *seg = &space->segments[nr];

	seg->prev = SPACE_NONE;
	seg->next = space->heads[list];
	if (seg->next != SPACE_NONE)
		space->segments[seg->next].prev = nr;
	space->heads[list] = nr;
}

static void space_unlink(struct space *space, uint32_t nr, unsigned int list)
{
	struct space_segment *seg = &space->segments[nr];

	if (seg->prev != SPACE_NONE)
		space->segments[seg->prev].next = seg->next;
	else
		space->heads[list] = seg->next;
	if (seg->next != SPACE_NONE)
		space->segments[seg->next].prev = seg->prev;
}

/**
 * space_init() - room of @nr_segments, all of it free
 * @space: to be filled in
 * @nr_segments: how many
 *
 * Return: 0 or -ENOMEM.
 */
int space_init(struct space *space, uint32_t nr_segments)
{
	uint32_t nr;

	memset(space, 0, sizeof(*space));
	space->segments = calloc(nr_segments, sizeof(*space->segments));
	if (!space->segments)
		return -ENOMEM;
	space->nr_segments = nr_segments;
	space->free_segments = nr_segments;
	memset(space->heads, 0xff, sizeof(space->heads));
	/* The first is taken first: a store grows from its start. */
	for (nr = nr_segments; nr > 0; nr--)
		space_link(space, nr - 1, 0);
	return 0;
}

void space_exit(struct space *space)
{
	free(space->segments);
	space->segments = NULL;
}

static void space_set_class(struct space *space, uint32_t nr, unsigned int class)
{
	space_unlink(space, nr, 0);
	space->segments[nr].class = class;
	space->free_segments--;
	space_link(space, nr, class);
}

static unsigned int space_free_slot(const struct space_segment *seg)
{
	if (~seg->used[0])
		return __builtin_ctzll(~seg->used[0]);
	return 64 + __builtin_ctzll(~seg->used[1]);
}

static void space_use_slot(struct space *space, uint32_t nr, unsigned int slot)
{
	struct space_segment *seg = &space->segments[nr];

	seg->used[slot / 64] |= 1ULL << (slot % 64);
	space->used_units += seg->class;
	if (++seg->nr_used == space_slots(seg->class))
		space_unlink(space, nr, seg->class);
}

/**
 * space_alloc() - take a slot of exactly @units
 * @space: the room
 * @units: its size, 1 to SPACE_CLASS_MAX
 *
 * Return: Its place, or SPACE_NONE: no segment of that class has a free slot,
 * and no segment is free.
 */
uint32_t space_alloc(struct space *space, unsigned int units)
{
	uint32_t nr = space->heads[units];
	unsigned int slot;

	if (nr == SPACE_NONE) {
		nr = space->heads[0];
		if (nr == SPACE_NONE)
			return SPACE_NONE;
		space_set_class(space, nr, units);
	}
	slot = space_free_slot(&space->segments[nr]);
	space_use_slot(space, nr, slot);
	return space_loc(nr, units, slot);
}

/**
 * space_alloc_largest() - take a slot of @units, or the largest there is
 * @space: the room
 * @units: the most that is wanted
 *
 * Return: Its place (space_units() tells the size), or SPACE_NONE.
 */
uint32_t space_alloc_largest(struct space *space, unsigned int units)
{
	uint32_t loc = SPACE_NONE;

	for (; units && loc == SPACE_NONE; units--)
		loc = space_alloc(space, units);
	return loc;
}

/**
 * space_free() - give a slot back
 * @space: the room
 * @loc: its place
 */
void space_free(struct space *space, uint32_t loc)
{
	uint32_t nr = space_segment_of(loc);
	struct space_segment *seg = &space->segments[nr];
	unsigned int slot = (loc % SPACE_SEGMENT_UNITS - 1) / seg->class;

	if (seg->nr_used == space_slots(seg->class) && !seg->retired)
		space_link(space, nr, seg->class);
	seg->used[slot / 64] &= ~(1ULL << (slot % 64));
	space->used_units -= seg->class;
	if (--seg->nr_used || seg->retired)
		return;
	space_unlink(space, nr, seg->class);
	seg->class = 0;
	space->free_segments++;
	space_link(space, nr, 0);
}

/**
 * space_retire() - no slot of a segment is given out any more
 * @space: the room
 * @segment: its number
 *
 * Slots that are in use stay what they are until they are given back.
 */
void space_retire(struct space *space, uint32_t segment)
{
	struct space_segment *seg = &space->segments[segment];

	if (seg->retired)
		return;
	seg->retired = true;
	if (!seg->class)
		space->free_segments--;
	if (!seg->class || seg->nr_used < space_slots(seg->class))
		space_unlink(space, segment, seg->class);
}

/**
 * space_load_segment() - a segment of the medium says what it holds
 * @space: the room
 * @segment: its number
 * @class: units of its slots, as its header says
 *
 * It stays free, for any class, until space_load_slot() loads a slot of it.
 */
void space_load_segment(struct space *space, uint32_t segment, unsigned int class)
{
	space->segments[segment].media_class = class;
}

/**
 * space_load_slot() - a slot of the medium holds a record
 * @space: the room
 * @loc: its place, in a segment that was loaded
 *
 * Return: false if the slot is in use already.
 */
bool space_load_slot(struct space *space, uint32_t loc)
{
	uint32_t nr = space_segment_of(loc);
	struct space_segment *seg = &space->segments[nr];
	unsigned int slot;

	if (!seg->class)
		space_set_class(space, nr, seg->media_class);
	slot = (loc % SPACE_SEGMENT_UNITS - 1) / seg->class;
	if (seg->used[slot / 64] >> (slot % 64) & 1)
		return false;
	space_use_slot(space, nr, slot);
	return true;
}
