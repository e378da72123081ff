/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy: which present pages are taken next. Pure: it is shown pages as SCAN
 * tells of them, in order of frames, and says yes or no to each.
 */
#ifndef KMDOMD_POLICY_H
#define KMDOMD_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>

/* How hard frames are sought: each step wants what the one before did not. */
enum policy_effort {
	POLICY_GENTLE,	/* as the policy likes it */
	POLICY_FIRM,	/* used pages too */
	POLICY_HARD,	/* and pinned ones: wait for their pins (DRAIN) */
};

struct policy;

/**
 * struct policy_ops - a policy
 * @name: on the command line
 * @scan_flags: for SCAN, with KMDOM_OPF_PRESENT
 * @open, @close: what it remembers of up to @frames pages; may be NULL
 * @wants: take this page? Called once for each page that a scan shows
 */
struct policy_ops {
	const char *name;
	uint16_t scan_flags;
	int (*open)(struct policy *policy, uint32_t frames);
	void (*close)(struct policy *policy);
	bool (*wants)(struct policy *policy, const struct kmdom_page *page,
		      enum policy_effort effort);
};

struct policy {
	const struct policy_ops *ops;
	uint64_t hand;		/* where the next scan begins */
	void *priv;
};

extern const struct policy_ops policy_clock_ops;
extern const struct policy_ops policy_fifo_ops;
extern const struct policy_ops policy_aging_ops;

bool policy_exists(const char *name);
int policy_open(struct policy *policy, const char *name, uint32_t frames);
void policy_close(struct policy *policy);
bool policy_wants(struct policy *policy, const struct kmdom_page *page,
		  enum policy_effort effort);
const char *policy_names(void);

#endif /* KMDOMD_POLICY_H */
