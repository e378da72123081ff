/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The room of a store: segments, each divided into slots of one size.
 *
 * Pure bookkeeping in memory: no I/O. Sizes and places are counted in units,
 * the least that the medium can write. A place (loc) is the number of a unit
 * from the first segment's start. The first unit of each segment is kept for
 * its header, which says the size of its slots.
 */
#ifndef KMDOMD_SPACE_H
#define KMDOMD_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#define SPACE_SEGMENT_UNITS	128	/* with the header */
#define SPACE_CLASS_MAX		16	/* units of the largest slot */
#define SPACE_NONE		UINT32_MAX

struct space_segment {
	uint64_t used[2];	/* bit N: slot N is in use */
	uint32_t prev;		/* in the list of its class, or of the free */
	uint32_t next;
	uint8_t class;		/* units of a slot; 0: the segment is free */
	uint8_t media_class;	/* what its header on the medium says */
	uint8_t nr_used;
	bool retired;		/* out of use: in no list */
};

struct space {
	struct space_segment *segments;
	uint32_t nr_segments;
	uint32_t free_segments;
	uint64_t used_units;	/* in slots that are in use */
	/* [0]: free segments; [N]: those of class N that have a free slot */
	uint32_t heads[SPACE_CLASS_MAX + 1];
};

int space_init(struct space *space, uint32_t nr_segments);
void space_exit(struct space *space);

uint32_t space_alloc(struct space *space, unsigned int units);
uint32_t space_alloc_largest(struct space *space, unsigned int units);
void space_free(struct space *space, uint32_t loc);
void space_retire(struct space *space, uint32_t segment);

void space_load_segment(struct space *space, uint32_t segment, unsigned int class);
bool space_load_slot(struct space *space, uint32_t loc);

static inline unsigned int space_slots(unsigned int class)
{
	return (SPACE_SEGMENT_UNITS - 1) / class;
}

static inline uint32_t space_loc(uint32_t segment, unsigned int class,
				 unsigned int slot)
{
	return segment * SPACE_SEGMENT_UNITS + 1 + slot * class;
}

static inline uint32_t space_segment_of(uint32_t loc)
{
	return loc / SPACE_SEGMENT_UNITS;
}

/* Units of the slot at @loc, which is in use. */
static inline unsigned int space_units(const struct space *space, uint32_t loc)
{
	return space->segments[space_segment_of(loc)].class;
}

#endif /* KMDOMD_SPACE_H */
