// SPDX-License-Identifier: GPL-2.0
/*
 * Exports and restores that something overtakes: writers, other exports, other
 * answers. And many operations at once.
 */
#include <endian.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <linux/userfaultfd.h>
#include "harness.h"

#define FRAMES	256

FIXTURE(race) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	uint64_t ref;		/* a small object, seed 1 */
	uint64_t index;		/* of its page */
};

BOTH_DOORS(race);

FIXTURE_SETUP(race)
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

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int dirty(int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;

	small_fill(&small, seed);
	return kt_set(fd, 0, KT_SMALL, ref, &small, sizeof(small));
}

static int holds(int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;
	int ret = kt_get(fd, 0, KT_SMALL, ref, &small, sizeof(small));

	return ret ? ret : small_check(&small, seed);
}

/* The page is thawed before its record is copied out, and writers go on. */
TEST_F(race, dirtied_while_copied_out)
{
	struct kmdom_op op = { .code = KMDOM_OP_EXPORT, .len = KMDOM_RECORD_MAX };
	struct kmdom_page page;
	struct trap trap;
	struct side side;

	ASSERT_EQ(0, trap_set(&trap, 8192));
	op.index = self->index;
	op.buf = (unsigned long)trap.mem;
	ASSERT_EQ(0, side_op(&side, self->pager, &op));
	ASSERT_EQ(0, trap_caught(&trap, PROC_PATIENCE));
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, self->index, 1, 0));
	EXPECT_EQ(0, dirty(self->fd, self->ref, 2));
	trap_release(&trap);
	EXPECT_EQ(-EAGAIN, side_join(&side));
	trap_remove(&trap);
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_DIRTY);
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	ASSERT_EQ(0, pager_answer(self->pager, self->index, self->pager->res.version));
	EXPECT_EQ(0, holds(self->fd, self->ref, 2));
}

/* An export that another one overtakes is not valid, whatever it copies out. */
TEST_F(race, overtaken_export)
{
	struct kmdom_op op = { .code = KMDOM_OP_EXPORT, .len = KMDOM_RECORD_MAX };
	uint64_t version;
	struct trap trap;
	struct side side;

	ASSERT_EQ(0, trap_set(&trap, 8192));
	op.index = self->index;
	op.buf = (unsigned long)trap.mem;
	ASSERT_EQ(0, side_op(&side, self->pager, &op));
	ASSERT_EQ(0, trap_caught(&trap, PROC_PATIENCE));
	ASSERT_EQ(0, dirty(self->fd, self->ref, 2));
	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	trap_release(&trap);
	EXPECT_GT(0, side_join(&side));
	trap_remove(&trap);
	EXPECT_EQ(0, pager_evict(self->pager, self->index, version, 0));
	ASSERT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, holds(self->fd, self->ref, 2));
}

/* A record on its way into the kernel holds nothing, either. */
TEST_F(race, overtaken_restore)
{
	struct kmdom_op op = { .code = KMDOM_OP_RESTORE };
	uint64_t version, cursor = 0;
	struct kmdom_page pages[8];
	struct trap trap;
	struct side side;

	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	ASSERT_EQ(0, trap_set(&trap, 8192));
	op.index = self->index;
	op.version = version;
	op.buf = (unsigned long)trap.mem;
	op.len = store_get(self->bed.store, self->index, version)->len;
	ASSERT_EQ(0, side_op(&side, self->pager, &op));
	ASSERT_EQ(0, trap_caught(&trap, PROC_PATIENCE));
	EXPECT_LT(0, pager_scan(self->pager, &cursor, pages, 8, 0));
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
	trap_release(&trap);
	EXPECT_EQ(-EALREADY, side_join(&side));
	trap_remove(&trap);
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
}

/* What one thread says of a page that somebody waits for. */
enum word { RIGHT, FORGED, REFUSED, WORDS, LOST = WORDS };

/* A page, and what can be said of it. */
struct question {
	uint64_t index;
	uint64_t version;
	const struct stored *rec;
	struct stored forged;
};

/* The page leaves. */
static int take(struct _test_data_race *self, uint64_t index, struct question *q)
{
	int ret = pager_preempt(self->pager, index);

	if (ret)
		return ret;
	q->index = index;
	q->version = self->pager->res.version;
	q->rec = store_get(self->bed.store, q->index, q->version);
	q->forged = *q->rec;
	q->forged.data[q->rec->len - 1] ^= 1;
	return 0;
}

/* It leaves, somebody wants it, and the pager knows. */
static int ask(struct _test_data_race *self, struct question *q)
{
	struct kmdom_event event;
	int ret = take(self, self->index, q);

	if (ret)
		return ret;
	px_get_start(self->proc, self->fd, KT_SMALL, self->ref, sizeof(struct kt_small));
	return pager_event(self->pager, KMDOM_EVENT_FAULT, &event);
}

static struct kmdom_op say_op(const struct question *q, enum word word)
{
	const struct stored *rec = word == FORGED ? &q->forged : q->rec;
	struct kmdom_op op = {
		.code = word == REFUSED || word == LOST ? KMDOM_OP_REFUSE : KMDOM_OP_RESTORE,
		.flags = word == LOST ? KMDOM_OPF_LOST : 0,
		.index = q->index, .version = q->version,
	};

	if (op.code == KMDOM_OP_RESTORE) {
		op.buf = (unsigned long)rec->data;
		op.len = rec->len;
	}
	return op;
}

/* Waits for the client, and sees whether what it got is what it must get. */
static int await_answer(struct _test_data_race *self, bool refused)
{
	struct kt_small small;
	int ret = px_get_finish(self->proc, &small, sizeof(small));

	if (refused)
		return ret == -EIO ? 0 : ret ?: -EILSEQ;
	return ret ?: small_check(&small, 1);
}

static int count_restores(const struct bed *bed, uint64_t *nr)
{
	struct kmdom_info info;
	int ret = kmdom_info_find(bed->name, &info);

	*nr = info.restores;
	return ret;
}

/* The record that a stalled thread is to find. */
static int trap_fill(struct trap *trap, const struct stored *rec)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {
		.dst = (unsigned long)trap->mem, .src = (unsigned long)page, .len = sizeof(page),
	};

	memcpy(page, rec->data, rec->len);
	return ioctl(trap->fd, UFFDIO_COPY, &copy) ? -errno : 0;
}

/*
 * One says its word while the other's record is on its way in, which comes after it:
 * whoever waits is served once, or refused, and only one record is taken.
 */
static int both_say(struct _test_data_race *self, enum word first, enum word second)
{
	bool served = first == RIGHT || (first == FORGED && second == RIGHT);
	bool refused = !served && (first == REFUSED || second == REFUSED);
	struct question q;
	struct kmdom_op op;
	struct trap trap;
	struct side side;
	int64_t said;
	int ret;

	ret = ask(self, &q) ?: trap_set(&trap, 8192);
	if (ret)
		return ret;
	op = say_op(&q, second);
	if (second != REFUSED) {
		op.buf = (unsigned long)trap.mem;
		ret = side_op(&side, self->pager, &op) ?: trap_caught(&trap, PROC_PATIENCE);
	}
	if (ret)
		return ret;
	op = say_op(&q, first);
	said = pager_op(self->pager, &op);
	if (said != (first == FORGED ? -EBADMSG : first == REFUSED))
		return -EPROTO;
	if (first == FORGED && proc_done(self->proc, 0))
		return -EPROTO;
	if (second == REFUSED) {
		op = say_op(&q, second);
		said = pager_op(self->pager, &op);
		ret = said == (first == RIGHT ? -EBUSY : first == FORGED) ? 0 : -EPROTO;
	} else {
		ret = trap_fill(&trap, second == RIGHT ? q.rec : &q.forged);
		said = side_join(&side);
		if (said != (first == RIGHT ? -EALREADY : second == FORGED ? -EBADMSG : 0))
			ret = -EPROTO;
	}
	trap_remove(&trap);
	/* Neither may have answered, or the refusal came first. */
	if (!ret && first != RIGHT && second != RIGHT) {
		if (!refused && proc_done(self->proc, 0))
			return -EPROTO;
		ret = pager_answer(self->pager, q.index, q.version);
	}
	return await_answer(self, refused) ?: ret;
}

TEST_F(race, two_answers_in_each_order)
{
	uint64_t before, after;
	unsigned int i;

	for (i = 0; i < WORDS * WORDS; i++) {
		ASSERT_EQ(0, count_restores(&self->bed, &before));
		EXPECT_EQ(0, both_say(self, i / WORDS, i % WORDS))
			TH_LOG("first %u, second %u", i / WORDS, i % WORDS);
		ASSERT_EQ(0, count_restores(&self->bed, &after));
		EXPECT_EQ(1, after - before);
		EXPECT_EQ(0, holds(self->fd, self->ref, 1));
		EXPECT_EQ(0, bed_conserved(&self->bed));
	}
}

/**
 * struct rival - a thread that says its word at the start
 * @pager: its view of the session
 * @thread: the thread
 * @op: what it says
 * @res: what it is told
 * @ready: it waits for the start
 * @go: the start
 * @spin: turns of a loop that it is late by
 * @ret: of the exchange
 */
struct rival {
	struct pager pager;
	pthread_t thread;
	struct kmdom_op op;
	struct kmdom_result res;
	atomic_bool ready;
	atomic_bool *go;
	unsigned int spin;
	int ret;
};

static void *speak(void *arg)
{
	struct rival *rival = arg;
	volatile unsigned int spin = rival->spin;

	rival->ret = door_open(&rival->pager.door, rival->pager.door.kind, rival->pager.fd);
	atomic_store(&rival->ready, true);
	if (rival->ret)
		return NULL;
	while (!atomic_load(rival->go))
		cpu_relax();
	while (spin)
		spin--;
	rival->ret = pager_exchange(&rival->pager, &rival->op, &rival->res, 1);
	door_close(&rival->pager.door);
	return NULL;
}

/* Both at once, the one or the other a bit later. */
static int speak_at_once(struct _test_data_race *self, const struct question *q,
			 struct rival *rivals, const enum word *words, unsigned int round)
{
	static atomic_bool go;
	unsigned int i;
	int ret = 0;

	atomic_store(&go, false);
	for (i = 0; i < 2 && !ret; i++) {
		rivals[i] = (struct rival) {
			.pager = *self->pager, .op = say_op(q, words[i]), .go = &go,
			.spin = round % 2 == i ? round * 50 : 0,
		};
		ret = -pthread_create(&rivals[i].thread, NULL, speak, &rivals[i]);
	}
	while (!ret && !(atomic_load(&rivals[0].ready) && atomic_load(&rivals[1].ready))) {
		sched_yield();
		cpu_relax();
	}
	atomic_store(&go, true);
	while (i--) {
		pthread_join(rivals[i].thread, NULL);
		ret = ret ?: rivals[i].ret;
	}
	return ret;
}

/* The first is right; of both only one record was taken, and one answer given. */
static bool is_one_answer(const struct rival *rivals, enum word second)
{
	int first = rivals[0].res.ret, other = rivals[1].res.ret;

	switch (second) {
	case RIGHT:
		return (!first && other == -EALREADY) || (first == -EALREADY && !other);
	case FORGED:
		return !first && (other == -EALREADY || other == -EBADMSG);
	default:
		return !first && (other == -EBUSY || (!other && rivals[1].res.value == 1));
	}
}

TEST_F(race, two_answers_at_once)
{
	unsigned int round, i, refused = 0, rounds = scaled("rounds", 40);
	enum word words[2] = { RIGHT };
	struct rival rivals[2];
	uint64_t before, after;
	struct question q;

	for (i = 0; i < WORDS * rounds; i++) {
		round = i / WORDS;
		words[1] = i % WORDS;
		ASSERT_EQ(0, count_restores(&self->bed, &before));
		ASSERT_EQ(0, ask(self, &q));
		ASSERT_EQ(0, speak_at_once(self, &q, rivals, words, round));
		EXPECT_TRUE(is_one_answer(rivals, words[1]))
			TH_LOG("word %u: %d and %d", words[1], rivals[0].res.ret,
			       rivals[1].res.ret);
		refused += words[1] == REFUSED && !rivals[1].res.ret;
		EXPECT_EQ(0, await_answer(self, words[1] == REFUSED && !rivals[1].res.ret));
		ASSERT_EQ(0, count_restores(&self->bed, &after));
		EXPECT_EQ(1, after - before);
	}
	printf("# %u of %u refused\n", refused, rounds);
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/*
 * Of a record and a loss that come at once one wins, and the other is told so. The
 * object is lost with its page, or the record is there.
 */
TEST_F(race, a_loss_at_once)
{
	unsigned int i, lost = 0, rounds = scaled("rounds", 400);
	const enum word words[2] = { RIGHT, LOST };
	struct rival rivals[2];
	struct question q;
	uint64_t ref;
	int ret;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
		ASSERT_EQ(0, take(self, KT_REF_INDEX(ref), &q));
		ASSERT_EQ(0, speak_at_once(self, &q, rivals, words, i / 2));
		ret = rivals[0].res.ret;
		EXPECT_TRUE(ret ? ret == -EIO && !rivals[1].res.ret :
				  rivals[1].res.ret == -EBUSY)
			TH_LOG("%d and %d", ret, rivals[1].res.ret);
		lost += !!ret;
		EXPECT_EQ(ret, kt_get(self->fd, 0, KT_PAGE, ref, NULL, 0));
		EXPECT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	}
	printf("# %u of %u lost\n", lost, rounds);
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

struct signed_writer {
	int fd;
	unsigned int op;
	uint64_t ref;
	atomic_uint *stop;
};

static void signed_fill(struct kt_signed *obj, uint64_t n)
{
	memset(obj, 0, sizeof(*obj));
	obj->number = n;
	memset(obj->name, 'a' + n % 26, sizeof(obj->name));
	memset(obj->data, 'a' + n % 26, sizeof(obj->data));
}

static long write_signed(void *arg)
{
	struct signed_writer *writer = arg;
	struct kt_signed obj;
	uint64_t n;
	int ret = 0;

	for (n = 0; !ret && !atomic_load(writer->stop); n++) {
		signed_fill(&obj, n);
		ret = kt_set(writer->fd, writer->op, KT_SIGNED, writer->ref, &obj, sizeof(obj));
	}
	return ret;
}

/* Records of SIGNED can be read: number, ref, length and name, data. */
static bool signed_is_whole(const uint8_t *rec)
{
	const uint8_t *at = rec + sizeof(struct kmdom_record);
	uint64_t number;
	int i;

	memcpy(&number, at, 8);
	number = le64toh(number);
	at += 16;
	if (at[0] != 48 || at[1])
		return false;
	for (i = 0; i < 48 + 56; i++)
		if (at[2 + i] != 'a' + number % 26)
			return false;
	return true;
}

TEST_F(race, writers_during_export)
{
	struct signed_writer writer = { .fd = self->fd, .op = 1 };
	int ret, good = 0, again = 0;
	struct kt_signed obj;
	uint64_t index;

	writer.stop = shared_alloc(4096);
	signed_fill(&obj, 0);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SIGNED, &obj, sizeof(obj), &writer.ref));
	index = KT_REF_INDEX(writer.ref);
	self->pager->store = NULL;
	proc_start(self->proc, write_signed, &writer, sizeof(writer));
	while (good < 300 && !proc_done(self->proc, 0)) {
		ret = pager_export(self->pager, index, KMDOM_OPF_DRAIN);
		if (!ret) {
			good++;
			ASSERT_TRUE(signed_is_whole(self->pager->buf));
		} else if (ret == -EAGAIN || ret == -EBUSY) {
			again++;
		} else if (ret != -EALREADY) {
			ASSERT_EQ(0, ret);
		}
	}
	atomic_store(writer.stop, 1);
	EXPECT_EQ(0, proc_finish(self->proc, NULL, 0));
	EXPECT_EQ(300, good);
	TH_LOG("%d exports were not valid", again);
	self->pager->store = self->bed.store;
}

/* The most operations of one exchange; one that fails does not stop the rest. */
TEST_F(race, batches)
{
	struct kmdom_op ops[KMDOM_OPS_MAX];
	struct kmdom_result results[KMDOM_OPS_MAX];
	uint64_t refs[100];
	uint8_t *bufs = malloc(100 * KMDOM_RECORD_MAX);
	int i;

	ASSERT_NE(NULL, bufs);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &i, sizeof(i), &refs[i]));
	}
	for (i = 0; i < KMDOM_OPS_MAX; i++)
		ops[i] = (struct kmdom_op) {
			.code = i & 1 || i / 2 >= 100 ? 0xffff : KMDOM_OP_EXPORT,
			.index = KT_REF_INDEX(refs[i / 2 % 100]),
			.buf = (unsigned long)bufs + i / 2 % 100 * KMDOM_RECORD_MAX,
			.len = KMDOM_RECORD_MAX,
		};
	ASSERT_EQ(0, pager_exchange(self->pager, ops, results, KMDOM_OPS_MAX));
	EXPECT_EQ(KMDOM_OPS_MAX, self->pager->ex.nr_results);
	for (i = 0; i < KMDOM_OPS_MAX; i++)
		EXPECT_EQ(i & 1 || i / 2 >= 100 ? -EINVAL : 0, results[i].ret);
	free(bufs);
}

/**
 * struct evictor - a thread that evicts one page whenever it can
 * @pager: its view of the session
 * @thread: the thread
 * @op: the operation
 * @stop: set to end it
 * @ret: why it ended
 */
struct evictor {
	struct pager pager;
	pthread_t thread;
	struct kmdom_op op;
	atomic_bool stop;
	int ret;
};

static void *evict_always(void *arg)
{
	struct evictor *evictor = arg;
	struct pager *pager = &evictor->pager;
	struct kmdom_result results[16];
	struct kmdom_op ops[16];
	int i;

	for (i = 0; i < 16; i++)
		ops[i] = evictor->op;
	evictor->ret = door_open(&pager->door, pager->door.kind, pager->fd);
	if (evictor->ret)
		return NULL;
	while (!evictor->ret && !atomic_load(&evictor->stop))
		evictor->ret = pager_exchange(pager, ops, results, 16);
	door_close(&pager->door);
	return NULL;
}

/*
 * EVICT right behind RESTORE, before the waiters are told, or at work by then: whoever
 * did not get the page asks for it again. The oldest waits for another page, since what
 * has arrived for him stays. Rarely met: with two CPUs it goes on until it is; one, which
 * the kernel does not take from the pager just there, may not meet it at all.
 */
TEST_F(race, evicted_before_it_was_told)
{
	struct evictor evictor = { .pager = *self->pager };
	uint64_t other, others, version;
	struct kmdom_event event;
	bool lost = false;
	int round, again = 0, rounds = scaled("rounds", 200);
	const int most = get_nprocs() > 1 ? 10000 : rounds;
	long long start;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &other));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(other)));
	others = self->pager->res.version;
	px_get_start(&self->proc[0], self->fd, KT_PAGE, other, 8);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	evictor.op = (struct kmdom_op) {
		.code = KMDOM_OP_EVICT, .index = self->index, .version = version,
	};
	ASSERT_EQ(0, pthread_create(&evictor.thread, NULL, evict_always, &evictor));
	for (round = 0; (round < rounds || (again <= round && round < most)) && !lost; round++) {
		while (pager_evict(self->pager, self->index, version, 0) != -EALREADY)
			;
		px_get_start(&self->proc[1], self->fd, KT_SMALL, self->ref, 8);
		start = now_ms();
		while (!proc_done(&self->proc[1], 0) && !lost) {
			lost = now_ms() - start > SOON;
			if (!pager_events(self->pager, &event, 1, 0))
				continue;
			EXPECT_EQ(self->index, event.index);
			EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
			again++;
		}
		if (!lost)
			EXPECT_EQ(0, px_get_finish(&self->proc[1], NULL, 0));
	}
	atomic_store(&evictor.stop, true);
	EXPECT_EQ(0, pthread_join(evictor.thread, NULL));
	EXPECT_FALSE(lost);
	TH_LOG("%d answers for %d waits", again, round);
	if (most > rounds)
		EXPECT_LT(round, again);
	EXPECT_EQ(0, evictor.ret);
	EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(other), others));
	EXPECT_EQ(0, px_get_finish(&self->proc[0], NULL, 0));
}

/*
 * The last object of a page is freed while an export waits for the pin on it:
 * the page is gone, and no empty one is exported. The first result tells that
 * the exports are under way; nearly all their time they wait for the pin.
 */
TEST_F(race, freed_under_a_draining_export)
{
	struct kmdom_op ops[32];
	struct kmdom_result results[ARRAY_SIZE(ops)];
	struct kmdom_exchange ex = {
		.ops = (unsigned long)ops, .results = (unsigned long)results,
		.nr_ops = ARRAY_SIZE(ops), .timeout_ns = -1,
	};
	struct kt_req req = { .op = 1, .nr_allocs = 1 };
	struct kt_usage before, after;
	struct side side = { 0 };
	int round;
	size_t i;

	ASSERT_EQ(0, client_usage(self->fd, &before));
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
		ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
		req.type = KT_NARROW;
		ASSERT_EQ(0, kt(self->fd, KT_IOC_ALLOC, &req));
		for (i = 0; i < ARRAY_SIZE(ops); i++)
			ops[i] = (struct kmdom_op) {
				.code = KMDOM_OP_EXPORT, .flags = KMDOM_OPF_DRAIN,
				.index = KT_REF_INDEX(req.ref),
				.buf = (unsigned long)self->pager->buf,
				.len = KMDOM_RECORD_MAX,
			};
		*(volatile int32_t *)&results[0].ret = 1;
		ASSERT_EQ(0, side_exchange(&side, self->pager, &ex));
		while (*(volatile int32_t *)&results[0].ret == 1) {
			sched_yield();
			cpu_relax();
		}
		EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
		EXPECT_EQ(0, kt_end(self->fd, 1));
		ASSERT_EQ(0, side_join(&side));
		for (i = 0; i < ARRAY_SIZE(ops); i++) {
			EXPECT_TRUE(results[i].ret == -EBUSY || results[i].ret == -ENOENT)
				TH_LOG("export %zu: %d", i, results[i].ret);
		}
		EXPECT_EQ(-ENOENT, results[ARRAY_SIZE(ops) - 1].ret);
	}
	ASSERT_EQ(0, client_usage(self->fd, &after));
	EXPECT_EQ(before.pages_present, after.pages_present);
	EXPECT_EQ(before.pages_absent, after.pages_absent);
}

TEST_HARNESS_MAIN
