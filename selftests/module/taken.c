// SPDX-License-Identifier: GPL-2.0
/*
 * kmdom_taken - a name that one of our modules registers is somebody else's
 *
 * That of kmdomfs's file system or, with family=1, of kmdom's netlink family.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <net/genetlink.h>

static bool family;
module_param(family, bool, 0);

static struct genl_family taken_family = {
	.name = "kmdom",
	.version = 1,
	.module = THIS_MODULE,
};

/* Nobody mounts it. */
static int taken_init_fs_context(struct fs_context *fc)
{
	return -EOPNOTSUPP;
}

static struct file_system_type taken_fs = {
	.owner = THIS_MODULE,
	.name = "kmdomfs",
	.init_fs_context = taken_init_fs_context,
};

static int __init taken_init(void)
{
	return family ? genl_register_family(&taken_family) :
			register_filesystem(&taken_fs);
}
module_init(taken_init);

static void __exit taken_exit(void)
{
	if (family)
		genl_unregister_family(&taken_family);
	else
		unregister_filesystem(&taken_fs);
}
module_exit(taken_exit);

MODULE_DESCRIPTION("Takes a name that kmdom's modules need, for the selftests");
MODULE_LICENSE("GPL");
