// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "words.h"

struct word {
	const char *word;
	const char *sentence;
};

static const struct word policies[] = {
	[KMDOM_POLICY_DISCARD] = { "discard", "the pager may drop it; nothing is exported" },
	[KMDOM_POLICY_CHECKED] = { "checked", "the pager may read and edit it" },
	[KMDOM_POLICY_SIGNED] = { "signed", "the pager may read it" },
	[KMDOM_POLICY_SEALED] = { "sealed", "the pager may store it" },
};

static const struct word kinds[] = {
	[KMDOM_KIND_INT] = { .word = "int" },
	[KMDOM_KIND_BYTES] = { .word = "bytes" },
	[KMDOM_KIND_REF] = { .word = "ref" },
	[KMDOM_KIND_FLAGS] = { .word = "flags" },
	[KMDOM_KIND_SECRET] = { .word = "secret" },
	[KMDOM_KIND_SOFT] = { .word = "soft" },
	[KMDOM_KIND_KERNEL] = { .word = "kernel" },
};

/* As enum kmdom_reject documents them. */
static const struct word rejects[] = {
	[KMDOM_REJECT_NONE] = { "none",
		"it was taken" },
	[KMDOM_REJECT_LENGTH] = { "length",
		"no record is that short, or that long" },
	[KMDOM_REJECT_STALE] = { "stale",
		"the page is absent at another version than the operation says" },
	[KMDOM_REJECT_MAGIC] = { "magic",
		"it does not begin as a record" },
	[KMDOM_REJECT_FORMAT] = { "format",
		"of a format that this kernel does not speak" },
	[KMDOM_REJECT_RESERVED] = { "reserved",
		"reserved bytes are not zero" },
	[KMDOM_REJECT_DOMAIN] = { "domain",
		"of another domain" },
	[KMDOM_REJECT_LEVEL] = { "level",
		"of a page of another level" },
	[KMDOM_REJECT_INDEX] = { "index",
		"of another page" },
	[KMDOM_REJECT_POLICY] = { "policy",
		"of another policy than the page's type has" },
	[KMDOM_REJECT_TYPE] = { "type",
		"of another type, or of another schema of it" },
	[KMDOM_REJECT_SLOTS] = { "slots",
		"of pages with room for another number" },
	[KMDOM_REJECT_MAP] = { "map",
		"a slot is live that the page does not have" },
	[KMDOM_REJECT_LIVE] = { "live",
		"the number of live slots is not the map's" },
	[KMDOM_REJECT_SIZE] = { "size",
		"the length in it is not its length" },
	[KMDOM_REJECT_VERSION] = { "version",
		"of another version of the page" },
	[KMDOM_REJECT_TAG] = { "tag",
		"not authentic" },
	[KMDOM_REJECT_END] = { "end",
		"the payload ends within an object" },
	[KMDOM_REJECT_RANGE] = { "range",
		"an integer is out of its range" },
	[KMDOM_REJECT_FLAGS] = { "flags",
		"a flag is set that does not exist" },
	[KMDOM_REJECT_REF] = { "ref",
		"what shall be a ref cannot be one" },
	[KMDOM_REJECT_COUNT] = { "count",
		"a length or count is greater than its field" },
	[KMDOM_REJECT_TRIM] = { "trim",
		"a field ends in a zero that is trimmed away" },
	[KMDOM_REJECT_REST] = { "rest",
		"bytes follow the last object" },
	[KMDOM_REJECT_CHECK] = { "check",
		"an object is not consistent, says its type" },
};

_Static_assert(sizeof(rejects) / sizeof(*rejects) == KMDOM_NR_REJECTS, "words for rejects");

#define WORD(list, nr)		\
	((nr) < sizeof(list) / sizeof(*(list)) ? (list)[nr].word : "unknown")
#define SENTENCE(list, nr)	\
	((nr) < sizeof(list) / sizeof(*(list)) ? (list)[nr].sentence : "unknown")

const char *policy_word(unsigned int policy)
{
	return WORD(policies, policy);
}

const char *policy_sentence(unsigned int policy)
{
	return SENTENCE(policies, policy);
}

const char *kind_word(unsigned int kind)
{
	return WORD(kinds, kind);
}

const char *reject_word(unsigned int why)
{
	return WORD(rejects, why);
}

const char *reject_sentence(unsigned int why)
{
	return SENTENCE(rejects, why);
}

static int number(const struct word *list, int count, const char *word)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!strcmp(list[i].word, word))
			return i;
	}
	return -1;
}

int policy_number(const char *word)
{
	return number(policies, sizeof(policies) / sizeof(*policies), word);
}

int kind_number(const char *word)
{
	return number(kinds, sizeof(kinds) / sizeof(*kinds), word);
}

void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	int i;

	for (i = 0; i < 16; i++)
		text += sprintf(text, "%s%02x",
				i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				uuid[i]);
}

/* Of the form that uuid_text() writes, and no other; -1 if it is not. */
int uuid_parse(const char *text, uint8_t uuid[16])
{
	char again[UUID_TEXT];
	const char *pos = text;
	int i;

	for (i = 0; i < 16; i++) {
		pos += *pos == '-';
		if (sscanf(pos, "%2hhx", &uuid[i]) != 1)
			return -1;
		pos += 2;
	}
	uuid_text(uuid, again);
	return strcmp(text, again) ? -1 : 0;
}
