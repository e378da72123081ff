// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "wide.h"

#define PATIENCE	10000000000LL	/* ns until the next fault */

/* One exchange; the first error of an operation that is not "done before". */
static int exchange(struct wide *wide)
{
	struct kmdom_batch *batch = wide->batch;
	uint32_t i;
	int ret;

	ret = kmdom_batch_submit(batch, kmdom_session_fd(wide->bench.session), KMDOM_DONT_WAIT);
	for (i = 0; i < kmdom_batch_ops(batch) && !ret; i++) {
		ret = kmdom_batch_result(batch, i)->ret;
		if (ret == -EALREADY)
			ret = 0;
	}
	return ret;
}

static uint32_t every(const struct wide *wide)
{
	return wide->pages / WIDE_KEPT;
}

static bool is_kept(const struct wide *wide, uint64_t index)
{
	return (index - wide->first) % every(wide) == 0;
}

static uint64_t kept_index(const struct wide *wide, uint32_t nr)
{
	return wide->first + (uint64_t)nr * every(wide);
}

/* Pages leave for good: nobody will want their records. */
static int forget(struct wide *wide, unsigned int level, uint64_t first, uint32_t count)
{
	static uint8_t records[BENCH_BATCH][KMDOM_RECORD_MAX];
	uint64_t versions[BENCH_BATCH], indexes[BENCH_BATCH];
	uint32_t i, nr = 0;
	int ret;

	kmdom_batch_reset(wide->batch);
	for (i = 0; i < count; i++) {
		if (!level && is_kept(wide, first + i))
			continue;
		indexes[nr] = first + i;
		kmdom_batch_export(wide->batch, level, first + i, records[nr++],
				   KMDOM_RECORD_MAX, 0);
	}
	ret = exchange(wide);
	for (i = 0; i < nr && !ret; i++)
		versions[i] = kmdom_batch_result(wide->batch, i)->version;
	kmdom_batch_reset(wide->batch);
	for (i = 0; i < nr && !ret; i++)
		kmdom_batch_evict(wide->batch, level, indexes[i], versions[i], 0);
	return ret ? ret : exchange(wide);
}

static int make_pages(struct wide *wide)
{
	uint32_t made, keep;
	uint64_t page;
	int ret = 0;

	for (made = 0; made < wide->pages && !ret; made += BENCH_BATCH) {
		keep = made % every(wide) ? 0 : every(wide);
		ret = client_add(wide->bench.client, BENCH_BATCH, keep, &page);
		if (!made)
			wide->first = page;
		if (!ret && page != wide->first + made)
			ret = -EBADSLT;
		if (!ret)
			ret = forget(wide, 0, page, BENCH_BATCH);
	}
	return ret;
}

static int make(struct wide *wide)
{
	int64_t empty;
	int ret;

	ret = bench_open(&wide->bench, &wide->spec);
	if (!ret)
		ret = kmdom_batch_new(KMDOM_OPS_MAX, KMDOM_EVENTS_MAX, &wide->batch);
	if (ret)
		return ret;
	empty = kernel_memory();
	if (empty < 0)
		return empty;
	wide->empty = empty;
	return make_pages(wide);
}

/**
 * wide_use() - make it, unless that was done before, all but those used again absent
 * @wide: with @spec and @pages
 *
 * Return: 0 or a negative errno; wide_close() in any case.
 */
int wide_use(struct wide *wide)
{
	return wide->bench.spec ? 0 : make(wide);
}

void wide_close(struct wide *wide)
{
	if (!wide->bench.spec)
		return;
	kmdom_batch_free(wide->batch);
	wide->batch = NULL;
	bench_close(&wide->bench);
	wide->bench = (struct bench){ 0 };
}

/* Those that are used again leave, and their records stay here. */
int wide_take_kept(struct wide *wide)
{
	const struct kmdom_result *result;
	uint32_t nr, i;
	int ret = 0;

	for (nr = 0; nr < WIDE_KEPT && !ret; nr += BENCH_BATCH) {
		kmdom_batch_reset(wide->batch);
		for (i = nr; i < nr + BENCH_BATCH; i++)
			kmdom_batch_export(wide->batch, 0, kept_index(wide, i),
					   wide->kept[i].bytes, WIDE_RECORD, 0);
		ret = exchange(wide);
		for (i = nr; i < nr + BENCH_BATCH && !ret; i++) {
			result = kmdom_batch_result(wide->batch, i - nr);
			wide->kept[i].version = result->version;
			/* Of one that was exported before the record is here. */
			if (!result->ret)
				wide->kept[i].length = result->len;
		}
		kmdom_batch_reset(wide->batch);
		for (i = nr; i < nr + BENCH_BATCH && !ret; i++)
			kmdom_batch_evict(wide->batch, 0, kept_index(wide, i),
					  wide->kept[i].version, 0);
		ret = ret ? ret : exchange(wide);
	}
	return ret;
}

static void answer(struct wide *wide, uint32_t nr)
{
	kmdom_batch_restore(wide->batch, 0, kept_index(wide, nr), wide->kept[nr].version,
			    wide->kept[nr].bytes, wide->kept[nr].length);
}

/* They come back, those that wide_take_kept() took. */
int wide_bring_kept(struct wide *wide)
{
	uint32_t nr;
	int ret = 0;

	kmdom_batch_reset(wide->batch);
	for (nr = 0; nr < WIDE_KEPT && !ret; nr++) {
		if (!wide->kept[nr].version)
			continue;
		answer(wide, nr);
		if (nr % BENCH_BATCH < BENCH_BATCH - 1)
			continue;
		ret = exchange(wide);
		kmdom_batch_reset(wide->batch);
	}
	return ret;
}

/* The tables leave, too, for good: the domain is of no use any more. */
int wide_take_tables(struct wide *wide)
{
	uint64_t last = wide->first + wide->pages - 1, index, count;
	unsigned int level;
	int ret = 0;

	for (level = 1; level <= KMDOM_LEVELS && !ret; level++)
		for (index = 0; index <= last >> 9 * level && !ret; index += count) {
			count = (last >> 9 * level) + 1 - index;
			if (count > BENCH_BATCH)
				count = BENCH_BATCH;
			ret = forget(wide, level, index, count);
		}
	return ret;
}

static int results(const struct wide *wide)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < kmdom_batch_ops(wide->batch) && !ret; i++)
		ret = kmdom_batch_result(wide->batch, i)->ret;
	return ret;
}

/* Answers so many faults, as they come. */
static int serve(struct wide *wide, uint32_t count)
{
	struct kmdom_event events[4];
	uint32_t nr, i;
	int ret = 0;

	kmdom_batch_reset(wide->batch);
	while (!ret && count) {
		ret = kmdom_batch_submit(wide->batch, kmdom_session_fd(wide->bench.session),
					 PATIENCE);
		if (!ret)
			ret = results(wide);
		nr = kmdom_batch_events(wide->batch);
		if (!ret && (!nr || nr > sizeof(events) / sizeof(*events)))
			ret = -ETIMEDOUT;
		for (i = 0; i < nr && !ret; i++)
			events[i] = *kmdom_batch_event(wide->batch, i);
		kmdom_batch_reset(wide->batch);
		for (i = 0; i < nr && !ret; i++) {
			if (events[i].type != KMDOM_EVENT_FAULT || events[i].level)
				ret = -EBADMSG;
			else
				answer(wide, (events[i].index - wide->first) / every(wide));
			count--;
		}
	}
	return ret ? ret : exchange(wide);
}

static pid_t start_client(const struct wide *wide, uint32_t count, int out)
{
	pid_t child = fork();
	double value;

	if (child)
		return child < 0 ? -errno : child;
	value = client_run(wide->bench.client, KB_FAULT, count);
	_exit(write(out, &value, sizeof(value)) == sizeof(value) ? 0 : 1);
}

/**
 * wide_fault() - have a process of its own want pages that are absent, one by one
 * @wide: of wide_use(); all that are used again are taken first
 * @count: how many, at most WIDE_KEPT
 *
 * Return: from a pin until the client runs on, in ns, or a negative errno.
 */
double wide_fault(struct wide *wide, uint32_t count)
{
	int ret = wide_take_kept(wide), ends[2];
	double value = -ECHILD;
	pid_t child;

	if (ret)
		return ret;
	if (pipe(ends))
		return -errno;
	child = start_client(wide, count, ends[1]);
	ret = child < 0 ? child : serve(wide, count);
	close(ends[1]);
	if (ret && child > 0)
		kill(child, SIGKILL);
	if (read(ends[0], &value, sizeof(value)) != sizeof(value))
		value = -ECHILD;
	close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return ret ? ret : value;
}
