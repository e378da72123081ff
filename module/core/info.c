// SPDX-License-Identifier: GPL-2.0
/*
 * info.c - snapshots of domains and their caches, for those who look
 */
#include <linux/pid.h>
#include "cache.h"
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
	unsigned int i;

	info->pages_present = atomic64_read(&dom->pages_present);
	info->pages_absent = atomic64_read(&dom->pages_absent);
	info->faults = atomic64_read(&stats->faults);
	info->exports = atomic64_read(&stats->exports);
	info->restores = atomic64_read(&stats->restores);
	info->evictions = atomic64_read(&stats->evictions);
	for (i = 0; i < KMDOM_NR_REJECTS; i++)
		info->rejected[i] = atomic64_read(&stats->rejected[i]);
	info->refused = atomic64_read(&stats->refused);
	info->timeouts = atomic64_read(&stats->timeouts);
	info->bytes_out = atomic64_read(&stats->bytes_out);
	info->bytes_in = atomic64_read(&stats->bytes_in);
	info->fault_ns_sum = atomic64_read(&stats->fault_ns_sum);
	info->fault_ns_max = atomic64_read(&stats->fault_ns_max);
}

/**
 * kmdom_domain_info - a snapshot of a domain
 * @dom: the domain
 * @info: out
 *
 * Context: may sleep. Who may see it is the caller's business.
 */
void kmdom_domain_info(struct kmdom_domain *dom, struct kmdom_domain_info *info)
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

static void kmdom_cache_info_fill(struct kmdom_cache *cache,
				  struct kmdom_cache_info *info)
{
	*info = (struct kmdom_cache_info) {
		.id = cache->id,
		.name = cache->name,
		.kept = kmdom_cache_get(cache->dom, cache->id),
		.pages = atomic64_read(&cache->nr_pages),
		.attached = READ_ONCE(cache->attached),
		/* The same for ever, even while a client comes back. */
		.hash = READ_ONCE(cache->schema.hash),
	};
	info->schema = info->kept ? &cache->schema : NULL;
}

/**
 * kmdom_cache_info - look at a cache
 * @dom: the domain; the caller keeps it until the look ends
 * @id: number of the cache. They begin with 1, and have no gaps
 * @info: out; ends with kmdom_cache_info_end()
 *
 * Context: any.
 * Return: 0 or -ENOENT.
 */
int kmdom_cache_info(struct kmdom_domain *dom, unsigned int id,
		     struct kmdom_cache_info *info)
{
	struct kmdom_cache *cache = xa_load(&dom->caches, id);

	if (!cache)
		return -ENOENT;
	kmdom_cache_info_fill(cache, info);
	return 0;
}

/**
 * kmdom_cache_info_name - look at a cache by the name of its type
 * @dom: the domain; the caller keeps it until the look ends
 * @name: of the type
 * @info: out; ends with kmdom_cache_info_end()
 *
 * Context: any.
 * Return: 0 or -ENOENT.
 */
int kmdom_cache_info_name(struct kmdom_domain *dom, const char *name,
			  struct kmdom_cache_info *info)
{
	struct kmdom_cache *cache;
	unsigned long id;

	xa_for_each(&dom->caches, id, cache) {
		if (!strcmp(cache->name, name)) {
			kmdom_cache_info_fill(cache, info);
			return 0;
		}
	}
	return -ENOENT;
}

/** kmdom_cache_info_end - end a look at a cache. Any context */
void kmdom_cache_info_end(struct kmdom_cache_info *info)
{
	if (info->kept)
		kmdom_cache_put(info->kept, 1);
}
