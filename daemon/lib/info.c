// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Domains as the generic netlink family "kmdom" shows them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kmdom_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <kmdom/kmdom.h>

/* What becomes of an attribute. */
enum info_kind {
	INFO_UINT,	/* 4 or 8 bytes, to a uint64_t */
	INFO_U32,
	INFO_STRING,
	INFO_BYTES,
	INFO_FLAG,	/* to a uint32_t */
};

static const struct info_attr {
	enum info_kind kind;
	size_t offset;
	size_t size;
} info_attrs[KMDOM_A_DOMAIN_MAX + 1] = {
#define INFO_ATTR(attr, kind, field)					\
	[KMDOM_A_DOMAIN_##attr] = {					\
		INFO_##kind, offsetof(struct kmdom_info, field),	\
		sizeof(((struct kmdom_info *)0)->field),		\
	}
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
};

_Static_assert(KMDOM_INFO_SERVED == (int)KMDOM_NL_STATE_SERVED &&
	       KMDOM_INFO_ORPHANED == (int)KMDOM_NL_STATE_ORPHANED &&
	       KMDOM_INFO_ABORTED == (int)KMDOM_NL_STATE_ABORTED,
	       "states of domains");

static void info_read_attr(struct kmdom_info *info, struct nlattr *nla)
{
	const struct info_attr *attr = &info_attrs[nla_type(nla)];
	char *field = (char *)info + attr->offset;
	size_t len = nla_len(nla);
	uint64_t value = 0;

	switch (attr->kind) {
	case INFO_UINT:
		/* Both sizes are there, and the order is this machine's. */
		value = len == sizeof(value) ? nla_get_u64(nla) : nla_get_u32(nla);
		memcpy(field, &value, sizeof(value));
		break;
	case INFO_U32:
		*(uint32_t *)field = nla_get_u32(nla);
		break;
	case INFO_FLAG:
		*(uint32_t *)field = 1;
		break;
	case INFO_STRING:
		nla_strlcpy(field, nla, attr->size);
		break;
	case INFO_BYTES:
		memcpy(field, nla_data(nla), len < attr->size ? len : attr->size);
		break;
	}
}

/* A kernel that is newer may send more: what is not known is passed over. */
static void info_read(struct kmdom_info *info, struct nlmsghdr *msg)
{
	struct genlmsghdr *hdr = nlmsg_data(msg);
	struct nlattr *nla;
	int rest;

	memset(info, 0, sizeof(*info));
	nla_for_each_attr(nla, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rest) {
		if (nla_type(nla) > 0 && nla_type(nla) <= KMDOM_A_DOMAIN_MAX)
			info_read_attr(info, nla);
	}
}

/* A request under way. libnl has errors of its own, so ours are kept here. */
struct info_request {
	kmdom_info_fn fn;
	void *arg;
	int ret;
	int done;
};

static int info_on_message(struct nl_msg *msg, void *arg)
{
	struct info_request *req = arg;
	struct kmdom_info info;

	if (!req->ret) {
		info_read(&info, nlmsg_hdr(msg));
		req->ret = req->fn(&info, req->arg);
	}
	return NL_OK;
}

static int info_on_error(struct sockaddr_nl *who, struct nlmsgerr *err, void *arg)
{
	struct info_request *req = arg;

	(void)who;
	req->ret = err->error;
	req->done = 1;
	return NL_STOP;
}

static int info_on_end(struct nl_msg *msg, void *arg)
{
	struct info_request *req = arg;

	(void)msg;
	req->done = 1;
	return NL_STOP;
}

static int info_receive(struct nl_sock *sock, struct info_request *req)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, info_on_message, req);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, info_on_end, req);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, info_on_end, req);
	nl_cb_err(cb, NL_CB_CUSTOM, info_on_error, req);
	while (!req->done && ret >= 0)
		ret = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (!req->done)
		return -EIO;
	return req->ret;
}

static int info_send(struct nl_sock *sock, int family, const char *name)
{
	struct nl_msg *msg = nlmsg_alloc();
	int ret = -ENOMEM;

	if (!msg)
		return ret;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
			 name ? 0 : NLM_F_DUMP, KMDOM_CMD_DOMAIN_GET,
			 KMDOM_FAMILY_VERSION))
		goto out;
	if (name && nla_put_string(msg, KMDOM_A_DOMAIN_NAME, name))
		goto out;
	ret = nl_send_auto(sock, msg) < 0 ? -EIO : 0;
out:
	nlmsg_free(msg);
	return ret;
}

/* One request: of the domain @name, or of all. */
static int info_request(const char *name, kmdom_info_fn fn, void *arg)
{
	struct info_request req = { .fn = fn, .arg = arg };
	struct nl_sock *sock = nl_socket_alloc();
	int family, ret;

	if (!sock)
		return -ENOMEM;
	ret = genl_connect(sock);
	if (ret) {
		ret = -EIO;
		goto out;
	}
	family = genl_ctrl_resolve(sock, KMDOM_FAMILY_NAME);
	if (family < 0) {
		ret = -EPROTONOSUPPORT;
		goto out;
	}
	ret = info_send(sock, family, name);
	if (!ret)
		ret = info_receive(sock, &req);
out:
	nl_socket_free(sock);
	return ret;
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
	return info_request(NULL, fn, arg);
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
	char field[KMDOM_NAME_MAX];
	int ret;

	ret = kmdom_set_name(field, name);
	if (ret)
		return ret;
	return info_request(field, info_copy, info);
}
