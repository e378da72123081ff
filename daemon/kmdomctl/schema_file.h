/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Schemas as kmdomctl schema --json writes them.
 */
#ifndef KMDOMCTL_SCHEMA_FILE_H
#define KMDOMCTL_SCHEMA_FILE_H

#include <stddef.h>
#include <kmdom/kmdom.h>

/**
 * struct schema_file - what is in a file
 * @uuid: of the domain
 * @nr_caches: entries of @caches
 * @caches: its caches, with their schemas
 */
struct schema_file {
	uint8_t uuid[16];
	size_t nr_caches;
	struct kmdom_cache_schema caches[];
};

int schema_file_read(const char *path, struct schema_file **file);
void schema_file_free(struct schema_file *file);

#endif /* KMDOMCTL_SCHEMA_FILE_H */
