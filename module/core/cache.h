/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cache.h - typed caches of a domain, and the slots of their pages
 */
#ifndef KMDOM_CACHE_H
#define KMDOM_CACHE_H

#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include "domain.h"
#include "pin.h"
#include "schema.h"

#define KMDOM_MAGAZINE	32	/* slots that a CPU keeps of a cache */

/**
 * struct kmdom_magazine - slots at hand on one CPU
 * @lock: this CPU's; no other CPU touches the magazine, but
 *	kmdom_slab_release_magazines(), when no function of the cache is in use
 * @nr: in @refs
 * @refs: hints: a slot is the taker's only if its bit in the frame's "mag"
 *	was set, which freezing the page clears
 */
struct kmdom_magazine {
	local_lock_t lock;
	unsigned int nr;
	kmdom_ref refs[KMDOM_MAGAZINE];
};

/**
 * struct kmdom_cache - objects of one type in one domain
 * @dom: the domain; constant
 * @id: its number in entries, from 1; constant
 * @name: of the type; constant
 * @schema: the type, as long as @users is not 0; its hash and sizes for ever
 * @policy: of the type, a part of its hash; constant
 * @users: who needs the type: a client that is attached, each page, each step
 *	of paging. The first holds a reference on the type's module
 * @owner: that module
 * @attached: a client is (the domain's lifecycle mutex; also read without)
 * @anchor: a ref that the client keeps here
 * @nr_pages: present and absent
 * @lock: protects @partial, and the search for free slots in its pages
 * @partial: present pages with free slots
 * @magazines: one a CPU
 */
struct kmdom_cache {
	struct kmdom_domain *dom;
	unsigned int id;
	char name[KMDOM_TYPE_MAX];
	struct kmdom_schema schema;
	u8 policy;
	atomic_long_t users;
	struct module *owner;
	bool attached;
	kmdom_ref anchor;
	atomic64_t nr_pages;
	spinlock_t lock;
	struct list_head partial;
	struct kmdom_magazine __percpu *magazines;
};

/**
 * kmdom_frame_holds - is a frame that is pinned that page's?
 * @frame: the frame
 * @cache: of the page
 * @index: of the page
 *
 * The frame that was found may have become another page's before it was pinned.
 * While it is pinned its descriptor tells whose it is: that was written before pins
 * were let in, and a page is in one frame at a time.
 *
 * Return: whether it is.
 */
static inline bool kmdom_frame_holds(const struct kmdom_frame *frame,
				     const struct kmdom_cache *cache, u64 index)
{
	return frame->cache == cache && frame->index == index;
}

/**
 * kmdom_pin_resident - pin a page of a cache if it is present and not frozen
 * @dom: the domain
 * @cache: of the page
 * @index: of the page
 * @write: for writing
 *
 * Context: any that does not interrupt. The RCU section is one that no unpin is in:
 * that may wake somebody, for which a kernel with PREEMPT_RT sleeps.
 * Return: its frame, pinned, or NULL.
 */
static __always_inline struct kmdom_frame *
kmdom_pin_resident(struct kmdom_domain *dom, const struct kmdom_cache *cache,
		   u64 index, bool write)
{
	struct kmdom_frame *frame;

	rcu_read_lock_sched();
	frame = kmdom_table_resident(&dom->table, index, 0);
	if (frame && !kmdom_frame_try_pin(frame, write))
		frame = NULL;
	rcu_read_unlock_sched();
	if (!frame)
		return NULL;
	if (likely(kmdom_frame_holds(frame, cache, index)))
		return frame;
	kmdom_frame_unpin(dom, frame, write);
	return NULL;
}

/* cache.c */
struct kmdom_cache *kmdom_cache_get(struct kmdom_domain *dom, unsigned int id);
void kmdom_cache_put(struct kmdom_cache *cache, long nr);
void kmdom_caches_drop_pages(struct kmdom_domain *dom);
void kmdom_caches_destroy(struct kmdom_domain *dom);

/* info.c */

/**
 * struct kmdom_cache_info - a look at a cache
 * @id: its number
 * @name: of the type; constant
 * @hash: of the type's schema
 * @pages: present and absent
 * @attached: a client has it at this instant
 * @schema: the type, kept until the look ends; NULL if nobody needs it any more:
 *	its module may be gone
 * @kept: info.c's own
 */
struct kmdom_cache_info {
	unsigned int id;
	const char *name;
	u64 hash;
	u64 pages;
	bool attached;
	const struct kmdom_schema *schema;
	struct kmdom_cache *kept;
};

int kmdom_cache_info(struct kmdom_domain *dom, unsigned int id,
		     struct kmdom_cache_info *info);
int kmdom_cache_info_name(struct kmdom_domain *dom, const char *name,
			  struct kmdom_cache_info *info);
void kmdom_cache_info_end(struct kmdom_cache_info *info);

/* slab.c */
int kmdom_slab_alloc(struct kmdom_cache *cache, struct kmdom_pin *pin,
		     unsigned int *promised);
void kmdom_slab_free(struct kmdom_frame *frame, unsigned int slot);
int kmdom_slab_free_page(struct kmdom_cache *cache, u64 index);
bool kmdom_slab_release(struct kmdom_domain *dom, u64 index);
void kmdom_slab_release_magazines(struct kmdom_cache *cache);
void kmdom_slab_prune(struct kmdom_domain *dom, u64 index);
void kmdom_slab_discard(struct kmdom_frame *frame);
void kmdom_slab_discarded(struct kmdom_frame *frame);
void kmdom_slab_drop_magazines(struct kmdom_frame *frame);
void kmdom_slab_page_arrived(struct kmdom_frame *frame);
void kmdom_slab_page_leaves(struct kmdom_frame *frame);

#endif /* KMDOM_CACHE_H */
