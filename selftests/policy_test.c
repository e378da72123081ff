// SPDX-License-Identifier: GPL-2.0
/*
 * What a pager may do with objects: edit those of a CHECKED type in their record,
 * drop those of a DISCARD type, and nothing else.
 */
#include <endian.h>
#include "harness.h"

#define FRAMES	256
#define HEADER	sizeof(struct kmdom_record)
#define TAG	16

FIXTURE(policy) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
};

BOTH_DOORS(policy);

FIXTURE_SETUP(policy)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_CHECKED | 1 << KT_DISCARD | 1 << KT_SCRATCH | 1 << KT_PAGE |
			 1 << KT_SMALL,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
}

FIXTURE_TEARDOWN(policy)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

static void checked_fill(struct kt_checked *obj, uint64_t number)
{
	*obj = (struct kt_checked) {
		.colour = 1 + number % KT_COLOURS, .flags = number & KT_FLAGS,
		.len = 5, .number = number, .bytes = "three", .note = "ab", .kernel = ~0ULL,
	};
	obj->sum = KT_SUM(obj);
}

/* An object, alone in its page, absent; its record is copied to @rec. */
struct edited {
	uint64_t ref;
	uint64_t index;
	uint64_t version;
	uint8_t rec[KMDOM_RECORD_MAX];
	uint32_t len;
};

/* Where its fields are in the record: one object, no padding. */
enum {
	COLOUR = HEADER, FLAGS, LEN, SUM = LEN + 2, NUMBER = SUM + 4, REF = NUMBER + 8,
	BYTES = REF + 8, NOTE_LEN = BYTES + 5, NOTE = NOTE_LEN + 2, END = NOTE + 2
};

static int make(struct _test_data_policy *self, struct edited *e, uint64_t number)
{
	struct kt_checked obj;
	struct stored *rec;
	int ret;

	checked_fill(&obj, number);
	ret = kt_new(self->fd, 0, KT_CHECKED, &obj, sizeof(obj), &e->ref);
	if (ret)
		return ret;
	e->index = KT_REF_INDEX(e->ref);
	ret = pager_preempt(self->pager, e->index);
	e->version = self->pager->res.version;
	rec = store_get(self->bed.store, e->index, e->version);
	if (ret || !rec)
		return ret ?: -ENOKEY;
	e->len = rec->len;
	memcpy(e->rec, rec->data, rec->len);
	return 0;
}

static int give(struct _test_data_policy *self, struct edited *e, const void *rec, uint32_t len)
{
	return pager_restore(self->pager, e->index, e->version, rec, len);
}

static int holds(struct _test_data_policy *self, struct edited *e, const struct kt_checked *want)
{
	struct kt_checked obj;
	int ret = kt_get(self->fd, 0, KT_CHECKED, e->ref, &obj, sizeof(obj));

	return ret ?: memcmp(&obj, want, sizeof(obj)) ? -EILSEQ : 0;
}

/* The record is as it is documented, for those who edit it. */
TEST_F(policy, checked_records_are_plain)
{
	struct kmdom_record *head;
	struct edited e;

	ASSERT_EQ(0, make(self, &e, 9));
	head = (struct kmdom_record *)e.rec;
	EXPECT_EQ(KMDOM_POLICY_CHECKED, head->policy);
	EXPECT_EQ(0, head->length);
	EXPECT_EQ(END + TAG, e.len);
	EXPECT_EQ(3, e.rec[COLOUR]);
	EXPECT_EQ(1, e.rec[FLAGS]);
	EXPECT_EQ(5, e.rec[LEN]);
	EXPECT_EQ(9, e.rec[NUMBER]);
	EXPECT_EQ(0, memcmp(&e.rec[BYTES], "three\2\0ab", 9));
}

TEST_F(policy, checked_records_may_be_edited)
{
	uint8_t longer[KMDOM_RECORD_MAX];
	struct kt_checked want;
	struct kmdom_info info;
	struct edited e;

	ASSERT_EQ(0, make(self, &e, 9));
	checked_fill(&want, 9);
	want.kernel = 0;
	want.number += 256;
	want.sum = KT_SUM(&want);
	e.rec[NUMBER + 1] = 1;
	e.rec[SUM + 1] += 1;
	ASSERT_EQ(0, give(self, &e, e.rec, e.len));
	EXPECT_EQ(0, holds(self, &e, &want));

	/* Its length, too: all that is longer or shorter by that. */
	ASSERT_EQ(0, pager_evict(self->pager, e.index, e.version, 0));
	want.len = 9;
	want.sum += 4;
	memcpy(want.bytes, "three and", 9);
	memcpy(longer, e.rec, BYTES);
	longer[LEN] = 9;
	longer[SUM] += 4;
	memcpy(longer + BYTES, want.bytes, 9);
	memcpy(longer + BYTES + 9, e.rec + NOTE_LEN, e.len - NOTE_LEN);
	ASSERT_EQ(0, give(self, &e, longer, e.len + 4));
	EXPECT_EQ(0, holds(self, &e, &want));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(0, info.rejected);
}

/* One byte of the payload, or the length, and why it is not taken. */
static const struct {
	unsigned int at;
	uint8_t byte;
	int longer;
	enum kmdom_reject why;
} edits[] = {
	{ COLOUR, 0, 0, KMDOM_REJECT_RANGE },
	{ COLOUR, KT_COLOURS + 1, 0, KMDOM_REJECT_RANGE },
	{ FLAGS, 4, 0, KMDOM_REJECT_FLAGS },
	{ LEN, 17, 0, KMDOM_REJECT_COUNT },
	{ LEN + 1, 1, 0, KMDOM_REJECT_COUNT },
	{ LEN, 16, 0, KMDOM_REJECT_END },
	{ REF, 1, 0, KMDOM_REJECT_REF },	/* page 0 */
	{ REF + 7, 1, 0, KMDOM_REJECT_REF },	/* page 2^48 */
	{ NOTE_LEN, 17, 0, KMDOM_REJECT_COUNT },
	{ NOTE_LEN, 3, 0, KMDOM_REJECT_END },
	{ NOTE_LEN, 1, 0, KMDOM_REJECT_REST },
	{ NOTE + 1, 0, 0, KMDOM_REJECT_TRIM },
	{ SUM, 0, 0, KMDOM_REJECT_CHECK },
	{ COLOUR, 4, 0, KMDOM_REJECT_CHECK },	/* in its range, but not in the sum */
	{ COLOUR, 3, -1, KMDOM_REJECT_END },
	{ COLOUR, 3, 1, KMDOM_REJECT_REST },
	{ offsetof(struct kmdom_record, length), 1, 0, KMDOM_REJECT_SIZE },
	{ offsetof(struct kmdom_record, map), 2, 0, KMDOM_REJECT_TAG },	/* another slot */
	{ offsetof(struct kmdom_record, map), 3, 0, KMDOM_REJECT_LIVE },
	{ offsetof(struct kmdom_record, map) + 31, 0x80, 0, KMDOM_REJECT_MAP },
	{ offsetof(struct kmdom_record, policy), KMDOM_POLICY_SIGNED, 0, KMDOM_REJECT_POLICY },
	{ END, 0, 0, KMDOM_REJECT_TAG },
};

/* Makes an edit to a copy of the record; the tag stays at the end. Its length. */
static uint32_t edit(const struct edited *e, size_t i, uint8_t *lie)
{
	memset(lie, 0, KMDOM_RECORD_MAX);
	memcpy(lie, e->rec, e->len);
	memcpy(lie + END + edits[i].longer, e->rec + END, TAG);
	if (edits[i].byte == lie[edits[i].at] && !edits[i].longer)
		lie[edits[i].at] ^= 0xff;
	else
		lie[edits[i].at] = edits[i].byte;
	return e->len + edits[i].longer;
}

TEST_F(policy, checked_records_keep_their_form)
{
	uint8_t lie[KMDOM_RECORD_MAX];
	struct kt_checked want;
	struct kmdom_info info;
	struct edited e;
	uint32_t len;
	size_t i;

	ASSERT_EQ(0, make(self, &e, 9));
	for (i = 0; i < ARRAY_SIZE(edits); i++) {
		len = edit(&e, i, lie);
		EXPECT_GT(0, give(self, &e, lie, len));
		EXPECT_EQ(edits[i].why, self->pager->res.value)
			TH_LOG("edit %zu", i);
	}
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(ARRAY_SIZE(edits), info.rejected);
	ASSERT_EQ(0, give(self, &e, e.rec, e.len));
	checked_fill(&want, 9);
	want.kernel = 0;
	EXPECT_EQ(0, holds(self, &e, &want));
}

/* A record in a file of a directory; the files are in the order of @nr. */
static int put_record(const char *dir, unsigned int nr, const void *rec, uint32_t len)
{
	char path[64];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/%03u", dir, nr);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	ret = fwrite(rec, 1, len, file) == len ? 0 : -EIO;
	return fclose(file) ? -errno : ret;
}

/* What kmdomctl tells of all records in a directory, by way of a filter of jq. */
static FILE *inspect(const char *dir, const char *filter)
{
	char command[1024];

	snprintf(command, sizeof(command), "'%s' --json inspect %s/* | jq -r '%s'",
		 proc_tool("kmdomctl"), dir, filter);
	return popen(command, "r");
}

static int remove_dir(const char *dir)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/*
 * kmdomctl, which asks the kernel for the types, knows as well as the kernel why a
 * record is not taken, but for what takes the key or the type's own check.
 */
TEST_F(policy, tools_know_why)
{
	char dir[] = "/tmp/kmdom-policy.XXXXXX";
	uint8_t lie[KMDOM_RECORD_MAX];
	struct edited e;
	unsigned int why, want;
	FILE *told;
	size_t i;

	ASSERT_TRUE(mkdtemp(dir));
	ASSERT_EQ(0, make(self, &e, 9));
	for (i = 0; i < ARRAY_SIZE(edits); i++)
		ASSERT_EQ(0, put_record(dir, i, lie, edit(&e, i, lie)));
	told = inspect(dir, ".[] | (.reject.number // 0)");
	ASSERT_TRUE(told);
	for (i = 0; i < ARRAY_SIZE(edits); i++) {
		want = edits[i].why;
		if (want == KMDOM_REJECT_TAG || want == KMDOM_REJECT_CHECK)
			want = KMDOM_REJECT_NONE;
		ASSERT_EQ(1, fscanf(told, "%u", &why));
		EXPECT_EQ(want, why) TH_LOG("edit %zu", i);
	}
	EXPECT_EQ(0, pclose(told));
	EXPECT_EQ(0, remove_dir(dir));
}

/* What may be read is shown: of objects, and of the table over them. */
TEST_F(policy, tools_show_what_may_be_read)
{
	char dir[] = "/tmp/kmdom-policy.XXXXXX", text[256] = "", want[256];
	struct edited e;
	struct stored *table;
	FILE *told;

	ASSERT_TRUE(mkdtemp(dir));
	ASSERT_EQ(0, make(self, &e, 9));
	ASSERT_EQ(0, put_record(dir, 0, e.rec, e.len));
	ASSERT_EQ(0, pager_preempt(self->pager, PAGE_OF(1, 0)));
	table = store_get(self->bed.store, PAGE_OF(1, 0), self->pager->res.version);
	ASSERT_TRUE(table);
	ASSERT_EQ(0, put_record(dir, 1, table->data, table->len));
	told = inspect(dir, "[.[0].objects[].fields | .colour, .number, .bytes],"
			    "[.[1].entries[] | .index, .version] | join(\" \")");
	ASSERT_TRUE(told);
	snprintf(want, sizeof(want), "3 9 7468726565\n%llu %llu\n",
		 (unsigned long long)e.index, (unsigned long long)e.version);
	EXPECT_LT(0, fread(text, 1, sizeof(text) - 1, told));
	EXPECT_STREQ(want, text);
	EXPECT_EQ(0, pclose(told));
	EXPECT_EQ(0, remove_dir(dir));
}

/* An older payload is an edit like any other; an older record is still refused. */
TEST_F(policy, checked_records_of_older_times)
{
	struct kt_checked obj;
	struct edited old, e;
	struct stored *rec;

	ASSERT_EQ(0, make(self, &old, 1));
	ASSERT_EQ(0, give(self, &old, old.rec, old.len));
	checked_fill(&obj, 2);
	ASSERT_EQ(0, kt_set(self->fd, 0, KT_CHECKED, old.ref, &obj, sizeof(obj)));
	e = old;
	ASSERT_EQ(0, pager_preempt(self->pager, e.index));
	e.version = self->pager->res.version;
	rec = store_get(self->bed.store, e.index, e.version);
	memcpy(e.rec, rec->data, rec->len);
	EXPECT_EQ(-ESTALE, give(self, &e, old.rec, old.len));
	EXPECT_EQ(KMDOM_REJECT_VERSION, self->pager->res.value);
	memcpy(e.rec + HEADER, old.rec + HEADER, END - HEADER);
	EXPECT_EQ(0, give(self, &e, e.rec, e.len));
	checked_fill(&obj, 1);
	obj.kernel = 0;
	EXPECT_EQ(0, holds(self, &e, &obj));
}

/* Puts a ref into a record, and something else that the sum is over, and mends that. */
static void edit_ref(struct edited *e, uint64_t ref)
{
	uint32_t sum;

	ref = htole64(ref);
	memcpy(&e->rec[REF], &ref, sizeof(ref));
	e->rec[NUMBER]++;
	memcpy(&sum, &e->rec[SUM], sizeof(sum));
	sum = htole32(le32toh(sum) + 1);
	memcpy(&e->rec[SUM], &sum, sizeof(sum));
}

/*
 * An object comes back with the ref that the pager made up, and its client follows
 * that: what it finds there, and as what. The object is absent again afterwards.
 */
static int follow(struct _test_data_policy *self, struct edited *e, uint64_t ref,
		  struct kt_checked *found)
{
	struct kt_checked obj;
	int ret;

	edit_ref(e, ref);
	ret = give(self, e, e->rec, e->len);
	ret = ret ?: kt_get(self->fd, 0, KT_CHECKED, e->ref, &obj, sizeof(obj));
	if (ret || obj.ref != ref || (uint8_t)obj.number != e->rec[NUMBER])
		return ret ?: -EILSEQ;
	ret = kt_get(self->fd, 0, KT_CHECKED, obj.ref, found, sizeof(*found));
	return pager_evict(self->pager, e->index, e->version, 0) ?: ret;
}

/* Two refs to one object, of which a client cannot know: it ends once. */
TEST_F(policy, checked_refs_may_be_one)
{
	struct kt_req req = { .nr_pins = 2 };
	struct kt_checked obj;
	struct edited e;

	ASSERT_EQ(0, make(self, &e, 9));
	edit_ref(&e, e.ref);
	ASSERT_EQ(0, give(self, &e, e.rec, e.len));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_CHECKED, e.ref, &obj, sizeof(obj)));
	ASSERT_EQ(e.ref, obj.ref);
	req.pins[0] = (struct kt_pin) {
		.ref = e.ref, .type = KT_CHECKED, .mode = KT_PIN_WRITE,
	};
	req.pins[1] = req.pins[0];
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	for (req.pin = 0; req.pin < 2; req.pin++)
		EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	EXPECT_EQ(0, kt_end(self->fd, 0));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_CHECKED, e.ref, &obj, sizeof(obj)));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* Nor does what is made between the two end. */
TEST_F(policy, checked_refs_may_be_one_and_end_apart)
{
	struct kt_req req = { .op = 2, .nr_pins = 2 };
	uint64_t other, more[4096 / sizeof(struct kt_checked)];
	struct kt_checked obj, back;
	struct edited e;
	size_t i;

	ASSERT_EQ(0, make(self, &e, 9));
	ASSERT_EQ(0, give(self, &e, e.rec, e.len));
	req.pins[0] = (struct kt_pin) {
		.ref = e.ref, .type = KT_CHECKED, .mode = KT_PIN_WRITE,
	};
	req.pins[1] = req.pins[0];
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	ASSERT_EQ(0, kt(self->fd, KT_IOC_PINSET, &req));
	req.pin = 0;
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	checked_fill(&obj, 77);
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, &obj, sizeof(obj), &other));
	req.pin = 1;
	EXPECT_EQ(0, kt(self->fd, KT_IOC_FREEPIN, &req));
	EXPECT_EQ(0, kt_end(self->fd, 2));
	EXPECT_EQ(0, kt_get(self->fd, 0, KT_CHECKED, other, &back, sizeof(back)));
	EXPECT_EQ(77, back.number);
	/* Once the page was frozen the slot is free: as many are made as there are. */
	ASSERT_EQ(0, pager_export(self->pager, KT_REF_INDEX(other), 0));
	for (i = 0; i < 4096 / sizeof(obj) - 1; i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, &obj, sizeof(obj), &more[i]));
		EXPECT_EQ(KT_REF_INDEX(other), KT_REF_INDEX(more[i]));
	}
	while (i--)
		EXPECT_EQ(0, kt_del(self->fd, 0, KT_CHECKED, more[i]));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_CHECKED, other));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* Where no table can be, an export does nothing, and least of all to others. */
TEST_F(policy, nothing_beyond_the_last_table)
{
	static uint8_t buf[KMDOM_RECORD_MAX];
	struct kmdom_page before, after;
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .level = 1,
		.index = (1ULL << KMDOM_INDEX_BITS) / KMDOM_TABLE_ENTRIES,
		.buf = (unsigned long)buf, .len = KMDOM_RECORD_MAX,
	};
	struct kmdom_event ev;
	uint64_t ref, first = PAGE_OF(1, 0);

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	ASSERT_EQ(0, pager_export(self->pager, first, 0));
	/* A table that is empty, with a record: to be given back when it can be. */
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, ref));
	while (pager_events(self->pager, &ev, 1, 0) > 0)
		;
	ASSERT_EQ(0, pager_look(self->pager, first, &before));
	EXPECT_EQ(-ENOENT, pager_op(self->pager, &op));
	EXPECT_EQ(0, pager_look(self->pager, first, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
}

/* Of what was discarded no table is asked for, also not by who waits for another page. */
TEST_F(policy, discarded_asks_for_no_table)
{
	struct kt_req begin = { .op = 3 }, req = { .op = 3, .nr_pins = 2 };
	uint64_t gone, keep, far = 0;
	struct kmdom_event ev;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SCRATCH, NULL, 0, &gone));
	ASSERT_EQ(0, pager_evict(self->pager, KT_REF_INDEX(gone), 0, 0));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &keep));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(keep)));
	while (KT_REF_INDEX(far) < KMDOM_TABLE_ENTRIES) {
		if (far)
			ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, far));
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &far));
	}
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(far)));
	ASSERT_EQ(0, pager_preempt(self->pager, PAGE_OF(1, 0)));
	while (pager_events(self->pager, &ev, 1, 0) > 0)
		;
	req.pins[0] = (struct kt_pin) { .ref = far, .type = KT_PAGE };
	req.pins[1] = (struct kt_pin) { .ref = gone, .type = KT_SCRATCH };
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &begin));
	kt_start(self->proc, self->fd, KT_IOC_PINSET, &req);
	ASSERT_TRUE(proc_sleeps(self->proc, PROC_PATIENCE));
	ASSERT_EQ(1, pager_events(self->pager, &ev, 1, 0));
	EXPECT_EQ(0, ev.level);
	EXPECT_EQ(KT_REF_INDEX(far), ev.index);
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
	ASSERT_EQ(0, pager_answer(self->pager, ev.index, ev.version));
	EXPECT_EQ(-ENODATA, kt_finish(self->proc, &req));
	EXPECT_EQ(0, kt_end(self->fd, 3));
}

/* One of them is pinned, and by the other it is to end: nobody waits for ever. */
TEST_F(policy, what_is_pinned_by_another_ref_stays)
{
	struct kt_req req = { .op = 2, .type = KT_PAGE };
	uint64_t page;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &page));
	ASSERT_EQ(0, kt_pin(self->fd, 1, KT_PAGE, page, 0));
	req.ref = page;
	ASSERT_EQ(0, kt(self->fd, KT_IOC_BEGIN, &req));
	kt_start(self->proc, self->fd, KT_IOC_FREE, &req);
	EXPECT_FALSE(proc_done(self->proc, 300));
	EXPECT_EQ(0, proc_kill(self->proc));
	EXPECT_EQ(0, kt_end(self->fd, 2));
	EXPECT_EQ(0, kt_end(self->fd, 1));
	EXPECT_EQ(0, kt_get(self->fd, 0, KT_PAGE, page, NULL, 0));
	/* The pager has the page as before. */
	EXPECT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(page)));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_PAGE, page));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* A ref that a pager made up leads to an object of its type, or nowhere. */
TEST_F(policy, checked_refs_are_followed_with_care)
{
	uint64_t small, freed, gone, discarded;
	struct edited target, e;
	struct kt_checked obj;
	struct kmdom_event ev;
	struct kmdom_info info;
	size_t i;

	ASSERT_EQ(0, make(self, &target, 3));
	ASSERT_EQ(0, make(self, &e, 9));
	ASSERT_NE(target.index, e.index);
	ASSERT_EQ(0, give(self, &target, target.rec, target.len));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &small));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, NULL, 0, &freed));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_CHECKED, freed));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &gone));
	ASSERT_EQ(0, kt_del(self->fd, 0, KT_PAGE, gone));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_DISCARD, NULL, 0, &discarded));
	ASSERT_EQ(0, pager_evict(self->pager, KT_REF_INDEX(discarded), 0, 0));

	EXPECT_EQ(0, follow(self, &e, target.ref, &obj));
	EXPECT_EQ(3, obj.number);
	const struct { const char *to; uint64_t ref; } nowhere[] = {
		{ "an object of another cache", small },
		{ "an object that was freed", freed },
		{ "one whose page went with it", gone },
		{ "one of another cache that was discarded", discarded },
		{ "a slot that was never used", target.ref + 30 },
		{ "a slot that no page has", target.ref | 0xff },
		{ "a page that never was", 77777ULL << 8 },
		{ "the last page", ((1ULL << 36) - 1) << 8 },
		{ "nothing", 0 },
	};
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		EXPECT_EQ(-ENOENT, follow(self, &e, nowhere[i].ref, &obj))
			TH_LOG("to %s", nowhere[i].to);
	}

	/* It may well be absent: then it is waited for like any other. */
	edit_ref(&e, target.ref);
	ASSERT_EQ(0, give(self, &e, e.rec, e.len));
	ASSERT_EQ(0, kt_get(self->fd, 0, KT_CHECKED, e.ref, &obj, sizeof(obj)));
	ASSERT_EQ(0, pager_preempt(self->pager, target.index));
	px_get_start(self->proc, self->fd, KT_CHECKED, obj.ref, sizeof(obj));
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &ev));
	EXPECT_EQ(target.index, ev.index);
	EXPECT_EQ(0, pager_answer(self->pager, ev.index, ev.version));
	EXPECT_EQ(0, px_get_finish(self->proc, &obj, sizeof(obj)));
	EXPECT_EQ(3, obj.number);
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(0, info.rejected);
}

/* What is not consistent does not leave; and its client can put it right. */
TEST_F(policy, checked_objects_are_consistent)
{
	struct kt_checked obj;
	uint64_t ref;

	checked_fill(&obj, 5);
	obj.sum++;
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, &obj, sizeof(obj), &ref));
	EXPECT_EQ(-EINVAL, pager_export(self->pager, KT_REF_INDEX(ref), 0));
	EXPECT_EQ(-EAGAIN, pager_evict(self->pager, KT_REF_INDEX(ref), 1, 0));
	obj.sum--;
	ASSERT_EQ(0, kt_set(self->fd, 0, KT_CHECKED, ref, &obj, sizeof(obj)));
	EXPECT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	EXPECT_EQ(0, pager_answer(self->pager, KT_REF_INDEX(ref), self->pager->res.version));
}

/* Objects that end: all of the page, at once, and for ever. */
TEST_F(policy, discarded)
{
	struct kt_discard obj = { .number = 1, .secret = "nobody's business" };
	struct kmdom_page page;
	struct kmdom_event ev;
	uint64_t refs[3], index;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_DISCARD, &obj, sizeof(obj), &refs[i]));
	index = KT_REF_INDEX(refs[0]);
	ASSERT_EQ(index, KT_REF_INDEX(refs[2]));
	ASSERT_EQ(0, pager_look(self->pager, index, &page));
	EXPECT_EQ(KMDOM_POLICY_DISCARD, page.policy);
	EXPECT_EQ(3, page.live);
	EXPECT_EQ(0, page.version);
	EXPECT_EQ(0, page.flags & (KMDOM_PAGEF_DIRTY | KMDOM_PAGEF_VOUCHED));
	EXPECT_EQ(-ENODATA, pager_export(self->pager, index, 0));
	EXPECT_EQ(-ENODATA, pager_stored(self->pager, index, 1));
	EXPECT_EQ(-ESTALE, pager_evict(self->pager, index, 1, 0));
	EXPECT_EQ(0, kt_get(self->fd, 0, KT_DISCARD, refs[1], &obj, sizeof(obj)));

	ASSERT_EQ(0, pager_evict(self->pager, index, 0, 0));
	EXPECT_EQ(-ENOENT, pager_look(self->pager, index, &page));
	EXPECT_EQ(-ENOENT, pager_evict(self->pager, index, 0, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(-ENODATA, kt_get(self->fd, 0, KT_DISCARD, refs[i], &obj, sizeof(obj)));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_DISCARD, refs[0]));
	/* There is no garbage to tell of. */
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
	/* The next one is another, whatever it is called. */
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_DISCARD, &obj, sizeof(obj), &refs[1]));
	EXPECT_NE(index, KT_REF_INDEX(refs[1]));
	EXPECT_EQ(-ENODATA, kt_get(self->fd, 0, KT_DISCARD, refs[2], &obj, sizeof(obj)));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* Whatever becomes of the table that its page was under. */
TEST_F(policy, discarded_under_a_table_that_left)
{
	const uint64_t table = PAGE_OF(1, 0);
	uint64_t refs[3], other, value, version;
	struct kmdom_event ev;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refs); i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_SCRATCH, NULL, 0, &refs[i]));
		ASSERT_EQ(0, pager_evict(self->pager, KT_REF_INDEX(refs[i]), 0, 0));
	}
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &other));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(other)));
	ASSERT_EQ(0, pager_preempt(self->pager, table));
	version = self->pager->res.version;
	EXPECT_EQ(-ENODATA, kt_get(self->fd, 0, KT_SCRATCH, refs[0], &value, sizeof(value)));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_SCRATCH, refs[0]));
	EXPECT_EQ(0, pager_events(self->pager, &ev, 1, 0));
	ASSERT_EQ(0, pager_refuse(self->pager, table, version, KMDOM_OPF_LOST));
	EXPECT_EQ(-ENODATA, kt_get(self->fd, 0, KT_SCRATCH, refs[1], &value, sizeof(value)));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_SCRATCH, refs[1]));
	EXPECT_EQ(-EIO, kt_get(self->fd, 0, KT_PAGE, other, &value, sizeof(value)));
}

/* A pager that discards for those who lack frames has answered. */
TEST_F(policy, discarding_ends_a_stall)
{
	struct kt_req req = { .type = KT_PAGE };
	long deadline = param_get("op_deadline_ms");
	uint64_t refs[FRAMES / 2];
	struct kmdom_event ev;
	struct kmdom_info info;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refs); i++)
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_SCRATCH, NULL, 0, &refs[i]));
	ASSERT_LT(0, pager_revoke(self->pager, 0, FRAMES));
	ASSERT_EQ(0, param_set("op_deadline_ms", 1500));
	kt_start(self->proc, self->fd, KT_IOC_NEW, &req);
	EXPECT_EQ(-ETIMEDOUT, kt_finish(self->proc, NULL));
	EXPECT_EQ(0, param_set("op_deadline_ms", deadline));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_TRUE(info.stalled);

	kt_start(self->proc, self->fd, KT_IOC_NEW, &req);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_NEED_FRAMES, &ev));
	for (i = 0; i < ARRAY_SIZE(refs); i++)
		ASSERT_EQ(0, pager_evict(self->pager, KT_REF_INDEX(refs[i]), 0, 0));
	EXPECT_EQ(0, kt_finish(self->proc, NULL));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_FALSE(info.stalled);
}

TEST_F(policy, discarded_but_not_while_pinned)
{
	static const int modes[] = { KT_PIN_READ, KT_PIN_WRITE };
	uint64_t ref, index;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_SCRATCH, NULL, 0, &ref));
		index = KT_REF_INDEX(ref);
		ASSERT_EQ(0, kt_pin(self->fd, 0, KT_SCRATCH, ref, modes[i]));
		EXPECT_EQ(-EBUSY, pager_evict(self->pager, index, 0, 0));
		EXPECT_EQ(-EBUSY, pager_evict(self->pager, index, 0, KMDOM_OPF_DRAIN));
		ASSERT_EQ(0, kt_end(self->fd, 0));
		EXPECT_EQ(0, pager_evict(self->pager, index, 0, KMDOM_OPF_DRAIN));
		EXPECT_EQ(0, kt_del(self->fd, 0, KT_SCRATCH, ref));
	}
}

/* An object that its client has freed is not one that was discarded. */
TEST_F(policy, freed_is_not_discarded)
{
	uint64_t a, b, value;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_DISCARD, NULL, 0, &a));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_DISCARD, NULL, 0, &b));
	EXPECT_EQ(0, kt_del(self->fd, 0, KT_DISCARD, a));
	EXPECT_EQ(-ENOENT, kt_get(self->fd, 0, KT_DISCARD, a, &value, sizeof(value)));
	EXPECT_EQ(0, kt_get(self->fd, 0, KT_DISCARD, b, &value, sizeof(value)));
}

/* Under pressure they are what goes, and a pager that never heard of them serves. */
TEST_F(policy, discarded_for_want_of_frames)
{
	unsigned int i, nr = 2 * FRAMES, gone = 0, there = 0;
	uint64_t refs[2 * FRAMES], value;
	struct server server;
	int ret;

	ASSERT_EQ(0, server_start(&server, self->pager, NULL));
	for (i = 0; i < nr; i++) {
		value = i;
		ASSERT_EQ(0, px_new(self->proc, self->fd, KT_SCRATCH, &value, sizeof(value),
				    &refs[i]));
	}
	for (i = 0; i < nr; i++) {
		ret = px_get(self->proc, self->fd, KT_SCRATCH, refs[i], &value, sizeof(value));
		if (!ret) {
			EXPECT_EQ(i, value);
			there++;
		} else {
			EXPECT_EQ(-ENODATA, ret);
			gone++;
		}
	}
	EXPECT_LT(0, there);
	EXPECT_LE(FRAMES, gone);
	ASSERT_EQ(0, server_stop(&server));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_HARNESS_MAIN
