// SPDX-License-Identifier: GPL-2.0
/*
 * Showing a record: for people, and as JSON.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <linux/unaligned.h>
#include <core/entry.h>
#include "inspect.h"
#include "json.h"
#include "kmdomctl.h"
#include "words.h"

#define SHOWN_BYTES	32	/* of a field of bytes, to people */

static const struct kmdom_record *header(const struct inspection *insp)
{
	return (const void *)insp->buf;
}

/* Is it a record at all, so that its header says something? */
static bool has_header(const struct inspection *insp)
{
	return insp->why != KMDOM_REJECT_LENGTH && insp->why != KMDOM_REJECT_MAGIC &&
	       insp->why != KMDOM_REJECT_FORMAT;
}

static bool is_live(const struct kmdom_record *rec, unsigned int slot)
{
	return rec->map[slot / 8] >> (slot % 8) & 1;
}

/* ---- fields of objects ---- */

static uint64_t field_int(const struct kmdom_field *field, const void *obj)
{
	const void *pos = (const u8 *)obj + field->offset;

	switch (field->size) {
	case 1:
		return *(const uint8_t *)pos;
	case 2:
		return *(const uint16_t *)pos;
	case 4:
		return *(const uint32_t *)pos;
	default:
		return *(const uint64_t *)pos;
	}
}

/* How many bytes have left. */
static size_t field_len(const struct kmdom_type *type, const struct kmdom_field *field,
			const u8 *obj)
{
	size_t len = field->size;

	if (field->len_field == KMDOM_LEN_ALL)
		return len;
	if (field->len_field != KMDOM_LEN_TRIM)
		return field_int(&type->fields[field->len_field], obj);
	while (len && !obj[field->offset + len - 1])
		len--;
	return len;
}

static void hex_text(const u8 *bytes, size_t len, char *text)
{
	*text = '\0';
	while (len--)
		text += sprintf(text, "%02x", *bytes++);
}

static void field_json(const struct kmdom_type *type, const struct kmdom_field *field,
		       const u8 *obj)
{
	char hex[2 * KMDOM_FRAME_SIZE + 1];

	switch (field->kind) {
	case KMDOM_FIELD_INT:
	case KMDOM_FIELD_FLAGS:
	case KMDOM_FIELD_REF:
		json_number(field->name, field_int(field, obj));
		break;
	case KMDOM_FIELD_BYTES:
		hex_text(obj + field->offset, field_len(type, field, obj), hex);
		json_string(field->name, hex);
		break;
	}
}

static void print_ref(kmdom_ref ref)
{
	if (ref)
		printf("page %llu, slot %u\n", (unsigned long long)kmdom_ref_index(ref),
		       kmdom_ref_slot(ref));
	else
		puts("none");
}

static void print_bytes(const u8 *bytes, size_t len)
{
	size_t shown = len < SHOWN_BYTES ? len : SHOWN_BYTES, i;
	char hex[2 * SHOWN_BYTES + 1];

	hex_text(bytes, shown, hex);
	printf("%zu bytes %s%s \"", len, hex, shown < len ? "..." : "");
	for (i = 0; i < shown; i++)
		putchar(isprint(bytes[i]) ? bytes[i] : '.');
	puts("\"");
}

static void field_print(const struct kmdom_type *type, const struct kmdom_field *field,
			const u8 *obj)
{
	printf("    %-16s ", field->name);
	switch (field->kind) {
	case KMDOM_FIELD_INT:
		printf("%" PRIu64 "\n", field_int(field, obj));
		break;
	case KMDOM_FIELD_FLAGS:
		printf("%#" PRIx64 "\n", field_int(field, obj));
		break;
	case KMDOM_FIELD_REF:
		print_ref(field_int(field, obj));
		break;
	case KMDOM_FIELD_BYTES:
		print_bytes(obj + field->offset, field_len(type, field, obj));
		break;
	default:
		printf("(%s: does not leave the kernel)\n", kind_word(field->kind));
		break;
	}
}

/* ---- entries of tables ---- */

static const char *state_word(uint64_t entry)
{
	switch (kmdom_entry_state(entry)) {
	case KMDOM_PAGE_ABSENT:
		return "absent";
	case KMDOM_PAGE_LOST:
		return "lost";
	default:
		return "empty";
	}
}

/* The page of the level below that an entry is of. */
static uint64_t entry_page(const struct inspection *insp, unsigned int nr)
{
	return le64_to_cpu(header(insp)->index) * KMDOM_TABLE_ENTRIES + nr;
}

static void entry_json(const struct inspection *insp, unsigned int nr)
{
	uint64_t entry = ((const u64 *)insp->page)[nr];

	json_begin(NULL, '{');
	json_number("index", entry_page(insp, nr));
	json_string("state", state_word(entry));
	if (kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT)
		json_number("version", kmdom_entry_value(entry));
	if (header(insp)->level == 1)
		json_number("cache", kmdom_entry_cache(entry));
	json_end('}');
}

static void entry_print(const struct inspection *insp, unsigned int nr)
{
	uint64_t entry = ((const u64 *)insp->page)[nr];

	printf("  page %-12" PRIu64 " %s", entry_page(insp, nr), state_word(entry));
	if (kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT)
		printf(" at version %llu", (unsigned long long)kmdom_entry_value(entry));
	if (header(insp)->level == 1)
		printf(", cache %u", kmdom_entry_cache(entry));
	putchar('\n');
}

static void show_entries(const struct inspection *insp,
			 void (*show)(const struct inspection *insp, unsigned int nr))
{
	unsigned int nr;

	for (nr = 0; nr < KMDOM_TABLE_ENTRIES; nr++) {
		if (((const u64 *)insp->page)[nr] != KMDOM_ENTRY_EMPTY)
			show(insp, nr);
	}
}

/* ---- objects ---- */

static void object_json(const struct inspection *insp, unsigned int slot)
{
	const struct kmdom_type *type = insp->known->schema.type;
	unsigned int i;

	json_begin(NULL, '{');
	json_number("slot", slot);
	json_begin("fields", '{');
	for (i = 0; i < type->nr_fields; i++)
		field_json(type, &type->fields[i], insp->page + slot * type->size);
	json_end('}');
	json_end('}');
}

static void object_print(const struct inspection *insp, unsigned int slot)
{
	const struct kmdom_type *type = insp->known->schema.type;
	unsigned int i;

	printf("  slot %u\n", slot);
	for (i = 0; i < type->nr_fields; i++)
		field_print(type, &type->fields[i], insp->page + slot * type->size);
}

/* ---- what is wrong ---- */

/**
 * struct fault - what is wrong with a record
 * @offset: of the byte where it is seen
 * @has_told: there is a value that is wrong
 * @has_right: there is one value that is right
 * @told: the one
 * @right: the other
 */
struct fault {
	size_t offset;
	bool has_told;
	bool has_right;
	uint64_t told;
	uint64_t right;
};

#define AT(member)	((struct fault){ .offset = offsetof(struct kmdom_record, member) })
#define SAYS(member, is, must) ((struct fault){				\
	.offset = offsetof(struct kmdom_record, member),		\
	.has_told = true, .told = (is), .has_right = true, .right = (must) })

/* A number that is wrong, while several are right. */
#define HOLDS(member, is) ((struct fault){				\
	.offset = offsetof(struct kmdom_record, member),		\
	.has_told = true, .told = (is) })

static unsigned int live_count(const struct kmdom_record *rec)
{
	unsigned int slot, nr = 0;

	for (slot = 0; slot < KMDOM_SLOTS_PER_PAGE; slot++)
		nr += is_live(rec, slot);
	return nr;
}

/* The first byte of the map with a slot that the page does not have. */
static size_t map_fault(const struct inspection *insp)
{
	unsigned int slot = insp->known->schema.slots;

	while (!is_live(header(insp), slot))
		slot++;
	return offsetof(struct kmdom_record, map) + slot / 8;
}

/* Whether the payload is broken: where, is known by slot and field. */
static bool in_payload(const struct inspection *insp)
{
	return insp->why >= KMDOM_REJECT_END;
}

/* Whether it is one field that is broken, not an object or the whole. */
static bool in_field(const struct inspection *insp)
{
	return in_payload(insp) && insp->where.slot != KMDOM_RECORD_WHOLE &&
	       insp->why != KMDOM_REJECT_CHECK;
}

static const struct kmdom_field *fault_field(const struct inspection *insp)
{
	return &insp->known->type.fields[insp->where.field];
}

/* The integer that is wrong. It is all there: the decoder has read it. */
static uint64_t wire_int(const struct inspection *insp)
{
	__le64 value = 0;

	memcpy(&value, insp->buf + insp->where.offset, fault_field(insp)->size);
	return le64_to_cpu(value);
}

/* What the header must say. */
static size_t told_length(const struct inspection *insp)
{
	return insp->known->type.policy == KMDOM_POLICY_CHECKED ? 0 : insp->len;
}

static struct fault fault_find(const struct inspection *insp)
{
	const struct kmdom_schema *schema = insp->known ? &insp->known->schema : NULL;
	const struct kmdom_record *rec = header(insp);

	switch (insp->why) {
	case KMDOM_REJECT_LENGTH:
		return (struct fault){ .offset = insp->len };
	case KMDOM_REJECT_MAGIC:
		return SAYS(magic, le32_to_cpu(rec->magic), KMDOM_MAGIC_RECORD);
	case KMDOM_REJECT_FORMAT:
		return SAYS(format, le16_to_cpu(rec->format), KMDOM_RECORD_FORMAT);
	case KMDOM_REJECT_RESERVED:
		return SAYS(reserved, le64_to_cpu(rec->reserved), 0);
	case KMDOM_REJECT_DOMAIN:
		return AT(domain);
	case KMDOM_REJECT_LEVEL:
		return SAYS(level, rec->level, insp->expected.level);
	case KMDOM_REJECT_INDEX:
		if (!insp->one_index)
			return HOLDS(index, le64_to_cpu(rec->index));
		return SAYS(index, le64_to_cpu(rec->index), insp->expected.index);
	case KMDOM_REJECT_POLICY:
		/* Of a type that is never exported no policy is right. */
		if (schema->type->policy == KMDOM_POLICY_DISCARD)
			return AT(policy);
		return SAYS(policy, rec->policy, schema->type->policy);
	case KMDOM_REJECT_TYPE:
		return AT(type);
	case KMDOM_REJECT_SLOTS:
		return SAYS(slots, le16_to_cpu(rec->slots), schema->slots);
	case KMDOM_REJECT_MAP:
		return (struct fault){ .offset = map_fault(insp) };
	case KMDOM_REJECT_LIVE:
		return SAYS(live, le16_to_cpu(rec->live), live_count(rec));
	case KMDOM_REJECT_SIZE:
		return SAYS(length, le32_to_cpu(rec->length), told_length(insp));
	case KMDOM_REJECT_VERSION:
		if (!insp->one_version)
			return HOLDS(version, le64_to_cpu(rec->version));
		return SAYS(version, le64_to_cpu(rec->version), insp->expected.version);
	case KMDOM_REJECT_RANGE:
	case KMDOM_REJECT_FLAGS:
	case KMDOM_REJECT_REF:
		return (struct fault){
			.offset = insp->where.offset,
			.has_told = true, .told = wire_int(insp),
		};
	default:
		return (struct fault){ .offset = insp->where.offset };
	}
}

static void fault_json(const struct inspection *insp)
{
	struct fault fault = fault_find(insp);

	json_begin("reject", '{');
	json_string("reason", reject_word(insp->why));
	json_number("number", insp->why);
	json_string("text", reject_sentence(insp->why));
	json_number("offset", fault.offset);
	if (in_payload(insp) && insp->where.slot != KMDOM_RECORD_WHOLE) {
		json_number("slot", insp->where.slot);
		if (in_field(insp))
			json_string("field", fault_field(insp)->name);
	}
	if (fault.has_told)
		json_number("told", fault.told);
	if (fault.has_right)
		json_number("right", fault.right);
	json_end('}');
}

/* What is there, and what may be there. */
static void fault_print_values(const struct inspection *insp, const struct fault *fault)
{
	switch (insp->why) {
	case KMDOM_REJECT_RANGE:
		printf(": %" PRIu64 ", must be %llu to %llu", fault->told,
		       fault_field(insp)->min, fault_field(insp)->max);
		break;
	case KMDOM_REJECT_FLAGS:
		printf(": %#" PRIx64 ", must be of %#llx", fault->told,
		       fault_field(insp)->max);
		break;
	case KMDOM_REJECT_REF:
		printf(": %#" PRIx64, fault->told);
		break;
	default:
		if (fault->has_told)
			printf(": %" PRIu64, fault->told);
		if (fault->has_right)
			printf(", must be %" PRIu64, fault->right);
		break;
	}
	putchar('\n');
}

static void fault_print(const struct inspection *insp)
{
	struct fault fault = fault_find(insp);

	printf("  broken: %s: %s\n    at byte %zu", reject_word(insp->why),
	       reject_sentence(insp->why), fault.offset);
	if (in_payload(insp) && insp->where.slot != KMDOM_RECORD_WHOLE)
		printf(", in slot %u", insp->where.slot);
	if (in_field(insp))
		printf(", field %s", fault_field(insp)->name);
	fault_print_values(insp, &fault);
}

/* ---- the record ---- */

static void header_json(const struct inspection *insp)
{
	const struct kmdom_record *rec = header(insp);
	char uuid[UUID_TEXT], hash[19];
	unsigned int slot;

	uuid_text(rec->domain, uuid);
	snprintf(hash, sizeof(hash), "0x%016" PRIx64, (uint64_t)le64_to_cpu(rec->type));
	json_begin("header", '{');
	json_number("format", le16_to_cpu(rec->format));
	json_string("policy", policy_word(rec->policy));
	json_number("level", rec->level);
	json_string("hash", hash);
	json_string("domain", uuid);
	json_number("index", le64_to_cpu(rec->index));
	json_number("version", le64_to_cpu(rec->version));
	json_number("length", le32_to_cpu(rec->length));
	json_number("slots", le16_to_cpu(rec->slots));
	json_number("live", le16_to_cpu(rec->live));
	json_begin("map", '[');
	for (slot = 0; slot < KMDOM_SLOTS_PER_PAGE; slot++) {
		if (is_live(rec, slot))
			json_number(NULL, slot);
	}
	json_end(']');
	json_end('}');
	if (insp->known) {
		json_string("type", insp->known->type.name);
		json_bool("check", insp->known->cache.check);
	}
}

/* Slots that are live, neighbours as a range. */
static void map_print(const struct kmdom_record *rec)
{
	const char *comma = " ";
	unsigned int slot, first;

	for (slot = 0; slot < KMDOM_SLOTS_PER_PAGE; slot++) {
		if (!is_live(rec, slot))
			continue;
		first = slot;
		while (slot + 1 < KMDOM_SLOTS_PER_PAGE && is_live(rec, slot + 1))
			slot++;
		printf("%s%u", comma, first);
		if (slot > first)
			printf("-%u", slot);
		comma = ", ";
	}
	putchar('\n');
}

static void header_print(const struct inspection *insp)
{
	const struct kmdom_record *rec = header(insp);
	char uuid[UUID_TEXT];

	uuid_text(rec->domain, uuid);
	printf("  format       %u\n", le16_to_cpu(rec->format));
	printf("  domain       %s\n", uuid);
	printf("  page         index %" PRIu64 ", level %u\n",
	       (uint64_t)le64_to_cpu(rec->index), rec->level);
	printf("  version      %" PRIu64 "\n", (uint64_t)le64_to_cpu(rec->version));
	printf("  type         %s, hash 0x%016" PRIx64 "\n",
	       insp->known ? insp->known->type.name : "not known",
	       (uint64_t)le64_to_cpu(rec->type));
	printf("  policy       %s: %s\n", policy_word(rec->policy),
	       policy_sentence(rec->policy));
	printf("  length       %zu, says %u\n", insp->len, le32_to_cpu(rec->length));
	printf("  live         %u of %u slots:", le16_to_cpu(rec->live),
	       le16_to_cpu(rec->slots));
	map_print(rec);
}

static void record_json(const struct inspection *insp)
{
	unsigned int slot;

	json_begin(NULL, '{');
	json_string("file", insp->path);
	json_bool("good", !insp->why);
	json_string("authentic", "unknown");
	if (has_header(insp))
		header_json(insp);
	if (insp->why)
		fault_json(insp);
	if (insp->decoded && insp->expected.level) {
		json_begin("entries", '[');
		show_entries(insp, entry_json);
		json_end(']');
	} else if (insp->decoded) {
		json_begin("objects", '[');
		for_each_set_bit(slot, insp->live, insp->known->schema.slots)
			object_json(insp, slot);
		json_end(']');
	}
	json_end('}');
}

static void record_print(const struct inspection *insp)
{
	unsigned int slot;

	printf("%s:\n", insp->path);
	if (has_header(insp))
		header_print(insp);
	if (insp->why) {
		fault_print(insp);
		return;
	}
	if (insp->decoded && insp->expected.level) {
		show_entries(insp, entry_print);
	} else if (insp->decoded) {
		for_each_set_bit(slot, insp->live, insp->known->schema.slots)
			object_print(insp, slot);
	} else {
		puts("  The payload is encrypted: the kernel alone has the key.");
	}
	if (insp->decoded && insp->known->cache.check)
		puts("  The type has a check of whole objects, which was not made here.");
	puts("  Whether it is authentic is not known: the kernel alone has the key.");
}

/** inspect_print() - show what was found out of a record */
void inspect_print(const struct inspection *insp)
{
	if (json_output)
		record_json(insp);
	else
		record_print(insp);
}
