// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a store: whether it is one, whose it is, and what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include "report.h"
#include "store.h"
#include "store_format.h"

#define STORE_SIZE_DEFAULT	(1ULL << 30)
#define STORE_KMDOMFS_MAGIC	0x6b6d6673	/* KMDOMFS_MAGIC of module/fs */
#define STORE_LOCK_RETRY_MS	20
#define STORE_NEW		(1U << 20)	/* bytes of 0 that a new store begins with */
#define STORE_BOOT_ID		"/proc/sys/kernel/random/boot_id"

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

/* Whether there is such a kind of store. */
bool store_has_kind(const char *name)
{
	return store_kind(name);
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

	store->block = S_ISBLK(st->st_mode);
	if (store->block && ioctl(store->fd, BLKGETSIZE64, &bytes) < 0)
		return -errno;
	store->end = bytes;
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

/* The kernel's name for the time since it booted: 36 characters, as a uuid. */
static void store_read_boot(uint8_t boot[16])
{
	char text[37] = "";
	FILE *file = fopen(STORE_BOOT_ID, "re");
	int i, at, n = 0;

	if (!file)
		return;
	if (fgets(text, sizeof(text), file)) {
		for (i = 0, at = 0; i < 16; i++, at += n) {
			at += text[at] == '-';
			if (sscanf(text + at, "%2hhx%n", &boot[i], &n) != 1)
				break;
		}
	}
	fclose(file);
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

	*store = (struct store){ .fd = -1, .claim = -1, .size = options->size,
				 .options = options };
	store->ops = store_kind(options->kind);
	if (!store->ops)
		return -EINVAL;
	store_read_boot(store->boot);
	store->path = strdup(options->path);
	store->super = aligned_alloc(STORE_ALIGN, STORE_ALIGN);
	ret = store->path && store->super ? store_open_file(store) : -ENOMEM;
	if (!ret)
		ret = store_check_place(store, &st);
	if (!ret)
		ret = store_find_size(store, &st);
	if (!ret && store->ops->open)
		ret = store->ops->open(store);
	if (!ret && chaos_wanted(&options->chaos))
		ret = chaos_begin(store, &options->chaos);
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
	if (store->claim >= 0)
		close(store->claim);
	index_exit(&store->index);
	space_exit(&store->space);
	free(store->super);
	free(store->path);
	*store = (struct store){ .fd = -1, .claim = -1 };
}

/* Nobody mounts a block device, or makes it a part of another, that is claimed. */
static int store_claim(struct store *store)
{
	if (store->block && store->claim < 0)
		store->claim = open(store->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	return store->block && store->claim < 0 ? -1 : 0;
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
		if (!flock(store->fd, LOCK_EX | LOCK_NB) && !store_claim(store))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR && errno != EBUSY)
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
	struct store_super_info info = { .unit = store->unit, .reach = reach };
	ssize_t done;

	memcpy(info.uuid, store->uuid, sizeof(info.uuid));
	memcpy(info.boot, store->boot, sizeof(info.boot));
	store_super_write(store->super, &info);
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

/* A file that begins with 0 is new only if nothing follows, as far as is looked. */
static int store_check_new(struct store *store)
{
	uint64_t at, end = store->end < STORE_NEW ? store->end : STORE_NEW;

	for (at = 0; at < end; at += STORE_ALIGN) {
		if (!store_read_at(store, store->super, STORE_ALIGN, at))
			return -EIO;
		if (!store_is_zero(store->super, STORE_ALIGN))
			return -EINVAL;
	}
	return -ENODATA;
}

/* Whether the records of another domain are of no use to anybody. */
static bool store_is_noise(const struct store *store, const struct store_super_info *info)
{
	const struct store_options *options = store->options;

	if (options->replace)
		return true;
	/* A domain does not outlive the machine. */
	if (memcmp(info->boot, store->boot, sizeof(info->boot)) &&
	    !store_is_zero(info->boot, sizeof(info->boot)) &&
	    !store_is_zero(store->boot, sizeof(store->boot)))
		return true;
	return options->gone && options->gone(info->uuid);
}

/*
 * Whose store it is: 0: the domain's own; -ENODATA: nobody's yet; -ENOKEY: a
 * domain's that is gone. Other errors are reported.
 */
static int store_identify(struct store *store)
{
	struct store_super_info info;
	int ret = -EIO;

	if (store_read_at(store, store->super, STORE_ALIGN, 0))
		ret = store_super_read(store->super, &info);
	if (ret == -ENODATA)
		ret = store_check_new(store);
	if (ret == -ENODATA)
		return ret;
	if (ret) {
		report_error("store %s: %s", store->path,
			     ret == -EIO ? "its start cannot be read" :
			     ret == -EILSEQ ? "its superblock is damaged" :
			     "it is no store of kmdomd's, and not empty: name another file");
		return ret == -EIO ? ret : -EINVAL;
	}
	if (memcmp(info.uuid, store->uuid, sizeof(info.uuid))) {
		if (store_is_noise(store, &info))
			return -ENOKEY;
		store_report_foreign(store, info.uuid);
		return -EINVAL;
	}
	if (info.unit < store->unit) {
		report_error("store %s: it was made with blocks of %u bytes, and lies "
			     "where they have %u",
			     store->path, info.unit, store->unit);
		return -EINVAL;
	}
	store->unit = info.unit;
	store->reach = info.reach;
	return 0;
}

static int store_prepare(struct store *store, const uint8_t uuid[16])
{
	memcpy(store->uuid, uuid, sizeof(store->uuid));
	store->reach = 0;
	store->unit = store_unit(store);
	if (!store->unit) {
		report_error("store %s: its blocks are larger than %u bytes",
			     store->path, STORE_ALIGN);
		return -EINVAL;
	}
	return store_identify(store);
}

/**
 * store_check() - could this store serve the domain?
 * @store: the store; need not be locked
 * @uuid: of the domain
 *
 * Return: 0, if it is the domain's or nobody's any more; a negative errno, with the
 * reason reported. Nothing was changed.
 */
int store_check(struct store *store, const uint8_t uuid[16])
{
	int ret = store_prepare(store, uuid);

	return ret == -ENODATA || ret == -ENOKEY ? 0 : ret;
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
	if (store->size < STORE_SEGMENTS + store->reach * segment) {
		report_error("store %s: it has records beyond its size: give it size=%llu at least",
			     store->path,
			     (unsigned long long)(STORE_SEGMENTS + store->reach * segment));
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
 * Return: 0 or a negative errno, with the reason reported, but for -EINTR: it
 * was stopped. Nothing of another domain's store, or of a file that is no store,
 * was changed.
 */
int store_load(struct store *store, const uint8_t uuid[16])
{
	int owner = store_prepare(store, uuid);
	int ret;

	if (owner && owner != -ENODATA && owner != -ENOKEY)
		return owner;
	ret = store_set_room(store);
	if (!ret && owner == -ENOKEY)
		report_info("store %s: it was of another domain%s: it is made anew",
			    store->path, store->options->replace ? "" : ", which is gone");
	if (!ret)
		ret = owner ? store_format(store) : store_load_segments(store);
	if (ret == -ENOMEM)
		report_error("store %s: no memory for its index", store->path);
	return ret;
}
