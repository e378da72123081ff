/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pager in a helper process, to be stopped and killed. One helper has one
 * pager; its store is the test's own, in shared memory, and outlives it.
 */
#ifndef KT_REMOTE_H
#define KT_REMOTE_H

#include "pager.h"
#include "proc.h"
#include "trap.h"

/**
 * struct remote_adopt - how a helper becomes a pager
 * @name: of the domain
 * @door: how it exchanges
 * @frames: of its pool
 * @grant: how many of them it lends
 * @flags: KMDOM_ADOPT_*
 * @deadline_ms: of the session
 * @slots: of the session; 0: 4
 * @uid: whose it is; 0: root's
 * @memlock: limit of locked memory in bytes; 0: as it is
 * @create_frames: create the domain first, with that limit; 0: do not
 * @cgroup: path of the cgroup to enter; empty: stay
 * @store: its store
 * @session: out: number of the session
 */
struct remote_adopt {
	char name[KMDOM_NAME_MAX];
	enum door_kind door;
	uint32_t frames;
	uint32_t grant;
	uint32_t flags;
	uint32_t deadline_ms;
	uint32_t slots;
	uint32_t uid;
	uint64_t memlock;
	uint32_t create_frames;
	char cgroup[128];
	struct store *store;
	uint64_t session;
};

int remote_adopt(struct proc *proc, struct remote_adopt *adopt);
void remote_adopt_start(struct proc *proc, const struct remote_adopt *adopt);
int remote_adopt_plain(struct proc *proc, const char *name, enum door_kind door,
		       uint32_t frames, struct store *store);
int64_t remote_op(struct proc *proc, struct kmdom_op *op,
		  struct kmdom_result *res);
int remote_export(struct proc *proc, uint64_t index, uint64_t *version);
int remote_preempt(struct proc *proc, uint64_t index, uint64_t *version);
int remote_answer(struct proc *proc, uint64_t index, uint64_t version);
int remote_event(struct proc *proc, uint32_t type, struct kmdom_event *event);
int remote_conserved(struct proc *proc);
int remote_touch(struct proc *proc, uint32_t frame);
void remote_serve_start(struct proc *proc);
void remote_wait_start(struct proc *proc);
struct pager *remote_pager(void);

#endif /* KT_REMOTE_H */
