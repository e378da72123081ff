// SPDX-License-Identifier: GPL-2.0
/*
 * bed.c - a domain of a test's own: made, looked after, and taken down
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/user.h>
#include "bed.h"
#include "session.h"
#include "uring.h"

#define bed_of_ledger(ptr)	container_of(ptr, struct bed, dom.ledger)

static struct page *bed_ledger_new_page(struct kmdom_ledger *ledger, gfp_t gfp)
{
	struct bed *bed = bed_of_ledger(ledger);
	struct page *page;

	if (!bed->pages_left)
		return NULL;
	if (bed->pages_left != BED_NEVER)
		bed->pages_left--;
	page = alloc_page(gfp);
	if (page)
		atomic_long_inc(&bed_pages);
	return page;
}

static void bed_ledger_get(struct kmdom_ledger *ledger)
{
	atomic_inc(&bed_of_ledger(ledger)->refs);
}

static void bed_ledger_put(struct kmdom_ledger *ledger)
{
	atomic_dec(&bed_of_ledger(ledger)->refs);
}

static bool bed_ledger_aborted(const struct kmdom_ledger *ledger)
{
	return kmdom_domain_has_aborted(kmdom_ledger_domain(ledger));
}

static void bed_ledger_freed(struct kmdom_ledger *ledger, bool answer)
{
	atomic_inc(&bed_of_ledger(ledger)->returned);
	if (answer)
		atomic_inc(&bed_of_ledger(ledger)->answers);
}

static const struct kmdom_ledger_ops bed_ledger_ops = {
	.new_page = bed_ledger_new_page,
	.get = bed_ledger_get,
	.put = bed_ledger_put,
	.aborted = bed_ledger_aborted,
	.freed = bed_ledger_freed,
};

/* What the files under test call upward: session.c, uring.c. */

u32 kmdom_session_deadline_ms(const struct kmdom_wait *wait)
{
	return wait->deadline_ms;
}

/* No command is parked. */
void kmdom_uring_wake_one(struct kmdom_wait *wait)
{
	EXPECT(list_empty(&wait->parked));
}

/** bed_locked - pages that the tests' user has locked */
long bed_locked(void)
{
	return atomic_long_read(&current_user()->locked_vm);
}

/**
 * bed_new - a domain without a frame
 * @test: the test; bed_end() is its to call
 * @max_frames: the ledger's limit
 */
struct bed *bed_new(struct kunit *test, u64 max_frames)
{
	struct bed *bed = kunit_kzalloc(test, sizeof(*bed), GFP_KERNEL);
	struct workqueue_struct *wq;
	struct kmdom_domain *dom;

	KUNIT_ASSERT_NOT_NULL(test, bed);
	wq = alloc_workqueue("kmdom_kunit", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	dom = &bed->dom;
	dom->state = KMDOM_DOMAIN_SERVED;
	mutex_init(&dom->lifecycle);
	init_waitqueue_head(&dom->drain_wq);
	kmdom_wait_init(&dom->wait);
	dom->wait.deadline_ms = 1;
	xa_init_flags(&dom->caches, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	kmdom_table_init(&dom->table, &dom->ledger);
	KUNIT_ASSERT_EQ(test, kmdom_ledger_init(&dom->ledger, max_frames, &bed_ledger_ops,
						wq, &dom->wait.nr_waiters), 0);
	address_space_init_once(&bed->mapping);
	bed->pages_left = BED_NEVER;
	bed->locked = bed_locked();
	bed->pages = atomic_long_read(&bed_pages);
	bed->users = atomic_long_read(&bed_users);
	bed_warnings();
	return bed;
}

/** bed_settle - what is on its way through a grace period arrives */
void bed_settle(struct bed *bed)
{
	rcu_barrier();
	flush_workqueue(bed->dom.ledger.wq);
}

/** bed_end - everything has come back: pools, memory, references */
void bed_end(struct bed *bed)
{
	bed_settle(bed);
	/* A table's frame takes one grace period to be free, another to leave. */
	bed_settle(bed);
	/* And then its pool. */
	flush_workqueue(bed->dom.ledger.wq);
	kmdom_promises_drop(&bed->dom.ledger);
	EXPECT(list_empty(&bed->dom.ledger.pools));
	EXPECT(list_empty(&bed->dom.ledger.free));
	EXPECT_EQ(bed->dom.ledger.backed, 0);
	EXPECT_EQ(bed->dom.ledger.nr_free, 0);
	EXPECT_EQ(bed->dom.ledger.nr_used, 0);
	EXPECT_EQ(bed->dom.ledger.nr_tables, 0);
	EXPECT_EQ(bed->dom.ledger.reserved, 0);
	EXPECT_EQ(bed->dom.ledger.nr_late, 0);
	EXPECT_EQ(atomic_read(&bed->refs), 0);
	EXPECT_EQ(atomic_long_read(&bed_pages), bed->pages);
	EXPECT_EQ(atomic_long_read(&bed_users), bed->users);
	EXPECT_EQ(bed_locked(), bed->locked);
	EXPECT_EQ(bed_warnings(), 0);
	xa_destroy(&bed->dom.caches);
	kmdom_ledger_exit(&bed->dom.ledger);
	destroy_workqueue(bed->dom.ledger.wq);
}

/** bed_try_pool - a session's pool, the pager's own as far as it goes; or an error */
struct kmdom_pool *bed_try_pool(struct bed *bed, u32 nr_frames)
{
	struct kmdom_pool *pool = kmdom_pool_create(&bed->dom.ledger, nr_frames);

	if (!IS_ERR(pool))
		pool->mapping = &bed->mapping;
	return pool;
}

/** bed_pool - the same, without which the case ends */
struct kmdom_pool *bed_pool(struct bed *bed, u32 nr_frames)
{
	struct kmdom_pool *pool = bed_try_pool(bed, nr_frames);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(kunit_get_current_test(), pool);
	return pool;
}

/** bed_granted - a session's pool, all of it lent */
struct kmdom_pool *bed_granted(struct bed *bed, u32 nr_frames)
{
	struct kmdom_pool *pool = bed_pool(bed, nr_frames);

	EXPECT_EQ(bed_grant(pool, 0, nr_frames), nr_frames);
	return pool;
}

/** bed_pool_drop - the session ends, and its file is closed */
void bed_pool_drop(struct kmdom_pool *pool)
{
	kmdom_pool_end(pool);
	kmdom_pool_put(pool);
}

/** bed_grant - lend frames, in as many steps as it takes; how many were lent */
u64 bed_grant(struct kmdom_pool *pool, u64 first, u32 nr)
{
	u64 done = 0;

	while (nr) {
		u32 step = min_t(u32, nr, KMDOM_GRANT_CHUNK);

		if (kmdom_pool_grant(pool, first, &step, &done))
			break;
		first += step;
		nr -= step;
	}
	return done;
}

/** bed_revoke - take frames back; how many there were */
u64 bed_revoke(struct kmdom_pool *pool, u64 first, u32 nr)
{
	u64 done = 0;

	kmdom_pool_revoke(pool, first, nr, &done);
	return done;
}

/** bed_promise - promise frames, without which the case ends */
void bed_promise(struct bed *bed, unsigned int nr)
{
	KUNIT_ASSERT_TRUE(kunit_get_current_test(),
			  kmdom_frames_reserve(&bed->dom.ledger, nr,
					       KMDOM_CLAIM_OLDEST));
}

/** bed_take - a frame in TRANSIT, without which the case ends */
struct kmdom_frame *bed_take(struct bed *bed, enum kmdom_claim claim)
{
	struct kmdom_frame *frame = kmdom_frame_take(&bed->dom.ledger, claim);

	KUNIT_ASSERT_NOT_NULL(kunit_get_current_test(), frame);
	return frame;
}

/**
 * bed_leave_free - let exactly so many frames be free
 * @bed: with one pool
 * @nr: how many; at most those of the pool that are not in use
 */
void bed_leave_free(struct bed *bed, u64 nr)
{
	struct kmdom_pool *pool = list_first_entry(&bed->dom.ledger.pools,
						   struct kmdom_pool, node);
	u32 i;

	for (i = 0; i < pool->nr_frames && bed->dom.ledger.nr_free != nr; i++) {
		if (bed->dom.ledger.nr_free > nr)
			bed_revoke(pool, i, 1);
		else
			bed_grant(pool, i, 1);
	}
	EXPECT_EQ(bed->dom.ledger.nr_free, nr);
}

/* What the frames of the pools add up to. */
struct bed_sums {
	u64 state[KMDOM_FRAME_TABLE + 1];
	u64 late;
};

/* A free frame is zero, frozen and on the list. */
static void bed_check_free(const struct kmdom_frame *frame)
{
	const u64 *words = kmdom_frame_data(frame);

	EXPECT(!words[0] && !words[KMDOM_FRAME_SIZE / sizeof(u64) - 1]);
	EXPECT_EQ(atomic64_read(&frame->pins), KMDOM_PIN_FROZEN);
	EXPECT(!list_empty(&frame->node));
}

static void bed_sum_pool(const struct kmdom_pool *pool, struct bed_sums *sums)
{
	u64 bare = 0;
	u32 i;

	for (i = 0; i < pool->nr_frames; i++) {
		const struct kmdom_frame *frame = &pool->frames[i];

		sums->state[frame->state]++;
		sums->late += frame->late;
		bare += frame->state == KMDOM_FRAME_NONE;
		if (frame->state == KMDOM_FRAME_FREE)
			bed_check_free(frame);
	}
	EXPECT_EQ(pool->nr_bare, bare);
}

/**
 * bed_check_ledger - the ledger says what the frames' descriptors say
 * @bed: used by nobody else now: bed_settle() comes first where work is deferred
 */
void bed_check_ledger(struct bed *bed)
{
	struct kmdom_ledger *ledger = &bed->dom.ledger;
	struct bed_sums sums = {};
	struct kmdom_pool *pool;
	u64 used;

	list_for_each_entry(pool, &ledger->pools, node)
		bed_sum_pool(pool, &sums);
	used = sums.state[KMDOM_FRAME_TRANSIT] + sums.state[KMDOM_FRAME_PAGE] +
	       sums.state[KMDOM_FRAME_TABLE];
	EXPECT_EQ(ledger->nr_free, sums.state[KMDOM_FRAME_FREE]);
	EXPECT_EQ(ledger->nr_free, list_count_nodes(&ledger->free));
	EXPECT_EQ(ledger->nr_used, used);
	EXPECT_EQ(ledger->nr_tables, sums.state[KMDOM_FRAME_TABLE]);
	EXPECT_EQ(ledger->nr_late, sums.late);
	EXPECT_EQ(ledger->backed, ledger->nr_free + used +
				  sums.state[KMDOM_FRAME_OWNED]);
	EXPECT(ledger->backed <= ledger->max);
	EXPECT(ledger->reserved <= ledger->nr_free || ledger->closed);
	EXPECT(ledger->peak_used >= ledger->nr_used);
}

/** bed_failed - has the case failed, so that more steps would tell of nothing? */
bool bed_failed(void)
{
	return READ_ONCE(kunit_get_current_test()->status) == KUNIT_FAILURE;
}

/** bed_permute - the permutation of that number of at most 8 things */
void bed_permute(const u64 *from, u64 *to, unsigned int nr, unsigned int number)
{
	u64 left[8];
	unsigned int i;

	memcpy(left, from, nr * sizeof(*left));
	for (i = 0; i < nr; i++) {
		unsigned int pick = number % (nr - i);

		number /= nr - i;
		to[i] = left[pick];
		left[pick] = left[nr - i - 1];
	}
}
