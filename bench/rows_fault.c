// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that the real kmdomd answers from its store in memory, one at a time: from a
 * client's pin of an absent object until the client runs on. Evictions stay outside:
 * before each sample kmdomd is made to free more frames than it needs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define DOMAIN		"bench-paged"
#define STORE		"/tmp/bench-store"
#define FRAMES		1024
#define LOW		64
#define HIGH		640
#define PAGES		2000
#define FAULTS		256	/* a sample; fewer than HIGH - LOW */
#define STRINGS(x)	#x
#define STRING(x)	STRINGS(x)

/**
 * struct paged - a domain with a kmdomd, and the module's client of it
 * @door: of kmdomd
 * @pid: of kmdomd; 0: there is none yet
 * @said: what it says
 * @client: of client_open()
 */
struct paged {
	const char *door;
	pid_t pid;
	FILE *said;
	int client;
};

static struct paged paged = { .client = -1 };

static void run_kmdomd(int out, const char *door)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/daemon/kmdomd", getenv("BUILD"));
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl(path, "kmdomd", "--domain", DOMAIN, "--create", "--max-frames", STRING(FRAMES),
	      "--frames", STRING(FRAMES), "--low", STRING(LOW), "--high", STRING(HIGH),
	      "--store", "mem:" STORE ",size=64M", "--door", door, NULL);
	_exit(127);
}

static int wait_ready(void)
{
	char line[256];

	while (fgets(line, sizeof(line), paged.said)) {
		if (strstr(line, ": ready"))
			return 0;
		fprintf(stderr, "%s", line);
	}
	return -ECHILD;
}

static int start_kmdomd(const char *door)
{
	int out[2];

	if (pipe(out))
		return -errno;
	paged.pid = fork();
	if (paged.pid < 0)
		return -errno;
	if (!paged.pid)
		run_kmdomd(out[1], door);
	close(out[1]);
	paged.door = door;
	paged.said = fdopen(out[0], "r");
	return paged.said ? wait_ready() : -errno;
}

/* kmdomd and its domain end, if there are any. */
void fault_close(void)
{
	int dev;

	if (paged.client >= 0) {
		client_fill(paged.client, 0);
		close(paged.client);
	}
	if (paged.pid > 0) {
		kill(paged.pid, SIGTERM);
		waitpid(paged.pid, NULL, 0);
	}
	if (paged.said)
		fclose(paged.said);
	paged = (struct paged){ .client = -1 };
	unlink(STORE);
	dev = kmdom_open(0, NULL);
	if (dev >= 0) {
		kmdom_destroy(dev, DOMAIN);
		close(dev);
	}
}

/* The one of this door, made anew if it was the other's. */
static int use_door(const char *door)
{
	int ret;

	if (paged.pid && !strcmp(paged.door, door))
		return 0;
	fault_close();
	ret = start_kmdomd(door);
	if (ret)
		return ret;
	paged.client = client_open(DOMAIN, "gcm(aes)");
	return paged.client < 0 ? paged.client : client_fill(paged.client, PAGES);
}

static int free_frames(uint64_t *frames)
{
	struct kmdom_info info;
	int ret = kmdom_info_find(DOMAIN, &info);

	*frames = info.frames_free;
	return ret;
}

/* Has kmdomd take pages, and waits until it is at rest. */
static int make_room(void)
{
	uint64_t frames, before = 0;
	double ret;

	if (free_frames(&frames))
		return -errno;
	/* Once below its low water it frees frames up to the high one. */
	ret = client_run(paged.client, KB_FAULT, frames > LOW ? frames - LOW + 1 : 1);
	if (ret < 0)
		return ret;
	do {
		before = frames;
		usleep(10000);
		if (free_frames(&frames))
			return -errno;
	} while (frames < HIGH || frames != before);
	return 0;
}

static double measure_fault(struct bench *bench, const void *arg)
{
	int ret = use_door(arg);

	if (!ret)
		ret = make_room();
	return ret ? ret : client_run(paged.client, KB_FAULT, FAULTS);
}

/* What it cannot be cheaper than: two switches, the cipher, two copies. */
static double measure_floors(struct bench *bench, const void *arg)
{
	double pipe = measure_pipe(bench, NULL);
	double unseal;

	if (pipe < 0 || client_run(bench->client, KB_SEAL, 1) < 0)
		return -EIO;
	unseal = client_run(bench->client, KB_UNSEAL, 1);
	return pipe + unseal + 2 * client_run(bench->client, KB_COPY, 64);
}

const struct row fault_rows[] = {
	{ "fault_ioctl", {
		{ "kmdom", measure_fault, "ioctl" },
		{ "userfaultfd", measure_uffd, NULL },
		{ "userfaultfd_thread", measure_uffd_thread, NULL },
		{ "pipe", measure_pipe, NULL },
		{ "floors", measure_floors, NULL },
	} },
	{ "fault_uring", {
		{ "kmdom", measure_fault, "uring" },
		{ "userfaultfd", measure_uffd, NULL },
	} },
	{ }
};
