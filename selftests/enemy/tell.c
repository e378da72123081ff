// SPDX-License-Identifier: GPL-2.0
/* Lies are told, and what becomes of them is compared with the oracle, and counted. */
#include <stdio.h>
#include <string.h>
#include "enemy.h"

static struct kmdom_op reply(struct enemy *self, const struct lie *lie)
{
	uint64_t page = self->targets[lie->about].page;

	return (struct kmdom_op) {
		.code = KMDOM_OP_RESTORE, .level = PAGE_LEVEL(page), .index = PAGE_INDEX(page),
		.version = lie->version, .buf = (unsigned long)lie->data, .len = lie->len,
	};
}

/* What was taken is what the oracle read; then the page goes again. */
static bool taken_right(struct enemy *self, const struct lie *lie)
{
	const struct target *target = &self->targets[lie->about];
	struct kt_checked obj, want;

	if (lie->about == CHECKED) {
		checked_parse(lie->data + HEADER, lie->len - HEADER - TAG, &want);
		if (kt_get(self->fd, 0, KT_CHECKED, target->page << 8, &obj, sizeof(obj)) ||
		    memcmp(&obj, &want, sizeof(obj)))
			return false;
	}
	return !pager_evict(self->pager, target->page, target->version, 0);
}

static void judge(struct enemy *self, const struct lie *lie,
		  const struct kmdom_result *res)
{
	unsigned int level = PAGE_LEVEL(self->targets[lie->about].page);

	if (!res->ret) {
		self->accepted[level]++;
		if (!lie->fair || !taken_right(self, lie))
			self->wrong++;
		return;
	}
	/* A page is taken once in a batch; and there are no other errors. */
	if (lie->fair || !res->value || res->value >= KMDOM_NR_REJECTS) {
		self->wrong++;
		printf("# reply about %d: %d, reason %llu, fair %d\n", lie->about, res->ret,
		       (unsigned long long)res->value, lie->fair);
		return;
	}
	self->rejects[level][res->value]++;
}

/* As many as there are up to the first that will be taken. */
static int tell_some(struct enemy *self, uint64_t *told)
{
	struct kmdom_result results[BATCH];
	struct kmdom_op ops[BATCH];
	unsigned int nr = 0, i;
	int ret;

	do {
		lie_make(self, &self->lies[nr]);
		ops[nr] = reply(self, &self->lies[nr]);
	} while (!self->lies[nr++].fair && nr < BATCH);
	ret = pager_exchange(self->pager, ops, results, nr);
	for (i = 0; i < nr && !ret; i++)
		judge(self, &self->lies[i], &results[i]);
	*told += nr;
	return ret;
}

/* What is told of the highest table that is absent, or in the end of all pages. */
int tell_level(struct enemy *self, unsigned int level, uint64_t replies, uint64_t *told)
{
	uint64_t end = *told + replies;
	int ret = 0;

	self->level = level;
	while (*told < end && !ret)
		ret = tell_some(self, told);
	return ret ?: level > 1 ? show(self, PAGE_OF(level, 0)) : 0;
}

uint64_t sum_levels(struct enemy *self, enum kmdom_reject why)
{
	uint64_t sum = 0;
	unsigned int level;

	for (level = 0; level <= KMDOM_LEVELS; level++)
		sum += self->rejects[level][why];
	return sum;
}

/* Returns how many were taken or rejected. */
uint64_t print_counts(struct enemy *self, uint64_t told)
{
	uint64_t sum, accepted = 0, all = 0, least = UINT64_MAX;
	enum kmdom_reject why;
	unsigned int level;

	for (level = 0; level <= KMDOM_LEVELS; level++) {
		printf("# level %u: accepted=%llu", level,
		       (unsigned long long)self->accepted[level]);
		accepted += self->accepted[level];
		for (why = 1; why < KMDOM_NR_REJECTS; why++)
			printf(" %d=%llu", why, (unsigned long long)self->rejects[level][why]);
		printf("\n");
	}
	for (why = 1; why < KMDOM_NR_REJECTS; why++) {
		sum = sum_levels(self, why);
		all += sum;
		least = sum < least ? sum : least;
	}
	printf("# enemy: replies=%llu accepted=%llu least=%llu\n", (unsigned long long)told,
	       (unsigned long long)accepted, (unsigned long long)least);
	return all + accepted;
}
