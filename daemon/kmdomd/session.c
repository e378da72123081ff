// SPDX-License-Identifier: GPL-2.0
/*
 * Becoming a domain's pager.
 *
 * Order: the store is looked at first, so that one that cannot serve changes
 * nothing. Without a takeover it is locked and read before the adoption. With
 * one the old session ends first; a predecessor that still holds the store,
 * because it is stopped or slow, is then killed: it cannot serve any more, and
 * must not write to the store behind its successor.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "process.h"
#include "report.h"
#include "session.h"

#define SESSION_SLOTS		8
#define SESSION_LOCK_MS		10000	/* for a predecessor's last transfer */
#define SESSION_YIELD_MS	1000	/* for one that was taken over to notice */

static int session_compare(const struct kmdom_info *info, void *uuid)
{
	return memcmp(info->uuid, uuid, sizeof(info->uuid)) ? 0 : -EEXIST;
}

/* A uuid never comes back: whose domain is not among all there are has ended. */
bool session_domain_gone(const uint8_t uuid[16])
{
	uint8_t copy[16];

	memcpy(copy, uuid, sizeof(copy));
	return process_sees_all() && !kmdom_info_list(session_compare, copy);
}

static int session_create(int dev, const struct options *options, bool *created)
{
	struct kmdom_create create = {
		.max_frames = options->max_frames,
		.orphan_seconds = options->orphan_seconds,
	};
	int ret;

	ret = kmdom_set_name(create.name, options->domain);
	if (!ret && options->aead) {
		if (strlen(options->aead) >= KMDOM_AEAD_MAX)
			ret = -EOPNOTSUPP;
		else
			strcpy(create.aead, options->aead);
	}
	if (!ret)
		ret = kmdom_create(dev, &create);
	if (ret && ret != -EEXIST) {
		report_error("cannot create the domain: %s",
			     kmdom_explain(KMDOM_CALL_CREATE, ret));
		return ret;
	}
	*created = !ret;
	return 0;
}

/* A descriptor of the process that holds the domain, so that it stays that one. */
static int session_open_predecessor(const struct kmdom_info *info)
{
	if (info->state != KMDOM_INFO_SERVED || !info->session_pid)
		return -1;
	return syscall(SYS_pidfd_open, info->session_pid, 0);
}

static int session_lock_store(struct store *store, int predecessor)
{
	int ret;

	ret = store_lock(store, predecessor < 0 ? SESSION_LOCK_MS : SESSION_YIELD_MS);
	if (ret != -EBUSY || predecessor < 0)
		goto out;
	report_warning("the pager that was taken over still holds the store: it is killed");
	syscall(SYS_pidfd_send_signal, predecessor, SIGKILL, NULL, 0);
	ret = store_lock(store, SESSION_LOCK_MS);
out:
	if (ret == -EBUSY)
		report_error("store %s: it is in use, by another process or, of a device, by the kernel: end that use first",
			     store->path);
	else if (ret)
		report_error("store %s: cannot lock it: %s", store->path, strerror(-ret));
	return ret;
}

/* All that the domain may have, unless fewer are asked for. */
static uint32_t session_frames(const struct options *options,
			       const struct kmdom_info *info)
{
	return options->frames ? options->frames : info->frames_max;
}

static int session_adopt(struct session *session, int dev,
			 const struct options *options, uint32_t frames)
{
	struct kmdom_adopt adopt = {
		.slots = SESSION_SLOTS,
		.deadline_ms = options->deadline_ms,
		.flags = options->takeover ? KMDOM_ADOPT_TAKEOVER : 0,
		.pool_frames = frames,
	};
	int ret;

	kmdom_set_name(adopt.name, options->domain);
	ret = kmdom_session_begin(dev, &adopt, &session->kmdom);
	if (ret) {
		report_error("cannot adopt the domain: %s",
			     kmdom_explain(KMDOM_CALL_ADOPT, ret));
		return ret;
	}
	session->number = adopt.session;
	session->pool_frames = adopt.pool_frames;
	return 0;
}

static int session_inherit(struct session *session, const struct options *options,
			   struct store *store, const struct kmdom_info *info)
{
	int ret;

	ret = session_lock_store(store, -1);
	if (!ret)
		ret = store_load(store, info->uuid);
	if (ret)
		return ret;
	ret = kmdom_session_attach(options->session_fd, options->frames, &session->kmdom);
	if (ret)
		report_error("descriptor %d is no session: %s", options->session_fd,
			     strerror(-ret));
	session->number = info->session;
	session->pool_frames = options->frames;
	return ret;
}

static int session_take_over(struct session *session, int dev,
			     const struct options *options, struct store *store,
			     const struct kmdom_info *info)
{
	uint32_t frames = session_frames(options, info);
	int predecessor = session_open_predecessor(info);
	int ret;

	ret = session_adopt(session, dev, options, frames);
	if (!ret)
		ret = session_lock_store(store, predecessor);
	if (predecessor >= 0)
		close(predecessor);
	return ret ? ret : store_load(store, info->uuid);
}

static int session_start(struct session *session, int dev,
			 const struct options *options, struct store *store,
			 const struct kmdom_info *info)
{
	int ret;

	if (options->frames > info->frames_max) {
		report_error("the pool is too large: the domain may have %llu frames",
			     (unsigned long long)info->frames_max);
		return -EDQUOT;
	}
	ret = store_check(store, info->uuid);
	if (ret)
		return ret;
	if (options->session_fd >= 0)
		return session_inherit(session, options, store, info);
	if (options->takeover)
		return session_take_over(session, dev, options, store, info);
	if (info->state == KMDOM_INFO_SERVED) {
		report_error("cannot adopt the domain: %s",
			     kmdom_explain(KMDOM_CALL_ADOPT, EBUSY));
		return -EBUSY;
	}
	ret = session_lock_store(store, -1);
	if (!ret)
		ret = store_load(store, info->uuid);
	if (ret)
		return ret;
	return session_adopt(session, dev, options, session_frames(options, info));
}

/**
 * session_begin() - become the pager
 * @session: to be filled in
 * @options: how
 * @store: open; loaded when this succeeds
 *
 * Return: 0 or a negative errno, with the reason reported.
 */
int session_begin(struct session *session, const struct options *options,
		  struct store *store)
{
	struct kmdom_info info;
	bool created = false;
	int dev, ret = 0;

	*session = (struct session){};
	dev = kmdom_open(0, &session->features);
	if (dev < 0) {
		report_error("%s", kmdom_explain(KMDOM_CALL_OPEN, dev));
		/* No device, which is another thing than no domain. */
		return dev == -ENODEV ? -ENXIO : dev;
	}
	if (options->create)
		ret = session_create(dev, options, &created);
	if (!ret) {
		ret = kmdom_info_find(options->domain, &info);
		if (ret)
			report_error("cannot find the domain: %s",
				     kmdom_explain(KMDOM_CALL_INFO, ret));
	}
	if (!ret)
		ret = session_start(session, dev, options, store, &info);
	if (ret && session->kmdom) {
		kmdom_session_end(session->kmdom);
		session->kmdom = NULL;
	}
	/* What nobody has used yet is not left behind without a pager. */
	if (ret && created)
		kmdom_destroy(dev, options->domain);
	close(dev);
	return ret;
}

/**
 * session_grant() - lend the pool to the kernel, as far as it goes now
 * @session: the session
 *
 * What the domain's limit does not allow yet, because pages are still in the
 * frames of an earlier session, is lent as these are evicted.
 *
 * Return: 0 or a negative errno, with the reason reported.
 */
int session_grant(struct session *session)
{
	int lent;

	lent = kmdom_session_grant(session->kmdom, 0, session->pool_frames);
	/* All are lent already: the session was inherited. */
	if (lent == -EBUSY) {
		session->lent_frames = session->pool_frames;
		return 0;
	}
	/* None yet: the domain's limit is in use. */
	if (lent == -EDQUOT)
		lent = 0;
	if (lent < 0) {
		report_error("cannot lend frames: %s",
			     kmdom_explain(KMDOM_CALL_EXCHANGE, lent));
		return lent;
	}
	session->lent_frames = lent;
	if (session->lent_frames < session->pool_frames)
		report_info("%d of %u frames are lent; the others will be as pages leave the frames of earlier sessions",
			    lent, session->pool_frames);
	return 0;
}
