// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: alloc, pin, free, caches and domains, while frames suffice.
 */
#include "harness.h"

#define FRAMES	256

#define ALL_TYPES	(1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_PAGE | \
			 1 << KT_TRIM | 1 << KT_TINY | 1 << KT_NARROW)

FIXTURE(object) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
};

BOTH_DOORS(object);

FIXTURE_SETUP(object)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 3,
		.types = ALL_TYPES, .records = 8192, .newest_only = true,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
}

FIXTURE_TEARDOWN(object)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static const struct {
	unsigned int type;
	size_t size;
} types[] = {
	{ KT_SMALL, sizeof(struct kt_small) },
	{ KT_SIGNED, sizeof(struct kt_signed) },
	{ KT_PAGE, sizeof(struct kt_page) },
	{ KT_TRIM, sizeof(struct kt_page) },
	{ KT_TINY, sizeof(struct kt_tiny) },
	{ KT_NARROW, sizeof(struct kt_narrow) },
};

TEST_F(object, are_zeroed_and_hold_what_is_written)
{
	char in[4096], out[4096];
	uint64_t ref[2];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (j = 0; j < 2; j++) {
			ASSERT_EQ(0, kt_new(self->fd, 0, types[i].type, NULL, 0, &ref[j]));
		}
		EXPECT_NE(ref[0], ref[1]);
		EXPECT_NE(0, KT_REF_INDEX(ref[0]));
		memset(in, 0, sizeof(in));
		ASSERT_EQ(0, kt_get(self->fd, 0, types[i].type, ref[0], out, types[i].size));
		EXPECT_EQ(0, memcmp(in, out, types[i].size));
		memset(in, 0x77, sizeof(in));
		ASSERT_EQ(0, kt_set(self->fd, 0, types[i].type, ref[0], in, types[i].size));
		ASSERT_EQ(0, kt_get(self->fd, 0, types[i].type, ref[0], out, types[i].size));
		EXPECT_EQ(0, memcmp(in, out, types[i].size));
		memset(in, 0, sizeof(in));
		ASSERT_EQ(0, kt_get(self->fd, 0, types[i].type, ref[1], out, types[i].size));
		EXPECT_EQ(0, memcmp(in, out, types[i].size));
	}
}

TEST_F(object, end_when_freed)
{
	char out[4096];
	uint64_t ref;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, types[i].type, NULL, 0, &ref));
		EXPECT_EQ(0, kt_del(self->fd, 0, types[i].type, ref));
		EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, types[i].type, ref, out, 8));
		EXPECT_EQ(-ENOENT, kt_set(self->fd, 0, types[i].type, ref, out, 8));
		EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, types[i].type, ref));
	}
	/* Of the frames only those of tables stay, and of pages in magazines. */
	ASSERT_EQ(0, pager_exchange(self->pager, NULL, NULL, 0));
	EXPECT_GE(4 + ARRAY_SIZE(types), self->pager->ex.used_frames);
}

TEST_F(object, freed_memory_is_zeroed_again)
{
	char full[sizeof(struct kt_page)], out[sizeof(struct kt_page)];
	uint64_t refs[200];
	size_t i, j;

	memset(full, 0xff, sizeof(full));
	for (j = 0; j < 2; j++) {
		for (i = 0; i < ARRAY_SIZE(refs); i++) {
			ASSERT_EQ(0, kt_new(self->fd, 0, KT_TINY, NULL, 0, &refs[i]));
			ASSERT_EQ(0, kt_get(self->fd, 0, KT_TINY, refs[i], out, 16));
			EXPECT_EQ(0, out[0] | out[7] | out[8] | out[15]);
			ASSERT_EQ(0, kt_set(self->fd, 0, KT_TINY, refs[i], full, 16));
		}
		for (i = 0; i < ARRAY_SIZE(refs); i++) {
			ASSERT_EQ(0, kt_del(self->fd, 0, KT_TINY, refs[i]));
		}
	}
}

TEST_F(object, refs_that_are_not)
{
	static const uint64_t refs[] = {
		0, 1, 255, 256, 1ULL << 20, 1ULL << 43, 1ULL << 44, 1ULL << 63, ~0ULL,
	};
	struct kt_small small;
	uint64_t ref;
	size_t i;

	small_fill(&small, 3);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &ref));
	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		if (KT_REF_INDEX(refs[i]) == KT_REF_INDEX(ref))
			continue;
		EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, refs[i], &small, 8))
			TH_LOG("%llx", (unsigned long long)refs[i]);
		EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_SMALL, refs[i]));
		EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_PAGE, refs[i]));
	}
	for (i = 1; i < 256; i++) {
		EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, ref ^ i, &small, 8))
			TH_LOG("slot %zu", i);
	}
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, ref | 1ULL << 44, &small, 8));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, ref | 1ULL << 63, &small, 8));
	/* Alive, but another cache's. */
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_NARROW, ref, &small, 8));
	EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_NARROW, ref));
	EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_PAGE, ref));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_SMALL, ref, &small, sizeof(small)));
	EXPECT_EQ(0, small_check(&small, 3));
}

static struct kt_req pin_req(const uint64_t *refs, unsigned int nr, unsigned int type, int write)
{
	struct kt_req req = { .nr_pins = nr };
	unsigned int i;

	for (i = 0; i < nr; i++)
		req.pins[i] = (struct kt_pin) { .ref = refs[i], .type = type, .mode = write };
	return req;
}

TEST_F(object, pin_sets)
{
	struct kt_req req, io = { .len = 8 };
	uint64_t refs[KT_SETMAX], value;
	int i;

	for (i = 0; i < KT_SETMAX; i++) {
		value = 100 + i;
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, &value, 8, &refs[i]));
	}
	req = pin_req(refs, KT_SETMAX, KT_PAGE, 1);
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, req.waited);
	io.buf = (unsigned long)&value;
	for (i = 0; i < KT_SETMAX; i++) {
		io.pin = i;
		EXPECT_EQ(0, kt(self->fd, KT_IOC_READ, &io));
		EXPECT_EQ(100 + i, value);
		value++;
		EXPECT_EQ(0, kt(self->fd, KT_IOC_WRITE, &io));
		EXPECT_EQ(0, kt(self->fd, KT_IOC_UNPIN, &io));
	}
	EXPECT_EQ(0, kt_end(self->fd, 0));
	for (i = 0; i < KT_SETMAX; i++) {
		ASSERT_EQ(0, kt_get(self->fd, 0, KT_PAGE, refs[i], &value, 8));
		EXPECT_EQ(101 + i, value);
	}
}

/* The same page, and the same object, more than once: 4 x A, 2 x B, 2 x C. */
TEST_F(object, pin_sets_with_repeats)
{
	struct kmdom_page page;
	uint64_t refs[KT_SETMAX], value = 7;
	struct kt_req req;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_TINY, &value, 8, &refs[i]));
	}
	refs[3] = refs[0];
	refs[4] = refs[0];
	refs[5] = refs[0];
	refs[6] = refs[1];
	refs[7] = refs[2];
	req = pin_req(refs, KT_SETMAX, KT_TINY, 0);
	req.pins[4].mode = KT_PIN_WRITE;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[0]), &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_PINNED);
	EXPECT_EQ(3, page.live);
	EXPECT_EQ(0, kt_end(self->fd, 0));
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[0]), &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_PINNED);
}

TEST_F(object, one_bad_ref_fails_the_set)
{
	struct kmdom_page page;
	struct kt_req req;
	uint64_t refs[3];

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[0]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[1]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[2]));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, refs[1]));
	req = pin_req(refs, 3, KT_PAGE, 1);
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	EXPECT_EQ(-ENOENT, kt(self->fd, KT_IOC_PINSET, &req));
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[0]), &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_PINNED);
	/* What can be no ref is found before the others are waited for. */
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[0])));
	refs[1] = refs[2] | 1ULL << 44;
	req = pin_req(refs, 3, KT_PAGE, 1);
	EXPECT_EQ(-ENOENT, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
}

TEST_F(object, who_holds_a_pin_gets_no_other_set)
{
	struct kt_req req;
	uint64_t refs[2];

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[0]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[1]));
	ASSERT_EQ(0, kt_pin(self->fd, 0, KT_PAGE, refs[0], 0));
	req = pin_req(&refs[1], 1, KT_PAGE, 0);
	req.pin = 8;
	EXPECT_EQ(-EDEADLK, kt(self->fd, KT_IOC_PINSET, &req));
	req.nr_pins = 0;
	req.nr_allocs = 1;
	EXPECT_EQ(-EDEADLK, kt(self->fd, KT_IOC_PINSET, &req));
	req = (struct kt_req) { .pin = 0 };
	EXPECT_EQ(0, kt(self->fd, KT_IOC_UNPIN, &req));
	req = pin_req(&refs[1], 1, KT_PAGE, 0);
	EXPECT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
}

TEST_F(object, pager_does_not_wait_for_itself)
{
	struct kt_small small;
	uint64_t ref;

	small_fill(&small, 5);
	ASSERT_EQ(0, px_new(self->proc, self->fd, KT_SMALL, &small, sizeof(small), &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	EXPECT_EQ(-EDEADLK, kt_get(self->fd, 0, KT_SMALL, ref, &small, sizeof(small)));
	EXPECT_EQ(-EDEADLK, kt_del(self->fd, 0, KT_SMALL, ref));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_SMALL, ref, &small, sizeof(small)));
	EXPECT_EQ(0, small_check(&small, 5));
}

/* What the pager needs may be what reclaim is to free. */
TEST_F(object, reclaim_does_not_wait)
{
	struct kt_req req = { .op = 1 };
	uint64_t ref, version;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	version = self->pager->res.version;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	req = pin_req(&ref, 1, KT_PAGE, 0);
	req.op = 1;
	req.flags = KT_RECLAIM;
	EXPECT_EQ(-EDEADLK, kt_call(self->proc, self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, req.waited);
	EXPECT_EQ(0, pager_resend(self->pager));
	/* What is there needs no pager. */
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), version));
	EXPECT_EQ(0, kt_call(self->proc, self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(0, kt_end(self->fd, 1));
}

TEST_F(object, nowait)
{
	struct kt_small small;
	struct kt_req req = { .op = 1, .type = KT_SMALL, .flags = KT_NOWAIT };
	uint64_t ref;

	small_fill(&small, 6);
	ASSERT_EQ(0, px_new(self->proc, self->fd, KT_SMALL, &small, sizeof(small), &ref));
	req.ref = ref;
	req.buf = (unsigned long)self->proc->data;
	EXPECT_EQ(0, kt_call(self->proc, self->fd, KT_IOC_GET, &req));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	EXPECT_EQ(-EAGAIN, kt_call(self->proc, self->fd, KT_IOC_GET, &req));
	EXPECT_EQ(0, req.waited);
	EXPECT_EQ(-EAGAIN, kt_call(self->proc, self->fd, KT_IOC_SET, &req));
	EXPECT_EQ(-EAGAIN, kt_call(self->proc, self->fd, KT_IOC_DEL, &req));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
	EXPECT_EQ(0, kt_call(self->proc, self->fd, KT_IOC_GET, &req));
}

TEST_F(object, free_pinned)
{
	struct kt_small small;
	struct kt_req req = { .pin = 0 };
	uint64_t ref;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &ref));
	ASSERT_EQ(0, kt_pin(self->fd, 0, KT_SMALL, ref, 1));
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, ref, &small, 8));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, kt_pin(self->fd, 0, KT_PAGE, ref, 1));
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_PAGE, ref, &small, 8));
}

/* A page of one object is freed without its record, even by the pager itself. */
TEST_F(object, free_of_an_absent_page)
{
	struct kt_usage before, after;
	struct kmdom_event event;
	struct kmdom_page page;
	uint64_t ref, version;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, "x", 1, &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	version = self->pager->res.version;
	ASSERT_EQ(0, client_usage(self->fd, &before));
	EXPECT_EQ(1, before.pages_absent);
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	ASSERT_EQ(0, client_usage(self->fd, &after));
	EXPECT_EQ(before.faults, after.faults);
	EXPECT_EQ(0, after.pages_absent);
	EXPECT_EQ(-ENOENT, pager_look(self->pager, KT_REF_INDEX(ref), &page));
	EXPECT_EQ(-ENOENT, pager_answer(self->pager, KT_REF_INDEX(ref), version));
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FREED, &event));
	EXPECT_EQ(KT_REF_INDEX(ref), event.index);
	EXPECT_EQ(version, event.version);
}

/* Otherwise it faults as a write pin does, and what fails leaves the object. */
TEST_F(object, free_of_an_absent_object)
{
	struct kmdom_event event;
	struct kt_small small;
	struct kt_req req = { .op = 1, .type = KT_SMALL };
	uint64_t ref[2];
	int i;

	for (i = 0; i < 2; i++) {
		small_fill(&small, i);
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &ref[i]));
	}
	ASSERT_EQ(KT_REF_INDEX(ref[0]), KT_REF_INDEX(ref[1]));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref[0])));
	req.ref = ref[0];
	kt_start(self->proc, self->fd, KT_IOC_DEL, &req);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(1, pager_refuse(self->pager, event.index, event.version, 0));
	EXPECT_EQ(-EIO, kt_finish(self->proc, NULL));
	kt_start(self->proc, self->fd, KT_IOC_DEL, &req);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(0, pager_answer(self->pager, event.index, event.version));
	EXPECT_EQ(0, kt_finish(self->proc, NULL));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_SMALL, ref[0], &small, 8));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_SMALL, ref[1], &small, sizeof(small)));
	EXPECT_EQ(0, small_check(&small, 1));
}

TEST_F(object, what_leaves_and_what_does_not)
{
	struct kt_small small, back;
	uint64_t ref, target;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &target));
	memset(&small, 0xee, sizeof(small));
	small.number = 0x1122334455667788;
	small.bounded = KT_BOUND;
	small.len = 5;
	small.ref = target;
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_SMALL, ref, &back, sizeof(back)));
	EXPECT_EQ(small.number, back.number);
	EXPECT_EQ(KT_BOUND, back.bounded);
	EXPECT_EQ(5, back.len);
	EXPECT_EQ(0xee, back.tag);
	EXPECT_EQ(0, back.padding);
	EXPECT_EQ(0, memcmp("\xee\xee\xee\xee\xee\0\0\0\0\0\0\0\0\0\0", back.bytes, 16));
	EXPECT_EQ(target, back.ref);
	EXPECT_EQ(0, memcmp(small.secret, back.secret, 8));
	EXPECT_EQ(0, back.kernel);
	EXPECT_EQ(KT_SOFT(small.number), back.soft);
}

TEST_F(object, anchors)
{
	struct kt_req req = { .type = KT_SMALL };
	uint64_t ref;
	int fd;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &ref));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_ANCHOR, &req));
	EXPECT_EQ(0, req.ref);
	req.ref = ref;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_ANCHORED, &req));
	req.type = KT_PAGE;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_ANCHOR, &req));
	EXPECT_EQ(0, req.ref);

	fd = client_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, client_find(fd, self->bed.name));
	EXPECT_EQ(-EBUSY, client_attach(fd, KT_SMALL));
	req.type = KT_SMALL;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_DETACH, &req));
	EXPECT_EQ(-EPROTOTYPE, client_attach(fd, KT_OTHER_SMALL));
	ASSERT_EQ(0, client_attach(fd, KT_SMALL));
	req.ref = 0;
	ASSERT_EQ(0, kt(fd, KT_IOC_ANCHOR, &req));
	EXPECT_EQ(ref, req.ref);
	EXPECT_EQ(0, kt_del(fd, 0, KT_SMALL, ref));
	close(fd);
	EXPECT_EQ(0, client_attach(self->fd, KT_SMALL));
}

TEST_F(object, schemas_are_checked)
{
	unsigned int type;

	for (type = KT_BAD; type < KT_TYPES; type++) {
		EXPECT_EQ(-EINVAL, client_attach(self->fd, type))
			TH_LOG("type %u", type);
	}
	EXPECT_EQ(0, client_attach(self->fd, KT_WORST));
}

TEST_F(object, the_longest_record_fits)
{
	char worst[64];
	uint64_t refs[64];
	int i;

	ASSERT_EQ(0, client_attach(self->fd, KT_WORST));
	memset(worst, 0xff, sizeof(worst));
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_WORST, worst, sizeof(worst), &refs[i]));
	}
	ASSERT_EQ(KT_REF_INDEX(refs[0]), KT_REF_INDEX(refs[63]));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[0])));
	EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(refs[0]), self->pager->res.version));
	memset(worst, 0, sizeof(worst));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_WORST, refs[63], worst, sizeof(worst)));
	for (i = 0; i < 64; i++)
		EXPECT_EQ((char)0xff, worst[i]);
}

TEST_F(object, domains_are_found)
{
	int fd = client_open();
	struct kt_req req = { .fd = self->pager->fd };

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOENT, client_find(fd, "kt/no-such-domain"));
	req.fd = 0;
	EXPECT_GT(0, kt(fd, KT_IOC_FIND, &req));
	req.fd = -1;
	EXPECT_GT(0, kt(fd, KT_IOC_FIND, &req));
	req = (struct kt_req) { .fd = self->pager->fd };
	ASSERT_EQ(0, kt(fd, KT_IOC_FIND, &req));
	EXPECT_STREQ(self->bed.name, req.name);
	/* A client that holds it keeps it from being destroyed. */
	EXPECT_EQ(-EBUSY, pager_destroy(self->pager, self->bed.name));
	close(fd);
}

TEST_HARNESS_MAIN
