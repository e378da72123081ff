// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <kmdom/kmdom.h>

#include "absent.h"
#include "pager.h"
#include "proc.h"

/* More frames than the file system's pages: nothing is preempted for want of them. */
#define FRAMES		1024
#define RECORDS		32768	/* of all pages that there ever are */
#define PATIENCE	60000	/* ms for what holds a page in the background */

/* What the helper and the test share. */
static struct shared {
	atomic_uint faults;	/* of objects, since absent_refuse() */
	atomic_uint refuse;	/* which of these; 0: none */
} *shared;

/* Clients must not be the pager's process. */
static struct proc helper;

/* The helper's own. */
static struct pager pager = { .ctl = -1, .fd = -1 };
static struct server server;

struct begin {
	char domain[KMDOM_NAME_MAX];
	struct store *store;
};

/* With a table everything below it would be refused. */
static bool on_fault(struct pager *view, const struct kmdom_event *ev)
{
	if (ev->level)
		return false;
	if (atomic_fetch_add(&shared->faults, 1) + 1 != atomic_load(&shared->refuse))
		return false;
	pager_refuse(view, PAGE_OF(ev->level, ev->index), ev->version, 0);
	return true;
}

static long do_begin(void *arg)
{
	static const struct pager_hooks hooks = { .fault = on_fault };
	struct begin *begin = arg;
	int64_t ret;

	ret = pager_open(&pager, begin->store) ?:
		pager_create(&pager, begin->domain, FRAMES, 300) ?:
		pager_adopt(&pager, begin->domain, DOOR_IOCTL, FRAMES, 0);
	if (ret)
		return ret;
	ret = pager_grant(&pager, 0, FRAMES);
	return ret < 0 ? ret : server_start(&server, &pager, &hooks);
}

/**
 * absent_begin() - make the domain, whose pager serves
 * @domain: its name
 *
 * Return: 0 or a negative errno
 */
int absent_begin(const char *domain)
{
	struct begin begin = { 0 };
	int ret;

	snprintf(begin.domain, sizeof(begin.domain), "%s", domain);
	begin.store = store_create(RECORDS, true);
	shared = shared_alloc(sizeof(*shared));
	ret = proc_spawn(&helper, 1);
	return ret ?: proc_call(&helper, do_begin, &begin, sizeof(begin));
}

static long do_end(void *arg)
{
	int ret = server_stop(&server);

	pager_leave(&pager);
	return ret ?: domain_conserved(arg) ?: pager_destroy(&pager, arg);
}

/**
 * absent_end() - end the pager, and the domain, which nobody holds any more
 * @domain: its name
 *
 * Return: 0 or a negative errno
 */
int absent_end(const char *domain)
{
	char name[KMDOM_NAME_MAX];
	int ret;

	snprintf(name, sizeof(name), "%s", domain);
	ret = proc_call(&helper, do_end, name, sizeof(name));
	return proc_kill(&helper) ?: ret;
}

/* A table can leave when what it leads to has. */
static long do_preempt(void *arg)
{
	int ret;

	do {
		ret = pager_preempt_all(&pager);
	} while (ret > 0);
	return ret;
}

/**
 * absent_preempt() - take all pages away
 * @domain: whose
 *
 * Return: 0; -EBUSY if one could not be; or another negative errno
 */
int absent_preempt(const char *domain)
{
	int tries = PATIENCE / 20, ret;
	struct kmdom_info info;

	do {
		ret = proc_call(&helper, do_preempt, NULL, 0);
		if (!ret)
			ret = kmdom_info_find(domain, &info);
		if (ret || !info.pages_present)
			return ret;
		poll(NULL, 0, 20);
	} while (tries--);
	return -EBUSY;
}

static int bring(const struct kmdom_page *page, unsigned int *absent)
{
	int ret;

	if (page->state != KMDOM_PAGE_ABSENT)
		return 0;
	++*absent;
	ret = pager_answer(&pager, PAGE_OF(page->level, page->index), page->version);
	/* Somebody else brought it, or it has ended. */
	return ret == -EALREADY || ret == -ESTALE || ret == -ENOENT || ret == -ENXIO ? 0 : ret;
}

/* What a table leads to is seen when that is there. */
static long do_bring(void *arg)
{
	struct kmdom_page pages[PAGER_BATCH];
	unsigned int absent;
	uint64_t cursor;
	int nr, i, ret = 0;

	do {
		absent = 0;
		cursor = 0;
		do {
			nr = pager_scan(&pager, &cursor, pages, PAGER_BATCH, 0);
			for (i = 0; i < nr && !ret; i++)
				ret = bring(&pages[i], &absent);
		} while (nr >= 0 && !ret && cursor);
	} while (nr >= 0 && !ret && absent);
	return nr < 0 ? nr : ret;
}

/**
 * absent_bring() - bring all pages back
 *
 * Return: 0 or a negative errno
 */
int absent_bring(void)
{
	return proc_call(&helper, do_bring, NULL, 0);
}

/**
 * absent_faults() - how many faults of objects there were since absent_refuse()
 *
 * Return: their number
 */
unsigned int absent_faults(void)
{
	return atomic_load(&shared->faults);
}

/**
 * absent_refuse() - refuse a fault, and count them anew
 * @nth: the n-th from now on; 0: none
 */
void absent_refuse(unsigned int nth)
{
	atomic_store(&shared->refuse, nth);
	atomic_store(&shared->faults, 0);
}
