/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A store: records that were vouched for, in a file that outlives the process.
 *
 * On the medium: a superblock, then segments of slots (space.h). A slot begins
 * with a header that names the record and carries checksums, so that the index
 * is rebuilt by reading the slots, after a SIGKILL at any instant:
 *  - A record is vouched for only when its slot has been written whole, and
 *    its segment's header too (store_commit()).
 *  - The slot of the record that an absent page is restored from is not
 *    written again before the kernel has given out a newer one, or the page
 *    is gone. A page that is present has its truth in the kernel.
 *  - Slots that are free keep their old bytes. What they name is superseded or
 *    gone: versions never come back, the highest of a page wins, and what is
 *    offered to the kernel has exactly the version that it asks for.
 *  - The file is locked, through the description that its I/O goes through:
 *    the lock ends when the last transfer of a dead process has.
 * Records are not flushed to the disk: a domain does not outlive the machine.
 */
#ifndef KMDOMD_STORE_H
#define KMDOMD_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>
#include "door.h"
#include "index.h"
#include "space.h"
#include "store_chaos.h"

#define STORE_ALIGN	4096	/* of memory and, at most, of the medium */
#define STORE_HEADER	64	/* bytes of a slot's header */
#define STORE_SLOT_MAX	8192	/* bytes of the largest slot */
#define STORE_RESERVED	64	/* slots that are reserved at a time, at most */
#define STORE_BUF	(STORE_ALIGN + STORE_SLOT_MAX)

struct store;

/**
 * struct store_io - one record on its way, with its buffer
 * @job: the transfer
 * @store: whose
 * @done: called when it has ended: bytes of the record or a negative errno
 * @buf: STORE_BUF bytes, aligned to STORE_ALIGN; the record is at store_record()
 * @key: of the page
 * @version: of the record
 * @length: of the record
 * @stored: bytes in the slot; 0: the record is as it came, not packed yet
 * @flags: STORE_SLOT_* of those bytes
 * @loc: place of its slot, or SPACE_NONE
 * @error: why its write failed: a negative errno, or 0
 * @has_segment: the transfer carries the segment's header as well
 * @chaos: of store_chaos.c: whom the end is told, late perhaps
 */
struct store_io {
	struct door_job job;
	struct store *store;
	void (*done)(struct store_io *io, int ret);
	uint8_t *buf;
	uint64_t key;
	uint64_t version;
	uint32_t length;
	uint32_t stored;
	uint32_t loc;
	int error;
	uint16_t flags;
	bool has_segment;
	struct {
		door_fn done;
		int64_t due;	/* clock_ms() */
		int res;
		uint32_t rotten;	/* the bit that was turned for the medium, or 0 */
		bool overtake;	/* due when another has ended */
	} chaos;
};

/* Where the record is: the slot's header is before it, the segment's before that. */
static inline void *store_record(const struct store_io *io)
{
	return io->buf + STORE_ALIGN + STORE_HEADER;
}

struct store_stats {
	uint64_t writes;
	uint64_t reads;
	uint64_t bytes_in;	/* of records */
	uint64_t bytes_stored;	/* what became of them in their slots */
	uint64_t errors;	/* transfers that failed */
	uint64_t corrupt;	/* slots whose checksum was wrong */
};

/**
 * struct store_options - what the command line says
 * @kind: "file" or "mem"
 * @path: of the file
 * @size: bytes; 0: the device's, the file's, or a default
 * @replace: take the store even if it is another domain's, and empty it
 * @chaos: what shall go wrong
 * @gone: is it certain that the domain of this uuid has ended? May be NULL
 * @stop: has it become pointless to load the store? May be NULL
 */
struct store_options {
	const char *kind;
	const char *path;
	uint64_t size;
	bool replace;
	struct chaos_options chaos;
	bool (*gone)(const uint8_t uuid[16]);
	bool (*stop)(void);
};

/**
 * struct store_ops - a kind of store
 * @name: as in the options
 * @direct: open the file for O_DIRECT
 * @open, @close: what it has beside the file; may be NULL
 * @put: the record in @io to its slot's bytes; returns their number, sets flags
 * @get: a slot's bytes, as @io says, to the record; its length or -EBADMSG
 * @transfer: move @io->job
 */
struct store_ops {
	const char *name;
	bool direct;
	int (*open)(struct store *store);
	void (*close)(struct store *store);
	uint32_t (*put)(struct store *store, struct store_io *io);
	int (*get)(struct store *store, struct store_io *io);
	void (*transfer)(struct store *store, struct store_io *io);
};

extern const struct store_ops store_file_ops;
extern const struct store_ops store_mem_ops;

struct store {
	const struct store_ops *ops;
	const struct store_options *options;
	struct door *door;	/* for transfers, once the store serves */
	void *priv;
	struct chaos *chaos;	/* or NULL */
	char *path;
	int fd;
	int claim;		/* keeps others off a block device, or -1 */
	uint32_t unit;		/* bytes */
	uint32_t slot_units;	/* of the largest slot that is needed */
	uint32_t reach;		/* segments below may be in use: the superblock's */
	void *super;		/* STORE_ALIGN bytes, to write that one */
	uint64_t size;
	uint64_t end;		/* bytes of the file when it was opened, or the device's */
	uint64_t unreadable;	/* slots and segments that could not be read */
	uint8_t uuid[16];	/* of the domain */
	uint8_t boot[16];	/* this one, or 0 */
	bool block;		/* it is a block device */
	bool direct;		/* the file is open with O_DIRECT */
	struct space space;
	struct index index;
	struct store_stats stats;
};

/* store.c: opening */
bool store_has_kind(const char *name);
int store_open(struct store *store, const struct store_options *options);
int store_lock(struct store *store, int timeout_ms);
int store_check(struct store *store, const uint8_t uuid[16]);
int store_load(struct store *store, const uint8_t uuid[16]);
int store_write_super(struct store *store, uint32_t reach);
void store_close(struct store *store);

/* store_load.c */
int store_load_segments(struct store *store);
bool store_read_at(struct store *store, void *buf, size_t bytes, off_t offset);

/* store_io.c: use */
int store_io_init(struct store_io *io, struct store *store);
void store_io_exit(struct store_io *io);
int store_reserve(struct store *store, struct store_io *io);
void store_cancel(struct store *store, struct store_io *io);
void store_write(struct store *store, struct store_io *io);
void store_write_again(struct store *store, struct store_io *io);
int store_commit(struct store *store, struct store_io *io);
void store_read(struct store *store, struct store_io *io);
void store_drop(struct store *store, uint64_t key, uint64_t version);

#endif /* KMDOMD_STORE_H */
