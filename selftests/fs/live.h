/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many objects of each of kmdomfs's types live in a domain, as its pager can
 * count them. All of them have to be in frames.
 */
#ifndef FS_TEST_LIVE_H
#define FS_TEST_LIVE_H

#include <stdint.h>

enum live_type {
	LIVE_SUPER,
	LIVE_INODE,
	LIVE_LINK,
	LIVE_NODE_SMALL,
	LIVE_NODE,
	LIVE_MAP_SMALL,
	LIVE_MAP,
	LIVE_DATA,
	LIVE_TYPES,
};

/* struct live - objects of each type */
struct live {
	uint64_t nr[LIVE_TYPES];
};

int live_count(const char *domain, struct live *live);
int live_settle(const char *domain, struct live *live);
int live_wait(const char *domain, const struct live *want);
void live_end(void);

#endif /* FS_TEST_LIVE_H */
