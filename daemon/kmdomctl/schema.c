// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomctl schema: what the types of a domain's objects are made of.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "json.h"
#include "kmdomctl.h"
#include "words.h"

/* Caches are collected first: what is printed is whole, or an error. */
struct schemas {
	struct kmdom_cache_schema *caches;
	size_t count;
};

static int schemas_add(const struct kmdom_cache_schema *cache, void *arg)
{
	struct schemas *schemas = arg;
	struct kmdom_cache_schema *more;

	more = reallocarray(schemas->caches, schemas->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	schemas->caches = more;
	schemas->caches[schemas->count++] = *cache;
	return 0;
}

/*
 * As JSON, for kmdomctl inspect --schema and others. A hash is a string, since
 * many readers of JSON have no integers of 64 bits; what they spoil of the ends
 * of ranges is noticed by the hash.
 */
static void field_json(const struct kmdom_schema_field *field)
{
	json_begin(NULL, '{');
	json_string("name", field->name);
	json_number("offset", field->offset);
	json_number("size", field->size);
	json_string("kind", kind_word(field->kind));
	if (field->kind == KMDOM_KIND_BYTES || field->kind == KMDOM_KIND_SECRET) {
		if (field->len_field == KMDOM_SCHEMA_LEN_ALL)
			json_string("len-field", "all");
		else if (field->len_field == KMDOM_SCHEMA_LEN_TRIM)
			json_string("len-field", "trim");
		else
			json_number("len-field", field->len_field);
	}
	if (*field->ref_type)
		json_string("ref-type", field->ref_type);
	json_number("flags", field->flags);
	json_number("min", field->min);
	json_number("max", field->max);
	json_end('}');
}

static void schema_json(const struct kmdom_cache_schema *cache)
{
	char hash[19];
	uint32_t i;

	snprintf(hash, sizeof(hash), "0x%016" PRIx64, cache->hash);
	json_begin(NULL, '{');
	json_number("id", cache->id);
	json_string("type", cache->type);
	json_string("hash", hash);
	json_number("pages", cache->pages);
	json_bool("attached", cache->attached);
	if (cache->size) {
		json_number("size", cache->size);
		json_number("slots", cache->slots);
		json_string("policy", policy_word(cache->policy));
		json_bool("check", cache->check);
		json_begin("fields", '[');
		for (i = 0; i < cache->nr_fields; i++)
			field_json(&cache->fields[i]);
		json_end(']');
	}
	json_end('}');
}

/* What may be in the field, beyond its size. */
static void field_print_limits(const struct kmdom_cache_schema *cache,
			       const struct kmdom_schema_field *field)
{
	switch (field->kind) {
	case KMDOM_KIND_INT:
		if (field->min || field->max)
			printf("%" PRIu64 " to %" PRIu64, field->min, field->max);
		break;
	case KMDOM_KIND_FLAGS:
		printf("of %#" PRIx64, field->max);
		break;
	case KMDOM_KIND_REF:
		printf("of %s", *field->ref_type ? field->ref_type : "any type");
		break;
	case KMDOM_KIND_BYTES:
	case KMDOM_KIND_SECRET:
		if (field->len_field == KMDOM_SCHEMA_LEN_TRIM)
			fputs("up to the last that is not 0", stdout);
		else if (field->len_field < cache->nr_fields)
			printf("as many as %s says", cache->fields[field->len_field].name);
		break;
	}
	fputs(field->flags ? ", grants authority\n" : "\n", stdout);
}

static void schema_print(const struct kmdom_cache_schema *cache)
{
	uint32_t i;

	printf("\n%s: cache %u, hash 0x%016" PRIx64 ", %" PRIu64 " pages%s\n", cache->type,
	       cache->id, cache->hash, cache->pages, cache->attached ? ", attached" : "");
	if (!cache->size) {
		puts("  nobody needs the type at this instant: its schema is not known");
		return;
	}
	printf("  %s: %s; %u bytes, %u to a page%s\n", policy_word(cache->policy),
	       policy_sentence(cache->policy), cache->size, cache->slots,
	       cache->check ? "; has a check of its own" : "");
	printf("  %6s %5s  %-7s %s\n", "OFFSET", "SIZE", "KIND", "NAME");
	for (i = 0; i < cache->nr_fields; i++) {
		const struct kmdom_schema_field *field = &cache->fields[i];

		printf("  %6u %5u  %-7s %-16s ", field->offset, field->size,
		       kind_word(field->kind), field->name);
		field_print_limits(cache, field);
	}
}

static void schemas_print(const struct kmdom_info *info, const struct schemas *schemas)
{
	char uuid[UUID_TEXT];
	size_t i;

	uuid_text(info->uuid, uuid);
	if (json_output) {
		json_begin(NULL, '{');
		json_string("domain", info->name);
		json_string("uuid", uuid);
		json_begin("caches", '[');
	} else {
		printf("%s: uuid %s\n", info->name, uuid);
	}
	for (i = 0; i < schemas->count; i++) {
		if (json_output)
			schema_json(&schemas->caches[i]);
		else
			schema_print(&schemas->caches[i]);
	}
	if (json_output) {
		json_end(']');
		json_end('}');
	}
}

int command_schema(int argc, char **argv)
{
	const char *name = parse_domain(argc, argv);
	struct schemas schemas = {};
	struct kmdom_info info;
	int ret;

	ret = kmdom_info_find(name, &info);
	if (!ret)
		ret = kmdom_cache_list(info.name, schemas_add, &schemas);
	if (ret)
		return fail(KMDOM_CALL_INFO, ret, name);
	schemas_print(&info, &schemas);
	free(schemas.caches);
	return EXIT_SUCCESS;
}
