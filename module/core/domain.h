/* SPDX-License-Identifier: GPL-2.0 */
/*
 * domain.h - domains: what they are made of, and how they live and end
 *
 * Lock order of kmdom.ko, outermost first. Lines on one level are not nested.
 *
 *	dom->lifecycle		sessions begin and end, caches attach, abort; not
 *				held while a pool is made, at its pager's pace
 *	kmdom_registry_lock	domain.c: names, numbers, domains of a uid
 *	session->fence		read: a step of an exchange; write: its end
 *	mmap_lock		the kernel's; taken inside by nothing above
 *	pool->lock		grant.c: ownership of frames against mappings
 *	table locks		table.h: parent before child, the root's first
 *	magazine's lock		slab.c: slots at hand; of a CPU, and local to it
 *	cache->lock		slab.c: partial pages, search for slots
 *	wait->lock		wait.c: waiters, events, parked commands
 *	ledger->lock		frames.c: counts and states of frames
 *	the lock of drain_wq	the kernel's; who waits for pins to end
 *
 * None of them is held while a pager is waited for, or over a copy to or from
 * user memory. All spinlocks are taken in process context only.
 */
#ifndef KMDOM_DOMAIN_H
#define KMDOM_DOMAIN_H

#include <linux/completion.h>
#include <linux/kmdom_client.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "frames.h"
#include "table.h"
#include "wait.h"

struct kmdom_seal;
struct kmdom_session;
struct mem_cgroup;

/**
 * enum kmdom_domain_state - how a domain lives
 * @KMDOM_DOMAIN_ORPHANED: no session; waits go on until their deadlines
 * @KMDOM_DOMAIN_SERVED: a session
 * @KMDOM_DOMAIN_ABORTED: for ever
 */
enum kmdom_domain_state {
	KMDOM_DOMAIN_ORPHANED,
	KMDOM_DOMAIN_SERVED,
	KMDOM_DOMAIN_ABORTED,
};

/**
 * struct kmdom_stats - counters of a domain; they only grow
 * @faults: pages asked for from the pager
 * @exports: records made
 * @restores: pages that came back
 * @evictions: frames dropped of pages
 * @rejected: records that were not taken, by enum kmdom_reject
 * @refused: waits that the pager failed
 * @timeouts: waits that missed their deadline
 * @bytes_out: of records to the pager
 * @bytes_in: of records from it that were good
 * @fault_ns_sum: time that waits took, all together
 * @fault_ns_max: the longest (raised without a lock, a hint)
 */
struct kmdom_stats {
	atomic64_t faults;
	atomic64_t exports;
	atomic64_t restores;
	atomic64_t evictions;
	atomic64_t rejected[KMDOM_NR_REJECTS];
	atomic64_t refused;
	atomic64_t timeouts;
	atomic64_t bytes_out;
	atomic64_t bytes_in;
	atomic64_t fault_ns_sum;
	atomic64_t fault_ns_max;
};

/**
 * struct kmdom_domain - a kernel-memory domain
 * @id: number; constant
 * @name: full name; constant
 * @uuid: what records name; constant
 * @uid: creator; constant
 * @aead: name of the cipher; constant
 * @orphan_seconds: grace without a session; constant
 * @memcg: charged for what the kernel keeps for the domain; constant
 * @refs: all references; the last one frees the domain
 * @node: in the registry, until it is freed (registry lock)
 * @listed: it has its name and is found (registry lock)
 * @lifecycle: serialises what begins and ends: sessions, clients, abort
 * @clients: mounts and the like (@lifecycle to raise)
 * @state: enum kmdom_domain_state (@lifecycle; also read without)
 * @session: the one that serves it, or NULL (@lifecycle)
 * @last_session: number of the latest session (@lifecycle; also read without)
 * @seal: key; dies when the last page has gone
 * @version: of the latest record
 * @table: page table
 * @ledger: frames
 * @drain_wq: who waits for pins to end or for a frozen page
 * @caches: by number; entries stay as long as the domain
 * @pages_present: pages of objects in frames
 * @pages_absent: pages of objects in the pager's store
 * @wait: waiters and events
 * @stats: counters
 * @orphan_until: when the grace of an orphan ends, in jiffies (@lifecycle)
 * @orphan_work: aborts an orphan when its grace is over
 * @reap_work: takes frames and key from an aborted domain
 * @free_work: frees the domain
 * @reaped: reap_work has ended
 */
struct kmdom_domain {
	u64 id;
	char name[KMDOM_NAME_MAX];
	u8 uuid[16];
	kuid_t uid;
	char aead[KMDOM_AEAD_MAX];
	u32 orphan_seconds;
	struct mem_cgroup *memcg;
	refcount_t refs;
	struct list_head node;
	bool listed;
	struct mutex lifecycle;
	atomic_t clients;
	enum kmdom_domain_state state;
	struct kmdom_session *session;
	u64 last_session;
	struct kmdom_seal *seal;
	atomic64_t version;
	struct kmdom_table table;
	struct kmdom_ledger ledger;
	wait_queue_head_t drain_wq;
	struct xarray caches;
	atomic64_t pages_present;
	atomic64_t pages_absent;
	struct kmdom_wait wait;
	struct kmdom_stats stats;
	unsigned long orphan_until;
	struct delayed_work orphan_work;
	struct work_struct reap_work;
	struct work_struct free_work;
	struct completion reaped;
};

/* The domain whose ledger it is: no other ledger is asked for one. */
#define kmdom_ledger_domain(ptr)	\
	container_of(ptr, struct kmdom_domain, ledger)

/** kmdom_frame_domain - the domain that @frame is lent to */
static inline struct kmdom_domain *kmdom_frame_domain(const struct kmdom_frame *frame)
{
	return kmdom_ledger_domain(frame->pool->ledger);
}

/** kmdom_domain_has_aborted - as kmdom_domain_aborted(), for who knows domains */
static inline bool kmdom_domain_has_aborted(const struct kmdom_domain *dom)
{
	return READ_ONCE(dom->state) == KMDOM_DOMAIN_ABORTED;
}

/* Runs all that kmdom defers; unbound, and able to run in reclaim. */
extern struct workqueue_struct *kmdom_wq;

struct kmdom_domain *kmdom_domain_get(struct kmdom_domain *dom);
void kmdom_domain_unref(struct kmdom_domain *dom);
int kmdom_domain_create(struct kmdom_create *arg);
struct kmdom_domain *kmdom_domain_lookup(const char *name);
bool kmdom_domain_permitted(const struct kmdom_domain *dom);
struct kmdom_domain *kmdom_domain_after(u64 id);
int kmdom_domain_destroy(struct kmdom_domain *dom, bool even_with_clients);
void kmdom_domain_orphan(struct kmdom_domain *dom);
void kmdom_domain_unorphan(struct kmdom_domain *dom);
void kmdom_domain_abort_locked(struct kmdom_domain *dom);

/* info.c: what is shown of a domain. */

/**
 * struct kmdom_domain_info - a snapshot for those who look
 * @id: as in struct kmdom_domain
 * @name: full
 * @uuid: what its records name
 * @uid: who created it
 * @state: enum kmdom_domain_state
 * @stalled: its pager has missed a deadline, and has not answered since
 * @aead: name of its cipher
 * @orphan_seconds: its grace without a session
 * @session: number of the session; of the last one, if there is none
 * @session_pid: the pager's, in the first pid namespace; 0: none
 * @frames_max: limit of all pools together
 * @frames_pool: frames with memory, in all pools
 * @frames_granted: lent; these counts of frames belong to one instant
 * @frames_free: of these, free
 * @frames_used: of these, in use
 * @frames_peak: most that were ever in use
 * @pages_present: pages of objects in frames
 * @pages_absent: pages of objects in the pager's store
 * @tables: of the page table
 * @caches: typed caches
 * @waiters: tasks that wait
 * @clients: clients that hold the domain
 * @faults: pages that were asked for
 * @exports: records that were copied out
 * @restores: records that became pages
 * @evictions: frames that were dropped
 * @rejected: records that were refused, by enum kmdom_reject
 * @refused: waits that the pager refused
 * @timeouts: waits that missed their deadline
 * @bytes_out: of records, exported
 * @bytes_in: of records, restored
 * @fault_ns_sum: of all waits, in nanoseconds
 * @fault_ns_max: the longest wait, in nanoseconds
 */
struct kmdom_domain_info {
	u64 id;
	char name[KMDOM_NAME_MAX];
	u8 uuid[16];
	kuid_t uid;
	u32 state;
	bool stalled;
	char aead[KMDOM_AEAD_MAX];
	u32 orphan_seconds;
	u64 session;
	u32 session_pid;
	u64 frames_max;
	u64 frames_pool;
	u64 frames_granted;
	u64 frames_free;
	u64 frames_used;
	u64 frames_peak;
	u64 pages_present;
	u64 pages_absent;
	u64 tables;
	u64 caches;
	u64 waiters;
	u64 clients;
	u64 faults;
	u64 exports;
	u64 restores;
	u64 evictions;
	u64 rejected[KMDOM_NR_REJECTS];
	u64 refused;
	u64 timeouts;
	u64 bytes_out;
	u64 bytes_in;
	u64 fault_ns_sum;
	u64 fault_ns_max;
};

void kmdom_domain_info(struct kmdom_domain *dom, struct kmdom_domain_info *info);

#endif /* KMDOM_DOMAIN_H */
