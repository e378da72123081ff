// SPDX-License-Identifier: GPL-2.0
/*
 * domain.c - domains: the registry, and how they begin and end
 *
 * A domain has a reference from the registry until it is gone, one from each
 * client, session file, pool, and work that is under way. It also holds the
 * module, so that its workers' code stays.
 *
 * ABORT: new waits and pins fail; the session ends; a worker takes every frame
 * once its last pin has ended, then the key, then (with the last client) the
 * name. Nothing of that needs a pager.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include "cache.h"
#include "domain.h"
#include "pin.h"
#include "seal.h"
#include "session.h"
#include "trace.h"

struct workqueue_struct *kmdom_wq;

/*
 * Protects the list, the numbers, and the count of a uid's domains. A domain
 * that is gone stays on the list, without its name, until its memory goes: it
 * counts for its uid as long as it costs.
 */
static DEFINE_MUTEX(kmdom_registry_lock);
static LIST_HEAD(kmdom_registry);
static u64 kmdom_last_id;

static unsigned int kmdom_max_domains = 64;
module_param_named(max_domains, kmdom_max_domains, uint, 0644);
MODULE_PARM_DESC(max_domains, "most domains of one user without CAP_SYS_ADMIN");

static unsigned int kmdom_orphan_max = 3600;
module_param_named(orphan_max_seconds, kmdom_orphan_max, uint, 0644);
MODULE_PARM_DESC(orphan_max_seconds,
		 "longest life of a domain without a session, in seconds");

/** kmdom_domain_get - one more reference; any context */
struct kmdom_domain *kmdom_domain_get(struct kmdom_domain *dom)
{
	refcount_inc(&dom->refs);
	return dom;
}

static void kmdom_domain_free(struct kmdom_domain *dom)
{
	trace_kmdom_gone(dom);
	mutex_lock(&kmdom_registry_lock);
	list_del(&dom->node);
	mutex_unlock(&kmdom_registry_lock);
	kmdom_seal_destroy(dom->seal);
	kmdom_caches_destroy(dom);
	mem_cgroup_put(dom->memcg);
	kmdom_ledger_exit(&dom->ledger);
	kfree(dom);
	module_put(THIS_MODULE);
}

static void kmdom_domain_free_work(struct work_struct *work)
{
	kmdom_domain_free(container_of(work, struct kmdom_domain, free_work));
}

/** kmdom_domain_unref - drop a reference; any context */
void kmdom_domain_unref(struct kmdom_domain *dom)
{
	/* On the workqueue, which the module's exit waits for. */
	if (refcount_dec_and_test(&dom->refs))
		queue_work(kmdom_wq, &dom->free_work);
}

/**
 * kmdom_domain_aborted - has the domain been aborted?
 * @dom: the domain
 *
 * Context: any.
 * Return: whether it has; once true it stays so.
 */
bool kmdom_domain_aborted(const struct kmdom_domain *dom)
{
	return kmdom_domain_has_aborted(dom);
}
EXPORT_SYMBOL_GPL(kmdom_domain_aborted);

/** kmdom_domain_name - full name of a domain; any context */
const char *kmdom_domain_name(const struct kmdom_domain *dom)
{
	return dom->name;
}
EXPORT_SYMBOL_GPL(kmdom_domain_name);

/** kmdom_domain_permitted - may the caller own up to this domain? */
bool kmdom_domain_permitted(const struct kmdom_domain *dom)
{
	return uid_eq(current_fsuid(), dom->uid) || capable(CAP_SYS_ADMIN);
}

static struct kmdom_domain *kmdom_registry_find(const char *name)
{
	struct kmdom_domain *dom;

	lockdep_assert_held(&kmdom_registry_lock);
	list_for_each_entry(dom, &kmdom_registry, node)
		if (dom->listed && !strcmp(dom->name, name))
			return dom;
	return NULL;
}

static int kmdom_name_own(char *full, const char *name)
{
	int len = snprintf(full, KMDOM_NAME_MAX, "%u/%s",
			   from_kuid_munged(&init_user_ns, current_fsuid()),
			   name);

	return len < KMDOM_NAME_MAX ? 0 : -EINVAL;
}

/**
 * kmdom_domain_lookup - a domain by name
 * @name: full, or the caller's own without "UID/"
 *
 * Context: may sleep.
 * Return: the domain with a reference, or an ERR_PTR: -ENOENT, -EPERM.
 */
struct kmdom_domain *kmdom_domain_lookup(const char *name)
{
	struct kmdom_domain *dom = NULL;
	char full[KMDOM_NAME_MAX];

	mutex_lock(&kmdom_registry_lock);
	if (!strchr(name, '/') && !kmdom_name_own(full, name))
		dom = kmdom_registry_find(full);
	if (!dom)
		dom = kmdom_registry_find(name);
	if (!dom)
		dom = ERR_PTR(-ENOENT);
	else if (!kmdom_domain_permitted(dom))
		dom = ERR_PTR(-EPERM);
	else
		kmdom_domain_get(dom);
	mutex_unlock(&kmdom_registry_lock);
	return dom;
}

/**
 * kmdom_domain_after - the next domain in order of numbers
 * @id: a number; 0 for the first
 *
 * Context: may sleep. No right is asked for.
 * Return: the domain with a reference, or NULL.
 */
struct kmdom_domain *kmdom_domain_after(u64 id)
{
	struct kmdom_domain *dom, *found = NULL;

	mutex_lock(&kmdom_registry_lock);
	list_for_each_entry(dom, &kmdom_registry, node) {
		if (dom->listed && dom->id > id) {
			found = kmdom_domain_get(dom);
			break;
		}
	}
	mutex_unlock(&kmdom_registry_lock);
	return found;
}

static void kmdom_domain_unlist(struct kmdom_domain *dom)
{
	bool listed;

	mutex_lock(&kmdom_registry_lock);
	listed = dom->listed;
	dom->listed = false;
	mutex_unlock(&kmdom_registry_lock);
	if (listed)
		kmdom_domain_unref(dom);
}

/* Takes one frame of an aborted domain; waits for the last pin on it. */
static void kmdom_reap_frame(struct kmdom_frame *frame)
{
	atomic64_or(KMDOM_PIN_FREEZE_ALL, &frame->pins);
	while (kmdom_frame_drain(frame, KMDOM_PIN_ANY, ns_to_ktime(NSEC_PER_SEC)))
		;
	if (!frame->level) {
		kmdom_slab_page_leaves(frame);
		atomic64_dec(&kmdom_frame_domain(frame)->pages_present);
	}
	kmdom_frame_withdraw(frame);
	kmdom_frame_put(frame);
}

/* One round over a pool's frames; tables go only when @tables is set. */
static void kmdom_reap_pool(struct kmdom_pool *pool, bool tables)
{
	u32 i;

	for (i = 0; i < pool->nr_frames; i++) {
		struct kmdom_frame *frame = &pool->frames[i];
		u8 state = READ_ONCE(frame->state);

		if (state == KMDOM_FRAME_PAGE ||
		    (state == KMDOM_FRAME_TABLE && tables))
			kmdom_reap_frame(frame);
		cond_resched();
	}
}

static void kmdom_reap_round(struct kmdom_domain *dom, bool tables)
{
	struct kmdom_pool *pool;
	u64 id = 0;

	for (;;) {
		struct kmdom_pool *next = NULL;

		spin_lock(&dom->ledger.lock);
		list_for_each_entry(pool, &dom->ledger.pools, node) {
			if (pool->id > id && refcount_inc_not_zero(&pool->users)) {
				next = pool;
				break;
			}
		}
		spin_unlock(&dom->ledger.lock);
		if (!next)
			return;
		id = next->id;
		kmdom_reap_pool(next, tables);
		kmdom_pool_put(next);
	}
}

static u64 kmdom_pages_in_use(struct kmdom_domain *dom)
{
	u64 nr;

	spin_lock(&dom->ledger.lock);
	nr = dom->ledger.nr_used - dom->ledger.nr_tables;
	spin_unlock(&dom->ledger.lock);
	return nr;
}

/*
 * Frames in TRANSIT belong to tasks that are about to publish them, or to give
 * them back, or to a table's grace period: rounds go on until none is left.
 */
static void kmdom_reap_work(struct work_struct *work)
{
	struct kmdom_domain *dom = container_of(work, struct kmdom_domain,
						reap_work);

	kmdom_table_cut(&dom->table);
	synchronize_rcu();
	for (;;) {
		kmdom_reap_round(dom, false);
		if (!kmdom_pages_in_use(dom))
			break;
		wait_event_timeout(dom->drain_wq, !kmdom_pages_in_use(dom), 1);
	}
	kmdom_reap_round(dom, true);
	kmdom_caches_drop_pages(dom);
	atomic64_set(&dom->pages_absent, 0);
	/* The session was fenced: no request is at work, now or later. */
	kmdom_seal_erase(dom->seal);
	trace_kmdom_reaped(dom);
	/* Before DESTROY, which no client outlasts, returns: its name is free. */
	if (!atomic_read(&dom->clients))
		kmdom_domain_unlist(dom);
	complete_all(&dom->reaped);
	smp_mb();	/* pairs with atomic_dec_and_test() of kmdom_domain_put() */
	if (!atomic_read(&dom->clients))
		kmdom_domain_unlist(dom);
	kmdom_domain_unref(dom);
}

/**
 * kmdom_domain_abort_locked - end a domain for ever
 * @dom: the domain
 *
 * Context: may sleep; the domain's lifecycle mutex is held.
 */
void kmdom_domain_abort_locked(struct kmdom_domain *dom)
{
	lockdep_assert_held(&dom->lifecycle);
	if (kmdom_domain_has_aborted(dom))
		return;
	WRITE_ONCE(dom->state, KMDOM_DOMAIN_ABORTED);
	kmdom_ledger_close(&dom->ledger);
	kmdom_wait_abort(dom);
	if (dom->session)
		kmdom_session_end(dom->session, -ENODEV);
	kmdom_domain_unorphan(dom);
	trace_kmdom_abort(dom);
	kmdom_domain_get(dom);
	queue_work(kmdom_wq, &dom->reap_work);
}

/**
 * kmdom_domain_destroy - abort a domain, and wait until its frames are back
 * @dom: the domain
 * @even_with_clients: ABORT: clients are torn down later, on their own
 *
 * Context: may sleep, killable, until the last pin has ended.
 * Return: 0, -EBUSY (a client has it), -EINTR.
 */
int kmdom_domain_destroy(struct kmdom_domain *dom, bool even_with_clients)
{
	int ret = 0;

	if (mutex_lock_killable(&dom->lifecycle))
		return -EINTR;
	if (!even_with_clients && atomic_read(&dom->clients))
		ret = -EBUSY;
	else
		kmdom_domain_abort_locked(dom);
	mutex_unlock(&dom->lifecycle);
	if (ret || even_with_clients)
		return ret;
	return wait_for_completion_killable(&dom->reaped) ? -EINTR : 0;
}

static void kmdom_orphan_work(struct work_struct *work)
{
	struct kmdom_domain *dom = container_of(to_delayed_work(work),
						struct kmdom_domain,
						orphan_work);

	mutex_lock(&dom->lifecycle);
	/* A successor may have come and gone while this waited for the mutex. */
	if (!dom->session && time_after_eq(jiffies, dom->orphan_until))
		kmdom_domain_abort_locked(dom);
	mutex_unlock(&dom->lifecycle);
	kmdom_domain_unref(dom);
}

/**
 * kmdom_domain_orphan - a domain is without a session: its grace begins
 * @dom: the domain
 *
 * Context: may sleep; the domain's lifecycle mutex is held.
 */
void kmdom_domain_orphan(struct kmdom_domain *dom)
{
	unsigned long grace = min_t(u64, (u64)dom->orphan_seconds * HZ,
				    MAX_JIFFY_OFFSET);

	lockdep_assert_held(&dom->lifecycle);
	WRITE_ONCE(dom->state, KMDOM_DOMAIN_ORPHANED);
	dom->orphan_until = jiffies + grace;
	kmdom_domain_get(dom);
	/* If one is pending, of an earlier grace, it waits for this one's end. */
	if (mod_delayed_work(kmdom_wq, &dom->orphan_work, grace))
		kmdom_domain_unref(dom);
}

/** kmdom_domain_unorphan - the grace ends, by a session or for ever */
void kmdom_domain_unorphan(struct kmdom_domain *dom)
{
	lockdep_assert_held(&dom->lifecycle);
	/* For a worker that waits for the mutex already. */
	dom->orphan_until = jiffies + MAX_JIFFY_OFFSET;
	if (cancel_delayed_work(&dom->orphan_work))
		kmdom_domain_unref(dom);
}

static unsigned int kmdom_registry_count(kuid_t uid)
{
	struct kmdom_domain *dom;
	unsigned int nr = 0;

	list_for_each_entry(dom, &kmdom_registry, node)
		nr += uid_eq(dom->uid, uid);
	return nr;
}

/* Printable, no slash but those of a reserved name, none at the ends. */
static bool kmdom_name_valid(const char *name)
{
	size_t len = strnlen(name, KMDOM_NAME_MAX);
	size_t i;

	if (!len || len == KMDOM_NAME_MAX || name[0] == '/' ||
	    name[len - 1] == '/')
		return false;
	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ',')
			return false;
	return true;
}

static int kmdom_create_check(struct kmdom_create *arg, char *full)
{
	if (arg->flags || arg->reserved || !kmdom_name_valid(arg->name) ||
	    strnlen(arg->aead, KMDOM_AEAD_MAX) == KMDOM_AEAD_MAX ||
	    arg->max_frames < KMDOM_FRAMES_MIN ||
	    arg->max_frames > KMDOM_FRAMES_MAX)
		return -EINVAL;
	if (capable(CAP_SYS_ADMIN)) {
		strscpy(full, arg->name, KMDOM_NAME_MAX);
		return 0;
	}
	if (strchr(arg->name, '/'))
		return -EPERM;
	return kmdom_name_own(full, arg->name);
}

static struct page *kmdom_domain_ledger_new_page(struct kmdom_ledger *ledger,
						 gfp_t gfp)
{
	return alloc_page(gfp);
}

static void kmdom_domain_ledger_get(struct kmdom_ledger *ledger)
{
	kmdom_domain_get(kmdom_ledger_domain(ledger));
}

static void kmdom_domain_ledger_put(struct kmdom_ledger *ledger)
{
	kmdom_domain_unref(kmdom_ledger_domain(ledger));
}

static bool kmdom_domain_ledger_aborted(const struct kmdom_ledger *ledger)
{
	return kmdom_domain_has_aborted(kmdom_ledger_domain(ledger));
}

static void kmdom_domain_ledger_freed(struct kmdom_ledger *ledger, bool answer)
{
	kmdom_wait_frames_freed(kmdom_ledger_domain(ledger), answer);
}

static const struct kmdom_ledger_ops kmdom_domain_ledger_ops = {
	.new_page = kmdom_domain_ledger_new_page,
	.get = kmdom_domain_ledger_get,
	.put = kmdom_domain_ledger_put,
	.aborted = kmdom_domain_ledger_aborted,
	.freed = kmdom_domain_ledger_freed,
};

static struct kmdom_domain *kmdom_domain_alloc(const struct kmdom_create *arg,
					       const char *full)
{
	struct kmdom_domain *dom;
	int ret;

	dom = kzalloc(sizeof(*dom), GFP_KERNEL_ACCOUNT);
	if (!dom)
		return ERR_PTR(-ENOMEM);
	ret = kmdom_ledger_init(&dom->ledger, arg->max_frames,
				&kmdom_domain_ledger_ops, kmdom_wq,
				&dom->wait.nr_waiters);
	if (!ret) {
		dom->seal = kmdom_seal_create(arg->aead);
		ret = PTR_ERR_OR_ZERO(dom->seal);
	}
	if (ret)
		goto free;
	strscpy(dom->name, full, sizeof(dom->name));
	strscpy(dom->aead, arg->aead[0] ? arg->aead : KMDOM_SEAL_DEFAULT,
		sizeof(dom->aead));
	generate_random_uuid(dom->uuid);
	dom->uid = current_fsuid();
	dom->orphan_seconds = READ_ONCE(kmdom_orphan_max);
	if (arg->orphan_seconds)
		dom->orphan_seconds = min(arg->orphan_seconds,
					  dom->orphan_seconds);
	dom->memcg = get_mem_cgroup_from_mm(current->mm);
	refcount_set(&dom->refs, 1);
	INIT_LIST_HEAD(&dom->node);
	mutex_init(&dom->lifecycle);
	kmdom_table_init(&dom->table, &dom->ledger);
	init_waitqueue_head(&dom->drain_wq);
	xa_init_flags(&dom->caches, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	kmdom_wait_init(&dom->wait);
	INIT_DELAYED_WORK(&dom->orphan_work, kmdom_orphan_work);
	INIT_WORK(&dom->reap_work, kmdom_reap_work);
	INIT_WORK(&dom->free_work, kmdom_domain_free_work);
	init_completion(&dom->reaped);
	__module_get(THIS_MODULE);
	return dom;

free:
	kmdom_ledger_exit(&dom->ledger);
	kfree(dom);
	return ERR_PTR(ret);
}

static int kmdom_domain_enlist(struct kmdom_domain *dom)
{
	int ret = 0;

	mutex_lock(&kmdom_registry_lock);
	if (kmdom_registry_find(dom->name)) {
		ret = -EEXIST;
	} else if (!capable(CAP_SYS_ADMIN) &&
		   kmdom_registry_count(dom->uid) >= READ_ONCE(kmdom_max_domains)) {
		ret = -EDQUOT;
	} else {
		dom->id = ++kmdom_last_id;
		dom->listed = true;
		/* In order of numbers, for those who list them. */
		list_add_tail(&dom->node, &kmdom_registry);
	}
	mutex_unlock(&kmdom_registry_lock);
	return ret;
}

/**
 * kmdom_domain_create - create a domain, an orphan until it is adopted
 * @arg: in and out, as in the UAPI
 *
 * Context: may sleep; charged to the caller.
 * Return: 0 or the error of the call.
 */
int kmdom_domain_create(struct kmdom_create *arg)
{
	struct kmdom_domain *dom;
	char full[KMDOM_NAME_MAX];
	int ret;

	ret = kmdom_create_check(arg, full);
	if (ret)
		return ret;
	dom = kmdom_domain_alloc(arg, full);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	mutex_lock(&dom->lifecycle);
	ret = kmdom_domain_enlist(dom);
	if (!ret) {
		arg->id = dom->id;
		memcpy(arg->uuid, dom->uuid, sizeof(arg->uuid));
		trace_kmdom_create(dom);
		kmdom_domain_orphan(dom);
	}
	mutex_unlock(&dom->lifecycle);
	if (ret)
		kmdom_domain_unref(dom);
	return ret;
}

/* A client comes: DESTROY is refused from now on. */
static int kmdom_domain_add_client(struct kmdom_domain *dom)
{
	int ret = 0;

	if (mutex_lock_killable(&dom->lifecycle))
		return -EINTR;
	if (kmdom_domain_has_aborted(dom))
		ret = -ENODEV;
	else
		atomic_inc(&dom->clients);
	mutex_unlock(&dom->lifecycle);
	return ret;
}

static struct kmdom_domain *kmdom_domain_for_client(struct kmdom_domain *dom)
{
	int ret = kmdom_domain_add_client(dom);

	if (!ret)
		return dom;
	kmdom_domain_unref(dom);
	return ERR_PTR(ret);
}

/**
 * kmdom_domain_find - a domain for a client, by name
 * @name: full, or the caller's own without "UID/"
 *
 * Context: may sleep; with the credentials of who asks for it.
 * Return: the domain, to be given to kmdom_domain_put(), or an ERR_PTR: -ENOENT,
 * -EPERM, -ENODEV, -EINTR.
 */
struct kmdom_domain *kmdom_domain_find(const char *name)
{
	struct kmdom_domain *dom = kmdom_domain_lookup(name);

	return IS_ERR(dom) ? dom : kmdom_domain_for_client(dom);
}
EXPORT_SYMBOL_GPL(kmdom_domain_find);

/**
 * kmdom_domain_find_fd - a domain for a client, by a session's descriptor
 * @fd: the descriptor
 *
 * Context: may sleep; in the process that the descriptor is of.
 * Return: as kmdom_domain_find(); -EINVAL if @fd is no session's.
 */
struct kmdom_domain *kmdom_domain_find_fd(int fd)
{
	struct kmdom_domain *dom = ERR_PTR(-EINVAL);
	struct kmdom_session *session;
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EINVAL);
	session = kmdom_session_of_file(file);
	if (session)
		dom = kmdom_domain_for_client(kmdom_domain_get(session->dom));
	fput(file);
	return dom;
}
EXPORT_SYMBOL_GPL(kmdom_domain_find_fd);

/**
 * kmdom_domain_put - a client leaves; its objects stay
 * @dom: from kmdom_domain_find()
 *
 * Context: may sleep.
 */
void kmdom_domain_put(struct kmdom_domain *dom)
{
	/* Fully ordered: the last client sees "reaped", or the reaper no client. */
	if (atomic_dec_and_test(&dom->clients) &&
	    completion_done(&dom->reaped))
		kmdom_domain_unlist(dom);
	kmdom_domain_unref(dom);
}
EXPORT_SYMBOL_GPL(kmdom_domain_put);

/**
 * kmdom_domain_usage - what a domain uses now
 * @dom: the domain
 * @usage: out
 *
 * Context: any that does not interrupt.
 */
void kmdom_domain_usage(struct kmdom_domain *dom, struct kmdom_usage *usage)
{
	struct kmdom_ledger *ledger = &dom->ledger;

	spin_lock(&ledger->lock);
	usage->frames_max = ledger->max;
	usage->frames_free = ledger->nr_free;
	usage->frames_used = ledger->nr_used;
	spin_unlock(&ledger->lock);
	usage->frames_granted = usage->frames_free + usage->frames_used;
	usage->pages_present = atomic64_read(&dom->pages_present);
	usage->pages_absent = atomic64_read(&dom->pages_absent);
	usage->faults = atomic64_read(&dom->stats.faults);
}
EXPORT_SYMBOL_GPL(kmdom_domain_usage);
