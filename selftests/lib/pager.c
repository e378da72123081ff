// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "pager.h"

/**
 * pager_open() - open the device and shake hands
 * @pager: filled in
 * @store: where records are kept; may be NULL
 *
 * Return: 0 or a negative errno
 */
int pager_open(struct pager *pager, struct store *store)
{
	struct kmdom_hello hello = { .abi = KMDOM_ABI_VERSION };

	memset(pager, 0, sizeof(*pager));
	pager->fd = -1;
	pager->store = store;
	pager->ctl = open("/dev/kmdom", O_RDWR | O_CLOEXEC);
	if (pager->ctl < 0)
		return -errno;
	pager->buf = malloc(PAGER_BATCH * KMDOM_RECORD_MAX);
	if (!pager->buf)
		return -ENOMEM;
	return ioctl(pager->ctl, KMDOM_IOC_HELLO, &hello) ? -errno : 0;
}

/**
 * pager_close() - undo pager_open(), leaving the session if there is one
 * @pager: the pager
 */
void pager_close(struct pager *pager)
{
	pager_leave(pager);
	if (pager->ctl >= 0)
		close(pager->ctl);
	pager->ctl = -1;
	free(pager->buf);
	pager->buf = NULL;
}

/**
 * pager_create() - create a domain
 * @pager: the pager
 * @name: the domain's
 * @max_frames: its limit
 * @orphan_seconds: its grace time
 *
 * Return: 0 or a negative errno
 */
int pager_create(struct pager *pager, const char *name, uint32_t max_frames,
		 uint32_t orphan_seconds)
{
	struct kmdom_create create = {
		.max_frames = max_frames, .orphan_seconds = orphan_seconds,
	};

	snprintf(create.name, sizeof(create.name), "%s", name);
	return ioctl(pager->ctl, KMDOM_IOC_CREATE, &create) ? -errno : 0;
}

/**
 * pager_adopt_with() - begin a session, all fields given
 * @pager: the pager
 * @door: how it will exchange
 * @adopt: name, frames and so on; written back
 *
 * Return: 0 or a negative errno
 */
int pager_adopt_with(struct pager *pager, enum door_kind door,
		     struct kmdom_adopt *adopt)
{
	int fd = ioctl(pager->ctl, KMDOM_IOC_ADOPT, adopt), ret;

	if (fd < 0)
		return -errno;
	pager->fd = fd;
	pager->lent = calloc(1, sizeof(*pager->lent));
	pager->frames = adopt->pool_frames;
	pager->session = adopt->session;
	memcpy(pager->name, adopt->name, sizeof(pager->name));
	pager->pool = mmap(NULL, (size_t)pager->frames * KMDOM_FRAME_SIZE,
			   PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = pager->pool == MAP_FAILED ? -errno : door_open(&pager->door, door, fd);
	if (!ret)
		return 0;
	if (pager->pool == MAP_FAILED)
		pager->pool = NULL;
	close(fd);
	free(pager->lent);
	pager->fd = -1;
	return ret;
}

/**
 * pager_adopt() - begin a session
 * @pager: the pager
 * @name: the domain's
 * @door: how it will exchange
 * @frames: of its pool
 * @flags: KMDOM_ADOPT_*
 *
 * Return: 0 or a negative errno
 */
int pager_adopt(struct pager *pager, const char *name, enum door_kind door,
		uint32_t frames, uint32_t flags)
{
	struct kmdom_adopt adopt = {
		.pool_frames = frames, .slots = 4, .flags = flags,
	};

	snprintf(adopt.name, sizeof(adopt.name), "%s", name);
	return pager_adopt_with(pager, door, &adopt);
}

/**
 * pager_leave() - end the session by closing all that belongs to it
 * @pager: the pager
 */
void pager_leave(struct pager *pager)
{
	if (pager->fd < 0)
		return;
	door_close(&pager->door);
	munmap(pager->pool, (size_t)pager->frames * KMDOM_FRAME_SIZE);
	close(pager->fd);
	free(pager->lent);
	pager->fd = -1;
	pager->pool = NULL;
	pager->lent = NULL;
}

static int by_name(struct pager *pager, unsigned long cmd, const char *name)
{
	struct kmdom_name arg = { 0 };

	snprintf(arg.name, sizeof(arg.name), "%s", name);
	return ioctl(pager->ctl, cmd, &arg) ? -errno : 0;
}

/**
 * pager_destroy() - destroy a domain
 * @pager: the pager; needs no session
 * @name: the domain's
 *
 * Return: 0 or a negative errno
 */
int pager_destroy(struct pager *pager, const char *name)
{
	return by_name(pager, KMDOM_IOC_DESTROY, name);
}

/**
 * pager_abort() - abort a domain
 * @pager: the pager; needs no session
 * @name: the domain's
 *
 * Return: 0 or a negative errno
 */
int pager_abort(struct pager *pager, const char *name)
{
	return by_name(pager, KMDOM_IOC_ABORT, name);
}

/* What the results say of frames: the pager's own side of the ledger. */
static void count_frames(struct pager *pager, const struct kmdom_exchange *ex)
{
	const struct kmdom_op *ops = (void *)(unsigned long)ex->ops;
	const struct kmdom_result *results = (void *)(unsigned long)ex->results;
	uint32_t i;

	for (i = 0; i < ex->nr_results; i++) {
		if (results[i].ret)
			continue;
		if (ops[i].code == KMDOM_OP_GRANT)
			atomic_fetch_add(pager->lent, results[i].value);
		else if (ops[i].code == KMDOM_OP_REVOKE)
			atomic_fetch_sub(pager->lent, results[i].value);
	}
}

/**
 * pager_pass() - exchange, all fields given
 * @pager: the pager
 * @ex: the exchange
 *
 * Return: 0 or a negative errno
 */
int pager_pass(struct pager *pager, struct kmdom_exchange *ex)
{
	int ret = door_exchange(&pager->door, ex);

	count_frames(pager, ex);
	return ret;
}

/**
 * pager_exchange() - do operations, take no events
 * @pager: the pager
 * @ops: the operations
 * @results: out
 * @nr: how many
 *
 * Return: 0 or a negative errno
 */
int pager_exchange(struct pager *pager, struct kmdom_op *ops,
		   struct kmdom_result *results, uint32_t nr)
{
	pager->ex = (struct kmdom_exchange) {
		.ops = (unsigned long)ops, .results = (unsigned long)results,
		.nr_ops = nr, .timeout_ns = -1,
	};
	return pager_pass(pager, &pager->ex);
}

/**
 * pager_op() - do one operation
 * @pager: the pager; its res is the result
 * @op: the operation
 *
 * Return: the result's value, or a negative errno
 */
int64_t pager_op(struct pager *pager, struct kmdom_op *op)
{
	int ret;

	memset(&pager->res, 0, sizeof(pager->res));
	ret = pager_exchange(pager, op, &pager->res, 1);
	if (ret)
		return ret;
	return pager->res.ret ? pager->res.ret : (int64_t)pager->res.value;
}

/**
 * pager_grant() - lend frames
 * @pager: the pager
 * @first: number of the first
 * @nr: how many
 *
 * Return: how many were lent, or a negative errno
 */
int64_t pager_grant(struct pager *pager, uint64_t first, uint32_t nr)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_GRANT, .index = first, .arg = nr,
	};

	return pager_op(pager, &op);
}

/**
 * pager_revoke() - take free frames back
 * @pager: the pager
 * @first: number of the first
 * @nr: how many
 *
 * Return: how many came back, or a negative errno
 */
int64_t pager_revoke(struct pager *pager, uint64_t first, uint32_t nr)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_REVOKE, .index = first, .arg = nr,
	};

	return pager_op(pager, &op);
}

/**
 * pager_export() - export a page, to pager->buf and to the store
 * @pager: the pager; its res tells version and length
 * @index: of the page
 * @flags: KMDOM_OPF_DRAIN
 *
 * Return: 0 or a negative errno
 */
int pager_export(struct pager *pager, uint64_t index, uint16_t flags)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_EXPORT, .flags = flags,
		.level = PAGE_LEVEL(index), .index = PAGE_INDEX(index),
		.buf = (unsigned long)pager->buf, .len = KMDOM_RECORD_MAX,
	};
	int64_t ret = pager_op(pager, &op);

	if (ret < 0)
		return ret;
	if (pager->store)
		store_put(pager->store, index, pager->res.version, pager->buf,
			  pager->res.len);
	return 0;
}

static int on_page(struct pager *pager, uint16_t code, uint64_t index,
		   uint64_t version, uint16_t flags)
{
	struct kmdom_op op = {
		.code = code, .flags = flags,
		.level = PAGE_LEVEL(index), .index = PAGE_INDEX(index), .version = version,
	};

	return pager_op(pager, &op);
}

/**
 * pager_stored() - vouch for a version
 * @pager: the pager
 * @index: of the page
 * @version: the version
 *
 * Return: 0 or a negative errno
 */
int pager_stored(struct pager *pager, uint64_t index, uint64_t version)
{
	return on_page(pager, KMDOM_OP_STORED, index, version, 0);
}

/**
 * pager_evict() - vouch for a version and drop the page's frame
 * @pager: the pager
 * @index: of the page
 * @version: the version
 * @flags: KMDOM_OPF_DRAIN
 *
 * Return: 0 or a negative errno
 */
int pager_evict(struct pager *pager, uint64_t index, uint64_t version,
		uint16_t flags)
{
	return on_page(pager, KMDOM_OP_EVICT, index, version, flags);
}

/**
 * pager_preempt() - export a page unless it is clean, and evict it
 * @pager: the pager; its res.version is the version that the page is absent at
 * @index: of the page
 *
 * Return: 0 or a negative errno
 */
int pager_preempt(struct pager *pager, uint64_t index)
{
	int ret = pager_export(pager, index, KMDOM_OPF_DRAIN);
	uint64_t version = pager->res.version;

	if (ret && ret != -EALREADY)
		return ret;
	ret = pager_evict(pager, index, version, KMDOM_OPF_DRAIN);
	pager->res.version = version;
	return ret;
}

/**
 * pager_restore() - answer with a record
 * @pager: the pager
 * @index: of the page
 * @version: that the record is said to be
 * @record: the record
 * @len: bytes of it
 *
 * Return: 0 or a negative errno
 */
int pager_restore(struct pager *pager, uint64_t index, uint64_t version,
		  const void *record, uint32_t len)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_RESTORE,
		.level = PAGE_LEVEL(index), .index = PAGE_INDEX(index), .version = version,
		.buf = (unsigned long)record, .len = len,
	};

	return pager_op(pager, &op);
}

/**
 * pager_answer() - answer with the record in the store
 * @pager: the pager
 * @index: of the page
 * @version: the version
 *
 * Return: 0 or a negative errno; -ENOKEY if the store has no such record
 */
int pager_answer(struct pager *pager, uint64_t index, uint64_t version)
{
	struct stored *entry = store_get(pager->store, index, version);

	if (!entry)
		return -ENOKEY;
	return pager_restore(pager, index, version, entry->data, entry->len);
}

/**
 * pager_refuse() - fail those who wait for a page
 * @pager: the pager
 * @index: of the page
 * @version: it is absent at
 * @flags: KMDOM_OPF_LOST
 *
 * Return: how many waited, or a negative errno
 */
int64_t pager_refuse(struct pager *pager, uint64_t index, uint64_t version,
		     uint16_t flags)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_REFUSE, .flags = flags,
		.level = PAGE_LEVEL(index), .index = PAGE_INDEX(index),
		.version = version,
	};

	return pager_op(pager, &op);
}

/**
 * pager_scan() - states of pages
 * @pager: the pager
 * @cursor: in: where to begin; out: where to go on, 0 at the end
 * @pages: out
 * @nr: room in @pages
 * @flags: KMDOM_OPF_PRESENT, KMDOM_OPF_CLEAR
 *
 * Return: how many were written, or a negative errno
 */
int pager_scan(struct pager *pager, uint64_t *cursor, struct kmdom_page *pages,
	       uint32_t nr, uint16_t flags)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_SCAN, .flags = flags, .index = *cursor,
		.buf = (unsigned long)pages, .len = nr * sizeof(*pages), .arg = nr,
	};
	int64_t ret = pager_op(pager, &op);

	if (ret < 0)
		return ret;
	*cursor = ret;
	return pager->res.len;
}

/**
 * pager_look() - state of one page
 * @pager: the pager
 * @index: of the page
 * @page: out
 *
 * Return: 0 or a negative errno; -ENOENT if it is empty
 */
int pager_look(struct pager *pager, uint64_t index, struct kmdom_page *page)
{
	uint64_t cursor = KMDOM_SCAN_AT(PAGE_LEVEL(index), PAGE_INDEX(index));
	int ret = pager_scan(pager, &cursor, page, 1, 0);

	if (ret < 0)
		return ret;
	return ret == 1 && PAGE_OF(page->level, page->index) == index ? 0 : -ENOENT;
}

/**
 * pager_resend() - have all unanswered events shown again
 * @pager: the pager
 *
 * Return: how many there are, or a negative errno
 */
int64_t pager_resend(struct pager *pager)
{
	struct kmdom_op op = { .code = KMDOM_OP_RESEND };

	return pager_op(pager, &op);
}

/**
 * pager_events() - take events
 * @pager: the pager
 * @events: out
 * @nr: room in @events
 * @timeout_ms: how long to wait for the first; 0: not at all
 *
 * Return: how many there were, or a negative errno
 */
int pager_events(struct pager *pager, struct kmdom_event *events, uint32_t nr,
		 int timeout_ms)
{
	int ret;

	pager->ex = (struct kmdom_exchange) {
		.events = (unsigned long)events, .max_events = nr,
		.min_events = timeout_ms != 0,
		.timeout_ns = timeout_ms ? timeout_ms * 1000000LL : -1,
	};
	ret = door_exchange(&pager->door, &pager->ex);
	return ret ? ret : (int)pager->ex.nr_events;
}

/**
 * pager_event() - wait for an event of one type, and pass over all others
 * @pager: the pager
 * @type: enum kmdom_event_type
 * @event: out
 *
 * Return: 0, -ETIME if none comes, or a negative errno
 */
int pager_event(struct pager *pager, uint32_t type, struct kmdom_event *event)
{
	int ret;

	do {
		ret = pager_events(pager, event, 1, DOOR_PATIENCE * 1000);
		if (ret < 0)
			return ret;
		if (!ret)
			return -ETIME;
	} while (event->type != type);
	return 0;
}
