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
#define VERSIONS	4096

FIXTURE(fresh) {
	struct bed bed;
	struct pager *pager;
	int fd;
	uint64_t refs[4];	/* of each kind, alone in its page */
	uint64_t pages[5];	/* of those, and their table */
	uint8_t seen[VERSIONS];
	unsigned int nr_seen;
	uint64_t last;		/* the greatest */
	uint8_t buf[KMDOM_RECORD_MAX];
};

BOTH_DOORS(fresh);

static const unsigned int types[] = { KT_SMALL, KT_SIGNED, KT_CHECKED, KT_PAGE };

static int make(struct _test_data_fresh *self)
{
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	struct kt_small small;
	unsigned int i;
	int ret = 0;

	small_fill(&small, 1);
	for (i = 0; i < 4 && !ret; i++) {
		const void *obj = types[i] == KT_SMALL ? (void *)&small :
				  types[i] == KT_CHECKED ? (void *)&checked : NULL;

		ret = kt_new(self->fd, 0, types[i], obj, obj ? 64 : 0, &self->refs[i]);
		self->pages[i] = KT_REF_INDEX(self->refs[i]);
	}
	self->pages[4] = PAGE_OF(1, 0);
	return ret;
}

FIXTURE_SETUP(fresh)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_CHECKED | 1 << KT_PAGE,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->fd = self->bed.client;
	ASSERT_EQ(0, make(self));
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

/* Pages and their table in turn: they have one counter. */
TEST_F(fresh, exports)
{
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 4; i++) {
			ASSERT_EQ(0, dirty(self, i));
			ASSERT_EQ(0, pager_preempt(self->pager, self->pages[i]));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
		}
		ASSERT_EQ(0, export_to(self, 4, self->buf, sizeof(self->buf)));
		EXPECT_TRUE(is_new(self, self->pager->res.version));
		EXPECT_EQ(self->last, version_of(self->buf));
		for (i = 0; i < 4; i++) {
			struct kmdom_page page;

			ASSERT_EQ(0, pager_look(self->pager, self->pages[i], &page));
			ASSERT_EQ(0, pager_answer(self->pager, self->pages[i], page.version));
		}
	}
	EXPECT_EQ(100, self->nr_seen);
}

/* What was sealed, and came to nothing. */
TEST_F(fresh, exports_that_fail)
{
	unsigned int round, i;
	char *mem;

	mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + 4096, 4096));
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 4; i++) {
			char *edge = mem + 4096 - sizeof(struct kmdom_record);

			/* Too long for the buffer: the result says which it would have been. */
			EXPECT_EQ(-EMSGSIZE, export_to(self, i, self->buf, 100));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			/* The header arrives, the rest does not. */
			memset(edge, 0, sizeof(struct kmdom_record));
			EXPECT_EQ(-EFAULT, export_to(self, i, edge, KMDOM_RECORD_MAX));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
			if (version_of(edge))
				EXPECT_EQ(self->last, version_of(edge));
			/* Nothing is clean for all that. */
			EXPECT_EQ(-EAGAIN, pager_evict(self->pager, self->pages[i], self->last, 0));
		}
	}
	ASSERT_EQ(0, export_to(self, 0, self->buf, sizeof(self->buf)));
	EXPECT_TRUE(is_new(self, self->pager->res.version));
	EXPECT_EQ(81, self->nr_seen);
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

/* Successors, whatever their predecessors left behind. */
TEST_F(fresh, successors)
{
	unsigned int round, i;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < 4; i++) {
			ASSERT_EQ(0, dirty(self, i));
			ASSERT_EQ(0, export_to(self, i, self->buf, sizeof(self->buf)));
			EXPECT_TRUE(is_new(self, self->pager->res.version));
		}
		pager_leave(self->pager);
		ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door, FRAMES, 0));
	}
	EXPECT_EQ(32, self->nr_seen);
}

TEST_HARNESS_MAIN
