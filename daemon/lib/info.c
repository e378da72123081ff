// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Domains as the generic netlink family "kmdom" shows them.
 */
#include <linux/kmdom_netlink.h>
#include <kmdom/kmdom.h>
#include "family.h"

_Static_assert(KMDOM_INFO_SERVED == (int)KMDOM_NL_STATE_SERVED &&
	       KMDOM_INFO_ORPHANED == (int)KMDOM_NL_STATE_ORPHANED &&
	       KMDOM_INFO_ABORTED == (int)KMDOM_NL_STATE_ABORTED,
	       "states of domains");

_Static_assert((int)KMDOM_NR_REJECTS <= KMDOM_INFO_REJECTS, "reasons of rejects");

struct info_reject {
	uint64_t count;
	uint32_t reason;
};

static const struct family_attr reject_attrs[KMDOM_A_REJECT_MAX + 1] = {
	FAMILY_ATTR(KMDOM_A_REJECT_REASON, U32, struct info_reject, reason),
	FAMILY_ATTR(KMDOM_A_REJECT_COUNT, UINT, struct info_reject, count),
};

/* A reason that this library has no room for is passed over. */
static void info_read_reject(struct nlattr *nest, void *to)
{
	struct info_reject reject = { 0 };
	struct kmdom_info *info = to;

	kmdom_family_read_nest(nest, reject_attrs, KMDOM_A_REJECT_MAX, &reject);
	if (reject.reason < KMDOM_INFO_REJECTS)
		info->rejects[reject.reason] = reject.count;
}

static const struct family_attr info_attrs[KMDOM_A_DOMAIN_MAX + 1] = {
#define INFO_ATTR(attr, kind, field)					\
	FAMILY_ATTR(KMDOM_A_DOMAIN_##attr, kind, struct kmdom_info, field)
	INFO_ATTR(ID, UINT, id),
	INFO_ATTR(NAME, STRING, name),
	INFO_ATTR(UUID, BYTES, uuid),
	INFO_ATTR(UID, U32, uid),
	INFO_ATTR(STATE, U32, state),
	INFO_ATTR(STALLED, FLAG, stalled),
	INFO_ATTR(AEAD, STRING, aead),
	INFO_ATTR(ORPHAN_SECONDS, U32, orphan_seconds),
	INFO_ATTR(SESSION, UINT, session),
	INFO_ATTR(SESSION_PID, U32, session_pid),
	INFO_ATTR(FRAMES_MAX, UINT, frames_max),
	INFO_ATTR(FRAMES_POOL, UINT, frames_pool),
	INFO_ATTR(FRAMES_GRANTED, UINT, frames_granted),
	INFO_ATTR(FRAMES_FREE, UINT, frames_free),
	INFO_ATTR(FRAMES_USED, UINT, frames_used),
	INFO_ATTR(FRAMES_PEAK, UINT, frames_peak),
	INFO_ATTR(PAGES_PRESENT, UINT, pages_present),
	INFO_ATTR(PAGES_ABSENT, UINT, pages_absent),
	INFO_ATTR(TABLES, UINT, tables),
	INFO_ATTR(CACHES, UINT, caches),
	INFO_ATTR(WAITERS, UINT, waiters),
	INFO_ATTR(CLIENTS, UINT, clients),
	INFO_ATTR(FAULTS, UINT, faults),
	INFO_ATTR(EXPORTS, UINT, exports),
	INFO_ATTR(RESTORES, UINT, restores),
	INFO_ATTR(EVICTIONS, UINT, evictions),
	INFO_ATTR(REJECTED, UINT, rejected),
	INFO_ATTR(REFUSED, UINT, refused),
	INFO_ATTR(TIMEOUTS, UINT, timeouts),
	INFO_ATTR(BYTES_OUT, UINT, bytes_out),
	INFO_ATTR(BYTES_IN, UINT, bytes_in),
	INFO_ATTR(FAULT_NS_SUM, UINT, fault_ns_sum),
	INFO_ATTR(FAULT_NS_MAX, UINT, fault_ns_max),
#undef INFO_ATTR
	[KMDOM_A_DOMAIN_REJECTS] = { .kind = FAMILY_NEST, .nest = info_read_reject },
};

/* Who is told of domains. */
struct info_reader {
	kmdom_info_fn fn;
	void *arg;
};

static int info_read(struct nlattr *attrs, int len, void *arg)
{
	const struct info_reader *reader = arg;
	struct kmdom_info info = { 0 };

	kmdom_family_read(attrs, len, info_attrs, KMDOM_A_DOMAIN_MAX, &info);
	return reader->fn(&info, reader->arg);
}

/**
 * kmdom_info_list() - call a function for every domain that can be seen
 * @fn: the function; what it returns, if not 0, is the result
 * @arg: passed to it
 *
 * Return: 0 or a negative errno. -EPROTONOSUPPORT: there is no such family,
 * since the module is not loaded or this is not the first network namespace.
 */
int kmdom_info_list(kmdom_info_fn fn, void *arg)
{
	const struct family_question question = {
		.cmd = KMDOM_CMD_DOMAIN_GET, .dump = true,
	};
	struct info_reader reader = { fn, arg };

	return kmdom_family_ask(&question, info_read, &reader);
}

static int info_copy(const struct kmdom_info *info, void *arg)
{
	*(struct kmdom_info *)arg = *info;
	return 0;
}

/**
 * kmdom_info_find() - one domain
 * @name: its name; one without a slash is first looked up as "UID/NAME"
 * @info: out: the domain
 *
 * Return: 0 or a negative errno: -ENOENT, -EPERM, as kmdom_info_list().
 */
int kmdom_info_find(const char *name, struct kmdom_info *info)
{
	struct info_reader reader = { info_copy, info };
	char field[KMDOM_NAME_MAX];
	int ret;

	ret = kmdom_set_name(field, name);
	if (ret)
		return ret;
	return kmdom_family_ask(&(struct family_question) {
		.cmd = KMDOM_CMD_DOMAIN_GET,
		.names = { { KMDOM_A_DOMAIN_NAME, field } },
	}, info_read, &reader);
}
