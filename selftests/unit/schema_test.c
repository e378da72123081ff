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

static void good_init(struct good *g)
{
	static const struct kmdom_field fields[NR_GOOD] = {
		[LEN] = { "len", 0, 2, KMDOM_FIELD_INT, 0, NULL, 0, 12 },
		[BYTES] = { "bytes", 4, 12, KMDOM_FIELD_BYTES, LEN, NULL, 0, 0 },
		[REF] = { "ref", 16, 8, KMDOM_FIELD_REF, 0, "t", 0, 0 },
		[NUMBER] = { "number", 24, 4, KMDOM_FIELD_INT, 0, NULL, 1, 9 },
		[SECRET] = { "secret", 28, 4, KMDOM_FIELD_SECRET,
			     KMDOM_LEN_TRIM, NULL, 0, 0 },
		[SOFT] = { "soft", 32, 3, KMDOM_FIELD_SOFT, 0, NULL, 0, 0 },
		[KERNEL] = { "kernel", 35, 21, KMDOM_FIELD_KERNEL, 0, NULL, 0, 0 },
	};

	memset(g, 0, sizeof(*g));
	memcpy(g->fields, fields, sizeof(fields));
	g->type = (struct kmdom_type) {
		.name = "good", .size = 56, .policy = KMDOM_POLICY_SEALED,
		.nr_fields = NR_GOOD, .fields = g->fields,
	};
}

#define NAME_31	"0123456789012345678901234567890"
#define NAME_63	NAME_31 " " NAME_31

void test_schema_accepts(void)
{
	struct kmdom_schema schema;
	struct unit_type random;
	struct good g;
	unsigned int i;

	for (i = 0; i < UNIT_NR_TYPES; i++)
		EXPECT_EQ(kmdom_schema_init(&schema, &unit_types[i]), 0);
	for (i = 0; i < 2000; i++) {
		unit_random_type(&random);
		EXPECT_EQ(kmdom_schema_init(&schema, &random.type), 0);
	}

	good_init(&g);
	EXPECT_EQ(kmdom_schema_init(&schema, &g.type), 0);
	EXPECT(schema.type == &g.type);
	EXPECT_EQ(schema.slots, 4096 / 56);
	EXPECT_EQ(schema.wire_max, 2 + 12 + 8 + 4 + (2 + 4));

	g.type.name = NAME_31;
	g.fields[LEN].name = NAME_63;
	g.fields[REF].ref_type = NULL;
	g.fields[NUMBER].max = 0xffffffff;
	EXPECT_EQ(kmdom_schema_init(&schema, &g.type), 0);
}

/* Changes one thing of a type that is right. */
#define CASE(error, change) {					\
	struct good g_, *g = &g_;				\
	struct kmdom_schema schema, before;			\
								\
	good_init(g);						\
	change;							\
	memset(&schema, 0x5a, sizeof(schema));			\
	before = schema;					\
	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), error);	\
	EXPECT(!memcmp(&schema, &before, sizeof(schema)));	\
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
	CASE(-EOPNOTSUPP, g->type.policy = KMDOM_POLICY_DISCARD);
	CASE(-EOPNOTSUPP, g->type.policy = KMDOM_POLICY_CHECKED);
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

void test_schema_refuses(void)
{
	struct kmdom_schema schema;

	EXPECT_EQ(kmdom_schema_init(&schema, NULL), -EINVAL);
	EXPECT_EQ(refuse_types(), 19);
	EXPECT_EQ(refuse_places(), 13);
	EXPECT_EQ(refuse_kinds(), 19);
	EXPECT_EQ(refuse_lengths(), 8);
}

static u64 hash_of(const struct good *g)
{
	struct kmdom_schema schema = {};

	EXPECT_EQ(kmdom_schema_init(&schema, &g->type), 0);
	return schema.hash;
}

#define DIFFERS(change) {			\
	struct good g_, *g = &g_;		\
						\
	good_init(g);				\
	change;					\
	hashes[nr++] = hash_of(g);		\
}

/* Types that differ in one thing have hashes of their own. */
void test_schema_hash(void)
{
	u64 hashes[32];
	unsigned int nr = 0, i, j;
	struct good same;

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
	EXPECT_EQ(nr, 17);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < i; j++)
			EXPECT(hashes[i] != hashes[j]);
	}

	/* Where the type lies, and its functions, are no part of it. */
	good_init(&same);
	same.type.owner = (void *)&same;
	same.type.restore = free;
	EXPECT(hash_of(&same) == hashes[0]);
}
