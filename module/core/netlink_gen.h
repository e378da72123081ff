/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/kmdom.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_KMDOM_GEN_H
#define _LINUX_KMDOM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/kmdom_netlink.h>

int kmdom_nl_cache_get_start(struct netlink_callback *cb);

int kmdom_nl_domain_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmdom_nl_domain_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int kmdom_nl_cache_get_doit(struct sk_buff *skb, struct genl_info *info);
int kmdom_nl_cache_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

extern struct genl_family kmdom_nl_family;

#endif /* _LINUX_KMDOM_GEN_H */
