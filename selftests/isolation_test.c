// SPDX-License-Identifier: GPL-2.0
/*
 * Two tenants. Red's pager is hostile, each test in its own way, and red's
 * clients wait for it. Blue has a fifth of the frames that it needs and an
 * honest pager: its results are right, and no step of it takes long.
 */
#include "harness.h"

#define FRAMES		160
#define PAGES		800
#define STEPS		800

FIXTURE(isolation) {
	struct bed red;
	struct bed blue;
	struct server server;	/* blue's */
	struct load load;	/* blue's */
	struct proc *client;	/* blue's */
	uint64_t refs[2];	/* red's, in absent pages */
	long deadline;
};

BOTH_DOORS(isolation);

FIXTURE_SETUP(isolation)
{
	struct bed_spec blue = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_PAGE, .records = 4096, .newest_only = true,
	};
	struct bed_spec red = {
		.door = variant->door, .frames = FRAMES, .procs = 3,
		.types = 1 << KT_PAGE, .no_session = true,
	};

	self->deadline = param_get("op_deadline_ms");
	ASSERT_LT(0, self->deadline);
	ASSERT_EQ(0, param_set("op_deadline_ms", 60000));
	ASSERT_EQ(0, bed_up(&self->red, &red));
	/* Red's helpers have no descriptor of blue's: they were there before. */
	ASSERT_EQ(0, bed_up(&self->blue, &blue));
	self->client = &self->blue.procs[0];
	load_init(&self->load, self->blue.client, 1, KT_PAGE,
		  FRAMES + scaled("pages beyond its frames", PAGES - FRAMES));
	self->load.steps = scaled("steps of blue's", STEPS);
	self->load.progress = shared_alloc(4096);
	ASSERT_EQ(0, server_start(&self->server, &self->blue.pager, NULL));
	ASSERT_EQ(0, proc_call(self->client, load_fill, &self->load, sizeof(self->load)));
	ASSERT_EQ(0, remote_adopt_plain(&self->red.procs[0], self->red.name, variant->door,
					FRAMES, self->red.store));
}

FIXTURE_TEARDOWN(isolation)
{
	EXPECT_EQ(0, param_set("op_deadline_ms", self->deadline));
	EXPECT_EQ(0, proc_kill(&self->red.procs[0]));
	EXPECT_EQ(0, server_stop(&self->server));
	/* Blue's helper came later and has red's client open, too. */
	EXPECT_EQ(0, bed_down(&self->blue));
	EXPECT_EQ(0, bed_down(&self->red));
}

/* Two of red's clients wait for absent pages from here on. */
static int red_waits(struct bed *red, uint64_t *refs)
{
	uint64_t version;
	int i, ret = 0;

	for (i = 0; i < 2 && !ret; i++) {
		ret = px_new(&red->procs[1 + i], red->client, KT_PAGE, "", 0, &refs[i]);
		if (!ret)
			ret = remote_preempt(&red->procs[0], KT_REF_INDEX(refs[i]), &version);
	}
	for (i = 0; i < 2 && !ret; i++) {
		px_get_start(&red->procs[1 + i], red->client, KT_PAGE, refs[i], 8);
		if (!proc_sleeps(&red->procs[1 + i], PROC_PATIENCE))
			ret = -ECHILD;
	}
	return ret;
}

/**
 * struct watch - on blue's steps
 * @load: whose
 * @last: steps taken when it was looked at last
 * @moved: when there was one more
 */
struct watch {
	struct load *load;
	unsigned int last;
	long long moved;
};

static void watch_begin(struct watch *watch, struct load *load)
{
	watch->load = load;
	watch->last = atomic_load(load->progress);
	watch->moved = now_ms();
}

/* False if the step that blue is at takes as long as red's deadline might. */
static bool watch_moves(struct watch *watch)
{
	unsigned int now = atomic_load(watch->load->progress);

	if (now != watch->last)
		watch->moved = now_ms();
	watch->last = now;
	return now_ms() - watch->moved <= SOON;
}

/* Blue takes its steps; none of them may take long. */
static int blue_works(struct proc *client, struct load *load)
{
	unsigned int before = atomic_load(load->progress);
	struct watch watch;
	int ret = 0;

	watch_begin(&watch, load);
	proc_start(client, load_run, load, sizeof(*load));
	while (!ret && !proc_done(client, 50))
		if (!watch_moves(&watch))
			ret = -ETIMEDOUT;
	if (!ret)
		ret = proc_finish(client, load, sizeof(*load));
	if (!ret && atomic_load(load->progress) != before + load->steps)
		ret = -EILSEQ;
	return ret ? ret : proc_call(client, load_verify, load, sizeof(*load));
}

TEST_F(isolation, alone)
{
	EXPECT_EQ(0, blue_works(self->client, &self->load));
}

TEST_F(isolation, red_does_not_answer)
{
	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	EXPECT_EQ(0, blue_works(self->client, &self->load));
	EXPECT_FALSE(proc_done(&self->red.procs[1], 0));
	EXPECT_FALSE(proc_done(&self->red.procs[2], 0));
}

TEST_F(isolation, red_is_stopped)
{
	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	proc_stop(&self->red.procs[0]);
	EXPECT_EQ(0, blue_works(self->client, &self->load));
}

/* Rubbish for an answer, as fast as it can; also exports and scans. */
static long lie_for_ever(void *arg)
{
	struct pager *pager = remote_pager();
	struct kmdom_page pages[64];
	struct kmdom_event event;
	uint64_t cursor = 0;
	char lie[200];
	int ret = 0;

	memset(lie, 0x42, sizeof(lie));
	while (ret >= 0) {
		pager_resend(pager);
		ret = pager_events(pager, &event, 1, 0);
		if (ret == 1)
			pager_restore(pager, event.index, event.version, lie, sizeof(lie));
		pager_scan(pager, &cursor, pages, 64, 0);
		pager_export(pager, event.index + 1, KMDOM_OPF_DRAIN);
	}
	return ret;
}

TEST_F(isolation, red_lies)
{
	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	proc_start(&self->red.procs[0], lie_for_ever, NULL, 0);
	EXPECT_EQ(0, blue_works(self->client, &self->load));
	EXPECT_FALSE(proc_done(&self->red.procs[0], 0));
	EXPECT_FALSE(proc_done(&self->red.procs[1], 0));
}

/* Its copies stall, one in each slot that it has. */
static long stall_all(void *arg)
{
	static struct side side[4];
	static struct trap trap[4];
	struct kmdom_op op = { .code = KMDOM_OP_SCAN, .len = 32, .arg = 1 };
	int i, ret = 0;

	for (i = 0; i < 4 && !ret; i++) {
		ret = trap_set(&trap[i], 4096);
		op.buf = (unsigned long)trap[i].mem;
		if (!ret)
			ret = side_op(&side[i], remote_pager(), &op);
		if (!ret)
			ret = trap_caught(&trap[i], PROC_PATIENCE);
	}
	return ret;
}

TEST_F(isolation, red_stalls_in_every_slot)
{
	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	ASSERT_EQ(0, proc_call(&self->red.procs[0], stall_all, NULL, 0));
	EXPECT_EQ(0, blue_works(self->client, &self->load));
	EXPECT_EQ(0, proc_kill(&self->red.procs[0]));
	ASSERT_EQ(0, pager_adopt(&self->red.pager, self->red.name, variant->door, FRAMES, 0));
}

/* It has no frames, and its clients want some. */
TEST_F(isolation, red_starves_its_clients)
{
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	struct kmdom_op op = { .code = KMDOM_OP_REVOKE, .arg = FRAMES };
	int i;

	while (!kt(self->red.client, KT_IOC_NEW, &req))
		;
	ASSERT_LT(0, remote_op(&self->red.procs[0], &op, NULL));
	for (i = 1; i < 3; i++) {
		req = (struct kt_req) { .op = i, .type = KT_PAGE };
		kt_start(&self->red.procs[i], self->red.client, KT_IOC_NEW, &req);
		ASSERT_TRUE(proc_sleeps(&self->red.procs[i], PROC_PATIENCE));
	}
	EXPECT_EQ(0, blue_works(self->client, &self->load));
	EXPECT_FALSE(proc_done(&self->red.procs[1], 0));
}

/* It dies and is followed by another, over and over, while blue works. */
TEST_F(isolation, red_dies_again_and_again)
{
	unsigned int before = atomic_load(self->load.progress);
	struct watch watch;

	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	watch_begin(&watch, &self->load);
	proc_start(self->client, load_run, &self->load, sizeof(self->load));
	EXPECT_EQ(0, proc_kill(&self->red.procs[0]));
	/* Blue may have done its work while the first of them died. */
	do {
		ASSERT_EQ(0, pager_adopt(&self->red.pager, self->red.name,
					 variant->door, FRAMES, KMDOM_ADOPT_TAKEOVER));
		ASSERT_EQ(FRAMES, pager_grant(&self->red.pager, 0, FRAMES));
		pager_leave(&self->red.pager);
		ASSERT_TRUE(watch_moves(&watch));
	} while (!proc_done(self->client, 0));
	EXPECT_EQ(0, proc_finish(self->client, &self->load, sizeof(self->load)));
	EXPECT_EQ(before + self->load.steps, atomic_load(self->load.progress));
	EXPECT_EQ(0, proc_call(self->client, load_verify, &self->load, sizeof(self->load)));
}

TEST_F(isolation, red_is_aborted)
{
	ASSERT_EQ(0, red_waits(&self->red, self->refs));
	ASSERT_EQ(0, pager_abort(&self->red.pager, self->red.name));
	self->red.aborted = true;
	EXPECT_EQ(-ENODEV, px_get_finish(&self->red.procs[1], NULL, 0));
	EXPECT_EQ(-ENODEV, px_get_finish(&self->red.procs[2], NULL, 0));
	EXPECT_EQ(0, blue_works(self->client, &self->load));
}

TEST_HARNESS_MAIN
