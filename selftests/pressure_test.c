// SPDX-License-Identifier: GPL-2.0
/*
 * Objects when frames are few: allocation that waits, magazines whose pages are
 * preempted, ten times more objects than frames, pin sets larger than what is
 * left.
 */
#include <sched.h>
#include "harness.h"

#define FRAMES	256

#define ALL_TYPES	(1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_PAGE | \
			 1 << KT_TRIM | 1 << KT_TINY | 1 << KT_NARROW)

FIXTURE(pressure) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
};

BOTH_DOORS(pressure);

FIXTURE_SETUP(pressure)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 3,
		.types = ALL_TYPES, .records = 8192, .newest_only = true,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static struct kt_req pin_req(const uint64_t *refs, unsigned int nr, unsigned int type, int write)
{
	struct kt_req req = { .nr_pins = nr };
	unsigned int i;

	for (i = 0; i < nr; i++)
		req.pins[i] = (struct kt_pin) { .ref = refs[i], .type = type, .mode = write };
	return req;
}

/* Allocates pages until no more can be without waiting; returns how many. */
static int fill_up(int fd, uint64_t *refs, int max)
{
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	int nr, ret = 0;

	for (nr = 0; nr < max; nr++) {
		ret = kt(fd, KT_IOC_NEW, &req);
		if (ret)
			break;
		refs[nr] = req.ref;
	}
	return ret == -EAGAIN ? nr : -1;
}

TEST_F(pressure, allocation_waits_for_frames)
{
	uint64_t refs[FRAMES], extra;
	struct kt_req req = { .op = 1, .type = KT_PAGE };

	ASSERT_LT(FRAMES / 2, fill_up(self->fd, refs, FRAMES));
	/* What it leaves is the reserve, and less than one allocation may take. */
	ASSERT_EQ(0, pager_exchange(self->pager, NULL, NULL, 0));
	EXPECT_LE(KMDOM_FRAMES_RESERVE, self->pager->ex.free_frames);
	EXPECT_GE(KMDOM_FRAMES_RESERVE + 2 * KMDOM_LEVELS, self->pager->ex.free_frames);
	kt_start(self->proc, self->fd, KT_IOC_NEW, &req);
	/* The oldest waiter may use the reserve: it needs nobody. */
	ASSERT_EQ(0, kt_finish(self->proc, &req));
	extra = req.ref;
	EXPECT_NE(0, extra);
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_F(pressure, allocation_without_a_reservation)
{
	uint64_t refs[FRAMES];
	struct kt_req req = { .type = KT_PAGE };

	ASSERT_LT(0, fill_up(self->fd, refs, FRAMES));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	EXPECT_EQ(-ENOBUFS, kt(self->fd, KT_IOC_ALLOC, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
}

TEST_F(pressure, reservations)
{
	struct kt_req req = { .nr_allocs = 8 };
	int i;

	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, bed_conserved(&self->bed));
	for (i = 0; i < 8; i++) {
		req = (struct kt_req) { .type = i & 1 ? KT_PAGE : KT_SMALL, .pin = i };
		EXPECT_EQ(0, kt(self->fd, KT_IOC_ALLOC, &req));
		EXPECT_NE(0, req.ref);
	}
	EXPECT_EQ(0, kt_end(self->fd, 0));
	/* What is not used goes back. */
	req = (struct kt_req) { .nr_allocs = 8 };
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(0, bed_conserved(&self->bed));
	ASSERT_EQ(0, pager_exchange(self->pager, NULL, NULL, 0));
	EXPECT_EQ(self->pager->ex.free_frames, pager_revoke(self->pager, 0, FRAMES));
}

static int new_small(int fd, unsigned int seed, uint64_t *ref)
{
	struct kt_small small;

	small_fill(&small, seed);
	return kt_new(fd, 0, KT_SMALL, &small, sizeof(small), ref);
}

/* Slot by slot, object i of all that were made holds what was put into it. */
static int all_distinct(int fd, const uint64_t *refs, unsigned int nr)
{
	struct kt_small small;
	unsigned int i, j;
	int ret;

	for (i = 0; i < nr; i++) {
		for (j = 0; j < i; j++)
			if (refs[i] == refs[j])
				return -EEXIST;
		ret = kt_get(fd, 0, KT_SMALL, refs[i], &small, sizeof(small));
		if (!ret)
			ret = small_check(&small, i);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * A page whose free slots are in a magazine is exported, evicted, restored: no
 * slot of it is given away meanwhile, none twice, and none is lost.
 */
TEST_F(pressure, slots_in_magazines)
{
	struct kmdom_page page;
	uint64_t refs[128], index;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, new_small(self->fd, i, &refs[i]));
	}
	index = KT_REF_INDEX(refs[0]);
	ASSERT_EQ(0, pager_preempt(self->pager, index));
	for (; i < 40; i++) {
		ASSERT_EQ(0, new_small(self->fd, i, &refs[i]));
		EXPECT_NE(index, KT_REF_INDEX(refs[i]));
	}
	ASSERT_EQ(0, pager_answer(self->pager, index, self->pager->res.version));
	ASSERT_EQ(0, pager_look(self->pager, index, &page));
	EXPECT_EQ(2, page.live);
	EXPECT_EQ(64, page.slots);
	for (; i < 128; i++) {
		ASSERT_EQ(0, new_small(self->fd, i, &refs[i]));
	}
	EXPECT_EQ(0, all_distinct(self->fd, refs, 128));
	ASSERT_EQ(0, pager_look(self->pager, index, &page));
	EXPECT_EQ(64, page.live);
}

/* It is back before the magazine is used: what is in there is stale. */
TEST_F(pressure, slots_in_stale_magazines)
{
	uint64_t refs[192], index, version;
	cpu_set_t one;
	unsigned int i;

	/* Magazines belong to CPUs: stay with one. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	for (i = 0; i < 192; i++) {
		ASSERT_EQ(0, new_small(self->fd, i, &refs[i]));
		if (i % 7)
			continue;
		index = KT_REF_INDEX(refs[i]);
		ASSERT_EQ(0, pager_preempt(self->pager, index));
		version = self->pager->res.version;
		ASSERT_EQ(0, pager_answer(self->pager, index, version));
	}
	EXPECT_EQ(0, all_distinct(self->fd, refs, 192));
	for (i = 0; i < 192; i++) {
		EXPECT_EQ(0, kt_del(self->fd, 0, KT_SMALL, refs[i]));
	}
}

/* Two clients allocate and free while their current pages are preempted. */
TEST_F(pressure, slots_race_preemption)
{
	atomic_uint *shared = shared_alloc(4096);
	struct server server;
	struct load load[2];
	int i, total = 0, nr;

	for (i = 0; i < 2; i++) {
		load_init(&load[i], self->fd, i + 1, KT_SMALL, 400);
		load[i].stop = shared;
		load[i].progress = shared + 1;
	}
	ASSERT_EQ(0, server_start(&server, self->pager, NULL));
	for (i = 0; i < 2; i++)
		proc_start(&self->proc[i], load_run, &load[i], sizeof(load[i]));
	while ((total < 500 || atomic_load(&shared[1]) < 3000) &&
	       !proc_done(&self->proc[0], 0) && !proc_done(&self->proc[1], 0)) {
		nr = pager_preempt_all(self->pager);
		ASSERT_LE(0, nr);
		total += nr;
	}
	atomic_store(shared, 1);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, proc_finish(&self->proc[i], &load[i], sizeof(load[i])));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, proc_call(&self->proc[i], load_verify, &load[i], sizeof(load[i])));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, proc_call(&self->proc[i], load_empty, &load[i], sizeof(load[i])));
	EXPECT_EQ(0, server_stop(&server));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/*
 * Memory for a tenth of the objects, or a third on a slow machine: all are there, and
 * exact.
 */
TEST_F(pressure, ten_times_more_than_frames)
{
	static const unsigned int kinds[] = { KT_PAGE, KT_SMALL, KT_SIGNED };
	static const unsigned int count[] = { 170, 2560, 1280 };
	unsigned int times = scaled_least("times the memory", 10, 3);
	struct kt_usage before, after;
	struct server server;
	struct load load[3];
	int i;

	for (i = 0; i < 3; i++)
		load_init(&load[i], self->fd, i + 1, kinds[i], times * count[i]);
	ASSERT_EQ(0, server_start(&server, self->pager, NULL));
	for (i = 0; i < 3; i++)
		proc_start(&self->proc[i], load_fill, &load[i], sizeof(load[i]));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, proc_finish(&self->proc[i], &load[i], sizeof(load[i])));
	ASSERT_EQ(0, client_usage(self->fd, &before));
	EXPECT_GE(FRAMES, before.frames_used);
	EXPECT_LE((times - 1) * FRAMES, before.pages_present + before.pages_absent);
	for (i = 0; i < 3; i++)
		proc_start(&self->proc[i], load_verify, &load[i], sizeof(load[i]));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, proc_finish(&self->proc[i], &load[i], sizeof(load[i])));
	ASSERT_EQ(0, client_usage(self->fd, &after));
	EXPECT_LE((times - 2) * FRAMES, after.faults - before.faults);
	for (i = 0; i < 3; i++) {
		load[i].steps = scaled("steps", 1500);
		proc_start(&self->proc[i], load_run, &load[i], sizeof(load[i]));
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, proc_finish(&self->proc[i], &load[i], sizeof(load[i])));
	EXPECT_EQ(0, server_stop(&server));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* Takes all free frames back, and lends @nr of them again. */
static int leave_free(struct pager *pager, uint32_t nr)
{
	int64_t ret = pager_revoke(pager, 0, FRAMES);
	uint32_t i;

	for (i = 0; i < FRAMES && nr && ret >= 0; i++) {
		ret = pager_grant(pager, i, 1);
		if (ret == 1)
			nr--;
		else if (ret == -EBUSY)
			ret = 0;
	}
	return ret < 0 ? ret : 0;
}

/*
 * Three sets of eight absent pages, one to a frame, where 0 to 4 frames are
 * free: what the sets get on with is what the pager preempts for them.
 */
TEST_F(pressure, pin_sets_larger_than_what_is_left)
{
	uint64_t sets[3][KT_SETMAX], refs[FRAMES];
	struct server server;
	struct kt_req req;
	int i, j, left;

	for (i = 0; i < 3; i++)
		for (j = 0; j < KT_SETMAX; j++) {
			ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &sets[i][j]));
		}
	for (left = 0; left <= 4; left++) {
		ASSERT_LE(3 * KT_SETMAX, pager_preempt_all(self->pager));
		ASSERT_LT(0, fill_up(self->fd, refs, FRAMES));
		ASSERT_EQ(0, leave_free(self->pager, left));
		EXPECT_EQ(left, self->pager->ex.free_frames);
		ASSERT_EQ(0, server_start(&server, self->pager, NULL));
		for (i = 0; i < 3; i++) {
			req = (struct kt_req) { .op = i + 1 };
			ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
			req = pin_req(sets[i], KT_SETMAX, KT_PAGE, 1);
			req.op = i + 1;
			kt_start(&self->proc[i], self->fd, KT_IOC_PINSET, &req);
		}
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(0, kt_finish(&self->proc[i], &req));
			EXPECT_EQ(1, req.waited);
			EXPECT_EQ(0, kt_end(self->fd, i + 1));
		}
		EXPECT_EQ(0, server_stop(&server));
		EXPECT_LE(3 * KT_SETMAX - left, server.pager.preempted);
		EXPECT_EQ(0, bed_conserved(&self->bed));
		ASSERT_LT(0, pager_grant(self->pager, 0, FRAMES));
	}
}

/*
 * Frames above the reserve that no allocation may have go to restores, also of
 * pages that nobody waits for; the reserve goes to the oldest who waits.
 */
TEST_F(pressure, restores_go_before_allocations)
{
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	uint64_t wanted[5], version[5], refs[FRAMES];
	struct kmdom_event event;
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &wanted[i]));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(wanted[i])));
		version[i] = self->pager->res.version;
	}
	ASSERT_LT(0, fill_up(self->fd, refs, FRAMES));
	ASSERT_EQ(0, leave_free(self->pager, KMDOM_FRAMES_RESERVE + 3));
	EXPECT_EQ(-EAGAIN, kt(self->fd, KT_IOC_NEW, &req));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(wanted[i]), version[i]));
	EXPECT_EQ(KMDOM_FRAMES_RESERVE, self->pager->ex.free_frames);
	for (i = 3; i < 5; i++)
		EXPECT_EQ(-ENOBUFS, pager_answer(self->pager, KT_REF_INDEX(wanted[i]),
						 version[i]));
	px_get_start(self->proc, self->fd, KT_PAGE, wanted[3], 8);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(-ENOBUFS, pager_answer(self->pager, KT_REF_INDEX(wanted[4]), version[4]));
	EXPECT_EQ(0, pager_answer(self->pager, event.index, event.version));
	EXPECT_EQ(0, px_get_finish(self->proc, NULL, 0));
	EXPECT_EQ(KMDOM_FRAMES_RESERVE - 1, self->pager->ex.free_frames);
}

TEST_HARNESS_MAIN
