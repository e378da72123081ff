// SPDX-License-Identifier: GPL-2.0
/*
 * judge_test.c - the steps from a reply to a page: each reason, and their order
 */
#include "judge.h"
#include "unit.h"

/**
 * struct kmdom_seal_request - the cipher of these tests
 * @ret: what it returns
 * @calls: how often it was asked
 * @policy: that it was asked for last
 * @len: of the record then
 * @version: that the record had to have
 */
struct kmdom_seal_request {
	int ret;
	unsigned int calls;
	u8 policy;
	size_t len;
	u64 version;
};

static int unseal(struct kmdom_seal_request *req, u8 policy, void *buf, size_t len,
		  u64 version)
{
	req->calls++;
	req->policy = policy;
	req->len = len;
	req->version = version;
	return req->ret;
}

/* Every length that a buffer can be said to have, and some that none has. */
static void test_lengths(struct kunit *test)
{
	size_t len, nr = 0;
	u64 why;

	for (len = 0; len < 2 * KMDOM_RECORD_MAX; len++, nr++) {
		bool fits = len >= KMDOM_RECORD_MIN && len <= KMDOM_RECORD_MAX;

		why = ~0ULL;
		EXPECT_EQ(kmdom_judge_len(len, &why), fits ? 0 : -EINVAL);
		EXPECT_EQ(why, fits ? KMDOM_REJECT_NONE : KMDOM_REJECT_LENGTH);
	}
	EXPECT_CASES(nr, 2 * KMDOM_RECORD_MAX);
}

/* What is told of a page: only of an absent one a reason. */
static int judge_entry(enum kmdom_page_state state, u64 value, u64 version)
{
	int ret, wanted = -EALREADY;
	u64 why = ~0ULL, told = ~0ULL;

	if (state == KMDOM_PAGE_EMPTY) {
		wanted = -ENOENT;
	} else if (state == KMDOM_PAGE_LOST) {
		wanted = -EIO;
	} else if (state == KMDOM_PAGE_ABSENT) {
		wanted = value == version ? 0 : -ESTALE;
		told = value == version ? KMDOM_REJECT_NONE : KMDOM_REJECT_STALE;
	}
	ret = kmdom_judge_entry(kmdom_entry_make(state, unit_random(), value), version, &why);
	EXPECT_EQ(why, told);
	EXPECT_EQ(ret, wanted);
	return ret;
}

/* Each state, each bit of a version wrong, and all of the versions that are near 0. */
static void test_entries(struct kunit *test)
{
	unsigned int state, bit, a, b, nr = 0, taken = 0;

	for (state = 0; state < KMDOM_NR_PAGE_STATES; state++) {
		for (bit = 0; bit < 64; bit++, nr++) {
			u64 version = unit_random() & KMDOM_ENTRY_VALUE_MAX;

			taken += !judge_entry(state, version, version ^ BIT_ULL(bit));
			taken += !judge_entry(state, version, version);
		}
		for (a = 0; a < 16; a++)
			for (b = 0; b < 16; b++, nr++)
				taken += !judge_entry(state, a, b);
	}
	EXPECT_EQ(taken, 64 + 16);
	EXPECT_CASES(nr, KMDOM_NR_PAGE_STATES * (64 + 256));
}

static int judge(struct unit_page *p, struct kmdom_seal_request *req, u64 *why)
{
	*why = ~0ULL;
	return kmdom_judge_record(&p->schema, &p->id, p->rec, p->len, unseal, req, why);
}

/* Nothing is unsealed of which the header is another page's; a tag is one reason. */
static void judge_order(struct unit_page *p)
{
	struct kmdom_seal_request req = { .ret = -EBADMSG };
	u64 why;

	p->id.version ^= 1;
	EXPECT_EQ(judge(p, &req, &why), kmdom_reject_error(KMDOM_REJECT_VERSION));
	EXPECT_EQ(why, KMDOM_REJECT_VERSION);
	EXPECT_EQ(req.calls, 0);
	p->id.version ^= 1;

	EXPECT_EQ(judge(p, &req, &why), kmdom_reject_error(KMDOM_REJECT_TAG));
	EXPECT_EQ(why, KMDOM_REJECT_TAG);
	EXPECT_EQ(req.calls, 1);
	EXPECT_EQ(req.policy, p->schema.type->policy);
	EXPECT_EQ(req.len, p->len);
	EXPECT_EQ(req.version, p->id.version);

	/* A cipher that fails is no reason to blame the pager for. */
	req.ret = -ENOMEM;
	EXPECT_EQ(judge(p, &req, &why), -ENOMEM);
	EXPECT_EQ(why, KMDOM_REJECT_NONE);
	req.ret = 0;
	EXPECT_EQ(judge(p, &req, &why), 0);
	EXPECT_EQ(why, KMDOM_REJECT_NONE);
}

static void test_order(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		judge_order(p);
		unit_page_free(p);
	}
	EXPECT_CASES(i, UNIT_NR_TYPES);
	unit_free(p);
}

/* What the decoder says is what is told. */
static void judge_payload(struct unit_page *p)
{
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	void *page = unit_alloc(4096);
	u64 why = ~0ULL;

	EXPECT_EQ(kmdom_judge_payload(&p->schema, p->rec, p->len, page, live, &why), 0);
	EXPECT_EQ(why, KMDOM_REJECT_NONE);
	memset(page, 0, 4096);
	EXPECT_EQ(kmdom_judge_payload(&p->schema, p->rec, p->len - 1, page, live, &why),
		  kmdom_reject_error(why));
	EXPECT_EQ(why, kmdom_record_decode(&p->schema, p->rec, p->len - 1, page, live));
	EXPECT(why != KMDOM_REJECT_NONE);
	unit_free(page);
}

static void test_payloads(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		judge_payload(p);
		unit_page_free(p);
	}
	EXPECT_CASES(i, UNIT_NR_TYPES);
	unit_free(p);
}

static struct kunit_case judge_cases[] = {
	KUNIT_CASE(test_lengths),
	KUNIT_CASE(test_entries),
	KUNIT_CASE(test_order),
	KUNIT_CASE(test_payloads),
	{}
};

struct kunit_suite judge_suite = {
	.name = "kmdom_judge",
	.test_cases = judge_cases,
};
