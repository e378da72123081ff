// SPDX-License-Identifier: GPL-2.0
/*
 * The nonce of a record is its version: so no two records of a domain ever have the
 * same, whatever became of the first. Every version that a pager gets to see counts
 * here: in results, good and bad, and in what reached its buffers.
 */
#include <endian.h>
#include <sys/mman.h>
#include "harness.h"

#define FRAMES		128
#define PAGES		4	/* of objects, one of each policy that is exported, or nearly */
#define ALL		(PAGES + KMDOM_LEVELS)
#define TABLE(level)	(PAGES + (level) - 1)	/* its number */
#define VERSIONS	65536
#define RING		64	/* exports that one submitter makes */
#define TAG		16	/* bytes behind the payload */

FIXTURE(fresh) {
	struct bed bed;
	struct pager *pager;
	int fd;
	uint64_t refs[PAGES];	/* of each kind, alone in its page */
	uint64_t pages[ALL];	/* of those, and the tables over them, up to the root */
	uint8_t seen[VERSIONS];
	unsigned int nr_seen;
	uint64_t last;		/* the greatest */
	uint8_t buf[KMDOM_RECORD_MAX];
};

BOTH_DOORS(fresh);

static const unsigned int types[PAGES] = { KT_SMALL, KT_SIGNED, KT_CHECKED, KT_PAGE };

static int make(struct _test_data_fresh *self)
{
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	struct kt_small small;
	unsigned int i;
	int ret = 0;

	small_fill(&small, 1);
	for (i = 0; i < PAGES && !ret; i++) {
		const void *obj = types[i] == KT_SMALL ? (void *)&small :
				  types[i] == KT_CHECKED ? (void *)&checked : NULL;

		ret = kt_new(self->fd, 0, types[i], obj, obj ? 64 : 0, &self->refs[i]);
		self->pages[i] = KT_REF_INDEX(self->refs[i]);
	}
	for (i = 1; i <= KMDOM_LEVELS; i++)
		self->pages[TABLE(i)] = PAGE_OF(i, 0);
	return ret;
}

static int begin(struct _test_data_fresh *self, enum door_kind door)
{
	struct bed_spec spec = {
		.door = door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_CHECKED | 1 << KT_PAGE,
	};
	int ret = bed_up(&self->bed, &spec);

	self->pager = &self->bed.pager;
	self->fd = self->bed.client;
	return ret ?: make(self);
}

FIXTURE_SETUP(fresh)
{
	ASSERT_EQ(0, begin(self, variant->door));
}

FIXTURE_TEARDOWN(fresh)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* A version that was not there before, and is greater than all that were. */
static bool is_new(struct _test_data_fresh *self, uint64_t version)
{
	bool new = version && version < VERSIONS && !self->seen[version] &&
		   version > self->last;

	if (version < VERSIONS)
		self->seen[version] = 1;
	if (version > self->last)
		self->last = version;
	self->nr_seen += new;
	return new;
}

static uint64_t version_of(const void *record)
{
	return le64toh(((const struct kmdom_record *)record)->version);
}

/* Where exports go whose results may never come: each has a place of its own. */
struct left {
	atomic_uint nr;		/* that were begun */
	struct kmdom_result results[RING];
	uint8_t records[RING][KMDOM_RECORD_MAX];
};

/* A version that a result tells of, but for those that name an older record. */
static uint64_t version_left(const struct left *left, unsigned int i)
{
	uint64_t told = left->results[i].ret == -EALREADY ? 0 : left->results[i].version;
	uint64_t record = version_of(left->records[i]);

	return record && told && record != told ? VERSIONS : record ?: told;
}

/* Are all versions new that were left there, one way or another? */
static bool all_new(struct _test_data_fresh *self, const struct left *left)
{
	unsigned int i;
	bool new = true;

	for (i = 0; i < RING; i++)
		if (version_left(left, i))
			new &= is_new(self, version_left(left, i));
	return new;
}

/* A pin for writing is a change. */
static int dirty(struct _test_data_fresh *self, unsigned int nr)
{
	return kt_pin(self->fd, 0, types[nr], self->refs[nr], KT_PIN_WRITE) ?:
	       kt_end(self->fd, 0);
}

static int64_t export_to(struct _test_data_fresh *self, unsigned int nr, void *buf, uint32_t len)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .level = PAGE_LEVEL(self->pages[nr]),
		.index = PAGE_INDEX(self->pages[nr]), .buf = (unsigned long)buf, .len = len,
	};

	return pager_op(self->pager, &op);
}

/* Evicts it, exported before unless it is clean: at a new version then. */
static int hide(struct _test_data_fresh *self, unsigned int nr)
{
	int ret = pager_export(self->pager, self->pages[nr], KMDOM_OPF_DRAIN);
	uint64_t version = self->pager->res.version;

	if (!ret && (!is_new(self, version) || version != version_of(self->pager->buf)))
		return -EEXIST;
	if (ret && ret != -EALREADY)
		return ret;
	return pager_evict(self->pager, self->pages[nr], version, 0);
}

/* From the pages up to that number: what is under the table of the next one. */
static int hide_up_to(struct _test_data_fresh *self, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = hide(self, i);
	return ret;
}

static int show(struct _test_data_fresh *self, unsigned int nr)
{
	struct kmdom_page page;

	return pager_look(self->pager, self->pages[nr], &page) ?:
	       pager_answer(self->pager, self->pages[nr], page.version);
}

/* Tables that left keep their frames for a grace period: a pool of them may be waited for. */
static int show_from(struct _test_data_fresh *self, unsigned int nr)
{
	int ret = pager_conserved(self->pager);

	while (nr-- && !ret)
		ret = show(self, nr);
	return ret;
}

/*
 * That something under it came and went is a change of a table. It is clean when it comes,
 * and goes without an export: that would spend a version, and cover for one given back.
 */
static int dirty_table(struct _test_data_fresh *self, unsigned int nr)
{
	unsigned int under = nr == TABLE(1) ? 0 : nr - 1;
	struct kmdom_page page;
	int ret = pager_look(self->pager, self->pages[under], &page) ?: show(self, under);

	/* So many have left just now. */
	if (ret == -ENOBUFS)
		ret = pager_conserved(self->pager) ?: show(self, under);
	return ret ?: pager_evict(self->pager, self->pages[under], page.version, 0);
}

/* Exports a table that has changed. */
static int export_table_again(struct _test_data_fresh *self, unsigned int nr)
{
	int ret = dirty_table(self, nr) ?: export_to(self, nr, self->buf, sizeof(self->buf));

	return ret ?: is_new(self, self->pager->res.version) ? 0 : -EEXIST;
}

/* How many bytes of the payloads of two records of a length are the same. */
static unsigned int same_bytes(const uint8_t *one, const uint8_t *two, uint32_t len)
{
	unsigned int same = 0;
	uint32_t i;

	for (i = sizeof(struct kmdom_record); i < len - TAG; i++)
		same += one[i] == two[i];
	return same;
}

/*
 * A version makes a nonce, and a domain has a key of its own: what a page holds is
 * another text at its next version, and at the same one in another domain. Of 4096
 * bytes 16 are the same by chance.
 */
TEST_F(fresh, the_same_contents_are_another_text)
{
	static uint8_t one[KMDOM_RECORD_MAX], two[KMDOM_RECORD_MAX], his[KMDOM_RECORD_MAX];
	static struct _test_data_fresh other;
	const unsigned int nr = PAGES - 1;
	uint32_t len;

	memset(&other, 0, sizeof(other));
	ASSERT_EQ(0, begin(&other, variant->door));
	ASSERT_EQ(0, export_to(self, nr, one, sizeof(one)));
	len = self->pager->res.len;
	ASSERT_LT(4096, len);
	ASSERT_EQ(0, export_to(&other, nr, his, sizeof(his)));
	ASSERT_EQ(version_of(one), version_of(his));
	ASSERT_EQ(len, other.pager->res.len);
	ASSERT_EQ(0, dirty(self, nr));
	ASSERT_EQ(0, export_to(self, nr, two, sizeof(two)));
	ASSERT_EQ(len, self->pager->res.len);
	EXPECT_GT(100, same_bytes(one, two, len));
	EXPECT_GT(100, same_bytes(one, his, len));
	EXPECT_EQ(0, bed_down(&other.bed));
}

/* Versions in a row, from a multiple of it on: so many pairs differ in the same bits. */
#define ROW		8
#define TAG		16	/* bytes at the end of a record */

static uint64_t tags[ROW];	/* as much of each */

static void tag_take(struct _test_data_fresh *self)
{
	uint64_t version = self->pager->res.version;

	memcpy(&tags[version % ROW], self->buf + self->pager->res.len - TAG, sizeof(tags[0]));
}

/* How many of two pairs, whose versions differ in the same bits, have tags that do. */
static unsigned int same_differences(void)
{
	unsigned int by, one, two, same = 0;

	for (by = 1; by < ROW; by++)
		for (one = 0; one < ROW; one++)
			for (two = one + 1; two < ROW; two++)
				same += two != (one ^ by) &&
					(tags[one] ^ tags[one ^ by]) ==
					(tags[two] ^ tags[two ^ by]);
	return same;
}

/*
 * No nonce comes twice. The records have the same contents, and under a tag's nonce
 * AES-GCM adds to it a linear function of what is authenticated: records of two
 * nonces that repeat, or of one, would have tags that differ as their versions do.
 */
TEST_F(fresh, a_version_is_a_nonce)
{
	unsigned int nr, i;

	for (nr = 0; nr < PAGES; nr++) {
		do {
			ASSERT_EQ(0, dirty(self, nr));
			ASSERT_EQ(0, export_to(self, nr, self->buf, sizeof(self->buf)));
		} while (self->pager->res.version % ROW != ROW - 1);
		for (i = 0; i < ROW; i++) {
			ASSERT_EQ(0, dirty(self, nr));
			ASSERT_EQ(0, export_to(self, nr, self->buf, sizeof(self->buf)));
			ASSERT_EQ(i, self->pager->res.version % ROW);
			tag_take(self);
		}
		EXPECT_EQ(0, same_differences())
			TH_LOG("page %u", nr);
	}
}

/* Pages and their tables in turn: they have one counter. */
TEST_F(fresh, exports)
{
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < PAGES; i++) {
			ASSERT_EQ(0, dirty(self, i));
		}
		ASSERT_EQ(0, hide_up_to(self, ALL));
		EXPECT_EQ((round + 1) * ALL, self->nr_seen);
		ASSERT_EQ(0, show_from(self, ALL));
	}
}

/* Each level's table, with all under it away. */
TEST_F(fresh, exports_of_tables_that_fail)
{
	unsigned int round, level;

	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, hide_up_to(self, PAGES));
		for (level = 1; level <= KMDOM_LEVELS; level++) {
			unsigned int nr = TABLE(level);

			ASSERT_EQ(0, dirty_table(self, nr));
			EXPECT_EQ(-EMSGSIZE, export_to(self, nr, self->buf, 100));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			EXPECT_EQ(-EFAULT, export_to(self, nr, NULL, KMDOM_RECORD_MAX));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			EXPECT_EQ(-EAGAIN,
				  pager_evict(self->pager, self->pages[nr], self->last, 0));
			ASSERT_EQ(0, hide(self, nr));
		}
		ASSERT_EQ(0, show_from(self, ALL));
	}
	EXPECT_LE(5 * 3 * KMDOM_LEVELS, self->nr_seen);
}

/* A record that the pager has, and is old; leaves that in last. */
static int outdate(struct _test_data_fresh *self, unsigned int nr)
{
	int ret = export_to(self, nr, self->buf, sizeof(self->buf));

	if (ret || !is_new(self, self->pager->res.version))
		return ret ?: -EEXIST;
	return dirty(self, nr);
}

/* By no record is the page clean: not by this one, and not by the last good one. */
static bool is_dirty(struct _test_data_fresh *self, unsigned int nr, uint64_t good)
{
	return pager_evict(self->pager, self->pages[nr], self->last, 0) == -EAGAIN &&
	       pager_stored(self->pager, self->pages[nr], good) == -EAGAIN &&
	       pager_evict(self->pager, self->pages[nr], good, 0) == -EAGAIN;
}

/* What was sealed, and came to nothing. */
TEST_F(fresh, exports_that_fail)
{
	unsigned int round, i;
	uint64_t good;
	char *mem;

	mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + 4096, 4096));
	for (round = 0; round < 10; round++) {
		for (i = 0; i < PAGES; i++) {
			char *edge = mem + 4096 - sizeof(struct kmdom_record);

			/* Too long for the buffer: the result says which it would have been. */
			ASSERT_EQ(0, outdate(self, i));
			good = self->last;
			EXPECT_EQ(-EMSGSIZE, export_to(self, i, self->buf, 100));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			EXPECT_TRUE(is_dirty(self, i, good));
			ASSERT_EQ(0, outdate(self, i));
			good = self->last;
			/* The header arrives, the rest does not. */
			memset(edge, 0, sizeof(struct kmdom_record));
			EXPECT_EQ(-EFAULT, export_to(self, i, edge, KMDOM_RECORD_MAX));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			if (version_of(edge))
				EXPECT_EQ(self->last, version_of(edge));
			EXPECT_TRUE(is_dirty(self, i, good));
		}
	}
	ASSERT_EQ(0, export_to(self, 0, self->buf, sizeof(self->buf)));
	EXPECT_TRUE(is_new(self, self->pager->res.version));
	EXPECT_EQ(10 * 4 * PAGES + 1, self->nr_seen);
	munmap(mem, 4096);
}

/* Dirtied, overtaken, or taken over while the record is on its way out. */
TEST_F(fresh, exports_that_are_overtaken)
{
	struct kmdom_op op = { .code = KMDOM_OP_EXPORT, .len = KMDOM_RECORD_MAX };
	unsigned int round, way;
	struct pager old;
	struct trap trap;
	struct side side;

	for (round = 0; round < 4; round++) {
		for (way = 0; way < 3; way++) {
			ASSERT_EQ(0, dirty(self, 0));
			ASSERT_EQ(0, trap_set(&trap, 8192));
			op.index = self->pages[0];
			op.buf = (unsigned long)trap.mem;
			ASSERT_EQ(0, side_op(&side, self->pager, &op));
			ASSERT_EQ(0, trap_caught(&trap, PROC_PATIENCE));
			/* The one in the trap was spent first. */
			self->last++;
			ASSERT_EQ(0, dirty(self, 0));
			if (way == 1) {
				ASSERT_EQ(0, export_to(self, 0, self->buf, sizeof(self->buf)));
				EXPECT_TRUE(is_new(self, self->pager->res.version));
			} else if (way == 2) {
				old = *self->pager;
				ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door,
							 FRAMES, KMDOM_ADOPT_TAKEOVER));
			}
			trap_release(&trap);
			EXPECT_GT(0, side_join(&side));
			if (way == 2)
				pager_leave(&old);
			EXPECT_EQ(self->last - (way == 1), version_of(trap.mem));
			EXPECT_FALSE(self->seen[version_of(trap.mem)]);
			self->seen[version_of(trap.mem)] = 1;
			trap_remove(&trap);
			ASSERT_EQ(0, dirty(self, 0));
			ASSERT_EQ(0, export_to(self, 0, self->buf, sizeof(self->buf)));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
		}
	}
}

/* The same of tables: it is what is under them that came and went meanwhile. */
TEST_F(fresh, exports_of_tables_that_are_overtaken)
{
	struct kmdom_op op = { .code = KMDOM_OP_EXPORT, .len = KMDOM_RECORD_MAX };
	unsigned int level, way;
	struct pager old;
	struct trap trap;
	struct side side;

	for (level = 1; level <= KMDOM_LEVELS; level++) {
		unsigned int nr = TABLE(level);

		ASSERT_EQ(0, hide_up_to(self, nr));
		for (way = 0; way < 3; way++) {
			uint64_t before, stalled;

			ASSERT_EQ(0, dirty_table(self, nr));
			ASSERT_EQ(0, trap_set(&trap, 8192));
			op.level = level;
			op.buf = (unsigned long)trap.mem;
			ASSERT_EQ(0, side_op(&side, self->pager, &op));
			ASSERT_EQ(0, trap_caught(&trap, PROC_PATIENCE));
			before = self->last;
			if (way == 2) {
				old = *self->pager;
				ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door,
							 FRAMES, KMDOM_ADOPT_TAKEOVER));
				ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
			}
			ASSERT_EQ(0, dirty_table(self, nr));
			if (way == 1) {
				ASSERT_EQ(0, export_to(self, nr, self->buf, sizeof(self->buf)));
				EXPECT_TRUE(is_new(self, self->pager->res.version));
			}
			trap_release(&trap);
			EXPECT_GT(0, side_join(&side));
			if (way == 2)
				pager_leave(&old);
			/* Some are spent on finding that all is clean: not so many. */
			stalled = version_of(trap.mem);
			EXPECT_LT(before, stalled);
			EXPECT_LE(stalled, before + 1 + KMDOM_LEVELS);
			EXPECT_FALSE(self->seen[stalled]);
			self->seen[stalled] = 1;
			trap_remove(&trap);
		}
		ASSERT_EQ(0, show_from(self, nr));
	}
}

/* What a helper exports, through a door of its own. */
struct submitter {
	struct pager pager;
	uint64_t pages[4];
	unsigned int nr_pages;
	struct left *left;
};

static long submit(void *arg)
{
	struct submitter *sub = arg;
	struct left *left = sub->left;
	struct kmdom_op op = { .code = KMDOM_OP_EXPORT, .flags = KMDOM_OPF_DRAIN };
	struct kmdom_exchange ex = { .ops = (unsigned long)&op, .nr_ops = 1, .timeout_ns = -1 };
	unsigned int i;
	int ret;

	ret = door_open(&sub->pager.door, sub->pager.door.kind, sub->pager.fd);
	for (i = 0; i < RING && !ret; i++) {
		op.level = PAGE_LEVEL(sub->pages[i % sub->nr_pages]);
		op.index = PAGE_INDEX(sub->pages[i % sub->nr_pages]);
		op.buf = (unsigned long)left->records[i];
		op.len = KMDOM_RECORD_MAX;
		ex.results = (unsigned long)&left->results[i];
		atomic_store(&left->nr, i + 1);
		ret = door_exchange(&sub->pager.door, &ex);
	}
	pause();
	return ret;
}

/* Of so many pages, from the first on. */
static int submit_start(struct _test_data_fresh *self, struct proc *proc, struct left *left,
			unsigned int first, unsigned int nr_pages)
{
	struct submitter sub = { .pager = *self->pager, .nr_pages = nr_pages, .left = left };
	int ret;

	memset(left, 0, sizeof(*left));
	memcpy(sub.pages, &self->pages[first], nr_pages * sizeof(*sub.pages));
	/* It begins as a copy of this process, with the session's descriptor. */
	ret = proc_spawn(proc, 2);
	if (!ret)
		proc_start(proc, submit, &sub, sizeof(sub));
	return ret;
}

static int export_again(struct _test_data_fresh *self)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < PAGES && !ret; i++) {
		ret = dirty(self, i) ?: export_to(self, i, self->buf, sizeof(self->buf));
		if (!ret && !is_new(self, self->pager->res.version))
			ret = -EEXIST;
	}
	return ret;
}

/* What a ring has not yet let go may keep the session: then it is taken over. */
static int succeed(struct _test_data_fresh *self, enum door_kind door)
{
	pager_leave(self->pager);
	return pager_adopt(self->pager, self->bed.name, door, FRAMES, KMDOM_ADOPT_TAKEOVER);
}

/* A client's, which may wait until a page is not frozen any more. */
static long change(void *arg)
{
	struct kt_call *call = arg;

	return kt_pin(call->fd, 2, call->req.type, call->req.ref, KT_PIN_WRITE) ?:
	       kt_end(call->fd, 2);
}

static int dirty_by(struct proc *proc, struct _test_data_fresh *self, unsigned int nr)
{
	struct kt_call call = {
		.fd = self->fd, .req = { .type = types[nr], .ref = self->refs[nr] },
	};

	return proc_call(proc, change, &call, sizeof(call));
}

/* Its submitter is killed while it waits for a pin, and between any two instructions. */
TEST_F(fresh, exports_of_the_killed)
{
	struct left *left = shared_alloc(sizeof(*left));
	struct proc *proc = &self->bed.procs[1];
	unsigned int round, rounds = scaled("rounds", 12), i, end;

	for (round = 0; round < rounds; round++) {
		bool waits = round % 2;

		for (i = 0; i < PAGES; i++)
			ASSERT_EQ(0, dirty(self, i));
		if (waits)
			ASSERT_EQ(0, kt_pin(self->fd, 1, types[0], self->refs[0], KT_PIN_WRITE));
		ASSERT_EQ(0, submit_start(self, proc, left, 0, waits ? 1 : 4));
		end = 1 + round * 5 % RING;
		for (i = 0; !waits && atomic_load(&left->nr) < end; i++) {
			ASSERT_EQ(0, dirty_by(self->bed.procs, self, i % 4));
		}
		if (waits)
			EXPECT_TRUE(proc_sleeps(proc, PROC_PATIENCE));
		EXPECT_EQ(0, proc_kill(proc));
		if (waits)
			EXPECT_EQ(0, kt_end(self->fd, 1));
		EXPECT_TRUE(all_new(self, left));
		ASSERT_EQ(0, export_again(self));
		if (round % 3 == 2)
			ASSERT_EQ(0, succeed(self, variant->door));
	}
	EXPECT_LE(4 * rounds, self->nr_seen);
}

/* Of tables he waits for nothing. */
TEST_F(fresh, exports_of_tables_of_the_killed)
{
	struct left *left = shared_alloc(sizeof(*left));
	struct proc *proc = &self->bed.procs[1];
	unsigned int rounds = scaled("rounds", 6), round, level, end;

	for (level = 1; level <= KMDOM_LEVELS; level++) {
		unsigned int nr = TABLE(level);

		ASSERT_EQ(0, hide_up_to(self, nr));
		for (round = 0; round < rounds; round++) {
			ASSERT_EQ(0, dirty_table(self, nr));
			ASSERT_EQ(0, submit_start(self, proc, left, nr, 1));
			end = 1 + round * 11 % RING;
			while (atomic_load(&left->nr) < end)
				ASSERT_EQ(0, dirty_table(self, nr));
			EXPECT_EQ(0, proc_kill(proc));
			EXPECT_TRUE(all_new(self, left));
			ASSERT_EQ(0, export_table_again(self, nr));
			if (round % 3 == 2) {
				ASSERT_EQ(0, succeed(self, variant->door));
				ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
			}
		}
		ASSERT_EQ(0, show_from(self, nr));
	}
	EXPECT_LE(KMDOM_LEVELS * rounds, self->nr_seen);
}

/* The killed one's own: memory that stalls, and who is stalled. */
static struct trap helpers_trap;
static struct side helpers_side;

static long stall_export(void *arg)
{
	struct submitter *sub = arg;
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .level = PAGE_LEVEL(sub->pages[0]),
		.index = PAGE_INDEX(sub->pages[0]), .len = KMDOM_RECORD_MAX,
	};
	int ret = trap_set(&helpers_trap, 8192);

	op.buf = (unsigned long)helpers_trap.mem;
	ret = ret ?: side_op(&helpers_side, &sub->pager, &op);
	return ret ?: trap_caught(&helpers_trap, PROC_PATIENCE);
}

/* Killed with the record half out. */
TEST_F(fresh, exports_of_the_stalled)
{
	struct submitter sub = { .nr_pages = 1 };
	struct proc *proc = &self->bed.procs[1];
	unsigned int round;

	memcpy(sub.pages, self->pages, sizeof(sub.pages));
	for (round = 0; round < 6; round++) {
		sub.pager = *self->pager;
		ASSERT_EQ(0, dirty(self, 0));
		ASSERT_EQ(0, proc_spawn(proc, 2));
		ASSERT_EQ(0, proc_call(proc, stall_export, &sub, sizeof(sub)));
		/* Its version was spent, though nobody ever sees it. */
		self->last++;
		if (round % 2)
			ASSERT_EQ(0, export_again(self));
		EXPECT_EQ(0, proc_kill(proc));
		ASSERT_EQ(0, export_again(self));
		if (round % 3 == 2)
			ASSERT_EQ(0, succeed(self, variant->door));
	}
}

/* A table's, which changes while it is there, or not. */
TEST_F(fresh, exports_of_tables_of_the_stalled)
{
	struct submitter sub = { .nr_pages = 1 };
	struct proc *proc = &self->bed.procs[1];
	unsigned int level, round;

	for (level = 1; level <= KMDOM_LEVELS; level++) {
		unsigned int nr = TABLE(level);

		ASSERT_EQ(0, hide_up_to(self, nr));
		sub.pages[0] = self->pages[nr];
		for (round = 0; round < 3; round++) {
			sub.pager = *self->pager;
			ASSERT_EQ(0, dirty_table(self, nr));
			ASSERT_EQ(0, proc_spawn(proc, 2));
			ASSERT_EQ(0, proc_call(proc, stall_export, &sub, sizeof(sub)));
			self->last++;
			if (round % 2)
				ASSERT_EQ(0, export_table_again(self, nr));
			EXPECT_EQ(0, proc_kill(proc));
			ASSERT_EQ(0, export_table_again(self, nr));
			if (round == 2) {
				ASSERT_EQ(0, succeed(self, variant->door));
				ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
			}
		}
		ASSERT_EQ(0, show_from(self, nr));
	}
}

/**
 * enum cancel_at - what is cancelled
 * @AT_PIN: exports that wait for a pin, in a worker of the ring
 * @AT_COPY: one whose record is on its way out
 * @AT_PARK: an exchange that waits for an event, after its exports, with its ring
 */
enum cancel_at {
	AT_PIN,
	AT_COPY,
	AT_PARK,
	AT_NR,
};

#define CANCELLED	8	/* exports of an exchange */
#define STALLED		2	/* which of them is, if there are so many pages */

/* Of so many pages, from the first on; the export of one of them can be stalled. */
static void prepare(struct _test_data_fresh *self, enum cancel_at at, struct left *left,
		    struct kmdom_op *ops, const struct trap *trap, unsigned int first,
		    unsigned int nr_pages)
{
	unsigned int i;

	memset(left, 0, sizeof(*left));
	for (i = 0; i < CANCELLED; i++) {
		uint64_t page = self->pages[first + i % nr_pages];

		ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .flags = at == AT_PIN ? KMDOM_OPF_DRAIN : 0,
			.level = PAGE_LEVEL(page), .index = PAGE_INDEX(page),
			.buf = (unsigned long)left->records[i], .len = KMDOM_RECORD_MAX,
		};
	}
	if (at == AT_COPY)
		ops[STALLED % nr_pages].buf = (unsigned long)trap->mem;
}

static int submit_to_worker(struct io_uring *ring, int fd, struct kmdom_exchange *ex)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		return -ENOSPC;
	uring_fill(sqe, fd, ex, 1);
	sqe->flags |= IOSQE_ASYNC;
	return io_uring_submit(ring) == 1 ? 0 : -EIO;
}

/* Both have ended, that which was cancelled and the cancellation. */
static int await_both(struct io_uring *ring)
{
	__u64 data;
	int res;

	return uring_take(ring, PROC_PATIENCE, &data, &res) ?:
	       uring_take(ring, PROC_PATIENCE, &data, &res);
}

static int cancel(enum cancel_at at, struct io_uring *ring, struct trap *trap)
{
	struct io_uring_sqe *sqe;

	if (at == AT_PARK) {
		io_uring_queue_exit(ring);
		return io_uring_queue_init(8, ring, 0);
	}
	sqe = io_uring_get_sqe(ring);
	if (!sqe)
		return -ENOSPC;
	io_uring_prep_cancel64(sqe, 1, 0);
	sqe->user_data = 2;
	if (io_uring_submit(ring) != 1)
		return -EIO;
	/* Who is stalled there cannot even be interrupted. */
	trap_release(trap);
	return await_both(ring);
}

/* Waits until the exchange has got to where it is to be cancelled. */
static int got_there(enum cancel_at at, const struct left *left, struct trap *trap)
{
	const volatile __u64 *last = &left->results[CANCELLED - 1].version;
	long long end = now_ms() + PROC_PATIENCE;

	if (at == AT_COPY)
		return trap_caught(trap, PROC_PATIENCE);
	while (at == AT_PARK && !*last)
		if (now_ms() > end)
			return -ETIME;
	return 0;
}

TEST_F(fresh, exports_that_are_cancelled)
{
	struct left *left = shared_alloc(sizeof(*left));
	unsigned int round, rounds = scaled("rounds", 8 * AT_NR), i;
	struct kmdom_op ops[CANCELLED];
	struct kmdom_event event;
	struct io_uring ring;
	struct trap trap;

	ASSERT_EQ(0, io_uring_queue_init(8, &ring, 0));
	for (round = 0; round < rounds; round++) {
		enum cancel_at at = round % AT_NR;
		struct kmdom_exchange ex = {
			.ops = (unsigned long)ops, .results = (unsigned long)left->results,
			.nr_ops = CANCELLED, .events = (unsigned long)&event, .max_events = 1,
			.min_events = at == AT_PARK, .timeout_ns = -1,
		};

		for (i = 0; i < PAGES; i++)
			ASSERT_EQ(0, dirty(self, i));
		ASSERT_EQ(0, trap_set(&trap, 8192));
		prepare(self, at, left, ops, &trap, 0, PAGES);
		if (at == AT_PIN)
			ASSERT_EQ(0, kt_pin(self->fd, 1, types[1], self->refs[1], KT_PIN_WRITE));
		ASSERT_EQ(0, submit_to_worker(&ring, self->pager->fd, &ex));
		ASSERT_EQ(0, got_there(at, left, &trap));
		/* The one that stalls comes to nothing, and others of its exchange follow. */
		if (at == AT_COPY)
			ASSERT_EQ(0, dirty(self, STALLED));
		usleep(at == AT_PIN ? round * 1000 : 0);
		ASSERT_EQ(0, cancel(at, &ring, &trap));
		if (at == AT_PIN)
			EXPECT_EQ(0, kt_end(self->fd, 1));
		if (at == AT_COPY)
			memcpy(left->records[STALLED], trap.mem, sizeof(struct kmdom_record));
		trap_remove(&trap);
		EXPECT_TRUE(all_new(self, left));
		ASSERT_EQ(0, export_again(self));
		if (round % 4 == 3)
			ASSERT_EQ(0, succeed(self, variant->door));
	}
	io_uring_queue_exit(&ring);
	EXPECT_LE(4 * rounds, self->nr_seen);
}

/* Those of tables wait for no pin. */
TEST_F(fresh, exports_of_tables_that_are_cancelled)
{
	struct left *left = shared_alloc(sizeof(*left));
	struct kmdom_op ops[CANCELLED];
	struct kmdom_event event;
	struct io_uring ring;
	struct trap trap;
	unsigned int round;

	ASSERT_EQ(0, io_uring_queue_init(8, &ring, 0));
	for (round = 0; round < 2 * KMDOM_LEVELS; round++) {
		enum cancel_at at = round % 2 ? AT_COPY : AT_PARK;
		unsigned int nr = TABLE(1 + round / 2);
		struct kmdom_exchange ex = {
			.ops = (unsigned long)ops, .results = (unsigned long)left->results,
			.nr_ops = CANCELLED, .events = (unsigned long)&event, .max_events = 1,
			.min_events = at == AT_PARK, .timeout_ns = -1,
		};

		ASSERT_EQ(0, hide_up_to(self, nr));
		ASSERT_EQ(0, dirty_table(self, nr));
		ASSERT_EQ(0, trap_set(&trap, 8192));
		prepare(self, at, left, ops, &trap, nr, 1);
		ASSERT_EQ(0, submit_to_worker(&ring, self->pager->fd, &ex));
		ASSERT_EQ(0, got_there(at, left, &trap));
		/* The one that stalls comes to nothing, and the next one does it anew. */
		if (at == AT_COPY)
			ASSERT_EQ(0, dirty_table(self, nr));
		ASSERT_EQ(0, cancel(at, &ring, &trap));
		if (at == AT_COPY)
			memcpy(left->records[0], trap.mem, sizeof(struct kmdom_record));
		trap_remove(&trap);
		EXPECT_TRUE(all_new(self, left));
		ASSERT_EQ(0, export_table_again(self, nr));
		if (at == AT_COPY) {
			ASSERT_EQ(0, succeed(self, variant->door));
			ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
		}
		ASSERT_EQ(0, show_from(self, nr));
	}
	io_uring_queue_exit(&ring);
	EXPECT_LE(3 * KMDOM_LEVELS, self->nr_seen);
}

/* Successors, whatever their predecessors left behind: even if that is nothing. */
TEST_F(fresh, successors)
{
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < PAGES; i++) {
			ASSERT_EQ(0, dirty(self, i));
			ASSERT_EQ(0, pager_export(self->pager, self->pages[i], 0));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
		}
		ASSERT_EQ(0, hide_up_to(self, round % 2 ? ALL : 0));
		ASSERT_EQ(0, succeed(self, variant->door));
		ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
		ASSERT_EQ(0, show_from(self, round % 2 ? ALL : 0));
	}
	EXPECT_EQ(8 * PAGES + 4 * KMDOM_LEVELS, self->nr_seen);
}

TEST_HARNESS_MAIN
