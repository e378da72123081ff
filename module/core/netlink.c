// SPDX-License-Identifier: GPL-2.0
/*
 * Sight of the domains through generic netlink: dump and get.
 *
 * Read only, and no lock of its own: a domain is described by a snapshot that
 * the core fills in, and a dump goes on behind the number of the last one that
 * it has shown, so that domains may come and go meanwhile. Policies and tables
 * of operations are generated from uapi/specs/kmdom.yaml (scripts/ynl-gen).
 */
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "domain.h"
#include "netlink.h"
#include "netlink_gen.h"

/* Whether the sender of @skb may see the domain: his own, or all. */
static bool netlink_may_see(const struct sk_buff *skb,
			    const struct kmdom_domain_info *info)
{
	return uid_eq(NETLINK_CREDS(skb)->uid, info->uid) ||
	       netlink_capable(skb, CAP_NET_ADMIN);
}

/* The interface has numbers of its own. */
static u32 netlink_state(const struct kmdom_domain_info *info)
{
	switch (info->state) {
	case KMDOM_DOMAIN_SERVED:
		return KMDOM_NL_STATE_SERVED;
	case KMDOM_DOMAIN_ORPHANED:
		return KMDOM_NL_STATE_ORPHANED;
	default:
		return KMDOM_NL_STATE_ABORTED;
	}
}

static int netlink_put_identity(struct sk_buff *skb,
				const struct kmdom_domain_info *info)
{
	if (nla_put_uint(skb, KMDOM_A_DOMAIN_ID, info->id) ||
	    nla_put_string(skb, KMDOM_A_DOMAIN_NAME, info->name) ||
	    nla_put(skb, KMDOM_A_DOMAIN_UUID, sizeof(info->uuid), info->uuid) ||
	    nla_put_u32(skb, KMDOM_A_DOMAIN_UID,
			from_kuid_munged(&init_user_ns, info->uid)) ||
	    nla_put_u32(skb, KMDOM_A_DOMAIN_STATE, netlink_state(info)) ||
	    (info->stalled && nla_put_flag(skb, KMDOM_A_DOMAIN_STALLED)) ||
	    nla_put_string(skb, KMDOM_A_DOMAIN_AEAD, info->aead) ||
	    nla_put_u32(skb, KMDOM_A_DOMAIN_ORPHAN_SECONDS, info->orphan_seconds) ||
	    nla_put_uint(skb, KMDOM_A_DOMAIN_SESSION, info->session) ||
	    nla_put_u32(skb, KMDOM_A_DOMAIN_SESSION_PID, info->session_pid))
		return -EMSGSIZE;
	return 0;
}

static int netlink_put_counters(struct sk_buff *skb,
				const struct kmdom_domain_info *info)
{
	const struct {
		int attr;
		u64 value;
	} counters[] = {
		{ KMDOM_A_DOMAIN_FRAMES_MAX, info->frames_max },
		{ KMDOM_A_DOMAIN_FRAMES_POOL, info->frames_pool },
		{ KMDOM_A_DOMAIN_FRAMES_GRANTED, info->frames_granted },
		{ KMDOM_A_DOMAIN_FRAMES_FREE, info->frames_free },
		{ KMDOM_A_DOMAIN_FRAMES_USED, info->frames_used },
		{ KMDOM_A_DOMAIN_FRAMES_PEAK, info->frames_peak },
		{ KMDOM_A_DOMAIN_PAGES_PRESENT, info->pages_present },
		{ KMDOM_A_DOMAIN_PAGES_ABSENT, info->pages_absent },
		{ KMDOM_A_DOMAIN_TABLES, info->tables },
		{ KMDOM_A_DOMAIN_CACHES, info->caches },
		{ KMDOM_A_DOMAIN_WAITERS, info->waiters },
		{ KMDOM_A_DOMAIN_CLIENTS, info->clients },
		{ KMDOM_A_DOMAIN_FAULTS, info->faults },
		{ KMDOM_A_DOMAIN_EXPORTS, info->exports },
		{ KMDOM_A_DOMAIN_RESTORES, info->restores },
		{ KMDOM_A_DOMAIN_EVICTIONS, info->evictions },
		{ KMDOM_A_DOMAIN_REJECTED, info->rejected },
		{ KMDOM_A_DOMAIN_REFUSED, info->refused },
		{ KMDOM_A_DOMAIN_TIMEOUTS, info->timeouts },
		{ KMDOM_A_DOMAIN_BYTES_OUT, info->bytes_out },
		{ KMDOM_A_DOMAIN_BYTES_IN, info->bytes_in },
		{ KMDOM_A_DOMAIN_FAULT_NS_SUM, info->fault_ns_sum },
		{ KMDOM_A_DOMAIN_FAULT_NS_MAX, info->fault_ns_max },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		if (nla_put_uint(skb, counters[i].attr, counters[i].value))
			return -EMSGSIZE;
	}
	return 0;
}

static int netlink_put_domain(struct sk_buff *skb, const struct genl_info *info,
			      const struct kmdom_domain_info *dom)
{
	void *hdr = genlmsg_iput(skb, info);

	if (!hdr)
		return -EMSGSIZE;
	if (netlink_put_identity(skb, dom) || netlink_put_counters(skb, dom)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int netlink_find(struct genl_info *info, struct kmdom_domain_info *dom)
{
	struct nlattr *id = info->attrs[KMDOM_A_DOMAIN_ID];
	struct nlattr *name = info->attrs[KMDOM_A_DOMAIN_NAME];
	u64 nr;
	int ret;

	if (!id == !name) {
		NL_SET_ERR_MSG(info->extack, "name a domain by its number or by its name");
		return -EINVAL;
	}
	if (name)
		return kmdom_domain_info_name(nla_data(name), dom);
	nr = nla_get_uint(id);
	if (!nr)
		return -ENOENT;
	ret = kmdom_domain_info_next(nr - 1, dom);
	if (!ret && dom->id != nr)
		ret = -ENOENT;
	return ret;
}

int kmdom_nl_domain_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmdom_domain_info dom;
	struct sk_buff *msg;
	int ret;

	ret = netlink_find(info, &dom);
	if (ret)
		return ret;
	if (!netlink_may_see(skb, &dom)) {
		NL_SET_ERR_MSG(info->extack, "another user's domain");
		return -EPERM;
	}
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	ret = netlink_put_domain(msg, info, &dom);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/* What a dump remembers between two messages. */
struct netlink_dump {
	u64 last;	/* number of the domain that was shown last */
};

int kmdom_nl_domain_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct netlink_dump *dump = (struct netlink_dump *)cb->ctx;
	struct kmdom_domain_info dom;
	int ret;

	NL_ASSERT_DUMP_CTX_FITS(struct netlink_dump);

	while (!kmdom_domain_info_next(dump->last, &dom)) {
		if (netlink_may_see(cb->skb, &dom)) {
			ret = netlink_put_domain(skb, genl_info_dump(cb), &dom);
			if (ret)
				return skb->len ? skb->len : ret;
		}
		dump->last = dom.id;
	}
	return skb->len;
}

/**
 * kmdom_netlink_init() - register the family
 *
 * Context: Module initialisation, when domains can be looked up.
 * Return: 0 or a negative errno.
 */
int __init kmdom_netlink_init(void)
{
	/* The generator knows no other: domains belong to no namespace but the first. */
	kmdom_nl_family.netnsok = false;
	return genl_register_family(&kmdom_nl_family);
}

/**
 * kmdom_netlink_exit() - unregister the family
 *
 * Context: Module exit, before domains cannot be looked up any more.
 */
void kmdom_netlink_exit(void)
{
	genl_unregister_family(&kmdom_nl_family);
}
