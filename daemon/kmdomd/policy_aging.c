// SPDX-License-Identifier: GPL-2.0
/*
 * Aging: close to least recently used. Each page has eight bits of history;
 * when the hand comes by they move on by one, and the newest says whether it
 * was used. A page without history in the last rounds goes first.
 *
 * Histories are kept by a hash of the page, one byte each and no more: two
 * pages that share one only look younger than they are.
 */
#include <errno.h>
#include <stdlib.h>
#include "policy.h"

#define AGING_USED	0x80	/* used in this round */
#define AGING_YOUNG	0x40	/* less than this: not used in two rounds */

struct aging {
	size_t mask;
	uint8_t history[];
};

static int aging_open(struct policy *policy, uint32_t frames)
{
	struct aging *aging;
	size_t size = 1024;

	while (size < frames * 4ULL)
		size *= 2;
	aging = calloc(1, sizeof(*aging) + size);
	if (!aging)
		return -ENOMEM;
	aging->mask = size - 1;
	policy->priv = aging;
	return 0;
}

static void aging_close(struct policy *policy)
{
	free(policy->priv);
	policy->priv = NULL;
}

static bool aging_wants(struct policy *policy, const struct kmdom_page *page,
			enum policy_effort effort)
{
	struct aging *aging = policy->priv;
	uint64_t hash = page->index * 0x9e3779b97f4a7c15ULL >> 20;
	uint8_t *history = &aging->history[hash & aging->mask];

	*history >>= 1;
	if (page->flags & KMDOM_PAGEF_REFERENCED)
		*history |= AGING_USED;
	return effort > POLICY_GENTLE || *history < AGING_YOUNG;
}

const struct policy_ops policy_aging_ops = {
	.name = "aging",
	.scan_flags = KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR,
	.open = aging_open,
	.close = aging_close,
	.wants = aging_wants,
};
