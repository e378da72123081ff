// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers that lie: each false answer is refused with its own errno while a
 * client waits, and the true one afterwards serves him. And what a hostile
 * pager may learn from a record.
 */
#include <stddef.h>
#include <endian.h>
#include "harness.h"

#define FRAMES		160
#define HEADER		sizeof(struct kmdom_record)
#define TAG		16
#define OBJECTS		3

FIXTURE(hostile) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	unsigned int type;
	size_t size;		/* of an object */
	uint64_t refs[OBJECTS];
	uint64_t index;		/* of their page, which is absent */
	uint64_t version;
	struct stored *old;	/* an older record of it */
	struct stored *rec;	/* the true one */
	uint8_t lie[2 * KMDOM_RECORD_MAX];
	uint32_t len;
	uint64_t told;		/* lies, each of which was rejected */
};

FIXTURE_VARIANT(hostile) { enum door_kind door; unsigned int type; };
FIXTURE_VARIANT_ADD(hostile, ioctl_sealed) { .door = DOOR_IOCTL, .type = KT_SMALL };
FIXTURE_VARIANT_ADD(hostile, uring_sealed) { .door = DOOR_URING, .type = KT_SMALL };
FIXTURE_VARIANT_ADD(hostile, ioctl_signed) { .door = DOOR_IOCTL, .type = KT_SIGNED };
FIXTURE_VARIANT_ADD(hostile, uring_signed) { .door = DOOR_URING, .type = KT_SIGNED };

static void fill(unsigned int type, void *obj, uint64_t seed)
{
	struct kt_signed *sig = obj;

	if (type == KT_SMALL) {
		small_fill(obj, seed);
		return;
	}
	memset(sig, 0, sizeof(*sig));
	sig->number = seed;
	bytes_fill(sig->name, 20, seed);
	bytes_fill(sig->data, sizeof(sig->data), seed);
}

static int create_objects(int fd, unsigned int type, size_t size,
			  uint64_t seed, uint64_t *refs)
{
	char obj[128];
	int i, ret = 0;

	for (i = 0; i < OBJECTS && !ret; i++) {
		fill(type, obj, seed + i);
		ret = kt_new(fd, 0, type, obj, size, &refs[i]);
	}
	return ret;
}

FIXTURE_SETUP(hostile)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED,
	};
	char obj[128];

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
	self->type = variant->type;
	self->size = self->type == KT_SMALL ? sizeof(struct kt_small) : sizeof(struct kt_signed);
	ASSERT_EQ(0, create_objects(self->fd, self->type, self->size, 1000, self->refs));
	self->index = KT_REF_INDEX(self->refs[0]);
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	self->old = store_get(self->bed.store, self->index, self->pager->res.version);
	ASSERT_EQ(0, pager_answer(self->pager, self->index, self->pager->res.version));
	fill(self->type, obj, 1);
	ASSERT_EQ(0, kt_set(self->fd, 0, self->type, self->refs[0], obj, self->size));
	ASSERT_EQ(0, pager_preempt(self->pager, self->index));
	self->version = self->pager->res.version;
	self->rec = store_get(self->bed.store, self->index, self->version);
	ASSERT_NE(NULL, self->rec);
	self->len = self->rec->len;
	memcpy(self->lie, self->rec->data, self->len);
	px_get_start(self->proc, self->fd, self->type, self->refs[0], self->size);
	ASSERT_EQ(0, pager_event(self->pager, KMDOM_EVENT_FAULT, &(struct kmdom_event) { 0 }));
}

/* Answers the fault with what is no record of the page at its version. */
static int tell(struct _test_data_hostile *self, const void *lie, uint32_t len)
{
	int ret = pager_restore(self->pager, self->index, self->version, lie, len);

	self->told += !!ret;
	return ret;
}

/* After all lies: each was counted, the client waits yet, the truth serves him. */
FIXTURE_TEARDOWN(hostile)
{
	char obj[128], want[128];
	struct kmdom_info info;

	EXPECT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(self->told, info.rejected);

	if (self->proc->busy) {
		EXPECT_FALSE(proc_done(self->proc, 0));
		EXPECT_EQ(0, pager_answer(self->pager, self->index, self->version));
		EXPECT_EQ(0, px_get_finish(self->proc, obj, self->size));
		fill(self->type, want, 1);
		EXPECT_EQ(0, memcmp(obj, want, self->size));
	}
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* What a change of the byte at an offset of a record is refused with. */
static int error_at(size_t offset)
{
	struct kmdom_record *rec = NULL;

	if (offset >= HEADER)
		return -EBADMSG;
	if (offset == offsetof(struct kmdom_record, level))
		return -EXDEV;
	if (offset >= offsetof(struct kmdom_record, domain) &&
	    offset < offsetof(struct kmdom_record, index) + sizeof(rec->index))
		return -EXDEV;
	if (offset >= offsetof(struct kmdom_record, version) &&
	    offset < offsetof(struct kmdom_record, version) + sizeof(rec->version))
		return -ESTALE;
	return -EINVAL;
}

TEST_F(hostile, bit_flips)
{
	size_t at;
	int bit;

	for (at = 0; at < self->len; at++)
		for (bit = 0; bit < 8; bit++) {
			self->lie[at] ^= 1 << bit;
			EXPECT_EQ(error_at(at), tell(self, self->lie, self->len))
				TH_LOG("byte %zu, bit %d", at, bit);
			self->lie[at] ^= 1 << bit;
		}
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

static void flip_slot(struct kmdom_record *rec, unsigned int slot)
{
	rec->map[slot / 8] ^= 1 << slot % 8;
}

/* The count of live objects is right, but they are in other slots. */
TEST_F(hostile, another_map)
{
	struct kmdom_record *rec = (struct kmdom_record *)self->lie;
	unsigned int slot = 0, last = KT_REF_SLOT(self->refs[OBJECTS - 1]);

	while (rec->map[slot / 8] & 1 << slot % 8)
		slot++;
	flip_slot(rec, last);
	flip_slot(rec, slot);
	EXPECT_EQ(-EBADMSG, tell(self, self->lie, self->len));
	/* One less, and the header agrees. */
	flip_slot(rec, slot);
	rec->live = htole16(OBJECTS - 1);
	EXPECT_EQ(-EBADMSG, tell(self, self->lie, self->len));
	/* A slot that a page of this type does not have. */
	flip_slot(rec, 255);
	rec->live = htole16(OBJECTS);
	EXPECT_EQ(-EINVAL, tell(self, self->lie, self->len));
}

TEST_F(hostile, truncated)
{
	struct kmdom_record *rec = (struct kmdom_record *)self->lie;
	uint32_t len;

	for (len = 0; len < self->len; len++) {
		rec->length = htole32(self->len);
		EXPECT_EQ(-EINVAL, tell(self, self->lie, len))
			TH_LOG("%u bytes", len);
		rec->length = htole32(len);
		EXPECT_EQ(len < HEADER + TAG ? -EINVAL : -EBADMSG, tell(self, self->lie, len))
			TH_LOG("%u bytes", len);
	}
}

TEST_F(hostile, oversized)
{
	static const uint32_t more[] = { 1, 2, 8, 16, 17, 64, 1024 };
	struct kmdom_record *rec = (struct kmdom_record *)self->lie;
	uint32_t len;
	size_t i;

	for (i = 0; i <= ARRAY_SIZE(more); i++) {
		len = i < ARRAY_SIZE(more) ? self->len + more[i] : KMDOM_RECORD_MAX;
		rec->length = htole32(self->len);
		EXPECT_EQ(-EINVAL, tell(self, self->lie, len));
		rec->length = htole32(len);
		EXPECT_EQ(-EBADMSG, tell(self, self->lie, len));
	}
	rec->length = htole32(KMDOM_RECORD_MAX + 1);
	EXPECT_EQ(-EINVAL, tell(self, self->lie, KMDOM_RECORD_MAX + 1));
}

TEST_F(hostile, older_version)
{
	struct kmdom_record *rec = (struct kmdom_record *)self->old->data;

	ASSERT_LT(self->old->version, self->version);
	EXPECT_EQ(-ESTALE, pager_restore(self->pager, self->index, self->old->version,
					 self->old->data, self->old->len));
	self->told++;
	EXPECT_EQ(-ESTALE, tell(self, self->old->data, self->old->len));
	rec->version = htole64(self->version);
	EXPECT_EQ(-EBADMSG, tell(self, self->old->data, self->old->len));
}

TEST_F(hostile, other_pages_record)
{
	struct kmdom_record *rec;
	struct stored *other;
	uint64_t refs[OBJECTS], index;

	/* All free slots are in pages that came later than the absent one. */
	ASSERT_EQ(0, create_objects(self->fd, self->type, self->size, 1000, refs));
	index = KT_REF_INDEX(refs[0]);
	ASSERT_NE(index, self->index);
	ASSERT_EQ(0, pager_preempt(self->pager, index));
	other = store_get(self->bed.store, index, self->pager->res.version);
	ASSERT_NE(NULL, other);
	rec = (struct kmdom_record *)other->data;
	EXPECT_EQ(-EXDEV, tell(self, other->data, other->len));
	rec->version = htole64(self->version);
	EXPECT_EQ(-EXDEV, tell(self, other->data, other->len));
	rec->index = htole64(self->index);
	EXPECT_EQ(-EBADMSG, tell(self, other->data, other->len));
}

TEST_F(hostile, other_types_record)
{
	unsigned int type = self->type == KT_SMALL ? KT_SIGNED : KT_SMALL;
	struct kmdom_record *rec, *mine = (struct kmdom_record *)self->lie;
	struct stored *other;
	char obj[128];
	uint64_t ref;

	fill(type, obj, 9);
	ASSERT_EQ(0, kt_new(self->fd, 0, type, obj, 64, &ref));
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	other = store_get(self->bed.store, KT_REF_INDEX(ref), self->pager->res.version);
	ASSERT_NE(NULL, other);
	rec = (struct kmdom_record *)other->data;
	/* Another page's first of all. */
	EXPECT_EQ(-EXDEV, tell(self, other->data, other->len));
	rec->index = mine->index;
	rec->version = mine->version;
	EXPECT_EQ(-EINVAL, tell(self, other->data, other->len));
	rec->type = mine->type;
	rec->policy = mine->policy;
	rec->slots = mine->slots;
	EXPECT_EQ(-EBADMSG, tell(self, other->data, other->len));
}

/* Same type, same page, same version - but another domain, with another key. */
TEST_F(hostile, other_domains_record)
{
	struct bed_spec spec = {
		.door = self->pager->door.kind, .frames = FRAMES,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED,
	};
	struct kmdom_record *rec;
	uint64_t refs[OBJECTS];
	struct stored *other;
	struct bed bed;
	int tries;

	ASSERT_EQ(0, bed_up(&bed, &spec));
	ASSERT_EQ(0, create_objects(bed.client, self->type, self->size, 1000, refs));
	EXPECT_EQ(self->index, KT_REF_INDEX(refs[0]));
	for (tries = 0; tries < 10; tries++) {
		ASSERT_EQ(0, pager_preempt(&bed.pager, KT_REF_INDEX(refs[0])));
		if (bed.pager.res.version >= self->version)
			break;
		ASSERT_EQ(0, pager_answer(&bed.pager, KT_REF_INDEX(refs[0]),
					  bed.pager.res.version));
		ASSERT_EQ(0, kt_set(bed.client, 0, self->type, refs[0], &tries, 4));
	}
	EXPECT_EQ(self->version, bed.pager.res.version);
	other = store_get(bed.store, KT_REF_INDEX(refs[0]), bed.pager.res.version);
	ASSERT_NE(NULL, other);
	rec = (struct kmdom_record *)other->data;
	EXPECT_EQ(-EXDEV, tell(self, other->data, other->len));
	memcpy(rec->domain, ((struct kmdom_record *)self->lie)->domain, 16);
	EXPECT_EQ(-EBADMSG, tell(self, other->data, other->len));
	EXPECT_EQ(0, bed_down(&bed));
}

TEST_F(hostile, no_record_at_all)
{
	int i;

	memset(self->lie, 0, KMDOM_RECORD_MAX);
	EXPECT_EQ(-EINVAL, tell(self, self->lie, self->len));
	memset(self->lie, 0xff, KMDOM_RECORD_MAX);
	EXPECT_EQ(-EINVAL, tell(self, self->lie, self->len));
	for (i = 0; i < 200; i++) {
		bytes_fill(self->lie, self->len, i);
		EXPECT_GT(0, tell(self, self->lie, self->len));
	}
	/* The right header, and rubbish behind it. */
	memcpy(self->lie, self->rec->data, HEADER);
	for (i = 0; i < 200; i++) {
		bytes_fill(self->lie + HEADER, self->len - HEADER, i);
		EXPECT_EQ(-EBADMSG, tell(self, self->lie, self->len));
	}
}

/* Through a mapping that another thread writes: it is copied once, then judged. */
static atomic_bool flipper_stop;

static void *flipper(void *arg)
{
	volatile uint8_t *byte = arg;

	while (!atomic_load(&flipper_stop))
		*byte ^= 1;
	return NULL;
}

TEST_F(hostile, record_changes_while_it_is_read)
{
	size_t at[] = { 0, 40, HEADER, self->len - 1 };
	pthread_t thread;
	int ret, tries;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		memcpy(self->lie, self->rec->data, self->len);
		atomic_store(&flipper_stop, false);
		ASSERT_EQ(0, pthread_create(&thread, NULL, flipper, &self->lie[at[i]]));
		for (tries = 0; tries < 100; tries++) {
			ret = tell(self, self->lie, self->len);
			if (!ret)
				break;
			EXPECT_EQ(error_at(at[i]), ret);
		}
		atomic_store(&flipper_stop, true);
		pthread_join(thread, NULL);
		if (!ret)
			break;
	}
	if (ret)
		return;
	/* It happened to be the true one: then it is that, whole. */
	EXPECT_EQ(0, px_get_finish(self->proc, self->lie, self->size));
	fill(self->type, self->lie + 1024, 1);
	EXPECT_EQ(0, memcmp(self->lie, self->lie + 1024, self->size));
}

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

#define POISON	"p0is0n8!"	/* 8 bytes, that a frame was full of before it was lent */

/* Takes all frames back, poisons them, and lends them again. */
static int poison(struct pager *pager)
{
	size_t i, len = (size_t)FRAMES * KMDOM_FRAME_SIZE;
	int64_t ret = pager_revoke(pager, 0, FRAMES);

	for (i = 0; i < len && ret == FRAMES; i += 8)
		memcpy(pager->pool + i, POISON, 8);
	return ret == FRAMES && pager_grant(pager, 0, FRAMES) == FRAMES ? 0 : -EBUSY;
}

/* In no record that can be read is anything of what a frame or a buffer held before. */
TEST_F(leak, poisoned_frames)
{
	static const uint64_t tables[] = { PAGE_OF(1, 0), PAGE_OF(2, 0), PAGE_OF(4, 0) };
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .types = 1 << KT_SIGNED,
	};
	struct kt_checked checked = { .colour = 1, .sum = 1 };
	struct kt_signed sig = { .number = 1 }, foreign = { .number = 1 };
	struct bed other;
	uint64_t refs[4];
	int64_t len;
	size_t i;

	/* Another domain, whose bytes were in the same caches of the kernel. */
	ASSERT_EQ(0, bed_up(&other, &spec));
	memset(foreign.data, 'F', sizeof(foreign.data));
	ASSERT_EQ(0, kt_new(other.client, 0, KT_SIGNED, &foreign, sizeof(foreign), &refs[0]));
	ASSERT_LT(0, export_to(&other.pager, KT_REF_INDEX(refs[0]), self->buf));

	ASSERT_EQ(0, poison(self->pager));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_CHECKED, &checked, sizeof(checked), &refs[0]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SIGNED, &sig, sizeof(sig), &refs[1]));
	ASSERT_EQ(0, kt_new(self->fd, 0, KT_TRIM, "x", 1, &refs[2]));
	for (i = 0; i < 3; i++) {
		len = export_to(self->pager, KT_REF_INDEX(refs[i]), self->buf);
		ASSERT_LT(HEADER + TAG, len);
		EXPECT_FALSE(has(self->buf, len, POISON, 8));
		EXPECT_FALSE(has(self->buf, len, "FFFF", 4));
		EXPECT_FALSE(has_pointer(self->buf, len - TAG));
		EXPECT_TRUE(untouched_from(self->buf, len));
		ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(refs[i])));
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (i == 2)
			ASSERT_EQ(0, pager_preempt(self->pager, PAGE_OF(3, 0)));
		len = export_to(self->pager, tables[i], self->buf);
		ASSERT_LT(HEADER + TAG, len);
		EXPECT_FALSE(has(self->buf, len, POISON, 8));
		EXPECT_FALSE(has(self->buf, len, "FFFF", 4));
		EXPECT_FALSE(has_pointer(self->buf, len - TAG));
		EXPECT_TRUE(untouched_from(self->buf, len));
		ASSERT_EQ(0, pager_preempt(self->pager, tables[i]));
	}
	EXPECT_EQ(0, bed_down(&other));
}

/* What is copied out of calls that write less than was asked for, or nothing. */
TEST_F(leak, outputs_are_filled)
{
	struct kmdom_page pages[4];
	struct kmdom_result results[4];
	struct kmdom_op ops[2] = { { .code = 0xffff }, { .code = KMDOM_OP_RESEND } };
	uint64_t cursor = 0, ref;
	int nr, i;

	ASSERT_EQ(0, kt_new(self->fd, 0, KT_SMALL, NULL, 0, &ref));
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
}

TEST_HARNESS_MAIN
