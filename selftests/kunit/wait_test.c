// SPDX-License-Identifier: GPL-2.0
/*
 * wait_test.c - clients that wait, each in a thread: what ends a wait, and whose
 *
 * All that could be granted is, whoever comes when: nobody sleeps until a deadline
 * because he was not told. And what was shown to the pager is shown again if it is
 * another absence.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include "desk.h"

/* ms; for who is to wait until it is over, and for who is not to wait so long. */
#define LONG	60000
#define SHORT	50

/**
 * struct guest - a client with an operation of one pin set
 * @shop: where
 * @ref: what is pinned; 0: nothing
 * @nr_allocs: objects that are made, as far as they are promised
 * @ms: until its deadline
 * @task: its thread
 * @ret: what the set's grant returned
 * @over: it has
 */
struct guest {
	struct shop *shop;
	kmdom_ref ref;
	unsigned int nr_allocs;
	unsigned int ms;
	struct task_struct *task;
	int ret;
	struct completion over;
};

static int guest_run(void *arg)
{
	struct guest *guest = arg;
	struct kmdom_pin pin = { .cache = guest->shop->cache, .ref = guest->ref };
	struct kmdom_client_op op;

	kmdom_op_begin(&op, &guest->shop->bed->dom, 0);
	op.deadline = ktime_add_ms(ktime_get(), guest->ms);
	guest->ret = kmdom_pin_set(&op, &pin, !!guest->ref, guest->nr_allocs);
	if (!guest->ret && guest->ref)
		kmdom_unpin(&op, &pin);
	kmdom_op_end(&op);
	complete(&guest->over);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* He waits, when this returns. */
static void guest_begin(struct guest *guest, struct shop *shop)
{
	struct kmdom_wait *wait = &shop->bed->dom.wait;
	unsigned int before = READ_ONCE(wait->nr_waiters);

	guest->shop = shop;
	init_completion(&guest->over);
	guest->task = kthread_run(guest_run, guest, "kmdom_guest");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(kunit_get_current_test(), guest->task);
	while (READ_ONCE(wait->nr_waiters) == before && !completion_done(&guest->over))
		cond_resched();
}

static bool guest_waits(const struct guest *guest)
{
	return !completion_done((struct completion *)&guest->over);
}

/* What he got; he is there no more. Long before his deadline, if that is LONG. */
static int guest_end(struct guest *guest)
{
	bool over;

	EXPECT(guest->task);
	if (!guest->task)
		return -ESRCH;
	over = wait_for_completion_timeout(&guest->over, msecs_to_jiffies(LONG / 4));
	EXPECT(over);
	if (!over)
		kmdom_wait_abort(&guest->shop->bed->dom);
	kthread_stop(guest->task);
	return guest->ret;
}

/* Events that the session is shown now. */
static unsigned int events(struct shop *shop, struct kmdom_event *events, unsigned int max)
{
	struct kmdom_domain *dom = &shop->bed->dom;
	unsigned int nr;

	spin_lock(&dom->wait.lock);
	nr = kmdom_events_take(dom, events, max);
	spin_unlock(&dom->wait.lock);
	return nr;
}

/* The only event is the fault of that page, as it is now. */
static void expect_fault(const struct desk *desk)
{
	struct kmdom_event event[2];

	EXPECT_EQ(events(desk->shop, event, 2), 1);
	EXPECT_EQ(event[0].type, KMDOM_EVENT_FAULT);
	EXPECT_EQ(event[0].index, desk->op.index);
	EXPECT_EQ(event[0].level, desk->op.level);
	EXPECT_EQ(event[0].version, desk->res.version);
}

static kmdom_ref ref_of(const struct desk *desk)
{
	return kmdom_ref_make(desk->op.index, 0);
}

/**
 * struct scene - two pages that are absent
 * @shop: whose they are
 * @first: of the one who waits first
 * @second: of the other one
 */
struct scene {
	struct shop shop;
	struct desk *first;
	struct desk *second;
};

static void scene_begin(struct scene *scene, struct kunit *test)
{
	shop_begin(&scene->shop, test);
	shop_open(&scene->shop, test, SIZE_OF(1));
	scene->first = desk_open(&scene->shop);
	scene->second = desk_open(&scene->shop);
	desk_take(scene->first);
	desk_take(scene->second);
}

static void scene_end(struct scene *scene)
{
	struct kmdom_domain *dom = &scene->shop.bed->dom;

	EXPECT_EQ(dom->wait.nr_waiters, 0);
	EXPECT(list_empty(&dom->wait.waiters));
	EXPECT_EQ(dom->wait.lack, 0);
	desk_close(scene->first);
	desk_close(scene->second);
	shop_close(&scene->shop);
	kmdom_promises_drop(&dom->ledger);
	EXPECT_EQ(dom->ledger.reserved, 0);
	shop_end(&scene->shop);
}

static void leaves(void *arg)
{
	struct desk *desk = arg;

	EXPECT_EQ(desk_evict(desk, desk->res.version), 0);
}

static void stays(void *arg)
{
	struct desk *desk = arg;

	EXPECT_EQ(desk_evict(desk, desk->res.version), -EBUSY);
}

/*
 * A page leaves between its arrival and the word of it: who waits for it asks again.
 * Not that of the oldest, who is sure to get what has come.
 */
static void test_evicted_before_it_is_told(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = { .ms = LONG };
	struct kmdom_event event[3];
	struct scene scene;

	scene_begin(&scene, test);
	first.ref = ref_of(scene.first);
	second.ref = ref_of(scene.second);
	guest_begin(&first, &scene.shop);
	guest_begin(&second, &scene.shop);
	EXPECT_EQ(events(&scene.shop, event, 3), 2);
	bed_before(BED_TELL, leaves, scene.second);
	EXPECT_EQ(desk_restore(scene.second), 0);
	EXPECT(guest_waits(&second));
	expect_fault(scene.second);
	bed_before(BED_TELL, stays, scene.first);
	EXPECT_EQ(desk_restore(scene.first), 0);
	EXPECT_EQ(guest_end(&first), 0);
	EXPECT_EQ(events(&scene.shop, event, 3), 0);
	EXPECT_EQ(desk_restore(scene.second), 0);
	EXPECT_EQ(guest_end(&second), 0);
	scene_end(&scene);
}

/* Who waits twice for a page, or for one that others wait for, makes one event of it. */
static void test_one_event(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = { .ms = LONG };
	struct kmdom_event event[2];
	struct scene scene;

	scene_begin(&scene, test);
	first.ref = ref_of(scene.first);
	second.ref = ref_of(scene.first);
	guest_begin(&first, &scene.shop);
	expect_fault(scene.first);
	guest_begin(&second, &scene.shop);
	EXPECT_EQ(events(&scene.shop, event, 2), 0);
	EXPECT_EQ(desk_restore(scene.first), 0);
	EXPECT_EQ(guest_end(&first), 0);
	EXPECT_EQ(guest_end(&second), 0);
	scene_end(&scene);
}

/*
 * Frames of which one behind the oldest can be promised his, where so many wait: with one
 * less he cannot.
 */
static u64 enough(unsigned int nr_waiters)
{
	return SHOP_PROMISE + KMDOM_FRAMES_RESERVE + nr_waiters;
}

/**
 * struct crowd - several who restore one page at once; the last of them wins
 * @desk: of the page
 * @left: who are still to come
 * @guest: who comes when all have their frames
 * @won: who restored it
 */
struct crowd {
	struct desk *desk;
	unsigned int left;
	struct guest *guest;
	unsigned int won;
};

static void one_comes(void *arg)
{
	struct crowd *crowd = arg;

	if (crowd->left--) {
		bed_before(BED_DECODE, one_comes, crowd);
		crowd->won += !desk_restore(crowd->desk);
		return;
	}
	guest_begin(crowd->guest, crowd->desk->shop);
	EXPECT(guest_waits(crowd->guest));
}

/* Who was overtaken has had a frame, which somebody lacked meanwhile. */
static void test_overtaken(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = { .nr_allocs = 1, .ms = LONG };
	struct crowd crowd = { .left = 3, .guest = &second };
	struct scene scene;

	scene_begin(&scene, test);
	first.ref = ref_of(scene.first);
	guest_begin(&first, &scene.shop);
	/* One frame is the page's in the end. */
	bed_leave_free(scene.shop.bed, enough(2) + 1);
	crowd.desk = scene.second;
	one_comes(&crowd);
	EXPECT_EQ(crowd.won, 1);
	EXPECT_EQ(guest_end(&second), 0);
	EXPECT(guest_waits(&first));
	EXPECT_EQ(desk_restore(scene.first), 0);
	EXPECT_EQ(guest_end(&first), 0);
	scene_end(&scene);
}

static void collects(void *arg)
{
	kmdom_promises_drop(arg);
}

/* What was promised to an operation, and not used, is for who lacked it. */
static void check_promised(struct kunit *test, bool collected)
{
	struct guest first = { .ms = LONG }, second = { .nr_allocs = 1, .ms = LONG };
	struct kmdom_client_op op;
	struct scene scene;

	scene_begin(&scene, test);
	first.ref = ref_of(scene.first);
	guest_begin(&first, &scene.shop);
	bed_leave_free(scene.shop.bed, enough(2));
	kmdom_op_begin(&op, &scene.shop.bed->dom, 0);
	EXPECT_EQ(kmdom_pin_set(&op, NULL, 0, 1), 0);
	guest_begin(&second, &scene.shop);
	EXPECT(guest_waits(&second));
	if (collected)
		bed_before(BED_KEPT, collects, &scene.shop.bed->dom.ledger);
	kmdom_op_end(&op);
	EXPECT_EQ(guest_end(&second), 0);
	EXPECT_EQ(desk_restore(scene.first), 0);
	EXPECT_EQ(guest_end(&first), 0);
	scene_end(&scene);
}

static void test_promised(struct kunit *test)
{
	check_promised(test, false);
}

/* Also when another one took it as it was kept for the next. */
static void test_promised_and_collected(struct kunit *test)
{
	check_promised(test, true);
}

/*
 * The last frames are the oldest's: of two who wait the second gets them when the first
 * is there no more, however that one ended.
 */
static void begin_behind(struct scene *scene, struct guest *first, struct guest *second)
{
	first->ref = ref_of(scene->first);
	second->nr_allocs = 1;
	second->ms = LONG;
	bed_leave_free(scene->shop.bed, SHOP_PROMISE);
	guest_begin(first, &scene->shop);
	guest_begin(second, &scene->shop);
	EXPECT(guest_waits(second));
}

static void test_behind_the_late(struct kunit *test)
{
	struct guest first = { .ms = SHORT }, second = {};
	struct scene scene;

	scene_begin(&scene, test);
	begin_behind(&scene, &first, &second);
	EXPECT_EQ(guest_end(&first), -ETIMEDOUT);
	EXPECT_EQ(guest_end(&second), 0);
	scene_end(&scene);
}

static void test_behind_the_refused(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = {};
	struct kmdom_op op = { .code = KMDOM_OP_REFUSE };
	struct kmdom_result res = {};
	struct scene scene;

	scene_begin(&scene, test);
	begin_behind(&scene, &first, &second);
	op.index = scene.first->op.index;
	op.version = scene.first->res.version;
	EXPECT_EQ(kmdom_page_refuse(&scene.first->session, &op, &res), 0);
	EXPECT_EQ(res.value, 1);
	EXPECT_EQ(guest_end(&first), -EIO);
	EXPECT_EQ(guest_end(&second), 0);
	scene_end(&scene);
}

static void test_behind_the_granted(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = {};
	struct scene scene;

	scene_begin(&scene, test);
	begin_behind(&scene, &first, &second);
	/* One more, for the page: it would not be enough for who is not the oldest. */
	bed_leave_free(scene.shop.bed, SHOP_PROMISE + 1);
	EXPECT(guest_waits(&second));
	EXPECT_EQ(desk_restore(scene.first), 0);
	EXPECT_EQ(guest_end(&first), 0);
	EXPECT_EQ(guest_end(&second), 0);
	scene_end(&scene);
}

/* Frames for all who lack some, one behind the other. */
static void test_frames_for_all(struct kunit *test)
{
	struct guest guests[4] = {};
	struct scene scene;
	unsigned int i;

	scene_begin(&scene, test);
	bed_leave_free(scene.shop.bed, 0);
	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		guests[i] = (struct guest) { .nr_allocs = 1, .ms = LONG };
		guest_begin(&guests[i], &scene.shop);
	}
	bed_leave_free(scene.shop.bed, SHOP_PROMISE - 1);
	kmdom_wait_frames_freed(&scene.shop.bed->dom, true);
	for (i = 0; i < ARRAY_SIZE(guests); i++)
		EXPECT(guest_waits(&guests[i]));
	bed_leave_free(scene.shop.bed, SHOP_PROMISE);
	kmdom_wait_frames_freed(&scene.shop.bed->dom, true);
	for (i = 0; i < ARRAY_SIZE(guests); i++)
		EXPECT_EQ(guest_end(&guests[i]), 0);
	scene_end(&scene);
}

/* The end of a domain is that of all waits. */
static void test_aborted(struct kunit *test)
{
	struct guest first = { .ms = LONG }, second = {};
	struct scene scene;

	scene_begin(&scene, test);
	begin_behind(&scene, &first, &second);
	kmdom_wait_abort(&scene.shop.bed->dom);
	EXPECT_EQ(guest_end(&first), -ENODEV);
	EXPECT_EQ(guest_end(&second), -ENODEV);
	scene_end(&scene);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(test_evicted_before_it_is_told),
	KUNIT_CASE(test_one_event),
	KUNIT_CASE(test_overtaken),
	KUNIT_CASE(test_promised),
	KUNIT_CASE(test_promised_and_collected),
	KUNIT_CASE(test_behind_the_late),
	KUNIT_CASE(test_behind_the_refused),
	KUNIT_CASE(test_behind_the_granted),
	KUNIT_CASE(test_frames_for_all),
	KUNIT_CASE(test_aborted),
	{}
};

struct kunit_suite wait_suite = {
	.name = "kmdom_wait",
	.test_cases = wait_cases,
};
