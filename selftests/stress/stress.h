/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Many tenants, whose pagers are killed all the time.
 *
 *	stress.c	a round: options, kills, what is watched, the verdict
 *	tenant.c	a tenant: its domain, its pager, its workers
 *	files.c		a worker that knows what its files hold
 *	losses.c	what chaos did, and which losses that explains
 *	pressure.c	somebody else who needs the memory
 */
#ifndef KT_STRESS_H
#define KT_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>
#include "draw.h"
#include "load.h"
#include "remote.h"

#define STRESS_DIR	"/tmp/kmdom-stress"	/* mounts and logs */
#define FILES		12			/* of a tenant that has any */
#define LOSSES_MAX	4096			/* of a tenant, that can be explained */

/* Faults of chaos, by their names in its log. */
enum fault {
	FAULT_FAIL,
	FAULT_CORRUPT,
	FAULT_FORGE,
	FAULT_DELAY,
	FAULT_REORDER,
	FAULT_DROP,
	FAULT_ROT,
	FAULTS,
};

/**
 * struct shared - of a tenant, seen by its workers and by the driver
 * @stop: the workers shall verify all once more, and end
 * @steps: of the object worker
 * @file_steps: of the file worker
 * @losses: objects that were lost as chaos wanted it
 * @generations: what each file holds; 0: it is not there
 */
struct shared {
	atomic_uint stop;
	atomic_uint steps;
	atomic_uint file_steps;
	atomic_uint losses;
	uint64_t generations[FILES];
};

/**
 * struct kind - what a tenant is like
 * @name: for the report
 * @store: of kmdomd; NULL: the pager of the test library
 * @door: of the pager
 * @policy: of kmdomd
 * @chaos: of kmdomd, or NULL
 * @type: of its objects
 * @objects: how many
 * @files: it has a file system, too
 * @lossy: its chaos loses records
 */
struct kind {
	const char *name;
	const char *store;
	const char *door;
	const char *policy;
	const char *chaos;
	unsigned int type;
	unsigned int objects;
	bool files;
	bool lossy;
};

/**
 * struct worker - a process that uses a domain
 * @proc: the process
 * @steps: in the shared memory
 * @seen: steps when they were looked at last
 * @moved: when they had changed, now_ms()
 * @stuck: it was said that it does not move
 */
struct worker {
	struct proc proc;
	atomic_uint *steps;
	unsigned int seen;
	long long moved;
	bool stuck;
};

/**
 * struct tenant - one of many
 * @nr: which
 * @kind: what it is like
 * @name: of its domain
 * @dir: of its file system
 * @store: path of its store
 * @log: of what its pagers say
 * @chaos_log: of what chaos does
 * @rejected: of its records, as far as was looked
 * @seed: of its pagers' and workers' choices
 * @rest_us: between two steps of a worker, on average
 * @pid: of its pager, 0 if there is none
 * @starts: pagers that were started
 * @session: number of the last session that was seen
 * @light: a pager of the test library
 * @records: its store
 * @shared: with its workers
 * @load: what the object worker does
 * @objects: the worker
 * @files: the other one
 * @mounted: its file system is
 * @stays: its pager does until the frames were counted, and so they are too many
 * @deaf: its pager is sent no signal, and so it seems to be stuck
 * @stuck: its pager did not end in time, and has not yet
 * @stuck_pagers: that did not end in time
 * @patience_ms: how long it may take to end
 */
struct tenant {
	unsigned int nr;
	const struct kind *kind;
	char name[KMDOM_NAME_MAX];
	char dir[64];
	char store[96];
	char log[96];
	char chaos_log[96];
	uint64_t rejected;
	uint64_t seed;
	unsigned int rest_us;
	pid_t pid;
	unsigned int starts;
	uint64_t session;
	struct proc light;
	struct store *records;
	struct shared *shared;
	struct load load;
	struct worker objects;
	struct worker files;
	bool mounted;
	bool stays;
	bool deaf;
	bool stuck;
	unsigned int stuck_pagers;
	unsigned int patience_ms;
};

/*
 * What tenant_kill() found: a session ended, one ended that a client waited for, none
 * had begun, it was over, or it stays.
 */
enum killed {
	KILLED_SESSION,
	KILLED_WAITED,
	KILLED_EARLY,
	KILLED_NOTHING,
	KILLED_STUCK,
};

/* tenant.c */
int tenant_create(struct tenant *tenant, struct pager *ctl, const char *stores);
int tenant_start_pager(struct tenant *tenant);
bool tenant_served(struct tenant *tenant);
int tenant_start_workers(struct tenant *tenant);
void tenant_show_stuck(const struct tenant *tenant, const char *what, pid_t pid);
bool tenant_waits(const struct tenant *tenant);
enum killed tenant_kill(struct tenant *tenant, int sig);
int tenant_stop_workers(struct tenant *tenant);
int tenant_destroy(struct tenant *tenant, struct pager *ctl);

/* files.c: for a helper process; struct file_work */
struct file_work {
	char dir[64];
	uint64_t seed;
	unsigned int rest_us;
	struct shared *shared;
};

long files_work(void *arg);

/**
 * struct losses - of a tenant, for losses.c
 * @log: of its chaos
 * @trace: what the kernel traced; NULL: since losses_begin()
 * @domain: its number
 * @nr: of losses that were explained
 * @told: which
 */
struct losses {
	char log[96];
	const char *trace;
	uint64_t domain;
	unsigned int nr;
	struct {
		uint64_t index;
		uint64_t version;
	} told[LOSSES_MAX];
};

/* losses.c */
extern const char *const fault_names[FAULTS];
int losses_begin(void);
void losses_end(void);
bool loss_explained(struct losses *losses, uint64_t index);
void losses_count(const char *log, uint64_t counts[FAULTS]);

/* pressure.c: for a helper process; struct pressure_work */
struct pressure_work {
	atomic_uint *stop;
	atomic_uint *times;	/* that memory was taken */
	unsigned long leave;	/* bytes */
};

long pressure_work(void *arg);

/* The next of a sequence. */

#endif /* KT_STRESS_H */
