// SPDX-License-Identifier: GPL-2.0
/*
 * Waits and domains that end: by deadline, by a signal, by ABORT, by an
 * orphan's grace.
 *
 * The pager is a helper process (procs[0]), the clients are others.
 */
#include "harness.h"

#define FRAMES		160

FIXTURE(end) {
	struct bed bed;
	struct pager *heir;	/* the test's own, without a session at first */
	struct proc *pager;
	struct proc *client;	/* two of them */
	int fd;
	uint64_t ref;		/* a small object, seed 1 */
	uint64_t index;		/* of its page */
	long deadline;		/* of the module, to be put back */
};

BOTH_DOORS(end);

FIXTURE_SETUP(end)
{
	struct bed_spec spec = {
		.procs = 3, .types = 1 << KT_SMALL | 1 << KT_PAGE,
		.no_session = true,
	};
	struct kt_small small;

	self->deadline = param_get("op_deadline_ms");
	ASSERT_LT(0, self->deadline);
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

FIXTURE_TEARDOWN(end)
{
	EXPECT_EQ(0, param_set("op_deadline_ms", self->deadline));
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

TEST_F(end, deadline)
{
	struct kmdom_info info;
	long long start;
	uint64_t version;

	ASSERT_EQ(0, param_set("op_deadline_ms", 1500));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, read_now(self->client, self->fd, self->ref, 1));
	EXPECT_LE(1490, now_ms() - start);
	EXPECT_GE(1500 + SOON, now_ms() - start);
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(1, info.timeouts);
	EXPECT_EQ(1, info.stalled);

	/* Stalled: one may find out whether it answers again, others may not. */
	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	read_start(&self->client[0], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[0], PROC_PATIENCE));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, read_now(&self->client[1], self->fd, self->ref, 1));
	EXPECT_GE(SOON, now_ms() - start);
	EXPECT_EQ(0, remote_answer(self->pager, self->index, version));
	EXPECT_EQ(0, read_finish(&self->client[0], 1));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(1, info.timeouts);
	EXPECT_EQ(0, info.stalled);

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	read_start(&self->client[0], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[0], PROC_PATIENCE));
	read_start(&self->client[1], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[1], PROC_PATIENCE));
	EXPECT_EQ(0, remote_answer(self->pager, self->index, version));
	EXPECT_EQ(0, read_finish(&self->client[0], 1));
	EXPECT_EQ(0, read_finish(&self->client[1], 1));
}

/* No reply moves it: the pager is busy with lies all the time. */
TEST_F(end, deadline_is_not_moved_by_lies)
{
	struct kmdom_record *rec;
	struct stored *entry;
	long long start;
	uint64_t version;

	ASSERT_EQ(0, param_set("op_deadline_ms", 2000));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	entry = store_get(self->bed.store, self->index, version);
	ASSERT_NE(NULL, entry);
	rec = (struct kmdom_record *)entry->data;
	rec->slots ^= 1;
	start = now_ms();
	read_start(self->client, self->fd, self->ref);
	while (!proc_done(self->client, 0)) {
		ASSERT_EQ(-EINVAL, remote_answer(self->pager, self->index, version));
	}
	EXPECT_EQ(-ETIMEDOUT, read_finish(self->client, 1));
	EXPECT_LE(1990, now_ms() - start);
	EXPECT_GE(2000 + SOON, now_ms() - start);
	rec->slots ^= 1;
	EXPECT_EQ(0, remote_answer(self->pager, self->index, version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

TEST_F(end, a_session_can_shorten_the_deadline)
{
	struct remote_adopt adopt = {
		.door = variant->door, .frames = FRAMES, .grant = FRAMES,
		.store = self->bed.store, .deadline_ms = 700,
	};
	long long start;
	uint64_t version;

	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, proc_spawn(self->pager, 1));
	memcpy(adopt.name, self->bed.name, sizeof(adopt.name));
	ASSERT_EQ(0, remote_adopt(self->pager, &adopt));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, read_now(self->client, self->fd, self->ref, 1));
	EXPECT_LE(690, now_ms() - start);
	EXPECT_GE(700 + SOON, now_ms() - start);
	/* It goes with the session. */
	ASSERT_EQ(0, param_set("op_deadline_ms", 1500));
	ASSERT_EQ(0, proc_kill(self->pager));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, read_now(self->client, self->fd, self->ref, 1));
	EXPECT_LE(1490, now_ms() - start);
}

/* An orphan's waiters have their deadlines, too. */
TEST_F(end, deadline_without_a_session)
{
	long long start;
	uint64_t version;

	ASSERT_EQ(0, param_set("op_deadline_ms", 1500));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	ASSERT_EQ(0, proc_kill(self->pager));
	start = now_ms();
	EXPECT_EQ(-ETIMEDOUT, read_now(self->client, self->fd, self->ref, 1));
	EXPECT_LE(1490, now_ms() - start);
	EXPECT_GE(1500 + SOON, now_ms() - start);
	ASSERT_EQ(0, succeed(self->heir, self->bed.name, variant->door));
	EXPECT_EQ(0, pager_answer(self->heir, self->index, version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

TEST_F(end, of_a_waiting_client)
{
	long long start;
	uint64_t version;

	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	read_start(&self->client[1], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[1], PROC_PATIENCE));
	start = now_ms();
	EXPECT_EQ(0, proc_kill(&self->client[1]));
	EXPECT_GE(SOON, now_ms() - start);
	EXPECT_EQ(0, remote_answer(self->pager, self->index, version));
	EXPECT_EQ(0, read_now(self->client, self->fd, self->ref, 1));
}

TEST_F(end, abort_ends_every_wait)
{
	struct kt_req req = { .type = KT_PAGE };
	struct kt_small small;
	long long start;
	uint64_t version, ref;

	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	ASSERT_EQ(0, px_new(self->client, self->fd, KT_PAGE, "pinned", 7, &ref));
	ASSERT_EQ(0, kt_pin(self->fd, 5, KT_PAGE, ref, 0));
	ASSERT_EQ(0, remote_preempt(self->pager, self->index, &version));
	read_start(&self->client[0], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[0], PROC_PATIENCE));
	read_start(&self->client[1], self->fd, self->ref);
	ASSERT_TRUE(proc_sleeps(&self->client[1], PROC_PATIENCE));
	start = now_ms();
	ASSERT_EQ(0, pager_abort(self->heir, self->bed.name));
	EXPECT_EQ(-ENODEV, read_finish(&self->client[0], 1));
	EXPECT_EQ(-ENODEV, read_finish(&self->client[1], 1));
	EXPECT_GE(SOON, now_ms() - start);

	/* What is to come fails, what is pinned stays until it is not. */
	EXPECT_EQ(-ENODEV, read_now(self->client, self->fd, self->ref, 1));
	EXPECT_EQ(-ENODEV, px_get(self->client, self->fd, KT_PAGE, ref, &small, 8));
	EXPECT_EQ(-ENODEV, kt(self->fd, KT_IOC_NEW, &req));
	EXPECT_EQ(-ENODEV, client_attach(self->fd, KT_TRIM));
	EXPECT_EQ(-ENODEV, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES, 0));
	req = (struct kt_req) { .op = 5, .buf = (unsigned long)&small, .len = 7 };
	EXPECT_EQ(0, kt(self->fd, KT_IOC_READ, &req));
	EXPECT_EQ(0, memcmp(&small, "pinned", 7));
	EXPECT_EQ(-ENODEV, remote_export(self->pager, KT_REF_INDEX(ref), &version));
	EXPECT_EQ(0, kt_end(self->fd, 5));
	EXPECT_EQ(-EEXIST, pager_create(self->heir, self->bed.name, FRAMES, 60));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_USAGE, &req));
	EXPECT_EQ(1, req.flags);
	/* The name goes with the last client; the frames have gone by then. */
	EXPECT_EQ(0, proc_kill(self->client));
	EXPECT_EQ(0, proc_kill(&self->client[1]));
	EXPECT_EQ(0, proc_kill(self->pager));
	close(self->fd);
	self->bed.client = -1;
	start = now_ms();
	while (pager_create(self->heir, self->bed.name, FRAMES, 60) == -EEXIST) {
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
	}
}

/* The pager that waits is told, once, and then that there is nothing more. */
TEST_F(end, close_is_told)
{
	struct kmdom_event event = { .type = KMDOM_EVENT_CLOSE + 1 };
	struct kmdom_event want = { .type = KMDOM_EVENT_CLOSE };

	remote_wait_start(self->pager);
	ASSERT_TRUE(proc_sleeps(self->pager, PROC_PATIENCE));
	ASSERT_EQ(0, pager_abort(self->heir, self->bed.name));
	self->bed.aborted = true;
	EXPECT_EQ(1, proc_finish(self->pager, &event, sizeof(event)));
	EXPECT_EQ(0, memcmp(&event, &want, sizeof(event)));
	remote_wait_start(self->pager);
	EXPECT_EQ(-ENODEV, proc_finish(self->pager, NULL, 0));
}

/* The grace of an orphan ends with everything that it had. */
TEST_F(end, orphans)
{
	long old = param_get("orphan_max_seconds");
	struct kt_usage usage;
	struct kt_req req;
	long long start;
	uint64_t version, ref;
	char name[KMDOM_NAME_MAX];
	int fd;

	ASSERT_LT(1, old);
	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	ASSERT_EQ(0, param_set("orphan_max_seconds", 2));
	bed_name(name, sizeof(name));
	EXPECT_EQ(0, pager_create(self->heir, name, 256, 1000));
	EXPECT_EQ(0, param_set("orphan_max_seconds", old));
	fd = client_open();
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(0, proc_kill(&self->client[1]));
	ASSERT_EQ(0, client_find(fd, name));
	ASSERT_EQ(0, client_attach(fd, KT_SMALL));
	ASSERT_EQ(0, proc_spawn(self->pager, 1));
	ASSERT_EQ(0, proc_spawn(&self->client[1], 3));
	ASSERT_EQ(0, remote_adopt_plain(self->pager, name, variant->door, FRAMES, self->bed.store));
	ASSERT_EQ(0, px_new(&self->client[1], fd, KT_SMALL, "", 0, &ref));
	ASSERT_EQ(0, remote_preempt(self->pager, KT_REF_INDEX(ref), &version));
	ASSERT_EQ(0, px_new(&self->client[1], fd, KT_SMALL, "", 0, &version));
	read_start(&self->client[1], fd, ref);
	ASSERT_TRUE(proc_sleeps(&self->client[1], PROC_PATIENCE));
	start = now_ms();
	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(-ENODEV, px_get_finish(&self->client[1], NULL, 0));
	EXPECT_LE(1500, now_ms() - start);
	EXPECT_GE(2000 + SOON, now_ms() - start);
	req = (struct kt_req) { 0 };
	ASSERT_EQ(0, kt(fd, KT_IOC_USAGE, &req));
	EXPECT_EQ(1, req.flags);
	do {
		ASSERT_EQ(0, client_usage(fd, &usage));
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
	} while (usage.frames_used);
	EXPECT_EQ(0, usage.frames_granted);
	EXPECT_EQ(-ENODEV, pager_adopt(self->heir, name, variant->door, FRAMES, 0));
	EXPECT_EQ(0, proc_kill(&self->client[1]));
	close(fd);
	start = now_ms();
	while (pager_destroy(self->heir, name) != -ENOENT) {
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
	}
}

/* An adopted domain is no orphan any more. */
TEST_F(end, orphans_that_are_adopted)
{
	struct kt_usage usage;
	long long start;
	char name[KMDOM_NAME_MAX];
	int fd = client_open();

	ASSERT_LE(0, fd);
	bed_name(name, sizeof(name));
	ASSERT_EQ(0, pager_create(self->heir, name, 256, 1));
	ASSERT_EQ(0, client_find(fd, name));
	ASSERT_EQ(0, pager_adopt(self->heir, name, variant->door, FRAMES, 0));
	start = now_ms();
	while (now_ms() - start < 2500) {
		ASSERT_EQ(0, pager_events(self->heir, &(struct kmdom_event) { 0 }, 1, 500));
	}
	ASSERT_EQ(0, client_usage(fd, &usage));
	EXPECT_EQ(0, pager_exchange(self->heir, NULL, NULL, 0));
	close(fd);
	EXPECT_EQ(0, pager_destroy(self->heir, name));
	EXPECT_EQ(-ENODEV, pager_exchange(self->heir, NULL, NULL, 0));
	pager_leave(self->heir);
}

/* When DESTROY has returned, the name is free. */
TEST_F(end, a_name_is_free_at_once)
{
	char name[KMDOM_NAME_MAX];
	int i;

	bed_name(name, sizeof(name));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, pager_create(self->heir, name, KMDOM_FRAMES_MIN, 60));
		ASSERT_EQ(0, pager_destroy(self->heir, name));
	}
}

TEST_HARNESS_MAIN
