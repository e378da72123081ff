// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - sessions begin, are fenced, and end
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "domain.h"
#include "session.h"
#include "trace.h"
#include "uring.h"

/* Milliseconds that a client waits for a pager; below the hung-task time. */
#define KMDOM_DEADLINE_MAX_MS	60000

static unsigned int kmdom_op_deadline_ms = 20000;

static int kmdom_deadline_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 1, KMDOM_DEADLINE_MAX_MS);
}

static const struct kernel_param_ops kmdom_deadline_ops = {
	.set = kmdom_deadline_set,
	.get = param_get_uint,
};
module_param_cb(op_deadline_ms, &kmdom_deadline_ops, &kmdom_op_deadline_ms, 0644);
MODULE_PARM_DESC(op_deadline_ms,
		 "longest wait of a client's operation for its pager, in ms (1 to 60000)");

/** kmdom_session_deadline_ms - how long an operation may wait now */
u32 kmdom_session_deadline_ms(const struct kmdom_wait *wait)
{
	u32 limit = READ_ONCE(kmdom_op_deadline_ms);

	return wait->deadline_ms ? min(limit, wait->deadline_ms) : limit;
}

/**
 * kmdom_session_enter - begin a step that touches the domain
 * @session: the session
 *
 * Context: may sleep, while the session ends. No user memory is touched until
 * kmdom_session_leave().
 * Return: 0, or the errno of a session that has ended.
 */
int kmdom_session_enter(struct kmdom_session *session)
{
	down_read(&session->fence);
	if (!session->ended)
		return 0;
	up_read(&session->fence);
	return session->ended;
}

/** kmdom_session_leave - end what kmdom_session_enter() began */
void kmdom_session_leave(struct kmdom_session *session)
{
	up_read(&session->fence);
}

/*
 * A pager's frames and buffers do not show in the OOM killer's figures, so they
 * must be bounded by a memory cgroup.
 */
static bool kmdom_memcg_limited(void)
{
	bool limited = false;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *first, *memcg;

	if (mem_cgroup_disabled())
		return false;
	first = get_mem_cgroup_from_mm(current->mm);
	for (memcg = first; memcg && !limited; memcg = parent_mem_cgroup(memcg))
		limited = READ_ONCE(memcg->memory.max) < PAGE_COUNTER_MAX;
	mem_cgroup_put(first);
#endif
	return limited;
}

static int kmdom_adopt_check(struct kmdom_domain *dom,
			     const struct kmdom_adopt *arg)
{
	if ((arg->flags & ~KMDOM_ADOPT_TAKEOVER) || arg->reserved ||
	    !arg->pool_frames || !arg->slots || arg->slots > KMDOM_SLOTS_MAX ||
	    arg->deadline_ms > KMDOM_DEADLINE_MAX_MS)
		return -EINVAL;
	if (arg->pool_frames > dom->ledger.max)
		return -EDQUOT;
	if (!kmdom_memcg_limited() && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

/* As poll() of a pidfd sees it: no thread of the process is left. */
static bool kmdom_owner_has_exited(struct pid *owner)
{
	struct task_struct *leader;
	bool exited;

	rcu_read_lock();
	leader = pid_task(owner, PIDTYPE_TGID);
	exited = !leader || (READ_ONCE(leader->exit_state) && thread_group_empty(leader));
	rcu_read_unlock();
	return exited;
}

static void kmdom_session_end_unlocked(struct kmdom_session *session)
{
	mutex_lock(&session->dom->lifecycle);
	kmdom_session_end(session, -EOWNERDEAD);
	mutex_unlock(&session->dom->lifecycle);
}

static void kmdom_owner_work(struct work_struct *work)
{
	struct kmdom_session *session =
		container_of(work, struct kmdom_session, owner_work);

	if (kmdom_owner_has_exited(session->owner))
		kmdom_session_end_unlocked(session);
}

/* A thread of the owner's has exited; may not sleep. */
static int kmdom_owner_wake(wait_queue_entry_t *entry, unsigned int mode, int flags,
			    void *key)
{
	struct kmdom_session *session =
		container_of(entry, struct kmdom_session, owner_wait);

	queue_work(kmdom_wq, &session->owner_work);
	return 0;
}

/*
 * The owner's death is seen where its descriptors are closed, see
 * kmdom_session_flush(). Of one that has closed them before, and left the file to
 * others, it is seen here, as pidfds see it.
 */
static void kmdom_owner_watch(struct kmdom_session *session)
{
	session->owner = get_pid(task_tgid(current));
	INIT_WORK(&session->owner_work, kmdom_owner_work);
	init_waitqueue_func_entry(&session->owner_wait, kmdom_owner_wake);
	add_wait_queue(&session->owner->wait_pidfd, &session->owner_wait);
}

static void kmdom_owner_unwatch(struct kmdom_session *session)
{
	remove_wait_queue(&session->owner->wait_pidfd, &session->owner_wait);
	cancel_work_sync(&session->owner_work);
	put_pid(session->owner);
}

static void kmdom_session_free(struct kmdom_session *session)
{
	kmdom_owner_unwatch(session);
	kmdom_uring_exit(session);
	kmdom_slots_destroy(session);
	if (!IS_ERR_OR_NULL(session->pool))
		kmdom_pool_put(session->pool);
	kmdom_domain_unref(session->dom);
	kfree(session);
}

static struct kmdom_session *kmdom_session_alloc(struct kmdom_domain *dom,
						 const struct kmdom_adopt *arg)
{
	struct kmdom_session *session;
	int ret;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	session->dom = kmdom_domain_get(dom);
	init_rwsem(&session->fence);
	/* Until it begins. */
	session->ended = -EOWNERDEAD;
	kmdom_owner_watch(session);
	ret = kmdom_slots_create(session, arg->slots, dom->seal);
	if (!ret)
		ret = kmdom_uring_init(session);
	if (ret)
		goto free;
	session->pool = kmdom_pool_create(&dom->ledger, arg->pool_frames);
	if (!IS_ERR(session->pool))
		return session;
	ret = PTR_ERR(session->pool);
free:
	kmdom_session_free(session);
	return ERR_PTR(ret);
}

/* The new session is told all that is waited for, as new. */
static void kmdom_session_begin(struct kmdom_session *session, u32 deadline_ms)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_wait *wait = &dom->wait;

	lockdep_assert_held(&dom->lifecycle);
	session->id = dom->last_session + 1;
	WRITE_ONCE(session->ended, 0);
	dom->session = session;
	WRITE_ONCE(dom->last_session, session->id);
	WRITE_ONCE(dom->state, KMDOM_DOMAIN_SERVED);
	spin_lock(&wait->lock);
	wait->session = session->id;
	wait->pager = session->owner;
	wait->deadline_ms = deadline_ms;
	wait->stalled = false;
	kmdom_events_show_all(dom);
	spin_unlock(&wait->lock);
	trace_kmdom_session(dom, session->id, 0);
}

/**
 * kmdom_session_end - end a session, completely
 * @session: the session; nothing happens if it has ended
 * @error: what those get who go on using it: -EOWNERDEAD or -ENODEV
 *
 * Steps under way are waited for; they wait for the kernel alone. Then nothing
 * of the session touches the domain any more.
 *
 * Context: may sleep; the domain's lifecycle mutex is held.
 */
void kmdom_session_end(struct kmdom_session *session, int error)
{
	struct kmdom_domain *dom = session->dom;
	struct kmdom_wait *wait = &dom->wait;

	lockdep_assert_held(&dom->lifecycle);
	if (session->ended)
		return;
	down_write(&session->fence);
	WRITE_ONCE(session->ended, error);
	up_write(&session->fence);

	spin_lock(&wait->lock);
	wait->pager = NULL;
	wait->deadline_ms = 0;
	wait->stalled = false;
	/* An aborted domain's session may still learn why: CLOSE. */
	if (error != -ENODEV)
		wait->session = 0;
	spin_unlock(&wait->lock);
	kmdom_uring_wake_all(session);
	kmdom_pool_end(session->pool);
	dom->session = NULL;
	if (dom->state == KMDOM_DOMAIN_SERVED)
		kmdom_domain_orphan(dom);
	trace_kmdom_session(dom, session->id, error);
}

/*
 * Every close of every duplicate comes here; only the owner's death, seen as the last of
 * its threads closing all that it has, ends the session. One of several threads may have
 * had descriptors of its own.
 */
static int kmdom_session_flush(struct file *file, fl_owner_t id)
{
	struct kmdom_session *session = file->private_data;

	if (task_tgid(current) == session->owner && !atomic_read(&current->signal->live))
		kmdom_session_end_unlocked(session);
	return 0;
}

static int kmdom_session_release(struct inode *inode, struct file *file)
{
	struct kmdom_session *session = file->private_data;

	kmdom_session_end_unlocked(session);
	kmdom_session_free(session);
	return 0;
}

static long kmdom_session_ioctl(struct file *file, unsigned int cmd,
				unsigned long arg)
{
	if (cmd != KMDOM_IOC_EXCHANGE)
		return -ENOTTY;
	return kmdom_exchange_ioctl(file->private_data, arg);
}

static int kmdom_session_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kmdom_session *session = file->private_data;

	return kmdom_pool_mmap(session->pool, vma);
}

static __poll_t kmdom_session_poll(struct file *file, poll_table *table)
{
	struct kmdom_session *session = file->private_data;
	struct kmdom_wait *wait = &session->dom->wait;

	poll_wait(file, &wait->wq, table);
	if (READ_ONCE(session->ended))
		return EPOLLHUP | EPOLLERR;
	return kmdom_events_pending(wait) ? EPOLLIN | EPOLLRDNORM : 0;
}

static const struct file_operations kmdom_session_fops = {
	.owner = THIS_MODULE,
	.flush = kmdom_session_flush,
	.release = kmdom_session_release,
	.unlocked_ioctl = kmdom_session_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = kmdom_session_mmap,
	.poll = kmdom_session_poll,
	.uring_cmd = kmdom_uring_cmd,
};

/**
 * kmdom_session_of_file - the session of a file
 * @file: any file
 *
 * Context: any.
 * Return: the session, which the file keeps; NULL if it is none's.
 */
struct kmdom_session *kmdom_session_of_file(struct file *file)
{
	return file->f_op == &kmdom_session_fops ? file->private_data : NULL;
}

/* A file with an inode, and so an address space, of its own: see grant.c. */
static struct file *kmdom_session_file(struct kmdom_session *session)
{
	struct file *file;

	file = anon_inode_create_getfile("[kmdom]", &kmdom_session_fops,
					 session, O_RDWR | O_CLOEXEC, NULL);
	if (!IS_ERR(file)) {
		mutex_lock(&session->pool->lock);
		session->pool->mapping = file->f_mapping;
		mutex_unlock(&session->pool->lock);
	}
	return file;
}

/* A session that has not begun; its file is all that holds it. */
static struct kmdom_session *kmdom_session_create(struct kmdom_domain *dom,
						  const struct kmdom_adopt *arg,
						  struct file **filp)
{
	struct kmdom_session *session = kmdom_session_alloc(dom, arg);
	struct file *file;

	if (IS_ERR(session))
		return session;
	file = kmdom_session_file(session);
	if (IS_ERR(file)) {
		kmdom_pool_end(session->pool);
		kmdom_session_free(session);
		return ERR_CAST(file);
	}
	*filp = file;
	return session;
}

/*
 * Makes way for a session: ends the one that is taken over. With the lifecycle
 * mutex held if it returns 0.
 */
static int kmdom_adopt_lock(struct kmdom_domain *dom, u32 flags)
{
	int ret = mutex_lock_killable(&dom->lifecycle);

	if (ret)
		return ret;
	if (kmdom_domain_has_aborted(dom))
		ret = -ENODEV;
	else if (dom->session && !(flags & KMDOM_ADOPT_TAKEOVER))
		ret = -EBUSY;
	if (ret) {
		mutex_unlock(&dom->lifecycle);
		return ret;
	}
	if (dom->session)
		kmdom_session_end(dom->session, -EOWNERDEAD);
	/* Who comes in time is not aborted while he makes his pool. */
	kmdom_domain_unorphan(dom);
	return 0;
}

/* No session came of it: the grace of an orphan begins anew. */
static void kmdom_adopt_failed(struct kmdom_domain *dom)
{
	mutex_lock(&dom->lifecycle);
	if (dom->state == KMDOM_DOMAIN_ORPHANED)
		kmdom_domain_orphan(dom);
	mutex_unlock(&dom->lifecycle);
}

/* Makes a session, and begins it unless another was faster. */
static int kmdom_adopt_begin(struct kmdom_domain *dom, struct kmdom_adopt *arg,
			     struct file **filp)
{
	struct kmdom_session *session = kmdom_session_create(dom, arg, filp);
	int ret;

	if (IS_ERR(session))
		return PTR_ERR(session);
	ret = kmdom_adopt_lock(dom, arg->flags);
	if (ret) {
		kmdom_pool_end(session->pool);
		fput(*filp);
		return ret;
	}
	kmdom_session_begin(session, arg->deadline_ms);
	arg->session = session->id;
	arg->max_frames = dom->ledger.max;
	arg->page_count = atomic64_read(&dom->pages_present) +
			  atomic64_read(&dom->pages_absent);
	mutex_unlock(&dom->lifecycle);
	return 0;
}

/**
 * kmdom_session_adopt - begin a session
 * @dom: the domain; the caller was found to be permitted
 * @arg: in and out, as in the UAPI
 * @filp: out: the session's file
 *
 * The one before ends first, so that its frames do not count any more. The new
 * one is made without the mutex: how long that takes is its pager's, and ABORT
 * and clients do not wait for it.
 *
 * Context: may sleep; in the pager's process, which is charged.
 * Return: 0 or the error of the call.
 */
int kmdom_session_adopt(struct kmdom_domain *dom, struct kmdom_adopt *arg,
			struct file **filp)
{
	int ret = kmdom_adopt_check(dom, arg);

	if (!ret)
		ret = kmdom_adopt_lock(dom, arg->flags);
	if (ret)
		return ret;
	mutex_unlock(&dom->lifecycle);
	ret = kmdom_adopt_begin(dom, arg, filp);
	if (ret)
		kmdom_adopt_failed(dom);
	return ret;
}
