// SPDX-License-Identifier: GPL-2.0
/*
 * kmdom_test's types: some that serve, and for each rule of schemas one that
 * breaks it and no other.
 */
#include <linux/build_bug.h>
#include <linux/module.h>
#include <linux/stddef.h>
#include "test.h"

static_assert(sizeof(struct kt_small) == 64);
static_assert(sizeof(struct kt_signed) == 128);
static_assert(sizeof(struct kt_tiny) == KMDOM_OBJECT_MIN);
static_assert(sizeof(struct kt_narrow) == 32);
static_assert(sizeof(struct kt_checked) == 64);
static_assert(sizeof(struct kt_discard) == 32);
static_assert(KT_SETMAX == KMDOM_PINS_MAX);
static_assert(KT_NOWAIT == KMDOM_OP_NOWAIT);

static const struct kmdom_field small_fields[] = {
	KMDOM_F_INT(struct kt_small, number, 0, 0),
	KMDOM_F_INT(struct kt_small, bounded, 0, KT_BOUND),
	KMDOM_F_INT(struct kt_small, len, 0, 16),
	KMDOM_F_INT(struct kt_small, tag, 0, 0),
	KMDOM_F_BYTES(struct kt_small, bytes, 2),
	KMDOM_F_REF(struct kt_small, ref, "kt_small"),
	KMDOM_F_SECRET(struct kt_small, secret, KMDOM_LEN_ALL),
	KMDOM_F_KERNEL(struct kt_small, kernel),
	KMDOM_F_SOFT(struct kt_small, soft),
};

static void small_restore(void *obj)
{
	struct kt_small *small = obj;

	small->soft = KT_SOFT(small->number);
}

/* As small_fields, but for the range of "bounded". */
static const struct kmdom_field other_fields[] = {
	KMDOM_F_INT(struct kt_small, number, 0, 0),
	KMDOM_F_INT(struct kt_small, bounded, 0, KT_BOUND + 1),
	KMDOM_F_INT(struct kt_small, len, 0, 16),
	KMDOM_F_INT(struct kt_small, tag, 0, 0),
	KMDOM_F_BYTES(struct kt_small, bytes, 2),
	KMDOM_F_REF(struct kt_small, ref, "kt_small"),
	KMDOM_F_SECRET(struct kt_small, secret, KMDOM_LEN_ALL),
	KMDOM_F_KERNEL(struct kt_small, kernel),
	KMDOM_F_SOFT(struct kt_small, soft),
};

static const struct kmdom_field signed_fields[] = {
	KMDOM_F_INT(struct kt_signed, number, 0, 0),
	KMDOM_F_REF(struct kt_signed, ref, NULL),
	KMDOM_F_BYTES(struct kt_signed, name, KMDOM_LEN_TRIM),
	KMDOM_F_BYTES(struct kt_signed, data, KMDOM_LEN_ALL),
	KMDOM_F_KERNEL(struct kt_signed, kernel),
};

static const struct kmdom_field page_fields[] = {
	KMDOM_F_BYTES(struct kt_page, bytes, KMDOM_LEN_ALL),
};

static const struct kmdom_field trim_fields[] = {
	KMDOM_F_BYTES(struct kt_page, bytes, KMDOM_LEN_TRIM),
};

static const struct kmdom_field tiny_fields[] = {
	KMDOM_F_INT(struct kt_tiny, number, 0, 0),
	KMDOM_F_REF(struct kt_tiny, ref, NULL),
};

static const struct kmdom_field narrow_fields[] = {
	KMDOM_F_INT(struct kt_narrow, digit, 0, 9),
	KMDOM_F_INT(struct kt_narrow, len, 0, 0),
	KMDOM_F_INT(struct kt_narrow, small, 0, 7),
	KMDOM_F_BYTES(struct kt_narrow, bytes, 1),
	KMDOM_F_INT(struct kt_narrow, number, 0, 0),
	KMDOM_F_REF(struct kt_narrow, ref, "kt_small"),
};

static const struct kmdom_field checked_fields[] = {
	KMDOM_F_INT(struct kt_checked, colour, 1, KT_COLOURS),
	KMDOM_F_FLAGS(struct kt_checked, flags, KT_FLAGS),
	KMDOM_F_INT(struct kt_checked, len, 0, 0),
	KMDOM_F_INT(struct kt_checked, sum, 0, 0),
	KMDOM_F_INT(struct kt_checked, number, 0, 0),
	KMDOM_F_REF(struct kt_checked, ref, "kt_checked"),
	KMDOM_F_BYTES(struct kt_checked, bytes, 2),
	KMDOM_F_BYTES(struct kt_checked, note, KMDOM_LEN_TRIM),
	KMDOM_F_KERNEL(struct kt_checked, kernel),
};

static bool checked_check(const void *obj)
{
	const struct kt_checked *checked = obj;

	return checked->sum == KT_SUM(checked);
}

static const struct kmdom_field discard_fields[] = {
	KMDOM_F_INT(struct kt_discard, number, 0, 0),
	KMDOM_F_SECRET(struct kt_discard, secret, KMDOM_LEN_ALL),
};

static const struct kmdom_field authority_fields[] = {
	KMDOM_F_AUTHORITY(struct kt_tiny, number, 0, 0),
};

/* Tables written by place, where the macros would not let a mistake be made. */
#define FIELD(off, sz, k, ...) {					\
	.name = "f" #off, .offset = (off), .size = (sz),		\
	.kind = KMDOM_FIELD_##k, ##__VA_ARGS__ }
#define BYTE(off)	FIELD(off, 1, BYTES, .len_field = KMDOM_LEN_TRIM)
#define INT1(off)	FIELD(off, 1, INT)
#define TIMES8(f, a)	f(a), f((a) + 1), f((a) + 2), f((a) + 3),	\
			f((a) + 4), f((a) + 5), f((a) + 6), f((a) + 7)
#define TIMES64(f)	TIMES8(f, 0), TIMES8(f, 8), TIMES8(f, 16),	\
			TIMES8(f, 24), TIMES8(f, 32), TIMES8(f, 40),	\
			TIMES8(f, 48), TIMES8(f, 56)

/* 86 bytes of payload for each of 64 objects, 16 less than may be. */
static const struct kmdom_field worst_fields[] = {
	TIMES8(BYTE, 0), BYTE(8), BYTE(9),
	FIELD(10, 54, BYTES, .len_field = KMDOM_LEN_TRIM),
};

static const struct kmdom_field long_fields[] = { TIMES64(BYTE) };
static const struct kmdom_field many_fields[] = { TIMES64(INT1), INT1(64) };

static const struct kmdom_field secret_fields[] = {
	FIELD(0, 16, SECRET, .len_field = KMDOM_LEN_ALL),
};

static const struct kmdom_field overlap_fields[] = {
	FIELD(0, 8, INT), FIELD(4, 4, INT),
};

static const struct kmdom_field outside_fields[] = {
	FIELD(0, 8, INT), FIELD(16, 8, INT),
};

static const struct kmdom_field int_size_fields[] = { FIELD(0, 3, INT) };

static const struct kmdom_field int_range_fields[] = {
	FIELD(0, 4, INT, .min = 2, .max = 1),
};

static const struct kmdom_field ref_size_fields[] = { FIELD(0, 4, REF) };
static const struct kmdom_field size_small_fields[] = { FIELD(0, 8, INT) };

static const struct kmdom_field kind_fields[] = {
	{ .name = "f0", .offset = 0, .size = 8, .kind = KMDOM_FIELD_KERNEL + 1 },
};

static const struct kmdom_field len_later_fields[] = {
	FIELD(0, 8, BYTES, .len_field = 1), FIELD(8, 2, INT),
};

static const struct kmdom_field len_kind_fields[] = {
	FIELD(8, 8, REF), FIELD(0, 8, BYTES, .len_field = 0),
};

static const struct kmdom_field len_place_fields[] = {
	FIELD(0, 8, BYTES, .len_field = 7),
};

static const struct kmdom_field no_size_fields[] = {
	FIELD(0, 0, BYTES, .len_field = KMDOM_LEN_ALL),
};

#define TYPE_OF(nm, sz, pol, flds, ...) {				\
	.name = (nm), .owner = THIS_MODULE, .size = (sz),		\
	.policy = (pol), .nr_fields = ARRAY_SIZE(flds),			\
	.fields = (flds), ##__VA_ARGS__ }
#define SEALED(nm, sz, flds, ...) \
	TYPE_OF(nm, sz, KMDOM_POLICY_SEALED, flds, ##__VA_ARGS__)
#define SIGNED(nm, sz, flds) TYPE_OF(nm, sz, KMDOM_POLICY_SIGNED, flds)

const struct kmdom_type kt_types[KT_TYPES] = {
	[KT_SMALL] = SEALED("kt_small", sizeof(struct kt_small), small_fields,
			    .restore = small_restore),
	[KT_SIGNED] = SIGNED("kt_signed", sizeof(struct kt_signed), signed_fields),
	[KT_PAGE] = SEALED("kt_page", sizeof(struct kt_page), page_fields),
	[KT_TRIM] = SIGNED("kt_trim", sizeof(struct kt_page), trim_fields),
	[KT_TINY] = SEALED("kt_tiny", sizeof(struct kt_tiny), tiny_fields),
	[KT_NARROW] = SEALED("kt_narrow", sizeof(struct kt_narrow), narrow_fields),
	[KT_WORST] = SIGNED("kt_worst", 64, worst_fields),
	[KT_CHECKED] = TYPE_OF("kt_checked", sizeof(struct kt_checked),
			       KMDOM_POLICY_CHECKED, checked_fields,
			       .check = checked_check),
	[KT_DISCARD] = TYPE_OF("kt_discard", sizeof(struct kt_discard),
			       KMDOM_POLICY_DISCARD, discard_fields),
	[KT_SCRATCH] = TYPE_OF("kt_scratch", sizeof(struct kt_page),
			       KMDOM_POLICY_DISCARD, page_fields),
	[KT_OTHER_SMALL] = SEALED("kt_small", sizeof(struct kt_small), other_fields,
				  .restore = small_restore),
	[KT_BAD_SECRET_SIGNED] = SIGNED("kt_bad", 16, secret_fields),
	[KT_BAD_SECRET_CHECKED] = TYPE_OF("kt_bad", 16, KMDOM_POLICY_CHECKED, secret_fields),
	[KT_BAD_AUTHORITY_CHECKED] = TYPE_OF("kt_bad", 16, KMDOM_POLICY_CHECKED,
					     authority_fields),
	[KT_BAD_POLICY_UNKNOWN] = TYPE_OF("kt_bad", 16, KMDOM_POLICY_SEALED + 1, tiny_fields),
	[KT_BAD_SIZE_ODD] = SEALED("kt_bad", 20, tiny_fields),
	[KT_BAD_SIZE_SMALL] = SEALED("kt_bad", 8, size_small_fields),
	[KT_BAD_SIZE_LARGE] = SEALED("kt_bad", 4104, tiny_fields),
	[KT_BAD_OVERLAP] = SEALED("kt_bad", 16, overlap_fields),
	[KT_BAD_OUTSIDE] = SEALED("kt_bad", 16, outside_fields),
	[KT_BAD_INT_SIZE] = SEALED("kt_bad", 16, int_size_fields),
	[KT_BAD_INT_RANGE] = SEALED("kt_bad", 16, int_range_fields),
	[KT_BAD_REF_SIZE] = SEALED("kt_bad", 16, ref_size_fields),
	[KT_BAD_KIND] = SEALED("kt_bad", 16, kind_fields),
	[KT_BAD_LEN_LATER] = SEALED("kt_bad", 16, len_later_fields),
	[KT_BAD_LEN_KIND] = SEALED("kt_bad", 16, len_kind_fields),
	[KT_BAD_LEN_PLACE] = SEALED("kt_bad", 16, len_place_fields),
	[KT_BAD_NO_SIZE] = SEALED("kt_bad", 16, no_size_fields),
	[KT_BAD_LONG_RECORD] = SIGNED("kt_bad", 64, long_fields),
	[KT_BAD_NO_NAME] = SEALED("", 16, tiny_fields),
	[KT_BAD_LONG_NAME] = SEALED("kt_a_name_of_more_than_31_characters", 16, tiny_fields),
	[KT_BAD_NO_FIELDS] = {
		.name = "kt_bad", .owner = THIS_MODULE, .size = 16,
		.policy = KMDOM_POLICY_SEALED, .nr_fields = 1, .fields = NULL,
	},
	[KT_BAD_MANY_FIELDS] = SIGNED("kt_bad", 128, many_fields),
};
