// SPDX-License-Identifier: GPL-2.0
/*
 * A pager that lies, as often as it is told to: records from a corpus, swapped, or
 * changed by a generator, as answers for absent pages of every policy and for tables
 * of every level up to the root; and operations in any order, by two threads, of
 * pages and tables that clients use.
 *
 * Which records must be taken, an oracle says that shares no code with the module:
 * the current one, bit for bit; of a CHECKED page also any that has its header, its
 * tag, and fields of the right form.
 *
 * ENEMY_REPLIES in the environment: how many replies; ENEMY_SEED: of all choices, as
 * an earlier run told it.
 */
#include <endian.h>
#include <pthread.h>
#include "harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	3600

#define FRAMES		256
#define REPLIES		60000
#define EACH		1000	/* rejections by each check of them, at least */
#define HIGHER		16	/* one in so many is about the tables of each higher level */
#define BATCH		32
#define HEADER		sizeof(struct kmdom_record)
#define TAG		16
#define CORPUS		64
#define GOOD		24	/* pages that are not lied about */
#define CLIENTS		2	/* of those, while operations come in any order */

/* Whom the lies are about. */
enum target_kind { SEALED, SIGNED, CHECKED, WHOLE, TABLE, ROOT = TABLE + KMDOM_LEVELS - 1,
		   TARGETS };

static const unsigned int target_types[TABLE] = {
	[SEALED] = KT_SMALL, [SIGNED] = KT_SIGNED, [CHECKED] = KT_CHECKED, [WHOLE] = KT_PAGE,
};

/* Those that there are, from below; the second is TABLE, the highest ones are one each. */
static const uint64_t tables[] = {
	PAGE_OF(1, 0), PAGE_OF(1, 1), PAGE_OF(1, 2), PAGE_OF(2, 0), PAGE_OF(3, 0), PAGE_OF(4, 0),
};

struct target {
	uint64_t page;		/* its name, as PAGE_OF() */
	uint64_t version;
	unsigned int slots;
	struct stored rec;	/* the one that must be taken */
};

struct lie {
	enum target_kind about;
	uint64_t version;	/* of the operation */
	uint32_t len;
	uint8_t data[KMDOM_RECORD_MAX + 64];
	bool fair;		/* the oracle finds it valid */
};

FIXTURE(enemy) {
	struct bed bed;
	struct bed other;		/* whose records are another domain's */
	struct pager *pager;
	int fd;
	uint64_t state;
	struct target targets[TARGETS];
	unsigned int level;		/* of the highest table that is absent */
	struct stored corpus[CORPUS];
	unsigned int nr_corpus;
	uint64_t *good;			/* objects of KT_PAGE, absent and present; shared */
	uint64_t *seeds;		/* what they hold; shared */
	uint64_t rejects[KMDOM_LEVELS + 1][KMDOM_NR_REJECTS];	/* by level of the page */
	uint64_t accepted[KMDOM_LEVELS + 1];
	uint64_t wrong;
	struct lie lies[BATCH];
};

FIXTURE_VARIANT(enemy) { enum door_kind door; };
FIXTURE_VARIANT_ADD(enemy, uring) { .door = DOOR_URING };

static uint64_t draw(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

static unsigned int below(uint64_t *state, unsigned int n)
{
	return draw(state) % n;
}

static void fill(enum target_kind kind, void *obj, uint64_t seed)
{
	struct kt_checked *checked = obj;
	struct kt_signed *sig = obj;

	switch (kind) {
	case SEALED:
		small_fill(obj, seed);
		break;
	case SIGNED:
		memset(sig, 0, sizeof(*sig));
		sig->number = seed;
		bytes_fill(sig->name, 20, seed);
		bytes_fill(sig->data, sizeof(sig->data), seed);
		break;
	case CHECKED:
		*checked = (struct kt_checked) {
			.colour = 1 + seed % KT_COLOURS, .flags = KT_FLAGS, .len = 7,
			.number = seed, .bytes = "what is", .note = "note",
		};
		checked->sum = KT_SUM(checked);
		break;
	default:
		bytes_fill(obj, 200, seed);
		memset((char *)obj + 200, 0, 4096 - 200);
	}
}

static size_t size_of(enum target_kind kind)
{
	static const size_t sizes[TABLE] = {
		sizeof(struct kt_small), sizeof(struct kt_signed), sizeof(struct kt_checked), 4096,
	};

	return sizes[kind];
}

static void corpus_add(struct _test_data_enemy *self, struct store *store, uint64_t page,
		       uint64_t version)
{
	struct stored *rec = store_get(store, page, version);

	if (rec && self->nr_corpus < CORPUS)
		self->corpus[self->nr_corpus++] = *rec;
}

/* An object of the kind, exported three times, and absent at last. */
static int make_target(struct _test_data_enemy *self, struct bed *bed, enum target_kind kind)
{
	struct target *target = &self->targets[kind];
	static uint8_t obj[4096];
	uint64_t ref, page;
	unsigned int i;
	int ret;

	fill(kind, obj, 1);
	ret = kt_new(bed->client, 0, target_types[kind], obj, size_of(kind), &ref);
	page = KT_REF_INDEX(ref);
	for (i = 0; i < 3 && !ret; i++) {
		fill(kind, obj, 100 * kind + i);
		ret = kt_set(bed->client, 0, target_types[kind], ref, obj, size_of(kind)) ?:
		      pager_preempt(&bed->pager, page);
		if (ret)
			break;
		corpus_add(self, bed->store, page, bed->pager.res.version);
		if (bed == &self->bed) {
			target->page = page;
			target->version = bed->pager.res.version;
			target->slots = 4096 / size_of(kind);
			target->rec = *store_get(bed->store, page, target->version);
		}
		if (i < 2)
			ret = pager_answer(&bed->pager, page, bed->pager.res.version);
	}
	return ret;
}

/* The table under which they all are would take them with it: another one. */
static int make_table(struct _test_data_enemy *self)
{
	struct target *target = &self->targets[TABLE];
	unsigned int i;
	uint64_t ref;
	int ret = 0;

	for (ref = 0; KT_REF_INDEX(ref) < 2 * 512 + 8 && !ret; ) {
		ret = kt_new(self->fd, 0, KT_TRIM, "page", 4, &ref) ?:
		      pager_preempt(self->pager, KT_REF_INDEX(ref));
	}
	target->page = tables[1];
	target->slots = 256;
	for (i = 0; i < 2 && !ret; i++) {
		ret = pager_preempt(self->pager, target->page);
		target->version = self->pager->res.version;
		corpus_add(self, self->bed.store, target->page, target->version);
		if (!i)
			ret = ret ?: pager_answer(self->pager, target->page, target->version) ?:
			      kt_del(self->fd, 0, KT_TRIM, 600ULL << 8);
	}
	if (!ret)
		target->rec = *store_get(self->bed.store, target->page, target->version);
	return ret;
}

static int make_good(struct _test_data_enemy *self)
{
	static struct kt_page page;
	unsigned int i;
	int ret = 0;

	self->good = shared_alloc(GOOD * sizeof(*self->good));
	self->seeds = shared_alloc(GOOD * sizeof(*self->seeds));
	for (i = 0; i < GOOD && !ret; i++) {
		self->seeds[i] = 1000000 * i;
		bytes_fill(&page, sizeof(page), self->seeds[i]);
		ret = kt_new(self->fd, 0, KT_PAGE, &page, sizeof(page), &self->good[i]);
		if (!ret && i % 2)
			ret = pager_preempt(self->pager, KT_REF_INDEX(self->good[i]));
	}
	return ret;
}

/* Drawn, or given, so that what it led to can be had again. */
static uint64_t seed(void)
{
	const char *given = getenv("ENEMY_SEED");
	uint64_t seed = now_ms();

	if (given)
		seed = strtoull(given, NULL, 0);
	printf("# ENEMY_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

FIXTURE_SETUP(enemy)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .records = 4096, .newest_only = true,
		.procs = CLIENTS,
		.types = 1 << KT_SMALL | 1 << KT_SIGNED | 1 << KT_CHECKED | 1 << KT_PAGE |
			 1 << KT_TRIM,
	};
	enum target_kind kind;

	self->state = seed();
	self->level = 1;
	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	ASSERT_EQ(0, bed_up(&self->other, &spec));
	self->pager = &self->bed.pager;
	self->fd = self->bed.client;
	for (kind = 0; kind < TABLE; kind++) {
		ASSERT_EQ(0, make_target(self, &self->bed, kind));
		ASSERT_EQ(0, make_target(self, &self->other, kind));
	}
	ASSERT_EQ(0, make_table(self));
	ASSERT_EQ(0, make_good(self));
}

FIXTURE_TEARDOWN(enemy)
{
	EXPECT_EQ(0, bed_down(&self->other));
	EXPECT_EQ(0, bed_down(&self->bed));
}

/* ---- the oracle ---- */

static const uint8_t *eat(const uint8_t **pos, size_t *left, size_t len)
{
	const uint8_t *at = *pos;

	if (*left < len)
		return NULL;
	*pos += len;
	*left -= len;
	return at;
}

static uint64_t number_at(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | at[size];
	return value;
}

/* One struct kt_checked, from bytes that anybody may have written. */
static bool checked_parse(const uint8_t *pos, size_t left, struct kt_checked *obj)
{
	const uint8_t *at = eat(&pos, &left, 24);
	uint64_t index;
	size_t note;

	memset(obj, 0, sizeof(*obj));
	if (!at)
		return false;
	obj->colour = at[0];
	obj->flags = at[1];
	obj->len = number_at(at + 2, 2);
	obj->sum = number_at(at + 4, 4);
	obj->number = number_at(at + 8, 8);
	obj->ref = number_at(at + 16, 8);
	index = obj->ref >> 8;
	if (!obj->colour || obj->colour > 7 || obj->flags & 0x7c || obj->len > 16 ||
	    (obj->ref && (!index || index >> 36)))
		return false;
	at = eat(&pos, &left, obj->len);
	if (!at)
		return false;
	memcpy(obj->bytes, at, obj->len);
	at = eat(&pos, &left, 2);
	if (!at)
		return false;
	note = number_at(at, 2);
	at = note <= 16 ? eat(&pos, &left, note) : NULL;
	if (!at || (note && !at[note - 1]))
		return false;
	memcpy(obj->note, at, note);
	return !left && obj->sum ==
	       (uint32_t)(obj->colour + obj->flags + obj->len + obj->number);
}

static bool is_fair(const struct target *target, const struct lie *lie)
{
	const struct stored *rec = &target->rec;
	struct kt_checked obj;

	if (lie->version != target->version || lie->len < HEADER + TAG ||
	    lie->len > KMDOM_RECORD_MAX)
		return false;
	if (lie->about != CHECKED)
		return lie->len == rec->len && !memcmp(lie->data, rec->data, rec->len);
	return !memcmp(lie->data, rec->data, HEADER) &&
	       !memcmp(lie->data + lie->len - TAG, rec->data + rec->len - TAG, TAG) &&
	       checked_parse(lie->data + HEADER, lie->len - HEADER - TAG, &obj);
}

/* ---- the generator ---- */

/* What must be in a field for the reason not to be another one. */
static void spoil(uint64_t *state, void *field, size_t size)
{
	uint8_t *at = field;

	at[below(state, size)] ^= 1 << below(state, 8);
}

static void lie_of_map(struct _test_data_enemy *self, struct lie *lie)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	unsigned int slots = self->targets[lie->about].slots;
	unsigned int slot = slots + below(&self->state, 256 - slots);

	rec->map[slot / 8] |= 1 << slot % 8;
}

/* An edit of a CHECKED payload, which is not valid for that reason. */
static void lie_of_payload(struct _test_data_enemy *self, struct lie *lie, enum kmdom_reject why)
{
	uint8_t *at = lie->data + HEADER;
	uint8_t tag[TAG];
	uint64_t *state = &self->state;

	memcpy(tag, lie->data + lie->len - TAG, TAG);
	switch (why) {
	case KMDOM_REJECT_END:
		lie->len -= 1 + below(state, lie->len - HEADER - TAG);
		break;
	case KMDOM_REJECT_REST:
		lie->len += 1 + below(state, 40);
		break;
	case KMDOM_REJECT_RANGE:
		at[0] = below(state, 2) ? 0 : 8 + below(state, 248);
		break;
	case KMDOM_REJECT_FLAGS:
		at[1] |= 1 << (2 + below(state, 5));
		break;
	case KMDOM_REJECT_REF:
		at[16 + below(state, 2) * 7] = 1 + below(state, 255);
		break;
	case KMDOM_REJECT_COUNT:
		at[2] = 17 + below(state, 200);
		break;
	case KMDOM_REJECT_TRIM:
		at[24 + 7 + 2 + 3] = 0;
		break;
	default:
		at[4 + below(state, 4)] ^= 1 + below(state, 255);
	}
	memcpy(lie->data + lie->len - TAG, tag, TAG);
}

/* One that is wrong in one way, which is told by its reason. */
static void lie_directed(struct _test_data_enemy *self, struct lie *lie, enum kmdom_reject why)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	uint64_t *state = &self->state;

	switch (why) {
	case KMDOM_REJECT_LENGTH:
		lie->len = below(state, 2) ? below(state, HEADER + TAG) :
					     KMDOM_RECORD_MAX + 1 + below(state, 60);
		break;
	case KMDOM_REJECT_STALE:
		lie->version += 1 + below(state, 1000);
		break;
	case KMDOM_REJECT_MAGIC:
		spoil(state, &rec->magic, sizeof(rec->magic));
		break;
	case KMDOM_REJECT_FORMAT:
		rec->format = htole16(below(state, 2));
		break;
	case KMDOM_REJECT_RESERVED:
		spoil(state, &rec->reserved, sizeof(rec->reserved));
		break;
	case KMDOM_REJECT_DOMAIN:
		spoil(state, rec->domain, sizeof(rec->domain));
		break;
	case KMDOM_REJECT_LEVEL:
		rec->level += 1 + below(state, 255);
		break;
	case KMDOM_REJECT_INDEX:
		spoil(state, &rec->index, sizeof(rec->index));
		break;
	case KMDOM_REJECT_POLICY:
		rec->policy += 1 + below(state, 255);
		break;
	case KMDOM_REJECT_TYPE:
		spoil(state, &rec->type, sizeof(rec->type));
		break;
	case KMDOM_REJECT_SLOTS:
		spoil(state, &rec->slots, sizeof(rec->slots));
		break;
	case KMDOM_REJECT_MAP:
		lie_of_map(self, lie);
		break;
	case KMDOM_REJECT_LIVE:
		spoil(state, &rec->live, sizeof(rec->live));
		break;
	case KMDOM_REJECT_SIZE:
		spoil(state, &rec->length, sizeof(rec->length));
		break;
	case KMDOM_REJECT_VERSION:
		spoil(state, &rec->version, sizeof(rec->version));
		break;
	case KMDOM_REJECT_TAG:
		spoil(state, lie->data + lie->len - TAG, TAG);
		break;
	default:
		lie_of_payload(self, lie, why);
	}
}

/* The header of the page, so that only what is behind it tells the difference. */
static void forge_header(const struct target *target, struct lie *lie)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	const struct kmdom_record *true_rec = (const struct kmdom_record *)target->rec.data;
	struct kmdom_record told = *rec;

	*rec = *true_rec;
	rec->length = true_rec->length ? htole32(lie->len) : 0;
	if (told.slots == true_rec->slots) {
		memcpy(rec->map, told.map, sizeof(rec->map));
		rec->live = told.live;
	}
}

static const struct stored *any_record(struct _test_data_enemy *self)
{
	return &self->corpus[below(&self->state, self->nr_corpus)];
}

/* Another page's, or an older one; whole, or under the page's own header. */
static void lie_swapped(struct _test_data_enemy *self, struct lie *lie)
{
	const struct stored *base = any_record(self);

	lie->len = base->len;
	memcpy(lie->data, base->data, base->len);
	if (below(&self->state, 2))
		forge_header(&self->targets[lie->about], lie);
}

/* One of the corpus, damaged at random, and perhaps under the page's own header. */
static void lie_wild(struct _test_data_enemy *self, struct lie *lie)
{
	const struct target *target = &self->targets[lie->about];
	const struct stored *base = any_record(self);
	uint64_t *state = &self->state;
	unsigned int i;

	if (below(state, 2)) {
		lie->len = base->len;
		memcpy(lie->data, base->data, base->len);
	}
	if (below(state, 4) == 0)
		lie->len = HEADER + TAG + below(state, KMDOM_RECORD_MAX - HEADER - TAG + 1);
	for (i = below(state, 5); i; i--)
		lie->data[below(state, lie->len)] ^= 1 << below(state, 8);
	if (below(state, 2))
		forge_header(target, lie);
	if (below(state, 8) == 0)
		lie->version = base->version;
}

/* A table has all the slots that there can be; nobody looks into it before its tag. */
static bool of_tables(enum kmdom_reject why)
{
	return why < KMDOM_REJECT_END && why != KMDOM_REJECT_MAP;
}

/* Of what a reason is reached with: a payload is looked at only if it is CHECKED. */
static enum target_kind about(struct _test_data_enemy *self, enum kmdom_reject why)
{
	if (self->level > 1)
		return TABLE + self->level - 1;
	if (why >= KMDOM_REJECT_END)
		return CHECKED;
	return below(&self->state, of_tables(why) ? TABLE + 1 : TABLE);
}

static enum kmdom_reject any_reason(struct _test_data_enemy *self)
{
	enum kmdom_reject why;

	do {
		why = 1 + below(&self->state, KMDOM_NR_REJECTS - 1);
	} while (self->level > 1 && !of_tables(why));
	return why;
}

static void lie_make(struct _test_data_enemy *self, struct lie *lie)
{
	enum kmdom_reject why = any_reason(self);
	unsigned int way = below(&self->state, 32);
	const struct target *target;

	lie->about = about(self, why);
	target = &self->targets[lie->about];
	lie->version = target->version;
	lie->len = target->rec.len;
	memset(lie->data, 0, sizeof(lie->data));
	memcpy(lie->data, target->rec.data, target->rec.len);
	if (way < 3)
		lie_wild(self, lie);
	else if (way < 5)
		lie_swapped(self, lie);
	else if (way > 8 || below(&self->state, 8))
		lie_directed(self, lie, why);
	lie->fair = is_fair(target, lie);
}

/* ---- telling ---- */

static struct kmdom_op reply(struct _test_data_enemy *self, const struct lie *lie)
{
	uint64_t page = self->targets[lie->about].page;

	return (struct kmdom_op) {
		.code = KMDOM_OP_RESTORE, .level = PAGE_LEVEL(page), .index = PAGE_INDEX(page),
		.version = lie->version, .buf = (unsigned long)lie->data, .len = lie->len,
	};
}

/* What was taken is what the oracle read; then the page goes again. */
static bool taken_right(struct _test_data_enemy *self, const struct lie *lie)
{
	const struct target *target = &self->targets[lie->about];
	struct kt_checked obj, want;

	if (lie->about == CHECKED) {
		checked_parse(lie->data + HEADER, lie->len - HEADER - TAG, &want);
		if (kt_get(self->fd, 0, KT_CHECKED, target->page << 8, &obj, sizeof(obj)) ||
		    memcmp(&obj, &want, sizeof(obj)))
			return false;
	}
	return !pager_evict(self->pager, target->page, target->version, 0);
}

static void judge(struct _test_data_enemy *self, const struct lie *lie,
		  const struct kmdom_result *res)
{
	unsigned int level = PAGE_LEVEL(self->targets[lie->about].page);

	if (!res->ret) {
		self->accepted[level]++;
		if (!lie->fair || !taken_right(self, lie))
			self->wrong++;
		return;
	}
	/* A page is taken once in a batch; and there are no other errors. */
	if (lie->fair || !res->value || res->value >= KMDOM_NR_REJECTS) {
		self->wrong++;
		printf("# reply about %d: %d, reason %llu, fair %d\n", lie->about, res->ret,
		       (unsigned long long)res->value, lie->fair);
		return;
	}
	self->rejects[level][res->value]++;
}

/* As many as there are up to the first that will be taken. */
static int tell_some(struct _test_data_enemy *self, uint64_t *told)
{
	struct kmdom_result results[BATCH];
	struct kmdom_op ops[BATCH];
	unsigned int nr = 0, i;
	int ret;

	do {
		lie_make(self, &self->lies[nr]);
		ops[nr] = reply(self, &self->lies[nr]);
	} while (!self->lies[nr++].fair && nr < BATCH);
	ret = pager_exchange(self->pager, ops, results, nr);
	for (i = 0; i < nr && !ret; i++)
		judge(self, &self->lies[i], &results[i]);
	*told += nr;
	return ret;
}

/* What is absent the pager's own process cannot have. */
static int good_are_good(struct _test_data_enemy *self)
{
	static struct kt_page page, want;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < GOOD && !ret; i++) {
		bytes_fill(&want, sizeof(want), self->seeds[i]);
		ret = kt_get(self->fd, 0, KT_PAGE, self->good[i], &page, sizeof(page));
		if (ret == -EDEADLK)
			ret = bed_fault_back(&self->bed, self->good[i], &want);
		else if (!ret && memcmp(&page, &want, sizeof(page)))
			ret = -EILSEQ;
	}
	return ret;
}

/* ---- tables up to the root ---- */

/* It is absent then, its record in the corpus; other domains have fewer of them. */
static int hide(struct _test_data_enemy *self, struct bed *bed, uint64_t page)
{
	struct kmdom_page at;
	int ret = pager_look(&bed->pager, page, &at);

	if (ret == -ENOENT)
		return 0;
	if (!ret && at.state == KMDOM_PAGE_PRESENT) {
		ret = pager_preempt(&bed->pager, page);
		at.version = bed->pager.res.version;
	}
	if (ret || !PAGE_LEVEL(page))
		return ret;
	corpus_add(self, bed->store, page, at.version);
	if (bed == &self->bed && (PAGE_LEVEL(page) > 1 || page == self->targets[TABLE].page)) {
		struct target *target = &self->targets[TABLE + PAGE_LEVEL(page) - 1];

		target->page = page;
		target->version = at.version;
		target->slots = 256;
		target->rec = *store_get(bed->store, page, at.version);
	}
	return 0;
}

/* All that the domain has. */
static int hide_all(struct _test_data_enemy *self, struct bed *bed)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < GOOD && bed == &self->bed && !ret; i++)
		ret = hide(self, bed, KT_REF_INDEX(self->good[i]));
	for (i = 0; i < ARRAY_SIZE(tables) && !ret; i++)
		ret = hide(self, bed, tables[i]);
	return ret;
}

static int show(struct _test_data_enemy *self, uint64_t page)
{
	struct kmdom_page at;
	int ret = pager_look(self->pager, page, &at);

	return ret ?: pager_answer(self->pager, page, at.version);
}

/* As it was found: the pages of every second good object, and what is over them. */
static int show_rest(struct _test_data_enemy *self)
{
	unsigned int i;
	int ret = show(self, tables[0]) ?: show(self, tables[2]);

	for (i = 0; i < GOOD && !ret; i += 2)
		ret = show(self, KT_REF_INDEX(self->good[i]));
	return ret;
}

/* The tables of higher levels come to be absent, for the second time. */
static int hide_tables(struct _test_data_enemy *self)
{
	unsigned int level;
	int ret = hide_all(self, &self->other) ?: hide_all(self, &self->bed);

	for (level = KMDOM_LEVELS; level > 1 && !ret; level--)
		ret = show(self, PAGE_OF(level, 0));
	return ret ?: show_rest(self) ?: hide_all(self, &self->bed);
}

/* What is told of the highest table that is absent, or in the end of all pages. */
static int tell_level(struct _test_data_enemy *self, unsigned int level, uint64_t replies,
		      uint64_t *told)
{
	uint64_t end = *told + replies;
	int ret = 0;

	self->level = level;
	while (*told < end && !ret)
		ret = tell_some(self, told);
	return ret ?: level > 1 ? show(self, PAGE_OF(level, 0)) : 0;
}

static uint64_t sum_levels(struct _test_data_enemy *self, enum kmdom_reject why)
{
	uint64_t sum = 0;
	unsigned int level;

	for (level = 0; level <= KMDOM_LEVELS; level++)
		sum += self->rejects[level][why];
	return sum;
}

/* Returns how many were taken or rejected. */
static uint64_t print_counts(struct _test_data_enemy *self, uint64_t told)
{
	uint64_t sum, accepted = 0, all = 0, least = UINT64_MAX;
	enum kmdom_reject why;
	unsigned int level;

	for (level = 0; level <= KMDOM_LEVELS; level++) {
		printf("# level %u: accepted=%llu", level,
		       (unsigned long long)self->accepted[level]);
		accepted += self->accepted[level];
		for (why = 1; why < KMDOM_NR_REJECTS; why++)
			printf(" %d=%llu", why, (unsigned long long)self->rejects[level][why]);
		printf("\n");
	}
	for (why = 1; why < KMDOM_NR_REJECTS; why++) {
		sum = sum_levels(self, why);
		all += sum;
		least = sum < least ? sum : least;
	}
	printf("# enemy: replies=%llu accepted=%llu least=%llu\n", (unsigned long long)told,
	       (unsigned long long)accepted, (unsigned long long)least);
	return all + accepted;
}

/* Of @part replies, as many by each check as there must be of all. */
static uint64_t share(uint64_t part)
{
	uint64_t each = part * EACH / REPLIES;

	return each < EACH ? each : EACH;
}

TEST_F(enemy, replies)
{
	const char *wanted = getenv("ENEMY_REPLIES");
	uint64_t replies = wanted ? strtoull(wanted, NULL, 0) : scaled("replies", REPLIES);
	uint64_t told = 0, sum = 0;
	enum kmdom_reject why;
	struct kmdom_info info;
	unsigned int level;

	ASSERT_EQ(0, hide_tables(self));
	for (level = KMDOM_LEVELS; level > 1; level--)
		ASSERT_EQ(0, tell_level(self, level, replies / HIGHER, &told));
	ASSERT_EQ(0, show_rest(self));
	ASSERT_EQ(0, tell_level(self, 1, replies - told, &told));
	EXPECT_EQ(told, print_counts(self, told));
	EXPECT_EQ(0, self->wrong);
	EXPECT_LT(0, self->accepted[0]);
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	for (why = 1; why < KMDOM_NR_REJECTS; why++) {
		EXPECT_LE(share(replies), sum_levels(self, why))
			TH_LOG("reason %u", why);
		EXPECT_EQ(sum_levels(self, why), info.rejects[why]);
		sum += info.rejects[why];
		for (level = 2; level <= KMDOM_LEVELS && of_tables(why); level++)
			EXPECT_LE(share(replies / HIGHER / 2), self->rejects[level][why])
				TH_LOG("level %u, reason %u", level, why);
	}
	EXPECT_EQ(sum, info.rejected);
	EXPECT_EQ(0, good_are_good(self));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* ---- operations in any order ---- */

/* A page or table that is used, and whose last record is in the store. */
struct watched {
	uint64_t page;
	uint64_t version;
};

#define WATCHED	(GOOD + ARRAY_SIZE(tables))

/**
 * struct arena - what the threads share
 * @self: the fixture
 * @lock: of @watched, and of the store
 * @watched: good pages, and tables
 * @tables_left: evictions of tables
 * @stop: tells the server to stop
 */
struct arena {
	struct _test_data_enemy *self;
	pthread_mutex_t lock;
	struct watched watched[WATCHED];
	atomic_uint tables_left;
	atomic_bool stop;
};

struct chaos {
	struct _test_data_enemy *self;
	struct arena *arena;
	struct pager view;
	uint64_t state;
	unsigned int steps;
	int ret;
};

static void arena_init(struct arena *arena, struct _test_data_enemy *self)
{
	struct watched *watched = arena->watched;
	struct kmdom_page page;
	unsigned int i;

	*arena = (struct arena) { .self = self, .lock = PTHREAD_MUTEX_INITIALIZER };
	for (i = 0; i < WATCHED; i++, watched++) {
		watched->page = i < GOOD ? KT_REF_INDEX(self->good[i]) : tables[i - GOOD];
		if (!pager_look(self->pager, watched->page, &page))
			watched->version = page.version;
	}
}

/* Half of the restores are of the right record, at this instant. */
static void right_record(struct arena *arena, struct kmdom_op *op, uint8_t *buf)
{
	const struct stored *rec = store_get(arena->self->bed.store,
					     PAGE_OF(op->level, op->index), op->version);

	if (!rec)
		return;
	memcpy(buf, rec->data, rec->len);
	op->buf = (unsigned long)buf;
	op->len = rec->len;
}

/* An operation on what is used, with the version that it has. */
static void aim(struct chaos *chaos, struct kmdom_op *op, uint8_t *buf)
{
	struct arena *arena = chaos->arena;
	struct watched *watched = &arena->watched[below(&chaos->state, WATCHED)];

	if (below(&chaos->state, 2))
		watched = &arena->watched[GOOD + below(&chaos->state, ARRAY_SIZE(tables))];
	op->level = PAGE_LEVEL(watched->page);
	op->index = PAGE_INDEX(watched->page);
	if (op->code == KMDOM_OP_EXPORT)
		return;
	pthread_mutex_lock(&arena->lock);
	op->version = watched->version;
	if (op->code == KMDOM_OP_RESTORE && below(&chaos->state, 2))
		right_record(arena, op, buf);
	pthread_mutex_unlock(&arena->lock);
}

static struct kmdom_op any_op(struct chaos *chaos, uint8_t *buf)
{
	static const uint16_t codes[] = {
		KMDOM_OP_EXPORT, KMDOM_OP_EXPORT, KMDOM_OP_STORED, KMDOM_OP_EVICT, KMDOM_OP_EVICT,
		KMDOM_OP_RESTORE, KMDOM_OP_RESTORE, KMDOM_OP_REFUSE, KMDOM_OP_RESEND,
		KMDOM_OP_GRANT, KMDOM_OP_REVOKE,
	};
	struct _test_data_enemy *self = chaos->self;
	const struct stored *rec = &self->corpus[below(&chaos->state, self->nr_corpus)];
	struct kmdom_op op = { .code = codes[below(&chaos->state, ARRAY_SIZE(codes))] };

	if (op.code == KMDOM_OP_RESEND)
		return op;
	if (op.code == KMDOM_OP_GRANT || op.code == KMDOM_OP_REVOKE) {
		op.index = below(&chaos->state, FRAMES - 8);
		op.arg = 1 + below(&chaos->state, 8);
		return op;
	}
	op.level = PAGE_LEVEL(rec->index);
	op.index = PAGE_INDEX(rec->index);
	if (op.code != KMDOM_OP_EXPORT)
		op.version = rec->version + below(&chaos->state, 2);
	if (op.code == KMDOM_OP_EXPORT || op.code == KMDOM_OP_EVICT)
		op.flags = below(&chaos->state, 4) ? 0 : KMDOM_OPF_DRAIN;
	if (op.code == KMDOM_OP_EXPORT) {
		op.buf = (unsigned long)buf;
		op.len = KMDOM_RECORD_MAX;
	} else if (op.code == KMDOM_OP_RESTORE) {
		op.buf = (unsigned long)rec->data;
		op.len = rec->len;
	}
	if (below(&chaos->state, 2))
		aim(chaos, &op, buf);
	return op;
}

/* Of what is watched the record is kept, unless the other thread has a newer one. */
static void keep(struct arena *arena, const struct kmdom_op *op, const struct kmdom_result *res)
{
	uint64_t page = PAGE_OF(op->level, op->index);
	struct watched *watched;

	for (watched = arena->watched; watched < arena->watched + WATCHED; watched++)
		if (watched->page == page)
			break;
	if (watched == arena->watched + WATCHED)
		return;
	pthread_mutex_lock(&arena->lock);
	if (res->version > watched->version) {
		store_put(arena->self->bed.store, page, res->version,
			  (void *)(unsigned long)op->buf, res->len);
		watched->version = res->version;
	}
	pthread_mutex_unlock(&arena->lock);
}

/* What is exported of other pages is lost: it is not evicted at such a version. */
static void *any_order(void *arg)
{
	uint8_t *buf = malloc(BATCH * KMDOM_RECORD_MAX);
	struct chaos *chaos = arg;
	struct kmdom_result results[BATCH];
	struct kmdom_op ops[BATCH];
	unsigned int i;

	while (chaos->steps-- && !chaos->ret) {
		for (i = 0; i < BATCH; i++)
			ops[i] = any_op(chaos, buf + i * KMDOM_RECORD_MAX);
		chaos->ret = pager_exchange(&chaos->view, ops, results, BATCH);
		for (i = 0; i < BATCH && !chaos->ret; i++) {
			if (results[i].ret)
				continue;
			if (ops[i].code == KMDOM_OP_EXPORT)
				keep(chaos->arena, &ops[i], &results[i]);
			else if (ops[i].code == KMDOM_OP_EVICT && ops[i].level)
				atomic_fetch_add(&chaos->arena->tables_left, 1);
		}
	}
	free(buf);
	return NULL;
}

/* Whatever it is told meanwhile: the page may be there, or have left once more. */
static int answer_honestly(struct chaos *chaos, const struct kmdom_event *event)
{
	struct arena *arena = chaos->arena;
	int ret;

	pthread_mutex_lock(&arena->lock);
	ret = pager_answer(&chaos->view, PAGE_OF(event->level, event->index), event->version);
	pthread_mutex_unlock(&arena->lock);
	if (ret == -ENOBUFS) {
		pager_grant(&chaos->view, 0, FRAMES);
		ret = pager_resend(&chaos->view) < 0 ? -EOWNERDEAD : 0;
	}
	return ret == -EALREADY || ret == -ESTALE || ret == -ENXIO ? 0 : ret;
}

/* The pager's honest thread: it serves its clients as well as the others let it. */
static void *serve_honestly(void *arg)
{
	struct chaos *chaos = arg;
	struct kmdom_event events[BATCH];
	int nr, i;

	while (!atomic_load(&chaos->arena->stop) && !chaos->ret) {
		nr = pager_events(&chaos->view, events, BATCH, 50);
		if (nr < 0)
			chaos->ret = nr;
		for (i = 0; i < nr && !chaos->ret; i++) {
			if (events[i].type == KMDOM_EVENT_FAULT)
				chaos->ret = answer_honestly(chaos, &events[i]);
			else if (events[i].type == KMDOM_EVENT_NEED_FRAMES)
				pager_grant(&chaos->view, 0, FRAMES);
		}
	}
	return NULL;
}

/**
 * struct user - a client in a helper process
 * @fd: client
 * @op: operation to use
 * @good: objects, of which every CLIENTS-th is its own
 * @seeds: what they hold
 * @stop: shared: tells it to stop
 * @verified: shared: objects that it has read
 */
struct user {
	int fd;
	unsigned int op;
	uint64_t *good;
	uint64_t *seeds;
	atomic_bool *stop;
	atomic_uint *verified;
};

static int use_one(struct user *user, unsigned int nr)
{
	static struct kt_page page;
	int ret = kt_get(user->fd, user->op, KT_PAGE, user->good[nr], &page, sizeof(page));

	if (ret)
		return ret;
	ret = bytes_check(&page, sizeof(page), user->seeds[nr]);
	if (ret)
		return ret;
	atomic_fetch_add(user->verified, 1);
	bytes_fill(&page, sizeof(page), user->seeds[nr] + 1);
	ret = kt_set(user->fd, user->op, KT_PAGE, user->good[nr], &page, sizeof(page));
	user->seeds[nr] += !ret;
	return ret;
}

/* That its pager refuses what it has, or is late, a client must bear. */
static long use(void *arg)
{
	struct user *user = arg;
	unsigned int nr = user->op;
	int ret = 0;

	while (!ret && !atomic_load(user->stop)) {
		ret = use_one(user, nr);
		if (ret == -EIO || ret == -ETIMEDOUT)
			ret = 0;
		nr = (nr + CLIENTS) % GOOD;
	}
	return ret;
}

static int chaos_start(struct chaos *chaos, struct arena *arena, unsigned int steps,
		       pthread_t *thread, void *(*fn)(void *))
{
	struct pager *pager = arena->self->pager;
	int ret;

	*chaos = (struct chaos) {
		.self = arena->self, .arena = arena, .view = *pager,
		.state = draw(&arena->self->state), .steps = steps,
	};
	ret = door_open(&chaos->view.door, pager->door.kind, pager->fd);
	return ret ?: -pthread_create(thread, NULL, fn, chaos);
}

static int chaos_join(struct chaos *chaos, pthread_t thread)
{
	pthread_join(thread, NULL);
	door_close(&chaos->view.door);
	return chaos->ret;
}

/* Two hostile threads, an honest one, and clients; then what was good is good. */
TEST_F(enemy, operations)
{
	unsigned int i, steps = scaled("exchanges", 500);
	struct user user = { .fd = self->fd, .good = self->good, .seeds = self->seeds };
	struct chaos chaos[3];
	pthread_t threads[3];
	struct arena arena;

	user.stop = shared_alloc(sizeof(*user.stop));
	user.verified = shared_alloc(sizeof(*user.verified));
	arena_init(&arena, self);
	ASSERT_EQ(0, chaos_start(&chaos[2], &arena, 0, &threads[2], serve_honestly));
	for (i = 0; i < CLIENTS; i++) {
		user.op = i;
		proc_start(&self->bed.procs[i], use, &user, sizeof(user));
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, chaos_start(&chaos[i], &arena, steps, &threads[i], any_order));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, chaos_join(&chaos[i], threads[i]));
	atomic_store(user.stop, true);
	for (i = 0; i < CLIENTS; i++)
		EXPECT_EQ(0, proc_finish(&self->bed.procs[i], NULL, 0));
	atomic_store(&arena.stop, true);
	EXPECT_EQ(0, chaos_join(&chaos[2], threads[2]));
	printf("# %u objects verified, %u tables left\n", atomic_load(user.verified),
	       atomic_load(&arena.tables_left));
	EXPECT_LT(0, atomic_load(user.verified));
	EXPECT_LT(0, atomic_load(&arena.tables_left));
	pager_grant(self->pager, 0, FRAMES);
	EXPECT_EQ(0, good_are_good(self));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_HARNESS_MAIN
