/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Types as the module's own encoder and decoder take them, found by what a
 * record names.
 */
#ifndef KMDOMCTL_TYPE_H
#define KMDOMCTL_TYPE_H

#include <kmdom/kmdom.h>
#include <core/schema.h>

/**
 * struct known_type - a type that was found
 * @schema: as the decoder takes it
 * @type: of it
 * @fields: of it
 * @cache: what was told of it; names are there
 */
struct known_type {
	struct kmdom_schema schema;
	struct kmdom_type type;
	struct kmdom_field fields[KMDOM_FIELDS_MAX];
	struct kmdom_cache_schema cache;
};

int type_make(struct known_type *known, const struct kmdom_cache_schema *cache);

/**
 * struct type_source - where types are looked for
 * @file: what kmdomctl schema --json has written; NULL: in the kernel
 */
struct type_source {
	const char *file;
};

int type_find(const struct type_source *source, const uint8_t uuid[16], uint64_t hash,
	      struct known_type *known);
const char *type_explain(int err);

#endif /* KMDOMCTL_TYPE_H */
