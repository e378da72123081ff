// SPDX-License-Identifier: GPL-2.0
/*
 * header_test.c - received headers: every way to be wrong has its errno
 */
#include "unit.h"

/* Is the byte of that number in the header one of @member's? */
#define IS_OF(byte, member)						\
	((byte) - offsetof(struct kmdom_record, member) <		\
	 sizeof_field(struct kmdom_record, member))

/* The errno of a header that is wrong in this byte only. */
static int errno_of_byte(unsigned int byte)
{
	if (IS_OF(byte, level) || IS_OF(byte, domain) || IS_OF(byte, index))
		return -EXDEV;
	return IS_OF(byte, version) ? -ESTALE : -EINVAL;
}

static int check(struct unit_page *p, const void *rec)
{
	u8 *copy = unit_alloc(p->len);
	int ret;

	memcpy(copy, rec, p->len);
	ret = kmdom_record_check(&p->schema, &p->id, copy, p->len);
	/* What is refused is left as it came. */
	if (ret)
		EXPECT(!memcmp(copy, rec, p->len));
	free(copy);
	return ret;
}

static unsigned int flip_bits(struct unit_page *p)
{
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(struct kmdom_record); bit++) {
		p->rec[bit / 8] ^= BIT(bit % 8);
		EXPECT_EQ(check(p, p->rec), errno_of_byte(bit / 8));
		p->rec[bit / 8] ^= BIT(bit % 8);
	}
	EXPECT_EQ(check(p, p->rec), 0);
	return bit;
}

void test_header_bit_flips(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int i, flips = 0;

	for (i = 0; i < UNIT_NR_TYPES; i++) {
		unit_page_make(p, &unit_types[i]);
		flips += flip_bits(p);
		unit_page_free(p);
	}
	EXPECT_EQ(flips, UNIT_NR_TYPES * 768);
	free(p);
}

/* The lower, the sooner it is told of a header that is wrong in several bytes. */
static unsigned int order_of_byte(unsigned int byte)
{
	if (IS_OF(byte, magic) || IS_OF(byte, format) || IS_OF(byte, reserved))
		return 0;
	if (errno_of_byte(byte) == -EXDEV)
		return 1;
	return errno_of_byte(byte) == -ESTALE ? 3 : 2;
}

/* What is no record goes first, then what is of another page, whatever its type. */
void test_header_order_of_errors(void)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	unsigned int a, b, cases = 0;

	unit_page_make(p, &unit_types[1]);
	for (a = 0; a < sizeof(struct kmdom_record); a++) {
		for (b = 0; b < offsetof(struct kmdom_record, map); b++) {
			bool first = order_of_byte(a) <= order_of_byte(b);
			int wanted = errno_of_byte(first ? a : b);

			if (a == b)
				continue;
			p->rec[a] ^= 1;
			p->rec[b] ^= 4;
			EXPECT_EQ(check(p, p->rec), wanted);
			p->rec[a] ^= 1;
			p->rec[b] ^= 4;
			cases++;
		}
	}
	EXPECT_EQ(cases, 96 * 64 - 64);
	unit_page_free(p);
	free(p);
}

/* The length that came counts, and the header must say the same. */
void test_header_lengths(void)
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
			  len == (unsigned int)p->len ? 0 : -EINVAL);
		if (len >= sizeof(*rec)) {
			rec = (struct kmdom_record *)buf;
			rec->length = cpu_to_le32(len);
			EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, buf,
						     len), fits ? 0 : -EINVAL);
		}
		free(buf);
	}
	unit_page_free(p);
	free(p);
}
