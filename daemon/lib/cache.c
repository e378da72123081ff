// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Caches of domains, and the schemas of their types, as the generic netlink
 * family "kmdom" shows them.
 */
#include <errno.h>
#include <string.h>
#include <linux/kmdom_netlink.h>
#include <kmdom/kmdom.h>
#include "family.h"

_Static_assert(KMDOM_KIND_INT == (int)KMDOM_NL_KIND_INT &&
	       KMDOM_KIND_BYTES == (int)KMDOM_NL_KIND_BYTES &&
	       KMDOM_KIND_REF == (int)KMDOM_NL_KIND_REF &&
	       KMDOM_KIND_FLAGS == (int)KMDOM_NL_KIND_FLAGS &&
	       KMDOM_KIND_SECRET == (int)KMDOM_NL_KIND_SECRET &&
	       KMDOM_KIND_SOFT == (int)KMDOM_NL_KIND_SOFT &&
	       KMDOM_KIND_KERNEL == (int)KMDOM_NL_KIND_KERNEL &&
	       KMDOM_SCHEMA_LEN_ALL == (int)KMDOM_NL_LEN_ALL &&
	       KMDOM_SCHEMA_LEN_TRIM == (int)KMDOM_NL_LEN_TRIM,
	       "kinds of fields");

#define FIELD_ATTR(attr, kind, field)					\
	FAMILY_ATTR(KMDOM_A_FIELD_##attr, kind, struct kmdom_schema_field, field)

static const struct family_attr field_attrs[KMDOM_A_FIELD_MAX + 1] = {
	FIELD_ATTR(NAME, STRING, name),
	FIELD_ATTR(OFFSET, U32, offset),
	FIELD_ATTR(SIZE, U32, size),
	FIELD_ATTR(KIND, U32, kind),
	FIELD_ATTR(LEN_FIELD, U32, len_field),
	FIELD_ATTR(REF_TYPE, STRING, ref_type),
	FIELD_ATTR(FLAGS, U32, flags),
	FIELD_ATTR(MIN_VALUE, UINT, min),
	FIELD_ATTR(MAX_VALUE, UINT, max),
};

/* Those that there is no room for are counted all the same. */
static void cache_read_field(struct nlattr *nest, void *to)
{
	struct kmdom_cache_schema *cache = to;
	uint32_t nr = cache->nr_fields++;

	if (nr < KMDOM_SCHEMA_FIELDS)
		kmdom_family_read_nest(nest, field_attrs, KMDOM_A_FIELD_MAX,
				       &cache->fields[nr]);
}

#define CACHE_ATTR(attr, kind, field)					\
	FAMILY_ATTR(KMDOM_A_CACHE_##attr, kind, struct kmdom_cache_schema, field)

static const struct family_attr cache_attrs[KMDOM_A_CACHE_MAX + 1] = {
	CACHE_ATTR(DOMAIN_ID, UINT, domain_id),
	CACHE_ATTR(DOMAIN_NAME, STRING, domain_name),
	CACHE_ATTR(DOMAIN_UUID, BYTES, domain_uuid),
	CACHE_ATTR(ID, U32, id),
	CACHE_ATTR(TYPE, STRING, type),
	CACHE_ATTR(HASH, UINT, hash),
	CACHE_ATTR(PAGES, UINT, pages),
	CACHE_ATTR(ATTACHED, FLAG, attached),
	CACHE_ATTR(SIZE, U32, size),
	CACHE_ATTR(SLOTS, U32, slots),
	CACHE_ATTR(POLICY, U32, policy),
	CACHE_ATTR(CHECK, FLAG, check),
	[KMDOM_A_CACHE_FIELDS] = { .kind = FAMILY_NEST, .nest = cache_read_field },
};

/* Who is told of caches. */
struct cache_reader {
	kmdom_cache_fn fn;
	void *arg;
};

static int cache_read(struct nlattr *attrs, int len, void *arg)
{
	const struct cache_reader *reader = arg;
	struct kmdom_cache_schema cache;

	memset(&cache, 0, sizeof(cache));
	kmdom_family_read(attrs, len, cache_attrs, KMDOM_A_CACHE_MAX, &cache);
	if (cache.nr_fields > KMDOM_SCHEMA_FIELDS)
		return -EMSGSIZE;
	return reader->fn(&cache, reader->arg);
}

/**
 * kmdom_cache_list() - call a function for every cache that can be seen
 * @domain: name of the domain that they are of; NULL: all domains
 * @fn: the function; what it returns, if not 0, is the result
 * @arg: passed to it
 *
 * Return: 0 or a negative errno: -ENOENT, -EPERM; -EMSGSIZE, a schema has more
 * fields than this library has room for; as kmdom_info_list().
 */
int kmdom_cache_list(const char *domain, kmdom_cache_fn fn, void *arg)
{
	struct family_question question = { .cmd = KMDOM_CMD_CACHE_GET, .dump = true };
	struct cache_reader reader = { fn, arg };
	char field[KMDOM_NAME_MAX];
	int ret;

	if (domain) {
		ret = kmdom_set_name(field, domain);
		if (ret)
			return ret;
		question.names[0].attr = KMDOM_A_CACHE_DOMAIN_NAME;
		question.names[0].text = field;
	}
	return kmdom_family_ask(&question, cache_read, &reader);
}

static int cache_copy(const struct kmdom_cache_schema *cache, void *arg)
{
	*(struct kmdom_cache_schema *)arg = *cache;
	return 0;
}

/**
 * kmdom_cache_find() - one cache
 * @domain: name of its domain; one without a slash is first looked up as "UID/NAME"
 * @type: name of the type of its objects
 * @cache: out: the cache
 *
 * Return: 0 or a negative errno, as kmdom_cache_list(): -ENOENT also if the
 * domain has no such cache; -EINVAL for a name that no type can have.
 */
int kmdom_cache_find(const char *domain, const char *type,
		     struct kmdom_cache_schema *cache)
{
	struct cache_reader reader = { cache_copy, cache };
	char field[KMDOM_NAME_MAX];
	int ret;

	ret = kmdom_set_name(field, domain);
	if (!ret && (!*type || strlen(type) >= KMDOM_TYPE_MAX))
		ret = -EINVAL;
	if (ret)
		return ret;
	return kmdom_family_ask(&(struct family_question) {
		.cmd = KMDOM_CMD_CACHE_GET,
		.names = {
			{ KMDOM_A_CACHE_DOMAIN_NAME, field },
			{ KMDOM_A_CACHE_TYPE, type },
		},
	}, cache_read, &reader);
}
