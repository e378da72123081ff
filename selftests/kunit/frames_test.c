// SPDX-License-Identifier: GPL-2.0
/*
 * frames_test.c - the ledger: every edge of a frame, every claim, every short
 * sequence of steps, and that its sums hold after each
 */
#include <linux/mm.h>
#include "bed.h"

static const struct {
	enum kmdom_frame_state from, to;
} legal[] = {
	{ KMDOM_FRAME_NONE, KMDOM_FRAME_OWNED },
	{ KMDOM_FRAME_OWNED, KMDOM_FRAME_NONE },
	{ KMDOM_FRAME_OWNED, KMDOM_FRAME_FREE },
	{ KMDOM_FRAME_FREE, KMDOM_FRAME_NONE },
	{ KMDOM_FRAME_FREE, KMDOM_FRAME_OWNED },
	{ KMDOM_FRAME_FREE, KMDOM_FRAME_TRANSIT },
	{ KMDOM_FRAME_TRANSIT, KMDOM_FRAME_NONE },
	{ KMDOM_FRAME_TRANSIT, KMDOM_FRAME_FREE },
	{ KMDOM_FRAME_TRANSIT, KMDOM_FRAME_PAGE },
	{ KMDOM_FRAME_TRANSIT, KMDOM_FRAME_TABLE },
	{ KMDOM_FRAME_PAGE, KMDOM_FRAME_TRANSIT },
	{ KMDOM_FRAME_TABLE, KMDOM_FRAME_TRANSIT },
};

static bool is_legal(enum kmdom_frame_state from, enum kmdom_frame_state to)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(legal); i++)
		if (legal[i].from == from && legal[i].to == to)
			return true;
	return false;
}

/* All pairs of states: the setter lets pass what is legal, and notices the rest. */
static void test_edges(struct kunit *test)
{
	struct bed *bed = bed_new(test, 1);
	struct kmdom_pool *pool = bed_pool(bed, 1);
	struct kmdom_frame *frame = &pool->frames[0];
	unsigned int from, to, cases = 0;

	for (from = 0; from <= KMDOM_FRAME_TABLE; from++) {
		for (to = 0; to <= KMDOM_FRAME_TABLE; to++) {
			frame->state = from;
			pool->nr_bare = from == KMDOM_FRAME_NONE;
			spin_lock(&bed->dom.ledger.lock);
			kmdom_frame_set_state(frame, to);
			spin_unlock(&bed->dom.ledger.lock);
			EXPECT_EQ(bed_warnings(), !is_legal(from, to));
			EXPECT_EQ(frame->state, to);
			EXPECT_EQ(pool->nr_bare, to == KMDOM_FRAME_NONE);
			cases++;
		}
	}
	EXPECT_CASES(cases, 6 * 6);
	frame->state = KMDOM_FRAME_OWNED;
	pool->nr_bare = 0;
	bed_pool_drop(pool);
	bed_end(bed);
}

/* How many frames a claim leaves to others. */
static u64 left_by(const struct bed *bed, enum kmdom_claim claim)
{
	u64 keep = bed->dom.ledger.reserved;

	if (claim == KMDOM_CLAIM_ALLOC)
		keep += bed->dom.wait.nr_waiters;
	if (claim != KMDOM_CLAIM_OLDEST)
		keep += KMDOM_FRAMES_RESERVE;
	return keep;
}

static unsigned int check_reserve(struct bed *bed, enum kmdom_claim claim)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	u64 reserved = ledger->reserved;
	unsigned int nr;

	for (nr = 1; nr <= 3; nr++) {
		bool wanted = ledger->nr_free >= left_by(bed, claim) + nr;

		EXPECT_EQ(kmdom_frames_reserve(ledger, nr, claim), wanted);
		EXPECT_EQ(ledger->reserved, reserved + (wanted ? nr : 0));
		if (wanted)
			kmdom_frames_unreserve(ledger, nr);
		EXPECT_EQ(ledger->reserved, reserved);
	}
	return nr - 1;
}

static unsigned int check_take(struct bed *bed, enum kmdom_claim claim)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	u64 nr_free = ledger->nr_free, nr_used = ledger->nr_used;
	bool wanted = nr_free >= left_by(bed, claim) + 1;
	struct kmdom_frame *frame = kmdom_frame_take(ledger, claim);

	EXPECT_EQ(!!frame, wanted);
	EXPECT_EQ(ledger->nr_free, nr_free - wanted);
	EXPECT_EQ(ledger->nr_used, nr_used + wanted);
	if (frame) {
		EXPECT_EQ(frame->state, KMDOM_FRAME_TRANSIT);
		kmdom_frame_put(frame);
	}
	EXPECT_EQ(ledger->nr_free, nr_free);
	EXPECT_EQ(ledger->nr_used, nr_used);
	return 1;
}

/* A promise is always kept, whatever else is left to whom. */
static unsigned int check_promise(struct bed *bed)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	u64 reserved = ledger->reserved;
	struct kmdom_frame *frame;

	if (!reserved)
		return 0;
	frame = kmdom_frame_take(ledger, KMDOM_CLAIM_PROMISED);
	EXPECT(frame);
	EXPECT_EQ(ledger->reserved, reserved - 1);
	if (frame)
		kmdom_frame_put(frame);
	ledger->reserved++;
	return 1;
}

/* All claims against a number of free frames, with promises, with waiters. */
static unsigned int check_claims(struct bed *bed)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	u64 most = min_t(u64, ledger->nr_free, 2);
	unsigned int cases = 0;
	enum kmdom_claim claim;

	for (ledger->reserved = 0; ledger->reserved <= most; ledger->reserved++) {
		unsigned int *waiters = &bed->dom.wait.nr_waiters;

		for (*waiters = 0; *waiters < 4; ++*waiters) {
			for (claim = 0; claim <= KMDOM_CLAIM_OLDEST; claim++) {
				cases += check_reserve(bed, claim);
				cases += check_take(bed, claim);
			}
			cases += check_promise(bed);
		}
	}
	ledger->reserved = 0;
	bed_check_ledger(bed);
	return cases;
}

static void test_claims(struct kunit *test)
{
	const u32 nr = KMDOM_FRAMES_RESERVE + 8;
	struct bed *bed = bed_new(test, nr);
	struct kmdom_pool *pool = bed_granted(bed, nr);
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	unsigned int cases = 0, promised, i;

	for (i = 0; i <= nr; i++) {
		bed_leave_free(bed, i);
		cases += check_claims(bed);
	}
	/* 0, 1, and 71 times 2 promises at most: 1 + 2 + 71 * 3 numbers of them. */
	promised = 0 + 1 + 71 * 2;
	EXPECT_CASES(cases, 4 * ((1 + 2 + 71 * 3) * 3 * (3 + 1) + promised));

	ledger->closed = true;
	EXPECT(!kmdom_frames_reserve(ledger, 1, KMDOM_CLAIM_OLDEST));
	EXPECT(!kmdom_frame_take(ledger, KMDOM_CLAIM_OLDEST));
	EXPECT_EQ(ledger->nr_free, nr);
	ledger->closed = false;
	bed_pool_drop(pool);
	bed_end(bed);
}

/*
 * Steps of frames in a pool. What a step must do is told by a model, that knows
 * only how many frames are in which state.
 */
enum step {
	STEP_GRANT, STEP_REVOKE, STEP_RESERVE, STEP_UNRESERVE, STEP_TAKE,
	STEP_TAKE_PROMISED, STEP_PAGE, STEP_TABLE, STEP_WITHDRAW, STEP_PUT,
	NR_STEPS
};

struct model {
	u64 nr[KMDOM_FRAME_TABLE + 1];
	u64 reserved;
};

/* The pool's first frame that is in a state. */
static struct kmdom_frame *first_in(struct kmdom_pool *pool,
				    enum kmdom_frame_state state)
{
	u32 i;

	for (i = 0; i < pool->nr_frames; i++)
		if (pool->frames[i].state == state)
			return &pool->frames[i];
	return NULL;
}

static u32 number_of(const struct kmdom_frame *frame)
{
	return frame - frame->pool->frames;
}

static void move(struct model *model, enum kmdom_frame_state from,
		 enum kmdom_frame_state to)
{
	model->nr[from]--;
	model->nr[to]++;
}

static void write_frame(struct kmdom_frame *frame)
{
	memset(kmdom_frame_data(frame), 0xa5, KMDOM_FRAME_SIZE);
}

static void step_lend(struct kmdom_pool *pool, struct model *model)
{
	struct kmdom_frame *frame = first_in(pool, KMDOM_FRAME_OWNED);

	EXPECT_EQ(!!frame, model->nr[KMDOM_FRAME_OWNED] > 0);
	if (!frame)
		return;
	write_frame(frame);
	EXPECT_EQ(bed_grant(pool, number_of(frame), 1), 1);
	move(model, KMDOM_FRAME_OWNED, KMDOM_FRAME_FREE);
}

static void step_revoke(struct kmdom_pool *pool, struct model *model)
{
	struct kmdom_frame *frame = first_in(pool, KMDOM_FRAME_FREE);
	bool wanted = model->nr[KMDOM_FRAME_FREE] > model->reserved;

	EXPECT_EQ(!!frame, model->nr[KMDOM_FRAME_FREE] > 0);
	if (!frame)
		return;
	EXPECT_EQ(bed_revoke(pool, number_of(frame), 1), wanted);
	if (wanted)
		move(model, KMDOM_FRAME_FREE, KMDOM_FRAME_OWNED);
}

static void step_promise(struct kmdom_ledger *ledger, struct model *model)
{
	bool wanted = model->nr[KMDOM_FRAME_FREE] > model->reserved;

	EXPECT_EQ(kmdom_frames_reserve(ledger, 1, KMDOM_CLAIM_OLDEST), wanted);
	model->reserved += wanted;
}

static void step_take(struct kmdom_ledger *ledger, struct model *model,
		      bool promised)
{
	bool wanted = promised || model->nr[KMDOM_FRAME_FREE] > model->reserved;
	struct kmdom_frame *frame;

	if (promised && !model->reserved)
		return;
	model->reserved -= promised;
	frame = kmdom_frame_take(ledger, promised ? KMDOM_CLAIM_PROMISED :
						    KMDOM_CLAIM_OLDEST);
	EXPECT_EQ(!!frame, wanted);
	if (!frame)
		return;
	EXPECT(unit_is_zero(kmdom_frame_data(frame), KMDOM_FRAME_SIZE));
	write_frame(frame);
	move(model, KMDOM_FRAME_FREE, KMDOM_FRAME_TRANSIT);
}

static void step_publish(struct kmdom_pool *pool, struct model *model,
			 enum kmdom_frame_state state)
{
	struct kmdom_frame *frame = first_in(pool, KMDOM_FRAME_TRANSIT);

	EXPECT_EQ(!!frame, model->nr[KMDOM_FRAME_TRANSIT] > 0);
	if (!frame)
		return;
	kmdom_frame_publish(frame, state);
	move(model, KMDOM_FRAME_TRANSIT, state);
}

static void step_withdraw(struct kmdom_pool *pool, struct model *model)
{
	enum kmdom_frame_state state = model->nr[KMDOM_FRAME_PAGE] ?
		KMDOM_FRAME_PAGE : KMDOM_FRAME_TABLE;
	struct kmdom_frame *frame = first_in(pool, state);

	EXPECT_EQ(!!frame, model->nr[state] > 0);
	if (!frame)
		return;
	kmdom_frame_withdraw(frame);
	move(model, state, KMDOM_FRAME_TRANSIT);
}

static void step_put(struct kmdom_pool *pool, struct model *model)
{
	struct kmdom_frame *frame = first_in(pool, KMDOM_FRAME_TRANSIT);

	EXPECT_EQ(!!frame, model->nr[KMDOM_FRAME_TRANSIT] > 0);
	if (!frame)
		return;
	kmdom_frame_put(frame);
	move(model, KMDOM_FRAME_TRANSIT, KMDOM_FRAME_FREE);
}

static void do_step(struct kmdom_pool *pool, struct model *model, enum step step)
{
	struct kmdom_ledger *ledger = pool->ledger;

	switch (step) {
	case STEP_GRANT:
		step_lend(pool, model);
		break;
	case STEP_REVOKE:
		step_revoke(pool, model);
		break;
	case STEP_RESERVE:
		step_promise(ledger, model);
		break;
	case STEP_UNRESERVE:
		if (model->reserved) {
			kmdom_frames_unreserve(ledger, 1);
			model->reserved--;
		}
		break;
	case STEP_TAKE:
	case STEP_TAKE_PROMISED:
		step_take(ledger, model, step == STEP_TAKE_PROMISED);
		break;
	case STEP_PAGE:
		step_publish(pool, model, KMDOM_FRAME_PAGE);
		break;
	case STEP_TABLE:
		step_publish(pool, model, KMDOM_FRAME_TABLE);
		break;
	case STEP_WITHDRAW:
		step_withdraw(pool, model);
		break;
	default:
		step_put(pool, model);
		break;
	}
}

static void check_model(struct bed *bed, const struct model *model)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	const u64 *nr = model->nr;

	EXPECT_EQ(ledger->nr_free, nr[KMDOM_FRAME_FREE]);
	EXPECT_EQ(ledger->nr_used, nr[KMDOM_FRAME_TRANSIT] +
				   nr[KMDOM_FRAME_PAGE] + nr[KMDOM_FRAME_TABLE]);
	EXPECT_EQ(ledger->nr_tables, nr[KMDOM_FRAME_TABLE]);
	EXPECT_EQ(ledger->reserved, model->reserved);
	bed_check_ledger(bed);
}

/* Back to: no promise, and all frames the pager's. A step too many does nothing. */
static void undo_steps(struct kmdom_pool *pool, struct model *model)
{
	static const enum step steps[] = {
		STEP_UNRESERVE, STEP_WITHDRAW, STEP_PUT, STEP_REVOKE,
	};
	unsigned int i;
	u32 nr;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		for (nr = 0; nr < pool->nr_frames; nr++)
			do_step(pool, model, steps[i]);
}

#define SEQUENCE	4

/* All sequences of steps, from a frame in each state that is not the end's. */
static void test_sequences(struct kunit *test)
{
	static const enum step begin[] = {
		STEP_GRANT, STEP_TAKE, STEP_PAGE, STEP_GRANT, STEP_TAKE, STEP_GRANT,
	};
	struct bed *bed = bed_new(test, SEQUENCE);
	struct kmdom_pool *pool = bed_pool(bed, SEQUENCE);
	struct model model = { .nr[KMDOM_FRAME_OWNED] = SEQUENCE };
	unsigned int sequence, rest, i;

	for (sequence = 0; sequence < 10000 && !bed_failed(); sequence++) {
		for (i = 0; i < ARRAY_SIZE(begin); i++)
			do_step(pool, &model, begin[i]);
		for (i = 0, rest = sequence; i < SEQUENCE; i++, rest /= NR_STEPS) {
			do_step(pool, &model, rest % NR_STEPS);
			check_model(bed, &model);
			if (bed_failed())
				break;
		}
		undo_steps(pool, &model);
	}
	EXPECT_EQ(bed_warnings(), 0);
	EXPECT_EQ(bed->dom.ledger.peak_used, SEQUENCE);
	EXPECT_CASES(sequence, NR_STEPS * NR_STEPS * NR_STEPS * NR_STEPS);
	bed_pool_drop(pool);
	bed_end(bed);
}

/* The same steps at random, in a pool in which every state is filled. */
static void test_random_steps(struct kunit *test)
{
	const u32 nr = 24;
	struct bed *bed = bed_new(test, nr);
	struct kmdom_pool *pool = bed_pool(bed, nr);
	struct model model = { .nr[KMDOM_FRAME_OWNED] = nr };
	unsigned int i;

	for (i = 0; i < UNIT_RANDOM_CASES(100000) && !bed_failed(); i++) {
		do_step(pool, &model, unit_random_below(NR_STEPS));
		check_model(bed, &model);
	}
	EXPECT_CASES(i, 5000);
	undo_steps(pool, &model);
	bed_pool_drop(pool);
	bed_end(bed);
}

/* A frame that is put after a grace period is in use until then. */
static void test_deferred(struct kunit *test)
{
	struct bed *bed = bed_new(test, 1);
	struct kmdom_pool *pool = bed_granted(bed, 1);
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	struct kmdom_frame *frame;
	int answers;

	for (answers = 0; answers < 2; answers++) {
		frame = bed_take(bed, KMDOM_CLAIM_OLDEST);
		write_frame(frame);
		rcu_read_lock();
		kmdom_frame_put_deferred(frame, answers);
		EXPECT_EQ(READ_ONCE(ledger->nr_used), 1);
		EXPECT(!kmdom_frame_take(ledger, KMDOM_CLAIM_OLDEST));
		rcu_read_unlock();
		bed_settle(bed);
		EXPECT_EQ(ledger->nr_used, 0);
		EXPECT_EQ(ledger->nr_free, 1);
		EXPECT_EQ(atomic_read(&bed->returned), answers + 1);
		EXPECT_EQ(atomic_read(&bed->answers), answers);
	}
	bed_check_ledger(bed);
	bed_pool_drop(pool);
	bed_end(bed);
}

static struct kunit_case frames_cases[] = {
	KUNIT_CASE(test_edges),
	KUNIT_CASE(test_claims),
	KUNIT_CASE_SLOW(test_sequences),
	KUNIT_CASE(test_random_steps),
	KUNIT_CASE(test_deferred),
	{}
};

struct kunit_suite frames_suite = {
	.name = "kmdom_frames",
	.test_cases = frames_cases,
};
