// SPDX-License-Identifier: GPL-2.0
/*
 * FIFO: CLOCK without a second chance. Frames that the hand empties are filled
 * again behind it, so that the page in front of it is the one that came first.
 *
 * Whether a page was used makes no difference here, but of a table it does for every
 * policy (policy_wants()): so the bit is cleared, or no table would ever lose it.
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
	.scan_flags = KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR,
	.wants = fifo_wants,
};
