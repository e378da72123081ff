// SPDX-License-Identifier: GPL-2.0
/*
 * Records into the store and out of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crc32c.h"
#include "report.h"
#include "store.h"
#include "store_format.h"

int store_io_init(struct store_io *io, struct store *store)
{
	*io = (struct store_io){ .store = store, .loc = SPACE_NONE };
	io->buf = aligned_alloc(STORE_ALIGN, STORE_BUF);
	if (!io->buf)
		return -ENOMEM;
	memset(io->buf, 0, STORE_BUF);
	return 0;
}

void store_io_exit(struct store_io *io)
{
	free(io->buf);
	io->buf = NULL;
}

#define STORE_REACH	64	/* segments that the superblock's reach grows by */

static uint8_t *io_slot(const struct store_io *io)
{
	return io->buf + STORE_ALIGN;
}

static off_t io_offset(const struct store *store, uint32_t loc)
{
	return STORE_SEGMENTS + (off_t)loc * store->unit;
}

/**
 * store_reserve() - a slot for a record whose length is not known yet
 * @store: the store
 * @io: gets the slot
 *
 * Return: Bytes that the record may have; -ENOSPC, or -ENOMEM: the index cannot
 * grow.
 */
int store_reserve(struct store *store, struct store_io *io)
{
	uint32_t room;

	/* For all that may be reserved at a time. */
	if (index_reserve(&store->index, STORE_RESERVED))
		return -ENOMEM;
	io->loc = space_alloc_largest(&store->space, store->slot_units);
	if (io->loc == SPACE_NONE)
		return -ENOSPC;
	room = space_units(&store->space, io->loc) * store->unit - STORE_HEADER;
	return room < KMDOM_RECORD_MAX ? room : KMDOM_RECORD_MAX;
}

/* Whether a record that was packed before fits the slot that was reserved. */
static bool io_fits(const struct store *store, const struct store_io *io)
{
	return STORE_HEADER + io->stored <=
	       space_units(&store->space, io->loc) * store->unit;
}

/* Give back a slot that was reserved and not written. */
void store_cancel(struct store *store, struct store_io *io)
{
	if (io->loc != SPACE_NONE)
		space_free(&store->space, io->loc);
	io->loc = SPACE_NONE;
}

/* The record turned out to be shorter: a smaller slot, if there is one. */
static unsigned int io_shrink(struct store *store, struct store_io *io, uint32_t bytes)
{
	unsigned int units = (bytes + store->unit - 1) / store->unit;
	uint32_t loc;

	if (units < space_units(&store->space, io->loc)) {
		loc = space_alloc(&store->space, units);
		if (loc != SPACE_NONE) {
			space_free(&store->space, io->loc);
			io->loc = loc;
		}
	}
	return units;
}

/* The superblock says how far to read, before there is anything to be read. */
static int io_extend_reach(struct store *store, const struct store_io *io)
{
	uint32_t nr = space_segment_of(io->loc);
	uint32_t reach = (nr / STORE_REACH + 1) * STORE_REACH;

	if (nr < store->reach)
		return 0;
	if (reach > store->space.nr_segments)
		reach = store->space.nr_segments;
	return store_write_super(store, reach);
}

/*
 * The first slot that is written to a segment of a new class carries the
 * segment's header with it, or writes it before, if it is not the first in
 * place. Others do not wait for that: store_commit() asks.
 */
static int io_add_segment(struct store *store, struct store_io *io)
{
	struct space_segment *seg = &store->space.segments[space_segment_of(io->loc)];
	uint8_t *header = io_slot(io) - store->unit;
	ssize_t done;
	int ret;

	io->has_segment = false;
	if (seg->media_class == seg->class)
		return 0;
	ret = io_extend_reach(store, io);
	if (ret)
		return ret;
	memset(header, 0, store->unit);
	store_segment_write(header, store->uuid, seg->class);
	seg->media_class = seg->class;
	if (io->loc % SPACE_SEGMENT_UNITS == 1) {
		io->has_segment = true;
		return 0;
	}
	done = pwrite(store->fd, header, store->unit,
		      io_offset(store, io->loc / SPACE_SEGMENT_UNITS * SPACE_SEGMENT_UNITS));
	if (done != (ssize_t)store->unit) {
		seg->media_class = 0;
		return done < 0 ? -errno : -ENOSPC;
	}
	return 0;
}

/* The transfer failed, or that of the segment's header. */
static void io_write_failed(struct store_io *io, int error)
{
	struct store *store = io->store;

	store->stats.errors++;
	if (io->has_segment)
		store->space.segments[space_segment_of(io->loc)].media_class = 0;
	io->error = error;
	io->done(io, error);
}

static void io_write_done(struct door_job *job, int res)
{
	struct store_io *io = (struct store_io *)job;
	struct store *store = io->store;

	if (res <= 0) {
		io_write_failed(io, res ? res : -ENOSPC);
		return;
	}
	store->stats.bytes_stored += res;
	if (res < (int)job->len) {
		/* What is left tells why. */
		job->buf = (uint8_t *)job->buf + res;
		job->len -= res;
		job->offset += res;
		store->ops->transfer(store, io);
		return;
	}
	store->stats.writes++;
	store->stats.bytes_in += io->length;
	io->done(io, io->length);
}

static void io_write_header(struct store *store, struct store_io *io)
{
	const struct store_slot_info info = {
		.key = io->key,
		.version = io->version,
		.length = io->length,
		.stored = io->stored,
		.data_crc = crc32c(0, store_record(io), io->stored),
		.flags = io->flags,
	};

	store_slot_write(io_slot(io), store->uuid, &info);
}

/**
 * store_write() - write a record to the slot that was reserved for it
 * @store: the store
 * @io: key, version, length; the record at store_record(), with stored 0.
 *	@io->done is called when it is written, which is not yet vouched for;
 *	after a failure the record is still there, for store_write_again()
 */
void store_write(struct store *store, struct store_io *io)
{
	unsigned int units;
	int ret;

	io->error = 0;
	if (!io->stored) {
		io->flags = 0;
		io->stored = store->ops->put(store, io);
	}
	io_write_header(store, io);
	units = io_shrink(store, io, STORE_HEADER + io->stored);
	memset((uint8_t *)store_record(io) + io->stored, 0,
	       units * store->unit - STORE_HEADER - io->stored);
	io->job = (struct door_job) {
		.done = io_write_done, .write = true, .fd = store->fd,
		.buf = io_slot(io), .len = units * store->unit,
		.offset = io_offset(store, io->loc),
	};
	ret = io_add_segment(store, io);
	if (ret) {
		io_write_failed(io, ret);
		return;
	}
	if (io->has_segment) {
		io->job.buf = io_slot(io) - store->unit;
		io->job.len += store->unit;
		io->job.offset -= store->unit;
	}
	store->ops->transfer(store, io);
}

/* Whether a write failed because of its place, so that another may do. */
static bool io_place_is_bad(const struct store_io *io)
{
	switch (io->error) {
	case 0:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
	case -ENOSPC:
	case -EDQUOT:
		return false;
	default:
		return true;
	}
}

/**
 * store_write_again() - write a record whose write failed to another slot
 * @store: the store
 * @io: as store_write() left it
 *
 * A slot that is bad stays in use for the life of this process, and so does its
 * segment if the header is at fault. If there is no other slot that the record
 * fits, it is written to the same again.
 */
void store_write_again(struct store *store, struct store_io *io)
{
	uint32_t old = io->loc, nr = space_segment_of(old);
	struct space_segment *seg = &store->space.segments[nr];
	bool bad = io_place_is_bad(io);

	if (bad && seg->media_class != seg->class)
		space_retire(&store->space, nr);
	io->loc = SPACE_NONE;
	if (store_reserve(store, io) < 0 || !io_fits(store, io)) {
		store_cancel(store, io);
		io->loc = old;
		bad = true;
	}
	store_write(store, io);
	/* Only now, so that it was not the next one that was found. */
	if (!bad)
		space_free(&store->space, old);
}

/**
 * store_commit() - a record that was written becomes the page's
 * @store: the store
 * @io: the record; its slot is the store's now
 *
 * All writes that were begun together must have ended before.
 *
 * Return: 0: it may be vouched for; -EIO: its segment's header was not written.
 */
int store_commit(struct store *store, struct store_io *io)
{
	struct space_segment *seg = &store->space.segments[space_segment_of(io->loc)];
	struct index_entry *entry;

	if (seg->media_class != seg->class)
		return -EIO;
	/* Room for it was made by store_reserve(). */
	entry = index_put(&store->index, io->key);
	if (entry->version)
		space_free(&store->space, entry->loc);
	entry->version = io->version;
	entry->loc = io->loc;
	entry->flags = INDEX_SEEN | INDEX_VERIFIED;
	/* It may be evicted before SCAN comes to what is under it. */
	if (index_level(io->key))
		entry->flags |= INDEX_ABSENT;
	io->loc = SPACE_NONE;
	return 0;
}

static int io_check_slot(struct store *store, struct store_io *io)
{
	struct store_slot_info info;

	if (!store_slot_read(io_slot(io), store->uuid, io->job.len, &info) ||
	    info.key != io->key || info.version != io->version ||
	    info.stored > io->job.len - STORE_HEADER ||
	    crc32c(0, store_record(io), info.stored) != info.data_crc)
		return -EBADMSG;
	io->length = info.length;
	io->stored = info.stored;
	io->flags = info.flags;
	return store->ops->get(store, io);
}

static void io_read_done(struct door_job *job, int res)
{
	struct store_io *io = (struct store_io *)job;
	struct store *store = io->store;
	struct index_entry *entry;

	if (res < 0) {
		store->stats.errors++;
	} else {
		/* A slot that was not filled may end behind the end of the file. */
		store->stats.reads++;
		job->len = res;
		res = res < STORE_HEADER ? -EBADMSG : io_check_slot(store, io);
	}
	if (res == -EBADMSG)
		store->stats.corrupt++;
	entry = index_get(&store->index, io->key);
	if (res > 0 && entry && entry->version == io->version)
		entry->flags |= INDEX_VERIFIED;
	io->done(io, res);
}

/**
 * store_read() - read the record of a page, and check it
 * @store: the store
 * @io: key and version, which the index has
 *
 * @io->done gets the record's length; -EBADMSG: the slot's bytes are not what
 * was written; or what the transfer said.
 */
void store_read(struct store *store, struct store_io *io)
{
	struct index_entry *entry = index_get(&store->index, io->key);

	io->job = (struct door_job) {
		.done = io_read_done, .fd = store->fd, .buf = io_slot(io),
		.len = space_units(&store->space, entry->loc) * store->unit,
		.offset = io_offset(store, entry->loc),
	};
	store->ops->transfer(store, io);
}

/**
 * store_drop() - a page's record is not needed any more
 * @store: the store
 * @key: of the page
 * @version: records up to this one
 */
void store_drop(struct store *store, uint64_t key, uint64_t version)
{
	struct index_entry *entry = index_get(&store->index, key);

	if (!entry || entry->version > version)
		return;
	space_free(&store->space, entry->loc);
	index_del(&store->index, entry);
}
