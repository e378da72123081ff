// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/kmdom.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/kmdom_netlink.h>

/* KMDOM_CMD_DOMAIN_GET - do */
static const struct nla_policy kmdom_domain_get_nl_policy[KMDOM_A_DOMAIN_NAME + 1] = {
	[KMDOM_A_DOMAIN_ID] = { .type = NLA_UINT, },
	[KMDOM_A_DOMAIN_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
};

/* KMDOM_CMD_CACHE_GET - do */
static const struct nla_policy kmdom_cache_get_do_nl_policy[KMDOM_A_CACHE_TYPE + 1] = {
	[KMDOM_A_CACHE_DOMAIN_ID] = { .type = NLA_UINT, },
	[KMDOM_A_CACHE_DOMAIN_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
	[KMDOM_A_CACHE_ID] = { .type = NLA_U32, },
	[KMDOM_A_CACHE_TYPE] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* KMDOM_CMD_CACHE_GET - dump */
static const struct nla_policy kmdom_cache_get_dump_nl_policy[KMDOM_A_CACHE_DOMAIN_NAME + 1] = {
	[KMDOM_A_CACHE_DOMAIN_ID] = { .type = NLA_UINT, },
	[KMDOM_A_CACHE_DOMAIN_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
};

/* Ops table for kmdom */
static const struct genl_split_ops kmdom_nl_ops[] = {
	{
		.cmd		= KMDOM_CMD_DOMAIN_GET,
		.doit		= kmdom_nl_domain_get_doit,
		.policy		= kmdom_domain_get_nl_policy,
		.maxattr	= KMDOM_A_DOMAIN_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= KMDOM_CMD_DOMAIN_GET,
		.dumpit	= kmdom_nl_domain_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= KMDOM_CMD_CACHE_GET,
		.doit		= kmdom_nl_cache_get_doit,
		.policy		= kmdom_cache_get_do_nl_policy,
		.maxattr	= KMDOM_A_CACHE_TYPE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= KMDOM_CMD_CACHE_GET,
		.start		= kmdom_nl_cache_get_start,
		.dumpit		= kmdom_nl_cache_get_dumpit,
		.policy		= kmdom_cache_get_dump_nl_policy,
		.maxattr	= KMDOM_A_CACHE_DOMAIN_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};

struct genl_family kmdom_nl_family __ro_after_init = {
	.name		= KMDOM_FAMILY_NAME,
	.version	= KMDOM_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= kmdom_nl_ops,
	.n_split_ops	= ARRAY_SIZE(kmdom_nl_ops),
};
