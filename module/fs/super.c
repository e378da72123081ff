// SPDX-License-Identifier: GPL-2.0
/*
 * super.c - mount options, the superblock, the module
 *
 *	mount -t kmdomfs -o domain=NAME none DIR
 *
 * or domainfd=N, a pager's session. mode=, uid= and gid= are of the root
 * directory that the first mount of a domain makes; later ones leave it as it
 * is. One superblock a domain: who mounts it again gets the same.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "kmdomfs.h"

/* How long a mount waits for another of its domain: as that for its pager. */
#define MOUNT_PATIENCE	(60 * HZ)

/* A page of the domain's is a page of ours, and there are 2^36. */
static_assert(PAGE_SIZE == KMDOM_FRAME_SIZE);

/**
 * struct kmdomfs_context - what a mount was told
 * @dom: the domain, with a reference
 * @attr: of a root directory that is made
 * @root: copy of the root's inode object
 */
struct kmdomfs_context {
	struct kmdom_domain *dom;
	struct kmdomfs_root_attr attr;
	struct kmdomfs_inode_obj root;
};

enum {
	OPT_DOMAIN,
	OPT_DOMAIN_FD,
	OPT_MODE,
	OPT_UID,
	OPT_GID,
};

static const struct fs_parameter_spec kmdomfs_parameters[] = {
	fsparam_string("domain",	OPT_DOMAIN),
	fsparam_u32("domainfd",		OPT_DOMAIN_FD),
	fsparam_u32oct("mode",		OPT_MODE),
	fsparam_uid("uid",		OPT_UID),
	fsparam_gid("gid",		OPT_GID),
	{}
};

static const char *domain_error(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is no such domain";
	case -EPERM:
		return "the domain is another user's";
	case -ENODEV:
		return "the domain is aborted";
	default:
		return "cannot use the domain";
	}
}

static int set_domain(struct fs_context *fc, struct kmdom_domain *dom,
		      const char *name)
{
	struct kmdomfs_context *ctx = fc->fs_private;

	if (IS_ERR(dom)) {
		errorf(fc, "kmdomfs: domain %s: %s", name,
		       domain_error(PTR_ERR(dom)));
		return PTR_ERR(dom);
	}
	if (ctx->dom)
		kmdom_domain_put(ctx->dom);
	ctx->dom = dom;
	return 0;
}

static int kmdomfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct kmdomfs_context *ctx = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, kmdomfs_parameters, param, &result);

	switch (opt) {
	case OPT_DOMAIN:
		return set_domain(fc, kmdom_domain_find(param->string),
				  param->string);
	case OPT_DOMAIN_FD:
		return set_domain(fc, kmdom_domain_find_fd(result.uint_32),
				  param->string);
	case OPT_MODE:
		if (result.uint_32 & ~S_IALLUGO)
			return invalf(fc, "kmdomfs: mode is not one");
		ctx->attr.mode = result.uint_32;
		return 0;
	case OPT_UID:
		ctx->attr.uid = result.uid;
		return 0;
	case OPT_GID:
		ctx->attr.gid = result.gid;
		return 0;
	default:
		return opt;
	}
}

static int kmdomfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct super_block *sb = dentry->d_sb;
	struct kmdom_usage usage;
	u64 used;

	kmdom_domain_usage(KMDOMFS_SB(sb)->dom, &usage);
	used = usage.pages_present + usage.pages_absent;
	buf->f_type = KMDOMFS_MAGIC;
	buf->f_bsize = PAGE_SIZE;
	/*
	 * What fits is the pager's to say. Limit: so all that a domain can
	 * name is shown as free; and files are not counted.
	 */
	buf->f_blocks = 1ULL << KMDOM_INDEX_BITS;
	buf->f_bfree = buf->f_blocks - min(used, buf->f_blocks);
	buf->f_bavail = buf->f_bfree;
	buf->f_namelen = KMDOMFS_NAME_MAX;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(sb->s_dev));
	return 0;
}

static int kmdomfs_show_options(struct seq_file *m, struct dentry *root)
{
	seq_show_option(m, "domain",
			kmdom_domain_name(KMDOMFS_SB(root->d_sb)->dom));
	return 0;
}

static void kmdomfs_put_super(struct super_block *sb)
{
	kmdomfs_sb_detach(KMDOMFS_SB(sb));
}

static const struct super_operations kmdomfs_super_ops = {
	.alloc_inode = kmdomfs_alloc_inode,
	.free_inode = kmdomfs_free_inode,
	.evict_inode = kmdomfs_evict_inode,
	.put_super = kmdomfs_put_super,
	.statfs = kmdomfs_statfs,
	.show_options = kmdomfs_show_options,
};

static int fill_super(struct super_block *sb, const struct kmdomfs_inode_obj *obj)
{
	struct kmdomfs_sb *sbi = KMDOMFS_SB(sb);
	struct inode *root;

	sbi->sb = sb;
	sb->s_magic = KMDOMFS_MAGIC;
	sb->s_op = &kmdomfs_super_ops;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = min_t(u64, MAX_LFS_FILESIZE, 1ULL << 48);
	sb->s_max_links = INT_MAX;
	sb->s_time_gran = 1;
	root = kmdomfs_iget_root(sb, sbi->root, obj);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;
	return kmdomfs_reaper_start(sbi);
}

static int test_super(struct super_block *sb, struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;

	return KMDOMFS_SB(sb)->dom == ctx->dom;
}

static int set_no_super(struct super_block *sb, struct fs_context *fc)
{
	return -EBUSY;
}

/* The superblock that has the domain. If it is dying, waits until it is gone. */
static int share_super(struct fs_context *fc)
{
	struct super_block *sb = sget_fc(fc, test_super, set_no_super);

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	fc->root = dget(sb->s_root);
	return 0;
}

/* A superblock for what was loaded: nobody else can have one for the domain. */
static int make_super(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;
	struct super_block *sb = sget_fc(fc, NULL, set_anon_super_fc);
	int ret;

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	ret = fill_super(sb, &ctx->root);
	if (ret) {
		deactivate_locked_super(sb);
		return ret;
	}
	sb->s_flags |= SB_ACTIVE;
	fc->root = dget(sb->s_root);
	return 0;
}

static int load(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;
	struct kmdomfs_sb *sbi;

	sbi = kmdomfs_sb_create(ctx->dom, &ctx->attr, &ctx->root);
	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	/* The superblock's, or kmdomfs_free_fc()'s if there is none. */
	fc->s_fs_info = sbi;
	ctx->dom = NULL;
	return 0;
}

static int kmdomfs_get_tree(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;
	unsigned long end = jiffies + MOUNT_PATIENCE;
	int ret;

	if (!ctx->dom)
		return invalf(fc, "kmdomfs: domain=NAME is missing");
	do {
		ret = load(fc);
		if (!ret)
			return make_super(fc);
		if (ret == -EBUSY)
			ret = share_super(fc);
		/* Another is just being made, or was dying and is gone now. */
	} while (ret == -EBUSY && time_before(jiffies, end) &&
		 !schedule_timeout_killable(HZ / 20) &&
		 !fatal_signal_pending(current));
	if (ret)
		errorf(fc, "kmdomfs: cannot load the file system: %pe",
		       ERR_PTR(ret));
	return ret;
}

static void kmdomfs_free_fc(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;

	kmdomfs_sb_destroy(fc->s_fs_info);
	if (!ctx)
		return;
	if (ctx->dom)
		kmdom_domain_put(ctx->dom);
	kfree(ctx);
}

/* Flags of the mount alone can change; it may name its domain again. */
static int kmdomfs_reconfigure(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = fc->fs_private;

	if (ctx->dom && ctx->dom != KMDOMFS_SB(fc->root->d_sb)->dom)
		return invalf(fc, "kmdomfs: a mount keeps its domain");
	return 0;
}

static const struct fs_context_operations kmdomfs_context_ops = {
	.parse_param = kmdomfs_parse_param,
	.get_tree = kmdomfs_get_tree,
	.reconfigure = kmdomfs_reconfigure,
	.free = kmdomfs_free_fc,
};

static int kmdomfs_init_fs_context(struct fs_context *fc)
{
	struct kmdomfs_context *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	ctx->attr.mode = 0755;
	ctx->attr.uid = current_fsuid();
	ctx->attr.gid = current_fsgid();
	fc->fs_private = ctx;
	fc->ops = &kmdomfs_context_ops;
	return 0;
}

static void kmdomfs_kill_sb(struct super_block *sb)
{
	struct kmdomfs_sb *sbi = KMDOMFS_SB(sb);

	kmdomfs_reaper_stop(sbi);
	kill_anon_super(sb);
	kmdomfs_sb_destroy(sbi);
}

static struct file_system_type kmdomfs_type = {
	.owner = THIS_MODULE,
	.name = "kmdomfs",
	.init_fs_context = kmdomfs_init_fs_context,
	.parameters = kmdomfs_parameters,
	.kill_sb = kmdomfs_kill_sb,
};

static int __init kmdomfs_init(void)
{
	int ret;

	ret = kmdomfs_inode_cache_init();
	if (ret)
		return ret;
	ret = kmdomfs_cleaner_start();
	if (ret)
		goto inode_cache;
	ret = register_filesystem(&kmdomfs_type);
	if (ret)
		goto cleaner;
	return 0;
cleaner:
	kmdomfs_cleaner_stop();
inode_cache:
	kmdomfs_inode_cache_exit();
	return ret;
}

static void __exit kmdomfs_exit(void)
{
	unregister_filesystem(&kmdomfs_type);
	kmdomfs_cleaner_stop();
	kmdomfs_inode_cache_exit();
}

module_init(kmdomfs_init);
module_exit(kmdomfs_exit);

MODULE_ALIAS_FS("kmdomfs");
MODULE_DESCRIPTION("File system in paged kernel memory");
MODULE_LICENSE("GPL");
