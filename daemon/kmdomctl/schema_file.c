// SPDX-License-Identifier: GPL-2.0
/*
 * Reading schemas in the form that schema.c writes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "schema_file.h"
#include "words.h"

/*
 * Each of these returns 0, or -EBADMSG if the object has no such
 * member. Whether the values make a type is for who makes one of them.
 */

static int get(struct json_object *from, const char *name, enum json_type type,
	       struct json_object **value)
{
	return json_object_object_get_ex(from, name, value) &&
	       json_object_is_type(*value, type) ? 0 : -EBADMSG;
}

static int get_u64(struct json_object *from, const char *name, uint64_t *to)
{
	struct json_object *value;
	int ret = get(from, name, json_type_int, &value);

	if (!ret)
		*to = json_object_get_uint64(value);
	return ret;
}

static int get_u32(struct json_object *from, const char *name, uint32_t *to)
{
	uint64_t value;
	int ret = get_u64(from, name, &value);

	if (!ret && value > UINT32_MAX)
		ret = -EBADMSG;
	if (!ret)
		*to = value;
	return ret;
}

static int get_flag(struct json_object *from, const char *name, uint32_t *to)
{
	struct json_object *value;
	int ret = get(from, name, json_type_boolean, &value);

	if (!ret)
		*to = json_object_get_boolean(value);
	return ret;
}

static int get_text(struct json_object *from, const char *name, char *to, size_t size)
{
	struct json_object *value;
	int ret = get(from, name, json_type_string, &value);

	if (!ret && snprintf(to, size, "%s", json_object_get_string(value)) >= (int)size)
		ret = -EBADMSG;
	return ret;
}

static int get_word(struct json_object *from, const char *name,
		    int (*number)(const char *word), uint32_t *to)
{
	char word[16];
	int ret = get_text(from, name, word, sizeof(word)), value;

	if (ret)
		return ret;
	value = number(word);
	*to = value;
	return value < 0 ? -EBADMSG : 0;
}

static int get_hash(struct json_object *from, uint64_t *hash)
{
	char text[19], *end;
	int ret = get_text(from, "hash", text, sizeof(text));

	if (ret)
		return ret;
	*hash = strtoull(text, &end, 16);
	return strlen(text) == sizeof(text) - 1 && !*end ? 0 : -EBADMSG;
}

static int get_len_field(struct json_object *from, uint32_t *len_field)
{
	char word[5];

	if (!get_u32(from, "len-field", len_field))
		return 0;
	if (get_text(from, "len-field", word, sizeof(word)))
		return -EBADMSG;
	*len_field = KMDOM_SCHEMA_LEN_ALL;
	if (!strcmp(word, "trim"))
		*len_field = KMDOM_SCHEMA_LEN_TRIM;
	return !strcmp(word, "all") || !strcmp(word, "trim") ? 0 : -EBADMSG;
}

static int field_read(struct json_object *from, struct kmdom_schema_field *field)
{
	int ret;

	ret = get_text(from, "name", field->name, sizeof(field->name)) ?:
	      get_u32(from, "offset", &field->offset) ?:
	      get_u32(from, "size", &field->size) ?:
	      get_word(from, "kind", kind_number, &field->kind) ?:
	      get_u32(from, "flags", &field->flags) ?:
	      get_u64(from, "min", &field->min) ?:
	      get_u64(from, "max", &field->max);
	if (!ret && json_object_object_get_ex(from, "len-field", NULL))
		ret = get_len_field(from, &field->len_field);
	if (!ret && json_object_object_get_ex(from, "ref-type", NULL))
		ret = get_text(from, "ref-type", field->ref_type, sizeof(field->ref_type));
	return ret;
}

/* Without the rest, if its type was not there. */
static int cache_read(struct json_object *from, struct kmdom_cache_schema *cache)
{
	struct json_object *fields;
	size_t nr, i;
	int ret;

	ret = get_u32(from, "id", &cache->id) ?:
	      get_text(from, "type", cache->type, sizeof(cache->type)) ?:
	      get_hash(from, &cache->hash);
	if (ret || !json_object_object_get_ex(from, "size", NULL))
		return ret;
	ret = get_u32(from, "size", &cache->size) ?:
	      get_u32(from, "slots", &cache->slots) ?:
	      get_word(from, "policy", policy_number, &cache->policy) ?:
	      get_flag(from, "check", &cache->check) ?:
	      get(from, "fields", json_type_array, &fields);
	if (ret)
		return ret;
	nr = json_object_array_length(fields);
	if (nr > KMDOM_SCHEMA_FIELDS)
		return -EBADMSG;
	for (i = 0; i < nr && !ret; i++)
		ret = field_read(json_object_array_get_idx(fields, i), &cache->fields[i]);
	cache->nr_fields = nr;
	return ret;
}

static int schema_read(struct json_object *from, struct schema_file **file)
{
	struct json_object *caches;
	struct schema_file *made;
	char uuid[UUID_TEXT];
	size_t nr, i;
	int ret;

	ret = get_text(from, "uuid", uuid, sizeof(uuid)) ?:
	      get(from, "caches", json_type_array, &caches);
	if (ret)
		return ret;
	nr = json_object_array_length(caches);
	made = calloc(1, sizeof(*made) + nr * sizeof(made->caches[0]));
	if (!made)
		return -ENOMEM;
	if (uuid_parse(uuid, made->uuid))
		ret = -EBADMSG;
	for (i = 0; i < nr && !ret; i++)
		ret = cache_read(json_object_array_get_idx(caches, i), &made->caches[i]);
	made->nr_caches = nr;
	if (ret)
		free(made);
	else
		*file = made;
	return ret;
}

/**
 * schema_file_read() - read a file of schemas
 * @path: of the file
 * @file: out: what is in it, for schema_file_free()
 *
 * Return: 0 or a negative errno; -EBADMSG if it is not what is written by
 * kmdomctl schema --json.
 */
int schema_file_read(const char *path, struct schema_file **file)
{
	FILE *stream = fopen(path, "re");
	struct json_object *root;
	int ret;

	if (!stream)
		return -errno;
	root = json_object_from_fd(fileno(stream));
	fclose(stream);
	if (!root)
		return -EBADMSG;
	ret = schema_read(root, file);
	json_object_put(root);
	return ret;
}

/** schema_file_free() - forget what was read */
void schema_file_free(struct schema_file *file)
{
	free(file);
}
