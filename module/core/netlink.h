/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "kmdom", uapi/specs/kmdom.yaml.
 */
#ifndef _KMDOM_NETLINK_H
#define _KMDOM_NETLINK_H

int kmdom_netlink_init(void);
void kmdom_netlink_exit(void);

#endif /* _KMDOM_NETLINK_H */
