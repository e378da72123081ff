/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file of a tmpfs as memory: a read of it is a copy, without a system call.
 */
#ifndef KMDOMD_STORE_MAP_H
#define KMDOMD_STORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct store_map - a file that is mapped; @bytes is NULL if it is not */
struct store_map {
	const uint8_t *bytes;
	uint64_t size;
};

int store_map_open(struct store_map *map, int fd, uint64_t size);
void store_map_close(struct store_map *map);
bool store_map_read(const struct store_map *map, void *buf, size_t len, uint64_t offset);

#endif /* KMDOMD_STORE_MAP_H */
