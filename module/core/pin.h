/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pin.h - pins of frames, and what freezes a frame against them
 *
 * One word a frame: readers, writers, and two bits that refuse new ones.
 * FREEZE_WRITE is set while the page is encoded: writers, alloc and free are
 * kept out, reading goes on. FREEZE_ALL is set while the page is evicted, and
 * on every frame that holds no page. Whoever set a bit clears it; setting one
 * and seeing no pins is a single atomic step, or (draining) the bit comes first
 * and the pins that were there are waited for. A third bit, ENDING, says that
 * somebody waits to free the page: nobody else freezes it any more, so that he
 * waits for one freeze at most. It goes with the page, or when he gives up.
 *
 * All changes of the word are fully ordered, so: what a writer stored under
 * its pin is seen by whoever froze the page after the unpin, and "dirty", set
 * under a write pin, is never cleared by an export that did not see the data.
 *
 * A pin costs one locked instruction, and its end one. With one word a frame none of
 * them can go: a pin and a freeze each decide whether the other succeeds, and so do
 * the end of a pin and the look for pins of who waits for it. Two such steps cannot
 * both be done without an atomic one, or a store that is ordered before a load
 * (Attiya et al., "Laws of Order", POPL 2011). What moves that cost to the
 * freezer alone, words for each processor and an interrupt of all of them for each page
 * that is preempted, takes eight bytes for each frame and processor.
 */
#ifndef KMDOM_PIN_H
#define KMDOM_PIN_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/wait.h>
#include "frames.h"

struct kmdom_domain;

#define KMDOM_PIN_READER	1LL
#define KMDOM_PIN_WRITER	BIT_ULL(24)
#define KMDOM_PIN_READERS	GENMASK_ULL(23, 0)
#define KMDOM_PIN_WRITERS	GENMASK_ULL(47, 24)
#define KMDOM_PIN_ANY		(KMDOM_PIN_READERS | KMDOM_PIN_WRITERS)
#define KMDOM_PIN_FREEZE_WRITE	BIT_ULL(60)
#define KMDOM_PIN_FREEZE_ALL	BIT_ULL(61)
#define KMDOM_PIN_ENDING	BIT_ULL(62)
#define KMDOM_PIN_FROZEN_ANY	(KMDOM_PIN_FREEZE_WRITE | KMDOM_PIN_FREEZE_ALL)

/* The word of a frame that holds no page. */
#define KMDOM_PIN_FROZEN	KMDOM_PIN_FREEZE_ALL

/**
 * kmdom_frame_try_pin - pin a frame unless it is frozen
 * @frame: the frame
 * @write: for writing
 *
 * Context: any.
 * Return: whether it is pinned now.
 */
static inline bool kmdom_frame_try_pin(struct kmdom_frame *frame, bool write)
{
	u64 refused = KMDOM_PIN_FREEZE_ALL | (write ? KMDOM_PIN_FREEZE_WRITE : 0);
	s64 old = atomic64_read(&frame->pins);

	do {
		if (old & refused)
			return false;
	} while (!atomic64_try_cmpxchg(&frame->pins, &old, old +
				       (write ? KMDOM_PIN_WRITER :
						KMDOM_PIN_READER)));
	return true;
}

/**
 * kmdom_frame_try_freeze - freeze a frame if no pin is in the way
 * @frame: the frame
 * @bit: KMDOM_PIN_FREEZE_WRITE or KMDOM_PIN_FREEZE_ALL
 *
 * Context: any.
 * Return: 0, or -EBUSY (pinned, frozen by another, or ending).
 */
static inline int kmdom_frame_try_freeze(struct kmdom_frame *frame, u64 bit)
{
	u64 pins = bit == KMDOM_PIN_FREEZE_ALL ? KMDOM_PIN_ANY :
						 KMDOM_PIN_WRITERS;
	s64 old = atomic64_read(&frame->pins);

	do {
		if (old & (KMDOM_PIN_FROZEN_ANY | KMDOM_PIN_ENDING | pins))
			return -EBUSY;
	} while (!atomic64_try_cmpxchg(&frame->pins, &old, old | bit));
	return 0;
}

/**
 * kmdom_frame_try_end - freeze a frame for good, or see to it that soon one can
 * @frame: the frame; its table is locked
 *
 * Context: any.
 * Return: 0, and the caller frees the page; or -EBUSY (pinned, or frozen by
 * another), and nobody else freezes it: the caller tries again.
 */
static inline int kmdom_frame_try_end(struct kmdom_frame *frame)
{
	s64 old = atomic64_read(&frame->pins);
	u64 busy;

	do {
		busy = old & (KMDOM_PIN_FROZEN_ANY | KMDOM_PIN_ANY);
	} while (!atomic64_try_cmpxchg(&frame->pins, &old, old |
				       (busy ? KMDOM_PIN_ENDING :
					       KMDOM_PIN_FREEZE_ALL)));
	return busy ? -EBUSY : 0;
}

void kmdom_frame_unpinned(struct kmdom_domain *dom);

/**
 * kmdom_frame_unpin - end a pin
 * @dom: the frame's domain, which the caller keeps
 * @frame: the frame; it may be another page's as soon as this returns
 * @write: as it was pinned
 *
 * Context: any that does not interrupt.
 */
static inline void kmdom_frame_unpin(struct kmdom_domain *dom,
				     struct kmdom_frame *frame, bool write)
{
	s64 now = atomic64_sub_return(write ? KMDOM_PIN_WRITER : KMDOM_PIN_READER,
				      &frame->pins);

	/* Somebody froze it, and may wait for its pins. */
	if (unlikely(now & KMDOM_PIN_FROZEN_ANY))
		kmdom_frame_unpinned(dom);
}

int kmdom_frame_freeze_drain(struct kmdom_frame *frame, u64 bit);
int kmdom_frame_drain(struct kmdom_frame *frame, u64 pins, ktime_t timeout);
void kmdom_frame_thaw(struct kmdom_frame *frame, u64 bit);

#endif /* KMDOM_PIN_H */
