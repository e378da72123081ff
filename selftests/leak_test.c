// SPDX-License-Identifier: GPL-2.0
/*
 * What a hostile pager may learn from what leaves: no secret of a sealed page, no
 * byte that frames and buffers held before, and none of another domain.
 */
#include <stddef.h>
#include <sys/random.h>
#include "harness.h"

#define FRAMES		160
#define SLOTS		4	/* of a session, as pager_adopt() asks for */
#define HEADER		sizeof(struct kmdom_record)
#define TAG		16

FIXTURE(leak) {
	struct bed bed;
	struct pager *pager;
	int fd;
	uint8_t buf[2 * KMDOM_RECORD_MAX];
};

BOTH_DOORS(leak);

FIXTURE_SETUP(leak)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_PAGE | 1 << KT_TRIM |
			 1 << KT_CHECKED,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->fd = self->bed.client;
}

FIXTURE_TEARDOWN(leak)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* Exports into a buffer of a known byte; returns the record's length. */
static int64_t export_to(struct pager *pager, uint64_t page, uint8_t *buf)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .level = PAGE_LEVEL(page), .index = PAGE_INDEX(page),
		.buf = (unsigned long)buf, .len = KMDOM_RECORD_MAX,
	};
	int64_t ret;

	memset(buf, 0xa5, 2 * KMDOM_RECORD_MAX);
	ret = pager_op(pager, &op);
	return ret < 0 ? ret : pager->res.len;
}

static bool untouched_from(const uint8_t *buf, size_t from)
{
	for (; from < 2 * KMDOM_RECORD_MAX; from++)
		if (buf[from] != 0xa5)
			return false;
	return true;
}

static bool has(const uint8_t *buf, size_t len, const void *what, size_t size)
{
	return memmem(buf, len, what, size);
}

/* Anything that could be an address of x86's kernel half. */
static bool has_pointer(const uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i + 8 <= len; i++)
		if (buf[i + 7] == 0xff && buf[i + 6] == 0xff && buf[i + 5] >= 0x80)
			return true;
	return false;
}

TEST_F(leak, sealed_shows_nothing)
{
	struct kt_small small;
	struct kt_page page;
	uint64_t ref;
	int64_t len;

	memset(&small, 0, sizeof(small));
	memcpy(&small.number, "plain-01", 8);
	memcpy(small.bytes, "plain-02plain-03", 16);
	small.len = 16;
	memcpy(small.secret, "plain-04", 8);
	memcpy(&small.kernel, "plain-05", 8);
	memcpy(&small.soft, "plain-06", 8);
	small.padding = 0x7e;
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &ref));
	len = export_to(self->pager, KT_REF_INDEX(ref), self->buf);
	ASSERT_LT(HEADER + TAG, len);
	EXPECT_FALSE(has(self->buf, len, "plain-0", 7));
	EXPECT_FALSE(has_pointer(self->buf, HEADER));
	EXPECT_TRUE(untouched_from(self->buf, len));

	memset(&page, 0x33, sizeof(page));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &page, sizeof(page), &ref));
	len = export_to(self->pager, KT_REF_INDEX(ref), self->buf);
	EXPECT_EQ(HEADER + sizeof(page) + TAG, len);
	EXPECT_FALSE(has(self->buf, len, &page, 4));
	EXPECT_TRUE(untouched_from(self->buf, len));
}

TEST_F(leak, signed_shows_its_fields_only)
{
	uint8_t *second = malloc(2 * KMDOM_RECORD_MAX);
	struct kt_signed sig;
	uint64_t ref, dead;
	int64_t len;
	size_t i;

	ASSERT_NE(NULL, second);
	memset(&sig, 0, sizeof(sig));
	sig.number = 7;
	memcpy(sig.data, "what was freed does not leave", 30);
	memcpy(&sig.kernel, "kernel-1", 8);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SIGNED, &sig, sizeof(sig), &dead));
	memcpy(sig.data, "what lives is shown to pagers", 30);
	sig.kernel = 0xffff888012345678;
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SIGNED, &sig, sizeof(sig), &ref));
	ASSERT_EQ(KT_REF_INDEX(ref), KT_REF_INDEX(dead));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_SIGNED, dead));
	len = export_to(self->pager, KT_REF_INDEX(ref), self->buf);
	/* number, ref, length of an empty name, data: nothing else. */
	EXPECT_EQ(HEADER + 8 + 8 + 2 + 56 + TAG, len);
	EXPECT_TRUE(has(self->buf, len, "what lives", 10));
	EXPECT_FALSE(has(self->buf, len, "what was", 8));
	EXPECT_FALSE(has(self->buf, len, "kernel-1", 8));
	EXPECT_FALSE(has_pointer(self->buf, len - TAG));
	EXPECT_TRUE(untouched_from(self->buf, len));

	/* The same again differs in version and tag, and in nothing else. */
	ASSERT_EQ(0, kt_set(self->fd, 0, KT_SIGNED, ref, &sig, sizeof(sig)));
	ASSERT_EQ(len, export_to(self->pager, KT_REF_INDEX(ref), second));
	for (i = 0; i < (size_t)len - TAG; i++) {
		if (i >= offsetof(struct kmdom_record, version) &&
		    i < offsetof(struct kmdom_record, length))
			continue;
		EXPECT_EQ(self->buf[i], second[i])
			TH_LOG("byte %zu", i);
	}
	free(second);
}

/* A frame's former life is not in the record of its next page. */
TEST_F(leak, nothing_of_former_pages)
{
	struct kt_page page;
	uint64_t refs[64];
	int64_t len;
	int i, j;

	memset(&page, 'S', sizeof(page));
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &page, sizeof(page), &refs[i]));
	}
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, refs[i]));
	}
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_TRIM, "x", 1, &refs[i]));
		len = export_to(self->pager, KT_REF_INDEX(refs[i]), self->buf);
		EXPECT_EQ(HEADER + 3 + TAG, len);
		ASSERT_EQ(0, kt_get(self->fd, 0, KT_TRIM, refs[i], &page, sizeof(page)));
		EXPECT_EQ('x', page.bytes[0]);
		for (j = 1; j < 4096; j++)
			if (page.bytes[j])
				break;
		EXPECT_EQ(4096, j);
	}
}

#define POISON	"p0is0n8!"	/* 8 bytes, that frames and buffers were full of before */
#define FOREIGN	"f0re1gn?"	/* 8 bytes, that another domain is full of */

static void fill_with(void *mem, size_t len, const char *pattern)
{
	size_t i;

	for (i = 0; i < len; i++)
		((char *)mem)[i] = pattern[i % 8];
}

/* Five bytes of it are enough, wherever in it they begin; fewer can be chance. */
static bool has_of(const uint8_t *buf, size_t len, const char *pattern)
{
	char twice[16];
	int at;

	fill_with(twice, sizeof(twice), pattern);
	for (at = 0; at < 8; at++)
		if (has(buf, len, twice + at, 5))
			return true;
	return false;
}

/* Takes all frames back, poisons them, and lends them again. */
static int poison(struct pager *pager)
{
	int64_t ret = pager_revoke(pager, 0, FRAMES);

	if (ret == FRAMES)
		fill_with(pager->pool, (size_t)FRAMES * KMDOM_FRAME_SIZE, POISON);
	return ret == FRAMES && pager_grant(pager, 0, FRAMES) == FRAMES ? 0 : -EBUSY;
}

/* But for the map, which may have any bits; what is encrypted, and the tag, as well. */
static bool shows_pointer(const uint8_t *buf, size_t len)
{
	const struct kmdom_record *rec = (const struct kmdom_record *)buf;

	return has_pointer(buf, offsetof(struct kmdom_record, map)) ||
	       (rec->policy != KMDOM_POLICY_SEALED &&
		has_pointer(buf + HEADER, len - HEADER - TAG));
}

/* Exports, keeps the record, and looks through it, and behind it. */
static int export_clean(struct pager *pager, uint64_t page, uint8_t *buf, const char *pattern)
{
	int64_t len = export_to(pager, page, buf);

	if (len < 0)
		return len;
	if (has_of(buf, len, pattern) || shows_pointer(buf, len) || !untouched_from(buf, len)) {
		printf("# record of page %llx\n", (unsigned long long)page);
		return -EILSEQ;
	}
	store_put(pager->store, page, pager->res.version, buf, len);
	return 0;
}

/* From the lowest up, as they can leave once nothing under them is in a frame. */
static const uint64_t tables[] = {
	PAGE_OF(1, 0), PAGE_OF(2, 0), PAGE_OF(3, 0), PAGE_OF(4, 0),
};

/*
 * Single bytes: all that could leak is full of one byte, another one in each round, drawn
 * anew. Where an output has that byte in every round, it shows what was there before.
 * Whatever else it may have there knows nothing of the draw: be it the same each time, a
 * count or a cipher's, each place is blamed by chance in one of 256^ROUNDS cases. There
 * are less than 2^20 places, so that a run of all tests is wrong once in 2^44.
 */
#define ROUNDS	8

/**
 * struct suspect - one output over all rounds
 * @rounds: so far
 * @len: bytes that it had in all of them
 * @hits: of each place: rounds in which it had the byte
 */
struct suspect {
	unsigned int rounds;
	size_t len;
	uint8_t hits[KMDOM_RECORD_MAX];
};

static uint8_t draw_byte(void)
{
	uint8_t byte = 0;

	if (getrandom(&byte, 1, 0) != 1)
		abort();
	return byte;
}

static void suspect(struct suspect *s, const uint8_t *buf, size_t len, uint8_t byte)
{
	size_t i;

	if (!s->rounds++ || len < s->len)
		s->len = len;
	for (i = 0; i < len; i++)
		s->hits[i] += buf[i] == byte;
}

/* The first place that leaks, or -1. */
static ssize_t leaks(const struct suspect *s)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (s->hits[i] == s->rounds)
			return i;
	return -1;
}

/* Exports into the store, and looks at each byte. */
static int export_suspect(struct pager *pager, uint64_t page, uint8_t *buf, struct suspect *s,
			  uint8_t byte)
{
	int64_t len = export_to(pager, page, buf);

	if (len < 0)
		return len;
	suspect(s, buf, len, byte);
	store_put(pager->store, page, pager->res.version, buf, len);
	return 0;
}

/* In no record that can be read is anything of what a frame held before. */
TEST_F(leak, poisoned_frames)
{
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	struct kt_signed sig = { .number = 1 };
	uint64_t refs[3];
	size_t i;

	ASSERT_EQ(0, poison(self->pager));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, &checked, sizeof(checked), &refs[0]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SIGNED, &sig, sizeof(sig), &refs[1]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_TRIM, "x", 1, &refs[2]));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, export_clean(self->pager, KT_REF_INDEX(refs[i]), self->buf, POISON));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		EXPECT_EQ(0, export_clean(self->pager, tables[i], self->buf, POISON));
		ASSERT_EQ(0, pager_preempt(self->pager, tables[i]));
	}
}

/* Takes all frames back: those of tables are free a grace period after these left. */
static int take_frames(struct pager *pager)
{
	long long end = now_ms() + SOON;
	int64_t taken = 0, ret;

	while (taken < FRAMES) {
		ret = pager_revoke(pager, 0, FRAMES);
		if (ret < 0 && ret != -EBUSY)
			return ret;
		taken += ret > 0 ? ret : 0;
		if (now_ms() > end)
			return -ETIME;
	}
	return 0;
}

/* Fills all frames with a byte, before they are lent again. */
static int fill_frames(struct pager *pager, uint8_t byte)
{
	int ret = take_frames(pager);

	if (ret)
		return ret;
	memset(pager->pool, byte, (size_t)FRAMES * KMDOM_FRAME_SIZE);
	return pager_grant(pager, 0, FRAMES) == FRAMES ? 0 : -EBUSY;
}

/* New objects, with little in them; the tables have come back before. */
static int new_objects(int fd, uint64_t *refs)
{
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	struct kt_signed sig = { .number = 1 };
	struct kt_small small = { .number = 1 };

	return kt_new(fd, 0, KT_CHECKED, &checked, sizeof(checked), &refs[0]) ?:
	       kt_new(fd, 0, KT_SIGNED, &sig, sizeof(sig), &refs[1]) ?:
	       kt_new(fd, 0, KT_TRIM, "x", 1, &refs[2]) ?:
	       kt_new(fd, 0, KT_SMALL, &small, sizeof(small), &refs[3]);
}

/* Not even a byte of it: of new pages, and of tables that are made or restored. */
TEST_F(leak, bytes_of_frames)
{
	struct suspect *suspects = calloc(4 + ARRAY_SIZE(tables), sizeof(*suspects));
	unsigned int round, i;
	struct kmdom_page at;
	uint64_t refs[4];

	ASSERT_NE(NULL, suspects);
	for (round = 0; round < ROUNDS; round++) {
		uint8_t byte = draw_byte();

		ASSERT_EQ(0, fill_frames(self->pager, byte));
		for (i = ARRAY_SIZE(tables); i-- && round; ) {
			ASSERT_EQ(0, pager_look(self->pager, tables[i], &at));
			ASSERT_EQ(0, pager_answer(self->pager, tables[i], at.version));
		}
		ASSERT_EQ(0, new_objects(self->fd, refs));
		for (i = 0; i < 4 + ARRAY_SIZE(tables); i++) {
			uint64_t page = i < 4 ? KT_REF_INDEX(refs[i]) : tables[i - 4];

			ASSERT_EQ(0, export_suspect(self->pager, page, self->buf, &suspects[i],
						    byte));
			ASSERT_EQ(0, pager_preempt(self->pager, page));
		}
	}
	for (i = 0; i < 4 + ARRAY_SIZE(tables); i++) {
		EXPECT_LT(HEADER, suspects[i].len);
		EXPECT_EQ(-1, leaks(&suspects[i]))
			TH_LOG("output %u", i);
	}
	free(suspects);
}

/**
 * struct hold - an exchange that has poisoned a slot's buffer, and keeps the slot
 * @op: a RESTORE of poison
 * @trap: where its result stalls
 * @side: the thread
 */
struct hold {
	struct kmdom_op op;
	struct trap trap;
	struct side side;
};

static uint8_t poisoned[KMDOM_RECORD_MAX];

static struct kmdom_op poison_op(uint64_t index)
{
	return (struct kmdom_op) {
		.code = KMDOM_OP_RESTORE, .index = index, .version = 1,
		.buf = (unsigned long)poisoned, .len = sizeof(poisoned),
	};
}

/* The free slot of the lowest number is the one that an exchange gets. */
static int hold_slot(struct hold *hold, struct pager *pager, uint64_t index)
{
	struct kmdom_exchange ex = { .nr_ops = 1, .timeout_ns = -1 };
	int ret;

	memset(hold, 0, sizeof(*hold));
	ret = trap_set(&hold->trap, 4096);
	hold->op = poison_op(index);
	ex.ops = (unsigned long)&hold->op;
	ex.results = (unsigned long)hold->trap.mem;
	ret = ret ?: side_exchange(&hold->side, pager, &ex);
	return ret ?: trap_caught(&hold->trap, PROC_PATIENCE);
}

/* The poison was refused, and the slot is free. */
static int let_go(struct hold *hold)
{
	struct kmdom_result *res = (struct kmdom_result *)hold->trap.mem;
	int ret;

	trap_release(&hold->trap);
	ret = side_join(&hold->side);
	if (!ret && res->ret >= 0)
		ret = -EILSEQ;
	trap_remove(&hold->trap);
	return ret;
}

struct shown {
	unsigned int type;
	size_t size;		/* of its object */
	uint64_t ref;		/* 0: of a table */
	uint64_t page;
	uint64_t version;
};

/* Objects of each size and policy, each with little in it; then the tables. */
static int make_shown(int fd, struct shown *shown, unsigned int nr_objects)
{
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	static struct kt_page page;
	unsigned int i;
	int ret = 0;

	memcpy(&page, &checked, sizeof(checked));
	for (i = 0; i < nr_objects && !ret; i++) {
		ret = kt_new(fd, 0, shown[i].type, &page, shown[i].size, &shown[i].ref);
		shown[i].page = KT_REF_INDEX(shown[i].ref);
	}
	for (; i < nr_objects + ARRAY_SIZE(tables); i++)
		shown[i].page = tables[i - nr_objects];
	return ret;
}

/* One that is dirty, through a buffer full of poison; then it leaves. */
static int show(struct _test_data_leak *self, struct shown *shown)
{
	struct kmdom_op op = poison_op(KT_REF_INDEX(0x100));
	int ret = 0;

	if (shown->ref)
		ret = kt_set(self->fd, 0, shown->type, shown->ref, "\1", 1);
	if (!ret && pager_op(self->pager, &op) >= 0)
		ret = -EILSEQ;
	ret = ret ?: export_clean(self->pager, shown->page, self->buf, POISON);
	shown->version = self->pager->res.version;
	return ret ?: pager_evict(self->pager, shown->page, shown->version, 0);
}

/* States of pages, through such a buffer. */
static int show_states(struct _test_data_leak *self)
{
	struct kmdom_op op = poison_op(KT_REF_INDEX(0x100));
	struct kmdom_page *pages = (struct kmdom_page *)self->buf;
	uint64_t cursor = 0;
	int nr;

	memset(self->buf, 0xa5, sizeof(self->buf));
	if (pager_op(self->pager, &op) >= 0)
		return -EILSEQ;
	nr = pager_scan(self->pager, &cursor, pages, 8, 0);
	if (nr <= 0)
		return nr;
	if (has_of(self->buf, nr * sizeof(*pages), POISON) ||
	    !untouched_from(self->buf, nr * sizeof(*pages)))
		return -EILSEQ;
	/* Too few bytes to be told by the poison. */
	while (nr--)
		if (memcmp(pages[nr].reserved, "\0\0", 3))
			return -EILSEQ;
	return 0;
}

/* The same, and states of pages, each byte of them. */
static int show_byte(struct _test_data_leak *self, struct shown *shown, struct suspect *s,
		     uint8_t byte)
{
	struct kmdom_op op = poison_op(KT_REF_INDEX(0x100));
	int ret = 0;

	if (shown->ref)
		ret = kt_set(self->fd, 0, shown->type, shown->ref, "\1", 1);
	if (!ret && pager_op(self->pager, &op) >= 0)
		ret = -EILSEQ;
	ret = ret ?: export_suspect(self->pager, shown->page, self->buf, s, byte);
	shown->version = self->pager->res.version;
	return ret ?: pager_evict(self->pager, shown->page, shown->version, 0);
}

static int states_byte(struct _test_data_leak *self, struct suspect *s, uint8_t byte)
{
	struct kmdom_op op = poison_op(KT_REF_INDEX(0x100));
	uint64_t cursor = 0;
	int nr;

	if (pager_op(self->pager, &op) >= 0)
		return -EILSEQ;
	nr = pager_scan(self->pager, &cursor, (struct kmdom_page *)self->buf, 8, 0);
	if (nr <= 0)
		return nr ?: -ENOENT;
	suspect(s, self->buf, nr * sizeof(struct kmdom_page), byte);
	return 0;
}

/* Nor of what a buffer did: in each slot, because all others are at work meanwhile. */
TEST_F(leak, poisoned_buffers)
{
	struct shown shown[] = {
		{ .type = KT_SMALL, .size = 8 }, { .type = KT_SIGNED, .size = 8 },
		{ .type = KT_CHECKED, .size = sizeof(struct kt_checked) },
		{ .type = KT_TRIM, .size = 1 }, { .type = KT_PAGE, .size = 1 },
		{ }, { }, { }, { },
	};
	struct suspect *suspects = calloc(ARRAY_SIZE(shown) + 1, sizeof(*suspects));
	unsigned int slot, round, i, n;
	struct hold holds[SLOTS];

	ASSERT_NE(NULL, suspects);
	fill_with(poisoned, sizeof(poisoned), POISON);
	ASSERT_EQ(0, make_shown(self->fd, shown, ARRAY_SIZE(shown) - ARRAY_SIZE(tables)));
	for (slot = 0; slot < SLOTS; slot++) {
		for (i = 0; i < SLOTS; i++)
			ASSERT_EQ(0, hold_slot(&holds[i], self->pager, shown[0].page));
		ASSERT_EQ(0, let_go(&holds[slot]));
		EXPECT_EQ(0, show_states(self));
		for (n = 0; n < ARRAY_SIZE(shown); n++)
			EXPECT_EQ(0, show(self, &shown[n]))
				TH_LOG("slot %u, page %llx", slot,
				       (unsigned long long)shown[n].page);
		while (n--)
			EXPECT_EQ(0, pager_answer(self->pager, shown[n].page, shown[n].version));
		memset(suspects, 0, (ARRAY_SIZE(shown) + 1) * sizeof(*suspects));
		for (round = 0; round < ROUNDS; round++) {
			uint8_t byte = draw_byte();

			memset(poisoned, byte, sizeof(poisoned));
			ASSERT_EQ(0, states_byte(self, &suspects[ARRAY_SIZE(shown)], byte));
			for (n = 0; n < ARRAY_SIZE(shown); n++)
				ASSERT_EQ(0, show_byte(self, &shown[n], &suspects[n], byte));
			while (n--)
				ASSERT_EQ(0, pager_answer(self->pager, shown[n].page,
							  shown[n].version));
		}
		for (n = 0; n <= ARRAY_SIZE(shown); n++) {
			EXPECT_EQ(-1, leaks(&suspects[n]))
				TH_LOG("slot %u, output %u", slot, n);
		}
		fill_with(poisoned, sizeof(poisoned), POISON);
		for (i = 0; i < SLOTS; i++)
			if (i != slot)
				EXPECT_EQ(0, let_go(&holds[i]));
	}
	free(suspects);
}

/* How a domain's frames go back to the system. */
enum farewell {
	IN_USE,		/* as pages, when it is destroyed */
	FREE,		/* lent and free, when its session ends */
	REVOKED,	/* as the pager's own again, which has filled them */
	FAREWELLS,
};

#define STRANGERS	32	/* pages of each kind */

static bool is_zero(const char *mem, size_t len)
{
	while (len--)
		if (mem[len])
			return false;
	return true;
}

/* Full objects of types that are not encrypted; they go and come back. */
static int live_and_leave(struct bed *bed, enum farewell farewell)
{
	static struct kt_page page;
	struct pager *pager = &bed->pager;
	uint64_t refs[2 * STRANGERS];
	unsigned int i;
	int ret = 0;

	fill_with(&page, sizeof(page), FOREIGN);
	for (i = 0; i < ARRAY_SIZE(refs) && !ret; i++)
		ret = kt_new(bed->client, 0, i % 2 ? KT_SIGNED : KT_TRIM, &page,
			     i % 2 ? sizeof(struct kt_signed) : sizeof(page), &refs[i]);
	for (i = 0; i < ARRAY_SIZE(refs) && !ret; i += 2)
		ret = pager_preempt(pager, KT_REF_INDEX(refs[i])) ?:
		      pager_answer(pager, KT_REF_INDEX(refs[i]), pager->res.version);
	for (i = 0; i < ARRAY_SIZE(refs) && !ret && farewell != IN_USE; i += 2)
		ret = pager_preempt(pager, KT_REF_INDEX(refs[i]));
	if (ret || farewell != REVOKED)
		return ret;
	/* The tables and the page of the small ones stay. */
	if (pager_revoke(pager, 0, FRAMES) < STRANGERS)
		return -EBUSY;
	for (i = 0; i < FRAMES; i++) {
		char *frame = pager->pool + i * KMDOM_FRAME_SIZE;

		if (touch(frame, false))
			continue;
		if (!is_zero(frame, KMDOM_FRAME_SIZE))
			return -EILSEQ;
		fill_with(frame, KMDOM_FRAME_SIZE, FOREIGN);
	}
	return 0;
}

/* A new domain gets the memory of one that was; its objects do not fill their pages. */
TEST_F(leak, another_domains_frames)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .types = 1 << KT_SIGNED | 1 << KT_TRIM,
	};
	enum farewell farewell;
	uint64_t refs[2 * STRANGERS];
	struct bed bed;
	unsigned int i;

	for (farewell = 0; farewell < FAREWELLS; farewell++) {
		spec.keep_frames = false;
		ASSERT_EQ(0, bed_up(&bed, &spec));
		EXPECT_EQ(0, live_and_leave(&bed, farewell))
			TH_LOG("farewell %u", farewell);
		pager_leave(&bed.pager);
		ASSERT_EQ(0, bed_down(&bed));

		spec.keep_frames = true;
		ASSERT_EQ(0, bed_up(&bed, &spec));
		EXPECT_TRUE(is_zero(bed.pager.pool, (size_t)FRAMES * KMDOM_FRAME_SIZE))
			TH_LOG("farewell %u", farewell);
		ASSERT_EQ(FRAMES, pager_grant(&bed.pager, 0, FRAMES));
		for (i = 0; i < 2 * STRANGERS; i++) {
			ASSERT_EQ(0, kt_new(bed.client, 0, i % 2 ? KT_SIGNED : KT_TRIM, "x", 1,
					    &refs[i]));
			EXPECT_EQ(0, export_clean(&bed.pager, KT_REF_INDEX(refs[i]), self->buf,
						  FOREIGN))
				TH_LOG("farewell %u", farewell);
		}
		/* Of those that share a page the first takes the others with it. */
		for (i = 0; i < 2 * STRANGERS; i++)
			EXPECT_EQ(i > 1 && i % 2 ? -EALREADY : 0,
				  pager_preempt(&bed.pager, KT_REF_INDEX(refs[i])));
		for (i = 0; i < ARRAY_SIZE(tables); i++) {
			EXPECT_EQ(0, export_clean(&bed.pager, tables[i], self->buf, FOREIGN));
			EXPECT_EQ(0, pager_evict(&bed.pager, tables[i], bed.pager.res.version, 0));
		}
		ASSERT_EQ(0, bed_down(&bed));
	}
}

/* What is copied out of calls that write less than was asked for, or nothing. */
TEST_F(leak, outputs_are_filled)
{
	struct kmdom_page pages[4];
	struct kmdom_result results[4];
	struct kmdom_event events[4];
	struct kmdom_op ops[2] = { { .code = 0xffff }, { .code = KMDOM_OP_RESEND } };
	uint64_t cursor = 0, ref;
	int nr, i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	memset(pages, 0xa5, sizeof(pages));
	nr = pager_scan(self->pager, &cursor, pages, 4, 0);
	ASSERT_LT(0, nr);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(0, memcmp(pages[i].reserved, "\0\0", 3));
	for (i = nr * sizeof(*pages); i < (int)sizeof(pages); i++)
		EXPECT_EQ(0xa5, ((uint8_t *)pages)[i]);
	memset(results, 0xa5, sizeof(results));
	ASSERT_EQ(0, pager_exchange(self->pager, ops, results, 2));
	EXPECT_EQ(-EINVAL, results[0].ret);
	EXPECT_EQ(0, results[0].len);
	EXPECT_EQ(0, results[0].version);
	EXPECT_EQ(0, results[0].value);
	EXPECT_EQ(0, results[1].len);
	for (i = 2 * sizeof(*results); i < (int)sizeof(results); i++)
		EXPECT_EQ(0xa5, ((uint8_t *)results)[i]);

	/* A hint, which is an event that nobody waits for. */
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	memset(events, 0xa5, sizeof(events));
	nr = pager_events(self->pager, events, 4, 0);
	ASSERT_EQ(1, nr);
	EXPECT_EQ(KMDOM_EVENT_FREED, events[0].type);
	EXPECT_EQ(0, events[0].reserved);
	EXPECT_EQ(0, events[0].arg);
	for (i = sizeof(*events); i < (int)sizeof(events); i++)
		EXPECT_EQ(0xa5, ((uint8_t *)events)[i]);
}

TEST_HARNESS_MAIN
