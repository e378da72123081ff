// SPDX-License-Identifier: GPL-2.0
/*
 * types.c - types for the tests, and pages of random objects of them
 */
#include "unit.h"

struct small {
	u8 mode;
	u8 any;
	u16 count;
	u32 flags;
	kmdom_ref next;
};

static const struct kmdom_field small_fields[] = {
	KMDOM_F_INT(struct small, mode, 1, 7),
	KMDOM_F_INT(struct small, any, 0, 0),
	KMDOM_F_INT(struct small, count, 0, 0xfffe),
	KMDOM_F_INT(struct small, flags, 0, 0),
	KMDOM_F_REF(struct small, next, "small"),
};

struct named {
	u16 len;
	u8 pad[6];
	kmdom_ref inode;
	u8 name[112];
};

static const struct kmdom_field named_fields[] = {
	KMDOM_F_INT(struct named, len, 0, 112),
	KMDOM_F_REF(struct named, inode, NULL),
	KMDOM_F_BYTES(struct named, name, 0),
};

struct data {
	u8 bytes[4096];
};

static const struct kmdom_field data_fields[] = {
	KMDOM_F_BYTES(struct data, bytes, KMDOM_LEN_TRIM),
};

/* Every kind, with holes between. */
struct mixed {
	u64 lock;
	u64 size;
	u32 key_len;
	u32 sum;
	u8 key[40];
	u8 hole[8];
	u8 digest[20];
	u8 tail[12];
	u16 link;
	u8 end[22];
};

static const struct kmdom_field mixed_fields[] = {
	KMDOM_F_INT(struct mixed, key_len, 0, 0),
	KMDOM_F_KERNEL(struct mixed, lock),
	KMDOM_F_INT(struct mixed, size, 10, 1ULL << 62),
	KMDOM_F_SOFT(struct mixed, sum),
	KMDOM_F_SECRET(struct mixed, key, 0),
	KMDOM_F_BYTES(struct mixed, digest, KMDOM_LEN_ALL),
	KMDOM_F_SECRET(struct mixed, tail, KMDOM_LEN_TRIM),
	KMDOM_F_INT(struct mixed, link, 2, 2),
};

/* The soft field: of what came back only. */
static u32 mixed_sum(const struct mixed *obj)
{
	return obj->size * 31 + obj->key_len + obj->digest[0];
}

static void mixed_restore(void *obj)
{
	struct mixed *m = obj;

	m->sum = mixed_sum(m);
}

static const struct kmdom_field silent_fields[] = {
	{ .name = "state", .size = 24, .kind = KMDOM_FIELD_KERNEL },
};

static const struct kmdom_field trims_fields[] = {
	{ .name = "a", .offset = 3, .size = 13, .kind = KMDOM_FIELD_BYTES,
	  .len_field = KMDOM_LEN_TRIM },
	{ .name = "b", .offset = 16, .size = 1, .kind = KMDOM_FIELD_BYTES,
	  .len_field = KMDOM_LEN_TRIM },
};

/* What a pager may edit: a number of words, the first of which is the least. */
struct edited {
	u32 flags;
	u32 nr;
	u32 word[6];
};

static const struct kmdom_field edited_fields[] = {
	KMDOM_F_FLAGS(struct edited, flags, 0x80000003),
	KMDOM_F_INT(struct edited, nr, 0, 24),
	KMDOM_F_BYTES(struct edited, word, 1),
};

static bool edited_check(const void *obj)
{
	const struct edited *e = obj;

	return !(e->nr % sizeof(e->word[0])) &&
	       (e->nr < 2 * sizeof(e->word[0]) || e->word[0] <= e->word[1]);
}

const struct kmdom_type unit_types[UNIT_NR_TYPES] = {
	{ .name = "small", .size = sizeof(struct small),
	  .policy = KMDOM_POLICY_SIGNED,
	  .nr_fields = ARRAY_SIZE(small_fields), .fields = small_fields },
	{ .name = "named", .size = sizeof(struct named),
	  .policy = KMDOM_POLICY_SEALED,
	  .nr_fields = ARRAY_SIZE(named_fields), .fields = named_fields },
	{ .name = "data", .size = sizeof(struct data),
	  .policy = KMDOM_POLICY_SEALED,
	  .nr_fields = ARRAY_SIZE(data_fields), .fields = data_fields },
	{ .name = "mixed", .size = sizeof(struct mixed),
	  .policy = KMDOM_POLICY_SEALED, .restore = mixed_restore,
	  .nr_fields = ARRAY_SIZE(mixed_fields), .fields = mixed_fields },
	{ .name = "silent", .size = 24, .policy = KMDOM_POLICY_SIGNED,
	  .nr_fields = ARRAY_SIZE(silent_fields), .fields = silent_fields },
	{ .name = "trims", .size = 40, .policy = KMDOM_POLICY_SIGNED,
	  .nr_fields = ARRAY_SIZE(trims_fields), .fields = trims_fields },
	{ .name = "nothing", .size = 4096, .policy = KMDOM_POLICY_SIGNED },
	{ .name = "edited", .size = sizeof(struct edited),
	  .policy = KMDOM_POLICY_CHECKED, .check = edited_check,
	  .nr_fields = ARRAY_SIZE(edited_fields), .fields = edited_fields },
};

/* An integer that is a length has no other range, so that both can be met. */
static u16 random_length(struct unit_type *t, unsigned int nr)
{
	unsigned int i = nr ? unit_random_below(nr) : 0;

	if (nr && t->fields[i].kind == KMDOM_FIELD_INT) {
		t->fields[i].min = 0;
		t->fields[i].max = 0;
		return i;
	}
	return unit_random() & 1 ? KMDOM_LEN_ALL : KMDOM_LEN_TRIM;
}

static void random_range(struct kmdom_field *field)
{
	u64 most = ~0ULL >> (64 - 8 * field->size);

	field->min = unit_random() & most;
	field->max = unit_random() & most;
	if (field->min > field->max || unit_random_below(4) == 0)
		field->min = 0;
}

static void random_field(struct unit_type *t, unsigned int nr,
			 unsigned int room)
{
	struct kmdom_field *field = &t->fields[nr];

	field->kind = unit_random_below(KMDOM_FIELD_KERNEL + 1);
	switch (field->kind) {
	case KMDOM_FIELD_INT:
		field->size = 1 << unit_random_below(4);
		random_range(field);
		break;
	case KMDOM_FIELD_REF:
		field->size = 8;
		break;
	case KMDOM_FIELD_FLAGS:
		field->size = 1 << unit_random_below(4);
		field->max = unit_random() & ~0ULL >> (64 - 8 * field->size);
		break;
	case KMDOM_FIELD_BYTES:
	case KMDOM_FIELD_SECRET:
		field->len_field = random_length(t, nr);
		fallthrough;
	default:
		field->size = 1 + unit_random_below(room);
		break;
	}
}

/* Many small trimmed fields can take more than a record has room for. */
static bool too_long(const struct kmdom_type *type)
{
	unsigned int i, wire = 0;

	for (i = 0; i < type->nr_fields; i++)
		wire += type->fields[i].size + 2;
	return wire * (KMDOM_FRAME_SIZE / type->size) + KMDOM_RECORD_MIN >
	       KMDOM_RECORD_MAX;
}

/* Fields from the front to the back, with holes, as many as have room. */
static void draw_type(struct unit_type *t)
{
	unsigned int pos = 0, size, nr;

	memset(t, 0, sizeof(*t));
	size = 8 * (2 + unit_random_below(unit_random() & 1 ? 30 : 400));
	for (nr = 0; nr < ARRAY_SIZE(t->fields); nr++) {
		struct kmdom_field *field = &t->fields[nr];
		bool aligned;

		pos += unit_random_below(10);
		if (pos + 16 > size)
			break;
		random_field(t, nr, size - pos - 15);
		aligned = field->kind == KMDOM_FIELD_INT ||
			  field->kind == KMDOM_FIELD_FLAGS ||
			  field->kind == KMDOM_FIELD_REF;
		if (aligned)
			pos = (pos + field->size - 1) & -field->size;
		field->name = "f";
		field->offset = pos;
		pos += field->size;
	}
	t->type = (struct kmdom_type) {
		.name = "random", .size = size, .policy = KMDOM_POLICY_SEALED,
		.nr_fields = nr, .fields = t->fields,
	};
}

void unit_random_type(struct unit_type *t)
{
	do {
		draw_type(t);
	} while (too_long(&t->type));
}
