/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The real pager and store, and exchanges that end when a test says so, and as it says:
 * what the kernel does at one instant the pager hears of at another, or never.
 */
#ifndef LATE_H
#define LATE_H

#include "../kmdomd/pager.h"
#include "../lib/batch.h"
#include "bench.h"

/**
 * struct late - a pager to be tested
 * @bench: its store
 * @policy: its policy
 * @pager: the pager
 * @door: of its exchanges; those of the store end at once
 * @started: the exchange that was started last
 */
struct late {
	struct bench bench;
	struct policy policy;
	struct pager pager;
	struct door door;
	struct door_job *started;
};

extern struct late late;

bool late_begin(void);
void late_finish(void);
void late_end(struct door_job *job, const struct kmdom_result *result, int ret);

#endif /* LATE_H */
