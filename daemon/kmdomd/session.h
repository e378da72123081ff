/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the command line to a session: which domain, whose store, adopted.
 */
#ifndef KMDOMD_SESSION_H
#define KMDOMD_SESSION_H

#include "options.h"

struct session {
	struct kmdom_session *kmdom;
	uint64_t features;	/* of the kernel */
	uint64_t number;
	uint32_t pool_frames;
	uint32_t lent_frames;
};

/* Whether a domain has certainly ended: false if it cannot be told. */
bool session_domain_gone(const uint8_t uuid[16]);

/* Both: 0 or a negative errno, with the reason reported. */
int session_begin(struct session *session, const struct options *options,
		  struct store *store);
int session_grant(struct session *session);

#endif /* KMDOMD_SESSION_H */
