// SPDX-License-Identifier: GPL-2.0
/*
 * Export, stored, evict, restore, refuse, scan: what each does, and each of its
 * errors.
 */
#include <endian.h>
#include "harness.h"

#define FRAMES	256

FIXTURE(paging) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	uint64_t ref;		/* a small object, seed 1 */
	uint64_t index;		/* of its page */
};

BOTH_DOORS(paging);

FIXTURE_SETUP(paging)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 3,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_PAGE | 1 << KT_NARROW,
	};
	struct kt_small small;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
	small_fill(&small, 1);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &self->ref));
	self->index = KT_REF_INDEX(self->ref);
}

FIXTURE_TEARDOWN(paging)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int dirty(int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;

	small_fill(&small, seed);
	return kt_set(fd, 0, KT_SMALL, ref, &small, sizeof(small));
}

static int holds(int fd, uint64_t ref, uint64_t seed)
{
	struct kt_small small;
	int ret = kt_get(fd, 0, KT_SMALL, ref, &small, sizeof(small));

	return ret ? ret : small_check(&small, seed);
}

TEST_F(paging, records)
{
	struct kmdom_record *rec = (struct kmdom_record *)self->pager->buf;
	struct kt_small small;
	uint64_t first, ref;
	size_t i;

	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	first = self->pager->res.version;
	EXPECT_NE(0, first);
	EXPECT_EQ(KMDOM_MAGIC_RECORD, le32toh(rec->magic));
	EXPECT_EQ(KMDOM_RECORD_FORMAT, le16toh(rec->format));
	EXPECT_EQ(KMDOM_POLICY_SEALED, rec->policy);
	EXPECT_EQ(0, rec->level);
	EXPECT_EQ(self->index, le64toh(rec->index));
	EXPECT_EQ(first, le64toh(rec->version));
	EXPECT_EQ(self->pager->res.len, le32toh(rec->length));
	EXPECT_EQ(64, le16toh(rec->slots));
	EXPECT_EQ(1, le16toh(rec->live));
	EXPECT_EQ(0, rec->reserved);
	EXPECT_EQ(1 << KT_REF_SLOT(self->ref) % 8, rec->map[KT_REF_SLOT(self->ref) / 8]);
	for (i = 0; i < sizeof(rec->map); i++)
		if (i != KT_REF_SLOT(self->ref) / 8)
			EXPECT_EQ(0, rec->map[i]);

	small_fill(&small, 2);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, &small, sizeof(small), &ref));
	ASSERT_EQ(self->index, KT_REF_INDEX(ref));
	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	EXPECT_LT(first, self->pager->res.version);
	EXPECT_EQ(2, le16toh(rec->live));
}

TEST_F(paging, export_makes_clean)
{
	struct kmdom_page page;
	uint64_t version;

	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGE_PRESENT, page.state);
	EXPECT_EQ(0, page.version);
	EXPECT_EQ(KMDOM_PAGEF_DIRTY | KMDOM_PAGEF_REFERENCED, page.flags);
	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	EXPECT_EQ(-EALREADY, pager_export(self->pager, self->index, 0));
	EXPECT_EQ(version, self->pager->res.version);
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGEF_REFERENCED, page.flags);
	EXPECT_EQ(version, page.version);

	/* To read is not to change. */
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
	EXPECT_EQ(-EALREADY, pager_export(self->pager, self->index, 0));
	ASSERT_EQ(0, dirty(self->fd, self->ref, 2));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGEF_DIRTY | KMDOM_PAGEF_REFERENCED, page.flags);
	EXPECT_EQ(0, pager_export(self->pager, self->index, 0));
	EXPECT_LT(version, self->pager->res.version);
}

TEST_F(paging, stored)
{
	struct kmdom_page page;
	uint64_t version;

	EXPECT_EQ(-EAGAIN, pager_stored(self->pager, self->index, 1));
	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	EXPECT_EQ(-ESTALE, pager_stored(self->pager, self->index, version - 1));
	EXPECT_EQ(-ESTALE, pager_stored(self->pager, self->index, version + 1));
	EXPECT_EQ(-ENOENT, pager_stored(self->pager, self->index + 1000, version));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_VOUCHED);
	EXPECT_EQ(0, pager_stored(self->pager, self->index, version));
	EXPECT_EQ(0, pager_stored(self->pager, self->index, version));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGEF_VOUCHED | KMDOM_PAGEF_REFERENCED, page.flags);
	ASSERT_EQ(0, dirty(self->fd, self->ref, 2));
	EXPECT_EQ(-EAGAIN, pager_stored(self->pager, self->index, version));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_VOUCHED);
}

TEST_F(paging, evict)
{
	struct kmdom_page page;
	uint64_t version;
	uint32_t used;

	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, self->index, 1, 0));
	EXPECT_EQ(-ENOENT, pager_evict(self->pager, self->index + 1000, 1, 0));
	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	EXPECT_EQ(-ESTALE, pager_evict(self->pager, self->index, version + 1, 0));
	ASSERT_EQ(0, dirty(self->fd, self->ref, 2));
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, self->index, version, 0));
	EXPECT_EQ(0, holds(self->fd, self->ref, 2));

	ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	used = self->pager->ex.used_frames;
	EXPECT_EQ(0, pager_evict(self->pager, self->index, version, 0));
	EXPECT_EQ(used - 1, self->pager->ex.used_frames);
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGE_ABSENT, page.state);
	EXPECT_EQ(version, page.version);
	EXPECT_EQ(0, page.flags);
	EXPECT_EQ(-EALREADY, pager_evict(self->pager, self->index, version, 0));
	EXPECT_EQ(-ESTALE, pager_evict(self->pager, self->index, version - 1, 0));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_F(paging, restore)
{
	struct stored *rec;
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	rec = store_get(self->bed.store, self->index, version);
	ASSERT_NE(NULL, rec);
	EXPECT_EQ(-ESTALE, pager_restore(self->pager, self->index, version - 1,
					 rec->data, rec->len));
	EXPECT_EQ(-ESTALE, pager_restore(self->pager, self->index, version + 1,
					 rec->data, rec->len));
	EXPECT_EQ(-ENOENT, pager_restore(self->pager, self->index + 1000, version,
					 rec->data, rec->len));
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(-EALREADY, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
	/* It is clean: the record is still its own. */
	EXPECT_EQ(-EALREADY, pager_export(self->pager, self->index, 0));
	EXPECT_EQ(version, self->pager->res.version);
	EXPECT_EQ(0, pager_evict(self->pager, self->index, version, 0));
}

TEST_F(paging, restore_without_frames)
{
	uint64_t refs[FRAMES], version;
	struct kt_req req = { .type = KT_PAGE, .flags = KT_NOWAIT };
	int nr = 0;

	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	while (!kt(self->fd, KT_IOC_NEW, &req))
		refs[nr++] = req.ref;
	ASSERT_LT(0, nr);
	ASSERT_LT(0, pager_revoke(self->pager, 0, FRAMES));
	EXPECT_EQ(-ENOBUFS, pager_answer(self->pager, self->index, version));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, refs[0]));
	px_get_start(self->proc, self->fd, KT_SMALL, self->ref, sizeof(struct kt_small));
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &(struct kmdom_event) { 0 }));
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, px_get_finish(self->proc, NULL, 0));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_F(paging, refuse)
{
	struct kmdom_event event;
	uint64_t version;
	int i;

	EXPECT_EQ(-EBUSY, pager_refuse(self->pager, self->index, 1, 0));
	EXPECT_EQ(-ENOENT, pager_refuse(self->pager, self->index + 1000, 1, 0));
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	EXPECT_EQ(-ESTALE, pager_refuse(self->pager, self->index, version + 1, 0));
	EXPECT_EQ(0, pager_refuse(self->pager, self->index, version, 0));
	for (i = 0; i < 2; i++)
		px_get_start(&self->proc[i], self->fd, KT_SMALL, self->ref, 8);
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(-ESTALE, pager_refuse(self->pager, self->index, version + 1, 0));
	EXPECT_EQ(2, pager_refuse(self->pager, self->index, version, 0));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-EIO, px_get_finish(&self->proc[i], NULL, 0));

	/* It was said to those who waited then, and to nobody else. */
	px_get_start(self->proc, self->fd, KT_SMALL, self->ref, sizeof(struct kt_small));
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(0, pager_answer(self->pager, event.index, event.version));
	EXPECT_EQ(0, px_get_finish(self->proc, NULL, 0));
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
}

TEST_F(paging, lost)
{
	struct kmdom_event event;
	struct kmdom_page page;
	uint64_t version, ref;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	EXPECT_EQ(0, pager_refuse(self->pager, KT_REF_INDEX(ref), self->pager->res.version,
				  KMDOM_OPF_LOST));
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	px_get_start(self->proc, self->fd, KT_SMALL, self->ref, 8);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
	EXPECT_EQ(-ESTALE, pager_refuse(self->pager, self->index, version + 1, KMDOM_OPF_LOST));
	EXPECT_EQ(1, pager_refuse(self->pager, self->index, version, KMDOM_OPF_LOST));
	EXPECT_EQ(-EIO, px_get_finish(self->proc, NULL, 0));
	EXPECT_EQ(-EALREADY, pager_refuse(self->pager, self->index, version, KMDOM_OPF_LOST));
	EXPECT_EQ(-EIO, pager_answer(self->pager, self->index, version));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGE_LOST, page.state);
	EXPECT_EQ(-EIO, px_get(self->proc, self->fd, KT_SMALL, self->ref, &page, 8));
	EXPECT_EQ(0, pager_events(self->pager, &event, 1, 0));
	/* A lost page of one object can be freed all the same. */
	EXPECT_EQ(-EIO, px_get(self->proc, self->fd, KT_PAGE, ref, &page, 8));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	EXPECT_EQ(-ENOENT, pager_look(self->pager, KT_REF_INDEX(ref), &page));
}

TEST_F(paging, pins_against_export_and_evict)
{
	struct kmdom_page page;
	uint64_t version;
	long long start;

	ASSERT_EQ(0, kt_pin(self->fd, 1, KT_SMALL, self->ref, 1));
	EXPECT_EQ(-EBUSY, pager_export(self->pager, self->index, 0));
	start = now_ms();
	EXPECT_EQ(-EBUSY, pager_export(self->pager, self->index, KMDOM_OPF_DRAIN));
	EXPECT_LE(9, now_ms() - start);
	EXPECT_GE(5000 * scale(), now_ms() - start);
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_PINNED);
	/* Who comes after a drain that failed is let in again. */
	EXPECT_EQ(0, dirty(self->fd, self->ref, 2));
	ASSERT_EQ(0, kt_end(self->fd, 1));

	ASSERT_EQ(0, kt_pin(self->fd, 1, KT_SMALL, self->ref, 0));
	EXPECT_EQ(0, pager_export(self->pager, self->index, 0));
	version = self->pager->res.version;
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, self->index, version, 0));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, self->index, version, KMDOM_OPF_DRAIN));
	EXPECT_EQ(0, holds(self->fd, self->ref, 2));
	ASSERT_EQ(0, kt_end(self->fd, 1));
	EXPECT_EQ(0, pager_evict(self->pager, self->index, version, KMDOM_OPF_DRAIN));
}

/**
 * enum drained - which operation waits for a pin
 * @DRAIN_EXPORT: EXPORT, for a write pin
 * @DRAIN_EVICT: EVICT, for a read pin
 */
enum drained { DRAIN_EXPORT, DRAIN_EVICT };

/*
 * One drain, and a pin that ends as soon as it is under way: later pins are
 * not let in any more, which a pin that would have to wait for it shows.
 */
static int drain_once(struct pager *pager, int fd, uint64_t ref, enum drained what,
		      uint64_t version, bool *queued)
{
	struct kmdom_op op = {
		.code = what == DRAIN_EXPORT ? KMDOM_OP_EXPORT : KMDOM_OP_EVICT,
		.flags = KMDOM_OPF_DRAIN, .index = KT_REF_INDEX(ref),
		.buf = what == DRAIN_EXPORT ? (unsigned long)pager->buf : 0,
		.len = what == DRAIN_EXPORT ? KMDOM_RECORD_MAX : 0, .version = version,
	};
	struct kt_req probe = {
		.op = 2, .type = KT_SMALL, .ref = ref, .flags = KT_NOWAIT,
	};
	unsigned int cmd = what == DRAIN_EXPORT ? KT_IOC_SET : KT_IOC_GET;
	struct side side;
	int ret = kt_pin(fd, 1, KT_SMALL, ref, what == DRAIN_EXPORT);

	if (ret)
		return ret;
	ret = side_op(&side, pager, &op);
	if (ret)
		return ret;
	do {
		*queued = kt(fd, cmd, &probe) == -EAGAIN;
	} while (!*queued && pthread_tryjoin_np(side.thread, NULL) == EBUSY);
	ret = kt_end(fd, 1);
	if (ret)
		return ret;
	/* Not before the pin's end, then: it was over before it was seen. */
	return *queued ? side_join(&side) : -EBUSY;
}

/* A drain has 10 ms: the machine may be too slow for some. */
static int drain(struct pager *pager, int fd, uint64_t ref, enum drained what,
		 uint64_t version)
{
	long long start = now_ms();
	bool queued;
	int ret;

	do {
		ret = drain_once(pager, fd, ref, what, version, &queued);
	} while (ret == -EBUSY && now_ms() - start < PROC_PATIENCE);
	return ret;
}

TEST_F(paging, a_drain_ends_with_the_pin)
{
	struct kmdom_page page;

	EXPECT_EQ(0, drain(self->pager, self->fd, self->ref, DRAIN_EXPORT, 0));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_FALSE(page.flags & KMDOM_PAGEF_DIRTY);
	EXPECT_EQ(0, drain(self->pager, self->fd, self->ref, DRAIN_EVICT, page.version));
	ASSERT_EQ(0, pager_look(self->pager, self->index, &page));
	EXPECT_EQ(KMDOM_PAGE_ABSENT, page.state);
}

/**
 * struct writer - who writes one object over and over
 * @fd: client
 * @ref: the object
 * @stop: shared: ends it
 * @waits: shared: how often it had to wait for its pin
 */
struct writer {
	int fd;
	uint64_t ref;
	atomic_uint *stop;
	atomic_uint *waits;
};

static long write_for_ever(void *arg)
{
	struct writer *writer = arg;
	int ret = 0;

	while (!ret && !atomic_load(writer->stop)) {
		struct kt_req req = { .op = 3, .type = KT_SMALL, .ref = writer->ref };

		ret = kt(writer->fd, KT_IOC_SET, &req);
		if (req.waited)
			atomic_fetch_add(writer->waits, 1);
	}
	return ret;
}

/* A pin that comes while a drain is under way waits for its end, and is granted. */
TEST_F(paging, pins_queue_behind_a_drain)
{
	struct writer writer = {
		.fd = self->fd, .ref = self->ref, .stop = shared_alloc(4096),
	};
	long long start = now_ms();
	unsigned int drains = 0;
	bool queued;
	int ret;

	writer.waits = writer.stop + 1;
	proc_start(self->proc, write_for_ever, &writer, sizeof(writer));
	while (!drains || !atomic_load(writer.waits)) {
		ASSERT_GT(PROC_PATIENCE, now_ms() - start);
		ASSERT_FALSE(proc_done(self->proc, 0));
		ret = drain_once(self->pager, self->fd, self->ref, DRAIN_EXPORT, 0, &queued);
		/* EAGAIN: the writer was faster than the copy to the pager. */
		if (!ret || ret == -EAGAIN)
			drains++;
		else
			ASSERT_EQ(-EBUSY, ret);
	}
	atomic_store(writer.stop, 1);
	EXPECT_EQ(0, proc_finish(self->proc, NULL, 0));
}

/* What the kernel counts, against what was done. */
TEST_F(paging, statistics)
{
	struct kmdom_info info;
	struct kmdom_event event;
	uint64_t version, bytes = 0;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, dirty(self->fd, self->ref, i));
		ASSERT_EQ(0, pager_export(self->pager, self->index, 0));
		version = self->pager->res.version;
		bytes += self->pager->res.len;
		ASSERT_EQ(0, pager_evict(self->pager, self->index, version, 0));
		px_get_start(self->proc, self->fd, KT_SMALL, self->ref, 8);
		ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &event));
		ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
		EXPECT_EQ(1, info.waiters);
		EXPECT_EQ(1, info.pages_absent);
		EXPECT_EQ(0, info.pages_present);
		ASSERT_EQ(0, pager_answer(self->pager, self->index, version));
		EXPECT_EQ(0, px_get_finish(self->proc, NULL, 0));
	}
	/* None of these does anything: none is counted. */
	EXPECT_EQ(-EALREADY, pager_export(self->pager, self->index, 0));
	EXPECT_EQ(-EALREADY, pager_answer(self->pager, self->index, version));
	ASSERT_EQ(0, pager_evict(self->pager, self->index, version, 0));
	EXPECT_EQ(-EALREADY, pager_evict(self->pager, self->index, version, 0));
	for (i = 0; i < 2; i++) {
		px_get_start(&self->proc[i], self->fd, KT_SMALL, self->ref, 8);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	EXPECT_EQ(2, pager_refuse(self->pager, self->index, version, 0));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-EIO, px_get_finish(&self->proc[i], NULL, 0));

	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(3, info.exports);
	EXPECT_EQ(4, info.evictions);
	EXPECT_EQ(3, info.restores);
	EXPECT_EQ(4, info.faults);
	EXPECT_EQ(2, info.refused);
	EXPECT_EQ(0, info.rejected);
	EXPECT_EQ(0, info.timeouts);
	EXPECT_EQ(bytes, info.bytes_out);
	EXPECT_EQ(bytes, info.bytes_in);
	EXPECT_LT(0, info.fault_ns_max);
	EXPECT_LE(info.fault_ns_max, info.fault_ns_sum);
	EXPECT_GE(5 * info.fault_ns_max, info.fault_ns_sum);
	EXPECT_EQ(0, info.waiters);
	EXPECT_EQ(0, info.stalled);
	EXPECT_EQ(1, info.clients);
	EXPECT_EQ(4, info.caches);
}

/* What is not as its schema says stays in the kernel until it is. */
TEST_F(paging, broken_invariants)
{
	static const struct {
		const char *what;
		struct kt_narrow obj;
	} broken[] = {
		{ "digit", { .digit = 10 } },
		{ "digit", { .digit = 255 } },
		{ "small", { .small = 8 } },
		{ "small", { .small = ~0U } },
		{ "len", { .len = 9 } },
		{ "len", { .len = 0xffff } },
		{ "ref", { .ref = 1ULL << 44 } },
		{ "ref", { .ref = 5 } },
	};
	static const struct kt_narrow good = {
		.digit = 9, .small = 7, .len = 8, .bytes = "eight by", .number = ~0ULL,
	};
	struct kt_narrow obj;
	uint64_t ref;
	size_t i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_NARROW, &good, sizeof(good), &ref));
	for (i = 0; i < ARRAY_SIZE(broken); i++) {
		ASSERT_EQ(0, kt_set(self->fd, 0, KT_NARROW, ref, &broken[i].obj, sizeof(obj)));
		EXPECT_EQ(-EINVAL, pager_export(self->pager, KT_REF_INDEX(ref), 0))
			TH_LOG("%s", broken[i].what);
		EXPECT_EQ(-EAGAIN, pager_evict(self->pager, KT_REF_INDEX(ref), 1, 0));
	}
	ASSERT_EQ(0, kt_set(self->fd, 0, KT_NARROW, ref, &good, sizeof(good)));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	ASSERT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_NARROW, ref, &obj, sizeof(obj)));
	EXPECT_EQ(0, memcmp(&obj, &good, sizeof(obj)));
}

TEST_F(paging, scan)
{
	struct kmdom_page pages[64];
	uint64_t refs[20], cursor = 0, last = 0;
	int i, nr, seen = 0, absent = 0, calls = 0;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &refs[i]));
	}
	for (i = 0; i < 20; i += 2) {
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
	}
	do {
		nr = pager_scan(self->pager, &cursor, pages, 3, 0);
		ASSERT_LE(0, nr);
		ASSERT_GE(3, nr);
		for (i = 0; i < nr; i++) {
			if (pages[i].level)
				continue;
			EXPECT_LT(last, pages[i].index);
			last = pages[i].index;
			seen++;
			absent += pages[i].state == KMDOM_PAGE_ABSENT;
			EXPECT_EQ(0, memcmp(pages[i].reserved, "\0\0", 3));
		}
		ASSERT_GT(100, calls++);
	} while (cursor);
	EXPECT_EQ(21, seen);
	EXPECT_EQ(10, absent);

	seen = 0;
	do {
		nr = pager_scan(self->pager, &cursor, pages, 64,
				KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR);
		ASSERT_LE(0, nr);
		for (i = 0; i < nr; i++) {
			EXPECT_EQ(KMDOM_PAGE_PRESENT, pages[i].state);
			if (pages[i].level)
				continue;
			EXPECT_TRUE(pages[i].flags & KMDOM_PAGEF_REFERENCED);
			seen++;
		}
	} while (cursor);
	EXPECT_EQ(11, seen);
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_PAGE, refs[1], pages, 8));
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[1]), pages));
	EXPECT_TRUE(pages->flags & KMDOM_PAGEF_REFERENCED);
	ASSERT_EQ(0, pager_look(self->pager, KT_REF_INDEX(refs[3]), pages));
	EXPECT_FALSE(pages->flags & KMDOM_PAGEF_REFERENCED);
}

/* Exported before, by whomever: the one valid record's version tells which. */
TEST_F(paging, export_of_an_absent_page)
{
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	version = self->pager->res.version;
	EXPECT_EQ(-EALREADY, pager_export(self->pager, self->index, 0));
	EXPECT_EQ(version, self->pager->res.version);
	EXPECT_EQ(0, pager_answer(self->pager, self->index, version));
	EXPECT_EQ(0, holds(self->fd, self->ref, 1));
}

TEST_HARNESS_MAIN
