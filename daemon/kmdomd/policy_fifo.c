// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO: CLOCK without a second chance. Frames that the hand empties are filled
 * again behind it, so that the page in front of it is the one that came first.
 */
#include "policy.h"

static bool fifo_wants(struct policy *policy, const struct kmdom_page *page,
		       enum policy_effort effort)
{
	(void)policy;
	(void)page;
	(void)effort;
	return true;
}

const struct policy_ops policy_fifo_ops = {
	.name = "fifo",
	.scan_flags = KMDOM_OPF_PRESENT,
	.wants = fifo_wants,
};
