// SPDX-License-Identifier: GPL-2.0
/*
 * schema_test.c - types that are accepted, types that are refused for one
 * thing wrong with them, and what the hash tells apart
 */
#include "unit.h"

/* A type that is right, for the cases to change one thing of. */
enum { LEN, BYTES, REF, NUMBER, SECRET, SOFT, KERNEL, NR_GOOD };

struct good {
	struct kmdom_type type;
	struct kmdom_field fields[KMDOM_FIELDS_MAX + 1];
};

static struct good *good_new(void)
{
	static const struct kmdom_field fields[NR_GOOD] = {
		[LEN] = { "len", 0, 2, KMDOM_FIELD_INT, 0, NULL, 0, 0, 12 },
		[BYTES] = { "bytes", 4, 12, KMDOM_FIELD_BYTES, LEN, NULL, 0, 0, 0 },
		[REF] = { "ref", 16, 8, KMDOM_FIELD_REF, 0, "t", 0, 0, 0 },
		[NUMBER] = { "number", 24, 4, KMDOM_FIELD_INT, 0, NULL, 0, 1, 9 },
		[SECRET] = { "secret", 28, 4, KMDOM_FIELD_SECRET,
			     KMDOM_LEN_TRIM, NULL, 0, 0, 0 },
		[SOFT] = { "soft", 32, 3, KMDOM_FIELD_SOFT, 0, NULL, 0, 0, 0 },
		[KERNEL] = { "kernel", 35, 21, KMDOM_FIELD_KERNEL, 0, NULL, 0, 0, 0 },
	};
	struct good *g = unit_alloc(sizeof(*g));

	memcpy(g->fields, fields, sizeof(fields));
	g->type = (struct kmdom_type) {
		.name = "good", .size = 56, .policy = KMDOM_POLICY_SEALED,
		.nr_fields = NR_GOOD, .fields = g->fields,
	};
	return g;
}

#define NAME_31	"0123456789012345678901234567890"
#define NAME_63	NAME_31 " " NAME_31

static void test_accepts(struct kunit *test)
{
	struct kmdom_schema schema;
	struct good *g = good_new();
	struct unit_type random;
	unsigned int i;

	for (i = 0; i < UNIT_NR_TYPES; i++)
		EXPECT_EQ(kmdom_schema_init(&schema, &unit_types[i]), 0);
	for (i = 0; i < UNIT_RANDOM_CASES(2000); i++) {
		unit_random_type(&random);
		EXPECT_EQ(kmdom_schema_init(&schema, &random.type), 0);
	}

	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
	EXPECT(schema.type == &g->type);
	EXPECT_EQ(schema.slots, 4096 / 56);
	EXPECT_EQ(schema.wire_max, 2 + 12 + 8 + 4 + (2 + 4));

	g->type.name = NAME_31;
	g->fields[LEN].name = NAME_63;
	g->fields[REF].ref_type = NULL;
	g->fields[NUMBER].max = 0xffffffff;
	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
	unit_free(g);
}

static void expect_refused(const struct good *g, int error)
{
	struct kmdom_schema schema, before;

	memset(&schema, 0x5a, sizeof(schema));
	before = schema;
	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), error);
	EXPECT(!memcmp(&schema, &before, sizeof(schema)));
}

/* Changes one thing of a type that is right. */
#define CASE(error, change) {					\
	struct good *g = good_new();				\
								\
	change;							\
	expect_refused(g, error);				\
	unit_free(g);						\
	cases++;						\
}

static unsigned int refuse_types(void)
{
	unsigned int cases = 0, i;

	CASE(-EINVAL, g->type.name = NULL);
	CASE(-EINVAL, g->type.name = "");
	CASE(-EINVAL, g->type.name = NAME_31 "1");
	CASE(-EINVAL, g->type.name = "a\nb");
	CASE(-EINVAL, g->type.name = "a\x7f");
	CASE(-EINVAL, g->type.name = "\xc3\xa4");
	CASE(-EINVAL, g->type.size = 0);
	CASE(-EINVAL, g->type.size = 8; g->type.nr_fields = 1);
	CASE(-EINVAL, g->type.size = 60);
	CASE(-EINVAL, g->type.size = 4104);
	CASE(-EINVAL, g->type.size = 48);
	CASE(-EINVAL, g->type.policy = KMDOM_POLICY_CHECKED);
	CASE(-EINVAL, g->type.policy = KMDOM_POLICY_SIGNED);
	CASE(-EINVAL, g->type.policy = KMDOM_POLICY_SEALED + 1);
	CASE(-EINVAL, g->type.policy = 255);
	CASE(-EINVAL, g->type.fields = NULL);
	CASE(-EINVAL, {
		g->type.size = 4096;
		for (i = 0; i <= KMDOM_FIELDS_MAX; i++) {
			g->fields[i] = g->fields[SOFT];
			g->fields[i].offset = 8 * i;
		}
		g->type.nr_fields = KMDOM_FIELDS_MAX + 1;
	});
	/* 256 objects of 16 trimmed bytes each: 12 KiB of lengths alone */
	CASE(-EINVAL, {
		g->type.size = 16;
		g->type.nr_fields = 16;
		for (i = 0; i < 16; i++) {
			g->fields[i] = g->fields[SECRET];
			g->fields[i].name = "x";
			g->fields[i].offset = i;
			g->fields[i].size = 1;
		}
	});
	return cases;
}

static unsigned int refuse_places(void)
{
	unsigned int cases = 0;

	CASE(-EINVAL, g->fields[BYTES].name = NULL);
	CASE(-EINVAL, g->fields[BYTES].name = "");
	CASE(-EINVAL, g->fields[BYTES].name = NAME_63 "4");
	CASE(-EINVAL, g->fields[BYTES].name = "\t");
	CASE(-EINVAL, g->fields[BYTES].size = 0);
	CASE(-EINVAL, g->fields[BYTES].size = 13);
	CASE(-EINVAL, g->fields[BYTES].size = 0xffff);
	CASE(-EINVAL, g->fields[BYTES].offset = 1);
	CASE(-EINVAL, g->fields[BYTES].offset = 5);
	CASE(-EINVAL, g->fields[SOFT].offset = 0);
	CASE(-EINVAL, g->fields[KERNEL].size = 22);
	CASE(-EINVAL, g->fields[KERNEL].offset = 36);
	CASE(-EINVAL, g->fields[KERNEL].offset = 0xffff);
	return cases;
}

static unsigned int refuse_kinds(void)
{
	unsigned int cases = 0;

	CASE(-EINVAL, g->fields[SOFT].kind = KMDOM_FIELD_KERNEL + 1);
	CASE(-EINVAL, g->fields[SOFT].kind = 0xffff);
	CASE(-EINVAL, g->fields[NUMBER].size = 3);
	CASE(-EINVAL, g->fields[NUMBER].offset = 36; g->type.nr_fields = 4;
		      g->fields[NUMBER].size = 16);
	CASE(-EINVAL, g->fields[NUMBER].offset = 38; g->type.nr_fields = 4);
	CASE(-EINVAL, g->fields[NUMBER].min = 10);
	CASE(-EINVAL, g->fields[NUMBER].max = 0x100000000);
	CASE(-EINVAL, g->fields[LEN].max = 0x10000);
	CASE(-EINVAL, g->fields[NUMBER].len_field = 1);
	CASE(-EINVAL, g->fields[NUMBER].ref_type = "t");
	CASE(-EINVAL, g->fields[REF].size = 4);
	CASE(-EINVAL, g->fields[REF].offset = 44; g->type.nr_fields = 3);
	CASE(-EINVAL, g->fields[REF].ref_type = "");
	CASE(-EINVAL, g->fields[REF].ref_type = NAME_31 "1");
	CASE(-EINVAL, g->fields[REF].max = 1);
	CASE(-EINVAL, g->fields[REF].len_field = KMDOM_LEN_ALL);
	CASE(-EINVAL, g->fields[SOFT].min = 1);
	CASE(-EINVAL, g->fields[KERNEL].len_field = 1);
	CASE(-EINVAL, g->fields[KERNEL].ref_type = "t");
	CASE(-EINVAL, g->fields[NUMBER].kind = KMDOM_FIELD_FLAGS);
	CASE(-EINVAL, g->fields[NUMBER].flags = KMDOM_FIELDF_AUTHORITY << 1);
	return cases;
}

static unsigned int refuse_lengths(void)
{
	unsigned int cases = 0;

	CASE(-EINVAL, g->fields[BYTES].len_field = BYTES);
	CASE(-EINVAL, g->fields[BYTES].len_field = NUMBER);
	CASE(-EINVAL, g->fields[BYTES].len_field = NR_GOOD);
	CASE(-EINVAL, g->fields[BYTES].len_field = KMDOM_LEN_TRIM - 1);
	CASE(-EINVAL, g->fields[SECRET].len_field = REF);
	CASE(-EINVAL, g->fields[SECRET].len_field = BYTES);
	CASE(-EINVAL, g->fields[BYTES].min = 1; g->fields[BYTES].max = 2);
	CASE(-EINVAL, g->fields[SECRET].ref_type = "t");
	return cases;
}

/* A secret is what no pager may read, authority what none may edit. */
static void test_policies(struct kunit *test)
{
	/* by policy: with the secret field, with one that grants authority */
	static const int wanted[][2] = {
		[KMDOM_POLICY_DISCARD] = { 0, 0 },
		[KMDOM_POLICY_CHECKED] = { -EINVAL, -EINVAL },
		[KMDOM_POLICY_SIGNED] = { -EINVAL, 0 },
		[KMDOM_POLICY_SEALED] = { 0, 0 },
	};
	/* what may grant: fields, as these */
	static const struct {
		unsigned int nr;
		u16 kind;
	} granting[] = {
		{ BYTES, KMDOM_FIELD_BYTES }, { REF, KMDOM_FIELD_REF },
		{ NUMBER, KMDOM_FIELD_INT }, { NUMBER, KMDOM_FIELD_FLAGS },
	};
	struct kmdom_schema schema;
	unsigned int policy, i, cases = 0;

	for (policy = 0; policy < ARRAY_SIZE(wanted); policy++) {
		struct good *g = good_new();

		g->type.policy = policy;
		EXPECT_EQ(kmdom_schema_init(&schema, &g->type), wanted[policy][0]);
		g->fields[SECRET].kind = KMDOM_FIELD_BYTES;
		EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
		cases += 2;
		for (i = 0; i < ARRAY_SIZE(granting); i++, cases++) {
			struct kmdom_field *field = &g->fields[granting[i].nr];

			field->kind = granting[i].kind;
			if (field->kind == KMDOM_FIELD_FLAGS)
				field->min = 0;
			EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
			field->flags = KMDOM_FIELDF_AUTHORITY;
			EXPECT_EQ(kmdom_schema_init(&schema, &g->type), wanted[policy][1]);
			field->flags = 0;
		}
		unit_free(g);
	}
	EXPECT_CASES(cases, 4 * (2 + ARRAY_SIZE(granting)));
}

static void test_refuses(struct kunit *test)
{
	struct kmdom_schema schema;

	EXPECT_EQ(kmdom_schema_init(&schema, NULL), -EINVAL);
	EXPECT_CASES(refuse_types(), 18);
	EXPECT_CASES(refuse_places(), 13);
	EXPECT_CASES(refuse_kinds(), 21);
	EXPECT_CASES(refuse_lengths(), 8);
}

static u64 hash_of(const struct good *g)
{
	struct kmdom_schema schema = {};

	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
	return schema.hash;
}

#define DIFFERS(change) {			\
	struct good *g = good_new();		\
						\
	change;					\
	hashes[nr++] = hash_of(g);		\
	unit_free(g);				\
}

/* Types that differ in one thing have hashes of their own. */
static void test_hash(struct kunit *test)
{
	u64 hashes[32];
	unsigned int nr = 0, i, j;
	struct good *same = good_new();

	DIFFERS();
	DIFFERS(g->type.name = "goof");
	DIFFERS(g->type.size = 64);
	DIFFERS(g->type.policy = KMDOM_POLICY_SIGNED;
		g->fields[SECRET].kind = KMDOM_FIELD_BYTES);
	DIFFERS(g->fields[SECRET].kind = KMDOM_FIELD_BYTES);
	DIFFERS(g->type.nr_fields--);
	DIFFERS(g->fields[LEN].name = "length");
	DIFFERS(g->fields[LEN].name = "l"; g->fields[BYTES].name = "enbytes");
	DIFFERS(g->fields[KERNEL].offset++; g->fields[KERNEL].size--);
	DIFFERS(g->fields[KERNEL].size--);
	DIFFERS(g->fields[KERNEL].kind = KMDOM_FIELD_SOFT);
	DIFFERS(g->fields[BYTES].len_field = KMDOM_LEN_ALL);
	DIFFERS(g->fields[BYTES].len_field = KMDOM_LEN_TRIM);
	DIFFERS(g->fields[REF].ref_type = "u");
	DIFFERS(g->fields[REF].ref_type = NULL);
	DIFFERS(g->fields[NUMBER].min = 2);
	DIFFERS(g->fields[NUMBER].max = 10);
	DIFFERS(g->fields[NUMBER].flags = KMDOM_FIELDF_AUTHORITY);
	EXPECT_EQ(nr, 18);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < i; j++)
			EXPECT(hashes[i] != hashes[j]);
	}

	/* Where the type lies, and its functions, are no part of it. */
	same->type.owner = (void *)same;
	same->type.restore = unit_free;
	EXPECT(hash_of(same) == hashes[0]);
	unit_free(same);
}

static struct kunit_case schema_cases[] = {
	KUNIT_CASE(test_accepts),
	KUNIT_CASE(test_refuses),
	KUNIT_CASE(test_policies),
	KUNIT_CASE(test_hash),
	{}
};

struct kunit_suite schema_suite = {
	.name = "kmdom_schema",
	.test_cases = schema_cases,
};
