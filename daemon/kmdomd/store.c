// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a store: whether it is one, whose it is, and what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include "crc32c.h"
#include "report.h"
#include "store.h"
#include "store_format.h"

#define STORE_SIZE_DEFAULT	(1ULL << 30)
#define STORE_KMDOMFS_MAGIC	0x6b6d6673	/* KMDOMFS_MAGIC of module/fs */
#define STORE_LOCK_RETRY_MS	20
#define STORE_CHUNK		(STORE_ALIGN * SPACE_SEGMENT_UNITS * 2)

static const struct store_ops *const store_kinds[] = {
	&store_file_ops,
	&store_mem_ops,
};

static const struct store_ops *store_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(store_kinds) / sizeof(*store_kinds); i++) {
		if (!strcmp(store_kinds[i]->name, name))
			return store_kinds[i];
	}
	return NULL;
}

static int store_open_file(struct store *store)
{
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY;

	if (store->ops->direct) {
		store->fd = open(store->path, flags | O_DIRECT, 0600);
		store->direct = store->fd >= 0;
		if (store->fd < 0 && errno == EINVAL)
			report_warning("store %s: no O_DIRECT there, it goes through the page cache",
				       store->path);
	}
	if (store->fd < 0 && (!store->ops->direct || errno == EINVAL))
		store->fd = open(store->path, flags, 0600);
	if (store->fd >= 0)
		return 0;
	report_error("store %s: cannot open it: %s", store->path, strerror(errno));
	return -errno;
}

/* Bytes that a transfer must be a multiple of; 0 if that is too many. */
static uint32_t store_unit(const struct store *store)
{
	char sector[512] __attribute__((aligned(512)));
	struct statx stx;

	if (!store->direct)
		return sizeof(sector);
	if (statx(store->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) ||
	    !(stx.stx_mask & STATX_DIOALIGN))
		return pread(store->fd, sector, sizeof(sector), sizeof(sector)) < 0 ?
		       STORE_ALIGN : sizeof(sector);
	if (stx.stx_dio_offset_align > STORE_ALIGN ||
	    stx.stx_dio_mem_align > STORE_ALIGN)
		return 0;
	return stx.stx_dio_offset_align > 512 ? stx.stx_dio_offset_align : 512;
}

/* That it is a file or a block device, and nowhere that pages through us. */
static int store_check_place(struct store *store, struct stat *st)
{
	struct statfs fs;

	if (fstat(store->fd, st) || fstatfs(store->fd, &fs)) {
		report_error("store %s: %s", store->path, strerror(errno));
		return -errno;
	}
	if (fs.f_type == STORE_KMDOMFS_MAGIC) {
		report_error("store %s: it lies on a kmdomfs, whose pages a pager must "
			     "bring: put it on another file system",
			     store->path);
		return -EINVAL;
	}
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode)) {
		report_error("store %s: it is neither a file nor a block device",
			     store->path);
		return -EINVAL;
	}
	return 0;
}

static int store_find_size(struct store *store, const struct stat *st)
{
	uint64_t bytes = st->st_size;

	if (S_ISBLK(st->st_mode) && ioctl(store->fd, BLKGETSIZE64, &bytes) < 0)
		return -errno;
	/* A file may be asked to grow; its records stay within reach. */
	if (S_ISREG(st->st_mode)) {
		if (!store->size)
			store->size = STORE_SIZE_DEFAULT;
		if (store->size < bytes)
			store->size = bytes;
	} else if (!store->size || store->size > bytes) {
		store->size = bytes;
	}
	return 0;
}

/**
 * store_open() - open a store's file; nothing of it is read or changed
 * @store: to be filled in
 * @options: what to open
 *
 * Return: 0 or a negative errno, with the reason reported.
 */
int store_open(struct store *store, const struct store_options *options)
{
	struct stat st;
	int ret;

	*store = (struct store){ .fd = -1, .size = options->size,
				 .replace = options->replace };
	store->ops = store_kind(options->kind);
	if (!store->ops) {
		report_error("there is no kind of store \"%s\": file and mem are",
			     options->kind);
		return -EINVAL;
	}
	store->path = strdup(options->path);
	store->super = aligned_alloc(STORE_ALIGN, STORE_ALIGN);
	ret = store->path && store->super ? store_open_file(store) : -ENOMEM;
	if (!ret)
		ret = store_check_place(store, &st);
	if (!ret)
		ret = store_find_size(store, &st);
	if (!ret && store->ops->open)
		ret = store->ops->open(store);
	if (ret)
		store_close(store);
	return ret;
}

void store_close(struct store *store)
{
	if (store->ops && store->ops->close)
		store->ops->close(store);
	if (store->fd >= 0)
		close(store->fd);
	index_exit(&store->index);
	space_exit(&store->space);
	free(store->super);
	free(store->path);
	*store = (struct store){ .fd = -1 };
}

/**
 * store_lock() - make sure that nobody else writes to the store
 * @store: the store
 * @timeout_ms: how long to wait for who still does
 *
 * A predecessor that was killed holds the lock until its last transfer ended.
 *
 * Return: 0, or -EBUSY.
 */
int store_lock(struct store *store, int timeout_ms)
{
	struct timespec pause = { .tv_nsec = STORE_LOCK_RETRY_MS * 1000000L };

	for (;;) {
		if (!flock(store->fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (timeout_ms <= 0)
			return -EBUSY;
		nanosleep(&pause, NULL);
		timeout_ms -= STORE_LOCK_RETRY_MS;
	}
}

/**
 * store_write_super() - write the superblock
 * @store: the store, locked
 * @reach: segments from this one on are not in use
 *
 * Old slots of a store that was another domain's are told by the uuid that
 * they name: nothing else is written to a store that is new.
 *
 * Return: 0 or a negative errno.
 */
int store_write_super(struct store *store, uint32_t reach)
{
	ssize_t done;

	store_super_write(store->super, store->uuid, store->unit, reach);
	done = pwrite(store->fd, store->super, STORE_ALIGN, 0);
	if (done != STORE_ALIGN)
		return done < 0 ? -errno : -ENOSPC;
	store->reach = reach;
	return 0;
}

static int store_format(struct store *store)
{
	int ret = store_write_super(store, 0);

	if (ret)
		report_error("store %s: cannot write to it: %s", store->path,
			     strerror(-ret));
	return ret;
}

static void store_report_foreign(const struct store *store, const uint8_t *uuid)
{
	report_error("store %s: it belongs to another domain, %02x%02x%02x%02x-%02x%02x-...: "
		     "name another store, or give it up with --replace-store",
		     store->path, uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5]);
}

/* Whose store it is: 0: the domain's own; -ENODATA: nobody's yet. */
static int store_identify(struct store *store)
{
	uint8_t uuid[16];
	uint32_t unit = 0;
	void *buf = store->super;
	int ret;

	memset(buf, 0, STORE_ALIGN);
	if (pread(store->fd, buf, STORE_ALIGN, 0) < 0) {
		report_error("store %s: cannot read it: %s", store->path, strerror(errno));
		return -EIO;
	}
	ret = store_super_read(buf, uuid, &unit, &store->reach);
	if (ret == -ENODATA)
		return ret;
	if (ret) {
		report_error("store %s: %s", store->path, ret == -EILSEQ ?
			     "its superblock is damaged" :
			     "it is no store of kmdomd's, and not empty: name another file");
		return -EINVAL;
	}
	if (memcmp(uuid, store->uuid, sizeof(uuid))) {
		if (store->replace)
			return -ENODATA;
		store_report_foreign(store, uuid);
		return -EINVAL;
	}
	if (unit < store->unit) {
		report_error("store %s: it was made with blocks of %u bytes, and lies "
			     "where they have %u",
			     store->path, unit, store->unit);
		return -EINVAL;
	}
	store->unit = unit;
	return 0;
}

/**
 * store_check() - could this store serve the domain?
 * @store: the store; need not be locked
 * @uuid: of the domain
 *
 * Return: 0, if it is the domain's or nobody's; a negative errno, with the
 * reason reported. Nothing was changed.
 */
int store_check(struct store *store, const uint8_t uuid[16])
{
	int ret;

	memcpy(store->uuid, uuid, sizeof(store->uuid));
	store->unit = store_unit(store);
	if (!store->unit) {
		report_error("store %s: its blocks are larger than %u bytes",
			     store->path, STORE_ALIGN);
		return -EINVAL;
	}
	ret = store_identify(store);
	return ret == -ENODATA ? 0 : ret;
}

/* One record was found. Of two of a page the newer wins. */
static int store_load_record(struct store *store, uint32_t loc, const uint8_t *slot,
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

static int store_load_segment(struct store *store, uint32_t nr, const uint8_t *buf)
{
	unsigned int class = store_segment_read(buf, store->uuid);
	struct store_slot_info info;
	unsigned int slot;
	uint32_t loc, room;
	int ret;

	if (!class)
		return 0;
	room = class * store->unit;
	space_load_segment(&store->space, nr, class);
	for (slot = 0; slot < space_slots(class); slot++) {
		const uint8_t *at = buf + store->unit * (1 + slot * class);

		if (!store_slot_read(at, store->uuid, room, &info))
			continue;
		loc = space_loc(nr, class, slot);
		ret = store_load_record(store, loc, at, &info);
		if (ret)
			return ret;
	}
	return 0;
}

/* Bytes from a segment's start on; 0 behind the end of the file. */
static ssize_t store_read_segments(struct store *store, uint32_t nr, uint8_t *buf,
				   size_t bytes)
{
	off_t segment = (off_t)store->unit * SPACE_SEGMENT_UNITS;
	ssize_t len = pread(store->fd, buf, bytes, STORE_SEGMENTS + nr * segment);

	if (len < 0) {
		report_error("store %s: cannot read it: %s", store->path,
			     strerror(errno));
		return -EIO;
	}
	memset(buf + len, 0, bytes - len);
	return len;
}

/*
 * Of segments without a header nothing else is read; those that have one are
 * read many at a time, since clients wait for this.
 */
static int store_load_segments(struct store *store, uint8_t *buf)
{
	size_t segment = (size_t)store->unit * SPACE_SEGMENT_UNITS;
	uint32_t reach = store->reach, nr = 0, end;
	uint8_t *at;
	ssize_t len;
	int ret = 0;

	if (reach > store->space.nr_segments)
		reach = store->space.nr_segments;
	while (nr < reach && !ret) {
		len = store_read_segments(store, nr, buf, store->unit);
		if (len <= 0)
			return len;
		if (!store_segment_read(buf, store->uuid)) {
			nr++;
			continue;
		}
		len = store_read_segments(store, nr, buf, STORE_CHUNK);
		if (len < 0)
			return len;
		end = nr + STORE_CHUNK / segment;
		for (at = buf; nr < end && nr < reach && !ret; at += segment)
			ret = store_load_segment(store, nr++, at);
	}
	return ret;
}

static int store_set_room(struct store *store)
{
	uint64_t segment = (uint64_t)store->unit * SPACE_SEGMENT_UNITS;
	int ret;

	store->slot_units = (STORE_HEADER + KMDOM_RECORD_MAX + store->unit - 1) /
			    store->unit;
	if (store->size < STORE_SEGMENTS + segment ||
	    store->size / segment > UINT32_MAX / SPACE_SEGMENT_UNITS) {
		report_error("store %s: %llu bytes are too few or too many for a store",
			     store->path, (unsigned long long)store->size);
		return -EINVAL;
	}
	ret = space_init(&store->space, (store->size - STORE_SEGMENTS) / segment);
	return ret ? ret : index_init(&store->index, 0);
}

/**
 * store_load() - find out what the store has; format it if it is new
 * @store: the store, locked
 * @uuid: of the domain that it must belong to
 *
 * Return: 0 or a negative errno, with the reason reported; nothing of another
 * domain's store, or of a file that is no store, was changed.
 */
int store_load(struct store *store, const uint8_t uuid[16])
{
	uint8_t *buf;
	int ret;

	ret = store_check(store, uuid);
	if (ret)
		return ret;
	buf = aligned_alloc(STORE_ALIGN, STORE_CHUNK);
	ret = buf ? store_set_room(store) : -ENOMEM;
	if (!ret)
		ret = store_identify(store);
	if (ret == -ENODATA)
		ret = store_format(store);
	if (!ret)
		ret = store_load_segments(store, buf);
	if (ret == -ENOMEM)
		report_error("store %s: no memory for its index", store->path);
	free(buf);
	return ret;
}
