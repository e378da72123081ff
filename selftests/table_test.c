// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of the page table as pages: they leave when nothing hangs on them, come
 * back when something is wanted, and their records are as good as others.
 */
#include <endian.h>
#include "harness.h"

#define FRAMES	256
#define PAGES	520		/* so that the first table of level 1 is full */
#define FIRST	PAGE_OF(1, 0)	/* that one */
#define SECOND	PAGE_OF(1, 1)	/* where new pages are made */

FIXTURE(table) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	uint64_t refs[PAGES];		/* each alone in its page, which is absent */
	uint64_t versions[PAGES];	/* of those */
};

BOTH_DOORS(table);

static uint64_t content(unsigned int nr)
{
	return 1000000 + nr;
}

/* Makes pages and has them paged out. */
static int make(int fd, struct pager *pager, unsigned int nr, uint64_t *refs, uint64_t *versions)
{
	uint64_t value;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		value = content(i);
		ret = kt_new(fd, 0, KT_TRIM, &value, sizeof(value), &refs[i]);
		if (!ret)
			ret = pager_preempt(pager, KT_REF_INDEX(refs[i]));
		versions[i] = pager->res.version;
	}
	return ret;
}

FIXTURE_SETUP(table)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 4, .records = 4096,
		.types = 1 << KT_TRIM | 1 << KT_SMALL | 1 << KT_PAGE,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
	ASSERT_EQ(0, make(self->fd, self->pager, PAGES, self->refs, self->versions));
	ASSERT_EQ(1, KT_REF_INDEX(self->refs[0]));
}

FIXTURE_TEARDOWN(table)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* The next fault must be of this page, for the sake of that page of objects. */
static int expect_fault(struct pager *pager, uint64_t page, uint64_t arg)
{
	struct kmdom_event ev;
	int ret = pager_event(pager, KMDOM_EVENT_FAULT, &ev);

	if (!ret && (PAGE_OF(ev.level, ev.index) != page || ev.arg != arg)) {
		printf("# fault of level %u, page %llu, for %llu\n", ev.level,
		       (unsigned long long)ev.index, (unsigned long long)ev.arg);
		return -EBADSLT;
	}
	pager->res.version = ev.version;
	return ret;
}

/* It comes, and is answered. */
static int answer_fault(struct pager *pager, uint64_t page, uint64_t arg)
{
	return expect_fault(pager, page, arg) ?: pager_answer(pager, page, pager->res.version);
}

/* A helper begins to read the object of that number. */
static void read_start(struct _test_data_table *self, unsigned int helper, unsigned int nr)
{
	px_get_start(&self->proc[helper], self->fd, KT_TRIM, self->refs[nr], sizeof(uint64_t));
}

static int read_finish(struct _test_data_table *self, unsigned int helper, unsigned int nr)
{
	uint64_t value = 0;
	int ret = px_get_finish(&self->proc[helper], &value, sizeof(value));

	return ret ?: value == content(nr) ? 0 : -EILSEQ;
}

/* All of the domain: its frames are all free then, once the last walker is out. */
static int preempt_tables(struct pager *pager)
{
	static const uint64_t tables[] = {
		FIRST, SECOND, PAGE_OF(2, 0), PAGE_OF(3, 0), PAGE_OF(4, 0),
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(tables) && !ret; i++)
		ret = pager_preempt(pager, tables[i]);
	return ret;
}

static int await_no_frames(const struct bed *bed)
{
	long long end = now_ms() + PROC_PATIENCE;
	struct kmdom_info info;
	int ret;

	while (!(ret = kmdom_info_find(bed->name, &info)) && info.frames_used) {
		if (now_ms() > end)
			return -ETIME;
		usleep(1000);
	}
	return ret ?: info.tables ? -EBUSY : 0;
}

TEST_F(table, one_leaves_and_comes_back)
{
	struct kmdom_page page;

	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_EQ(KMDOM_PAGE_PRESENT, page.state);
	EXPECT_EQ(511, page.live);
	EXPECT_EQ(512, page.slots);
	EXPECT_EQ(KMDOM_POLICY_SIGNED, page.policy);
	EXPECT_EQ(KMDOM_PAGEF_DIRTY, page.flags & ~KMDOM_PAGEF_REFERENCED);
	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_EQ(KMDOM_PAGE_ABSENT, page.state);
	EXPECT_EQ(self->pager->res.version, 0);

	read_start(self, 0, 4);
	EXPECT_EQ(0, answer_fault(self->pager, FIRST, 5));
	EXPECT_EQ(0, answer_fault(self->pager, 5, 5));
	EXPECT_EQ(0, read_finish(self, 0, 4));
	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_HOLDS);
}

/* The domain is one version; and a fault brings it in by five answers. */
TEST_F(table, all_of_them)
{
	struct kmdom_info before, after;

	EXPECT_EQ(-EBUSY, pager_preempt(self->pager, PAGE_OF(2, 0)));
	EXPECT_EQ(-EBUSY, pager_preempt(self->pager, PAGE_OF(4, 0)));
	ASSERT_EQ(0, preempt_tables(self->pager));
	ASSERT_EQ(0, await_no_frames(&self->bed));
	EXPECT_EQ(0, bed_conserved(&self->bed));

	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &before));
	read_start(self, 0, 300);
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(4, 0), 301));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(3, 0), 301));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(2, 0), 301));
	EXPECT_EQ(0, answer_fault(self->pager, FIRST, 301));
	EXPECT_EQ(0, answer_fault(self->pager, 301, 301));
	EXPECT_EQ(0, read_finish(self, 0, 300));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &after));
	EXPECT_EQ(5, after.faults - before.faults);
	EXPECT_EQ(5, after.frames_used);
}

/* Who makes something needs the tables at the cursor, and waits for them first. */
TEST_F(table, new_pages)
{
	struct kt_req req = { .type = KT_TRIM, .len = 8 };
	uint64_t value = 1;

	ASSERT_EQ(0, preempt_tables(self->pager));
	memcpy(self->proc->data, &value, sizeof(value));
	req.buf = (unsigned long)self->proc->data;
	kt_start(self->proc, self->fd, KT_IOC_NEW, &req);
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(4, 0), PAGES + 1));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(3, 0), PAGES + 1));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(2, 0), PAGES + 1));
	EXPECT_EQ(0, answer_fault(self->pager, SECOND, PAGES + 1));
	EXPECT_EQ(0, kt_finish(self->proc, &req));
	EXPECT_EQ(PAGES + 1, KT_REF_INDEX(req.ref));
}

/* As long as somebody has a promise to make something they stay, the others go. */
TEST_F(table, a_promise_keeps_them)
{
	struct kt_req req = { .nr_allocs = 1 };
	struct kt_req end = { 0 };
	uint64_t version;

	ASSERT_EQ(0, pager_export(self->pager, SECOND, 0));
	version = self->pager->res.version;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, SECOND, version, 0));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, SECOND, version, KMDOM_OPF_DRAIN));
	EXPECT_EQ(0, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_END, &end));
	EXPECT_EQ(0, pager_evict(self->pager, SECOND, version, 0));
}

/* A page of its own is freed unread; the table alone comes back for that. */
TEST_F(table, free_under_an_absent_table)
{
	struct kt_req req = { .type = KT_TRIM, .ref = self->refs[9] };
	struct kmdom_info before, after;
	struct kmdom_event ev;
	uint64_t other;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &other));
	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &before));
	kt_start(self->proc, self->fd, KT_IOC_DEL, &req);
	EXPECT_EQ(0, answer_fault(self->pager, FIRST, 10));
	EXPECT_EQ(0, kt_finish(self->proc, NULL));
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FREED, &ev));
	EXPECT_EQ(10, ev.index);
	EXPECT_EQ(self->versions[9], ev.version);
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &after));
	EXPECT_EQ(1, after.restores - before.restores);

	/* With pins it does not wait. */
	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	req = (struct kt_req) {
		.nr_pins = 1, .pins = { { .ref = other, .type = KT_SMALL } },
	};
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	req = (struct kt_req) { .type = KT_TRIM, .ref = self->refs[10] };
	EXPECT_EQ(-EAGAIN, kt(self->fd, KT_IOC_FREE, &req));
	ASSERT_EQ(0, kt_end(self->fd, 0));
}

/* A pin for freeing brings in the table, and keeps it. */
TEST_F(table, pins_of_tables)
{
	struct kt_req set = {
		.nr_pins = 2, .pins = {
			{ .ref = self->refs[10], .type = KT_TRIM, .mode = KT_PIN_TABLE },
			{ .ref = self->refs[515], .type = KT_TRIM, .mode = KT_PIN_TABLE },
		},
	};
	struct kt_req begin = { 0 }, req = { .type = KT_TRIM, .ref = self->refs[11] };
	struct kmdom_page page;
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	kt_start(self->proc, self->fd, KT_IOC_PINSET, &set);
	EXPECT_EQ(0, answer_fault(self->pager, FIRST, 11));
	EXPECT_EQ(0, kt_finish(self->proc, NULL));
	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_PINNED);
	version = page.version;
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, FIRST, version, 0));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, FIRST, version, KMDOM_OPF_DRAIN));
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREE, &req));
	req.ref = self->refs[515];
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREE, &req));
	EXPECT_EQ(-ENOENT, kt(self->fd, KT_IOC_FREE, &req));
	ASSERT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(0, pager_preempt(self->pager, FIRST));

	/* For writing, or for what shares its page, there is none. */
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	set.nr_pins = 1;
	set.pins[0].type = KT_SMALL;
	EXPECT_EQ(-EINVAL, kt(self->fd, KT_IOC_PINSET, &set));
	ASSERT_EQ(0, kt_end(self->fd, 0));
}

/* The last page under a table that is pinned goes: the table goes with the pin. */
TEST_F(table, an_empty_one_goes_with_its_pin)
{
	struct kt_req begin = { 0 }, set = {
		.nr_pins = 1, .pins = {
			{ .ref = self->refs[510], .type = KT_TRIM, .mode = KT_PIN_TABLE },
		},
	};
	struct kmdom_event ev;
	struct kmdom_page page;
	uint64_t version;
	unsigned int i;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	version = self->pager->res.version;
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, version));
	for (i = 0; i < 510; i++)
		ASSERT_EQ(0, kt_del(self->fd, 0, KT_TRIM, self->refs[i]));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &set));
	begin = (struct kt_req) { .type = KT_TRIM, .ref = self->refs[510] };
	ASSERT_EQ(0, kt(self->fd, KT_IOC_FREE, &begin));
	EXPECT_EQ(0, pager_look(self->pager, FIRST, &page));
	ASSERT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(-ENOENT, pager_look(self->pager, FIRST, &page));
	/* Of its last record it is told as of any. */
	do {
		ASSERT_EQ(1, pager_events(self->pager, &ev, 1, 0));
	} while (ev.type == KMDOM_EVENT_FREED && ev.level == 0);
	EXPECT_EQ(KMDOM_EVENT_FREED, ev.type);
	EXPECT_EQ(1, ev.level);
	EXPECT_EQ(0, ev.index);
	EXPECT_EQ(version, ev.version);
}

/**
 * struct trier - somebody who asks for a set again and again
 * @fd: of its client
 * @set: what it asks for; it is not to be had now
 * @tries: out: how often it was told so
 * @stop: in: it shall end
 */
struct trier {
	int fd;
	struct kt_req set;
	atomic_uint *tries;
	atomic_uint *stop;
};

static long try_always(void *arg)
{
	struct trier *trier = arg;
	struct kt_req begin = { .op = trier->set.op, .flags = KT_NOWAIT }, set;
	int ret = kt(trier->fd, KT_IOC_BEGIN, &begin);

	while (!ret && !atomic_load(trier->stop)) {
		set = trier->set;
		ret = kt(trier->fd, KT_IOC_PINSET, &set);
		atomic_fetch_add(trier->tries, 1);
		ret = ret == -EAGAIN ? 0 : ret ?: -EPROTO;
	}
	kt_end(trier->fd, trier->set.op);
	return ret;
}

/* One page for each table but the first. */
static int make_spread(struct _test_data_table *self, uint64_t *refs, unsigned int nr)
{
	unsigned int i = 0;
	uint64_t ref;
	int ret = 0;

	while (i < nr && !ret) {
		ret = kt_new(self->fd, 0, KT_TRIM, NULL, 0, &ref);
		if (ret)
			break;
		if (KT_REF_INDEX(ref) / KMDOM_TABLE_ENTRIES == i + 2)
			refs[i++] = ref;
		else
			ret = kt_del(self->fd, 0, KT_TRIM, ref);
	}
	return ret;
}

#define SPREAD	40

/*
 * The last page under a table goes while somebody asks for a set with a pin of the
 * table and with what is absent: each try pins the table for a moment.
 */
TEST_F(table, an_empty_one_goes_though_it_is_tried)
{
	unsigned int i, j, nr = scaled("tables", SPREAD);
	struct trier trier = {
		.fd = self->fd, .tries = shared_alloc(sizeof(*trier.tries)),
		.stop = shared_alloc(sizeof(*trier.stop)),
		.set = { .op = 1, .nr_pins = KT_SETMAX },
	};
	uint64_t refs[SPREAD + 1], there;
	struct kmdom_page page;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_TRIM, NULL, 0, &there));
	/* The last is for the cursor to be elsewhere. */
	ASSERT_EQ(0, make_spread(self, refs, nr + 1));
	trier.set.pins[KT_SETMAX - 1] = (struct kt_pin) {
		.ref = self->refs[0], .type = KT_TRIM,
	};
	for (j = 1; j < KT_SETMAX - 1; j++)
		trier.set.pins[j] = (struct kt_pin) { .ref = there, .type = KT_TRIM };
	for (i = 0; i < nr; i++) {
		trier.set.pins[0] = (struct kt_pin) {
			.ref = refs[i], .type = KT_TRIM, .mode = KT_PIN_TABLE,
		};
		atomic_store(trier.stop, 0);
		atomic_store(trier.tries, 0);
		proc_start(self->proc, try_always, &trier, sizeof(trier));
		while (atomic_load(trier.tries) < 50 && !proc_done(self->proc, 0)) {
			sched_yield();
			cpu_relax();
		}
		EXPECT_EQ(0, kt_del(self->fd, 0, KT_TRIM, refs[i]));
		atomic_store(trier.stop, 1);
		ASSERT_EQ(0, proc_finish(self->proc, NULL, 0));
		EXPECT_EQ(-ENOENT, pager_look(self->pager, PAGE_OF(1, i + 2), &page));
	}
}

/* What is under an absent table cannot be asked about. */
TEST_F(table, operations_under_an_absent_table)
{
	struct kmdom_info info;
	struct stored *rec;
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	version = self->versions[0];
	rec = store_get(self->bed.store, 1, version);
	EXPECT_EQ(-ENXIO, pager_export(self->pager, 1, 0));
	EXPECT_EQ(-ENXIO, pager_stored(self->pager, 1, version));
	EXPECT_EQ(-ENXIO, pager_evict(self->pager, 1, version, 0));
	EXPECT_EQ(-ENXIO, pager_restore(self->pager, 1, version, rec->data, rec->len));
	EXPECT_EQ(-ENXIO, pager_refuse(self->pager, 1, version, 0));
	EXPECT_EQ(-EALREADY, pager_export(self->pager, FIRST, 0));
	/* None of it was a lie. */
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(0, info.rejected);
	/* No page: an index that its level does not have, one that was never made. */
	EXPECT_EQ(-ENOENT, pager_export(self->pager, PAGE_OF(4, 1), 0));
	EXPECT_EQ(-ENOENT, pager_export(self->pager, PAGE_OF(3, 512), 0));
	EXPECT_EQ(-ENOENT, pager_export(self->pager, PAGE_OF(1, 1 << 27), 0));
	EXPECT_EQ(-ENOENT, pager_export(self->pager, PAGE_OF(3, 511), 0));
	EXPECT_EQ(-ENOENT, pager_export(self->pager, PAGE_OF(1, 2), 0));
}

/* Whatever changes in it after an export makes it another. */
TEST_F(table, one_that_changed)
{
	uint64_t version, now, ref;

	ASSERT_EQ(0, pager_export(self->pager, SECOND, 0));
	version = self->pager->res.version;
	EXPECT_EQ(-EALREADY, pager_export(self->pager, SECOND, 0));
	EXPECT_EQ(version, self->pager->res.version);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	EXPECT_EQ(-EBUSY, pager_export(self->pager, SECOND, 0));
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, SECOND, version, 0));
	EXPECT_EQ(-EAGAIN, pager_stored(self->pager, SECOND, version));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, SECOND, version, 0));
	ASSERT_EQ(0, pager_export(self->pager, SECOND, 0));
	now = self->pager->res.version;
	EXPECT_EQ(-ESTALE, pager_evict(self->pager, SECOND, version, 0));
	EXPECT_EQ(0, pager_stored(self->pager, SECOND, now));
	EXPECT_EQ(0, pager_preempt(self->pager, SECOND));
}

/* A table that came back unchanged goes again without another record. */
TEST_F(table, clean_ones)
{
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	version = self->pager->res.version;
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, version));
	EXPECT_EQ(-EALREADY, pager_answer(self->pager, FIRST, version));
	EXPECT_EQ(-EALREADY, pager_export(self->pager, FIRST, 0));
	EXPECT_EQ(0, pager_evict(self->pager, FIRST, version, 0));
	EXPECT_EQ(-EALREADY, pager_evict(self->pager, FIRST, version, 0));
}

/* The record of a table can be read, and says where each page's truth is. */
TEST_F(table, records_tell_versions)
{
	const struct kmdom_record *head;
	const uint8_t *pair;
	struct stored *rec;
	unsigned int i;
	uint64_t entry;

	ASSERT_EQ(0, pager_export(self->pager, FIRST, 0));
	rec = store_get(self->bed.store, FIRST, self->pager->res.version);
	ASSERT_NE(NULL, rec);
	head = (struct kmdom_record *)rec->data;
	EXPECT_EQ(KMDOM_POLICY_SIGNED, head->policy);
	EXPECT_EQ(1, head->level);
	EXPECT_EQ(0, le64toh(head->index));
	EXPECT_EQ(256, le16toh(head->slots));
	EXPECT_EQ(256, le16toh(head->live));
	EXPECT_EQ(96 + 4096 + 16, rec->len);
	pair = rec->data + sizeof(*head);
	for (i = 0; i < 512; i++) {
		memcpy(&entry, pair + 8 * i, sizeof(entry));
		entry = le64toh(entry);
		if (!i) {
			EXPECT_EQ(0, entry);
			continue;
		}
		EXPECT_EQ(KMDOM_PAGE_ABSENT, entry & 7);
		EXPECT_EQ(self->versions[i - 1], entry >> 13);
	}
}

/* What is no record of it at its version is not taken for one. */
TEST_F(table, lies)
{
	struct stored *old, *rec, *other;
	uint8_t lie[KMDOM_RECORD_MAX];
	struct kmdom_record *head = (struct kmdom_record *)lie;
	struct kmdom_info info;
	uint64_t version, first;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	first = self->pager->res.version;
	old = store_get(self->bed.store, FIRST, first);
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, first));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_TRIM, self->refs[0]));
	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	version = self->pager->res.version;
	rec = store_get(self->bed.store, FIRST, version);
	other = store_get(self->bed.store, 2, self->versions[1]);
	memcpy(lie, rec->data, rec->len);

	EXPECT_EQ(-ESTALE, pager_restore(self->pager, FIRST, first, rec->data, rec->len));
	EXPECT_EQ(KMDOM_REJECT_STALE, self->pager->res.value);
	EXPECT_EQ(-ESTALE, pager_restore(self->pager, FIRST, version, old->data, old->len));
	EXPECT_EQ(KMDOM_REJECT_VERSION, self->pager->res.value);
	EXPECT_EQ(-EXDEV, pager_restore(self->pager, FIRST, version, other->data, other->len));
	EXPECT_EQ(KMDOM_REJECT_LEVEL, self->pager->res.value);
	head->level = 2;
	EXPECT_EQ(-EXDEV, pager_restore(self->pager, FIRST, version, lie, rec->len));
	EXPECT_EQ(KMDOM_REJECT_LEVEL, self->pager->res.value);
	head->level = 1;
	head->index = htole64(1);
	EXPECT_EQ(-EXDEV, pager_restore(self->pager, FIRST, version, lie, rec->len));
	EXPECT_EQ(KMDOM_REJECT_INDEX, self->pager->res.value);
	head->index = 0;
	/* An older version of a page: what a hostile pager would like to be true. */
	memcpy(lie + 96 + 8 * 2, old->data + 96 + 8 * 1, 8);
	EXPECT_EQ(-EBADMSG, pager_restore(self->pager, FIRST, version, lie, rec->len));
	EXPECT_EQ(KMDOM_REJECT_TAG, self->pager->res.value);
	/* Its true bytes under another version that it may have some day. */
	memcpy(lie, old->data, old->len);
	head->version = htole64(version);
	EXPECT_EQ(-EBADMSG, pager_restore(self->pager, FIRST, version, lie, old->len));
	EXPECT_EQ(KMDOM_REJECT_TAG, self->pager->res.value);

	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(7, info.rejected);
	EXPECT_EQ(0, pager_answer(self->pager, FIRST, version));
}

/* With a table that is lost all is lost that it covers, and nothing else. */
TEST_F(table, lost)
{
	uint64_t value, ref;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	read_start(self, 0, 7);
	ASSERT_EQ(0, expect_fault(self->pager, FIRST, 8));
	EXPECT_EQ(1, pager_refuse(self->pager, FIRST, self->pager->res.version, 0));
	EXPECT_EQ(-EIO, read_finish(self, 0, 7));
	read_start(self, 0, 7);
	ASSERT_EQ(0, expect_fault(self->pager, FIRST, 8));
	EXPECT_EQ(1, pager_refuse(self->pager, FIRST, self->pager->res.version, KMDOM_OPF_LOST));
	EXPECT_EQ(-EIO, read_finish(self, 0, 7));
	EXPECT_EQ(-EIO, kt_get(self->fd, 0, KT_TRIM, self->refs[20], &value, sizeof(value)));
	EXPECT_EQ(-EIO, pager_export(self->pager, 21, 0));
	EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_TRIM, self->refs[20]));
	/* What is beside it is not touched, and new pages are made. */
	read_start(self, 0, 515);
	EXPECT_EQ(0, answer_fault(self->pager, 516, 516));
	EXPECT_EQ(0, read_finish(self, 0, 515));
	EXPECT_EQ(0, kt_new(self->fd, 0, KT_TRIM, NULL, 0, &ref));
	EXPECT_EQ(PAGES + 1, KT_REF_INDEX(ref));
}

/* A pin for freeing is granted under a lost table, too: there is nothing to wait for. */
TEST_F(table, pins_of_lost_tables)
{
	struct kt_req begin = { 0 }, free = { .type = KT_TRIM, .ref = self->refs[10] };
	struct kt_req set = {
		.nr_pins = 2, .pins = {
			{ .ref = self->refs[10], .type = KT_TRIM, .mode = KT_PIN_TABLE },
			{ .ref = 5ULL << 44, .type = KT_TRIM, .mode = KT_PIN_TABLE },
		},
	};

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, pager_refuse(self->pager, FIRST, self->pager->res.version, KMDOM_OPF_LOST));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	EXPECT_EQ(-ENOENT, kt(self->fd, KT_IOC_PINSET, &set));
	/* Nor under one that never was. */
	set.pins[1].ref = 1ULL << 40;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &set));
	EXPECT_EQ(-ENOENT, kt(self->fd, KT_IOC_FREE, &free));
	ASSERT_EQ(0, kt_end(self->fd, 0));
}

/* A set with such a pin that lacks something else lets go of it, and takes it again. */
TEST_F(table, pins_of_tables_and_absent_pages)
{
	struct kt_req begin = { 0 }, set = {
		.nr_pins = 3, .nr_allocs = 1, .pins = {
			{ .ref = self->refs[10], .type = KT_TRIM, .mode = KT_PIN_TABLE },
			{ .ref = self->refs[515], .type = KT_TRIM, .mode = KT_PIN_WRITE },
			{ .ref = self->refs[12], .type = KT_TRIM },
		},
	};

	ASSERT_EQ(0, preempt_tables(self->pager));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	kt_start(self->proc, self->fd, KT_IOC_PINSET, &set);
	while (!proc_done(self->proc, 0))
		ASSERT_LE(0, pager_serve(self->pager, 20));
	EXPECT_EQ(0, kt_finish(self->proc, NULL));
	EXPECT_EQ(-EBUSY, pager_preempt(self->pager, FIRST));
	ASSERT_EQ(0, kt_end(self->fd, 0));
}

/* Two threads of a pager: what one vouches for is what is evicted. */
TEST_F(table, exported_anew_while_drained)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EVICT, .flags = KMDOM_OPF_DRAIN, .level = 1, .index = 0,
	};
	struct kt_req begin = { 0 }, set = {
		.nr_pins = 1, .pins = {
			{ .ref = self->refs[10], .type = KT_TRIM, .mode = KT_PIN_TABLE },
		},
	};
	struct kmdom_page page;
	struct side side;
	int ret;

	ASSERT_EQ(0, pager_export(self->pager, FIRST, 0));
	op.version = self->pager->res.version;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &set));
	ASSERT_EQ(0, side_op(&side, self->pager, &op));
	ASSERT_EQ(0, kt_del(self->fd, 1, KT_TRIM, self->refs[20]));
	ASSERT_EQ(0, pager_export(self->pager, FIRST, 0));
	ASSERT_EQ(0, kt_end(self->fd, 0));
	/* Whether the drain had ended before: never at the newer version. */
	ret = side_join(&side);
	EXPECT_TRUE(ret == -ESTALE || ret == -EAGAIN || ret == -EBUSY);
	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_EQ(KMDOM_PAGE_PRESENT, page.state);
}

/* Where the table at the cursor is lost new pages are made behind it. */
TEST_F(table, lost_at_the_cursor)
{
	uint64_t ref;

	ASSERT_EQ(0, pager_preempt(self->pager, SECOND));
	ASSERT_EQ(0, pager_refuse(self->pager, SECOND, self->pager->res.version, KMDOM_OPF_LOST));
	EXPECT_EQ(0, kt_new(self->fd, 0, KT_TRIM, NULL, 0, &ref));
	EXPECT_EQ(1024, KT_REF_INDEX(ref));
	EXPECT_EQ(0, bed_serves(&self->bed));
}

TEST_F(table, lost_root)
{
	uint64_t ref, value;

	ASSERT_EQ(0, preempt_tables(self->pager));
	ASSERT_EQ(0, pager_refuse(self->pager, PAGE_OF(4, 0), self->pager->res.version,
				  KMDOM_OPF_LOST));
	EXPECT_EQ(-EIO, kt_new(self->fd, 0, KT_TRIM, NULL, 0, &ref));
	EXPECT_EQ(-EIO, kt_get(self->fd, 0, KT_TRIM, self->refs[3], &value, sizeof(value)));
	EXPECT_EQ(-ENOENT, kt_del(self->fd, 0, KT_TRIM, self->refs[3]));
}

/* Many wait for pages under one table: it is asked for once, then each of theirs. */
TEST_F(table, many_waiters)
{
	struct kmdom_event ev;
	unsigned int i;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	for (i = 0; i < 4; i++) {
		read_start(self, i, 100 + i / 2);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	ASSERT_EQ(0, expect_fault(self->pager, FIRST, 101));
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
	EXPECT_EQ(1, pager_resend(self->pager));
	ASSERT_EQ(0, answer_fault(self->pager, FIRST, 101));
	EXPECT_EQ(0, answer_fault(self->pager, 101, 101));
	EXPECT_EQ(0, answer_fault(self->pager, 102, 102));
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, read_finish(self, i, 100 + i / 2));
}

/* A table may be taken from who waits under it, unless he is the oldest. */
TEST_F(table, taken_from_a_waiter)
{
	uint64_t version, first;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	first = self->pager->res.version;
	read_start(self, 0, 3);
	ASSERT_TRUE(proc_sleeps(&self->proc[0], PROC_PATIENCE));
	ASSERT_EQ(0, expect_fault(self->pager, FIRST, 4));
	read_start(self, 1, 513);
	ASSERT_TRUE(proc_sleeps(&self->proc[1], PROC_PATIENCE));
	ASSERT_EQ(0, expect_fault(self->pager, 514, 514));
	ASSERT_EQ(0, pager_preempt(self->pager, SECOND));
	version = self->pager->res.version;
	ASSERT_EQ(0, expect_fault(self->pager, SECOND, 514));
	/* The first gets his table, which is his until he has the page. */
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, first));
	ASSERT_EQ(0, expect_fault(self->pager, 4, 4));
	EXPECT_EQ(-EBUSY, pager_evict(self->pager, FIRST, first, 0));
	ASSERT_EQ(0, pager_answer(self->pager, 4, self->pager->res.version ?: self->versions[3]));
	EXPECT_EQ(0, read_finish(self, 0, 3));
	ASSERT_EQ(0, pager_answer(self->pager, SECOND, version));
	EXPECT_EQ(0, answer_fault(self->pager, 514, 514));
	EXPECT_EQ(0, read_finish(self, 1, 513));
}

/* SCAN shows a table before what it covers, and nothing under an absent one. */
TEST_F(table, scan)
{
	unsigned int seen[KMDOM_LEVELS + 1] = { 0 }, calls = 0;
	struct kmdom_page pages[7];
	uint64_t cursor = 0, next = 0;
	int i, nr;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	do {
		nr = pager_scan(self->pager, &cursor, pages, 7, 0);
		ASSERT_LE(0, nr);
		for (i = 0; i < nr; i++) {
			uint64_t first = pages[i].index << 9 * pages[i].level;

			EXPECT_LE(next, first);
			next = first;
			seen[pages[i].level]++;
			if (PAGE_OF(pages[i].level, pages[i].index) == FIRST) {
				EXPECT_EQ(KMDOM_PAGE_ABSENT, pages[i].state);
			} else if (pages[i].level) {
				EXPECT_EQ(pages[i].level > 1 ? KMDOM_PAGEF_HOLDS : 0,
					  pages[i].flags & KMDOM_PAGEF_HOLDS);
			} else {
				EXPECT_LE(512, pages[i].index);
			}
		}
		ASSERT_GT(100, calls++);
	} while (cursor);
	EXPECT_EQ(1, seen[4]);
	EXPECT_EQ(1, seen[3]);
	EXPECT_EQ(1, seen[2]);
	EXPECT_EQ(2, seen[1]);
	EXPECT_EQ(PAGES - 511, seen[0]);

	/* By frames: the four that are left. */
	nr = pager_scan(self->pager, &cursor, pages, 7, KMDOM_OPF_PRESENT);
	EXPECT_EQ(4, nr);
	EXPECT_EQ(0, cursor);
}

/* Who waits under a table does not lose his place to who waits for pages alone. */
TEST_F(table, oldest_first)
{
	struct kmdom_event events[4];
	int i;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	for (i = 0; i < 4; i++) {
		read_start(self, i, i ? 511 + i : 9);
		ASSERT_TRUE(proc_sleeps(&self->proc[i], PROC_PATIENCE));
	}
	ASSERT_EQ(1, pager_events(self->pager, events, 1, 0));
	EXPECT_EQ(1, events[0].level);
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, events[0].version));
	ASSERT_EQ(4, pager_events(self->pager, events, 4, 0));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(KT_REF_INDEX(self->refs[i ? 511 + i : 9]), events[i].index);
		EXPECT_EQ(0, pager_answer(self->pager, events[i].index, events[i].version));
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, read_finish(self, i, i ? 511 + i : 9));
}

/* The frames of what was evicted are free after a grace period, which may take long. */
static int new_page(int fd, uint64_t *ref)
{
	long long end = now_ms() + PROC_PATIENCE;
	int ret;

	while ((ret = kt_new(fd, 0, KT_PAGE, NULL, 0, ref)) == -EDEADLK && now_ms() < end)
		usleep(1000);
	return ret;
}

/*
 * A set whose wants are so many that those of one bucket are often the same waiter's:
 * each is found all the same, whether its table comes or is refused.
 */
TEST_F(table, of_one_set)
{
	enum { SETS = 24 };
	struct kt_req req = { .op = 1, .nr_pins = KT_SETMAX };
	unsigned int set, i, wanted = KT_SETMAX - 1;
	uint64_t page, ref;

	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	for (set = 0; set < SETS; set++) {
		for (i = 0; i < wanted; i++) {
			ASSERT_EQ(0, new_page(self->fd, &ref));
			req.pins[i] = (struct kt_pin) { .ref = ref, .type = KT_PAGE };
		}
		req.pins[wanted] = (struct kt_pin) { .ref = self->refs[set], .type = KT_TRIM };
		page = KT_REF_INDEX(self->refs[set]);
		ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
		kt_start(self->proc, self->fd, KT_IOC_PINSET, &req);
		ASSERT_EQ(0, expect_fault(self->pager, FIRST, page));
		ASSERT_EQ(1, pager_refuse(self->pager, FIRST, self->pager->res.version, 0));
		ASSERT_EQ(-EIO, kt_finish(self->proc, &req));
		kt_start(self->proc, self->fd, KT_IOC_PINSET, &req);
		ASSERT_EQ(0, answer_fault(self->pager, FIRST, page));
		ASSERT_EQ(0, answer_fault(self->pager, page, page));
		ASSERT_EQ(0, kt_finish(self->proc, &req));
		for (i = 0; i < KT_SETMAX; i++) {
			req.pin = i;
			ASSERT_EQ(0, kt(self->fd, KT_IOC_UNPIN, &req));
		}
		req.pin = 0;
		ASSERT_EQ(0, pager_preempt(self->pager, page));
	}
	EXPECT_EQ(0, kt_end(self->fd, 1));
}

/* A successor finds everything, though nothing but one version was left. */
TEST_F(table, a_successor)
{
	struct kmdom_page page;
	uint64_t version;

	ASSERT_EQ(0, pager_preempt(self->pager, FIRST));
	version = self->pager->res.version;
	ASSERT_EQ(0, pager_answer(self->pager, FIRST, version));
	read_start(self, 0, 44);
	ASSERT_EQ(0, expect_fault(self->pager, 45, 45));
	pager_leave(self->pager);
	ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door, FRAMES, 0));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	/* It is dirty for the next, until he vouches for what he has. */
	ASSERT_EQ(0, pager_look(self->pager, FIRST, &page));
	EXPECT_EQ(version, page.version);
	EXPECT_TRUE(page.flags & KMDOM_PAGEF_DIRTY);
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, FIRST, version, 0));
	EXPECT_EQ(0, answer_fault(self->pager, 45, 45));
	EXPECT_EQ(0, read_finish(self, 0, 44));
	ASSERT_EQ(0, pager_preempt(self->pager, 45));
	ASSERT_EQ(0, preempt_tables(self->pager));

	read_start(self, 0, 44);
	ASSERT_EQ(0, expect_fault(self->pager, PAGE_OF(4, 0), 45));
	pager_leave(self->pager);
	ASSERT_EQ(0, pager_adopt(self->pager, self->bed.name, variant->door, FRAMES, 0));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(4, 0), 45));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(3, 0), 45));
	EXPECT_EQ(0, answer_fault(self->pager, PAGE_OF(2, 0), 45));
	EXPECT_EQ(0, answer_fault(self->pager, FIRST, 45));
	EXPECT_EQ(0, answer_fault(self->pager, 45, 45));
	EXPECT_EQ(0, read_finish(self, 0, 44));
}

/* All that was brought goes again, tables and pages, between any two readings. */
TEST_F(table, taken_all_the_time)
{
	unsigned int i, nr, rounds = scaled("rounds", 100);

	for (nr = 0; nr < rounds; nr++) {
		for (i = 0; i < 4; i++)
			read_start(self, i, (nr * 37 + i * 131) % PAGES);
		for (i = 0; i < 4; i++) {
			while (!proc_done(&self->proc[i], 0))
				ASSERT_LE(0, pager_serve(self->pager, 20));
			EXPECT_EQ(0, read_finish(self, i, (nr * 37 + i * 131) % PAGES));
		}
		ASSERT_LE(0, pager_preempt_all(self->pager));
	}
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_HARNESS_MAIN
