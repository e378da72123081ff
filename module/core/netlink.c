// SPDX-License-Identifier: GPL-2.0
/*
 * Sight of the domains and their caches through generic netlink: dump and get.
 *
 * Read only, and no lock of its own: a domain is described by a snapshot that
 * the core fills in, and a dump goes on behind the number of the last one that
 * it has shown, so that domains and caches may come and go meanwhile. Policies
 * and tables of operations are generated from uapi/specs/kmdom.yaml
 * (scripts/ynl-gen).
 */
#include <linux/build_bug.h>
#include <linux/capability.h>
#include <linux/init.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "cache.h"
#include "domain.h"
#include "netlink.h"
#include "netlink_gen.h"

/* These numbers are those of other headers, which the specification repeats. */
#define SAME_POLICY(name)	\
	static_assert((int)KMDOM_NL_POLICY_##name == (int)KMDOM_POLICY_##name)
SAME_POLICY(DISCARD);
SAME_POLICY(CHECKED);
SAME_POLICY(SIGNED);
SAME_POLICY(SEALED);

#define SAME_KIND(name)		\
	static_assert((int)KMDOM_NL_KIND_##name == (int)KMDOM_FIELD_##name)
SAME_KIND(INT);
SAME_KIND(BYTES);
SAME_KIND(REF);
SAME_KIND(FLAGS);
SAME_KIND(SECRET);
SAME_KIND(SOFT);
SAME_KIND(KERNEL);
static_assert(KMDOM_NL_LEN_ALL == KMDOM_LEN_ALL);
static_assert(KMDOM_NL_LEN_TRIM == KMDOM_LEN_TRIM);

#define SAME_REJECT(name)	\
	static_assert((int)KMDOM_NL_REJECT_##name == (int)KMDOM_REJECT_##name)
SAME_REJECT(NONE);
SAME_REJECT(LENGTH);
SAME_REJECT(STALE);
SAME_REJECT(MAGIC);
SAME_REJECT(FORMAT);
SAME_REJECT(RESERVED);
SAME_REJECT(DOMAIN);
SAME_REJECT(LEVEL);
SAME_REJECT(INDEX);
SAME_REJECT(POLICY);
SAME_REJECT(TYPE);
SAME_REJECT(SLOTS);
SAME_REJECT(MAP);
SAME_REJECT(LIVE);
SAME_REJECT(SIZE);
SAME_REJECT(VERSION);
SAME_REJECT(TAG);
SAME_REJECT(END);
SAME_REJECT(RANGE);
SAME_REJECT(FLAGS);
SAME_REJECT(REF);
SAME_REJECT(COUNT);
SAME_REJECT(TRIM);
SAME_REJECT(REST);
SAME_REJECT(CHECK);

/* Whether the sender of @skb may see the domain: his own, or all. */
static bool netlink_may_see(const struct sk_buff *skb,
			    const struct kmdom_domain *dom)
{
	return uid_eq(NETLINK_CREDS(skb)->uid, dom->uid) ||
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

static u64 netlink_rejected(const struct kmdom_domain_info *info)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < KMDOM_NR_REJECTS; i++)
		sum += info->rejected[i];
	return sum;
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
		{ KMDOM_A_DOMAIN_REJECTED, netlink_rejected(info) },
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

/* Of each reason that there was. */
static int netlink_put_rejects(struct sk_buff *skb,
			       const struct kmdom_domain_info *info)
{
	struct nlattr *nest;
	u32 why;

	for (why = 0; why < KMDOM_NR_REJECTS; why++) {
		if (!info->rejected[why])
			continue;
		nest = nla_nest_start(skb, KMDOM_A_DOMAIN_REJECTS);
		if (!nest || nla_put_u32(skb, KMDOM_A_REJECT_REASON, why) ||
		    nla_put_uint(skb, KMDOM_A_REJECT_COUNT, info->rejected[why]))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

static int netlink_put_domain(struct sk_buff *skb, const struct genl_info *info,
			      struct kmdom_domain *dom)
{
	struct kmdom_domain_info seen;
	void *hdr = genlmsg_iput(skb, info);

	if (!hdr)
		return -EMSGSIZE;
	kmdom_domain_info(dom, &seen);
	if (netlink_put_identity(skb, &seen) ||
	    netlink_put_counters(skb, &seen) ||
	    netlink_put_rejects(skb, &seen)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static struct kmdom_domain *netlink_domain_by_id(u64 id)
{
	struct kmdom_domain *dom = id ? kmdom_domain_after(id - 1) : NULL;

	if (dom && dom->id != id) {
		kmdom_domain_unref(dom);
		dom = NULL;
	}
	return dom ?: ERR_PTR(-ENOENT);
}

/*
 * The domain that a request names by either of two attributes, with a
 * reference, if the sender of @skb may see it.
 */
static struct kmdom_domain *netlink_find(const struct sk_buff *skb,
					 const struct genl_info *info,
					 const struct nlattr *id,
					 const struct nlattr *name)
{
	struct kmdom_domain *dom;

	if (!id == !name) {
		NL_SET_ERR_MSG(info->extack, "name a domain by its number or by its name");
		return ERR_PTR(-EINVAL);
	}
	dom = name ? kmdom_domain_lookup(nla_data(name)) :
		     netlink_domain_by_id(nla_get_uint(id));
	if (!IS_ERR(dom) && !netlink_may_see(skb, dom)) {
		NL_SET_ERR_MSG(info->extack, "another user's domain");
		kmdom_domain_unref(dom);
		dom = ERR_PTR(-EPERM);
	}
	return dom;
}

int kmdom_nl_domain_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmdom_domain *dom;
	struct sk_buff *msg;
	int ret = -ENOMEM;

	dom = netlink_find(skb, info, info->attrs[KMDOM_A_DOMAIN_ID],
			   info->attrs[KMDOM_A_DOMAIN_NAME]);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (msg)
		ret = netlink_put_domain(msg, info, dom);
	kmdom_domain_unref(dom);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	return genlmsg_reply(msg, info);
}

/*
 * What a dump remembers between two messages.
 *
 * @domain: number of the domain that was shown last, whole
 * @only: number of the one whose caches are asked for; 0: all
 * @begun: number of the one whose caches are being shown
 * @cache: number of the cache of it that was shown last
 */
struct netlink_dump {
	u64 domain;
	u64 only;
	u64 begun;
	u32 cache;
};

static struct netlink_dump *netlink_dump(struct netlink_callback *cb)
{
	NL_ASSERT_DUMP_CTX_FITS(struct netlink_dump);
	return (struct netlink_dump *)cb->ctx;
}

int kmdom_nl_domain_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct netlink_dump *dump = netlink_dump(cb);
	struct kmdom_domain *dom;
	int ret = 0;

	while ((dom = kmdom_domain_after(dump->domain))) {
		if (netlink_may_see(cb->skb, dom))
			ret = netlink_put_domain(skb, genl_info_dump(cb), dom);
		if (!ret)
			dump->domain = dom->id;
		kmdom_domain_unref(dom);
		if (ret)
			return skb->len ? skb->len : ret;
	}
	return skb->len;
}

/* Most bytes of a field, and of a cache but for its fields. */
#define NETLINK_FIELD_SIZE						\
	nla_total_size(nla_total_size(KMDOM_FIELD_NAME_MAX) +		\
		       nla_total_size(KMDOM_TYPE_MAX) +			\
		       5 * nla_total_size(sizeof(u32)) +		\
		       2 * nla_total_size(sizeof(u64)))
#define NETLINK_CACHE_SIZE						\
	(nla_total_size(KMDOM_NAME_MAX) + nla_total_size(KMDOM_TYPE_MAX) +	\
	 nla_total_size(sizeof_field(struct kmdom_domain, uuid)) +	\
	 4 * nla_total_size(sizeof(u32)) +				\
	 3 * nla_total_size(sizeof(u64)) + 2 * nla_total_size(0))

static int netlink_put_field(struct sk_buff *skb, const struct kmdom_field *field)
{
	struct nlattr *nest = nla_nest_start(skb, KMDOM_A_CACHE_FIELDS);
	bool is_bytes = field->kind == KMDOM_FIELD_BYTES ||
			field->kind == KMDOM_FIELD_SECRET;

	if (!nest ||
	    nla_put_string(skb, KMDOM_A_FIELD_NAME, field->name) ||
	    nla_put_u32(skb, KMDOM_A_FIELD_OFFSET, field->offset) ||
	    nla_put_u32(skb, KMDOM_A_FIELD_SIZE, field->size) ||
	    nla_put_u32(skb, KMDOM_A_FIELD_KIND, field->kind) ||
	    (is_bytes &&
	     nla_put_u32(skb, KMDOM_A_FIELD_LEN_FIELD, field->len_field)) ||
	    (field->ref_type &&
	     nla_put_string(skb, KMDOM_A_FIELD_REF_TYPE, field->ref_type)) ||
	    nla_put_u32(skb, KMDOM_A_FIELD_FLAGS, field->flags) ||
	    nla_put_uint(skb, KMDOM_A_FIELD_MIN_VALUE, field->min) ||
	    nla_put_uint(skb, KMDOM_A_FIELD_MAX_VALUE, field->max))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int netlink_put_schema(struct sk_buff *skb,
			      const struct kmdom_schema *schema)
{
	const struct kmdom_type *type = schema->type;
	unsigned int i;

	if (nla_put_u32(skb, KMDOM_A_CACHE_SIZE, type->size) ||
	    nla_put_u32(skb, KMDOM_A_CACHE_SLOTS, schema->slots) ||
	    nla_put_u32(skb, KMDOM_A_CACHE_POLICY, type->policy) ||
	    (type->check && nla_put_flag(skb, KMDOM_A_CACHE_CHECK)))
		return -EMSGSIZE;
	for (i = 0; i < type->nr_fields; i++) {
		if (netlink_put_field(skb, &type->fields[i]))
			return -EMSGSIZE;
	}
	return 0;
}

static int netlink_put_cache(struct sk_buff *skb, const struct genl_info *info,
			     const struct kmdom_domain *dom,
			     const struct kmdom_cache_info *cache)
{
	void *hdr = genlmsg_iput(skb, info);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_uint(skb, KMDOM_A_CACHE_DOMAIN_ID, dom->id) ||
	    nla_put_string(skb, KMDOM_A_CACHE_DOMAIN_NAME, dom->name) ||
	    nla_put(skb, KMDOM_A_CACHE_DOMAIN_UUID, sizeof(dom->uuid), dom->uuid) ||
	    nla_put_u32(skb, KMDOM_A_CACHE_ID, cache->id) ||
	    nla_put_string(skb, KMDOM_A_CACHE_TYPE, cache->name) ||
	    nla_put_uint(skb, KMDOM_A_CACHE_HASH, cache->hash) ||
	    nla_put_uint(skb, KMDOM_A_CACHE_PAGES, cache->pages) ||
	    (cache->attached && nla_put_flag(skb, KMDOM_A_CACHE_ATTACHED)) ||
	    (cache->schema && netlink_put_schema(skb, cache->schema))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int netlink_find_cache(const struct genl_info *info,
			      struct kmdom_domain *dom,
			      struct kmdom_cache_info *cache)
{
	const struct nlattr *id = info->attrs[KMDOM_A_CACHE_ID];
	const struct nlattr *type = info->attrs[KMDOM_A_CACHE_TYPE];

	if (!id == !type) {
		NL_SET_ERR_MSG(info->extack, "name a cache by its number or by its type's name");
		return -EINVAL;
	}
	return type ? kmdom_cache_info_name(dom, nla_data(type), cache) :
		      kmdom_cache_info(dom, nla_get_u32(id), cache);
}

/* The message that tells of the cache, or an ERR_PTR. */
static struct sk_buff *netlink_cache_reply(struct genl_info *info,
					   struct kmdom_domain *dom)
{
	struct kmdom_cache_info cache;
	struct sk_buff *msg;
	size_t size;
	int ret;

	ret = netlink_find_cache(info, dom, &cache);
	if (ret)
		return ERR_PTR(ret);
	size = NETLINK_CACHE_SIZE;
	if (cache.schema)
		size += cache.schema->type->nr_fields * NETLINK_FIELD_SIZE;
	msg = genlmsg_new(size, GFP_KERNEL);
	ret = msg ? netlink_put_cache(msg, info, dom, &cache) : -ENOMEM;
	kmdom_cache_info_end(&cache);
	if (ret) {
		nlmsg_free(msg);
		return ERR_PTR(ret);
	}
	return msg;
}

int kmdom_nl_cache_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kmdom_domain *dom;
	struct sk_buff *msg;

	dom = netlink_find(skb, info, info->attrs[KMDOM_A_CACHE_DOMAIN_ID],
			   info->attrs[KMDOM_A_CACHE_DOMAIN_NAME]);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	msg = netlink_cache_reply(info, dom);
	kmdom_domain_unref(dom);
	return IS_ERR(msg) ? PTR_ERR(msg) : genlmsg_reply(msg, info);
}

int kmdom_nl_cache_get_start(struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct nlattr *id = info->attrs[KMDOM_A_CACHE_DOMAIN_ID];
	struct nlattr *name = info->attrs[KMDOM_A_CACHE_DOMAIN_NAME];
	struct netlink_dump *dump = netlink_dump(cb);
	struct kmdom_domain *dom;

	/* A message holds one cache at least, whatever its schema is. */
	cb->min_dump_alloc = nlmsg_total_size(genlmsg_total_size(NETLINK_CACHE_SIZE +
				KMDOM_FIELDS_MAX * NETLINK_FIELD_SIZE));
	if (!id && !name)
		return 0;
	dom = netlink_find(cb->skb, info, id, name);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	dump->only = dom->id;
	dump->domain = dom->id - 1;
	kmdom_domain_unref(dom);
	return 0;
}

static int netlink_dump_caches(struct sk_buff *skb, struct netlink_callback *cb,
			       struct kmdom_domain *dom)
{
	struct netlink_dump *dump = netlink_dump(cb);
	struct kmdom_cache_info cache;
	int ret;

	while (!kmdom_cache_info(dom, dump->cache + 1, &cache)) {
		ret = netlink_put_cache(skb, genl_info_dump(cb), dom, &cache);
		kmdom_cache_info_end(&cache);
		if (ret)
			return ret;
		dump->cache++;
	}
	return 0;
}

int kmdom_nl_cache_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct netlink_dump *dump = netlink_dump(cb);
	struct kmdom_domain *dom;
	int ret = 0;

	while ((dom = kmdom_domain_after(dump->domain))) {
		if (dump->only && dom->id != dump->only) {
			kmdom_domain_unref(dom);
			break;
		}
		if (dump->begun != dom->id) {
			dump->begun = dom->id;
			dump->cache = 0;
		}
		if (netlink_may_see(cb->skb, dom))
			ret = netlink_dump_caches(skb, cb, dom);
		if (!ret)
			dump->domain = dom->id;
		kmdom_domain_unref(dom);
		if (ret)
			return skb->len ? skb->len : ret;
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
