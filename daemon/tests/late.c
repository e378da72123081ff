// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <unistd.h>
#include "late.h"

struct late late;

static void late_exchange(struct door *door, struct door_job *job)
{
	(void)door;
	late.started = job;
}

static const struct door_ops late_door_ops = { .name = "late", .exchange = late_exchange };

/* A store without records, and a pager. */
bool late_begin(void)
{
	struct pager_options options = { .low = 10, .high = 20 };

	memset(&late, 0, sizeof(late));
	bench_path(&late.bench);
	late.door = (struct door){ .ops = &late_door_ops };
	if (bench_open(&late.bench, &bench_settings[0]) ||
	    policy_open(&late.policy, "clock", 128) ||
	    pager_init(&late.pager, &late.door, &late.bench.store, &late.policy, 128, 128,
		       &options))
		return false;
	late.bench.store.door = &late.bench.door;
	return true;
}

void late_finish(void)
{
	pager_exit(&late.pager);
	policy_close(&late.policy);
	bench_close(&late.bench);
	unlink(late.bench.path);
}

/* Results are in the batch, or one is here; the exchange as a whole ends with @ret. */
void late_end(struct door_job *job, const struct kmdom_result *result, int ret)
{
	job->batch->xchg.nr_results = !!result;
	if (result)
		job->batch->results[0] = *result;
	job->done(job, ret);
}
