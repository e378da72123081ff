// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "stress.h"

#define FRAMES		128U	/* of a pool: few, so that all pages move */
#define MAX_FRAMES	512	/* of the domain: pools of the dead count */
#define RECORDS		512	/* of a light pager's store */
#define ORPHAN_SECONDS	600
#define DOWN_MS		60000	/* for what ends soon */
#define WORKER_NICE	19	/* pagers come first: kills are what it is about */

/*
 * What loses nothing, in doses that five tries get over: of a hundred thousand faults,
 * one in four hundred rounds of so many meets five that go wrong.
 */
#define HARMLESS "fail=0.01,corrupt=0.01,forge=0.01,delay=0.05:20,reorder=0.1"

#define LOSSY "drop=0.02,rot=0.02,forge=0.02"

/*
 * What is lost is of those pages that are written to a store and read again: there are
 * more than MAX_FRAMES of them, or all may have room in the pools of the dead.
 */
static const struct kind kinds[] = {
	{ "mem, ioctl", "mem", "ioctl", "clock", NULL, KT_SIGNED, 3000, true, false },
	{ "mem, uring", "mem", "uring", "fifo", NULL, KT_PAGE, 150, true, false },
	{ "file, uring", "file", "uring", "clock", NULL, KT_PAGE, 150, true, false },
	{ "file, ioctl", "file", "ioctl", "aging", NULL, KT_SMALL, 3000, true, false },
	{ "mem, chaos", "mem", "uring", "aging", HARMLESS, KT_PAGE, 150, true, false },
	{ "file, chaos", "file", "uring", "fifo", HARMLESS, KT_SIGNED, 3000, true, false },
	{ "lossy", "mem", "uring", "clock", LOSSY, KT_PAGE, 600, false, true },
	{ "light", NULL, "ioctl", NULL, NULL, KT_SMALL, 6000, false, false },
};

/* kmdomd, from the build directory that this program is in. */
static const char *daemon_path(void)
{
	static char path[512];
	char self[400] = "";

	if (!path[0] && readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		snprintf(path, sizeof(path), "%s/../daemon/kmdomd", dirname(self));
	return path;
}

static int say(const struct tenant *tenant, const char *what, int ret)
{
	if (ret < 0)
		fprintf(stderr, "# %s (%s): %s: %s\n", tenant->name, tenant->kind->name, what,
			strerror(-ret));
	return ret < 0 ? ret : 0;
}

/**
 * tenant_create() - make its domain
 * @tenant: nr and seed are set
 * @ctl: makes domains
 * @stores: directory for stores of the kind file
 *
 * Return: 0 or a negative errno, which was said
 */
int tenant_create(struct tenant *tenant, struct pager *ctl, const char *stores)
{
	unsigned int nr = tenant->nr;

	tenant->kind = &kinds[nr % (sizeof(kinds) / sizeof(*kinds))];
	snprintf(tenant->name, sizeof(tenant->name), "stress/%u", nr);
	snprintf(tenant->dir, sizeof(tenant->dir), STRESS_DIR "/%u", nr);
	snprintf(tenant->log, sizeof(tenant->log), STRESS_DIR "/%u.log", nr);
	snprintf(tenant->chaos_log, sizeof(tenant->chaos_log), STRESS_DIR "/%u.chaos", nr);
	snprintf(tenant->store, sizeof(tenant->store), "%s/kmdom-stress.%u",
		 tenant->kind->store && !strcmp(tenant->kind->store, "file") ? stores : "/dev/shm",
		 nr);
	unlink(tenant->store);
	unlink(tenant->log);
	unlink(tenant->chaos_log);
	tenant->shared = shared_alloc(sizeof(*tenant->shared));
	if (!tenant->kind->store) {
		tenant->records = store_create(RECORDS, true);
		if (proc_spawn(&tenant->light, 1))
			return -ECHILD;
	}
	return say(tenant, "create", pager_create(ctl, tenant->name, MAX_FRAMES,
						  ORPHAN_SECONDS));
}

static int start_light(struct tenant *tenant)
{
	enum door_kind door = tenant->nr / 8 % 2 ? DOOR_URING : DOOR_IOCTL;
	int ret = 0;

	if (!tenant->light.pid)
		ret = proc_respawn(&tenant->light);
	if (!ret)
		ret = remote_adopt_plain(&tenant->light, tenant->name, door, FRAMES,
					 tenant->records);
	if (!ret)
		remote_serve_start(&tenant->light);
	tenant->pid = tenant->light.pid;
	return say(tenant, "light pager", ret);
}

/* Without a shell, and without a copy of this process: it happens often. */
static int start_kmdomd(struct tenant *tenant)
{
	char frames[16], store[160], chaos[320];
	const struct kind *kind = tenant->kind;
	char *argv[] = {
		"kmdomd", "--domain", tenant->name, "--frames", frames, "--store", store,
		"--door", (char *)kind->door, "--policy", (char *)kind->policy,
		kind->chaos ? "--chaos" : NULL, chaos, NULL,
	};
	posix_spawn_file_actions_t files;
	int ret;

	snprintf(frames, sizeof(frames), "%u", FRAMES);
	snprintf(store, sizeof(store), "%s:%s,size=32M", kind->store, tenant->store);
	snprintf(chaos, sizeof(chaos), "%s,seed=%llu,log=%s", kind->chaos,
		 (unsigned long long)tenant->seed + tenant->starts, tenant->chaos_log);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, tenant->log,
					 O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&files, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	ret = posix_spawn(&tenant->pid, daemon_path(), &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (ret)
		tenant->pid = 0;
	return say(tenant, "kmdomd", -ret);
}

/**
 * tenant_start_pager() - start its first pager, or a successor
 * @tenant: the tenant, which has none
 *
 * It is not waited for, if it is a kmdomd.
 *
 * Return: 0 or a negative errno, which was said
 */
int tenant_start_pager(struct tenant *tenant)
{
	tenant->starts++;
	return tenant->kind->store ? start_kmdomd(tenant) : start_light(tenant);
}

/**
 * tenant_served() - is a pager at work?
 * @tenant: the tenant
 *
 * Return: whether its domain has a session
 */
bool tenant_served(struct tenant *tenant)
{
	struct kmdom_info info;

	return !kmdom_info_find(tenant->name, &info) && info.state == KMDOM_INFO_SERVED;
}

/* The end of a log, which may be long: it is appended to by each pager. */
static void show_log(const char *path)
{
	FILE *file = fopen(path, "r");
	char text[2001];
	size_t len = 0;

	fprintf(stderr, "# %s ends with:\n", path);
	if (file) {
		fseek(file, 0, SEEK_END);
		len = ftell(file) > 2000 ? 2000 : ftell(file);
		fseek(file, -(long)len, SEEK_END);
		len = fread(text, 1, len, file);
		fclose(file);
	}
	text[len] = '\0';
	fprintf(stderr, "%s\n", text);
}

static void show_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		fprintf(stderr, "#   %s%s", line, strchr(line, '\n') ? "" : "\n");
	if (file)
		fclose(file);
}

/**
 * tenant_show_stuck() - tell of a process that does not move, and where it stands
 * @tenant: whose it is
 * @what: it is
 * @pid: of it
 */
void tenant_show_stuck(const struct tenant *tenant, const char *what, pid_t pid)
{
	struct proc proc = { .pid = pid };
	char pattern[64];
	glob_t found;
	size_t i;

	fprintf(stderr, "# %s (%s): a %s is stuck, process %d in state %c\n", tenant->name,
		tenant->kind->name, what, pid, proc_state(&proc) ?: '?');
	/* Any thread of it may be the one. */
	snprintf(pattern, sizeof(pattern), "/proc/%d/task/*/{wchan,stack}", pid);
	if (glob(pattern, GLOB_BRACE, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++) {
		fprintf(stderr, "# %s:\n", found.gl_pathv[i]);
		show_file(found.gl_pathv[i]);
	}
	globfree(&found);
}

/* Whether it ended, and how. */
static bool await_end(struct tenant *tenant, int *status)
{
	long long end = now_ms() + tenant->patience_ms;

	while (waitpid(tenant->pid, status, WNOHANG) != tenant->pid) {
		if (now_ms() > end)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

/* Of a pager that has ended nothing stays: the pipes of the helper go as well. */
static void forget_pager(struct tenant *tenant)
{
	if (!tenant->kind->store) {
		close(tenant->light.req);
		close(tenant->light.rsp);
		tenant->light.pid = 0;
		tenant->light.busy = false;
	}
	tenant->pid = 0;
	tenant->stuck = false;
}

static bool signal_pager(struct tenant *tenant, int sig, int *status)
{
	kill(tenant->pid, tenant->deaf ? 0 : sig);
	if (await_end(tenant, status)) {
		forget_pager(tenant);
		return true;
	}
	if (!tenant->stuck) {
		tenant_show_stuck(tenant, "pager", tenant->pid);
		tenant->stuck_pagers++;
	}
	tenant->stuck = true;
	return false;
}

/* Whether its end is the one that it was given. */
static bool ended_well(const struct tenant *tenant, int sig, int status)
{
	bool good = WIFSIGNALED(status) ? WTERMSIG(status) == sig :
		    sig == SIGTERM && WEXITSTATUS(status) == 0;

	if (!good) {
		fprintf(stderr, "# %s (%s): its pager ended by itself, status 0x%x\n",
			tenant->name, tenant->kind->name, status);
		show_log(tenant->log);
	}
	return good;
}

/**
 * tenant_waits() - does a client wait for its pager at this instant?
 * @tenant: the tenant
 *
 * Return: whether one did; an answer may be on its way, or there
 */
bool tenant_waits(const struct tenant *tenant)
{
	struct kmdom_info info;

	return !kmdom_info_find(tenant->name, &info) && info.state == KMDOM_INFO_SERVED &&
	       info.waiters;
}

/**
 * tenant_kill() - end its pager
 * @tenant: the tenant, which has one
 * @sig: by this signal: SIGKILL or SIGTERM
 *
 * One that is stuck gets SIGKILL at last; if it does not end by that, it stays.
 *
 * Return: what it was doing
 */
enum killed tenant_kill(struct tenant *tenant, int sig)
{
	struct kmdom_info info;
	int status = 0;
	bool waited, ended;

	if (!tenant->pid)
		return KILLED_NOTHING;
	waited = tenant_waits(tenant);
	ended = !tenant->kind->store && proc_done(&tenant->light, 0);
	if (!signal_pager(tenant, sig, &status)) {
		if (sig != SIGKILL)
			signal_pager(tenant, SIGKILL, &status);
		return KILLED_STUCK;
	}
	if (ended)
		fprintf(stderr, "# %s (%s): its pager had ended\n", tenant->name,
			tenant->kind->name);
	if (ended || !ended_well(tenant, sig, status))
		return KILLED_NOTHING;
	if (kmdom_info_find(tenant->name, &info) || info.session == tenant->session)
		return KILLED_EARLY;
	tenant->session = info.session;
	return waited ? KILLED_WAITED : KILLED_SESSION;
}

/* What the object worker needs. */
struct object_work {
	struct load load;
	char name[KMDOM_NAME_MAX];
	struct losses *losses;
	struct shared *shared;
};

/*
 * An error that had to be: the record was lost by chaos. Of a type with one
 * object to a page, which is freed without being read.
 */
static bool excuse(struct load *load, uint64_t ref, int error)
{
	struct object_work *work = load->ctx;

	if (error != -EIO || !loss_explained(work->losses, KT_REF_INDEX(ref)))
		return false;
	atomic_fetch_add(&work->shared->losses, 1);
	return !kt_del(load->fd, load->op, load->type, ref);
}

static long object_work(void *arg)
{
	struct object_work *work = arg;
	struct load *load = &work->load;
	int ret;

	load->ctx = work;
	load->fd = client_open();
	ret = load->fd < 0 ? load->fd : client_find(load->fd, work->name);
	if (!ret)
		ret = client_attach(load->fd, load->type);
	if (ret) {
		fprintf(stderr, "# %s: client: %s\n", work->name, strerror(-ret));
		return ret;
	}
	ret = load_fill(load);
	if (!ret)
		ret = load_run(load);
	if (!ret)
		ret = load_verify(load);
	if (ret)
		fprintf(stderr, "# %s: that was the object worker\n", work->name);
	close(load->fd);
	return ret;
}

static int start_worker(struct worker *worker, unsigned int id, atomic_uint *steps,
			proc_fn fn, const void *arg, size_t len)
{
	int ret = proc_spawn(&worker->proc, id);

	if (ret)
		return ret;
	setpriority(PRIO_PROCESS, worker->proc.pid, WORKER_NICE);
	worker->steps = steps;
	worker->moved = now_ms();
	proc_start(&worker->proc, fn, arg, len);
	return 0;
}

/* What of it is lost, and why, is known by its domain's number. */
static struct losses *losses_of(const struct tenant *tenant)
{
	struct losses *losses;
	struct kmdom_info info;

	if (kmdom_info_find(tenant->name, &info))
		return NULL;
	losses = shared_alloc(sizeof(*losses));
	losses->domain = info.id;
	memcpy(losses->log, tenant->chaos_log, sizeof(losses->log));
	return losses;
}

static int start_objects(struct tenant *tenant)
{
	struct object_work work = { .shared = tenant->shared };

	load_init(&tenant->load, -1, 1, tenant->kind->type, tenant->kind->objects);
	tenant->load.seed = tenant->seed;
	tenant->load.rest_us = tenant->rest_us;
	tenant->load.stop = &tenant->shared->stop;
	tenant->load.progress = &tenant->shared->steps;
	if (tenant->kind->lossy) {
		tenant->load.excuse = excuse;
		work.losses = losses_of(tenant);
		if (!work.losses)
			return -ENOENT;
	}
	work.load = tenant->load;
	memcpy(work.name, tenant->name, sizeof(work.name));
	return start_worker(&tenant->objects, 1, &tenant->shared->steps, object_work, &work,
			    sizeof(work));
}

static int start_files(struct tenant *tenant)
{
	struct file_work work = {
		.seed = tenant->seed, .rest_us = tenant->rest_us, .shared = tenant->shared,
	};
	char option[KMDOM_NAME_MAX + 16];

	memcpy(work.dir, tenant->dir, sizeof(work.dir));
	snprintf(option, sizeof(option), "domain=%s", tenant->name);
	mkdir(tenant->dir, 0700);
	if (mount("none", tenant->dir, "kmdomfs", 0, option))
		return -errno;
	tenant->mounted = true;
	return start_worker(&tenant->files, 2, &tenant->shared->file_steps, files_work, &work,
			    sizeof(work));
}

/**
 * tenant_start_workers() - from now on it uses its domain
 * @tenant: the tenant, which is served
 *
 * Return: 0 or a negative errno, which was said
 */
int tenant_start_workers(struct tenant *tenant)
{
	int ret = say(tenant, "object worker", start_objects(tenant));

	if (!ret && tenant->kind->files)
		ret = say(tenant, "file worker", start_files(tenant));
	return ret;
}

/* Whether it ended well. One that hangs is killed, as far as it can be. */
static int stop_worker(struct tenant *tenant, struct worker *worker, const char *what)
{
	int ret;

	if (!worker->proc.pid)
		return 0;
	ret = worker->stuck ? -ETIME : proc_finish(&worker->proc, NULL, 0);
	if (ret == -ETIME)
		worker->stuck = true;
	proc_kill(&worker->proc);
	return say(tenant, what, ret);
}

/**
 * tenant_stop_workers() - wait until they have verified everything
 * @tenant: the tenant; they were told to stop
 *
 * Return: how many had anything to complain about
 */
int tenant_stop_workers(struct tenant *tenant)
{
	int bad = !!stop_worker(tenant, &tenant->objects, "object worker") +
		  !!stop_worker(tenant, &tenant->files, "file worker");

	if (bad) {
		show_log(tenant->log);
		show_log(tenant->chaos_log);
	}
	return bad;
}

/* Its last users may be just leaving. */
static int unmount(struct tenant *tenant)
{
	long long end = now_ms() + DOWN_MS;

	while (tenant->mounted && umount(tenant->dir)) {
		if (errno != EBUSY || now_ms() > end)
			return -errno;
		poll(NULL, 0, 20);
	}
	tenant->mounted = false;
	return 0;
}

/* What a mount left dirty keeps it alive, without a place, until its pager took it. */
static int await_clients(struct tenant *tenant)
{
	long long end = now_ms() + DOWN_MS;
	struct kmdom_info info;
	int ret;

	while (!(ret = kmdom_info_find(tenant->name, &info)) && info.clients) {
		if (now_ms() > end)
			return -EBUSY;
		poll(NULL, 0, 20);
	}
	return ret;
}

static int end_pager(struct tenant *tenant)
{
	switch (tenant_kill(tenant, tenant->kind->store ? SIGTERM : SIGKILL)) {
	case KILLED_NOTHING:
		return -EPIPE;
	case KILLED_STUCK:
		return say(tenant, "its pager", -ETIME);
	default:
		return 0;
	}
}

/**
 * tenant_destroy() - take all down, and see whether anything is missing
 * @tenant: the tenant, whose workers have ended
 * @ctl: destroys domains
 *
 * Return: 0 if all frames are accounted for, and the domain is gone; else a
 * negative errno, which was said
 */
int tenant_destroy(struct tenant *tenant, struct pager *ctl)
{
	struct kmdom_info info;
	int ret, err;

	/* Whatever is done to a domain waits for what its pager is in. */
	if (tenant->stuck)
		return say(tenant, "its pager is stuck", -ETIME);
	ret = say(tenant, "unmount", unmount(tenant));
	err = say(tenant, "clients", await_clients(tenant));
	ret = ret ?: err;
	if (tenant->pid && !tenant->stays) {
		err = end_pager(tenant);
		ret = ret ?: err;
	}
	if (tenant->stuck)
		return ret;
	/* Whoever destroys it waits for all its frames: not for those that are lost. */
	err = say(tenant, "conservation", domain_conserved(tenant->name));
	if (err)
		say(tenant, "abort", pager_abort(ctl, tenant->name));
	else
		err = say(tenant, "destroy", pager_destroy(ctl, tenant->name));
	ret = ret ?: err;
	if (tenant->pid)
		tenant_kill(tenant, SIGKILL);
	if (!ret && kmdom_info_find(tenant->name, &info) != -ENOENT)
		ret = say(tenant, "it is still there", -EEXIST);
	unlink(tenant->store);
	rmdir(tenant->dir);
	return ret;
}
