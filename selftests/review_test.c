// SPDX-License-Identifier: GPL-2.0
/*
 * What went wrong once: a test for each bug, where one is cheap.
 */
#include "harness.h"

#define FRAMES	256
#define QUIET	300	/* ms in which what must not happen does not */

FIXTURE(review) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	long deadline;		/* of the module, to be put back */
};

FIXTURE_SETUP(review)
{
	struct bed_spec spec = {
		.door = DOOR_IOCTL, .frames = FRAMES, .procs = 2, .types = 1 << KT_PAGE,
	};

	self->deadline = param_get("op_deadline_ms");
	ASSERT_LT(0, self->deadline);
	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
}

FIXTURE_TEARDOWN(review)
{
	EXPECT_EQ(0, param_set("op_deadline_ms", self->deadline));
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* More descriptors than this machine has memory for: an error, no WARNING. */
TEST_F(review, a_pool_of_32_gigabytes)
{
	char name[KMDOM_NAME_MAX];
	struct pager pager;

	bed_name(name, sizeof(name));
	ASSERT_EQ(0, pager_open(&pager, NULL));
	ASSERT_EQ(0, pager_create(&pager, name, KMDOM_FRAMES_MAX, 0));
	EXPECT_EQ(-ENOMEM, pager_adopt(&pager, name, DOOR_IOCTL, KMDOM_FRAMES_MAX, 0));
	EXPECT_EQ(0, pager_destroy(&pager, name));
	pager_close(&pager);
}

/* Not of the oldest, and not pinned: it can be preempted. */
TEST_F(review, a_waiting_set_keeps_no_page)
{
	struct kt_req req = { .op = 5, .nr_pins = 2 };
	uint64_t refs[3], version[3];
	struct kmdom_event event;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &i, sizeof(i), &refs[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
		version[i] = self->pager->res.version;
	}
	px_get_start(&self->proc[0], self->fd, KT_PAGE, refs[0], 8);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(KT_REF_INDEX(refs[0]), event.index);

	req.pins[0] = (struct kt_pin) { .ref = refs[2], .type = KT_PAGE, .mode = KT_PIN_WRITE };
	req.pins[1] = (struct kt_pin) { .ref = refs[1], .type = KT_PAGE };
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	kt_start(&self->proc[1], self->fd, KT_IOC_PINSET, &req);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(KT_REF_INDEX(refs[1]), event.index);

	EXPECT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[2])));
	version[2] = self->pager->res.version;
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(KT_REF_INDEX(refs[2]), event.index);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(refs[i]), version[i]));
	}
	EXPECT_EQ(0, px_get_finish(&self->proc[0], NULL, 0));
	EXPECT_EQ(0, kt_finish(&self->proc[1], &req));
	EXPECT_EQ(0, kt_end(self->fd, 5));
}

static void new_start(struct proc *proc, int fd)
{
	struct kt_req req = { .op = proc->id, .type = KT_PAGE };

	kt_start(proc, fd, KT_IOC_NEW, &req);
}

/* A pager that gives frames to those who wait for them has answered. */
TEST_F(review, frames_end_a_stall)
{
	struct kmdom_event event;
	int i;

	ASSERT_EQ(FRAMES, pager_revoke(self->pager, 0, FRAMES));
	ASSERT_EQ(0, param_set("op_deadline_ms", 1500));
	new_start(&self->proc[0], self->fd);
	EXPECT_EQ(-ETIMEDOUT, kt_finish(&self->proc[0], NULL));

	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	new_start(&self->proc[0], self->fd);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_NEED_FRAMES, &event));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	EXPECT_EQ(0, kt_finish(&self->proc[0], NULL));

	ASSERT_LT(0, pager_revoke(self->pager, 0, FRAMES));
	for (i = 0; i < 2; i++)
		new_start(&self->proc[i], self->fd);
	for (i = 0; i < 2; i++)
		EXPECT_FALSE(proc_done(&self->proc[i], QUIET));
	ASSERT_LT(0, pager_grant(self->pager, 0, FRAMES));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, kt_finish(&self->proc[i], NULL));
}

/* What was promised before the session ended can be allocated after it. */
TEST_F(review, promises_outlive_the_session)
{
	struct kt_req req = { .op = 1, .nr_allocs = 8 };
	int i;

	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	pager_leave(self->pager);
	for (i = 0; i < 8; i++) {
		req = (struct kt_req) { .op = 1, .pin = i, .type = KT_PAGE };
		EXPECT_EQ(0, kt(self->fd, KT_IOC_ALLOC, &req));
		EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	}
	EXPECT_EQ(0, kt_end(self->fd, 1));
	ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, DOOR_IOCTL, FRAMES, 0));
	EXPECT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
}

/* A ring goes while its workers are about to park what they were given. */
TEST_F(review, a_ring_goes_while_workers_park)
{
	struct kmdom_exchange ex = { .max_events = 1, .min_events = 1, .timeout_ns = -1 };
	struct kmdom_event event;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int round, i;

	ex.events = (unsigned long)&event;
	for (round = 0; round < 200; round++) {
		ASSERT_EQ(0, io_uring_queue_init(8, &ring, 0));
		for (i = 0; i < 4; i++) {
			sqe = io_uring_get_sqe(&ring);
			ASSERT_NE(NULL, sqe);
			uring_fill(sqe, self->pager->fd, &ex, i);
			sqe->flags |= IOSQE_ASYNC;
		}
		ASSERT_EQ(4, io_uring_submit(&ring));
		io_uring_queue_exit(&ring);
	}
}

TEST_HARNESS_MAIN
