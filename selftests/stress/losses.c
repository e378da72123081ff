// SPDX-License-Identifier: GPL-2.0
/*
 * What was lost has to be what chaos took: the kernel's trace tells which version
 * of a page its pager refused, the log of chaos which it dropped or spoilt.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "stress.h"

#define TRACE_DIR	"/sys/kernel/tracing/instances/kmdom-stress"
#define TRACE_ENABLE	TRACE_DIR "/events/kmdom/kmdom_refuse/enable"
#define TRACE_TRIES	100	/* of 10 ms: it is traced after the waiters are told */

const char *const fault_names[FAULTS] = {
	[FAULT_FAIL] = "fail",
	[FAULT_CORRUPT] = "corrupt",
	[FAULT_FORGE] = "forge",
	[FAULT_DELAY] = "delay",
	[FAULT_REORDER] = "reorder",
	[FAULT_DROP] = "drop",
	[FAULT_ROT] = "rot",
};

/* A line of a log of chaos. */
struct fault_line {
	enum fault fault;
	unsigned int level;
	unsigned long long index;
	unsigned long long version;
};

static bool next_fault(FILE *file, struct fault_line *line)
{
	char name[16];
	int fault;

	if (fscanf(file, "%15s %u %llu %llu", name, &line->level, &line->index,
		   &line->version) != 4)
		return false;
	for (fault = 0; fault < FAULTS; fault++)
		if (!strcmp(name, fault_names[fault]))
			break;
	line->fault = fault;
	return fault < FAULTS;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/**
 * losses_begin() - from now on it is traced what pagers refuse
 *
 * Return: 0 or a negative errno
 */
int losses_begin(void)
{
	if (mkdir(TRACE_DIR, 0700) && errno != EEXIST)
		return -errno;
	return put(TRACE_ENABLE, "1");
}

/**
 * losses_end() - it is traced no more
 */
void losses_end(void)
{
	put(TRACE_ENABLE, "0");
	rmdir(TRACE_DIR);
}

/* The version of an object's page that was refused last; 0: none. */
static unsigned long long refused_in(const char *trace, uint64_t domain, uint64_t index)
{
	unsigned long long of, page, version, found = 0;
	FILE *file = fopen(trace, "r");
	unsigned int level;
	char line[256];
	const char *at;

	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "kmdom_refuse: ");
		if (at && sscanf(at, "kmdom_refuse: domain=%llu index=%llu level=%u version=%llu",
				 &of, &page, &level, &version) == 4 &&
		    of == domain && page == index && !level)
			found = version;
	}
	if (file)
		fclose(file);
	return found;
}

static unsigned long long refused(const struct losses *losses, uint64_t index)
{
	unsigned long long version = 0;
	int tries;

	for (tries = 0; tries < TRACE_TRIES; tries++) {
		version = refused_in(losses->trace ?: TRACE_DIR "/trace", losses->domain, index);
		if (version)
			break;
		poll(NULL, 0, 10);
	}
	return version;
}

/* Did chaos take this record? */
static bool taken(const char *log, uint64_t index, unsigned long long version)
{
	FILE *file = fopen(log, "r");
	struct fault_line line;
	bool found = false;

	while (file && !found && next_fault(file, &line))
		found = !line.level && line.index == index && line.version == version &&
			(line.fault == FAULT_DROP || line.fault == FAULT_ROT);
	if (file)
		fclose(file);
	return found;
}

static bool explained_before(const struct losses *losses, uint64_t index,
			     unsigned long long version)
{
	unsigned int i;

	for (i = 0; i < losses->nr; i++)
		if (losses->told[i].index == index && losses->told[i].version == version)
			return true;
	return false;
}

/**
 * loss_explained() - did chaos lose the record of this page that was wanted?
 * @losses: those of the tenant so far
 * @index: of the page
 *
 * What explains one loss explains no other: a page that was lost is freed, and its
 * index is not used again.
 *
 * Return: whether it did
 */
bool loss_explained(struct losses *losses, uint64_t index)
{
	unsigned long long version = refused(losses, index);

	if (!version || losses->nr == LOSSES_MAX ||
	    explained_before(losses, index, version) || !taken(losses->log, index, version))
		return false;
	losses->told[losses->nr].index = index;
	losses->told[losses->nr++].version = version;
	return true;
}

/**
 * losses_count() - add up what chaos did
 * @log: of a tenant's chaos; need not be there
 * @counts: of each kind, added to
 */
void losses_count(const char *log, uint64_t counts[FAULTS])
{
	FILE *file = fopen(log, "r");
	struct fault_line line;

	while (file && next_fault(file, &line))
		counts[line.fault]++;
	if (file)
		fclose(file);
}
