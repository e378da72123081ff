// SPDX-License-Identifier: GPL-2.0
/*
 * cache.c - caches: attaching, anchors, and the life of a type
 *
 * A cache stays as long as its domain, so that its number in an entry always
 * leads to it. Its type stays as long as anybody needs it: see "users".
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "cache.h"
#include "domain.h"

/**
 * kmdom_cache_get - keep a cache's type for a step of paging
 * @dom: the domain
 * @id: number of the cache, from an entry
 *
 * Context: any.
 * Return: the cache, or NULL if nobody needs its type any more, so that it has
 * no page either.
 */
struct kmdom_cache *kmdom_cache_get(struct kmdom_domain *dom, unsigned int id)
{
	struct kmdom_cache *cache = xa_load(&dom->caches, id);

	if (cache && !atomic_long_inc_not_zero(&cache->users))
		cache = NULL;
	return cache;
}

/**
 * kmdom_cache_put - end @nr uses of a cache's type
 * @cache: the cache
 * @nr: how many
 *
 * Context: any.
 */
void kmdom_cache_put(struct kmdom_cache *cache, long nr)
{
	struct module *owner = cache->owner;

	if (nr && !atomic_long_sub_return(nr, &cache->users))
		module_put(owner);
}

/** kmdom_caches_drop_pages - the pages of an aborted domain are gone */
void kmdom_caches_drop_pages(struct kmdom_domain *dom)
{
	struct kmdom_cache *cache;
	unsigned long id;

	xa_for_each(&dom->caches, id, cache)
		kmdom_cache_put(cache, atomic64_xchg(&cache->nr_pages, 0));
}

static void kmdom_cache_free(struct kmdom_cache *cache)
{
	free_percpu(cache->magazines);
	kfree(cache);
}

/** kmdom_caches_destroy - the domain goes away */
void kmdom_caches_destroy(struct kmdom_domain *dom)
{
	struct kmdom_cache *cache;
	unsigned long id;

	xa_for_each(&dom->caches, id, cache) {
		WARN_ON_ONCE(atomic_long_read(&cache->users));
		kmdom_cache_free(cache);
	}
	xa_destroy(&dom->caches);
}

static struct kmdom_cache *kmdom_cache_create(struct kmdom_domain *dom,
					      const struct kmdom_schema *schema)
{
	struct kmdom_cache *cache;
	int cpu, ret = -ENOMEM;

	cache = kzalloc(sizeof(*cache), GFP_KERNEL_ACCOUNT);
	if (!cache)
		return ERR_PTR(ret);
	cache->dom = dom;
	strscpy(cache->name, schema->type->name, sizeof(cache->name));
	cache->schema = *schema;
	cache->policy = schema->type->policy;
	spin_lock_init(&cache->lock);
	INIT_LIST_HEAD(&cache->partial);
	/* Who attaches is told: no need for a stack in the log. */
	cache->magazines = alloc_percpu_gfp(struct kmdom_magazine,
					    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!cache->magazines)
		goto free;
	for_each_possible_cpu(cpu)
		local_lock_init(&per_cpu_ptr(cache->magazines, cpu)->lock);
	ret = xa_alloc(&dom->caches, &cache->id, cache,
		       XA_LIMIT(1, KMDOM_ENTRY_CACHE_MAX), GFP_KERNEL_ACCOUNT);
	if (ret)
		goto free;
	return cache;
free:
	kmdom_cache_free(cache);
	return ERR_PTR(ret == -EBUSY ? -EDQUOT : ret);
}

static struct kmdom_cache *kmdom_cache_by_name(struct kmdom_domain *dom,
					       const char *name)
{
	struct kmdom_cache *cache;
	unsigned long id;

	xa_for_each(&dom->caches, id, cache)
		if (!strcmp(cache->name, name))
			return cache;
	return NULL;
}

/* A client comes to a cache, the first or again. */
static int kmdom_cache_take(struct kmdom_cache *cache,
			    const struct kmdom_schema *schema)
{
	lockdep_assert_held(&cache->dom->lifecycle);
	if (cache->attached)
		return -EBUSY;
	if (cache->schema.hash != schema->hash)
		return -EPROTOTYPE;
	if (atomic_long_inc_not_zero(&cache->users)) {
		/* Its pages hold the type's module: it must be the same one. */
		if (cache->schema.type != schema->type) {
			kmdom_cache_put(cache, 1);
			return -EPROTOTYPE;
		}
	} else {
		if (!try_module_get(schema->type->owner))
			return -ENODEV;
		cache->owner = schema->type->owner;
		cache->schema = *schema;
		atomic_long_set_release(&cache->users, 1);
	}
	WRITE_ONCE(cache->attached, true);
	return 0;
}

/**
 * kmdom_cache_attach - make a cache of a type, or come back to it
 * @dom: the domain, on which the caller has a reference
 * @type: the type; lives as long as its module
 *
 * Context: may sleep; does not wait for a pager.
 * Return: the cache, or an ERR_PTR: -EINVAL (a schema that is not allowed),
 * -EPROTOTYPE (the name is another schema's), -EBUSY (another client
 * has it), -EDQUOT (caches of a domain), -ENODEV, -ENOMEM, -EINTR.
 */
struct kmdom_cache *kmdom_cache_attach(struct kmdom_domain *dom,
				       const struct kmdom_type *type)
{
	struct kmdom_schema schema;
	struct kmdom_cache *cache;
	struct mem_cgroup *old;
	int ret;

	ret = kmdom_schema_init(&schema, type);
	if (ret)
		return ERR_PTR(ret);
	if (mutex_lock_killable(&dom->lifecycle))
		return ERR_PTR(-EINTR);
	old = set_active_memcg(dom->memcg);
	cache = ERR_PTR(-ENODEV);
	if (kmdom_domain_has_aborted(dom))
		goto unlock;
	cache = kmdom_cache_by_name(dom, type->name);
	if (!cache)
		cache = kmdom_cache_create(dom, &schema);
	if (IS_ERR(cache))
		goto unlock;
	ret = kmdom_cache_take(cache, &schema);
	if (ret)
		cache = ERR_PTR(ret);
unlock:
	set_active_memcg(old);
	mutex_unlock(&dom->lifecycle);
	return cache;
}
EXPORT_SYMBOL_GPL(kmdom_cache_attach);

/**
 * kmdom_cache_detach - leave a cache; its objects stay
 * @cache: the cache; not used by the caller after this
 *
 * Context: may sleep; does not wait for a pager.
 */
void kmdom_cache_detach(struct kmdom_cache *cache)
{
	kmdom_slab_release_magazines(cache);
	mutex_lock(&cache->dom->lifecycle);
	WRITE_ONCE(cache->attached, false);
	mutex_unlock(&cache->dom->lifecycle);
	kmdom_cache_put(cache, 1);
}
EXPORT_SYMBOL_GPL(kmdom_cache_detach);

/** kmdom_cache_anchor - the ref kept with @cache; 0 at first. Any context */
kmdom_ref kmdom_cache_anchor(const struct kmdom_cache *cache)
{
	return READ_ONCE(cache->anchor);
}
EXPORT_SYMBOL_GPL(kmdom_cache_anchor);

/** kmdom_cache_set_anchor - keep @ref with @cache. Any context */
void kmdom_cache_set_anchor(struct kmdom_cache *cache, kmdom_ref ref)
{
	WRITE_ONCE(cache->anchor, ref);
}
EXPORT_SYMBOL_GPL(kmdom_cache_set_anchor);
