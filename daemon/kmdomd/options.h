/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of kmdomd.
 */
#ifndef KMDOMD_OPTIONS_H
#define KMDOMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "store.h"

struct options {
	const char *domain;
	bool create;
	const char *aead;
	uint32_t max_frames;
	uint32_t orphan_seconds;
	uint32_t frames;
	uint32_t deadline_ms;
	const char *policy;
	uint32_t low;
	uint32_t high;
	struct store_options store;
	const char *door;
	bool takeover;
	bool lose_missing;
	bool no_mlock;
	int session_fd;		/* -1: adopt */
	const char *stats_file;
};

/* Exit statuses. */
#define EXIT_USAGE	2
#define EXIT_TAKEN	3	/* another pager took the domain over */
#define EXIT_GONE	4	/* the domain was aborted or destroyed */
#define EXIT_HELP	5	/* only the administrator can make it begin */

void options_parse(struct options *options, int argc, char **argv);

#endif /* KMDOMD_OPTIONS_H */
