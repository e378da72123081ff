// SPDX-License-Identifier: GPL-2.0
/*
 * judge.c - target: all that a reply goes through, from its length to its page
 *
 * An input is the number of a type, that of an identity, the state of the page's
 * entry, what its version is more than the reply's, and a record. The steps are the
 * module's, in its order (restore.c); so this target gives every reason that there
 * is. The cipher alone is a stand-in, since the real one is the crypto API's: whose
 * tag is not right it rejects as that does, for the same bytes under each policy.
 */
#include "fuzz.h"
#include "judge.h"
#include "table_type.h"

#define HEADER	sizeof(struct kmdom_record)
#define INPUT	4		/* bytes before the record */
#define TABLE	UNIT_NR_TYPES
#define BROKEN	0x80		/* of the state: the cipher fails */

/* What is not the record's fault has no reason in the UAPI. */
enum { NO_PAGE = KMDOM_NR_REJECTS, LOST, THERE, CIPHER };

static const char *const reasons[] = {
	[KMDOM_REJECT_NONE] = "NONE", [KMDOM_REJECT_LENGTH] = "LENGTH",
	[KMDOM_REJECT_STALE] = "STALE", [KMDOM_REJECT_MAGIC] = "MAGIC",
	[KMDOM_REJECT_FORMAT] = "FORMAT", [KMDOM_REJECT_RESERVED] = "RESERVED",
	[KMDOM_REJECT_DOMAIN] = "DOMAIN", [KMDOM_REJECT_LEVEL] = "LEVEL",
	[KMDOM_REJECT_INDEX] = "INDEX", [KMDOM_REJECT_POLICY] = "POLICY",
	[KMDOM_REJECT_TYPE] = "TYPE", [KMDOM_REJECT_SLOTS] = "SLOTS",
	[KMDOM_REJECT_MAP] = "MAP", [KMDOM_REJECT_LIVE] = "LIVE",
	[KMDOM_REJECT_SIZE] = "SIZE", [KMDOM_REJECT_VERSION] = "VERSION",
	[KMDOM_REJECT_TAG] = "TAG", [KMDOM_REJECT_END] = "END",
	[KMDOM_REJECT_RANGE] = "RANGE", [KMDOM_REJECT_FLAGS] = "FLAGS",
	[KMDOM_REJECT_REF] = "REF", [KMDOM_REJECT_COUNT] = "COUNT",
	[KMDOM_REJECT_TRIM] = "TRIM", [KMDOM_REJECT_REST] = "REST",
	[KMDOM_REJECT_CHECK] = "CHECK",
	[NO_PAGE] = "(empty)", [LOST] = "(lost)", [THERE] = "(there)", [CIPHER] = "(cipher)",
};

/* The errno of each, by the words of the UAPI. */
static int error_of(unsigned int reason)
{
	switch (reason) {
	case KMDOM_REJECT_NONE:
		return 0;
	case KMDOM_REJECT_STALE:
	case KMDOM_REJECT_VERSION:
		return -ESTALE;
	case KMDOM_REJECT_DOMAIN:
	case KMDOM_REJECT_LEVEL:
	case KMDOM_REJECT_INDEX:
		return -EXDEV;
	case KMDOM_REJECT_TAG:
		return -EBADMSG;
	case NO_PAGE:
		return -ENOENT;
	case LOST:
	case CIPHER:
		return -EIO;
	case THERE:
		return -EALREADY;
	default:
		return -EINVAL;
	}
}

/**
 * struct reply - an input, taken apart
 * @schema: of the page's type
 * @id: of the page, at the version that the pager says
 * @entry: of the page
 * @broken: the cipher fails
 * @rec: the record, as it came
 * @len: its length
 */
struct reply {
	struct kmdom_schema schema;
	const struct kmdom_record_id *id;
	u64 entry;
	bool broken;
	const u8 *rec;
	size_t len;
};

/* ---- the stand-in for the cipher ---- */

struct kmdom_seal_request {
	bool broken;
	unsigned int opened;
};

static u64 mix(u64 sum, u64 value)
{
	sum = (sum ^ value) * 0x9e3779b97f4a7c15ULL;
	return sum ^ sum >> 29;
}

static void tag_make(u8 policy, const u8 *rec, size_t len, u64 version, u8 *tag)
{
	size_t end = policy == KMDOM_POLICY_CHECKED ? HEADER : len - KMDOM_TAG_SIZE, i;
	u64 low = mix(1, version), high = mix(2, version);

	for (i = 0; i < end; i++) {
		low = mix(low, rec[i]);
		high = mix(high, rec[i]);
	}
	put_unaligned_le64(low, tag);
	put_unaligned_le64(high, tag + 8);
}

static void crypt(u8 policy, u8 *rec, size_t len, u64 version)
{
	size_t i;

	for (i = HEADER; policy == KMDOM_POLICY_SEALED && i < len - KMDOM_TAG_SIZE; i++)
		rec[i] ^= mix(version, i) >> 32;
}

static void seal(u8 policy, u8 *rec, size_t len, u64 version)
{
	crypt(policy, rec, len, version);
	tag_make(policy, rec, len, version, rec + len - KMDOM_TAG_SIZE);
}

static int unseal(struct kmdom_seal_request *req, u8 policy, void *buf, size_t len, u64 version)
{
	u8 tag[KMDOM_TAG_SIZE];

	req->opened++;
	if (req->broken)
		return -EIO;
	tag_make(policy, buf, len, version, tag);
	if (memcmp(buf + len - sizeof(tag), tag, sizeof(tag)))
		return -EBADMSG;
	crypt(policy, buf, len, version);
	return 0;
}

/* ---- the oracle ---- */

static unsigned int oracle_entry(u64 entry, u64 version)
{
	switch (entry & 7) {
	case KMDOM_PAGE_EMPTY:
		return NO_PAGE;
	case KMDOM_PAGE_LOST:
		return LOST;
	case KMDOM_PAGE_ABSENT:
		return entry >> 13 == version ? KMDOM_REJECT_NONE : KMDOM_REJECT_STALE;
	default:
		return THERE;
	}
}

static unsigned int oracle_reply(const struct reply *reply, u8 *page)
{
	struct kmdom_seal_request req = { .broken = reply->broken };
	const struct kmdom_type *type = reply->schema.type;
	unsigned int why;
	u8 *copy;
	int ret;

	if (reply->len < HEADER + KMDOM_TAG_SIZE || reply->len > KMDOM_RECORD_MAX)
		return KMDOM_REJECT_LENGTH;
	why = oracle_entry(reply->entry, reply->id->version) ?:
	      oracle_header(&reply->schema, reply->id, reply->rec, reply->len);
	if (why)
		return why;
	copy = unit_alloc(reply->len);
	memcpy(copy, reply->rec, reply->len);
	ret = unseal(&req, type->policy, copy, reply->len, reply->id->version);
	if (ret)
		why = ret == -EBADMSG ? KMDOM_REJECT_TAG : CIPHER;
	else
		why = oracle_decode(type, copy, reply->len, page);
	unit_free(copy);
	return why;
}

/* ---- the steps ---- */

/* What restore.c does; a reason only goes with its errno. */
static unsigned int judge(const struct reply *reply, struct kmdom_seal_request *req, u8 *buf,
			  u8 *page)
{
	const struct kmdom_schema *schema = &reply->schema;
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	u64 why = KMDOM_REJECT_NONE;
	int ret;

	ret = kmdom_judge_len(reply->len, &why);
	if (!ret)
		ret = kmdom_judge_entry(reply->entry, reply->id->version, &why);
	if (!ret)
		ret = kmdom_judge_record(schema, reply->id, buf, reply->len, unseal, req, &why);
	if (!ret)
		ret = kmdom_judge_payload(schema, buf, reply->len, page, live, &why);
	if (ret && !why)
		why = ret == -ENOENT ? NO_PAGE : ret == -EALREADY ? THERE :
		      req->opened ? CIPHER : LOST;
	EXPECT_EQ(ret, error_of(why));
	return why;
}

static unsigned int run_reply(const struct reply *reply)
{
	u8 *page = unit_alloc(KMDOM_FRAME_SIZE), *wanted = unit_alloc(KMDOM_FRAME_SIZE);
	struct kmdom_seal_request req = { .broken = reply->broken };
	u8 *buf = unit_alloc(reply->len + !reply->len);
	unsigned int why;
	bool decrypted;

	memcpy(buf, reply->rec, reply->len);
	why = judge(reply, &req, buf, page);
	EXPECT_EQ(why, oracle_reply(reply, wanted));
	/* What has another header than it should is not, and nothing is twice. */
	decrypted = !why || why == CIPHER || (why >= KMDOM_REJECT_TAG && why < NO_PAGE);
	EXPECT_EQ(req.opened, decrypted);
	if (why)
		EXPECT(unit_is_zero(page, KMDOM_FRAME_SIZE));
	else
		EXPECT(!memcmp(page, wanted, KMDOM_FRAME_SIZE));
	unit_free(buf);
	unit_free(page);
	unit_free(wanted);
	return why;
}

static const struct kmdom_type *type_of(u8 nr)
{
	nr %= UNIT_NR_TYPES + 1;
	return nr == TABLE ? &kmdom_table_type : &unit_types[nr];
}

static unsigned int run(const u8 *data, size_t len)
{
	struct reply reply;

	if (len < INPUT)
		return KMDOM_REJECT_LENGTH;
	EXPECT_EQ(kmdom_schema_init(&reply.schema, type_of(data[0])), 0);
	reply.id = &fuzz_ids[data[1] % FUZZ_IDS];
	reply.entry = kmdom_entry_make((data[2] & ~BROKEN) % KMDOM_NR_PAGE_STATES, 1,
				       (reply.id->version + data[3]) & KMDOM_ENTRY_VALUE_MAX);
	reply.broken = data[2] & BROKEN;
	reply.rec = data + INPUT;
	reply.len = len - INPUT;
	return run_reply(&reply);
}

/* ---- seeds ---- */

/* An input with a record that is as the module would have sealed it. */
struct sealed {
	u8 data[INPUT + KMDOM_RECORD_MAX + 1];
	size_t len;			/* of the record */
};

/* Of one object, in the first slot, with that payload. */
static void seal_payload(struct sealed *s, u8 type, const void *payload, size_t len)
{
	const struct kmdom_record_id *id = &fuzz_ids[type % FUZZ_IDS];
	static const u8 first[HEADER] = { [offsetof(struct kmdom_record, map)] = 1 };
	struct kmdom_schema schema;
	u8 *rec = s->data + INPUT;

	EXPECT_EQ(kmdom_schema_init(&schema, type_of(type)), 0);
	*s = (struct sealed) {
		.data = { type, type % FUZZ_IDS, KMDOM_PAGE_ABSENT },
		.len = HEADER + len + KMDOM_TAG_SIZE,
	};
	header_wanted(&schema, id, first, s->len, rec);
	memcpy(rec + HEADER, payload, len);
	seal(schema.type->policy, rec, s->len, id->version);
}

static void seed(unsigned int why, const struct sealed *s)
{
	fuzz_seed(why, s->data, INPUT + s->len);
}

#define SEED(why, type, payload) do {					\
	struct sealed s_;						\
									\
	seal_payload(&s_, type, payload, sizeof(payload) - 1);		\
	seed(KMDOM_REJECT_##why, &s_);					\
} while (0)

/* What is wrong with the page, though its record is right. */
static void seed_entries(struct sealed *s)
{
	static const struct {
		u8 state, newer;
		unsigned int why;
	} entries[] = {
		{ KMDOM_PAGE_ABSENT, 1, KMDOM_REJECT_STALE }, { KMDOM_PAGE_EMPTY, 0, NO_PAGE },
		{ KMDOM_PAGE_LOST, 0, LOST }, { KMDOM_PAGE_PRESENT, 0, THERE },
		{ KMDOM_PAGE_ABSENT | BROKEN, 0, CIPHER },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		s->data[2] = entries[i].state;
		s->data[3] = entries[i].newer;
		seed(entries[i].why, s);
	}
	s->data[2] = KMDOM_PAGE_ABSENT;
	s->data[3] = 0;
}

/* A good one, then one for each part of it that is not as it should be. */
static void seed_parts(u8 type, const void *payload, size_t len)
{
	bool all_slots = KMDOM_FRAME_SIZE / type_of(type)->size >= KMDOM_SLOTS_PER_PAGE;
	unsigned int i, last;
	struct sealed s;

	seal_payload(&s, type, payload, len);
	seed(KMDOM_REJECT_NONE, &s);
	seed_entries(&s);
	for (i = 0; i < HEADER_PARTS; i++) {
		last = INPUT + header_parts[i].at + header_parts[i].size - 1;
		if (header_parts[i].why == KMDOM_REJECT_MAP && all_slots)
			continue;
		s.data[last] ^= 0x80;
		seed(header_parts[i].why, &s);
		s.data[last] ^= 0x80;
	}
	s.data[INPUT + s.len - 1] ^= 1;
	seed(KMDOM_REJECT_TAG, &s);
}

static void seeds(void)
{
	static const u8 longest[INPUT + KMDOM_RECORD_MAX + 1];

	fuzz_seed(KMDOM_REJECT_LENGTH, longest, 0);
	fuzz_seed(KMDOM_REJECT_LENGTH, longest, INPUT);
	fuzz_seed(KMDOM_REJECT_LENGTH, longest, sizeof(longest));
	/* small: mode, any, count, flags, next; edited: flags, nr, words; a pair of entries */
	seed_parts(0, "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0", 16);
	seed_parts(UNIT_CHECKED, "\3\0\0\200\10\0\0\0\1\0\0\0\2\0\0\0", 16);
	seed_parts(TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	SEED(END, 0, "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0");
	SEED(RANGE, 0, "\10\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0");
	SEED(REF, 0, "\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0");
	SEED(REST, TABLE, "\2\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
	SEED(TRIM, 2, "\2\0a\0");
	SEED(COUNT, 2, "\1\20");
	SEED(FLAGS, UNIT_CHECKED, "\4\0\0\0\0\0\0\0");
	SEED(CHECK, TABLE, "\1\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

const struct fuzz_target fuzz_target = {
	.reasons = reasons, .nr_reasons = ARRAY_SIZE(reasons), .run = run, .seeds = seeds,
};
