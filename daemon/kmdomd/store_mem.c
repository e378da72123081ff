// SPDX-License-Identifier: GPL-2.0
/*
 * Store "mem": records compressed by zstd, in a file of a tmpfs.
 *
 * Memory that outlives the process, and that can be swapped. It is read through a
 * mapping, if that can be had (store_map.h), and written by calls, which tell what is
 * wrong. Records of SEALED pages do not become shorter: they are kept as they are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include "report.h"
#include "store.h"
#include "store_format.h"
#include "store_map.h"

#define MEM_LEVEL	1

struct mem {
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	struct store_map map;
	uint8_t scratch[STORE_SLOT_MAX];
};

static void mem_close(struct store *store)
{
	struct mem *mem = store->priv;

	if (!mem)
		return;
	store_map_close(&mem->map);
	ZSTD_freeCCtx(mem->cctx);
	ZSTD_freeDCtx(mem->dctx);
	free(mem);
	store->priv = NULL;
}

static int mem_open(struct store *store)
{
	struct mem *mem = calloc(1, sizeof(*mem));
	uint8_t sample[16] = {};

	store->priv = mem;
	if (!mem)
		return -ENOMEM;
	mem->cctx = ZSTD_createCCtx();
	mem->dctx = ZSTD_createDCtx();
	/* The first use allocates; later there may be no memory. */
	if (!mem->cctx || !mem->dctx ||
	    ZSTD_isError(ZSTD_compressCCtx(mem->cctx, mem->scratch, sizeof(mem->scratch),
					   sample, sizeof(sample), MEM_LEVEL))) {
		mem_close(store);
		report_error("store %s: no memory for zstd", store->path);
		return -ENOMEM;
	}
	/* Where it cannot be mapped, it is slower. */
	store_map_open(&mem->map, store->fd, store->size);
	return 0;
}

/* To find out by trying costs more than all else that is done to a page. */
static bool mem_is_sealed(const struct store_io *io)
{
	struct kmdom_record_info info;

	return !kmdom_record_parse(store_record(io), io->length, &info) &&
	       info.policy == KMDOM_POLICY_SEALED;
}

static uint32_t mem_put(struct store *store, struct store_io *io)
{
	struct mem *mem = store->priv;
	size_t len;

	if (mem_is_sealed(io))
		return io->length;
	len = ZSTD_compressCCtx(mem->cctx, mem->scratch, sizeof(mem->scratch),
				store_record(io), io->length, MEM_LEVEL);
	if (ZSTD_isError(len) || len >= io->length)
		return io->length;
	memcpy(store_record(io), mem->scratch, len);
	io->flags |= STORE_SLOT_ZSTD;
	return len;
}

static int mem_get(struct store *store, struct store_io *io)
{
	struct mem *mem = store->priv;
	size_t len;

	if (!(io->flags & STORE_SLOT_ZSTD))
		return io->stored == io->length ? (int)io->stored : -EBADMSG;
	memcpy(mem->scratch, store_record(io), io->stored);
	len = ZSTD_decompressDCtx(mem->dctx, store_record(io), KMDOM_RECORD_MAX,
				  mem->scratch, io->stored);
	if (ZSTD_isError(len) || len != io->length)
		return -EBADMSG;
	return len;
}

static ssize_t mem_call(const struct door_job *job)
{
	ssize_t done;

	do {
		if (job->write)
			done = pwrite(job->fd, job->buf, job->len, job->offset);
		else
			done = pread(job->fd, job->buf, job->len, job->offset);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : done;
}

/* Memory is there at once: the door would only make it later. */
static void mem_transfer(struct store *store, struct store_io *io)
{
	const struct mem *mem = store->priv;
	struct door_job *job = &io->job;
	ssize_t done = job->len;

	if (job->write || !store_map_read(&mem->map, job->buf, job->len, job->offset))
		done = mem_call(job);
	job->done(job, done);
}

const struct store_ops store_mem_ops = {
	.name = "mem",
	.open = mem_open,
	.close = mem_close,
	.put = mem_put,
	.get = mem_get,
	.transfer = mem_transfer,
};
