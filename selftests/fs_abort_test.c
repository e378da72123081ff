// SPDX-License-Identifier: GPL-2.0
/*
 * A domain is aborted while a name is made in its file system: after each of the
 * pager's answers in turn, before whoever waited for that one runs. So each step
 * fails once, and among the moments is that at which one was granted all that it
 * named, and has not allocated yet.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "harness.h"

#define DIR	"/tmp/kmdom-fs-abort"
#define NAMES	40
#define ANSWERS	64	/* more than any of them needs */

#define ERR(call)	((call) < 0 ? -errno : 0)

/**
 * struct plan - when the pager aborts
 * @answers: it has given
 * @last: abort after that one; 0: never
 * @aborted: it did
 */
struct plan {
	unsigned int answers;
	unsigned int last;
	bool aborted;
};

static bool answer(struct pager *pager, const struct kmdom_event *ev)
{
	struct plan *plan = pager->hooks.ctx;

	if (pager_answer(pager, PAGE_OF(ev->level, ev->index), ev->version))
		return false;
	if (++plan->answers == plan->last)
		plan->aborted = !pager_abort(pager, pager->name);
	return true;
}

/* With so many names that they have pages of their own, beside their directory's. */
static long mount_it(void *arg)
{
	char options[KMDOM_NAME_MAX + 16], path[256];
	unsigned int i;
	long ret;

	snprintf(options, sizeof(options), "domain=%s", (const char *)arg);
	ret = ERR(mount("none", DIR, "kmdomfs", 0, options)) ?:
	      ERR(mknod(DIR "/old", S_IFREG | 0600, 0));
	for (i = 0; i < NAMES && !ret; i++) {
		snprintf(path, sizeof(path), DIR "/%0200u", i);
		ret = ERR(mknod(path, S_IFREG | 0600, 0));
	}
	return ret;
}

static long make_directory(void *arg)
{
	return ERR(mkdir(DIR "/new", 0700));
}

static long make_symlink(void *arg)
{
	char target[4000];

	memset(target, 't', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	return ERR(symlink(target, DIR "/new"));
}

static long make_link(void *arg)
{
	return ERR(link(DIR "/old", DIR "/new"));
}

static long make_rename(void *arg)
{
	return ERR(rename(DIR "/old", DIR "/new"));
}

FIXTURE(abort) {
	struct bed bed;
	struct plan plan;
};

FIXTURE_VARIANT(abort) {
	proc_fn make;
};

FIXTURE_VARIANT_ADD(abort, mkdir) { .make = make_directory };
FIXTURE_VARIANT_ADD(abort, symlink) { .make = make_symlink };
FIXTURE_VARIANT_ADD(abort, link) { .make = make_link };
FIXTURE_VARIANT_ADD(abort, rename) { .make = make_rename };

/* The pager goes before all others of its CPU, which are its clients. */
FIXTURE_SETUP(abort)
{
	struct sched_param first = { .sched_priority = 1 };
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first));
	mkdir(DIR, 0700);
}

FIXTURE_TEARDOWN(abort)
{
	EXPECT_EQ(0, rmdir(DIR));
}

static long unmount_it(void *arg)
{
	return ERR(umount(DIR));
}

/* Has a client do something, and serves it as long as there is a session. */
static long served(struct bed *bed, proc_fn fn, const char *arg)
{
	const struct plan *plan = bed->pager.hooks.ctx;

	proc_start(&bed->procs[0], fn, arg, arg ? strlen(arg) + 1 : 0);
	while (!proc_done(&bed->procs[0], 0) && !plan->aborted)
		if (pager_serve(&bed->pager, 20) < 0 && !plan->aborted)
			break;
	return proc_finish(&bed->procs[0], NULL, 0);
}

/* Returns what became of the name. */
static int abort_after(struct bed *bed, struct plan *plan, proc_fn make, unsigned int last)
{
	struct bed_spec spec = { .door = DOOR_IOCTL, .procs = 1 };
	int ret = bed_up(bed, &spec), made;

	*plan = (struct plan) { };
	bed->pager.hooks = (struct pager_hooks) { .fault = answer, .ctx = plan };
	ret = ret ?: served(bed, mount_it, bed->name);
	if (ret)
		return ret;
	ret = pager_preempt_all(&bed->pager);
	if (ret < 0)
		return ret;
	*plan = (struct plan) { .last = last };
	made = served(bed, make, NULL);
	bed->aborted = plan->aborted;
	plan->last = 0;
	ret = served(bed, unmount_it, NULL) ?: bed_down(bed);
	return ret ?: made;
}

TEST_F(abort, while_a_name_is_made)
{
	unsigned int last = 0;
	int ret;

	/* Until it needs fewer answers. Who was granted all in time may be done. */
	do {
		ret = abort_after(&self->bed, &self->plan, variant->make, ++last);
		ASSERT_TRUE(!ret || (ret == -ENODEV && self->plan.aborted))
			TH_LOG("aborted after %u answers: %s", last, strerror(-ret));
	} while (self->plan.aborted && last < ANSWERS);
	EXPECT_FALSE(self->plan.aborted);
	/* The names were waited for, and the directory. */
	EXPECT_LT(2, last) TH_LOG("%u answers", last - 1);
}

TEST_HARNESS_MAIN
