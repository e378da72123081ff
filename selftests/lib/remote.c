// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "bed.h"
#include "remote.h"

/* The helper's own; in the test itself it is not used. */
static struct pager victim = { .ctl = -1, .fd = -1 };

/**
 * remote_pager() - the pager of the helper that this runs in
 *
 * Return: the pager
 */
struct pager *remote_pager(void)
{
	return &victim;
}

static int enter_cgroup(const char *path)
{
	char file[160];
	int fd, ret;

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	fd = open(file, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

static int become(const struct remote_adopt *adopt)
{
	struct rlimit limit = { adopt->memlock, adopt->memlock };
	int ret = 0;

	if (adopt->cgroup[0])
		ret = enter_cgroup(adopt->cgroup);
	if (!ret && adopt->memlock && setrlimit(RLIMIT_MEMLOCK, &limit))
		ret = -errno;
	if (!ret && adopt->uid && getuid() != adopt->uid &&
	    (setgroups(0, NULL) || setresgid(adopt->uid, adopt->uid, adopt->uid) ||
	     setresuid(adopt->uid, adopt->uid, adopt->uid)))
		ret = -errno;
	return ret;
}

static long do_adopt(void *arg)
{
	struct remote_adopt *adopt = arg;
	struct kmdom_adopt uapi = {
		.pool_frames = adopt->frames, .slots = adopt->slots ?: 4,
		.deadline_ms = adopt->deadline_ms, .flags = adopt->flags,
	};
	int64_t ret = become(adopt);

	if (!ret && victim.ctl < 0)
		ret = pager_open(&victim, adopt->store);
	if (!ret && adopt->create_frames)
		ret = pager_create(&victim, adopt->name, adopt->create_frames, 300);
	memcpy(uapi.name, adopt->name, sizeof(uapi.name));
	if (!ret)
		ret = pager_adopt_with(&victim, adopt->door, &uapi);
	adopt->session = uapi.session;
	if (!ret && adopt->grant)
		ret = pager_grant(&victim, 0, adopt->grant);
	return ret < 0 ? ret : 0;
}

/**
 * remote_adopt() - make a helper the pager of a domain
 * @proc: the helper
 * @adopt: how; its session is written
 *
 * Return: 0 or a negative errno
 */
int remote_adopt(struct proc *proc, struct remote_adopt *adopt)
{
	return proc_call(proc, do_adopt, adopt, sizeof(*adopt));
}

/**
 * remote_adopt_start() - the same, to be waited for with proc_finish()
 * @proc: the helper
 * @adopt: how
 */
void remote_adopt_start(struct proc *proc, const struct remote_adopt *adopt)
{
	proc_start(proc, do_adopt, adopt, sizeof(*adopt));
}

/**
 * remote_adopt_plain() - make a helper the pager, which lends all its frames
 * @proc: the helper
 * @name: of the domain
 * @door: how it exchanges
 * @frames: of its pool
 * @store: its store
 *
 * Return: 0 or a negative errno
 */
int remote_adopt_plain(struct proc *proc, const char *name, enum door_kind door,
		       uint32_t frames, struct store *store)
{
	struct remote_adopt adopt = {
		.door = door, .frames = frames, .grant = frames, .store = store,
	};

	snprintf(adopt.name, sizeof(adopt.name), "%s", name);
	return remote_adopt(proc, &adopt);
}

struct op_arg {
	struct kmdom_op op;
	struct kmdom_result res;
	struct kmdom_event event;
};

static long do_op(void *arg)
{
	struct op_arg *call = arg;
	int64_t ret = pager_op(&victim, &call->op);

	call->res = victim.res;
	return ret;
}

/**
 * remote_op() - have a helper do one operation
 * @proc: the helper
 * @op: the operation; its buf is the helper's address
 * @res: out; may be NULL
 *
 * Return: the result's value, or a negative errno
 */
int64_t remote_op(struct proc *proc, struct kmdom_op *op,
		  struct kmdom_result *res)
{
	struct op_arg arg = { .op = *op };
	int64_t ret = proc_call(proc, do_op, &arg, sizeof(arg));

	if (res)
		*res = arg.res;
	return ret;
}

static long do_export(void *arg)
{
	struct op_arg *call = arg;
	int ret = pager_export(&victim, call->op.index, 0);

	call->res = victim.res;
	return ret;
}

/**
 * remote_export() - have a helper export a page to the store
 * @proc: the helper
 * @index: of the page
 * @version: out
 *
 * Return: 0 or a negative errno
 */
int remote_export(struct proc *proc, uint64_t index, uint64_t *version)
{
	struct op_arg arg = { .op = { .index = index } };
	int ret = proc_call(proc, do_export, &arg, sizeof(arg));

	*version = arg.res.version;
	return ret;
}

static long do_preempt(void *arg)
{
	struct op_arg *call = arg;
	int ret = pager_preempt(&victim, call->op.index);

	call->res = victim.res;
	return ret;
}

/**
 * remote_preempt() - have a helper export and evict a page
 * @proc: the helper
 * @index: of the page
 * @version: out
 *
 * Return: 0 or a negative errno
 */
int remote_preempt(struct proc *proc, uint64_t index, uint64_t *version)
{
	struct op_arg arg = { .op = { .index = index } };
	int ret = proc_call(proc, do_preempt, &arg, sizeof(arg));

	*version = arg.res.version;
	return ret;
}

static long do_answer(void *arg)
{
	struct op_arg *call = arg;

	return pager_answer(&victim, call->op.index, call->op.version);
}

/**
 * remote_answer() - have a helper restore a page from the store
 * @proc: the helper
 * @index: of the page
 * @version: of the record
 *
 * Return: 0 or a negative errno
 */
int remote_answer(struct proc *proc, uint64_t index, uint64_t version)
{
	struct op_arg arg = { .op = { .index = index, .version = version } };

	return proc_call(proc, do_answer, &arg, sizeof(arg));
}

static long do_event(void *arg)
{
	struct op_arg *call = arg;

	return pager_event(&victim, call->event.type, &call->event);
}

/**
 * remote_event() - have a helper wait for an event
 * @proc: the helper
 * @type: enum kmdom_event_type
 * @event: out
 *
 * Return: 0 or a negative errno
 */
int remote_event(struct proc *proc, uint32_t type, struct kmdom_event *event)
{
	struct op_arg arg = { .event = { .type = type } };
	int ret = proc_call(proc, do_event, &arg, sizeof(arg));

	*event = arg.event;
	return ret;
}

/* A session that has ended owes nothing. */
static long do_conserved(void *arg)
{
	int ret = victim.fd >= 0 ? pager_conserved(&victim) : 0;

	return ret == -EOWNERDEAD || ret == -ENODEV ? 0 : ret;
}

/**
 * remote_conserved() - have a helper compare its own count of frames
 * @proc: the helper
 *
 * Return: 0, also if it has no session (any more), or a negative errno
 */
int remote_conserved(struct proc *proc)
{
	return proc_call(proc, do_conserved, NULL, 0);
}

static long do_touch(void *arg)
{
	uint32_t *frame = arg;

	return touch(victim.pool + (size_t)*frame * KMDOM_FRAME_SIZE, true);
}

/**
 * remote_touch() - have a helper touch a frame of its pool
 * @proc: the helper
 * @frame: number of the frame
 *
 * Return: 0, or the signal that it gave
 */
int remote_touch(struct proc *proc, uint32_t frame)
{
	return proc_call(proc, do_touch, &frame, sizeof(frame));
}

static long do_serve(void *arg)
{
	int ret;

	do {
		ret = pager_serve(&victim, 10000);
	} while (ret >= 0);
	return ret;
}

/**
 * remote_serve_start() - have a helper serve until its session ends
 * @proc: the helper; proc_finish() tells why it ended
 */
void remote_serve_start(struct proc *proc)
{
	proc_start(proc, do_serve, NULL, 0);
}

static long do_wait(void *arg)
{
	struct kmdom_event *event = arg;
	struct kmdom_exchange ex = {
		.events = (unsigned long)event, .max_events = 1,
		.min_events = 1, .timeout_ns = -1,
	};
	int ret = door_exchange(&victim.door, &ex);

	return ret ? ret : (long)ex.nr_events;
}

/**
 * remote_wait_start() - have a helper wait for an event, without a timeout
 * @proc: the helper; proc_finish() tells how many it got, and which
 */
void remote_wait_start(struct proc *proc)
{
	proc_start(proc, do_wait, NULL, 0);
}
