// SPDX-License-Identifier: GPL-2.0
/*
 * The table of policies, and what holds for all of them.
 */
#include <errno.h>
#include <string.h>
#include "policy.h"

static const struct policy_ops *const policies[] = {
	&policy_clock_ops,
	&policy_fifo_ops,
	&policy_aging_ops,
};

/* The names, for messages. */
const char *policy_names(void)
{
	return "clock, fifo, aging";
}

/* Whether there is a policy of that name. */
bool policy_exists(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (!strcmp(policies[i]->name, name))
			return true;
	}
	return false;
}

/**
 * policy_open() - choose a policy
 * @policy: to be filled in
 * @name: its name
 * @frames: frames of the pool, whose pages it will judge
 *
 * Return: 0; -EINVAL: there is none of that name; -ENOMEM.
 */
int policy_open(struct policy *policy, const char *name, uint32_t frames)
{
	size_t i;

	*policy = (struct policy){};
	for (i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		if (strcmp(policies[i]->name, name))
			continue;
		policy->ops = policies[i];
		return policy->ops->open ? policy->ops->open(policy, frames) : 0;
	}
	return -EINVAL;
}

void policy_close(struct policy *policy)
{
	if (policy->ops && policy->ops->close)
		policy->ops->close(policy);
	policy->ops = NULL;
}

/**
 * policy_wants() - should this page be taken?
 * @policy: the policy
 * @page: as SCAN shows it
 * @effort: how hard frames are sought
 *
 * Return: Whether to take it. What cannot be taken is never wanted.
 */
bool policy_wants(struct policy *policy, const struct kmdom_page *page,
		  enum policy_effort effort)
{
	bool wants = policy->ops->wants(policy, page, effort);

	if (page->state != KMDOM_PAGE_PRESENT ||
	    page->flags & (KMDOM_PAGEF_WANTED | KMDOM_PAGEF_HOLDS))
		return false;
	/*
	 * A table costs a fault for whatever is under it: one that pages went or came
	 * under of late goes only where used pages do, and the tables have all frames.
	 */
	if (page->level && page->flags & KMDOM_PAGEF_REFERENCED && effort < POLICY_FIRM)
		return false;
	if (page->flags & KMDOM_PAGEF_PINNED && effort < POLICY_HARD)
		return false;
	return wants;
}
