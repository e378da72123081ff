// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that end while their pager's threads are in the middle of an exchange:
 * of each operation, of pages and of tables, and of two that meet. Its descriptor is
 * closed, another session of the same process takes over, or the process is killed.
 * Each time a successor finds all objects as they are, and all frames.
 *
 * A thread is known to be in the middle because a result of its exchange stalls; it
 * goes on with the next operation while the end comes, sooner or later; in one round of
 * each action when the end has come. Then what is next is told so, if the session was
 * taken over. One that is closed ends with the last thread that is in it, and of what
 * those are told who are killed nothing is left.
 */
#include <endian.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <linux/userfaultfd.h>
#include "harness.h"

#define FRAMES	128
#define OBJECTS	8	/* each alone in its page */
#define OPS	64	/* of an exchange */
#define DRAINS	8	/* operations, if each waits for pins */
#define CHUNK	4	/* frames that are granted or revoked at once */
#define ACTORS	2
#define SPINS	20000	/* turns of a loop, at most: some operations long */
#define ROUNDS	3	/* of each action */
#define PINNED	0	/* the object, or the table, that is pinned for those who drain */

enum way { CLOSED, TAKEN_OVER, KILLED };

/**
 * enum state - of the pages when the operations begin
 * @DIRTY: in frames, and a client writes them
 * @CLEAN: in frames, exported and stored; a client reads them
 * @ABSENT: in the store; a client wants one
 * @UNWANTED: in the store, and nobody wants any
 * @BARE: as UNWANTED, the tables are in frames, exported and stored
 * @GONE: all are in the store, tables too; a client wants one
 */
enum state { DIRTY, CLEAN, ABSENT, UNWANTED, BARE, GONE };

/**
 * struct action - what is in the middle when the session ends
 * @name: what it is called
 * @state: of the pages
 * @tables: whether it is done to tables
 * @code: what each of the threads does; 0: there is none
 * @flags: of that
 * @refused: the client may be refused what it wants
 */
struct action {
	const char *name;
	enum state state;
	bool tables;
	uint16_t code[ACTORS];
	uint16_t flags[ACTORS];
	bool refused;
};

/**
 * struct scene - what the processes share
 * @action: what is done
 * @way: how the session ends
 * @door: of all sessions
 * @name: of the domain
 * @store: of its pagers
 * @fd: client
 * @refs: objects
 * @seeds: what they hold
 * @stop: tells the client to stop
 * @moment: so many results are there when the threads stall
 * @spin: turns of a loop until they go on
 * @end: turns of a loop until the session ends
 * @late: they go on when it has ended
 * @cut: out: whether operations came after the end
 * @pages: what the operations are of
 * @versions: the last that each was stored at
 * @nr_pages: of those
 * @last: the domain's last version
 * @go: the threads may go on
 * @ops: by thread
 * @out: records that are exported
 */
struct scene {
	const struct action *action;
	enum way way;
	enum door_kind door;
	char name[KMDOM_NAME_MAX];
	struct store *store;
	int fd;
	uint64_t refs[OBJECTS];
	uint64_t seeds[OBJECTS];
	atomic_bool stop;
	unsigned int moment;
	unsigned int spin;
	unsigned int end;
	bool late;
	bool cut;
	uint64_t pages[OBJECTS];
	uint64_t versions[OBJECTS];
	unsigned int nr_pages;
	uint64_t last;
	atomic_bool go;
	struct kmdom_op ops[ACTORS][OPS];
	uint8_t out[ACTORS][OPS][KMDOM_RECORD_MAX];
};

static const uint64_t tables[] = {
	PAGE_OF(1, 0), PAGE_OF(2, 0), PAGE_OF(3, 0), PAGE_OF(4, 0),
};

FIXTURE(middle) {
	struct bed bed;
	struct proc *pager;
	struct proc *client;
	struct scene *scene;
	uint64_t state;		/* of what is drawn */
	unsigned int rounds;
};

FIXTURE_VARIANT(middle) { enum door_kind door; enum way way; };
FIXTURE_VARIANT_ADD(middle, ioctl_closed) { .door = DOOR_IOCTL, .way = CLOSED };
FIXTURE_VARIANT_ADD(middle, uring_closed) { .door = DOOR_URING, .way = CLOSED };
FIXTURE_VARIANT_ADD(middle, ioctl_taken_over) { .door = DOOR_IOCTL, .way = TAKEN_OVER };
FIXTURE_VARIANT_ADD(middle, uring_taken_over) { .door = DOOR_URING, .way = TAKEN_OVER };
FIXTURE_VARIANT_ADD(middle, ioctl_killed) { .door = DOOR_IOCTL, .way = KILLED };
FIXTURE_VARIANT_ADD(middle, uring_killed) { .door = DOOR_URING, .way = KILLED };

/* ---- the client ---- */

static int look_at(struct scene *scene, unsigned int nr)
{
	struct kt_page page;
	int ret = kt_get(scene->fd, 1, KT_PAGE, scene->refs[nr], &page, sizeof(page));

	return ret ?: bytes_check(&page, sizeof(page), scene->seeds[nr]);
}

static int change(struct scene *scene, unsigned int nr)
{
	struct kt_page page;
	int ret;

	bytes_fill(&page, sizeof(page), scene->seeds[nr] + 1);
	ret = kt_set(scene->fd, 1, KT_PAGE, scene->refs[nr], &page, sizeof(page));
	scene->seeds[nr] += !ret;
	return ret;
}

static long use(void *arg)
{
	struct scene *scene = *(struct scene **)arg;
	bool writes = scene->action->state == DIRTY;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && !atomic_load(&scene->stop); i = (i + 1) % OBJECTS) {
		ret = look_at(scene, i);
		if (!ret && writes)
			ret = change(scene, i);
		if (ret == -EIO && scene->action->refused)
			ret = 0;
		/* The others want the CPUs, too. */
		usleep(200);
	}
	return ret;
}

static long look_at_all(void *arg)
{
	struct scene *scene = *(struct scene **)arg;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < OBJECTS && !ret; i++)
		ret = look_at(scene, i);
	return ret;
}

/* ---- the pager, in its own process ---- */

/* What was exported and not put into the store: the session ended between. */
static void keep_exported(struct scene *scene)
{
	struct kmdom_record *rec;
	unsigned int i;

	for (i = 0; i < ACTORS * OPS; i++) {
		rec = (struct kmdom_record *)scene->out[i / OPS][i % OPS];
		if (le32toh(rec->magic) == KMDOM_MAGIC_RECORD)
			store_put(scene->store, PAGE_OF(rec->level, le64toh(rec->index)),
				  le64toh(rec->version), rec, le32toh(rec->length));
		memset(rec, 0, sizeof(*rec));
	}
}

/* Of an absent table nothing else is shown: once more, when it is there. */
static int restore_all(struct pager *pager)
{
	struct kmdom_page pages[PAGER_BATCH];
	bool tables_came;
	uint64_t cursor;
	int nr, i, ret = 0;

	do {
		tables_came = false;
		cursor = 0;
		do {
			nr = pager_scan(pager, &cursor, pages, PAGER_BATCH, 0);
			for (i = 0; i < nr && !ret; i++) {
				if (pages[i].state != KMDOM_PAGE_ABSENT)
					continue;
				ret = pager_answer(pager, PAGE_OF(pages[i].level, pages[i].index),
						   pages[i].version);
				tables_came |= pages[i].level;
			}
		} while (cursor && !ret && nr >= 0);
	} while (tables_came && !ret);
	return ret ?: nr < 0 ? nr : 0;
}

/* A session that was closed ends with the last thread that is in it. */
static int adopt(struct scene *scene, struct pager *pager, uint32_t flags)
{
	long long end = now_ms() + PROC_PATIENCE;
	int ret;

	do {
		ret = pager_adopt(pager, scene->name, scene->door, FRAMES, flags);
	} while (ret == -EBUSY && now_ms() < end);
	return ret;
}

static long succeed(void *arg)
{
	struct scene *scene = *(struct scene **)arg;
	struct pager *pager = remote_pager();
	int ret = 0;

	if (pager->ctl < 0)
		ret = pager_open(pager, scene->store);
	if (!ret && pager->fd < 0)
		ret = adopt(scene, pager, 0);
	if (!ret && pager_grant(pager, 0, FRAMES) != FRAMES)
		ret = -ENOBUFS;
	keep_exported(scene);
	return ret ?: restore_all(pager);
}

/* Exports what is dirty, and sees to it that it is clean, or absent. */
static int store_page(struct scene *scene, uint64_t page, bool evict, uint64_t *version)
{
	struct pager *pager = remote_pager();
	int ret = evict ? pager_preempt(pager, page) : pager_export(pager, page, 0);

	*version = pager->res.version;
	if (*version > scene->last)
		scene->last = *version;
	if (!ret && !evict)
		ret = pager_stored(pager, page, *version);
	return ret == -EALREADY ? 0 : ret;
}

static int store_tables(struct scene *scene)
{
	enum state state = scene->action->state;
	uint64_t versions[ARRAY_SIZE(tables)] = { 0 };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(tables) && !ret && state >= BARE; i++) {
		ret = store_page(scene, tables[i], state == GONE, &versions[i]);
		/* One that has a table under it in a frame cannot be exported. */
		if (ret == -EBUSY && state == BARE && i)
			ret = 0;
	}
	if (ret || !scene->action->tables)
		return ret;
	memcpy(scene->pages, tables, sizeof(tables));
	memcpy(scene->versions, versions, sizeof(versions));
	scene->nr_pages = ARRAY_SIZE(tables);
	return 0;
}

/* Brings all pages into the state that the action begins with. */
static int set_state(struct scene *scene)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < OBJECTS && !ret; i++) {
		scene->pages[i] = KT_REF_INDEX(scene->refs[i]);
		ret = store_page(scene, scene->pages[i], scene->action->state > CLEAN,
				 &scene->versions[i]);
	}
	scene->nr_pages = OBJECTS;
	return ret ?: store_tables(scene);
}

static bool is_draining(const struct action *action)
{
	return action->flags[0] & KMDOM_OPF_DRAIN;
}

static unsigned int nr_ops(const struct action *action)
{
	return is_draining(action) ? DRAINS : OPS;
}

static bool is_evicted_while_exported(const struct action *action)
{
	return action->code[0] == KMDOM_OP_EXPORT && action->code[1] == KMDOM_OP_EVICT;
}

static void make_op(struct scene *scene, unsigned int actor, unsigned int nr)
{
	const struct action *action = scene->action;
	struct kmdom_op *op = &scene->ops[actor][nr];
	/* What comes back comes from the top down. */
	unsigned int at = action->code[actor] == KMDOM_OP_RESTORE ?
			  scene->nr_pages - 1 - nr % scene->nr_pages : nr % scene->nr_pages;
	struct stored *rec;

	if (is_draining(action))
		at = PINNED;
	*op = (struct kmdom_op) { .code = action->code[actor], .flags = action->flags[actor] };
	if (op->code == KMDOM_OP_RESEND)
		return;
	if (op->code == KMDOM_OP_GRANT || op->code == KMDOM_OP_REVOKE) {
		op->index = CHUNK * nr % FRAMES;
		op->arg = CHUNK;
		return;
	}
	op->buf = (unsigned long)scene->out[actor][nr];
	op->len = KMDOM_RECORD_MAX;
	if (op->code == KMDOM_OP_SCAN) {
		op->arg = 16;
		return;
	}
	op->level = PAGE_LEVEL(scene->pages[at]);
	op->index = PAGE_INDEX(scene->pages[at]);
	if (op->code == KMDOM_OP_EXPORT)
		return;
	op->version = scene->versions[at];
	/* Before it is told: versions are counted. */
	if (is_evicted_while_exported(action))
		op->version = scene->last + 1 + nr;
	rec = op->code == KMDOM_OP_RESTORE ?
	      store_get(scene->store, scene->pages[at], scene->versions[at]) : NULL;
	op->buf = rec ? (unsigned long)rec->data : 0;
	op->len = rec ? rec->len : 0;
}

/**
 * struct actor - a thread of the pager
 * @scene: the scene
 * @nr: which one
 * @fd: session's descriptor
 * @trap: where its results are
 * @results: those
 * @thread: the thread
 */
struct actor {
	struct scene *scene;
	unsigned int nr;
	int fd;
	struct trap trap;
	struct kmdom_result *results;
	pthread_t thread;
};

static void *act(void *arg)
{
	struct actor *actor = arg;
	struct kmdom_exchange ex = {
		.ops = (unsigned long)actor->scene->ops[actor->nr],
		.results = (unsigned long)actor->results,
		.nr_ops = nr_ops(actor->scene->action), .timeout_ns = -1,
	};
	struct door door;

	if (door_open(&door, actor->scene->door, actor->fd))
		return NULL;
	door_exchange(&door, &ex);
	door_close(&door);
	return NULL;
}

/* Memory of which the first page is there, and what is behind it stalls. */
static int set_trap(struct actor *actor)
{
	struct uffdio_zeropage zero = { .range.len = 4096 };
	int ret = trap_set(&actor->trap, 3 * 4096);

	if (ret)
		return ret;
	zero.range.start = (unsigned long)actor->trap.mem;
	actor->results = (struct kmdom_result *)(actor->trap.mem + 4096) - actor->scene->moment;
	return ioctl(actor->trap.fd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

/* All threads are in the middle when it returns how many there are. */
static int start(struct scene *scene, struct pager *pager, struct actor *actors)
{
	unsigned int nr, i;
	int ret = 0;

	atomic_store(&scene->go, false);
	for (nr = 0; nr < ACTORS && scene->action->code[nr] && !ret; nr++) {
		for (i = 0; i < nr_ops(scene->action); i++)
			make_op(scene, nr, i);
		actors[nr] = (struct actor) { .scene = scene, .nr = nr, .fd = pager->fd };
		ret = set_trap(&actors[nr]);
		ret = ret ?: -pthread_create(&actors[nr].thread, NULL, act, &actors[nr]);
	}
	for (i = 0; i < nr && !ret; i++)
		ret = trap_caught(&actors[i].trap, PROC_PATIENCE);
	return ret ?: (int)nr;
}

static void turn(volatile unsigned int turns)
{
	while (turns)
		turns--;
}

static void *let_go(void *arg)
{
	struct actor *actors = arg;
	struct scene *scene = actors->scene;
	unsigned int i;

	while (!atomic_load(&scene->go))
		cpu_relax();
	turn(scene->spin);
	for (i = 0; i < ACTORS && scene->action->code[i]; i++)
		trap_release(&actors[i].trap);
	return NULL;
}

/* Waits for the threads; returns whether one was told that the session is over. */
static bool finish(struct scene *scene, struct actor *actors, unsigned int nr)
{
	bool cut = false;
	unsigned int i;

	while (nr--) {
		pthread_join(actors[nr].thread, NULL);
		for (i = 0; i < nr_ops(scene->action); i++)
			cut |= actors[nr].results[i].ret == -EOWNERDEAD;
		trap_remove(&actors[nr].trap);
	}
	return cut;
}

static int end(struct scene *scene, struct pager *pager)
{
	switch (scene->way) {
	case CLOSED:
		pager_leave(pager);
		return 0;
	case TAKEN_OVER:
		return adopt(scene, pager, KMDOM_ADOPT_TAKEOVER);
	default:
		return kill(getpid(), SIGKILL);
	}
}

/* Whom the pager keeps waiting is there before anything begins. */
static bool is_wanted(const struct action *action)
{
	return action->state == ABSENT || action->state == GONE;
}

static long perform(void *arg)
{
	struct scene *scene = *(struct scene **)arg;
	struct pager *pager = remote_pager(), old;
	struct actor actors[ACTORS];
	struct kmdom_event event;
	pthread_t thread;
	int nr, ret = 0;

	if (is_wanted(scene->action))
		ret = pager_event(pager, KMDOM_EVENT_FAULT, &event);
	nr = ret ?: start(scene, pager, actors);
	if (nr < 0)
		return nr;
	if (pthread_create(&thread, NULL, let_go, actors))
		return -EAGAIN;
	old = *pager;
	atomic_store(&scene->go, !scene->late);
	turn(scene->end);
	ret = end(scene, pager);
	atomic_store(&scene->go, true);
	pthread_join(thread, NULL);
	scene->cut = finish(scene, actors, nr);
	if (scene->way == TAKEN_OVER)
		pager_leave(&old);
	return ret;
}

static long prepare(void *arg)
{
	struct scene *scene = *(struct scene **)arg;
	struct pager *pager = remote_pager();
	int ret = set_state(scene);

	/* So that there is something to grant. */
	if (!ret && scene->action->code[0] == KMDOM_OP_GRANT && !scene->action->code[1])
		ret = pager_revoke(pager, 0, FRAMES) > 0 ? 0 : -EBUSY;
	return ret;
}

/* ---- the test ---- */

FIXTURE_SETUP(middle)
{
	struct bed_spec spec = {
		.procs = 2, .types = 1 << KT_PAGE, .no_session = true, .records = 8192,
	};
	struct scene *scene;
	unsigned int i;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.procs[0];
	self->client = &self->bed.procs[1];
	self->state = now_ms();
	self->scene = shared_alloc(sizeof(*self->scene));
	scene = self->scene;
	*scene = (struct scene) {
		.way = variant->way, .door = variant->door, .store = self->bed.store,
		.fd = self->bed.client,
	};
	memcpy(scene->name, self->bed.name, sizeof(scene->name));
	ASSERT_EQ(0, proc_call(self->pager, succeed, &scene, sizeof(scene)));
	for (i = 0; i < OBJECTS; i++) {
		struct kt_page page;

		bytes_fill(&page, sizeof(page), scene->seeds[i]);
		ASSERT_EQ(0, px_new(self->client, scene->fd, KT_PAGE, &page, sizeof(page),
				    &scene->refs[i]));
	}
}

FIXTURE_TEARDOWN(middle)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int end_in_the_middle(struct _test_data_middle *self)
{
	struct scene *scene = self->scene;
	int ret = proc_call(self->pager, perform, &scene, sizeof(scene));

	if (scene->way != KILLED)
		return ret;
	if (ret != -ESRCH)
		return ret ?: -EILSEQ;
	return proc_reap(self->pager, PROC_PATIENCE) ?: proc_respawn(self->pager);
}

/* For what they wait that drain. */
static int pin(const struct scene *scene)
{
	const struct action *action = scene->action;
	int mode = action->tables ? KT_PIN_TABLE :
		   action->code[0] == KMDOM_OP_EXPORT ? KT_PIN_WRITE : KT_PIN_READ;

	return is_draining(action) ? kt_pin(scene->fd, 2, KT_PAGE, scene->refs[PINNED], mode) : 0;
}

static int play(struct _test_data_middle *self, const struct action *action)
{
	bool uses = action->state != UNWANTED && action->state != BARE;
	struct scene *scene = self->scene;
	int ret, used;

	scene->action = action;
	atomic_store(&scene->stop, false);
	ret = proc_call(self->pager, prepare, &scene, sizeof(scene));
	if (ret)
		return ret;
	ret = pin(scene);
	if (uses)
		proc_start(self->client, use, &scene, sizeof(scene));
	ret = ret ?: end_in_the_middle(self);
	ret = ret ?: proc_call(self->pager, succeed, &scene, sizeof(scene));
	if (is_draining(action))
		kt_end(scene->fd, 2);
	atomic_store(&scene->stop, true);
	used = uses ? proc_finish(self->client, NULL, 0) : 0;
	ret = ret ?: used;
	ret = ret ?: proc_call(self->client, look_at_all, &scene, sizeof(scene));
	return ret ?: remote_conserved(self->pager);
}

static unsigned int draw(uint64_t *state, unsigned int below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % below;
}

/* Of what is not a matter of luck: who was told that the session is over, and who not. */
static int check_cut(const struct scene *scene)
{
	if (scene->way == CLOSED && scene->cut)
		return -EOWNERDEAD;
	return scene->way == TAKEN_OVER && scene->late && !scene->cut ? -EISCONN : 0;
}

/* The moments are early ones, while most operations find something to do. */
static int play_rounds(struct _test_data_middle *self, const struct action *action)
{
	unsigned int round, cut = 0;
	struct scene *scene = self->scene;
	int ret = 0;

	for (round = 0; round <= self->rounds && !ret; round++) {
		scene->moment = draw(&self->state, is_draining(action) ? DRAINS / 2 : 2 * OBJECTS);
		scene->spin = draw(&self->state, SPINS);
		scene->end = draw(&self->state, SPINS);
		scene->late = round == self->rounds;
		scene->cut = false;
		ret = play(self, action) ?: check_cut(scene);
		cut += scene->cut;
	}
	if (ret)
		printf("# %s: %d in round %u\n", action->name, ret, round);
	else if (scene->way == TAKEN_OVER)
		printf("# %s: cut in %u rounds of %u\n", action->name, cut, round);
	return ret;
}

static int play_all(struct _test_data_middle *self, const struct action *actions,
		    unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	self->rounds = scaled("rounds", ROUNDS);
	for (i = 0; i < nr && !ret; i++)
		ret = play_rounds(self, &actions[i]);
	return ret;
}

#define ONE(op, st, ...) \
	{ .name = #op, .state = st, .code = { KMDOM_OP_##op }, ##__VA_ARGS__ }
#define TABLES(op, st, ...)	ONE(op, st, .tables = true, ##__VA_ARGS__)
#define DRAIN			.flags = { KMDOM_OPF_DRAIN }

TEST_F(middle, operations)
{
	static const struct action actions[] = {
		ONE(EXPORT, DIRTY), ONE(STORED, CLEAN), ONE(EVICT, CLEAN), ONE(RESTORE, ABSENT),
		ONE(REFUSE, ABSENT, .refused = true), ONE(GRANT, CLEAN), ONE(REVOKE, CLEAN),
		ONE(SCAN, DIRTY), ONE(RESEND, ABSENT),
	};

	ASSERT_EQ(0, play_all(self, actions, ARRAY_SIZE(actions)));
}

/* Nearly all of the time they wait for the pin. */
TEST_F(middle, of_draining)
{
	static const struct action actions[] = {
		ONE(EXPORT, DIRTY, DRAIN), ONE(EVICT, CLEAN, DRAIN), TABLES(EVICT, BARE, DRAIN),
	};

	ASSERT_EQ(0, play_all(self, actions, ARRAY_SIZE(actions)));
}

TEST_F(middle, of_tables)
{
	static const struct action actions[] = {
		TABLES(EXPORT, UNWANTED), TABLES(STORED, BARE), TABLES(EVICT, BARE),
		TABLES(RESTORE, GONE), TABLES(REFUSE, GONE, .refused = true),
		TABLES(SCAN, GONE), TABLES(RESEND, GONE),
	};

	ASSERT_EQ(0, play_all(self, actions, ARRAY_SIZE(actions)));
}

TEST_F(middle, of_two)
{
	static const struct action actions[] = {
		{ "restore twice", UNWANTED, false, { KMDOM_OP_RESTORE, KMDOM_OP_RESTORE } },
		{ "restore what is present", CLEAN, false, { KMDOM_OP_RESTORE, KMDOM_OP_EXPORT } },
		{ "evict while exporting", DIRTY, false, { KMDOM_OP_EXPORT, KMDOM_OP_EVICT } },
		{ "answer what nobody waits for", UNWANTED, false,
		  { KMDOM_OP_RESTORE, KMDOM_OP_REFUSE } },
		{ "two answers", ABSENT, false, { KMDOM_OP_RESTORE, KMDOM_OP_RESTORE } },
		{ "answer and refuse", ABSENT, false, { KMDOM_OP_RESTORE, KMDOM_OP_REFUSE },
		  .refused = true },
		{ "two answers of tables", GONE, true, { KMDOM_OP_RESTORE, KMDOM_OP_RESTORE } },
		{ "evict tables while exporting", UNWANTED, true,
		  { KMDOM_OP_EXPORT, KMDOM_OP_EVICT } },
		{ "grant and revoke", CLEAN, false, { KMDOM_OP_GRANT, KMDOM_OP_REVOKE } },
	};

	ASSERT_EQ(0, play_all(self, actions, ARRAY_SIZE(actions)));
}

TEST_HARNESS_MAIN
