// SPDX-License-Identifier: GPL-2.0
/*
 * schema.c - target: kmdom_schema_init() on any table of fields
 *
 * An input is a type of 6 bytes (name, size, policy, number of fields, with or
 * without a table), then 16 bytes a field, then a map and a payload. The oracle
 * says of what is wrong which came first. A type that is accepted encodes pages of
 * random objects that come back, and decodes the payload as the oracle does.
 */
#include <stdlib.h>
#include "fuzz.h"

#define TYPE_BYTES	6
#define FIELD_BYTES	16
#define FIELDS		(KMDOM_FIELDS_MAX + 2)

enum {
	ACCEPTED, TYPE_NAME, SIZE, POLICY, NR_FIELDS, TABLE, FIELD_NAME, PLACE, OVERLAP,
	UNUSED, KIND, INTEGER, BITS, REF, SECRET, LENGTH, FLAG, AUTHORITY, WIRE,
};

static const char *const reasons[] = {
	"ACCEPTED", "TYPENAME", "SIZE", "POLICY", "FIELDS", "TABLE", "NAME", "PLACE",
	"OVERLAP", "UNUSED", "KIND", "INTEGER", "BITS", "REF", "SECRET", "LENGTH", "FLAG",
	"AUTHORIT", "WIRE",
};

#define NAME_31	"0123456789012345678901234567890"
#define NAME_63	NAME_31 " " NAME_31

/* Good as names of fields (63), of types too (31), or of nothing. */
static const char *const names[] = {
	"a", NAME_31, NAME_31 "1", NAME_63, NAME_63 "1", "", "a\n", "\x7f", NULL,
};

static bool name_good(const char *name, size_t max)
{
	const char *c = name;

	if (!name || !*name)
		return false;
	while (*c >= ' ' && *c <= '~')
		c++;
	return !*c && (size_t)(c - name) <= max;
}

static bool is_bytes(const struct kmdom_field *field)
{
	return field->kind == KMDOM_FIELD_BYTES || field->kind == KMDOM_FIELD_SECRET;
}

static unsigned int judge_place(const struct kmdom_type *type,
				const struct kmdom_field *field, bool *taken)
{
	unsigned int i;

	if (!field->size || field->offset + field->size > type->size)
		return PLACE;
	for (i = 0; i < field->size; i++) {
		if (taken[field->offset + i])
			return OVERLAP;
		taken[field->offset + i] = true;
	}
	return ACCEPTED;
}

static unsigned int judge_unused(const struct kmdom_field *field)
{
	bool number = field->kind == KMDOM_FIELD_INT || field->kind == KMDOM_FIELD_FLAGS;

	if ((!number && (field->min || field->max)) ||
	    (field->kind != KMDOM_FIELD_REF && field->ref_type) ||
	    (!is_bytes(field) && field->len_field))
		return UNUSED;
	return ACCEPTED;
}

static unsigned int judge_int(const struct kmdom_field *field)
{
	u64 most = 0;
	unsigned int i;

	for (i = 0; i < field->size && i < 8; i++)
		most = most << 8 | 0xff;
	if ((field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8) ||
	    field->offset % field->size || field->max > most || field->min > field->max)
		return INTEGER;
	return field->kind == KMDOM_FIELD_FLAGS && field->min ? BITS : ACCEPTED;
}

static unsigned int judge_length(const struct kmdom_type *type, unsigned int nr)
{
	unsigned int len = type->fields[nr].len_field;

	if (len == KMDOM_LEN_ALL || len == KMDOM_LEN_TRIM)
		return ACCEPTED;
	return len >= nr || type->fields[len].kind != KMDOM_FIELD_INT ? LENGTH : ACCEPTED;
}

static unsigned int judge_kind(const struct kmdom_type *type, unsigned int nr)
{
	const struct kmdom_field *field = &type->fields[nr];

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_FLAGS:
		return judge_int(field);
	case KMDOM_FIELD_REF:
		return field->size != 8 || field->offset & 7 ||
		       (field->ref_type && !name_good(field->ref_type, 31)) ? REF : ACCEPTED;
	case KMDOM_FIELD_SECRET:
		if (type->policy != KMDOM_POLICY_SEALED && type->policy != KMDOM_POLICY_DISCARD)
			return SECRET;
		return judge_length(type, nr);
	case KMDOM_FIELD_BYTES:
		return judge_length(type, nr);
	case KMDOM_FIELD_SOFT:
	case KMDOM_FIELD_KERNEL:
		return ACCEPTED;
	default:
		return KIND;
	}
}

static unsigned int judge_field(const struct kmdom_type *type, unsigned int nr, bool *taken)
{
	const struct kmdom_field *field = &type->fields[nr];
	unsigned int why;

	if (!name_good(field->name, 63))
		return FIELD_NAME;
	why = judge_place(type, field, taken) ?: judge_unused(field) ?: judge_kind(type, nr);
	if (why)
		return why;
	if (field->flags & ~KMDOM_FIELDF_AUTHORITY)
		return FLAG;
	return field->flags && type->policy == KMDOM_POLICY_CHECKED ? AUTHORITY : ACCEPTED;
}

/* Most bytes that the records of its pages can take. */
static size_t longest_record(const struct kmdom_type *type)
{
	size_t object = 0;
	unsigned int i;

	for (i = 0; i < type->nr_fields; i++) {
		const struct kmdom_field *field = &type->fields[i];

		if (field->kind == KMDOM_FIELD_SOFT || field->kind == KMDOM_FIELD_KERNEL)
			continue;
		object += field->size;
		if (is_bytes(field) && field->len_field == KMDOM_LEN_TRIM)
			object += 2;
	}
	return 96 + 16 + object * (4096 / type->size);
}

static unsigned int oracle(const struct kmdom_type *type)
{
	bool taken[4096] = {};
	unsigned int i, why;

	if (!name_good(type->name, 31))
		return TYPE_NAME;
	if (type->size < 16 || type->size > 4096 || type->size & 7)
		return SIZE;
	if (type->policy > 3)
		return POLICY;
	if (type->nr_fields > 64)
		return NR_FIELDS;
	if (type->nr_fields && !type->fields)
		return TABLE;
	for (i = 0; i < type->nr_fields; i++) {
		why = judge_field(type, i, taken);
		if (why)
			return why;
	}
	return longest_record(type) > 5632 ? WIRE : ACCEPTED;
}

/* The objects are random: an oracle tells whether all of them may leave. */
static void round_trip(const struct kmdom_type *type)
{
	struct unit_page *p = unit_alloc(sizeof(*p));
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE), *wanted = unit_alloc(KMDOM_FRAME_SIZE);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	unsigned int slot;
	bool good = true;

	unit_page_make(p, type);
	for_each_set_bit(slot, p->live, p->schema.slots)
		good &= oracle_object(type, p->page + slot * type->size);
	if (!good) {
		EXPECT_EQ(p->len, -EINVAL);
	} else {
		EXPECT(p->len >= (int)KMDOM_RECORD_MIN);
		EXPECT_EQ(kmdom_record_check(&p->schema, &p->id, p->rec, p->len), 0);
		EXPECT_EQ(kmdom_record_decode(&p->schema, p->rec, p->len, page, live), 0);
		unit_page_expected(p, wanted);
		EXPECT(!memcmp(page, wanted, KMDOM_FRAME_SIZE));
		EXPECT(!memcmp(live, p->live, sizeof(live)));
	}
	unit_page_free(p);
	unit_free(p);
	unit_free(page);
	unit_free(wanted);
}

static const char *name_of(u8 byte)
{
	return names[byte % ARRAY_SIZE(names)];
}

/* Half of a limit's bits say how far the other half is shifted. */
static u64 limit_of(const u8 *bytes)
{
	u64 value = bytes[0] | bytes[1] << 8;

	return value << (bytes[2] & 48);
}

static void read_field(struct kmdom_field *field, const u8 *data)
{
	*field = (struct kmdom_field) {
		.name = name_of(data[0]),
		.offset = data[1] | data[2] << 8,
		.size = data[3] | data[4] << 8,
		.kind = data[5] | (data[6] & 0x80) << 8,
		.len_field = data[7] == 0xff ? KMDOM_LEN_ALL :
			     data[7] == 0xfe ? KMDOM_LEN_TRIM : data[7],
		.ref_type = data[8] ? name_of(data[8]) : NULL,
		.flags = data[9],
		.min = limit_of(data + 10),
		.max = limit_of(data + 13),
	};
}

static unsigned int run_type(const struct kmdom_type *type, const u8 *data, size_t len)
{
	struct kmdom_schema schema, before;
	struct kmdom_record_id id = {};
	unsigned int why = oracle(type);
	u8 *rec;

	memset(&schema, 0x5a, sizeof(schema));
	before = schema;
	EXPECT_EQ(kmdom_schema_init(&schema, type), why ? -EINVAL : 0);
	if (why) {
		EXPECT(!memcmp(&schema, &before, sizeof(schema)));
		return why;
	}
	EXPECT_EQ(schema.slots, 4096 / type->size);
	EXPECT_EQ(schema.slots * schema.wire_max + KMDOM_RECORD_MIN, longest_record(type));
	round_trip(type);
	rec = unit_alloc(offsetof(struct kmdom_record, map) + len);
	memcpy(rec + offsetof(struct kmdom_record, map), data, len);
	fuzz_decode(&schema, &id, rec, offsetof(struct kmdom_record, map) + len);
	unit_free(rec);
	return ACCEPTED;
}

static unsigned int run(const u8 *data, size_t len)
{
	u8 head[TYPE_BYTES] = {};
	struct kmdom_field *fields;
	struct kmdom_type type;
	unsigned int nr = 0, why;

	memcpy(head, data, len < sizeof(head) ? len : sizeof(head));
	data += len < sizeof(head) ? len : sizeof(head);
	len -= len < sizeof(head) ? len : sizeof(head);
	type = (struct kmdom_type) {
		.name = name_of(head[0]), .size = head[1] | head[2] << 8, .policy = head[3],
		.nr_fields = head[4] % (FIELDS + 1),
	};
	/* Of the right size, so that a step too far is seen. */
	fields = unit_alloc(type.nr_fields * sizeof(*fields) + !type.nr_fields);
	for (; nr < type.nr_fields && len >= FIELD_BYTES; nr++) {
		read_field(&fields[nr], data);
		data += FIELD_BYTES;
		len -= FIELD_BYTES;
	}
	type.fields = head[5] & 1 ? NULL : fields;
	unit_seed(head[5]);
	why = run_type(&type, data, len);
	free(fields);
	return why;
}

/* A good type: a length, a number, flags, a ref, bytes, a secret, and what stays. */
#define GOOD_FIELDS	7
#define GOOD_BYTES	(TYPE_BYTES + GOOD_FIELDS * FIELD_BYTES)

static const u8 good[GOOD_BYTES + 32 + KMDOM_TAG_SIZE] = {
	0, 64, 0, KMDOM_POLICY_SEALED, GOOD_FIELDS, 0,
	0, 0, 0, 2, 0, KMDOM_FIELD_INT, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0,
	0, 4, 0, 4, 0, KMDOM_FIELD_INT, 0, 0, 0, 1, 1, 0, 0, 9, 0, 0,
	0, 8, 0, 2, 0, KMDOM_FIELD_FLAGS, 0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0,
	0, 16, 0, 8, 0, KMDOM_FIELD_REF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	0, 24, 0, 9, 0, KMDOM_FIELD_BYTES, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 33, 0, 7, 0, KMDOM_FIELD_SECRET, 0, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 40, 0, 8, 0, KMDOM_FIELD_KERNEL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

/* The good type with one byte of the head, or of a field, changed. */
static void seed(unsigned int why, unsigned int at, u8 byte)
{
	u8 data[sizeof(good)];

	memcpy(data, good, sizeof(good));
	data[at] = byte;
	fuzz_seed(why, data, sizeof(data));
}

static void seed_field(unsigned int why, unsigned int nr, unsigned int at, u8 byte)
{
	seed(why, TYPE_BYTES + nr * FIELD_BYTES + at, byte);
}

/* With bytes for the secret, which a CHECKED type cannot have. */
static void seed_authority(void)
{
	u8 data[sizeof(good)];

	memcpy(data, good, sizeof(good));
	data[3] = KMDOM_POLICY_CHECKED;
	data[TYPE_BYTES + 5 * FIELD_BYTES + 5] = KMDOM_FIELD_BYTES;
	fuzz_seed(AUTHORITY, data, sizeof(data));
}

/* 256 objects of 16 bytes, each of them with a length of its own. */
static void seed_wire(void)
{
	u8 data[TYPE_BYTES + 16 * FIELD_BYTES] = { 0, 16, 0, KMDOM_POLICY_SEALED, 16, 0 };
	unsigned int i;

	for (i = 0; i < 16; i++) {
		u8 *field = data + TYPE_BYTES + i * FIELD_BYTES;

		field[1] = i;
		field[3] = 1;
		field[5] = KMDOM_FIELD_BYTES;
		field[7] = 0xfe;
	}
	fuzz_seed(WIRE, data, sizeof(data));
}

static void seeds(void)
{
	fuzz_seed(ACCEPTED, good, sizeof(good));
	seed(TYPE_NAME, 0, 2);
	seed(TYPE_NAME, 0, 8);
	seed(SIZE, 1, 8);
	seed(SIZE, 1, 60);
	seed(SIZE, 2, 17);
	seed(POLICY, 3, KMDOM_POLICY_SEALED + 1);
	seed(NR_FIELDS, 4, KMDOM_FIELDS_MAX + 1);
	seed(TABLE, 5, 1);
	seed_field(FIELD_NAME, 1, 0, 4);
	seed_field(PLACE, 6, 1, 60);
	seed_field(PLACE, 6, 3, 0);
	seed_field(OVERLAP, 6, 1, 39);
	seed_field(UNUSED, 4, 10, 1);
	seed_field(UNUSED, 4, 8, 1);
	seed_field(UNUSED, 6, 7, 1);
	seed_field(KIND, 6, 5, KMDOM_FIELD_KERNEL + 1);
	seed_field(INTEGER, 1, 3, 3);
	seed_field(INTEGER, 1, 1, 2);
	seed_field(INTEGER, 1, 10, 10);
	seed_field(INTEGER, 1, 15, 48);
	seed_field(BITS, 2, 10, 1);
	seed_field(REF, 3, 3, 4);
	seed_field(REF, 3, 8, 2);
	seed(SECRET, 3, KMDOM_POLICY_SIGNED);
	seed_field(LENGTH, 4, 7, 2);
	seed_field(LENGTH, 4, 7, 4);
	seed_field(FLAG, 1, 9, 2);
	seed_field(ACCEPTED, 5, 5, KMDOM_FIELD_BYTES);
	seed_authority();
	seed_wire();
}

const struct fuzz_target fuzz_target = {
	.reasons = reasons, .nr_reasons = ARRAY_SIZE(reasons), .run = run, .seeds = seeds,
};
