// SPDX-License-Identifier: GPL-2.0
/*
 * header_test.c - received headers: every way to be wrong has its reason
 */
#include "unit.h"

/* Why a header is rejected that is wrong in this byte only. */
static enum kmdom_reject reason_of_byte(unsigned int byte)
{
	static const struct {
		size_t end;
		enum kmdom_reject why;
	} parts[] = {
		{ offsetof(struct kmdom_record, format), KMDOM_REJECT_MAGIC },
		{ offsetof(struct kmdom_record, policy), KMDOM_REJECT_FORMAT },
		{ offsetof(struct kmdom_record, level), KMDOM_REJECT_POLICY },
		{ offsetof(struct kmdom_record, type), KMDOM_REJECT_LEVEL },
		{ offsetof(struct kmdom_record, domain), KMDOM_REJECT_TYPE },
		{ offsetof(struct kmdom_record, index), KMDOM_REJECT_DOMAIN },
		{ offsetof(struct kmdom_record, version), KMDOM_REJECT_INDEX },
		{ offsetof(struct kmdom_record, length), KMDOM_REJECT_VERSION },
		{ offsetof(struct kmdom_record, slots), KMDOM_REJECT_SIZE },
		{ offsetof(struct kmdom_record, live), KMDOM_REJECT_SLOTS },
		{ offsetof(struct kmdom_record, reserved), KMDOM_REJECT_LIVE },
		{ offsetof(struct kmdom_record, map), KMDOM_REJECT_RESERVED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (byte < parts[i].end)
			return parts[i].why;
	}
	return KMDOM_REJECT_LIVE;
}

/* A slot that the page does not have is told of before the count of slots. */
static enum kmdom_reject reason_of_bit(const struct unit_page *p, unsigned int bit)
{
	unsigned int map = 8 * offsetof(struct kmdom_record, map);

	return bit >= map + p->schema.slots ? KMDOM_REJECT_MAP :
					      reason_of_byte(bit / 8);
}

static enum kmdom_reject check(struct unit_page *p, const void *rec)
{
	u8 *copy = unit_alloc(p->len);
	enum kmdom_reject why;

	memcpy(copy, rec, p->len);
	why = kmdom_record_check(&p->schema, &p->id, copy, p->len);
	/* What is refused is left as it came. */
	if (why)
		EXPECT(!memcmp(copy, rec, p->len));
	unit_free(copy);
	return why;
}

static unsigned int flip_bits(struct unit_page *p)
{
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(struct kmdom_record); bit++) {
		p->rec[bit / 8] ^= BIT(bit % 8);
		EXPECT_EQ(check(p, p->rec), reason_of_bit(p, bit));
		p->rec[bit / 8] ^= BIT(bit % 8);
	}
	EXPECT_EQ(check(p, p->rec), 0);
	return bit;
}

static void test_bit_flips(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i, flips = 0;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		flips += flip_bits(p);
		unit_page_free(p);
	}
	EXPECT_CASES(flips, UNIT_NR_TYPES * 768);
	unit_free(p);
}

/*
 * What is wrong in several ways is told of in the order of the reasons: what is no
 * record goes first, then what is of another page, whatever its type.
 */
static void test_order_of_reasons(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int a, b, cases = 0;

	unit_page_make(p, &unit_types[1]);
	for (a = 0; a < sizeof(struct kmdom_record); a++) {
		for (b = 0; b < offsetof(struct kmdom_record, map); b++) {
			enum kmdom_reject one = reason_of_bit(p, 8 * a);
			enum kmdom_reject two = reason_of_byte(b);

			if (a == b)
				continue;
			p->rec[a] ^= 1;
			p->rec[b] ^= 4;
			EXPECT_EQ(check(p, p->rec), one < two ? one : two);
			p->rec[a] ^= 1;
			p->rec[b] ^= 4;
			cases++;
		}
	}
	EXPECT_CASES(cases, 96 * 64 - 64);
	unit_page_free(p);
	unit_free(p);
}

/* The length that came counts, and the header must say the same. */
static void test_lengths(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	struct kmdom_record *rec;
	unsigned int len;
	u8 *buf;

	unit_page_make(p, &unit_types[1]);
	for (len = 0; len <= KMDOM_RECORD_MAX + 16; len++) {
		bool fits = len >= KMDOM_RECORD_MIN && len <= KMDOM_RECORD_MAX;

		buf = unit_alloc(len + !len);
		memcpy(buf, p->rec, len < (unsigned int)p->len ? len :
						(unsigned int)p->len);
		EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, buf, len),
			  len == (unsigned int)p->len ? KMDOM_REJECT_NONE :
			  fits ? KMDOM_REJECT_SIZE : KMDOM_REJECT_LENGTH);
		if (len >= sizeof(*rec)) {
			rec = (struct kmdom_record *)buf;
			rec->length = cpu_to_le32(len);
			EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, buf,
						     len), fits ? KMDOM_REJECT_NONE :
				  KMDOM_REJECT_LENGTH);
		}
		unit_free(buf);
	}
	unit_page_free(p);
	unit_free(p);
}

/* The length of a CHECKED record is its pager's: the header does not say it. */
static void test_checked_length(struct kunit *test)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	struct kmdom_record *rec;
	unsigned int len, cases = 0;

	unit_page_make(p, &unit_types[UNIT_CHECKED]);
	rec = (struct kmdom_record *)p->rec;
	EXPECT_EQ(le32_to_cpu(rec->length), 0);
	for (len = KMDOM_RECORD_MIN; len <= KMDOM_RECORD_MAX; len++, cases++)
		EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, p->rec, len),
			  KMDOM_REJECT_NONE);
	rec->length = cpu_to_le32(p->len);
	EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, p->rec, p->len),
		  KMDOM_REJECT_SIZE);
	EXPECT_CASES(cases, KMDOM_RECORD_MAX - KMDOM_RECORD_MIN + 1);
	unit_page_free(p);
	unit_free(p);
}

/* Each reason has an errno, and no other is ever told. */
static void test_errors(struct kunit *test)
{
	static const struct {
		enum kmdom_reject why;
		int error;
	} others[] = {
		{ KMDOM_REJECT_NONE, 0 }, { KMDOM_REJECT_STALE, -ESTALE },
		{ KMDOM_REJECT_DOMAIN, -EXDEV }, { KMDOM_REJECT_LEVEL, -EXDEV },
		{ KMDOM_REJECT_INDEX, -EXDEV }, { KMDOM_REJECT_VERSION, -ESTALE },
		{ KMDOM_REJECT_TAG, -EBADMSG },
	};
	unsigned int why, i;

	for (why = 0; why < KMDOM_NR_REJECTS; why++) {
		int wanted = -EINVAL;

		for (i = 0; i < ARRAY_SIZE(others); i++) {
			if (others[i].why == why)
				wanted = others[i].error;
		}
		EXPECT_EQ(kmdom_reject_error(why), wanted);
	}
	EXPECT_CASES(why, 25);
}

static struct kunit_case header_cases[] = {
	KUNIT_CASE(test_bit_flips),
	KUNIT_CASE(test_order_of_reasons),
	KUNIT_CASE(test_lengths),
	KUNIT_CASE(test_checked_length),
	KUNIT_CASE(test_errors),
	{}
};

struct kunit_suite header_suite = {
	.name = "kmdom_header",
	.test_cases = header_cases,
};
