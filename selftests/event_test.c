// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what a pager is told, once, and again when it asks; what becomes of
 * it when a client goes away or a copy fails; the rights of the oldest waiter.
 */
#include <sys/ioctl.h>
#include "harness.h"

#define FRAMES	256

FIXTURE(event) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	uint64_t ref;		/* a small object, seed 1 */
	uint64_t index;		/* of its page */
};

BOTH_DOORS(event);

FIXTURE_SETUP(event)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 3,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_PAGE | 1 << KT_NARROW,
	};
	struct kt_small small;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
	small_fill(&small, 1);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &self->ref));
	self->index = KT_REF_INDEX(self->ref);
}

FIXTURE_TEARDOWN(event)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

TEST_F(event, faults_are_told_once)
{
	struct kmdom_event events[8];
	struct kmdom_page page;
	uint64_t version, other, more;
	int i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &other));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(other)));
	more = self->pager->res.version;
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	for (i = 0; i < 2; i++) {
		px_get_start(&self->proc[i], self->fd, KT_SMALL, self->ref, 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	px_get_start(&self->proc[2], self->fd, KT_PAGE, other, 8);
	ASSERT_TRUE(proc_sleeps(&self->proc[2], PROC_PATIENCE));
	ASSERT_EQ(1, pager_events(self->pager, events, 1, 0));
	EXPECT_EQ(KMDOM_EVENT_FAULT, events[0].type);
	EXPECT_EQ(self->index, events[0].index);
	EXPECT_EQ(version, events[0].version);
	EXPECT_EQ(self->index, events[0].arg);
	EXPECT_EQ(0, events[0].level);
	EXPECT_EQ(0, events[0].reserved);
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(page.cache, events[0].cache);
	EXPECT_EQ(KMDOM_PAGEF_WANTED, page.flags);
	ASSERT_EQ(1, pager_events(self->pager, events, 8, 0));
	EXPECT_EQ(KT_REF_INDEX(other), events[0].index);
	EXPECT_EQ(more, events[0].version);
	EXPECT_EQ(0, pager_events(self->pager, events, 8, 0));

	EXPECT_EQ(2, pager_resend(self->pager));
	ASSERT_EQ(2, pager_events(self->pager, events, 8, 0));
	EXPECT_EQ(self->index, events[0].index);
	EXPECT_EQ(KT_REF_INDEX(other), events[1].index);
	EXPECT_EQ(0, pager_events(self->pager, events, 8, 0));
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(1, pager_resend(self->pager));
	EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(other), more));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, px_get_finish(&self->proc[i], NULL, 0));
	EXPECT_EQ(0, pager_resend(self->pager));
	EXPECT_EQ(0, pager_events(self->pager, events, 8, 0));
}

/* Events that cannot be copied out are not lost. */
TEST_F(event, events_at_a_bad_address)
{
	struct kmdom_exchange ex;
	struct kmdom_event *events, one;
	uint64_t refs[3];
	char *mem;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[i]));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
	}
	for (i = 0; i < 3; i++) {
		px_get_start(&self->proc[i], self->fd, KT_PAGE, refs[i], 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + 4096, 4096));
	events = (struct kmdom_event *)(mem + 4096) - 1;
	ex = (struct kmdom_exchange) {
		.events = (unsigned long)events, .max_events = 3, .timeout_ns = -1,
	};
	EXPECT_EQ(-EFAULT, door_exchange(&self->pager->door, &ex));
	EXPECT_EQ(1, ex.nr_events);
	EXPECT_EQ(KT_REF_INDEX(refs[0]), events->index);
	for (i = 1; i < 3; i++) {
		ASSERT_EQ(1, pager_events(self->pager, &one, 1, 0));
		EXPECT_EQ(KT_REF_INDEX(refs[i]), one.index);
	}
	ex.events = 16;
	EXPECT_EQ(3, pager_resend(self->pager));
	EXPECT_EQ(-EFAULT, door_exchange(&self->pager->door, &ex));
	EXPECT_EQ(0, ex.nr_events);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, pager_events(self->pager, &one, 1, 0));
		EXPECT_EQ(KT_REF_INDEX(refs[i]), one.index);
		EXPECT_EQ(0, pager_answer(self->pager, one.index, one.version));
		EXPECT_EQ(0, px_get_finish(&self->proc[i], NULL, 0));
	}
	munmap(mem, 4096);
}

/* A first waiter that dies hands the fault on to the second. */
TEST_F(event, waiters_that_leave)
{
	struct kmdom_event event;
	int told;

	for (told = 0; told < 2; told++) {
		ASSERT_EQ(0, pager_preempt(self->pager, self->index));
		px_get_start(&self->proc[told], self->fd, KT_SMALL, self->ref, 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[told], PROC_PATIENCE));
		px_get_start(&self->proc[2], self->fd, KT_SMALL, self->ref, 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[2], PROC_PATIENCE));
		if (told) {
			ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
		}
		EXPECT_EQ(0, proc_kill(&self->proc[told]));
		if (told)
			EXPECT_EQ(0, pager_events(self->pager, &event, 1, 0));
		EXPECT_EQ(1, pager_resend(self->pager));
		ASSERT_EQ(1, pager_events(self->pager, &event, 1, 0));
		EXPECT_EQ(self->index, event.index);
		EXPECT_EQ(0, pager_answer(self->pager, event.index, event.version));
		EXPECT_EQ(0, px_get_finish(&self->proc[2], NULL, 0));
	}
	/* The last one takes it away. */
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	px_get_start(&self->proc[2], self->fd, KT_SMALL, self->ref, 8);
	ASSERT_TRUE(proc_sleeps(&self->proc[2], PROC_PATIENCE));
	EXPECT_EQ(0, proc_kill(&self->proc[2]));
	EXPECT_EQ(0, pager_events(self->pager, &event, 1, 0));
	EXPECT_EQ(0, pager_resend(self->pager));
}

/* The page of objects of that number among those in frames. */
static uint64_t page_in_frame(struct pager *pager, unsigned int nr)
{
	struct kmdom_page pages[64];
	uint64_t cursor = 0;
	int i, found = pager_scan(pager, &cursor, pages, 64, KMDOM_OPF_PRESENT);

	for (i = 0; i < found; i++)
		if (!pages[i].level && !nr--)
			return pages[i].index;
	return 0;
}

TEST_F(event, frames_are_asked_for)
{
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	struct kmdom_event event;
	uint64_t ref = 0;
	int64_t back;

	while (!kt(self->fd, KT_IOC_NEW, &req))
		ref = req.ref;
	back = pager_revoke(self->pager, 0, FRAMES);
	ASSERT_LT(0, back);
	req = (struct kt_req) { .op = 1, .type = KT_PAGE };
	kt_start(&self->proc[0], self->fd, KT_IOC_NEW, &req);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_NEED_FRAMES, &event));
	EXPECT_LT(0, event.arg);
	EXPECT_EQ(0, pager_events(self->pager, &event, 1, 0));
	EXPECT_EQ(1, pager_resend(self->pager));
	ASSERT_EQ(1, pager_events(self->pager, &event, 1, 0));
	EXPECT_EQ(KMDOM_EVENT_NEED_FRAMES, event.type);
	EXPECT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	while (!proc_done(&self->proc[0], 0) && event.arg) {
		/* It may have asked for more: a table, or what it reserves. */
		EXPECT_EQ(0, pager_preempt(self->pager, page_in_frame(self->pager, event.arg % 4)));
		event.arg--;
	}
	EXPECT_EQ(0, kt_finish(&self->proc[0], NULL));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_F(event, hints)
{
	struct kmdom_event events[KMDOM_EVENTS_MAX];
	int i, nr, freed = 0, unknown = 0;
	uint64_t ref;

	for (i = 0; i < 600; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
		ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	}
	while ((nr = pager_events(self->pager, events, KMDOM_EVENTS_MAX, 0)) > 0)
		for (i = 0; i < nr; i++) {
			freed += events[i].type == KMDOM_EVENT_FREED;
			unknown += events[i].type == KMDOM_EVENT_GARBAGE_UNKNOWN;
		}
	EXPECT_LE(256, freed);
	EXPECT_LE(1, unknown);
}

/* What has arrived for the oldest waiter stays until it has the rest. */
TEST_F(event, oldest_gets_on)
{
	struct kt_req req = { .op = 1, .nr_pins = 2 };
	struct kmdom_event event;
	struct kmdom_page page;
	uint64_t refs[2], version[2];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[i]));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
		version[i] = self->pager->res.version;
		req.pins[i] = (struct kt_pin) { .ref = refs[i], .type = KT_PAGE };
	}
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	kt_start(self->proc, self->fd, KT_IOC_PINSET, &req);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	}
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(refs[0]), version[0]));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, KT_REF_INDEX(refs[0]), version[0], 0));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, KT_REF_INDEX(refs[0]), version[0],
				      KMDOM_OPF_DRAIN));
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[0]), &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_WANTED);
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_PINNED);
	EXPECT_FALSE(proc_done(self->proc, 0));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(refs[1]), version[1]));
	EXPECT_EQ(0, kt_finish(self->proc, &req));
	EXPECT_EQ(1, req.waited);
	/* The answer that completed it has pinned, too. */
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, KT_REF_INDEX(refs[0]), version[0], 0));
	EXPECT_EQ(0, kt_end(self->fd, 1));
	EXPECT_EQ(0, pager_evict(self->pager, KT_REF_INDEX(refs[0]), version[0], 0));
}

/* CLOSE can be taken when the session has ended; lost in the copy, it is new. */
TEST_F(event, close_at_a_bad_address)
{
	struct kmdom_exchange ex = { .events = 16, .max_events = 1, .timeout_ns = -1 };
	struct kmdom_event event;

	EXPECT_EQ(0, pager_events(self->pager, &event, 1, 0));
	ASSERT_EQ(0, pager_abort(self->pager, self->bed.name));
	self->bed.aborted = true;
	EXPECT_EQ(-ENODEV, pager_resend(self->pager));
	EXPECT_EQ(-EFAULT, door_exchange(&self->pager->door, &ex));
	ASSERT_EQ(1, pager_events(self->pager, &event, 1, 0));
	EXPECT_EQ(KMDOM_EVENT_CLOSE, event.type);
	EXPECT_EQ(0, event.cache);
	EXPECT_EQ(0, event.index);
	EXPECT_EQ(0, event.version);
	EXPECT_EQ(0, event.arg);
	EXPECT_EQ(-ENODEV, pager_events(self->pager, &event, 1, 0));
	pager_leave(self->pager);
}

/* A page is asked for in the place of its oldest waiter, the heir's too. */
TEST_F(event, oldest_first)
{
	struct kmdom_event events[2];
	uint64_t other, versions[2];
	int i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &other));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(other)));
	versions[1] = self->pager->res.version;
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	versions[0] = self->pager->res.version;
	ASSERT_EQ(0, proc_spawn(&self->bed.procs[3], 4));
	for (i = 0; i < 4; i++) {
		if (i == 2)
			px_get_start(&self->proc[i], self->fd, KT_PAGE, other, 8);
		else
			px_get_start(&self->proc[i], self->fd, KT_SMALL, self->ref, 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	EXPECT_EQ(0, proc_kill(&self->proc[0]));
	ASSERT_EQ(2, pager_resend(self->pager));
	ASSERT_EQ(2, pager_events(self->pager, events, 2, 0));
	EXPECT_EQ(self->index, events[0].index);
	EXPECT_EQ(KT_REF_INDEX(other), events[1].index);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, pager_answer(self->pager, events[i].index, versions[i]));
	for (i = 1; i < 4; i++)
		EXPECT_EQ(0, px_get_finish(&self->proc[i], NULL, 0));
}

/* door_exchange() writes to the exchange, too. */
static int exchange_there(struct door *door, const struct kmdom_exchange *ex)
{
	__u64 data;
	int ret, res;

	if (door->kind == DOOR_IOCTL)
		return ioctl(door->fd, KMDOM_IOC_EXCHANGE, ex) ? -errno : 0;
	ret = uring_submit(&door->ring, door->fd, ex, 1);
	if (!ret)
		ret = uring_take(&door->ring, PROC_PATIENCE, &data, &res);
	return ret ? ret : res;
}

/* A pager that was not told how many events it got gets all of them again. */
TEST_F(event, counts_at_a_bad_address)
{
	struct kmdom_event events[2];
	struct kmdom_exchange *ex;
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	px_get_start(self->proc, self->fd, KT_SMALL, self->ref, 8);
	ASSERT_TRUE(proc_sleeps(self->proc, PROC_PATIENCE));
	ex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ex);
	*ex = (struct kmdom_exchange) {
		.events = (unsigned long)events, .max_events = 1, .timeout_ns = -1,
	};
	ASSERT_EQ(0, mprotect(ex, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, exchange_there(&self->pager->door, ex));
	EXPECT_EQ(KMDOM_EVENT_FAULT, events[0].type);
	ASSERT_EQ(2, pager_events(self->pager, events, 2, 0));
	EXPECT_EQ(KMDOM_EVENT_FAULT, events[0].type);
	EXPECT_EQ(self->index, events[0].index);
	EXPECT_EQ(KMDOM_EVENT_GARBAGE_UNKNOWN, events[1].type);
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, px_get_finish(self->proc, NULL, 0));
	munmap(ex, 4096);
}

TEST_HARNESS_MAIN
