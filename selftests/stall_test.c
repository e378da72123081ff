// SPDX-License-Identifier: GPL-2.0
/*
 * A pager whose buffers are userfaultfd memory that nobody answers, so that a
 * copy of an exchange stalls: each copy there is, through both doors. Nothing
 * waits for it but the thread that made it, and it can be killed, taken over,
 * aborted there.
 */
#include <sys/ioctl.h>
#include <linux/userfaultfd.h>
#include "harness.h"

#define FRAMES	160

/**
 * enum stall_at - where it stalls
 * @AT_EXCHANGE: the exchange is copied in
 * @AT_OPS: the operations are
 * @AT_RECORD_IN: a record is
 * @AT_RECORD_OUT: a record is copied out
 * @AT_SCAN: states of pages are
 * @AT_RESULTS: a result is
 * @AT_EVENTS: an event is, after a wait
 * @AT_COUNTS: the exchange's counts are
 */
enum stall_at {
	AT_EXCHANGE,
	AT_OPS,
	AT_RECORD_IN,
	AT_RECORD_OUT,
	AT_SCAN,
	AT_RESULTS,
	AT_EVENTS,
	AT_COUNTS,
};

/**
 * struct stall - what the pager is told
 * @at: where to stall
 * @present: index of a page that is present
 * @absent: index of one that is not
 * @version: its version
 * @len: length of its record
 */
struct stall {
	enum stall_at at;
	uint64_t present;
	uint64_t absent;
	uint64_t version;
	uint32_t len;
};

/* The pager's: what its second thread exchanges, and by what. */
static struct {
	struct trap trap;
	struct door door;
	struct kmdom_exchange plain;
	struct kmdom_exchange *ex;
	struct kmdom_op op;
	struct kmdom_result result;
	struct kmdom_page page;
	pthread_t thread;
	atomic_int tid;
} my;

/* Without door_exchange(), which itself would touch what stalls. */
static void *stalled_thread(void *arg)
{
	__u64 data;
	int res;

	if (door_open(&my.door, remote_pager()->door.kind, remote_pager()->fd))
		return NULL;
	atomic_store(&my.tid, gettid());
	if (my.door.kind == DOOR_IOCTL)
		ioctl(my.door.fd, KMDOM_IOC_EXCHANGE, my.ex);
	else if (!uring_submit(&my.door.ring, my.door.fd, my.ex, 1))
		uring_take(&my.door.ring, PROC_PATIENCE, &data, &res);
	return NULL;
}

static void prepare_op(const struct stall *stall)
{
	unsigned long mem = (unsigned long)my.trap.mem;

	my.op = (struct kmdom_op) {
		.code = KMDOM_OP_SCAN, .buf = (unsigned long)&my.page,
		.len = sizeof(my.page), .arg = 1,
	};
	if (stall->at == AT_RECORD_IN)
		my.op = (struct kmdom_op) {
			.code = KMDOM_OP_RESTORE, .index = stall->absent,
			.version = stall->version, .buf = mem, .len = stall->len,
		};
	else if (stall->at == AT_RECORD_OUT)
		my.op = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .index = stall->present,
			.buf = mem, .len = KMDOM_RECORD_MAX,
		};
	else if (stall->at == AT_SCAN)
		my.op.buf = mem;
}

/* The page can be read but not be written: userfaultfd's other mode. */
static int trap_writes(struct trap *trap, const void *contents, size_t len)
{
	char page[4096] = { 0 };
	struct uffdio_copy copy = {
		.dst = (unsigned long)trap->mem, .src = (unsigned long)page,
		.len = sizeof(page), .mode = UFFDIO_COPY_MODE_WP,
	};
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)trap->mem, .len = trap->len },
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	memcpy(page, contents, len);
	if (ioctl(trap->fd, UFFDIO_REGISTER, &reg))
		return -errno;
	return ioctl(trap->fd, UFFDIO_COPY, &copy) ? -errno : 0;
}

static int prepare(const struct stall *stall)
{
	unsigned long mem = (unsigned long)my.trap.mem;

	prepare_op(stall);
	my.plain = (struct kmdom_exchange) {
		.ops = (unsigned long)&my.op, .results = (unsigned long)&my.result,
		.nr_ops = 1, .timeout_ns = -1,
	};
	my.ex = &my.plain;
	switch (stall->at) {
	case AT_EXCHANGE:
		my.ex = (struct kmdom_exchange *)my.trap.mem;
		break;
	case AT_OPS:
		my.plain.ops = mem;
		break;
	case AT_RESULTS:
		my.plain.results = mem;
		break;
	case AT_EVENTS:
		my.plain.nr_ops = 0;
		my.plain.events = mem;
		my.plain.max_events = 8;
		my.plain.min_events = 1;
		break;
	case AT_COUNTS:
		my.ex = (struct kmdom_exchange *)my.trap.mem;
		return trap_writes(&my.trap, &my.plain, sizeof(my.plain));
	default:
		break;
	}
	return 0;
}

static long stall_begin(void *arg)
{
	int ret = trap_set(&my.trap, 8192);

	if (!ret)
		ret = prepare(arg);
	if (!ret)
		ret = -pthread_create(&my.thread, NULL, stalled_thread, NULL);
	while (!ret && !atomic_load(&my.tid)) {
		sched_yield();
		cpu_relax();
	}
	return ret;
}

static long stall_caught(void *arg)
{
	return trap_caught(&my.trap, PROC_PATIENCE);
}

/* The pager is no client: the domain's name is not to wait for it. */
static long close_fd(void *arg)
{
	return close(*(int *)arg);
}

FIXTURE(stall) {
	struct bed bed;
	struct pager *heir;
	struct proc *pager;
	struct proc *client;
	int fd;
	uint64_t present;	/* ref of a small object, seed 1 */
	uint64_t absent;	/* ref of another, seed 2, in another page */
	uint64_t version;
};

FIXTURE_VARIANT(stall) { enum door_kind door; enum stall_at at; };
#define STALL(where, place)						\
	FIXTURE_VARIANT_ADD(stall, ioctl_##where) { .door = DOOR_IOCTL, .at = place }; \
	FIXTURE_VARIANT_ADD(stall, uring_##where) { .door = DOOR_URING, .at = place }
STALL(exchange, AT_EXCHANGE);
STALL(ops, AT_OPS);
STALL(record_in, AT_RECORD_IN);
STALL(record_out, AT_RECORD_OUT);
STALL(scan, AT_SCAN);
STALL(results, AT_RESULTS);
STALL(events, AT_EVENTS);
STALL(counts, AT_COUNTS);

static int new_small(struct proc *proc, int fd, uint64_t seed, uint64_t *ref)
{
	struct kt_small small;

	small_fill(&small, seed);
	return px_new(proc, fd, KT_SMALL, &small, sizeof(small), ref);
}

static int read_small(struct proc *proc, int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;
	int ret = px_get(proc, fd, KT_SMALL, ref, &small, sizeof(small));

	return ret ? ret : small_check(&small, seed);
}

/* The absent page first: what comes later is in another one. */
FIXTURE_SETUP(stall)
{
	struct bed_spec spec = {
		.procs = 2, .types = 1 << KT_SMALL, .no_session = true,
	};
	struct stall stall = { .at = variant->at };

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->heir = &self->bed.pager;
	self->pager = &self->bed.procs[0];
	self->client = &self->bed.procs[1];
	self->fd = self->bed.client;
	ASSERT_EQ(0, proc_call(self->pager, close_fd, &self->fd, sizeof(self->fd)));
	ASSERT_EQ(0, remote_adopt_plain(self->pager, self->bed.name, variant->door,
					FRAMES, self->bed.store));
	ASSERT_EQ(0, new_small(self->client, self->fd, 2, &self->absent));
	stall.absent = KT_REF_INDEX(self->absent);
	ASSERT_EQ(0, remote_preempt(self->pager, stall.absent, &self->version));
	ASSERT_EQ(0, new_small(self->client, self->fd, 1, &self->present));
	stall.present = KT_REF_INDEX(self->present);
	ASSERT_NE(stall.present, stall.absent);
	stall.version = self->version;
	stall.len = store_get(self->bed.store, stall.absent, self->version)->len;

	ASSERT_EQ(0, proc_call(self->pager, stall_begin, &stall, sizeof(stall)));
	px_get_start(self->client, self->fd, KT_SMALL, self->absent, sizeof(struct kt_small));
	ASSERT_EQ(0, proc_call(self->pager, stall_caught, NULL, 0));
}

FIXTURE_TEARDOWN(stall)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int finish_small(struct proc *proc, uint64_t seed)
{
	struct kt_small small;
	int ret = px_get_finish(proc, &small, sizeof(small));

	return ret ? ret : small_check(&small, seed);
}

/* The pager's other thread, and its clients, go on with any page. */
TEST_F(stall, nobody_else_waits)
{
	uint64_t version, ref;
	long long start = now_ms();

	EXPECT_EQ(0, remote_answer(self->pager, KT_REF_INDEX(self->absent), self->version));
	EXPECT_EQ(0, finish_small(self->client, 2));
	EXPECT_EQ(0, read_small(self->client, self->fd, self->present, 1));
	EXPECT_EQ(0, new_small(self->client, self->fd, 3, &ref));
	EXPECT_EQ(0, read_small(self->client, self->fd, ref, 3));
	EXPECT_EQ(0, remote_preempt(self->pager, KT_REF_INDEX(self->present), &version));
	EXPECT_EQ(0, remote_answer(self->pager, KT_REF_INDEX(self->present), version));
	EXPECT_EQ(0, read_small(self->client, self->fd, self->present, 1));
	EXPECT_GE(SOON, now_ms() - start);
}

/* What the successor finds after any of the ways to end it. */
static int succeeded(struct pager *heir, uint64_t index, uint64_t version)
{
	struct kmdom_event event;
	int ret;

	if (pager_grant(heir, 0, FRAMES) != FRAMES)
		return -ENOBUFS;
	ret = pager_event(heir, KMDOM_EVENT_FAULT, &event);
	if (ret)
		return ret;
	if (event.index != index || event.version != version)
		return -EILSEQ;
	return pager_answer(heir, index, version);
}

TEST_F(stall, killed_there)
{
	EXPECT_EQ(0, proc_kill(self->pager));
	ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES, 0));
	EXPECT_EQ(0, succeeded(self->heir, KT_REF_INDEX(self->absent), self->version));
	EXPECT_EQ(0, finish_small(self->client, 2));
	EXPECT_EQ(0, pager_preempt(self->heir, KT_REF_INDEX(self->present)));
	EXPECT_EQ(0, pager_answer(self->heir, KT_REF_INDEX(self->present),
				  self->heir->res.version));
	EXPECT_EQ(0, read_small(self->client, self->fd, self->present, 1));
}

TEST_F(stall, taken_over_there)
{
	struct kmdom_op op = { .code = KMDOM_OP_REVOKE, .arg = FRAMES };
	long long start = now_ms();

	ASSERT_EQ(0, pager_adopt(self->heir, self->bed.name, variant->door, FRAMES,
				 KMDOM_ADOPT_TAKEOVER));
	EXPECT_GE(SOON, now_ms() - start);
	EXPECT_EQ(0, succeeded(self->heir, KT_REF_INDEX(self->absent), self->version));
	EXPECT_EQ(0, finish_small(self->client, 2));
	EXPECT_EQ(-EOWNERDEAD, remote_op(self->pager, &op, NULL));
	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_EQ(0, pager_preempt(self->heir, KT_REF_INDEX(self->present)));
	EXPECT_EQ(0, pager_answer(self->heir, KT_REF_INDEX(self->present),
				  self->heir->res.version));
	EXPECT_EQ(0, read_small(self->client, self->fd, self->present, 1));
}

TEST_F(stall, aborted_there)
{
	long long start = now_ms();

	ASSERT_EQ(0, pager_abort(self->heir, self->bed.name));
	EXPECT_EQ(-ENODEV, finish_small(self->client, 2));
	EXPECT_EQ(-ENODEV, read_small(self->client, self->fd, self->present, 1));
	EXPECT_GE(SOON, now_ms() - start);
	EXPECT_EQ(0, proc_kill(self->client));
	close(self->fd);
	self->bed.client = -1;
	/* All its frames come back while the thread still stands there. */
	start = now_ms();
	while (pager_create(self->heir, self->bed.name, FRAMES, 60) == -EEXIST) {
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
	}
	EXPECT_EQ(0, proc_kill(self->pager));
}

/* A client that lacks frames, and a pager that gives some. */
FIXTURE(lack) {
	struct bed bed;
	struct pager *pager;
	struct proc *client;
	int fd;
	struct trap trap;
	struct side side;
	struct kmdom_op op;	/* whose result is trapped */
};

BOTH_DOORS(lack);

FIXTURE_SETUP(lack)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_PAGE,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->client = self->bed.procs;
	self->fd = self->bed.client;
	ASSERT_EQ(0, trap_set(&self->trap, 8192));
}

FIXTURE_TEARDOWN(lack)
{
	trap_release(&self->trap);
	EXPECT_EQ(0, side_join(&self->side));
	trap_remove(&self->trap);
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int new_page_start(struct proc *client, int fd, struct pager *pager,
			  struct kmdom_event *event)
{
	struct kt_req req = { .op = 1, .type = KT_PAGE };

	kt_start(client, fd, KT_IOC_NEW, &req);
	return pager_event(pager, KMDOM_EVENT_NEED_FRAMES, event);
}

static int stall_result(struct side *side, const struct pager *pager,
			struct trap *trap, struct kmdom_op *op)
{
	struct kmdom_exchange ex = {
		.ops = (unsigned long)op, .results = (unsigned long)trap->mem,
		.nr_ops = 1, .timeout_ns = -1,
	};
	int ret = side_exchange(side, pager, &ex);

	return ret ? ret : trap_caught(trap, PROC_PATIENCE);
}

TEST_F(lack, frames_of_a_grant_are_there_at_once)
{
	struct kmdom_event event;

	ASSERT_EQ(FRAMES, pager_revoke(self->pager, 0, FRAMES));
	ASSERT_EQ(0, new_page_start(self->client, self->fd, self->pager, &event));
	self->op = (struct kmdom_op) { .code = KMDOM_OP_GRANT, .arg = FRAMES };
	ASSERT_EQ(0, stall_result(&self->side, self->pager, &self->trap, &self->op));
	/* It was done by the thread that stalled, not by the pager that counts. */
	atomic_fetch_add(self->pager->lent, FRAMES);
	EXPECT_EQ(0, kt_finish(self->client, NULL));
}

TEST_F(lack, the_frame_of_an_eviction_is_there_at_once)
{
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	uint64_t index[FRAMES], nr = 0;
	struct kmdom_event event;

	while (!kt(self->fd, KT_IOC_NEW, &req))
		index[nr++] = KT_REF_INDEX(req.ref);
	ASSERT_LT(0, pager_revoke(self->pager, 0, FRAMES));
	ASSERT_EQ(0, new_page_start(self->client, self->fd, self->pager, &event));
	ASSERT_LT(event.arg, nr);
	/* All that it lacks but one. */
	while (--event.arg)
		EXPECT_EQ(0, pager_preempt(self->pager, index[--nr]));
	ASSERT_EQ(0, pager_export(self->pager, index[--nr], 0));
	EXPECT_FALSE(proc_done(self->client, 0));
	self->op = (struct kmdom_op) {
		.code = KMDOM_OP_EVICT, .index = index[nr],
		.version = self->pager->res.version,
	};
	ASSERT_EQ(0, stall_result(&self->side, self->pager, &self->trap, &self->op));
	EXPECT_EQ(0, kt_finish(self->client, NULL));
}

TEST_HARNESS_MAIN
