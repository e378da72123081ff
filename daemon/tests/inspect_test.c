// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomctl inspect: records made by the module's encoder, good ones and those
 * that were broken by hand, one for each reason that shows in a record.
 */
#include <endian.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/bitmap.h>
#include <core/record.h>
#include <core/table_type.h>
#include "../kmdomctl/words.h"
#include "tap.h"

/* The tool's main(). */
int kmdomctl_main(int argc, char **argv);

#define ARGS_MAX	8
#define HEAD		(sizeof(struct kmdom_record))

struct note {
	u64 number;
	u64 ref;
	u16 len;
	u8 flags;
	u8 colour;
	u32 kernel;
	u8 name[16];
	u8 tail[24];
};

enum { NUMBER, REF, LEN, FLAGS, COLOUR, NAME, TAIL, KERNEL };

static const struct kmdom_field note_fields[] = {
	[NUMBER] = KMDOM_F_INT(struct note, number, 0, 0),
	[REF] = KMDOM_F_REF(struct note, ref, "note"),
	[LEN] = KMDOM_F_INT(struct note, len, 0, 0),
	[FLAGS] = KMDOM_F_FLAGS(struct note, flags, 0x83),
	[COLOUR] = KMDOM_F_INT(struct note, colour, 1, 7),
	[NAME] = KMDOM_F_BYTES(struct note, name, LEN),
	[TAIL] = KMDOM_F_BYTES(struct note, tail, KMDOM_LEN_TRIM),
	[KERNEL] = KMDOM_F_KERNEL(struct note, kernel),
};

#define NOTE(label, how) {						\
	.name = (label), .size = sizeof(struct note), .policy = (how),	\
	.nr_fields = ARRAY_SIZE(note_fields), .fields = note_fields }

/* By policy. */
static const struct kmdom_type types[] = {
	NOTE("note.discard", KMDOM_POLICY_DISCARD),
	NOTE("note.checked", KMDOM_POLICY_CHECKED),
	NOTE("note", KMDOM_POLICY_SIGNED),
	NOTE("note.sealed", KMDOM_POLICY_SEALED),
};

static const struct kmdom_record_id id = {
	.domain = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		    0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe },
	.index = 12, .version = 7,
};

/* Two objects. In the payload: bytes 96 to 124, and 125 to 146. */
static const struct note notes[] = {
	{ .number = 5, .ref = 3 << 8 | 1, .len = 5, .flags = 0x81, .colour = 7,
	  .name = "hello", .tail = "ab" },
	{ .number = ~0ULL, .colour = 1 },
};

#define FIRST	1	/* slot of the first */
#define TAIL2	145	/* where the last field of the second is */
#define NOTES	163	/* length of the record */

static char dir[] = "/tmp/kmdom-inspect.XXXXXX";

/* A record, which tests break. */
static u8 rec[8192] __aligned(8);
static size_t rec_len;

static struct kmdom_record *head(void)
{
	return (struct kmdom_record *)rec;
}

static void make(unsigned int policy)
{
	static u8 page[KMDOM_FRAME_SIZE] __aligned(8);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_schema schema;
	int len;

	memset(rec, 0, sizeof(rec));
	memcpy(page + FIRST * sizeof(notes[0]), notes, sizeof(notes));
	bitmap_zero(live, KMDOM_SLOTS_PER_PAGE);
	__set_bit(FIRST, live);
	__set_bit(FIRST + 1, live);
	CHECK(!kmdom_schema_init(&schema, &types[policy]));
	len = kmdom_record_encode(&schema, &id, page, live, rec, KMDOM_RECORD_MAX);
	CHECK(len == NOTES);
	rec_len = len;
}

static const char *path(const char *name)
{
	static char paths[4][64];
	static int nr;

	nr = (nr + 1) % 4;
	snprintf(paths[nr], sizeof(paths[nr]), "%s/%s", dir, name);
	return paths[nr];
}

static void put_file(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(path(name), "w");

	CHECK(file && fwrite(bytes, 1, len, file) == len && !fclose(file));
}

/* ---- the schema's file ---- */

static void put_field(FILE *file, const struct kmdom_field *field)
{
	static const char *const kinds[] = {
		"int", "bytes", "ref", "flags", "secret", "soft", "kernel",
	};

	fprintf(file, "{\"name\": \"%s\", \"offset\": %u, \"size\": %u, \"kind\": \"%s\", ",
		field->name, field->offset, field->size, kinds[field->kind]);
	if (field->kind == KMDOM_FIELD_BYTES && field->len_field == KMDOM_LEN_TRIM)
		fputs("\"len-field\": \"trim\", ", file);
	else if (field->kind == KMDOM_FIELD_BYTES)
		fprintf(file, "\"len-field\": %u, ", field->len_field);
	if (field->ref_type)
		fprintf(file, "\"ref-type\": \"%s\", ", field->ref_type);
	fprintf(file, "\"flags\": %u, \"min\": %llu, \"max\": %llu}", field->flags,
		(unsigned long long)field->min, (unsigned long long)field->max);
}

static void put_type(FILE *file, unsigned int policy)
{
	struct kmdom_schema schema;
	unsigned int i;

	CHECK(!kmdom_schema_init(&schema, &types[policy]));
	fprintf(file, "{\"id\": %u, \"type\": \"%s\", \"hash\": \"0x%016llx\", \"size\": 64, "
		"\"slots\": 64, \"policy\": \"%s\", \"check\": %s, \"fields\": [",
		policy + 1, types[policy].name, (unsigned long long)schema.hash,
		policy_word(policy), policy == KMDOM_POLICY_CHECKED ? "true" : "false");
	for (i = 0; i < ARRAY_SIZE(note_fields); i++) {
		fputs(i ? ", " : "", file);
		put_field(file, &note_fields[i]);
	}
	fputs("]}", file);
}

/* The text of it, with the CHECKED type first; the caller frees it. */
static char *schema_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	unsigned int i;

	fputs("{\"domain\": \"red\", \"uuid\": \"01234567-89ab-cdef-1032-547698badcfe\", "
	      "\"caches\": [", file);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fputs(i ? ", " : "", file);
		put_type(file, (KMDOM_POLICY_CHECKED + i) % ARRAY_SIZE(types));
	}
	fputs("]}", file);
	fclose(file);
	return text;
}

static void put_schema(void)
{
	char *text = schema_text();

	put_file("schema", text, strlen(text));
	free(text);
}

/* ---- the tool ---- */

static char out[1 << 16];	/* what it said, errors included */

/* Runs it with the arguments, up to NULL; returns its exit status. */
static int run(const char *const *args)
{
	const char *argv[ARGS_MAX + 6] = { "kmdomctl", "inspect", "--schema", path("schema") };
	int argc = 4, status;
	FILE *file = tmpfile();
	pid_t pid;

	while (*args)
		argv[argc++] = *args++;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fileno(file), STDOUT_FILENO);
		dup2(fileno(file), STDERR_FILENO);
		exit(kmdomctl_main(argc, (char **)argv));
	}
	waitpid(pid, &status, 0);
	rewind(file);
	out[fread(out, 1, sizeof(out) - 1, file)] = '\0';
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) run((const char *const []) { __VA_ARGS__, NULL })

static bool says(const char *text)
{
	if (strstr(out, text))
		return true;
	printf("# does not say \"%s\":\n", text);
	fputs(out, stdout);
	return false;
}

/* The record that a test has broken, or not. */
static int inspect(void)
{
	put_file("record", rec, rec_len);
	return RUN(path("record"));
}

/* ---- good records ---- */

static void test_signed(void)
{
	make(KMDOM_POLICY_SIGNED);
	CHECK(inspect() == 0);
	CHECK(says("domain       01234567-89ab-cdef-1032-547698badcfe\n"));
	CHECK(says("page         index 12, level 0\n"));
	CHECK(says("version      7\n"));
	CHECK(says("type         note, hash 0x"));
	CHECK(says("policy       signed: the pager may read it\n"));
	CHECK(says("length       163, says 163\n"));
	CHECK(says("live         2 of 64 slots: 1-2\n"));
	CHECK(says("  slot 1\n    number           5\n    ref              page 3, slot 1\n"
		   "    len              5\n    flags            0x81\n"
		   "    colour           7\n    name             5 bytes 68656c6c6f \"hello\"\n"
		   "    tail             2 bytes 6162 \"ab\"\n"
		   "    kernel           (kernel: does not leave the kernel)\n"
		   "  slot 2\n    number           18446744073709551615\n"
		   "    ref              none\n"));
	CHECK(says("tail             0 bytes  \"\"\n"));
	CHECK(says("authentic is not known"));
	CHECK(!strstr(out, "was not made here"));
}

static void test_checked(void)
{
	make(KMDOM_POLICY_CHECKED);
	CHECK(inspect() == 0);
	CHECK(says("policy       checked: the pager may read and edit it\n"));
	CHECK(says("length       163, says 0\n"));
	CHECK(says("name             5 bytes 68656c6c6f \"hello\"\n"));
	CHECK(says("a check of whole objects, which was not made here"));
}

static void test_sealed(void)
{
	make(KMDOM_POLICY_SEALED);
	CHECK(inspect() == 0);
	CHECK(says("live         2 of 64 slots: 1-2\n"));
	CHECK(says("The payload is encrypted"));
	CHECK(!strstr(out, "hello"));
}

/* ---- as JSON ---- */

/* Member of the first record; path by dots. */
static struct json_object *member(struct json_object *root, const char *name)
{
	struct json_object *obj = json_object_array_get_idx(root, 0);
	char part[32];

	while (obj && *name) {
		size_t len = strcspn(name, ".");

		snprintf(part, sizeof(part), "%.*s", (int)len, name);
		if (!json_object_object_get_ex(obj, part, &obj))
			return NULL;
		name += len + (name[len] == '.');
	}
	return obj;
}

static bool is_text(struct json_object *root, const char *name, const char *wanted)
{
	const char *text = json_object_get_string(member(root, name));

	if (text && !strcmp(text, wanted))
		return true;
	printf("# %s is %s, not %s\n", name, text ? text : "not there", wanted);
	return false;
}

static struct json_object *inspect_json(int wanted, const char *option, const char *value)
{
	int status;

	put_file("record", rec, rec_len);
	status = option ? RUN(option, value, "--json", path("record")) :
			  RUN("--json", path("record"));
	CHECK(status == wanted);
	return json_tokener_parse(out);
}

static void test_json(void)
{
	struct json_object *root;

	make(KMDOM_POLICY_SIGNED);
	root = inspect_json(0, NULL, NULL);
	NEED(root);
	CHECK(is_text(root, "good", "true"));
	CHECK(is_text(root, "authentic", "unknown"));
	CHECK(is_text(root, "type", "note"));
	CHECK(is_text(root, "header.policy", "signed"));
	CHECK(is_text(root, "header.index", "12"));
	CHECK(is_text(root, "header.version", "7"));
	CHECK(is_text(root, "header.map", "[ 1, 2 ]"));
	CHECK(!member(root, "reject"));
	CHECK(is_text(root, "objects",
		      "[ { \"slot\": 1, \"fields\": { \"number\": 5, \"ref\": 769, \"len\": 5, "
		      "\"flags\": 129, \"colour\": 7, \"name\": \"68656c6c6f\", "
		      "\"tail\": \"6162\" } }, { \"slot\": 2, \"fields\": { "
		      "\"number\": 18446744073709551615, \"ref\": 0, \"len\": 0, "
		      "\"flags\": 0, \"colour\": 1, \"name\": \"\", \"tail\": \"\" } } ]"));
	json_object_put(root);
}

/* ---- broken ones ---- */

/**
 * struct breach - a way to break a record
 * @why: what is told then
 * @offset: and where
 * @field: in the payload, with its slot; NULL: in none
 * @slot: of it
 * @at: the byte that is set
 * @byte: to this
 * @at2: another one, if it is not 0
 * @byte2: to this
 * @len: the length that it is given, if that is not 0
 * @option: of the call
 * @value: its argument
 * @policy: of the record; 0: SIGNED
 * @discard: it is DISCARD
 */
struct breach {
	enum kmdom_reject why;
	unsigned int offset;
	const char *field;
	unsigned int slot;
	unsigned int at;
	u8 byte;
	unsigned int at2;
	u8 byte2;
	size_t len;
	const char *option;
	const char *value;
	unsigned int policy;
	bool discard;
};

#define BYTE(member)	offsetof(struct kmdom_record, member)

static const struct breach breaches[] = {
	{ KMDOM_REJECT_LENGTH, 111, .len = 111 },
	{ KMDOM_REJECT_LENGTH, KMDOM_RECORD_MAX + 1, .len = KMDOM_RECORD_MAX + 9 },
	{ KMDOM_REJECT_MAGIC, 0, .at = BYTE(magic), .byte = 'x' },
	{ KMDOM_REJECT_FORMAT, 4, .at = BYTE(format), .byte = KMDOM_RECORD_FORMAT + 1 },
	{ KMDOM_REJECT_RESERVED, 56, .at = BYTE(reserved) + 7, .byte = 1 },
	{ KMDOM_REJECT_DOMAIN, 16, .at = BYTE(domain) + 15, .byte = 0xff },
	{ KMDOM_REJECT_LEVEL, 7, .at = BYTE(level), .byte = KMDOM_LEVELS + 1 },
	{ KMDOM_REJECT_INDEX, 32, .at = BYTE(index), .byte = 0 },
	{ KMDOM_REJECT_INDEX, 32, .at = BYTE(index) + 7, .byte = 1 },
	{ KMDOM_REJECT_INDEX, 32, .option = "--index", .value = "13" },
	{ KMDOM_REJECT_POLICY, 6, .at = BYTE(policy), .byte = KMDOM_POLICY_SEALED },
	{ KMDOM_REJECT_POLICY, 6, .at = BYTE(policy), .byte = KMDOM_POLICY_SEALED + 1 },
	{ KMDOM_REJECT_POLICY, 6, .discard = true },
	{ KMDOM_REJECT_TYPE, 8, .at = BYTE(type), .byte = 0 },
	{ KMDOM_REJECT_SLOTS, 52, .at = BYTE(slots), .byte = 63 },
	{ KMDOM_REJECT_MAP, 72, .at = BYTE(map) + 8, .byte = 1 },
	{ KMDOM_REJECT_LIVE, 54, .at = BYTE(live), .byte = 3 },
	{ KMDOM_REJECT_SIZE, 48, .len = NOTES + 1 },
	{ KMDOM_REJECT_SIZE, 48, .at = BYTE(length), .byte = NOTES,
	  .policy = KMDOM_POLICY_CHECKED },
	{ KMDOM_REJECT_VERSION, 40, .option = "--at-version", .value = "8" },
	{ KMDOM_REJECT_VERSION, 40, .at = BYTE(version), .byte = 0 },
	{ KMDOM_REJECT_END, TAIL2, "tail", 2, .at = TAIL2, .byte = 3 },
	{ KMDOM_REJECT_END, HEAD, "number", 1, .len = KMDOM_RECORD_MIN + 7,
	  .policy = KMDOM_POLICY_CHECKED },
	{ KMDOM_REJECT_RANGE, 115, "colour", 1, .at = 115, .byte = 8 },
	{ KMDOM_REJECT_RANGE, 144, "colour", 2, .at = 144, .byte = 0 },
	{ KMDOM_REJECT_FLAGS, 114, "flags", 1, .at = 114, .byte = 0x85 },
	{ KMDOM_REJECT_REF, 104, "ref", 1, .at = 111, .byte = 1 },
	{ KMDOM_REJECT_COUNT, 116, "name", 1, .at = 112, .byte = 17 },
	{ KMDOM_REJECT_COUNT, TAIL2, "tail", 2, .at = TAIL2, .byte = 25 },
	{ KMDOM_REJECT_TRIM, 121, "tail", 1, .at = 124, .byte = 0 },
	{ KMDOM_REJECT_REST, 125, .at = BYTE(map), .byte = 1 << FIRST,
	  .at2 = BYTE(live), .byte2 = 1 },
	{ KMDOM_REJECT_REST, 147, .len = NOTES + 1, .policy = KMDOM_POLICY_CHECKED },
};

static void apply(const struct breach *breach)
{
	make(breach->discard ? KMDOM_POLICY_DISCARD : breach->policy ?: KMDOM_POLICY_SIGNED);
	if (breach->at || breach->byte)
		rec[breach->at] = breach->byte;
	if (breach->at2)
		rec[breach->at2] = breach->byte2;
	if (breach->len)
		rec_len = breach->len;
}

static void check_breach(const struct breach *breach)
{
	struct json_object *root, *slot;
	char text[64];

	apply(breach);
	root = inspect_json(1, breach->option, breach->value);
	CHECK(root);
	if (!root)
		return;
	CHECK(is_text(root, "good", "false"));
	CHECK(is_text(root, "reject.reason", reject_word(breach->why)));
	CHECK(is_text(root, "reject.text", reject_sentence(breach->why)));
	snprintf(text, sizeof(text), "%d", breach->why);
	CHECK(is_text(root, "reject.number", text));
	snprintf(text, sizeof(text), "%u", breach->offset);
	CHECK(is_text(root, "reject.offset", text));
	slot = member(root, "reject.slot");
	CHECK(!slot == !breach->field);
	if (breach->field) {
		CHECK(json_object_get_int(slot) == (int)breach->slot);
		CHECK(is_text(root, "reject.field", breach->field));
	}
	CHECK(!member(root, "objects"));
	json_object_put(root);
}

/* Every reason but those that no record shows: its place, the tag, the type's check. */
static void test_broken(void)
{
	bool seen[KMDOM_NR_REJECTS] = { [KMDOM_REJECT_NONE] = true };
	unsigned int i;

	seen[KMDOM_REJECT_STALE] = true;
	seen[KMDOM_REJECT_TAG] = true;
	seen[KMDOM_REJECT_CHECK] = true;
	for (i = 0; i < ARRAY_SIZE(breaches); i++) {
		bool before = tap_failed;

		check_breach(&breaches[i]);
		seen[breaches[i].why] = true;
		if (tap_failed && !before)
			printf("# breach %u, %s\n", i, reject_word(breaches[i].why));
	}
	for (i = 0; i < KMDOM_NR_REJECTS; i++)
		CHECK(seen[i]);
}

static void test_broken_in_words(void)
{
	make(KMDOM_POLICY_SIGNED);
	rec[115] = 9;
	CHECK(inspect() == 1);
	CHECK(says("broken: range: an integer is out of its range\n"
		   "    at byte 115, in slot 1, field colour: 9, must be 1 to 7\n"));
	make(KMDOM_POLICY_SIGNED);
	rec[114] = 4;
	CHECK(inspect() == 1);
	CHECK(says("at byte 114, in slot 1, field flags: 0x4, must be of 0x83\n"));
	make(KMDOM_POLICY_SIGNED);
	head()->live = htole16(5);
	CHECK(inspect() == 1);
	CHECK(says("broken: live: the number of live slots is not the map's\n"
		   "    at byte 54: 5, must be 2\n"));
	make(KMDOM_POLICY_SIGNED);
	head()->index = 0;
	CHECK(inspect() == 1);
	CHECK(says("broken: index: of another page\n    at byte 32: 0\n"));
	CHECK(RUN("--index", "5", path("record")) == 1);
	CHECK(says("broken: index: of another page\n    at byte 32: 0, must be 5\n"));
	make(KMDOM_POLICY_SIGNED);
	rec_len = 10;
	CHECK(inspect() == 1);
	CHECK(says("broken: length: no record is that short, or that long\n    at byte 10\n"));
	CHECK(!strstr(out, "domain "));
}

static void test_words(void)
{
	unsigned int i, j;

	for (i = 0; i < KMDOM_NR_REJECTS; i++) {
		CHECK(strcmp(reject_word(i), "unknown"));
		CHECK(strlen(reject_sentence(i)) > 5);
		for (j = 0; j < i; j++)
			CHECK(strcmp(reject_word(i), reject_word(j)));
	}
	CHECK(!strcmp(reject_word(KMDOM_NR_REJECTS), "unknown"));
}

/* ---- files ---- */

static void test_files(void)
{
	make(KMDOM_POLICY_SIGNED);
	put_file("good", rec, rec_len);
	put_file("good2", rec, rec_len);
	rec[0] = 0;
	put_file("bad", rec, rec_len);
	CHECK(RUN(path("good"), path("good2")) == 0);
	CHECK(says("good:\n") && says("good2:\n"));
	CHECK(RUN(path("bad"), path("good")) == 1);
	CHECK(says("broken: magic") && says("hello"));
	CHECK(RUN(path("nowhere")) == 1);
	CHECK(says("No such file"));
	CHECK(RUN("--index", "x", path("good")) == 2);
	CHECK(RUN("--explode", path("good")) == 2);
	CHECK(RUN("--index", "12", "--at-version", "7", path("good")) == 0);
}

/* The schema's text with a change: must be refused, in words. */
static void check_schema(const char *from, const char *to, const char *words)
{
	char *text = schema_text(), *pos = strstr(text, from), *changed;

	CHECK(pos);
	if (!pos)
		abort();
	if (asprintf(&changed, "%.*s%s%s", (int)(pos - text), text, to,
		     pos + strlen(from)) < 0)
		abort();
	put_file("schema", changed, strlen(changed));
	CHECK(inspect() == 1);
	CHECK(says(words));
	free(changed);
	free(text);
}

static void test_schemas(void)
{
	const char *none = "none that kmdomctl schema --json has written";

	make(KMDOM_POLICY_CHECKED);
	check_schema("\"min\": 1", "\"min\": 2", "does not make the hash");
	check_schema("\"offset\": 8", "\"offset\": 65544", "does not make the hash");
	check_schema("\"size\": 16", "\"size\": 1600", "does not make the hash");
	check_schema("{", "[", none);
	check_schema("\"uuid\": \"01", "\"uuid\": \"0x", none);
	check_schema("\"fields\": [", "\"fields\": 5, \"x\": [", none);
	check_schema("\"kind\": \"ref\"", "\"kind\": \"reference\"", none);
	check_schema("\"len-field\": \"trim\"", "\"len-field\": \"none\"", none);
	check_schema("\"hash\": \"0x", "\"hash\": \"0", none);
	put_file("schema", "", 0);
	CHECK(inspect() == 1);
	CHECK(says(none));
	put_schema();
	CHECK(inspect() == 0);
}

/* A table: each entry, in words, and what is none of its. */
static void test_table(void)
{
	static u64 table[KMDOM_TABLE_ENTRIES];
	const struct kmdom_record_id of = { .index = 3, .version = 9, .level = 2 };
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	struct kmdom_schema schema;

	table[1] = kmdom_entry_make(KMDOM_PAGE_ABSENT, 0, 77);
	table[511] = kmdom_entry_make(KMDOM_PAGE_LOST, 0, 5);
	CHECK(!kmdom_schema_init(&schema, &kmdom_table_type));
	kmdom_table_live(table, live);
	memset(rec, 0, sizeof(rec));
	rec_len = kmdom_record_encode(&schema, &of, table, live, rec, KMDOM_RECORD_MAX);
	CHECK(rec_len == HEAD + 2 * 16 + 16);
	CHECK(inspect() == 0);
	CHECK(says("index 3, level 2"));
	CHECK(says("kmdom.table"));
	CHECK(says("  page 1537         absent at version 77\n"));
	CHECK(says("  page 2047         lost\n"));
	CHECK(!strstr(out, "page 1536 "));
	/* The number of a frame: nothing that the kernel would ever say. */
	rec[HEAD + 8] = KMDOM_PAGE_PRESENT;
	CHECK(inspect() == 1);
	CHECK(says("in slot 0"));
}

static void test_begin(void)
{
	NEED(mkdtemp(dir));
	put_schema();
}

static void test_end(void)
{
	static const char *const names[] = { "schema", "record", "good", "good2", "bad" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		unlink(path(names[i]));
	CHECK(!rmdir(dir));
}

const struct tap_test tap_tests[] = {
	{ "inspect: a directory", test_begin },
	{ "inspect: SIGNED", test_signed },
	{ "inspect: CHECKED", test_checked },
	{ "inspect: SEALED", test_sealed },
	{ "inspect: JSON", test_json },
	{ "inspect: broken", test_broken },
	{ "inspect: broken, in words", test_broken_in_words },
	{ "inspect: words", test_words },
	{ "inspect: files", test_files },
	{ "inspect: schemas", test_schemas },
	{ "inspect: tables", test_table },
	{ "inspect: the directory goes", test_end },
	{ }
};
