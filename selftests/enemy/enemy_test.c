// SPDX-License-Identifier: GPL-2.0
/*
 * A pager that lies, as often as it is told to: records from a corpus, swapped, or
 * changed by a generator, as answers for absent pages of every policy and for tables
 * of every level up to the root; and operations in any order, by two threads, of
 * pages and tables that clients use, who make and free objects meanwhile.
 *
 * Which records must be taken, an oracle says that shares no code with the module.
 *
 * ENEMY_REPLIES in the environment: how many replies; ENEMY_SEED: of all choices, as
 * an earlier run told it.
 */
#include "harness.h"
#include "arena.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	3600

#define REPLIES		60000
#define EACH		1000	/* rejections by each check of them, at least */
#define HIGHER		16	/* one in so many is about the tables of each higher level */

FIXTURE(enemy) { struct enemy enemy; };

FIXTURE_VARIANT(enemy) { enum door_kind door; };
FIXTURE_VARIANT_ADD(enemy, uring) { .door = DOOR_URING };

/* Drawn, or given, so that what it led to can be had again. */
static uint64_t seed(void)
{
	const char *given = getenv("ENEMY_SEED");
	uint64_t seed = now_ms();

	if (given)
		seed = strtoull(given, NULL, 0);
	printf("# ENEMY_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

FIXTURE_SETUP(enemy)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .records = 4096, .newest_only = true,
		.procs = CLIENTS + MAKERS,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_CHECKED | 1 << KT_PAGE |
			 1 << KT_TRIM | 1 << KT_DISCARD | 1 << KT_SCRATCH,
	};
	struct enemy *enemy = &self->enemy;
	enum target_kind kind;

	enemy->state = seed();
	enemy->level = 1;
	ASSERT_EQ(0, bed_up(&enemy->bed, &spec));
	ASSERT_EQ(0, bed_up(&enemy->other, &spec));
	enemy->pager = &enemy->bed.pager;
	enemy->fd = enemy->bed.client;
	for (kind = 0; kind < TABLE; kind++) {
		ASSERT_EQ(0, make_target(enemy, &enemy->bed, kind));
		ASSERT_EQ(0, make_target(enemy, &enemy->other, kind));
	}
	ASSERT_EQ(0, make_table(enemy));
	ASSERT_EQ(0, make_good(enemy));
}

FIXTURE_TEARDOWN(enemy)
{
	EXPECT_EQ(0, bed_down(&self->enemy.other));
	EXPECT_EQ(0, bed_down(&self->enemy.bed));
}

/* Of @part replies, as many by each check as there must be of all. */
static uint64_t share(uint64_t part)
{
	uint64_t each = part * EACH / REPLIES;

	return each < EACH ? each : EACH;
}

TEST_F(enemy, replies)
{
	const char *wanted = getenv("ENEMY_REPLIES");
	uint64_t replies = wanted ? strtoull(wanted, NULL, 0) : scaled("replies", REPLIES);
	struct enemy *enemy = &self->enemy;
	uint64_t told = 0, sum = 0;
	enum kmdom_reject why;
	struct kmdom_info info;
	unsigned int level;

	ASSERT_EQ(0, hide_tables(enemy));
	for (level = KMDOM_LEVELS; level > 1; level--)
		ASSERT_EQ(0, tell_level(enemy, level, replies / HIGHER, &told));
	ASSERT_EQ(0, show_rest(enemy));
	ASSERT_EQ(0, tell_level(enemy, 1, replies - told, &told));
	EXPECT_EQ(told, print_counts(enemy, told));
	EXPECT_EQ(0, enemy->wrong);
	EXPECT_LT(0, enemy->accepted[0]);
	ASSERT_EQ(0, kmdom_info_find(enemy->bed.name, &info));
	for (why = 1; why < KMDOM_NR_REJECTS; why++) {
		EXPECT_LE(share(replies), sum_levels(enemy, why))
			TH_LOG("reason %u", why);
		EXPECT_EQ(sum_levels(enemy, why), info.rejects[why]);
		sum += info.rejects[why];
		for (level = 2; level <= KMDOM_LEVELS && of_tables(why); level++)
			EXPECT_LE(share(replies / HIGHER / 2), enemy->rejects[level][why])
				TH_LOG("level %u, reason %u", level, why);
	}
	EXPECT_EQ(sum, info.rejected);
	EXPECT_EQ(0, good_are_good(enemy));
	EXPECT_EQ(0, bed_conserved(&enemy->bed));
}

/* Objects that their client cannot have any more are lost indeed. */
static unsigned int all_gone_are_lost(struct enemy *enemy, const struct thing *things,
				      bool *lost)
{
	unsigned int i, gone = 0;

	*lost = true;
	for (i = 0; i < MAKERS * THINGS; i++) {
		if (!things[i].gone)
			continue;
		gone++;
		*lost &= is_lost(enemy, KT_REF_INDEX(things[i].ref));
	}
	return gone;
}

/* Two hostile threads, an honest one, and clients; then what was good is good. */
TEST_F(enemy, operations)
{
	unsigned int i, steps = scaled("exchanges", 500);
	struct thing *things = shared_alloc(MAKERS * THINGS * sizeof(*things));
	struct signals *signals = shared_alloc(sizeof(*signals));
	struct enemy *enemy = &self->enemy;
	struct proc *procs = enemy->bed.procs;
	struct maker makers[MAKERS];
	struct chaos chaos[3];
	pthread_t threads[3];
	struct arena arena;
	bool lost;

	arena_init(&arena, enemy, signals);
	ASSERT_EQ(0, chaos_start(&chaos[2], &arena, 0, false, &threads[2], serve_honestly));
	for (i = 0; i < CLIENTS; i++) {
		struct user user = {
			.fd = enemy->fd, .op = i, .good = enemy->good, .seeds = enemy->seeds,
			.signals = signals,
		};

		proc_start(&procs[i], use, &user, sizeof(user));
	}
	for (i = 0; i < MAKERS; i++) {
		makers[i] = (struct maker) {
			.fd = enemy->fd, .op = CLIENTS + i, .state = draw(&enemy->state),
			.left = THINGS_EVER, .things = things + i * THINGS, .signals = signals,
		};
		proc_start(&procs[CLIENTS + i], make_things, &makers[i], sizeof(makers[i]));
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, chaos_start(&chaos[i], &arena, steps, !i, &threads[i], any_order));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, chaos_join(&chaos[i], threads[i]));
	atomic_store(&signals->stop, true);
	for (i = 0; i < CLIENTS + MAKERS; i++)
		EXPECT_EQ(0, proc_finish(&procs[i], NULL, 0));
	for (i = 0; i < MAKERS; i++)
		EXPECT_EQ(0, proc_call(&procs[CLIENTS + i], verify_things, &makers[i],
				       sizeof(makers[i])));
	printf("# %u objects lost\n", all_gone_are_lost(enemy, things, &lost));
	EXPECT_TRUE(lost);
	for (i = 0; i < MAKERS; i++)
		EXPECT_EQ(0, proc_call(&procs[CLIENTS + i], free_things, &makers[i],
				       sizeof(makers[i])));
	atomic_store(&arena.stop, true);
	EXPECT_EQ(0, chaos_join(&chaos[2], threads[2]));
	arena_print(&arena);
	EXPECT_LT(0, atomic_load(&signals->made));
	EXPECT_LT(0, atomic_load(&signals->freed));
	EXPECT_LT(0, atomic_load(&signals->verified));
	EXPECT_LT(0, atomic_load(&signals->ended));
	/* Where less is done some of it may not come about. */
	for (i = 0; i < DEEDS && scale() == 1; i++) {
		EXPECT_LT(0, atomic_load(&arena.deeds[i]))
			TH_LOG("deed %u", i);
	}
	pager_grant(enemy->pager, 0, FRAMES);
	EXPECT_EQ(0, good_are_good(enemy));
	EXPECT_EQ(0, bed_conserved(&enemy->bed));
}

TEST_HARNESS_MAIN
