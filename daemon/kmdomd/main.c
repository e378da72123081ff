// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomd: pages the kernel memory of one domain, kmdomd(8).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "options.h"
#include "pager.h"
#include "process.h"
#include "report.h"
#include "session.h"
#include "stats.h"

#define STOP_MS		5000	/* the longest that work is finished after SIGTERM */

/* Everything lives as long as the process; the pager is too large for a stack. */
static struct options options;
static struct store store;
static struct session session;
static struct door door;
static struct policy policy;
static struct pager pager;
static int signals;
static bool told_to_stop;

/* The door that was asked for, or the best there is. */
static int open_door(void)
{
	int fd = kmdom_session_fd(session.kmdom);
	int ret = 0;

	door.ops = &door_ioctl_ops;
	if (strcmp(options.door, "ioctl")) {
		ret = kmdom_uring_probe(session.features);
		if (!ret) {
			door.ops = &door_uring_ops;
			ret = door.ops->open(&door, fd, signals);
		}
		if (!ret)
			return 0;
		if (!strcmp(options.door, "uring")) {
			report_error("--door uring: %s",
				     kmdom_explain(KMDOM_CALL_URING, ret));
			return ret;
		}
		report_info("%s: exchanges go through ioctl, one after the other",
			    kmdom_explain(KMDOM_CALL_URING, ret));
		door.ops = &door_ioctl_ops;
	}
	ret = door.ops->open(&door, fd, signals);
	if (ret)
		report_error("cannot open the door: %s", strerror(-ret));
	return ret;
}

/* Water marks: the reserve is not for us, so they lie above it. */
static void choose_water(struct pager_options *water, uint32_t frames)
{
	uint32_t part = frames / 32 + 8;

	water->low = options.low ? options.low : KMDOM_FRAMES_RESERVE + part;
	water->high = options.high ? options.high : water->low + part;
	if (water->high > frames)
		water->high = frames;
	if (water->low > water->high)
		water->low = water->high;
}

static bool stop_loading(void)
{
	int signo;

	while ((signo = process_next_signal()))
		told_to_stop |= signo != SIGUSR1;
	return told_to_stop;
}

/* All that the pager is made of, once there is a session. */
static int start_pager(void)
{
	struct pager_options water = { .lose_missing = options.lose_missing };
	int ret;

	choose_water(&water, session.pool_frames);
	ret = policy_open(&policy, options.policy, session.pool_frames);
	if (!ret)
		ret = pager_init(&pager, &door, &store, &policy, session.pool_frames,
				 session.lent_frames, &water);
	if (ret)
		report_error("no memory for the pager: %s", strerror(-ret));
	return ret;
}

static int start(void)
{
	int ret;

	options.store.gone = session_domain_gone;
	options.store.stop = stop_loading;
	ret = store_open(&store, &options.store);
	if (!ret)
		ret = session_begin(&session, &options, &store);
	if (!ret)
		ret = session_grant(&session);
	if (!ret)
		ret = open_door();
	return ret ? ret : start_pager();
}

/* The exit status of a start that failed: whether the next one may succeed. */
static int start_status(int ret)
{
	switch (ret) {
	case -ENODEV:
		return EXIT_GONE;
	case -EINTR:
		return told_to_stop ? EXIT_SUCCESS : EXIT_FAILURE;
	case -EACCES:
	case -EDQUOT:
	case -EINVAL:
	case -EISDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -ENOENT:
	case -ENOSYS:
	case -ENOTDIR:
	case -ENXIO:
	case -EOPNOTSUPP:
	case -EPERM:
	case -EPROTO:
	case -EPROTONOSUPPORT:
	case -EROFS:
		return EXIT_HELP;
	default:
		return EXIT_FAILURE;
	}
}

static void say_ready(void)
{
	printf("kmdomd %s: ready: session %llu, %u frames, door %s, policy %s, "
	       "store %s:%s with %zu records\n",
	       options.domain, (unsigned long long)session.number,
	       session.pool_frames, door.ops->name, policy.ops->name,
	       store.ops->name, store.path, store.index.count);
	fflush(stdout);
	process_notify("READY=1");
}

static void handle_signals(int64_t *deadline)
{
	int signo;

	while ((signo = process_next_signal())) {
		if (signo == SIGUSR1) {
			if (options.stats_file)
				stats_write(&pager, options.domain, options.stats_file);
			continue;
		}
		if (pager.stopping)
			continue;
		pager.stopping = true;
		*deadline = pager_now() + STOP_MS;
		process_notify("STOPPING=1");
	}
}

/* Serve until told to stop, or until the session is over. */
static int serve(void)
{
	int64_t deadline = 0;
	int ret;

	recover_start(&pager, true);
	for (;;) {
		handle_signals(&deadline);
		if (pager.stopping && (pager_idle(&pager) || pager_now() >= deadline))
			return 0;
		ret = pager_step(&pager);
		if (ret)
			return ret;
	}
}

static int say_end(int ret)
{
	switch (ret) {
	case 0:
		report_info("stopped: the domain waits for another pager");
		return EXIT_SUCCESS;
	case -EOWNERDEAD:
		report_info("%s", kmdom_explain(KMDOM_CALL_EXCHANGE, ret));
		return EXIT_TAKEN;
	case -ENODEV:
		report_info("%s", kmdom_explain(KMDOM_CALL_EXCHANGE, ret));
		return EXIT_GONE;
	default:
		report_error("the session cannot go on: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
}

int main(int argc, char **argv)
{
	int ret;

	options_parse(&options, argc, argv);
	report_init(options.domain);
	if (!options.no_mlock && process_lock_memory())
		return EXIT_HELP;
	process_become_flusher();
	signals = process_signals();
	if (signals < 0) {
		report_error("signals: %s", strerror(-signals));
		return EXIT_FAILURE;
	}
	ret = start();
	if (ret)
		return start_status(ret);
	say_ready();
	ret = serve();
	if (options.stats_file)
		stats_write(&pager, options.domain, options.stats_file);
	chaos_report(&store);
	/* The kernel takes back whatever is under way: there is nothing to undo. */
	return say_end(ret);
}
