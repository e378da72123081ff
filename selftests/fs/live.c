// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <kmdom/kmdom.h>

#include "live.h"

#define PATIENCE	60000	/* ms for what is freed in the background */
#define STEP		20	/* ms between two looks */
#define SETTLED		300	/* ms in which nothing more is freed */

#define CACHES		64	/* more than the domain has */

static const char *const names[LIVE_TYPES] = {
	[LIVE_SUPER] = "kmdomfs.super", [LIVE_INODE] = "kmdomfs.inode",
	[LIVE_LINK] = "kmdomfs.link", [LIVE_NODE_SMALL] = "kmdomfs.node.small",
	[LIVE_NODE] = "kmdomfs.node", [LIVE_MAP_SMALL] = "kmdomfs.map.small",
	[LIVE_MAP] = "kmdomfs.map", [LIVE_DATA] = "kmdomfs.data",
};

/* What there is to look at: one domain in a program, its pager the same all the time. */
static int session = -1;
static int type_of[CACHES];	/* by number of the cache, plus 1 */

static int add_type(const struct kmdom_cache_schema *cache, void *arg)
{
	int type = 0;

	while (type < LIVE_TYPES && strcmp(names[type], cache->type))
		type++;
	if (cache->id >= CACHES || type == LIVE_TYPES)
		return -EPROTOTYPE;
	type_of[cache->id] = type + 1;
	return 0;
}

/* Caches that were made since are looked up. */
static int find_type(const char *domain, unsigned int cache)
{
	int ret = cache < CACHES ? 0 : -EPROTOTYPE;

	if (!ret && !type_of[cache])
		ret = kmdom_cache_list(domain, add_type, NULL);
	return ret ?: type_of[cache] - 1;
}

/* Which of a process's descriptors is its session. */
static int session_of(pid_t pid)
{
	char path[64], target[64];
	struct dirent *entry;
	ssize_t len;
	int fd = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (fd < 0 && (entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strcmp(target, "anon_inode:[kmdom]"))
			fd = atoi(entry->d_name);
	}
	closedir(dir);
	return fd;
}

/* A descriptor of the pager's session: who asks by it is the pager, to the kernel. */
static int borrow_session(pid_t pid)
{
	int fd = session_of(pid), pidfd, ret;

	if (fd < 0)
		return fd;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (ret < 0)
		ret = -errno;
	close(pidfd);
	return ret;
}

static int begin(const char *domain)
{
	struct kmdom_info info;
	int ret;

	if (session >= 0)
		return 0;
	ret = kmdom_info_find(domain, &info);
	session = ret ?: borrow_session(info.session_pid);
	return session < 0 ? session : 0;
}

/* One SCAN; returns how many pages it showed. */
static int scan(uint64_t *cursor, struct kmdom_page *pages)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_SCAN, .index = *cursor, .buf = (unsigned long)pages,
		.len = KMDOM_SCAN_MAX * sizeof(*pages), .arg = KMDOM_SCAN_MAX,
	};
	struct kmdom_result res = { 0 };
	struct kmdom_exchange ex = {
		.ops = (unsigned long)&op, .results = (unsigned long)&res, .nr_ops = 1,
	};

	if (ioctl(session, KMDOM_IOC_EXCHANGE, &ex))
		return -errno;
	*cursor = res.value;
	return res.ret ?: (int)res.len;
}

static int add_page(const char *domain, const struct kmdom_page *page, struct live *live)
{
	int type;

	if (page->state != KMDOM_PAGE_PRESENT)
		return -EXDEV;
	if (page->level)
		return 0;
	type = find_type(domain, page->cache);
	if (type < 0)
		return type;
	live->nr[type] += page->live;
	return 0;
}

/**
 * live_count() - count objects now
 * @domain: of these; it has a session
 * @live: out
 *
 * Return: 0 or a negative errno; -EXDEV: the pager has some of them
 */
int live_count(const char *domain, struct live *live)
{
	struct kmdom_page pages[KMDOM_SCAN_MAX];
	int ret = begin(domain), nr, i;
	uint64_t cursor = 0;

	memset(live, 0, sizeof(*live));
	while (!ret) {
		nr = scan(&cursor, pages);
		ret = nr < 0 ? nr : 0;
		for (i = 0; i < nr && !ret; i++)
			ret = add_page(domain, &pages[i], live);
		if (!cursor)
			break;
	}
	return ret;
}

/**
 * live_settle() - count objects when no more are freed in the background
 * @domain: of these
 * @live: out
 *
 * Return: 0 or a negative errno
 */
int live_settle(const char *domain, struct live *live)
{
	int ms = 0, tries = PATIENCE / STEP, ret = live_count(domain, live);
	struct live now;

	while (!ret && ms < SETTLED) {
		if (!tries--)
			return -ETIMEDOUT;
		poll(NULL, 0, STEP);
		ret = live_count(domain, &now);
		ms = memcmp(live, &now, sizeof(now)) ? 0 : ms + STEP;
		*live = now;
	}
	return ret;
}

/**
 * live_wait() - are there as many objects as there have to be?
 * @domain: of these
 * @want: how many, once all is freed that nobody uses
 *
 * Return: 0 or a negative errno; -EOVERFLOW if not, which was said
 */
int live_wait(const char *domain, const struct live *want)
{
	int tries = PATIENCE / STEP, type, ret;
	struct live now;

	while (!(ret = live_count(domain, &now)) && memcmp(want, &now, sizeof(now)) && tries--)
		poll(NULL, 0, STEP);
	if (ret || !memcmp(want, &now, sizeof(now)))
		return ret;
	for (type = 0; type < LIVE_TYPES; type++)
		if (now.nr[type] != want->nr[type])
			printf("# %s: %lu objects, and not %lu\n", names[type], now.nr[type],
			       want->nr[type]);
	return -EOVERFLOW;
}

/** live_end() - let go of the pager's session, which would not end before */
void live_end(void)
{
	if (session >= 0)
		close(session);
	session = -1;
}
