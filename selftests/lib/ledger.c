// SPDX-License-Identifier: GPL-2.0
/*
 * Conservation, from counts that are kept apart: what the pager's own results
 * add up to, the frames that have memory, the pages, the tables.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <kmdom/kmdom.h>
#include "pager.h"
#include "proc.h"

/* All in use are pages or tables: a count of each against the frames' own. */
static bool uses_known(const struct kmdom_info *info)
{
	return info->frames_used == info->pages_present + info->tables;
}

/*
 * What the session has lent is what is lent, beyond the frames that dead pools
 * have in use: those have memory although no pool of a session has them.
 */
static bool session_balances(const struct pager *pager, const struct kmdom_info *info)
{
	return info->frames_free == pager->ex.free_frames &&
	       info->frames_used == pager->ex.used_frames && uses_known(info) &&
	       info->frames_free + info->frames_used + pager->frames ==
	       info->frames_pool + atomic_load(pager->lent);
}

/* Without a session nothing has memory but what is in use: nothing, in the end. */
static bool orphan_balances(const struct kmdom_info *info)
{
	return !info->frames_free && uses_known(info) &&
	       info->frames_pool == info->frames_used &&
	       (info->state != KMDOM_INFO_ABORTED || !info->frames_used);
}

static int say(const char *what, const struct kmdom_info *info)
{
	fprintf(stderr, "# not conserved: %s, with memory %lu, free %lu, used %lu: %lu pages, %lu tables\n",
		what, info->frames_pool, info->frames_free, info->frames_used,
		info->pages_present, info->tables);
	return -EILSEQ;
}

/**
 * pager_conserved() - are all frames where the pager's own count has them?
 * @pager: it has a session, a pool that was backed whole, and serves nobody now
 *
 * A table's frame is in use until a grace period has passed, so it may take a
 * while.
 *
 * Return: 0 if they are, -EILSEQ, which was said, or the session's errno
 */
int pager_conserved(struct pager *pager)
{
	long long end = now_ms() + PROC_PATIENCE / 2;
	struct kmdom_info info;
	char what[64];
	int ret;

	do {
		ret = pager_exchange(pager, NULL, NULL, 0);
		if (!ret)
			ret = kmdom_info_find(pager->name, &info);
		if (ret || session_balances(pager, &info))
			return ret;
		poll(NULL, 0, 5);
	} while (now_ms() < end);
	snprintf(what, sizeof(what), "lent %ld of %u", atomic_load(pager->lent),
		 pager->frames);
	return say(what, &info);
}

/**
 * domain_conserved() - has everything come back but what is in use?
 * @name: of a domain that has no session, or is gone
 *
 * Return: 0 if it has, -EILSEQ, which was said, or another negative errno
 */
int domain_conserved(const char *name)
{
	long long end = now_ms() + PROC_PATIENCE / 2;
	struct kmdom_info info;
	int ret;

	do {
		ret = kmdom_info_find(name, &info);
		if (ret)
			return ret == -ENOENT ? 0 : ret;
		if (orphan_balances(&info))
			return 0;
		poll(NULL, 0, 5);
	} while (now_ms() < end);
	return say("no session", &info);
}
