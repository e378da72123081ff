// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include "schema_file.h"
#include "type.h"

/* A number of the schema's, in the width that the kernel has for it. */
static int narrow(uint32_t value, u16 *field)
{
	*field = value;
	return value > UINT16_MAX ? -EINVAL : 0;
}

static int type_make_field(const struct kmdom_schema_field *from, struct kmdom_field *field)
{
	*field = (struct kmdom_field) {
		.name = from->name,
		.ref_type = *from->ref_type ? from->ref_type : NULL,
		.min = from->min,
		.max = from->max,
	};
	return narrow(from->offset, &field->offset) || narrow(from->size, &field->size) ||
	       narrow(from->kind, &field->kind) ||
	       narrow(from->len_field, &field->len_field) ||
	       narrow(from->flags, &field->flags) ? -EINVAL : 0;
}

/**
 * type_make() - a type as the decoder takes it
 * @known: out
 * @cache: what was told of it
 *
 * Return: 0; -ENODATA if nothing is told but its name; -EINVAL if it is no type
 * that there can be, or has not the hash that is told.
 */
int type_make(struct known_type *known, const struct kmdom_cache_schema *cache)
{
	uint32_t i;

	if (!cache->size)
		return -ENODATA;
	if (cache->nr_fields > KMDOM_FIELDS_MAX || cache->policy > KMDOM_POLICY_SEALED)
		return -EINVAL;
	known->cache = *cache;
	known->type = (struct kmdom_type) {
		.name = known->cache.type,
		.policy = cache->policy,
		.nr_fields = cache->nr_fields,
		.fields = known->fields,
	};
	if (narrow(cache->size, &known->type.size))
		return -EINVAL;
	for (i = 0; i < cache->nr_fields; i++) {
		if (type_make_field(&known->cache.fields[i], &known->fields[i]))
			return -EINVAL;
	}
	if (kmdom_schema_init(&known->schema, &known->type))
		return -EINVAL;
	return known->schema.hash == cache->hash ? 0 : -EINVAL;
}

/* A search; which of its ends are met. */
struct type_search {
	const uint8_t *uuid;
	uint64_t hash;
	char domain[KMDOM_NAME_MAX];
	struct known_type *known;
};

static int type_on_domain(const struct kmdom_info *info, void *arg)
{
	struct type_search *search = arg;

	if (!memcmp(info->uuid, search->uuid, sizeof(info->uuid)))
		strcpy(search->domain, info->name);
	return 0;
}

static int type_on_cache(const struct kmdom_cache_schema *cache, void *arg)
{
	struct type_search *search = arg;

	if (cache->hash == search->hash)
		search->known->cache = *cache;
	return 0;
}

static int type_search_kernel(struct type_search *search)
{
	int ret = kmdom_info_list(type_on_domain, search);

	if (ret)
		return ret;
	if (!*search->domain)
		return -EXDEV;
	return kmdom_cache_list(search->domain, type_on_cache, search);
}

static int type_search_file(struct type_search *search, const char *path)
{
	struct schema_file *file;
	size_t i;
	int ret = schema_file_read(path, &file);

	if (ret)
		return ret;
	if (memcmp(file->uuid, search->uuid, sizeof(file->uuid)))
		ret = -EXDEV;
	for (i = 0; i < file->nr_caches && !ret; i++)
		ret = type_on_cache(&file->caches[i], search);
	schema_file_free(file);
	return ret;
}

/**
 * type_find() - the type that a record names
 * @source: where to look
 * @uuid: of the domain
 * @hash: of the schema
 * @known: out: the type
 *
 * Return: 0 or a negative errno: -EXDEV (there is no such domain), -ENOENT (the
 * domain has no such type), and as type_make(), schema_file_read() and
 * kmdom_cache_list().
 */
int type_find(const struct type_source *source, const uint8_t uuid[16], uint64_t hash,
	      struct known_type *known)
{
	struct type_search search = { .uuid = uuid, .hash = hash, .known = known };
	struct kmdom_cache_schema found;
	int ret;

	memset(&known->cache, 0, sizeof(known->cache));
	ret = source->file ? type_search_file(&search, source->file) :
			     type_search_kernel(&search);
	if (ret)
		return ret;
	if (!*known->cache.type)
		return -ENOENT;
	found = known->cache;
	return type_make(known, &found);
}

/** type_explain() - a sentence for an error of type_find(), or NULL */
const char *type_explain(int err)
{
	switch (err) {
	case -ENODATA:
		return "nobody needs the record's type at this instant: its schema is not known";
	case -EINVAL:
		return "what is told of the record's type does not make the hash that it has";
	case -EBADMSG:
		return "the file is none that kmdomctl schema --json has written";
	default:
		return NULL;
	}
}
