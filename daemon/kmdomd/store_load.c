// SPDX-License-Identifier: GPL-2.0
/*
 * Reading what a store has, when it is opened.
 *
 * What cannot be read is left out, and kept out of use: it may be a record that
 * can be read another time, and it will probably not take a new one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crc32c.h"
#include "report.h"
#include "store.h"
#include "store_format.h"

#define LOAD_CHUNK	(STORE_ALIGN * SPACE_SEGMENT_UNITS * 2)

/* Which units of a segment could not be read. */
struct load_bad {
	uint64_t units[2];
};

static bool load_is_bad(const struct load_bad *bad, unsigned int unit)
{
	return bad->units[unit / 64] >> (unit % 64) & 1;
}

/**
 * store_read_at() - read bytes of the file
 * @store: the store
 * @buf: for them, aligned; behind the end of the file they are 0
 * @bytes: how many
 * @offset: from where
 *
 * Return: Whether all that there are could be read.
 */
bool store_read_at(struct store *store, void *buf, size_t bytes, off_t offset)
{
	uint64_t left = (uint64_t)offset < store->end ? store->end - offset : 0;
	ssize_t len;

	do {
		len = pread(store->fd, buf, bytes, offset);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		len = 0;
	memset((uint8_t *)buf + len, 0, bytes - len);
	return (uint64_t)len >= (left < bytes ? left : bytes);
}

/* One record was found. Of two of a page the newer wins. */
static int load_record(struct store *store, uint32_t loc, const uint8_t *slot,
		       const struct store_slot_info *info)
{
	struct index_entry *entry;

	if (index_reserve(&store->index, 1))
		return -ENOMEM;
	entry = index_put(&store->index, info->key);
	if (entry->version > info->version)
		return 0;
	/* Written twice after a failure: then whole ones only. */
	if (entry->version == info->version &&
	    crc32c(0, slot + STORE_HEADER, info->stored) != info->data_crc)
		return 0;
	if (entry->version)
		space_free(&store->space, entry->loc);
	entry->version = info->version;
	entry->loc = loc;
	entry->flags = 0;
	space_load_slot(&store->space, loc);
	return 0;
}

static int load_segment(struct store *store, uint32_t nr, const uint8_t *buf,
			const struct load_bad *bad)
{
	unsigned int class = store_segment_read(buf, store->uuid);
	struct store_slot_info info;
	unsigned int slot;
	uint32_t loc, room;
	int ret;

	if (load_is_bad(bad, 0)) {
		store->unreadable++;
		space_retire(&store->space, nr);
		return 0;
	}
	if (!class)
		return 0;
	room = class * store->unit;
	space_load_segment(&store->space, nr, class);
	for (slot = 0; slot < space_slots(class); slot++) {
		const uint8_t *at = buf + store->unit * (1 + slot * class);

		loc = space_loc(nr, class, slot);
		if (load_is_bad(bad, 1 + slot * class)) {
			store->unreadable++;
			space_load_slot(&store->space, loc);
			continue;
		}
		if (!store_slot_read(at, store->uuid, room, &info))
			continue;
		ret = load_record(store, loc, at, &info);
		if (ret)
			return ret;
	}
	return 0;
}

static off_t load_offset(const struct store *store, uint32_t nr)
{
	return STORE_SEGMENTS + (off_t)nr * store->unit * SPACE_SEGMENT_UNITS;
}

/* A segment that cannot be read whole: what can be. */
static int load_broken_segment(struct store *store, uint32_t nr, uint8_t *buf)
{
	off_t offset = load_offset(store, nr);
	struct load_bad bad = {};
	unsigned int unit;

	for (unit = 0; unit < SPACE_SEGMENT_UNITS; unit++) {
		if (!store_read_at(store, buf + unit * store->unit, store->unit,
				   offset + unit * store->unit))
			bad.units[unit / 64] |= 1ULL << (unit % 64);
	}
	return load_segment(store, nr, buf, &bad);
}

static int load_chunk(struct store *store, uint32_t nr, uint32_t end, uint8_t *buf)
{
	static const struct load_bad none;
	size_t segment = (size_t)store->unit * SPACE_SEGMENT_UNITS;
	bool whole = store_read_at(store, buf, (end - nr) * segment, load_offset(store, nr));
	uint8_t *at;
	int ret = 0;

	for (at = buf; nr < end && !ret; nr++, at += segment) {
		if (whole || store_read_at(store, at, segment, load_offset(store, nr)))
			ret = load_segment(store, nr, at, &none);
		else
			ret = load_broken_segment(store, nr, at);
	}
	return ret;
}

/*
 * Of segments without a header nothing else is read; those that have one are
 * read many at a time, since clients wait for this.
 */
static int load_all(struct store *store, uint8_t *buf)
{
	uint32_t chunk = LOAD_CHUNK / (store->unit * SPACE_SEGMENT_UNITS);
	uint32_t nr = 0, end;
	int ret = 0;

	while (nr < store->reach && !ret) {
		if (store->options->stop && store->options->stop())
			return -EINTR;
		if (store_read_at(store, buf, store->unit, load_offset(store, nr)) &&
		    !store_segment_read(buf, store->uuid)) {
			nr++;
			continue;
		}
		end = store->reach - nr < chunk ? store->reach : nr + chunk;
		ret = load_chunk(store, nr, end, buf);
		nr = end;
	}
	return ret;
}

/**
 * store_load_segments() - make the index
 * @store: the store, whose superblock was read
 *
 * Return: 0, -ENOMEM, or -EINTR: it was stopped.
 */
int store_load_segments(struct store *store)
{
	uint8_t *buf = aligned_alloc(STORE_ALIGN, LOAD_CHUNK);
	int ret = buf ? load_all(store, buf) : -ENOMEM;

	free(buf);
	if (!ret && store->unreadable)
		report_warning("store %s: %llu places of it cannot be read: the records there are missing, and nothing is written there",
			       store->path, (unsigned long long)store->unreadable);
	return ret;
}
