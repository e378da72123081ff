// SPDX-License-Identifier: GPL-2.0
/*
 * info.c - snapshots of domains, for those who look
 */
#include <linux/pid.h>
#include "domain.h"

static void kmdom_info_frames(struct kmdom_domain *dom,
			      struct kmdom_domain_info *info)
{
	struct kmdom_ledger *ledger = &dom->ledger;

	spin_lock(&ledger->lock);
	info->frames_max = ledger->max;
	info->frames_pool = ledger->backed;
	info->frames_free = ledger->nr_free;
	info->frames_used = ledger->nr_used;
	info->frames_peak = ledger->peak_used;
	info->tables = ledger->nr_tables;
	spin_unlock(&ledger->lock);
	info->frames_granted = info->frames_free + info->frames_used;
}

static void kmdom_info_session(struct kmdom_domain *dom,
			       struct kmdom_domain_info *info)
{
	/* Without the lifecycle mutex: a pager's own steps can hold it for long. */
	info->state = READ_ONCE(dom->state);
	info->session = READ_ONCE(dom->last_session);

	spin_lock(&dom->wait.lock);
	if (dom->wait.pager)
		info->session_pid = pid_nr(dom->wait.pager);
	info->stalled = dom->wait.stalled;
	info->waiters = dom->wait.nr_waiters;
	spin_unlock(&dom->wait.lock);
}

static void kmdom_info_stats(struct kmdom_domain *dom,
			     struct kmdom_domain_info *info)
{
	struct kmdom_stats *stats = &dom->stats;

	info->pages_present = atomic64_read(&dom->pages_present);
	info->pages_absent = atomic64_read(&dom->pages_absent);
	info->faults = atomic64_read(&stats->faults);
	info->exports = atomic64_read(&stats->exports);
	info->restores = atomic64_read(&stats->restores);
	info->evictions = atomic64_read(&stats->evictions);
	info->rejected = atomic64_read(&stats->rejected);
	info->refused = atomic64_read(&stats->refused);
	info->timeouts = atomic64_read(&stats->timeouts);
	info->bytes_out = atomic64_read(&stats->bytes_out);
	info->bytes_in = atomic64_read(&stats->bytes_in);
	info->fault_ns_sum = atomic64_read(&stats->fault_ns_sum);
	info->fault_ns_max = atomic64_read(&stats->fault_ns_max);
}

static void kmdom_info_fill(struct kmdom_domain *dom,
			    struct kmdom_domain_info *info)
{
	struct kmdom_cache *cache;
	unsigned long id;

	memset(info, 0, sizeof(*info));
	info->id = dom->id;
	memcpy(info->name, dom->name, sizeof(info->name));
	memcpy(info->uuid, dom->uuid, sizeof(info->uuid));
	info->uid = dom->uid;
	memcpy(info->aead, dom->aead, sizeof(info->aead));
	info->orphan_seconds = dom->orphan_seconds;
	info->clients = atomic_read(&dom->clients);
	xa_for_each(&dom->caches, id, cache)
		info->caches++;
	kmdom_info_frames(dom, info);
	kmdom_info_session(dom, info);
	kmdom_info_stats(dom, info);
}

/**
 * kmdom_domain_info_next - a snapshot of the next domain
 * @after_id: number of the one before; 0 for the first
 * @info: out
 *
 * Context: may sleep. Who may see it is the caller's business.
 * Return: 0 or -ENOENT.
 */
int kmdom_domain_info_next(u64 after_id, struct kmdom_domain_info *info)
{
	struct kmdom_domain *dom = kmdom_domain_after(after_id);

	if (!dom)
		return -ENOENT;
	kmdom_info_fill(dom, info);
	kmdom_domain_unref(dom);
	return 0;
}

/**
 * kmdom_domain_info_name - a snapshot of a domain by name
 * @name: full, or the caller's own without "UID/"
 * @info: out
 *
 * Context: may sleep.
 * Return: 0, -ENOENT or -EPERM.
 */
int kmdom_domain_info_name(const char *name, struct kmdom_domain_info *info)
{
	struct kmdom_domain *dom = kmdom_domain_lookup(name);

	if (IS_ERR(dom))
		return PTR_ERR(dom);
	kmdom_info_fill(dom, info);
	kmdom_domain_unref(dom);
	return 0;
}
