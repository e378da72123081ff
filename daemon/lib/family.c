// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Requests to the generic netlink family "kmdom".
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <linux/kmdom_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <kmdom/kmdom.h>
#include "family.h"

static void family_read_attr(struct nlattr *nla, const struct family_attr *attr, void *to)
{
	char *field = (char *)to + attr->offset;
	size_t len = nla_len(nla);
	uint64_t value = 0;

	switch (attr->kind) {
	case FAMILY_NONE:
		break;
	case FAMILY_UINT:
		/* Both sizes are there, and the order is this machine's. */
		value = len == sizeof(value) ? nla_get_u64(nla) : nla_get_u32(nla);
		memcpy(field, &value, sizeof(value));
		break;
	case FAMILY_U32:
		*(uint32_t *)field = nla_get_u32(nla);
		break;
	case FAMILY_FLAG:
		*(uint32_t *)field = 1;
		break;
	case FAMILY_STRING:
		nla_strlcpy(field, nla, attr->size);
		break;
	case FAMILY_BYTES:
		memcpy(field, nla_data(nla), len < attr->size ? len : attr->size);
		break;
	case FAMILY_NEST:
		attr->nest(nla, to);
		break;
	}
}

/**
 * kmdom_family_read() - read attributes to a structure
 * @attrs: the first of them
 * @len: bytes of all
 * @set: what they become, by number
 * @max: the greatest number in @set
 * @to: the structure; what no attribute tells is left as it was
 *
 * A kernel that is newer may send more: what is not known is passed over.
 */
void kmdom_family_read(struct nlattr *attrs, int len, const struct family_attr *set,
		       int max, void *to)
{
	struct nlattr *nla;
	int rest;

	nla_for_each_attr(nla, attrs, len, rest) {
		if (nla_type(nla) > 0 && nla_type(nla) <= max)
			family_read_attr(nla, &set[nla_type(nla)], to);
	}
}

/** kmdom_family_read_nest() - the same of what is in an attribute */
void kmdom_family_read_nest(struct nlattr *nest, const struct family_attr *set, int max,
			    void *to)
{
	kmdom_family_read(nla_data(nest), nla_len(nest), set, max, to);
}

/* A request under way. libnl has errors of its own, so ours are kept here. */
struct family_request {
	family_fn fn;
	void *arg;
	int ret;
	int done;
};

static int family_on_message(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	struct family_request *req = arg;

	if (!req->ret)
		req->ret = req->fn(genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0),
				   req->arg);
	return NL_OK;
}

static int family_on_error(struct sockaddr_nl *who, struct nlmsgerr *err, void *arg)
{
	struct family_request *req = arg;

	(void)who;
	req->ret = err->error;
	req->done = 1;
	return NL_STOP;
}

static int family_on_end(struct nl_msg *msg, void *arg)
{
	struct family_request *req = arg;

	(void)msg;
	req->done = 1;
	return NL_STOP;
}

static int family_receive(struct nl_sock *sock, struct family_request *req)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, family_on_message, req);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, family_on_end, req);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, family_on_end, req);
	nl_cb_err(cb, NL_CB_CUSTOM, family_on_error, req);
	while (!req->done && ret >= 0)
		ret = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (!req->done)
		return -EIO;
	return req->ret;
}

static int family_send(struct nl_sock *sock, int family,
		       const struct family_question *question)
{
	struct nl_msg *msg = nlmsg_alloc();
	int ret = -ENOMEM, i;

	if (!msg)
		return ret;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0,
			 question->dump ? NLM_F_DUMP : 0, question->cmd,
			 KMDOM_FAMILY_VERSION))
		goto out;
	for (i = 0; i < FAMILY_NAMES && question->names[i].attr; i++) {
		if (nla_put_string(msg, question->names[i].attr, question->names[i].text))
			goto out;
	}
	ret = nl_send_auto(sock, msg) < 0 ? -EIO : 0;
out:
	nlmsg_free(msg);
	return ret;
}

/**
 * kmdom_family_ask() - make a request, and read the answer
 * @question: the request
 * @fn: called for each message of the answer, with its attributes
 * @arg: passed to it
 *
 * Return: 0, what @fn returned, or a negative errno. -EPROTONOSUPPORT: there is
 * no such family.
 */
int kmdom_family_ask(const struct family_question *question, family_fn fn, void *arg)
{
	struct family_request req = { .fn = fn, .arg = arg };
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
	ret = family_send(sock, family, question);
	if (!ret)
		ret = family_receive(sock, &req);
out:
	nl_socket_free(sock);
	return ret;
}
