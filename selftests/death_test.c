// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers that die, stop, and come back.
 *
 * The pager is a helper process (procs[0]), the clients are others, and the
 * test itself is the successor.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include "harness.h"

#define FRAMES		160
#define NEARLY_ALL	1000	/* of what the domain may have */

FIXTURE(death) {
	struct bed bed;
	struct pager *heir;	/* the test's own, without a session at first */
	struct proc *pager;
	struct proc *client;	/* two of them */
	int fd;
	uint64_t ref;		/* a small object, seed 1 */
	uint64_t index;		/* of its page */
};

BOTH_DOORS(death);

FIXTURE_SETUP(death)
{
	struct bed_spec spec = {
		.procs = 3, .types = 1 << KT_SMALL | 1 << KT_PAGE,
		.no_session = true,
	};
	struct kt_small small;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->heir = &self->bed.pager;
	self->pager = &self->bed.procs[0];
	self->client = &self->bed.procs[1];
	self->fd = self->bed.client;
	ASSERT_EQ(0, remote_adopt_plain(self->pager, self->bed.name, variant->door,
					FRAMES, self->bed.store));
	small_fill(&small, 1);
	ASSERT_EQ(0, px_new(self->client, self->fd, KT_SMALL, &small, sizeof(small), &self->ref));
	self->index = KT_REF_INDEX(self->ref);
}

FIXTURE_TEARDOWN(death)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int succeed(struct pager *heir, const char *name, enum door_kind door)
{
	int ret = pager_adopt(heir, name, door, FRAMES, 0);

	if (!ret)
		ret = pager_grant(heir, 0, FRAMES) == FRAMES ? 0 : -ENOBUFS;
	return ret;
}

static void read_start(struct proc *proc, int fd, uint64_t ref)
{
	px_get_start(proc, fd, KT_SMALL, ref, sizeof(struct kt_small));
}

static int read_finish(struct proc *proc, uint64_t seed)
{
	struct kt_small small;
	int ret = px_get_finish(proc, &small, sizeof(small));

	return ret ? ret : small_check(&small, seed);
}

static int read_now(struct proc *proc, int fd, uint64_t ref, uint64_t seed)
{
	read_start(proc, fd, ref);
	return read_finish(proc, seed);
}

static int change(struct proc *proc, int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;

	small_fill(&small, seed);
	return px_set(proc, fd, KT_SMALL, ref, &small, sizeof(small));
}

TEST_F(death, of_a_page_never_exported)
{
	ASSERT_EQ(0, proc_kill(self->pager));
	/* What is present needs no pager. */
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(2, self->heir->session);
	EXPECT_EQ(-EAGAIN, pager_evict(self->heir, self->index, 1, 0));
	EXPECT_EQ(0, pager_preempt(self->heir, self->index));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, self->heir->res.version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

/* Its record may be in no store: the successor cannot make the kernel drop it. */
TEST_F(death, of_a_page_exported_but_not_stored)
{
	struct kmdom_page page;
	uint64_t version;

	ASSERT_EQ(0, remote_export(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	ASSERT_EQ(0, pager_look(self->heir, self->index, &page));
	EXPECT_EQ(KMDOM_PAGE_PRESENT, page.state);
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_DIRTY);
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_VOUCHED);
	EXPECT_EQ(version, page.version);
	EXPECT_EQ(-EAGAIN, pager_evict(self->heir, self->index, version, 0));
	EXPECT_EQ(0, pager_export(self->heir, self->index, 0));
	EXPECT_LT(version, self->heir->res.version);
	/* The lost one's version is not the page's any more. */
	EXPECT_EQ(-ESTALE, pager_evict(self->heir, self->index, version, 0));
	EXPECT_EQ(0, pager_preempt(self->heir, self->index));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, self->heir->res.version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

/* A successor that has the record says so, and need not have it made again. */
TEST_F(death, of_a_page_that_is_stored)
{
	struct kmdom_op op = { .code = KMDOM_OP_STORED, .index = self->index };
	struct kmdom_page page;
	uint64_t version;

	ASSERT_EQ(0, remote_export(self->pager, self->index, &version));
	op.version = version;
	ASSERT_EQ(0, remote_op(self->pager, &op, NULL));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(-EAGAIN, pager_evict(self->heir, self->index, version, 0));
	EXPECT_EQ(-ESTALE, pager_stored(self->heir, self->index, version + 1));
	EXPECT_EQ(0, pager_stored(self->heir, self->index, version));
	ASSERT_EQ(0, pager_look(self->heir, self->index, &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_DIRTY);
	EXPECT_EQ(-EALREADY, pager_export(self->heir, self->index, 0));
	EXPECT_EQ(0, pager_evict(self->heir, self->index, version, 0));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

TEST_F(death, of_a_stored_page_that_was_changed_since)
{
	uint64_t version;

	ASSERT_EQ(0, remote_export(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, change(self->client, self->fd, self->ref, 2));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(-EAGAIN, pager_stored(self->heir, self->index, version));
	EXPECT_EQ(0, pager_preempt(self->heir, self->index));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, self->heir->res.version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 2));
}

TEST_F(death, of_an_absent_page)
{
	struct kmdom_event event;
	uint64_t version;

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_kill(self->pager));
	read_start(self->client, self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(self->client, PROC_PATIENCE));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	ASSERT_EQ(0, pager_event(self->heir, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(self->index, event.index);
	EXPECT_EQ(version, event.version);
	EXPECT_EQ(0, pager_answer(self->heir, event.index, event.version));
	EXPECT_EQ(0, read_finish(self->client, 1));
}

/* The successor finds every unanswered wait again, told or not. */
TEST_F(death, with_faults_told_and_untold)
{
	struct kmdom_event event;
	uint64_t version, other, more;
	int i;

	ASSERT_EQ(0, px_new(self->client, self->fd, KT_PAGE, "", 0, &other));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(0, remote_preempt(self->pager, KT_REF_INDEX(other), &more));
	read_start(&self->client[0], self->fd, self->ref);
	ASSERT_EQ(0, remote_event(self->pager, KMDOM_EVENT_FAULT, &event));
	px_get_start(&self->client[1], self->fd, KT_PAGE, other, 8);
	ASSERT_TRUE(proc_sleeps(&self->client[1], PROC_PATIENCE));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pager_event(self->heir, KMDOM_EVENT_FAULT, &event));
		EXPECT_EQ(i ? KT_REF_INDEX(other) : self->index, event.index);
		EXPECT_EQ(i ? more : version, event.version);
		EXPECT_EQ(0, pager_answer(self->heir, event.index, event.version));
	}
	EXPECT_EQ(0, read_finish(&self->client[0], 1));
	EXPECT_EQ(0, px_get_finish(&self->client[1], NULL, 0));
}

/* Half of what the oldest waits for has come: it stays, and he gets on. */
TEST_F(death, between_two_answers)
{
	struct kt_req req = { .op = 1, .nr_pins = 2 };
	uint64_t other, version[2];
	struct kmdom_event event;

	ASSERT_EQ(0, px_new(self->client, self->fd, KT_PAGE, "", 0, &other));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version[0]));
	ASSERT_EQ(0, remote_preempt(self->pager, KT_REF_INDEX(other), &version[1]));
	req.pins[0] = (struct kt_pin) { .ref = self->ref, .type = KT_SMALL };
	req.pins[1] = (struct kt_pin) { .ref = other, .type = KT_PAGE };
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	kt_start(self->client, self->fd, KT_IOC_PINSET, &req);
	ASSERT_EQ(0, remote_event(self->pager, KMDOM_EVENT_FAULT, &event));
	ASSERT_EQ(0, remote_answer(self->pager, self->index, version[0]));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(0, pager_stored(self->heir, self->index, version[0]));
	EXPECT_EQ(-EBUSY, pager_evict(self->heir, self->index, version[0], 0));
	ASSERT_EQ(0, pager_event(self->heir, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(KT_REF_INDEX(other), event.index);
	EXPECT_EQ(0, pager_answer(self->heir, event.index, event.version));
	EXPECT_EQ(0, kt_finish(self->client, NULL));
	EXPECT_EQ(0, kt_end(self->fd, 1));
}

TEST_F(death, with_a_lost_page)
{
	struct kmdom_op op = { .code = KMDOM_OP_REFUSE, .flags = KMDOM_OPF_LOST };
	uint64_t version;

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	op.index = self->index;
	op.version = version;
	ASSERT_EQ(0, remote_op(self->pager, &op, NULL));
	ASSERT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(-EIO, read_now(self->client, self->fd, self->ref, 1));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(-EIO, pager_answer(self->heir, self->index, version));
	EXPECT_EQ(-EIO, read_now(self->client, self->fd, self->ref, 1));
}

/* Frames in use of the dead pool are counted until their pages go. */
TEST_F(death, frames_go_back)
{
	struct kt_usage usage;
	uint64_t refs[20], versions[20];
	uint32_t used;
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, px_new(self->client, self->fd, KT_PAGE, "", 0, &refs[i]));
	}
	ASSERT_EQ(0, client_usage(self->fd, &usage));
	used = usage.frames_used;
	EXPECT_EQ(FRAMES, usage.frames_granted);
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, client_usage(self->fd, &usage));
	EXPECT_EQ(0, usage.frames_free);
	EXPECT_EQ(used, usage.frames_used);
	EXPECT_EQ(used, usage.frames_granted);
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	ASSERT_EQ(0, client_usage(self->fd, &usage));
	EXPECT_EQ(FRAMES, usage.frames_free);
	EXPECT_EQ(FRAMES + used, usage.frames_granted);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, pager_preempt(self->heir, KT_REF_INDEX(refs[i])));
		versions[i] = self->heir->res.version;
	}
	ASSERT_EQ(0, client_usage(self->fd, &usage));
	EXPECT_EQ(FRAMES, usage.frames_free);
	EXPECT_EQ(FRAMES + used - 20, usage.frames_granted);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, pager_answer(self->heir, KT_REF_INDEX(refs[i]), versions[i]));
	ASSERT_EQ(0, client_usage(self->fd, &usage));
	EXPECT_EQ(FRAMES - 20, usage.frames_free);
}

/* A thread that ends with descriptors of its own. */
static void *unshared_thread(void *arg)
{
	*(pid_t *)arg = unshare(CLONE_FILES) ? -errno : gettid();
	return NULL;
}

TEST_F(death, closing_a_duplicate_is_nothing)
{
	pthread_t thread;
	int status, fd;
	pid_t pid;

	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	fd = dup(self->heir->fd);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
	pid = fork();
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unshared_thread, &pid));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_LT(0, pid);
	/* Who joins it does not wait for that. */
	while (!syscall(SYS_tgkill, getpid(), pid, 0))
		sched_yield();
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
	EXPECT_EQ(0, touch(self->heir->pool + 0, false) == SIGBUS ? 0 : -1);
}

/* A child that has all descriptors of the pager's, and sleeps. */
static long fork_sleeper(void *arg)
{
	pid_t pid = fork();

	while (!pid)
		pause();
	/* The argument is shared with the child, too. */
	*(pid_t *)arg = pid;
	return pid < 0 ? -errno : 0;
}

/* The owner's death is what ends a session, whoever else has its descriptor. */
TEST_F(death, while_a_child_has_the_descriptor)
{
	struct pollfd child = { .events = POLLIN };
	uint64_t version;
	pid_t pid;

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_call(self->pager, fork_sleeper, &pid, sizeof(pid)));
	child.fd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, child.fd);
	remote_wait_start(self->pager);
	ASSERT_TRUE(proc_sleeps(self->pager, PROC_PATIENCE));
	EXPECT_EQ(-EBUSY, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES, 0));
	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(0, poll(&child, 1, 0));
	EXPECT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
	/* Its last descriptor goes, and with it nothing of the successor's. */
	EXPECT_EQ(0, poll(&child, 1, 0));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(1, poll(&child, 1, PROC_PATIENCE));
	close(child.fd);
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
}

/* Leaves the session's descriptor to a child, and closes it. */
static long leave_to_a_child(void *arg)
{
	struct pager *pager = remote_pager();
	long ret = fork_sleeper(arg);

	if (!ret)
		pager_leave(pager);
	return ret;
}

/* And so it is where the owner has closed its own before. */
TEST_F(death, which_left_the_descriptor_to_a_child)
{
	long long start = now_ms();
	pid_t pid;
	int ret;

	ASSERT_EQ(0, proc_call(self->pager, leave_to_a_child, &pid, sizeof(pid)));
	EXPECT_EQ(-EBUSY, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES, 0));
	EXPECT_EQ(0, proc_kill(self->pager));
	/* Told after it was reaped, by a worker. */
	do {
		ret = succeed(self->heir, self->bed.name, variant->door);
	} while (ret == -EBUSY && now_ms() - start < PROC_PATIENCE);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
}

/*
 * Two successors make their pools at the same time: one of them finds that the other was
 * faster, and what it had counts no more.
 */
TEST_F(death, two_successors)
{
	struct remote_adopt adopt = {
		.door = variant->door, .frames = NEARLY_ALL, .store = self->bed.store,
	};
	int i, round, rounds = scaled("rounds", 16);
	long ret[2];

	memcpy(adopt.name, self->bed.name, sizeof(adopt.name));
	ASSERT_EQ(0, proc_kill(self->pager));
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < 2; i++)
			remote_adopt_start(&self->client[i], &adopt);
		for (i = 0; i < 2; i++)
			ret[i] = proc_finish(&self->client[i], NULL, 0);
		EXPECT_TRUE((!ret[0] && ret[1] == -EBUSY) || (!ret[1] && ret[0] == -EBUSY))
			TH_LOG("%ld and %ld", ret[0], ret[1]);
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, proc_kill(&self->client[i]));
			ASSERT_EQ(0, proc_respawn(&self->client[i]));
		}
		ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door,
					 NEARLY_ALL, 0));
		EXPECT_EQ(NEARLY_ALL, pager_grant(self->heir, 0, NEARLY_ALL));
		pager_leave(self->heir);
	}
}

/*
 * What a dead pool has in use counts against the domain's limit: a successor's
 * pool gets memory for the rest, and for more as the old pages go.
 */
TEST_F(death, pools_never_pass_the_limit)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .max_frames = 256,
		.types = 1 << KT_PAGE,
	};
	uint64_t refs[20];
	struct kmdom_info info;
	struct bed bed;
	uint32_t dead;
	int i;

	ASSERT_EQ(0, bed_up(&bed, &spec));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, kt_new(bed.client, 0, KT_PAGE, NULL, 0, &refs[i]));
	}
	ASSERT_EQ(0, pager_exchange(&bed.pager, NULL, NULL, 0));
	dead = bed.pager.ex.used_frames;
	pager_leave(&bed.pager);
	ASSERT_EQ(0, pager_adopt(&bed.pager, bed.name, variant->door, 256, 0));
	EXPECT_EQ(256 - dead, pager_grant(&bed.pager, 0, 256));
	EXPECT_EQ(-EDQUOT, pager_grant(&bed.pager, 256 - dead, dead));
	ASSERT_EQ(0, kmdom_info_find(bed.name, &info));
	EXPECT_EQ(256, info.frames_pool);
	EXPECT_EQ(256, info.frames_free + info.frames_used);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, pager_preempt(&bed.pager, KT_REF_INDEX(refs[i])));
		EXPECT_EQ(1, pager_grant(&bed.pager, 0, 256));
	}
	EXPECT_EQ(-EDQUOT, pager_grant(&bed.pager, 256 - dead + 20, dead - 20));
	ASSERT_EQ(0, kmdom_info_find(bed.name, &info));
	EXPECT_EQ(256, info.frames_pool);
	/* It is not backed whole: the tables have not gone. */
	pager_leave(&bed.pager);
	EXPECT_EQ(0, bed_down(&bed));
}

/* Stopped in a wait, taken over, woken: it is told, and can touch nothing. */
TEST_F(death, of_a_pager_that_was_only_asleep)
{
	struct kmdom_op op;
	uint64_t version;
	long ret;

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(-EBUSY, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES, 0));
	remote_wait_start(self->pager);
	ASSERT_TRUE(proc_sleeps(self->pager, PROC_PATIENCE));
	proc_stop(self->pager);
	read_start(self->client, self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(self->client, PROC_PATIENCE));
	ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES,
				 KMDOM_ADOPT_TAKEOVER));
	ASSERT_EQ(FRAMES, pager_grant(self->heir, 0, FRAMES));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, version));
	EXPECT_EQ(0, read_finish(self->client, 1));
	ASSERT_EQ(0, change(self->client, self->fd, self->ref, 2));

	/* To be stopped may have ended a call that blocked, with no event. */
	proc_cont(self->pager);
	ret = proc_finish(self->pager, NULL, 0);
	EXPECT_TRUE(ret == -EOWNERDEAD || (!ret && variant->door == DOOR_IOCTL))
		TH_LOG("%ld", ret);
	remote_wait_start(self->pager);
	EXPECT_EQ(-EOWNERDEAD, proc_finish(self->pager, NULL, 0));
	EXPECT_EQ(SIGBUS, remote_touch(self->pager, 0));
	op = (struct kmdom_op) { .code = KMDOM_OP_REVOKE, .index = 0, .arg = FRAMES };
	EXPECT_EQ(-EOWNERDEAD, remote_op(self->pager, &op, NULL));
	EXPECT_EQ(-EOWNERDEAD, remote_export(self->pager, self->index, &version));
	op = (struct kmdom_op) { .code = KMDOM_OP_GRANT, .index = 0, .arg = FRAMES };
	EXPECT_EQ(-EOWNERDEAD, remote_op(self->pager, &op, NULL));
	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 2));
}

TEST_F(death, takeover_ends_a_wait)
{
	remote_wait_start(self->pager);
	ASSERT_TRUE(proc_sleeps(self->pager, PROC_PATIENCE));
	ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES,
				 KMDOM_ADOPT_TAKEOVER));
	EXPECT_EQ(-EOWNERDEAD, proc_finish(self->pager, NULL, 0));
}

/* Frames that it had not lent are not its own any more, either. */
TEST_F(death, takeover_zaps_the_mapping)
{
	struct remote_adopt adopt = {
		.door = variant->door, .frames = FRAMES, .grant = 100,
		.store = self->bed.store,
	};

	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, proc_spawn(self->pager, 1));
	memcpy(adopt.name, self->bed.name, sizeof(adopt.name));
	ASSERT_EQ(0, remote_adopt(self->pager, &adopt));
	EXPECT_EQ(0, remote_touch(self->pager, FRAMES - 1));
	EXPECT_EQ(SIGBUS, remote_touch(self->pager, 0));
	ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES,
				 KMDOM_ADOPT_TAKEOVER));
	EXPECT_EQ(SIGBUS, remote_touch(self->pager, FRAMES - 1));
	EXPECT_EQ(SIGBUS, remote_touch(self->pager, 0));
}

TEST_HARNESS_MAIN
