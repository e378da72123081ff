// SPDX-License-Identifier: GPL-2.0
/*
 * record_test.c - what leaves in a record, and that it comes back
 */
#include "unit.h"

#define RANDOM_TYPES	UNIT_RANDOM_CASES(300)
#define PAGES_PER_TYPE	UNIT_RANDOM_CASES(40)

/* Runs @fn on pages of all fixed types and of many random ones. */
static unsigned int for_pages(void (*fn)(struct unit_page *p))
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	struct unit_type random;
	unsigned int i, cases = 0;

	for (i = 0; i < UNIT_NR_TYPES * PAGES_PER_TYPE + RANDOM_TYPES; i++) {
		const struct kmdom_type *type = &unit_types[i % UNIT_NR_TYPES];

		if (i >= UNIT_NR_TYPES * PAGES_PER_TYPE) {
			unit_random_type(&random);
			type = &random.type;
		}
		unit_page_make(p, type);
		EXPECT(p->len >= (int)KMDOM_RECORD_MIN);
		if (p->len >= (int)KMDOM_RECORD_MIN) {
			fn(p);
			cases++;
		}
		unit_page_free(p);
	}
	unit_free(p);
	return cases;
}

#define FOR_PAGES_CASES	(UNIT_NR_TYPES * PAGES_PER_TYPE + RANDOM_TYPES)

struct item {
	u32 number;
	u16 len;
	u8 kind;
	u8 secret_of_kernel;
	kmdom_ref next;
	u8 name[8];
	u8 note[8];
};

static const struct kmdom_field item_fields[] = {
	KMDOM_F_INT(struct item, number, 0, 0),
	KMDOM_F_INT(struct item, len, 0, 8),
	KMDOM_F_INT(struct item, kind, 1, 3),
	KMDOM_F_REF(struct item, next, "item"),
	KMDOM_F_BYTES(struct item, name, 1),
	KMDOM_F_BYTES(struct item, note, KMDOM_LEN_TRIM),
};

static const struct kmdom_type item_type = {
	.name = "item", .size = sizeof(struct item),
	.policy = KMDOM_POLICY_SIGNED,
	.nr_fields = ARRAY_SIZE(item_fields), .fields = item_fields,
};

/*
 * The wire form and the hash, written down by hand: neither may change without
 * a new KMDOM_RECORD_FORMAT.
 */
static const u8 golden[] = {
	'k', 'd', 'o', 'm', 2, 0, KMDOM_POLICY_SIGNED, 3,
	/* type: the hash */
	0xc6, 0xd6, 0x8f, 0x8b, 0x63, 0xd5, 0xca, 0xc7,
	/* domain */
	'0', '1', '2', '3', '4', '5', '6', '7',
	'8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
	/* index, version, length, slots, live, reserved */
	0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0, 0xff,
	0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
	163, 0, 0, 0, 128, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* map: slots 1 and 127 */
	2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* slot 1 */
	0x44, 0x33, 0x22, 0x11, 3, 0, 2, 7, 1, 0, 0, 0, 0, 0, 0,
	'a', 'b', 'c', 6, 0, 0, 0, 'n', 'o', 't', 'e',
	/* slot 127 */
	1, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0,
	'l', 'e', 'n', 'g', 't', 'h', ' ', '8', 0, 0,
	/* room for the tag */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static void test_golden(struct kunit *test)
{
	struct kmdom_record_id id = {
		.domain = "0123456789abcde", .index = 0xfff0f1f2f3f4f5f6,
		.version = 0x0102030405060708, .level = 3,
	};
	struct item *page = unit_alloc(KMDOM_FRAME_SIZE);
	u8 *rec = unit_alloc(sizeof(golden));
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE) = {};
	struct kmdom_schema schema;
	unsigned int i;

	id.domain[15] = 'f';
	/* A note is trimmed at its end, not where it begins. */
	page[1] = (struct item) { 0x11223344, 3, 2, 0xee, 0x107, "abcdef",
				  { 0, 0, 'n', 'o', 't', 'e' } };
	page[127] = (struct item) { 1, 8, 3, 0xee, 0, "length 8", "" };
	__set_bit(1, live);
	__set_bit(127, live);

	EXPECT_EQ(kmdom_schema_init(&schema, &item_type), 0);
	EXPECT_EQ(kmdom_record_encode(&schema, &id, page, live, rec,
				      sizeof(golden)), sizeof(golden));
	for (i = 0; i < sizeof(golden) && rec[i] == golden[i]; i++)
		;
	/* the first byte that differs */
	EXPECT_EQ(i, sizeof(golden));
	unit_free(page);
	unit_free(rec);
}

static void round_trip(struct unit_page *p)
{
	u8 *wanted = unit_alloc(KMDOM_FRAME_SIZE);
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE);
	u8 *before = unit_alloc(p->len);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);

	memcpy(before, p->rec, p->len);
	memset(page, 0, KMDOM_FRAME_SIZE);
	unit_random_bytes(live, sizeof(live));
	unit_page_expected(p, wanted);

	EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, p->rec, p->len), 0);
	EXPECT(!memcmp(p->rec, before, p->len));
	EXPECT_EQ(kmdom_record_decode(&p->schema, p->rec, p->len, page, live),
		  0);
	EXPECT(!memcmp(page, wanted, KMDOM_FRAME_SIZE));
	EXPECT(!memcmp(live, p->live, sizeof(live)));
	unit_free(wanted);
	unit_free(page);
	unit_free(before);
}

static void test_round_trips(struct kunit *test)
{
	EXPECT_CASES(for_pages(round_trip), FOR_PAGES_CASES);
}

/* Nothing but what may leave, and no byte of the buffer, makes the record. */
static void leaks_nothing(struct unit_page *p)
{
	u8 *rec = unit_alloc(KMDOM_RECORD_MAX);

	memset(rec, 0xaa, KMDOM_RECORD_MAX);
	unit_page_scramble(p);
	EXPECT_EQ(kmdom_record_encode(&p->schema, &p->id, p->page, p->live,
				      rec, KMDOM_RECORD_MAX), p->len);
	EXPECT(!memcmp(rec, p->rec, p->len));
	unit_free(rec);
}

static void test_leaks_nothing(struct kunit *test)
{
	EXPECT_CASES(for_pages(leaks_nothing), FOR_PAGES_CASES);
}

/* A buffer of exactly the right size does, one of a byte less does not. */
static void buffer_sizes(struct unit_page *p)
{
	int sizes[] = { p->len, p->len - 1, KMDOM_RECORD_MIN - 1, 1,
			unit_random_below(p->len) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *rec = unit_alloc(sizes[i] + !sizes[i]);
		int ret = kmdom_record_encode(&p->schema, &p->id, p->page,
					      p->live, rec, sizes[i]);

		EXPECT_EQ(ret, i ? -EMSGSIZE : p->len);
		unit_free(rec);
	}
}

static void test_buffer_sizes(struct kunit *test)
{
	EXPECT_CASES(for_pages(buffer_sizes), FOR_PAGES_CASES);
}

static int encode_item(struct item item, unsigned int slot)
{
	struct kmdom_record_id id = {};
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE) = {};
	struct item *page = unit_alloc(KMDOM_FRAME_SIZE);
	u8 *rec = unit_alloc(KMDOM_RECORD_MAX);
	struct kmdom_schema schema;
	int ret;

	EXPECT_EQ(kmdom_schema_init(&schema, &item_type), 0);
	__set_bit(slot, live);
	page[slot % schema.slots] = item;
	ret = kmdom_record_encode(&schema, &id, page, live, rec,
				  KMDOM_RECORD_MAX);
	unit_free(page);
	unit_free(rec);
	return ret;
}

/* What the decoder would refuse is not exported either. */
static void test_forbidden_values(struct kunit *test)
{
	const struct item good = { .kind = 1, .len = 8, .next = 0x100 };
	unsigned int bit, slot;
	struct item item;

	EXPECT(encode_item(good, 0) > 0);
	EXPECT(encode_item(good, 127) > 0);
	for (slot = 128; slot < KMDOM_SLOTS_PER_PAGE; slot++)
		EXPECT_EQ(encode_item(good, slot), -EINVAL);

	item = good;
	item.kind = 0;
	EXPECT_EQ(encode_item(item, 3), -EINVAL);
	item.kind = 3;
	EXPECT(encode_item(item, 3) > 0);
	item.kind = 4;
	EXPECT_EQ(encode_item(item, 3), -EINVAL);
	item = good;
	item.len = 9;
	EXPECT_EQ(encode_item(item, 3), -EINVAL);
	item = good;
	item.next = 0xff;
	EXPECT_EQ(encode_item(item, 3), -EINVAL);
	for (bit = 44; bit < 64; bit++) {
		item.next = good.next | BIT_ULL(bit);
		EXPECT_EQ(encode_item(item, 3), -EINVAL);
	}
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(test_golden),
	KUNIT_CASE(test_round_trips),
	KUNIT_CASE(test_leaks_nothing),
	KUNIT_CASE(test_buffer_sizes),
	KUNIT_CASE(test_forbidden_values),
	{}
};

struct kunit_suite record_suite = {
	.name = "kmdom_record",
	.test_cases = record_cases,
};
