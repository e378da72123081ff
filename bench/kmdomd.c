// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kmdom/kmdom.h>
#include "group.h"
#include "kmdomd.h"

#define ARG	128	/* bytes of an argument */

static void store_path(const struct kmdomd_spec *spec, char path[ARG])
{
	snprintf(path, ARG, "/tmp/%s.store", spec->domain);
}

static void run(int out, const struct kmdomd_spec *spec, const char *door)
{
	char path[512], frames[ARG], low[ARG], high[ARG], place[ARG], store[3 * ARG];

	store_path(spec, place);
	snprintf(path, sizeof(path), "%s/daemon/kmdomd", getenv("BUILD"));
	snprintf(frames, sizeof(frames), "%u", spec->frames);
	snprintf(low, sizeof(low), "%u", spec->low);
	snprintf(high, sizeof(high), "%u", spec->high);
	snprintf(store, sizeof(store), "mem:%s,size=%uM", place, spec->store_megabytes);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (group_enter(spec->group))
		_exit(127);
	execl(path, "kmdomd", "--domain", spec->domain, "--create", "--max-frames", frames,
	      "--frames", frames, "--low", low, "--high", high, "--store", store,
	      "--door", door, NULL);
	_exit(127);
}

/* All its memory is there, so that it is not charged to who writes. */
static int make_store(const struct kmdomd_spec *spec)
{
	char place[ARG];
	int fd, ret;

	store_path(spec, place);
	fd = open(place, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = -posix_fallocate(fd, 0, (off_t)spec->store_megabytes << 20);
	close(fd);
	return ret;
}

static int wait_ready(const struct kmdomd *kmdomd)
{
	char line[256];

	while (fgets(line, sizeof(line), kmdomd->said)) {
		if (strstr(line, ": ready"))
			return 0;
		fprintf(stderr, "%s", line);
	}
	return -ECHILD;
}

/**
 * kmdomd_start() - start it, and wait until it serves
 * @kmdomd: to be filled in
 * @spec: of it; must stay
 * @door: its door
 *
 * Return: 0 or a negative errno; kmdomd_stop() in any case.
 */
int kmdomd_start(struct kmdomd *kmdomd, const struct kmdomd_spec *spec, const char *door)
{
	int out[2], ret;

	*kmdomd = (struct kmdomd){ .spec = spec, .door = door };
	ret = spec->group ? make_store(spec) : 0;
	if (ret)
		return ret;
	if (pipe(out))
		return -errno;
	kmdomd->pid = fork();
	if (kmdomd->pid < 0)
		return -errno;
	if (!kmdomd->pid)
		run(out[1], spec, door);
	close(out[1]);
	kmdomd->said = fdopen(out[0], "r");
	return kmdomd->said ? wait_ready(kmdomd) : -errno;
}

/**
 * kmdomd_stop() - end it and its domain, which no client uses
 * @kmdomd: it, or one that was not started
 */
void kmdomd_stop(struct kmdomd *kmdomd)
{
	char place[ARG];
	int dev;

	if (kmdomd->pid > 0) {
		kill(kmdomd->pid, SIGTERM);
		waitpid(kmdomd->pid, NULL, 0);
	}
	if (kmdomd->said)
		fclose(kmdomd->said);
	dev = kmdomd->spec ? kmdom_open(0, NULL) : -1;
	if (dev >= 0) {
		kmdom_destroy(dev, kmdomd->spec->domain);
		close(dev);
		store_path(kmdomd->spec, place);
		unlink(place);
	}
	*kmdomd = (struct kmdomd){ 0 };
}
