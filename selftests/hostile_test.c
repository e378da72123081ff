// SPDX-License-Identifier: GPL-2.0
/*
 * Pagers that lie: each false answer is refused with its own errno while a
 * client waits, and the true one afterwards serves him.
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

	while (!atomic_load(&flipper_stop)) {
		*byte ^= 1;
		cpu_relax();
	}
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

TEST_HARNESS_MAIN
