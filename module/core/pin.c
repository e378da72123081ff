// SPDX-License-Identifier: GPL-2.0
/*
 * pin.c - the parts of pinning and freezing that may sleep or wake
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include "domain.h"
#include "pin.h"

/* How long DRAIN waits: the promise that a pinned page is preempted soon. */
#define KMDOM_DRAIN_MS	10

/**
 * kmdom_frame_unpinned - a pin on a frame that is frozen has ended
 * @dom: the frame's domain; the frame may be another page's already
 *
 * Context: any that does not interrupt, after a fully ordered change of the frame's
 * pins, whose barrier pairs with the one of prepare_to_wait(): the drainer sees the
 * count, or we see the drainer.
 */
void kmdom_frame_unpinned(struct kmdom_domain *dom)
{
	/* The barrier is that of the caller's change of the pins. */
	if (waitqueue_active(&dom->drain_wq))
		wake_up_all(&dom->drain_wq);
}

/**
 * kmdom_frame_drain - wait until pins are gone
 * @frame: frozen by the caller, so that they cannot be renewed
 * @pins: KMDOM_PIN_ANY or KMDOM_PIN_WRITERS
 * @timeout: of the wait; not in jiffies, which are longer than DRAIN may wait
 *
 * Context: sleeps, for as long as a pin is held, which is short by contract;
 * never for a pager.
 * Return: 0, or -EBUSY after @timeout.
 */
int kmdom_frame_drain(struct kmdom_frame *frame, u64 pins, ktime_t timeout)
{
	struct kmdom_domain *dom = kmdom_frame_domain(frame);

	return wait_event_hrtimeout(dom->drain_wq,
				    !(atomic64_read(&frame->pins) & pins),
				    timeout) ? -EBUSY : 0;
}

/**
 * kmdom_frame_freeze_drain - freeze a frame, waiting for the pins on it
 * @frame: the frame; the caller keeps its page from being freed meanwhile by
 *	the bit itself
 * @bit: KMDOM_PIN_FREEZE_WRITE or KMDOM_PIN_FREEZE_ALL, which the caller just
 *	set with atomic64_or() on a frame that nobody else had frozen
 *
 * Context: sleeps up to KMDOM_DRAIN_MS.
 * Return: 0, or -EBUSY, and the frame is not frozen.
 */
int kmdom_frame_freeze_drain(struct kmdom_frame *frame, u64 bit)
{
	u64 pins = bit == KMDOM_PIN_FREEZE_ALL ? KMDOM_PIN_ANY :
						 KMDOM_PIN_WRITERS;
	int ret;

	ret = kmdom_frame_drain(frame, pins, ms_to_ktime(KMDOM_DRAIN_MS));
	if (ret)
		kmdom_frame_thaw(frame, bit);
	return ret;
}

/**
 * kmdom_frame_thaw - let pins on a frame again
 * @frame: frozen by the caller
 * @bit: the bit that the caller set
 *
 * The caller then tells the waiters of the page (kmdom_wait_page_changed()).
 *
 * Context: any that does not interrupt.
 */
void kmdom_frame_thaw(struct kmdom_frame *frame, u64 bit)
{
	struct kmdom_domain *dom = kmdom_frame_domain(frame);

	atomic64_fetch_andnot(bit, &frame->pins);
	wake_up_all(&dom->drain_wq);
}
