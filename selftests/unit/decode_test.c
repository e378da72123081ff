// SPDX-License-Identifier: GPL-2.0
/*
 * decode_test.c - payloads that are not what the encoder writes
 *
 * A record reaches the decoder after authentication only; here it comes
 * without, to show that the decoder does not lean on it.
 */
#include "unit.h"

#define GARBAGE_RECORDS	UNIT_RANDOM_CASES(30000)

/*
 * Decodes from memory of exactly @len bytes. What is refused leaves nothing
 * behind; what is accepted is the one encoding of what it decodes to.
 */
static enum kmdom_reject decode(struct unit_page *p, const u8 *rec, unsigned int len)
{
	u8 *copy = unit_alloc(len + !len), *again = unit_alloc(KMDOM_RECORD_MAX);
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	enum kmdom_reject why;

	memcpy(copy, rec, len);
	memset(page, 0, KMDOM_FRAME_SIZE);
	why = kmdom_record_decode(&p->schema, copy, len, page, live);
	if (why) {
		EXPECT(unit_is_zero(page, KMDOM_FRAME_SIZE));
		EXPECT(unit_is_zero(live, sizeof(live)));
	} else {
		const size_t head = sizeof(struct kmdom_record), tail =
			KMDOM_TAG_SIZE;

		EXPECT_EQ(kmdom_record_encode(&p->schema, &p->id, page, live,
					      again, KMDOM_RECORD_MAX), len);
		EXPECT(!memcmp(again + head, copy + head, len - head - tail));
	}
	unit_free(copy);
	unit_free(again);
	unit_free(page);
	return why;
}

/* Every length but the right one. */
static void test_truncated(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i;
	int len;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		for (len = 0; len <= KMDOM_RECORD_MAX; len += UNIT_PART + len / 700)
			EXPECT_EQ(!decode(p, p->rec, len), len == p->len);
		EXPECT_EQ(decode(p, p->rec, p->len), KMDOM_REJECT_NONE);
		EXPECT(decode(p, p->rec, p->len - 1));
		EXPECT_EQ(decode(p, p->rec, p->len + 1), KMDOM_REJECT_REST);
		unit_page_free(p);
	}
	unit_free(p);
}

/* One bit: refused, or another content in its one encoding. */
static void test_bit_flips(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int refused = 0, accepted = 0, i;
	int bit;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		for (bit = 8 * offsetof(struct kmdom_record, map);
		     bit < 8 * (p->len - KMDOM_TAG_SIZE);
		     bit += 1 + unit_random_below(8 * UNIT_PART)) {
			enum kmdom_reject why;

			p->rec[bit / 8] ^= BIT(bit % 8);
			why = decode(p, p->rec, p->len);
			refused += !!why;
			accepted += !why;
			p->rec[bit / 8] ^= BIT(bit % 8);
		}
		unit_page_free(p);
	}
	EXPECT(refused > 0);
	EXPECT(accepted > 0);
	unit_free(p);
}

/* A trimmed field ends in a byte that is not zero, and fits. */
static void test_one_form(struct kunit *test)
{
	/* the type "data": a length of 2 bytes, then the bytes */
	u8 *rec = unit_alloc(KMDOM_RECORD_MIN + 2 + 4097);
	u8 *payload = rec + sizeof(struct kmdom_record);
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int len;

	unit_page_make(p, &unit_types[2]);
	rec[offsetof(struct kmdom_record, map)] = 1;
	for (len = 0; len <= 4097; len++) {
		payload[0] = len;
		payload[1] = len >> 8;
		payload[2 + len - !!len] = 0;
		EXPECT_EQ(decode(p, rec, KMDOM_RECORD_MIN + 2 + len),
			  len > 4096 ? KMDOM_REJECT_COUNT :
			  len ? KMDOM_REJECT_TRIM : KMDOM_REJECT_NONE);
		if (!len)
			continue;
		payload[2 + len - 1] = 1;
		EXPECT_EQ(decode(p, rec, KMDOM_RECORD_MIN + 2 + len),
			  len > 4096 ? KMDOM_REJECT_COUNT : KMDOM_REJECT_NONE);
	}
	unit_free(rec);
	unit_page_free(p);
	unit_free(p);
}

/* Garbage behind a map that may be right, of a length that may be right. */
static enum kmdom_reject decode_garbage(struct unit_page *p)
{
	struct kmdom_record *rec = (struct kmdom_record *)p->rec;
	unsigned int len = unit_random_below(KMDOM_RECORD_MAX + 1);

	if (unit_random() & 1)
		len = p->len;
	if (unit_random() & 1)
		unit_random_bytes(rec->map, sizeof(rec->map));
	unit_random_bytes(rec + 1, KMDOM_RECORD_MAX - sizeof(*rec));
	if (unit_random() & 1)
		memset(rec + 1, unit_random_below(4),
		       KMDOM_RECORD_MAX - sizeof(*rec));
	return decode(p, p->rec, len);
}

static void test_garbage(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i, refused = 0, accepted = 0;
	struct unit_type random;

	for (i = 0; i < GARBAGE_RECORDS; i++) {
		enum kmdom_reject why;

		unit_random_type(&random);
		unit_page_make(p, i & 1 ? &random.type :
			       &unit_types[unit_random_below(UNIT_NR_TYPES)]);
		why = decode_garbage(p);
		refused += !!why;
		accepted += !why;
		unit_page_free(p);
	}
	EXPECT_CASES(refused + accepted, GARBAGE_RECORDS);
	EXPECT(refused > 0);
	EXPECT(accepted > 0);
	unit_free(p);
}

struct probe {
	u8 kind;
	u8 flags;
	u16 len;
	u32 hole;
	kmdom_ref next;
	u8 name[8];
	u8 tail[8];
};

static const struct kmdom_field probe_fields[] = {
	KMDOM_F_INT(struct probe, kind, 1, 7),
	KMDOM_F_FLAGS(struct probe, flags, 3),
	KMDOM_F_INT(struct probe, len, 0, 0),
	KMDOM_F_REF(struct probe, next, NULL),
	KMDOM_F_BYTES(struct probe, name, 2),
	KMDOM_F_BYTES(struct probe, tail, KMDOM_LEN_TRIM),
};

static bool probe_check(const void *obj)
{
	return ((const struct probe *)obj)->kind != 7;
}

static const struct kmdom_type probe_type = {
	.name = "probe", .size = sizeof(struct probe), .policy = KMDOM_POLICY_CHECKED,
	.check = probe_check, .nr_fields = ARRAY_SIZE(probe_fields),
	.fields = probe_fields,
};

/* Of a record with one probe, named "ab" and with the tail "c". */
#define PAYLOAD		sizeof(struct kmdom_record)
#define PROBE_LEN	(PAYLOAD + 17 + KMDOM_TAG_SIZE)

/* Each reason that the decoder has: one byte that is wrong, or the length. */
static const struct {
	size_t at;
	u8 byte;
	int longer;
	enum kmdom_reject why;
} probes[] = {
	{ PAYLOAD, 1, 0, KMDOM_REJECT_NONE },
	{ PAYLOAD, 1, KMDOM_RECORD_MAX, KMDOM_REJECT_LENGTH },
	{ offsetof(struct kmdom_record, map) + 16, 1, 0, KMDOM_REJECT_MAP },
	{ PAYLOAD, 1, -1, KMDOM_REJECT_END },
	{ PAYLOAD + 2, 8, 0, KMDOM_REJECT_END },
	{ PAYLOAD, 0, 0, KMDOM_REJECT_RANGE },
	{ PAYLOAD, 8, 0, KMDOM_REJECT_RANGE },
	{ PAYLOAD + 1, 4, 0, KMDOM_REJECT_FLAGS },
	{ PAYLOAD + 5, 0, 0, KMDOM_REJECT_REF },
	{ PAYLOAD + 10, 1, 0, KMDOM_REJECT_REF },
	{ PAYLOAD + 2, 9, 0, KMDOM_REJECT_COUNT },
	{ PAYLOAD + 3, 1, 0, KMDOM_REJECT_COUNT },
	{ PAYLOAD + 14, 9, 0, KMDOM_REJECT_COUNT },
	{ PAYLOAD + 16, 0, 0, KMDOM_REJECT_TRIM },
	{ PAYLOAD, 1, 1, KMDOM_REJECT_REST },
	{ PAYLOAD + 14, 0, 0, KMDOM_REJECT_REST },
	{ PAYLOAD, 7, 0, KMDOM_REJECT_CHECK },
};

static void probe_make(struct unit_page *p)
{
	const struct probe probe = {
		.kind = 1, .flags = 3, .len = 2, .hole = 0xeeeeeeee,
		.next = kmdom_ref_make(0x23, 1), .name = "ab", .tail = "c",
	};

	EXPECT_EQ(kmdom_schema_init(&p->schema, &probe_type), 0);
	memcpy(p->page + 5 * sizeof(probe), &probe, sizeof(probe));
	__set_bit(5, p->live);
	p->rec = unit_alloc(2 * KMDOM_RECORD_MAX);
	p->len = kmdom_record_encode(&p->schema, &p->id, p->page, p->live, p->rec,
				     KMDOM_RECORD_MAX);
	EXPECT_EQ(p->len, PROBE_LEN);
}

static void test_every_reason(struct kunit *test)
{
	bool met[KMDOM_NR_REJECTS] = {};
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i, nr = 0;

	probe_make(p);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		u8 *byte = &p->rec[probes[i].at], before = *byte;

		*byte = probes[i].byte;
		EXPECT_EQ(decode(p, p->rec, p->len + probes[i].longer), probes[i].why);
		*byte = before;
		nr += !met[probes[i].why];
		met[probes[i].why] = true;
	}
	EXPECT_CASES(nr, 11);
	unit_page_free(p);
	unit_free(p);
}

/* A type whose full page makes the longest record: 46 objects, of 120 bytes each. */
#define LONGEST_SIZE	88
#define LONGEST_FIELDS	16	/* each has its length of two bytes */
#define LONGEST_SLOTS	(KMDOM_FRAME_SIZE / LONGEST_SIZE)

struct longest {
	struct kmdom_type type;
	struct kmdom_field fields[LONGEST_FIELDS + 1];
};

/* @nr fields that are all of the object: one byte each, and what is left. */
static void longest_make(struct longest *l, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		l->fields[i] = (struct kmdom_field) {
			.name = "f", .offset = i, .kind = KMDOM_FIELD_BYTES,
			.size = i < nr - 1 ? 1 : LONGEST_SIZE - i,
			.len_field = KMDOM_LEN_TRIM,
		};
	}
	l->type = (struct kmdom_type) {
		.name = "longest", .size = LONGEST_SIZE, .policy = KMDOM_POLICY_SIGNED,
		.nr_fields = nr, .fields = l->fields,
	};
}

static void test_longest(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	struct longest *l = unit_alloc(sizeof(*l));
	unsigned int i;

	longest_make(l, LONGEST_FIELDS + 1);
	EXPECT_EQ(kmdom_schema_init(&p->schema, &l->type), -EINVAL);
	longest_make(l, LONGEST_FIELDS);
	EXPECT_EQ(kmdom_schema_init(&p->schema, &l->type), 0);

	memset(p->page, 0xff, sizeof(p->page));
	for (i = 0; i < LONGEST_SLOTS; i++)
		__set_bit(i, p->live);
	p->rec = unit_alloc(KMDOM_RECORD_MAX);
	p->len = kmdom_record_encode(&p->schema, &p->id, p->page, p->live, p->rec,
				     KMDOM_RECORD_MAX);
	EXPECT_EQ(p->len, KMDOM_RECORD_MAX);
	EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, p->rec, p->len),
		  KMDOM_REJECT_NONE);
	EXPECT_EQ(decode(p, p->rec, p->len), KMDOM_REJECT_NONE);
	unit_page_free(p);
	unit_free(l);
	unit_free(p);
}

/* Objects that count those of their page, when they are restored. */
struct counted {
	u64 any;
	u64 soft;
};

static const struct kmdom_field counted_fields[] = {
	KMDOM_F_INT(struct counted, any, 1, 9),
	KMDOM_F_SOFT(struct counted, soft),
};

static const struct counted *counted_page;
static unsigned int counted_calls;

static void counted_restore(void *obj)
{
	struct counted *c = obj;
	unsigned int i;

	counted_calls++;
	for (i = 0; i < KMDOM_FRAME_SIZE / sizeof(*c); i++)
		c->soft += !!counted_page[i].any;
}

static const struct kmdom_type counted_type = {
	.name = "counted", .size = sizeof(struct counted), .policy = KMDOM_POLICY_SIGNED,
	.restore = counted_restore, .nr_fields = ARRAY_SIZE(counted_fields),
	.fields = counted_fields,
};

/* A type's restore() sees the whole page, and nothing of one that is refused. */
static void test_restores_last(struct kunit *test)
{
	struct counted *page = unit_alloc(KMDOM_FRAME_SIZE);
	struct unit_page *p = unit_alloc(sizeof(*p));
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct counted *obj = (void *)p->page;
	const unsigned int nr = 7;
	unsigned int i;

	EXPECT_EQ(kmdom_schema_init(&p->schema, &counted_type), 0);
	for (i = 0; i < nr; i++) {
		obj[3 * i].any = 1 + i;
		__set_bit(3 * i, p->live);
	}
	p->rec = unit_alloc(KMDOM_RECORD_MAX);
	p->len = kmdom_record_encode(&p->schema, &p->id, p->page, p->live, p->rec,
				     KMDOM_RECORD_MAX);
	EXPECT_EQ(p->len, KMDOM_RECORD_MIN + nr * sizeof(obj->any));

	counted_page = page;
	counted_calls = 0;
	EXPECT_EQ(kmdom_record_decode(&p->schema, p->rec, p->len, page, live), 0);
	for (i = 0; i < nr; i++)
		EXPECT_EQ(page[3 * i].soft, nr);

	EXPECT_EQ(counted_calls, nr);

	/* The last object is out of range. */
	memset(page, 0, KMDOM_FRAME_SIZE);
	p->rec[p->len - KMDOM_TAG_SIZE - sizeof(obj->any)] = 10;
	counted_calls = 0;
	EXPECT_EQ(kmdom_record_decode(&p->schema, p->rec, p->len, page, live),
		  KMDOM_REJECT_RANGE);
	EXPECT_EQ(counted_calls, 0);
	unit_page_free(p);
	unit_free(p);
	unit_free(page);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE(test_truncated),
	KUNIT_CASE(test_bit_flips),
	KUNIT_CASE(test_one_form),
	KUNIT_CASE(test_garbage),
	KUNIT_CASE(test_every_reason),
	KUNIT_CASE(test_longest),
	KUNIT_CASE(test_restores_last),
	{}
};

struct kunit_suite decode_suite = {
	.name = "kmdom_decode",
	.test_cases = decode_cases,
};
