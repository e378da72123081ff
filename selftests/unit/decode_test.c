// SPDX-License-Identifier: GPL-2.0
/*
 * decode_test.c - payloads that are not what the encoder writes
 *
 * A record reaches the decoder after authentication only; here it comes
 * without, to show that the decoder does not lean on it.
 */
#include "unit.h"

#define GARBAGE_RECORDS	30000

/*
 * Decodes from memory of exactly @len bytes. What is refused leaves nothing
 * behind; what is accepted is the one encoding of what it decodes to.
 */
static int decode(struct unit_page *p, const u8 *rec, unsigned int len)
{
	u8 *copy = unit_alloc(len + !len), *again = unit_alloc(KMDOM_RECORD_MAX);
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	int ret;

	memcpy(copy, rec, len);
	unit_random_bytes(page, KMDOM_FRAME_SIZE);
	ret = kmdom_record_decode(&p->schema, copy, len, page, live);
	if (ret) {
		EXPECT(unit_is_zero(page, KMDOM_FRAME_SIZE));
		EXPECT(unit_is_zero(live, sizeof(live)));
	} else {
		const size_t head = sizeof(struct kmdom_record), tail =
			KMDOM_TAG_SIZE;

		EXPECT_EQ(kmdom_record_encode(&p->schema, &p->id, page, live,
					      again, KMDOM_RECORD_MAX), len);
		EXPECT(!memcmp(again + head, copy + head, len - head - tail));
	}
	free(copy);
	free(again);
	free(page);
	return ret;
}

/* Every length but the right one. */
void test_decode_truncated(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i;
	int len;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		for (len = 0; len <= KMDOM_RECORD_MAX; len += 1 + len / 700)
			EXPECT_EQ(decode(p, p->rec, len),
				  len == p->len ? 0 : -EINVAL);
		EXPECT_EQ(decode(p, p->rec, p->len), 0);
		EXPECT_EQ(decode(p, p->rec, p->len - 1), -EINVAL);
		EXPECT_EQ(decode(p, p->rec, p->len + 1), -EINVAL);
		unit_page_free(p);
	}
	free(p);
}

/* One bit: refused, or another content in its one encoding. */
void test_decode_bit_flips(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int refused = 0, accepted = 0, i;
	int bit;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		for (bit = 8 * offsetof(struct kmdom_record, map);
		     bit < 8 * (p->len - KMDOM_TAG_SIZE);
		     bit += 1 + unit_random_below(8)) {
			int ret;

			p->rec[bit / 8] ^= BIT(bit % 8);
			ret = decode(p, p->rec, p->len);
			EXPECT(!ret || ret == -EINVAL);
			refused += !!ret;
			accepted += !ret;
			p->rec[bit / 8] ^= BIT(bit % 8);
		}
		unit_page_free(p);
	}
	EXPECT(refused > 0);
	EXPECT(accepted > 0);
	free(p);
}

/* A trimmed field ends in a byte that is not zero, and fits. */
void test_decode_one_form(void)
{
	/* the type "data": a length of 2 bytes, then the bytes */
	u8 rec[KMDOM_RECORD_MIN + 2 + 4097] __aligned(8) = {};
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
			  len ? -EINVAL : 0);
		if (!len)
			continue;
		payload[2 + len - 1] = 1;
		EXPECT_EQ(decode(p, rec, KMDOM_RECORD_MIN + 2 + len),
			  len > 4096 ? -EINVAL : 0);
	}
	unit_page_free(p);
	free(p);
}

/* Garbage behind a map that may be right, of a length that may be right. */
static int decode_garbage(struct unit_page *p)
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

void test_decode_garbage(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i, refused = 0, accepted = 0;
	struct unit_type random;

	for (i = 0; i < GARBAGE_RECORDS; i++) {
		int ret;

		unit_random_type(&random);
		unit_page_make(p, i & 1 ? &random.type :
			       &unit_types[unit_random_below(UNIT_NR_TYPES)]);
		ret = decode_garbage(p);
		EXPECT(!ret || ret == -EINVAL);
		refused += !!ret;
		accepted += !ret;
		unit_page_free(p);
	}
	EXPECT_EQ(refused + accepted, GARBAGE_RECORDS);
	EXPECT(refused > 0);
	EXPECT(accepted > 0);
	free(p);
}
