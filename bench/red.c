// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"
#include "kmdomd.h"
#include "red.h"

#define DOMAIN		"bench-red"
#define FRAMES		256
#define CLIENTS		4
#define THRASHED	1024	/* objects of one that thrashes */
#define WANTED		BENCH_BATCH	/* and of the others, all absent */

static const struct kmdomd_spec spec = {
	.domain = DOMAIN, .frames = FRAMES, .low = 64, .high = 72, .store_megabytes = 64,
};

static struct {
	struct kmdomd kmdomd;	/* if it is honest */
	pid_t pager;		/* if it is not */
	int steps[2];		/* to that: the next one; closed: it is to end */
	int done[2];		/* from that: the step's result */
	int dev;
	int client;
	pid_t clients[CLIENTS];
} red = { .dev = -1, .client = -1 };

/* The hostile pager, a process of its own. */
static struct {
	struct kmdom_session *session;
	struct kmdom_batch *batch;
	uint8_t records[WANTED + 1][KMDOM_RECORD_MAX];
	uint64_t versions[WANTED + 1];
	uint32_t lengths[WANTED + 1];
} hostile;

static int adopt(void)
{
	struct kmdom_adopt adopt = { .pool_frames = FRAMES, .slots = 4 };
	int dev = kmdom_open(0, NULL), ret = dev;

	kmdom_set_name(adopt.name, DOMAIN);
	if (ret >= 0)
		ret = kmdom_session_begin(dev, &adopt, &hostile.session);
	if (!ret)
		ret = kmdom_session_grant(hostile.session, 0, FRAMES);
	if (ret < 0)
		return ret;
	return kmdom_batch_new(KMDOM_OPS_MAX, KMDOM_EVENTS_MAX, &hostile.batch);
}

static int submit(void)
{
	return kmdom_batch_submit(hostile.batch, kmdom_session_fd(hostile.session),
				  KMDOM_DONT_WAIT);
}

/* All that its client made leaves. */
static int take_all(void)
{
	const struct kmdom_result *result;
	uint32_t i;
	int ret;

	kmdom_batch_reset(hostile.batch);
	for (i = 1; i <= WANTED; i++)
		kmdom_batch_export(hostile.batch, 0, i, hostile.records[i], KMDOM_RECORD_MAX, 0);
	ret = submit();
	for (i = 1; i <= WANTED && !ret; i++) {
		result = kmdom_batch_result(hostile.batch, i - 1);
		ret = result->ret;
		hostile.versions[i] = result->version;
		hostile.lengths[i] = result->len;
	}
	kmdom_batch_reset(hostile.batch);
	for (i = 1; i <= WANTED; i++)
		kmdom_batch_evict(hostile.batch, 0, i, hostile.versions[i], 0);
	ret = ret ? ret : submit();
	for (i = 0; i < WANTED && !ret; i++)
		ret = kmdom_batch_result(hostile.batch, i)->ret;
	return ret;
}

/* The true records but for a bit of the tag, so that all of them is looked at. */
static int lie_for_ever(void)
{
	struct kmdom_event events[CLIENTS];
	uint32_t nr = 0, i;
	int ret = 0;

	for (i = 1; i <= WANTED; i++)
		hostile.records[i][hostile.lengths[i] - 1] ^= 1;
	while (!ret) {
		kmdom_batch_reset(hostile.batch);
		for (i = 0; i < nr; i++)
			kmdom_batch_restore(hostile.batch, 0, events[i].index, events[i].version,
					    hostile.records[events[i].index],
					    hostile.lengths[events[i].index]);
		kmdom_batch_resend(hostile.batch);
		ret = submit();
		for (nr = 0; nr < CLIENTS && nr < kmdom_batch_events(hostile.batch); nr++)
			events[nr] = *kmdom_batch_event(hostile.batch, nr);
	}
	return ret;
}

/* The end of a step is told, and the next one waited for. */
static bool step_done(int ret)
{
	char next;

	return write(red.done[1], &ret, sizeof(ret)) == sizeof(ret) && !ret &&
	       read(red.steps[0], &next, 1) == 1;
}

static void pager_run(enum red_kind kind)
{
	if (!step_done(adopt()) || !step_done(take_all()))
		return;
	if (kind == RED_LIES)
		lie_for_ever();
	pause();
}

/* What became of the step that it is at. */
static int pager_wait(void)
{
	int ret;

	return read(red.done[0], &ret, sizeof(ret)) == sizeof(ret) ? ret : -ECHILD;
}

static int pager_go(void)
{
	return write(red.steps[1], "", 1) == 1 ? 0 : -EPIPE;
}

static int pager_start(enum red_kind kind)
{
	struct kmdom_create create = { .max_frames = FRAMES };
	int ret;

	red.dev = kmdom_open(0, NULL);
	if (red.dev < 0)
		return red.dev;
	kmdom_set_name(create.name, DOMAIN);
	ret = kmdom_create(red.dev, &create);
	if (ret)
		return ret;
	if (pipe(red.steps) || pipe(red.done))
		return -errno;
	red.pager = fork();
	if (red.pager < 0)
		return -errno;
	if (!red.pager) {
		pager_run(kind);
		_exit(1);
	}
	return pager_wait();
}

static int client_begin(uint32_t objects)
{
	red.client = client_open(DOMAIN, BENCH_AEAD);
	return red.client < 0 ? red.client : client_fill(red.client, objects);
}

static int clients_start(enum kb_work work)
{
	int i;

	for (i = 0; i < CLIENTS; i++) {
		red.clients[i] = fork();
		if (red.clients[i] < 0)
			return -errno;
		while (!red.clients[i])
			client_run(red.client, work, THRASHED);
	}
	return 0;
}

static int start_honest(void)
{
	int ret = kmdomd_start(&red.kmdomd, &spec, "auto");

	if (ret)
		return ret;
	ret = client_begin(THRASHED);
	return ret ? ret : clients_start(KB_DIRTY);
}

static int start_hostile(enum red_kind kind)
{
	int ret = pager_start(kind);

	if (ret)
		return ret;
	ret = client_begin(WANTED);
	if (!ret)
		ret = pager_go();
	if (!ret)
		ret = pager_wait();
	if (!ret)
		ret = clients_start(KB_PIN_KMDOM);
	return ret ? ret : pager_go();
}

/**
 * red_start() - have red do harm
 * @kind: which
 *
 * Return: 0 or a negative errno; red_stop() in any case.
 */
int red_start(enum red_kind kind)
{
	switch (kind) {
	case RED_NOTHING:
		return 0;
	case RED_THRASHES:
		return start_honest();
	default:
		return start_hostile(kind);
	}
}

static void end(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* What it was has gone. */
void red_stop(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		end(&red.clients[i]);
	if (red.pager) {
		end(&red.pager);
		close_pipe(red.steps);
		close_pipe(red.done);
	}
	if (red.dev >= 0) {
		kmdom_abort(red.dev, DOMAIN);
		close(red.dev);
		red.dev = -1;
	}
	if (red.client >= 0) {
		if (red.kmdomd.pid)
			client_fill(red.client, 0);
		close(red.client);
		red.client = -1;
	}
	kmdomd_stop(&red.kmdomd);
}
