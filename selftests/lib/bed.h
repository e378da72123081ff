/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What most tests stand on: a domain with a session of the test's own, a
 * client with some caches, and helper processes that make the client's calls
 * (the pager's own process may not wait for itself).
 */
#ifndef KT_BED_H
#define KT_BED_H

#include "client.h"
#include "pager.h"

#define BED_PROCS	4

/**
 * struct bed_spec - what a test wants
 * @door: how the pager exchanges
 * @frames: of the pool, and granted; 0: 256
 * @max_frames: of the domain; 0: 1024
 * @procs: helper processes
 * @types: bit N: attach type N
 * @records: room in the store; 0: 1024
 * @newest_only: the store keeps one version a page
 * @keep_frames: grant none
 * @no_session: the test adopts by itself
 */
struct bed_spec {
	enum door_kind door;
	uint32_t frames;
	uint32_t max_frames;
	uint32_t procs;
	uint32_t types;
	uint32_t records;
	bool newest_only;
	bool keep_frames;
	bool no_session;
};

/**
 * struct bed - what it has
 * @name: of the domain
 * @client: descriptor of kmdom_test
 * @pager: the session
 * @store: its records
 * @procs: helper processes
 * @aborted: set by a test that aborts it: it may be gone before it is destroyed
 */
struct bed {
	char name[KMDOM_NAME_MAX];
	int client;
	struct pager pager;
	struct store *store;
	struct proc procs[BED_PROCS];
	bool aborted;
};

int bed_up(struct bed *bed, const struct bed_spec *spec);
int bed_down(struct bed *bed);
int bed_conserved(struct bed *bed);
int bed_serves(struct bed *bed);
int bed_fault_back(struct bed *bed, uint64_t ref, const struct kt_page *page);
void bed_name(char *name, size_t size);

int touch(volatile char *addr, bool write);

#endif /* KT_BED_H */
