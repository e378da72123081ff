// SPDX-License-Identifier: GPL-2.0
/*
 * Full pages that leave and come back, many in an exchange, as a pager moves them.
 */
#include <errno.h>
#include <stdbool.h>
#include "bench.h"
#include "mark.h"

struct stored {
	uint64_t index, version;
	uint32_t length;
	uint8_t bytes[KMDOM_RECORD_MAX];
};

static struct stored stored[BENCH_BATCH];

/* One exchange; the error of the first operation that has one. */
static int exchange(struct bench *bench)
{
	uint32_t i;
	int ret;

	ret = kmdom_batch_submit(bench->batch, kmdom_session_fd(bench->session),
				 KMDOM_DONT_WAIT);
	if (!ret && kmdom_batch_results(bench->batch) != kmdom_batch_ops(bench->batch))
		ret = -EINTR;
	for (i = 0; !ret && i < kmdom_batch_ops(bench->batch); i++)
		ret = kmdom_batch_result(bench->batch, i)->ret;
	return ret;
}

/* The same, and its time; marked, if it is what the row is about. */
static int timed_exchange(struct bench *bench, bool marked, uint64_t *ns)
{
	uint64_t begin = bench_now();
	int ret;

	if (marked)
		MARK_BEGIN();
	ret = exchange(bench);
	if (marked)
		MARK_END();
	*ns = bench_now() - begin;
	return ret;
}

/* Pages of objects, as many as one exchange moves. */
static int find_pages(struct bench *bench)
{
	static struct kmdom_page pages[KMDOM_SCAN_MAX];
	const struct kmdom_result *result;
	uint64_t cursor = 0;
	uint32_t i, nr = 0;
	int ret;

	do {
		kmdom_batch_reset(bench->batch);
		kmdom_batch_scan(bench->batch, cursor, pages, KMDOM_SCAN_MAX, 0);
		ret = exchange(bench);
		if (ret)
			return ret;
		result = kmdom_batch_result(bench->batch, 0);
		cursor = result->value;
		for (i = 0; i < result->len && nr < BENCH_BATCH; i++)
			if (!pages[i].level && pages[i].slots == 1)
				stored[nr++].index = pages[i].index;
	} while (cursor && nr < BENCH_BATCH);
	return nr == BENCH_BATCH ? 0 : -ENODATA;
}

static int export_pages(struct bench *bench, bool marked, uint64_t *ns)
{
	const struct kmdom_result *result;
	uint32_t i;
	int ret;

	kmdom_batch_reset(bench->batch);
	for (i = 0; i < BENCH_BATCH; i++)
		kmdom_batch_export(bench->batch, 0, stored[i].index, stored[i].bytes,
				   sizeof(stored[i].bytes), 0);
	ret = timed_exchange(bench, marked, ns);
	for (i = 0; !ret && i < BENCH_BATCH; i++) {
		result = kmdom_batch_result(bench->batch, i);
		stored[i].version = result->version;
		stored[i].length = result->len;
	}
	return ret;
}

static int evict_pages(struct bench *bench)
{
	uint32_t i;

	kmdom_batch_reset(bench->batch);
	for (i = 0; i < BENCH_BATCH; i++)
		kmdom_batch_evict(bench->batch, 0, stored[i].index, stored[i].version, 0);
	return exchange(bench);
}

static int restore_pages(struct bench *bench, bool marked, uint64_t *ns)
{
	uint32_t i;

	kmdom_batch_reset(bench->batch);
	for (i = 0; i < BENCH_BATCH; i++)
		kmdom_batch_restore(bench->batch, 0, stored[i].index, stored[i].version,
				    stored[i].bytes, stored[i].length);
	return timed_exchange(bench, marked, ns);
}

/* Out and back once; the time of one of the two. */
static double round_trip(struct bench *bench, bool restore)
{
	double dirty = client_run(bench->client, KB_DIRTY, BENCH_PAGES);
	uint64_t exported, restored;
	int ret;

	if (dirty < 0)
		return dirty;
	ret = find_pages(bench);
	if (!ret)
		ret = export_pages(bench, !restore, &exported);
	if (!ret)
		ret = evict_pages(bench);
	if (!ret)
		ret = restore_pages(bench, restore, &restored);
	return ret ? ret : (double)(restore ? restored : exported) / BENCH_BATCH;
}

double measure_export(struct bench *bench, const void *arg)
{
	return round_trip(bench, false);
}

double measure_restore(struct bench *bench, const void *arg)
{
	return round_trip(bench, true);
}

static double measure_batch(struct bench *bench, const void *arg)
{
	return BENCH_BATCH * round_trip(bench, true);
}

/* The cipher alone, and two copies of a page. */
double measure_floor(struct bench *bench, const void *arg)
{
	double seal = client_run(bench->client, KB_SEAL, 64);
	double unseal = client_run(bench->client, KB_UNSEAL, 64);
	double copy = client_run(bench->client, KB_COPY, 64);

	if (seal < 0 || unseal < 0 || copy < 0)
		return -EIO;
	return (*(const enum kb_work *)arg == KB_SEAL ? seal : unseal) + 2 * copy;
}

static const enum kb_work sealing = KB_SEAL, unsealing = KB_UNSEAL;

const struct row page_rows[] = {
	{ "export_page", 0, {
		{ "kmdom", measure_export, NULL },
		{ "aead_and_copies", measure_floor, &sealing },
		{ "zram", measure_zram_write, NULL },
	} },
	{ "restore_page", 0, {
		{ "kmdom", measure_restore, NULL },
		{ "aead_and_copies", measure_floor, &unsealing },
		{ "zram", measure_zram_read, NULL },
	} },
	{ "restore_batch64", 0, {
		{ "kmdom", measure_batch, NULL },
		{ "userfaultfd", measure_uffd_batch, NULL },
	} },
	{ }
};
