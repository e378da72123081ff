// SPDX-License-Identifier: GPL-2.0
/*
 * CLOCK: the hand goes round the frames, and a page that was used since it
 * came by last is passed over once.
 */
#include "policy.h"

static bool clock_wants(struct policy *policy, const struct kmdom_page *page,
			enum policy_effort effort)
{
	(void)policy;
	return effort > POLICY_GENTLE || !(page->flags & KMDOM_PAGEF_REFERENCED);
}

const struct policy_ops policy_clock_ops = {
	.name = "clock",
	.scan_flags = KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR,
	.wants = clock_wants,
};
