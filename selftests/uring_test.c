// SPDX-License-Identifier: GPL-2.0
/*
 * The io_uring door: what is parked, how it ends, and what user space can do
 * to a command that is under way.
 */
#include "harness.h"

#define FRAMES	160
#define SLOTS	4
#define QUIET	300	/* ms in which a completion that must not come does not */

FIXTURE(uring) {
	struct bed bed;
	struct pager *pager;
	struct proc *pagerproc;
	struct proc *client;	/* two */
	int fd;
	struct io_uring ring;
	struct kmdom_exchange ex[SLOTS + 2];
	struct kmdom_event events[SLOTS + 2];
	uint64_t refs[2];	/* in two absent pages */
	uint64_t versions[2];
};

/* How the ring is made makes no difference. */
FIXTURE_VARIANT(uring) { unsigned int flags; };
FIXTURE_VARIANT_ADD(uring, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(uring, deferred) {
	.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
};
FIXTURE_VARIANT_ADD(uring, polled) { .flags = IORING_SETUP_SQPOLL };

FIXTURE_SETUP(uring)
{
	struct bed_spec spec = {
		.door = DOOR_IOCTL, .frames = FRAMES, .procs = 3,
		.types = 1 << KT_PAGE,
	};
	int i;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->pagerproc = &self->bed.procs[0];
	self->client = &self->bed.procs[1];
	self->fd = self->bed.client;
	ASSERT_EQ(0, io_uring_queue_init(16, &self->ring, variant->flags));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &i, sizeof(i), &self->refs[i]));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(self->refs[i])));
		self->versions[i] = self->pager->res.version;
	}
	for (i = 0; i < SLOTS + 2; i++)
		self->ex[i] = (struct kmdom_exchange) {
			.events = (unsigned long)&self->events[i],
			.max_events = 1, .min_events = 1, .timeout_ns = -1,
		};
}

FIXTURE_TEARDOWN(uring)
{
	io_uring_queue_exit(&self->ring);
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* Parks exchange number n, and sees that it does not complete. */
static int park(struct io_uring *ring, int fd, struct kmdom_exchange *ex, __u64 n)
{
	__u64 data;
	int res, ret;

	ret = uring_submit(ring, fd, ex, n);
	if (ret)
		return ret;
	ret = uring_take(ring, QUIET, &data, &res);
	return ret == -ETIME ? 0 : -EEXIST;
}

static int quiet(struct io_uring *ring)
{
	__u64 data;
	int res;

	return uring_take(ring, QUIET, &data, &res) == -ETIME;
}

static int serve(struct pager *pager, struct proc *proc, const struct kmdom_event *ev)
{
	int ret = pager_answer(pager, ev->index, ev->version);

	return ret ? ret : px_get_finish(proc, NULL, 0);
}

TEST_F(uring, an_event_ends_a_wait)
{
	__u64 data = 0;
	int res;

	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 7));
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(7, data);
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(KMDOM_EVENT_FAULT, self->events[0].type);
	EXPECT_EQ(KT_REF_INDEX(self->refs[0]), self->events[0].index);
	EXPECT_EQ(FRAMES, self->ex[0].free_frames + self->ex[0].used_frames);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
	EXPECT_TRUE(quiet(&self->ring));
}

/* One event is one command's; the others go on waiting. */
TEST_F(uring, each_event_ends_one_wait)
{
	bool seen[2] = { false, false };
	__u64 data = 0;
	int res, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[i], i));
	}
	for (i = 0; i < 2; i++) {
		px_get_start(&self->client[i], self->fd, KT_PAGE, self->refs[i], 8);
		ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
		EXPECT_EQ(0, res);
		ASSERT_GT(2, data);
		EXPECT_FALSE(seen[data]);
		seen[data] = true;
		EXPECT_EQ(KT_REF_INDEX(self->refs[i]), self->events[data].index);
		EXPECT_EQ(0, serve(self->pager, &self->client[i], &self->events[data]));
		if (!i)
			EXPECT_TRUE(quiet(&self->ring));
	}
}

/* Operations first, and what they made is in the same completion. */
TEST_F(uring, operations_before_the_wait)
{
	struct kmdom_op op = { .code = KMDOM_OP_RESEND };
	struct kmdom_result result = { .ret = 1 };
	__u64 data;
	int res;

	self->ex[0].ops = (unsigned long)&op;
	self->ex[0].results = (unsigned long)&result;
	self->ex[0].nr_ops = 1;
	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 1));
	EXPECT_EQ(0, result.ret);
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, self->ex[0].nr_results);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

TEST_F(uring, no_more_are_parked_than_slots)
{
	struct kmdom_exchange wake = { .flags = KMDOM_EXCHANGE_WAKE, .timeout_ns = -1 };
	bool seen[SLOTS] = { false };
	__u64 data;
	int res, i;

	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[i], i));
	}
	for (; i < SLOTS + 2; i++) {
		ASSERT_EQ(0, uring_submit(&self->ring, self->pager->fd, &self->ex[i], i));
		ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
		EXPECT_EQ(i, data);
		EXPECT_EQ(-EBUSY, res);
	}
	EXPECT_TRUE(quiet(&self->ring));
	ASSERT_EQ(0, door_exchange(&self->pager->door, &wake));
	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
		EXPECT_EQ(0, res);
		ASSERT_GT(SLOTS, data);
		EXPECT_FALSE(seen[data]);
		seen[data] = true;
		EXPECT_EQ(0, self->ex[data].nr_events);
	}
	/* And again, there is room. */
	EXPECT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 1));
}

/* The ring goes, the session stays: what comes then is another's to take. */
TEST_F(uring, ring_exit)
{
	struct kmdom_event event = { 0 };
	long long start = now_ms();
	int i;

	for (i = 0; i < SLOTS; i++) {
		ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[i], i));
	}
	io_uring_queue_exit(&self->ring);
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	/* One that the kernel has not come to clean up yet may have been shown it. */
	while (!pager_events(self->pager, &event, 1, 1000)) {
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
		ASSERT_LE(0, pager_resend(self->pager));
	}
	EXPECT_EQ(KMDOM_EVENT_FAULT, event.type);
	EXPECT_EQ(0, serve(self->pager, self->client, &event));
	ASSERT_EQ(0, io_uring_queue_init(16, &self->ring, variant->flags));
	/* They do not count any more, as soon as the kernel has cleaned up. */
	start = now_ms();
	for (i = 0; i < SLOTS; i++)
		while (park(&self->ring, self->pager->fd, &self->ex[i], i)) {
			ASSERT_GT(PROC_PATIENCE, now_ms() - start);
		}
}

/* The kernel has read the SQE and the structure, once. */
TEST_F(uring, changed_after_it_was_submitted)
{
	struct kmdom_event elsewhere = { 0 };
	__u64 data;
	int res;

	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 1));
	memset(self->ring.sq.sqes, 0xff, 16 * sizeof(struct io_uring_sqe));
	self->ex[0].events = (unsigned long)&elsewhere;
	self->ex[0].max_events = ~0U;
	self->ex[0].ops = 16;
	self->ex[0].nr_ops = 200;
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(0, elsewhere.type);
	EXPECT_EQ(KMDOM_EVENT_FAULT, self->events[0].type);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

/* An event that cannot be delivered there is not lost. */
TEST_F(uring, unmapped_while_parked)
{
	struct kmdom_event event, *mem;
	__u64 data;
	int res;

	mem = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	self->ex[0].events = (unsigned long)mem;
	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 1));
	munmap(mem, 4096);
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(-EFAULT, res);
	EXPECT_EQ(0, self->ex[0].nr_events);
	ASSERT_EQ(1, pager_events(self->pager, &event, 1, 0));
	EXPECT_EQ(0, serve(self->pager, self->client, &event));
}

TEST_F(uring, commands_are_checked)
{
	struct kmdom_uring_cmd *cmd;
	struct io_uring_sqe *sqe;
	__u64 data;
	int res, i;

	for (i = 0; i < 7; i++) {
		sqe = io_uring_get_sqe(&self->ring);
		ASSERT_NE(NULL, sqe);
		uring_fill(sqe, self->pager->fd, &self->ex[0], i);
		cmd = (struct kmdom_uring_cmd *)sqe->cmd;
		self->ex[0].timeout_ns = i == 5 ? 0 : i == 6 ? 1000000 : -1;
		if (i == 0)
			cmd->len--;
		else if (i == 1)
			cmd->len = 0;
		else if (i == 2)
			cmd->len = ~0U;
		else if (i == 3)
			cmd->reserved = 1;
		else if (i == 4)
			sqe->cmd_op++;
		ASSERT_LE(0, io_uring_submit(&self->ring));
		ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
		EXPECT_EQ(-EINVAL, res)
			TH_LOG("case %d", i);
	}
	sqe = io_uring_get_sqe(&self->ring);
	ASSERT_NE(NULL, sqe);
	uring_fill(sqe, self->pager->fd, (void *)16, 8);
	ASSERT_LE(0, io_uring_submit(&self->ring));
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(-EFAULT, res);
}

/* Sent to a worker from the start. */
TEST_F(uring, by_a_worker)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&self->ring);
	__u64 data;
	int res;

	ASSERT_NE(NULL, sqe);
	uring_fill(sqe, self->pager->fd, &self->ex[0], 1);
	sqe->flags |= IOSQE_ASYNC;
	ASSERT_LE(0, io_uring_submit(&self->ring));
	EXPECT_TRUE(quiet(&self->ring));
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

/* Through a registered file, whose descriptor is closed. */
TEST_F(uring, by_a_registered_file)
{
	struct io_uring_sqe *sqe;
	int fd = dup(self->pager->fd), res;
	__u64 data;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, io_uring_register_files(&self->ring, &fd, 1));
	close(fd);
	sqe = io_uring_get_sqe(&self->ring);
	ASSERT_NE(NULL, sqe);
	uring_fill(sqe, 0, &self->ex[0], 1);
	sqe->flags |= IOSQE_FIXED_FILE;
	ASSERT_LE(0, io_uring_submit(&self->ring));
	EXPECT_TRUE(quiet(&self->ring));
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

/* A cancellation that does not reach it harms nothing. */
TEST_F(uring, cancelled_by_its_ring)
{
	struct io_uring_sqe *sqe;
	__u64 data;
	int res, i, left = 2;

	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 1));
	sqe = io_uring_get_sqe(&self->ring);
	ASSERT_NE(NULL, sqe);
	io_uring_prep_cancel64(sqe, 1, 0);
	sqe->user_data = 2;
	ASSERT_LE(0, io_uring_submit(&self->ring));
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	for (i = 0; i < left; i++) {
		ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
		if (data == 1 && res == -ECANCELED) {
			ASSERT_EQ(1, pager_events(self->pager, &self->events[0], 1, 30000));
		}
	}
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

TEST_F(uring, iopoll_is_refused)
{
	struct io_uring ring;
	__u64 data;
	int res;

	ASSERT_EQ(0, io_uring_queue_init(8, &ring, IORING_SETUP_IOPOLL));
	ASSERT_EQ(0, uring_submit(&ring, self->pager->fd, &self->ex[0], 1));
	ASSERT_EQ(0, uring_take(&ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(-EOPNOTSUPP, res);
	io_uring_queue_exit(&ring);
}

/* The helper is killed while its commands are parked, again and again. */
TEST_F(uring, killed_with_commands_parked)
{
	int i;

	pager_leave(self->pager);
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, proc_kill(self->pagerproc));
		ASSERT_EQ(0, proc_spawn(self->pagerproc, 1));
		ASSERT_EQ(0, remote_adopt_plain(self->pagerproc, self->bed.name, DOOR_URING,
						FRAMES, self->bed.store));
		remote_wait_start(self->pagerproc);
		ASSERT_TRUE(proc_sleeps(self->pagerproc, PROC_PATIENCE));
	}
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_EQ(1, proc_finish(self->pagerproc, &self->events[0], sizeof(self->events[0])));
	EXPECT_EQ(KT_REF_INDEX(self->refs[0]), self->events[0].index);
	remote_wait_start(self->pagerproc);
	ASSERT_TRUE(proc_sleeps(self->pagerproc, PROC_PATIENCE));
	EXPECT_EQ(0, proc_kill(self->pagerproc));
	ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, DOOR_IOCTL, FRAMES, 0));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	ASSERT_EQ(1, pager_events(self->pager, &self->events[1], 1, 30000));
	EXPECT_EQ(0, memcmp(&self->events[0], &self->events[1], sizeof(self->events[0])));
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[1]));
}

/* What a helper that is not the pager parks, and where that is. */
struct parker {
	struct pager pager;
	unsigned int flags;
	struct kmdom_exchange *ex;
	atomic_int *parked;
};

static long park_for_ever(void *arg)
{
	struct parker *parker = arg;
	struct io_uring ring;
	__u64 data;
	int res, ret;

	ret = io_uring_queue_init(8, &ring, parker->flags);
	if (!ret)
		ret = park(&ring, parker->pager.fd, parker->ex, 1);
	atomic_store(parker->parked, ret ? ret : 1);
	if (!ret)
		uring_take(&ring, PROC_PATIENCE, &data, &res);
	return ret;
}

/* Killed before it could take an event: that is another's to take. */
TEST_F(uring, killed_with_an_event_under_way)
{
	struct parker parker = { .pager = *self->pager, .flags = variant->flags };
	long long start = now_ms();
	struct proc *submitter = &self->bed.procs[3];
	__u64 data;
	int res;

	parker.ex = shared_alloc(sizeof(*parker.ex));
	*parker.ex = self->ex[0];
	parker.ex->events = (unsigned long)shared_alloc(sizeof(struct kmdom_event));
	parker.parked = shared_alloc(sizeof(*parker.parked));
	ASSERT_EQ(0, proc_spawn(submitter, 4));
	proc_start(submitter, park_for_ever, &parker, sizeof(parker));
	while (!atomic_load(parker.parked) && now_ms() - start < PROC_PATIENCE) {
		sched_yield();
		cpu_relax();
	}
	ASSERT_EQ(1, atomic_load(parker.parked));
	proc_stop(submitter);
	ASSERT_EQ(0, park(&self->ring, self->pager->fd, &self->ex[0], 7));
	px_get_start(self->client, self->fd, KT_PAGE, self->refs[0], 8);
	ASSERT_TRUE(proc_sleeps(self->client, PROC_PATIENCE));
	/* It woke the command that was parked first. */
	EXPECT_TRUE(quiet(&self->ring));
	EXPECT_EQ(0, proc_kill(submitter));
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, self->ex[0].nr_events);
	EXPECT_EQ(KT_REF_INDEX(self->refs[0]), self->events[0].index);
	EXPECT_EQ(0, serve(self->pager, self->client, &self->events[0]));
}

/* Operations that wait for pins do not hold up who submits them. */
TEST_F(uring, drains_in_a_worker)
{
	struct kmdom_op ops[64];
	struct kmdom_result results[ARRAY_SIZE(ops)];
	volatile int32_t *last = &results[ARRAY_SIZE(ops) - 1].ret;
	uint64_t ref;
	__u64 data;
	int res;
	size_t i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, kt_pin(self->fd, 1, KT_PAGE, ref, 1));
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .flags = KMDOM_OPF_DRAIN,
			.index = KT_REF_INDEX(ref),
			.buf = (unsigned long)self->pager->buf, .len = KMDOM_RECORD_MAX,
		};
	self->ex[0] = (struct kmdom_exchange) {
		.ops = (unsigned long)ops, .results = (unsigned long)results,
		.nr_ops = ARRAY_SIZE(ops), .timeout_ns = -1,
	};
	*last = 1;
	ASSERT_EQ(0, uring_submit(&self->ring, self->pager->fd, &self->ex[0], 1));
	EXPECT_EQ(1, *last);
	ASSERT_EQ(0, uring_take(&self->ring, PROC_PATIENCE, &data, &res));
	EXPECT_EQ(0, res);
	EXPECT_EQ(ARRAY_SIZE(ops), self->ex[0].nr_results);
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		EXPECT_EQ(-EBUSY, results[i].ret);
	EXPECT_EQ(0, kt_end(self->fd, 1));
}

TEST_HARNESS_MAIN
