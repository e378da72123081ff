// SPDX-License-Identifier: GPL-2.0
/*
 * types.c - schemas of the file system's objects
 *
 * Every type is SEALED, for these reasons:
 *   super        holds the key of the names' hash.
 *   inode        modes, owners and link counts grant authority, so that it cannot be
 *                CHECKED; SIGNED, it would tell the pager who owns what, and when it
 *                was used.
 *   link, data   are the users' own.
 *   node         has names, which are the users' own as well.
 *   map          leads from a file to its data: SIGNED, it would tell the pager which
 *                pages belong together, and CHECKED let it give one file's to another.
 * None can be DISCARD: nothing else knows what they hold. What could be built anew,
 * dentries and VFS inodes, is the VFS's, which drops it by itself. So a pager sees
 * types, counts and sizes, and nothing else.
 *
 * Which size, and why:
 *   super        one.
 *   inode        112 bytes, 36 to a page: a listing with attributes faults on
 *                one page for many files.
 *   link         a page would be a waste for what has 20 bytes.
 *   node.small   of which most directories have one: up to about 15 names.
 *   node, map, data  one to a page, so that they are freed without being
 *                restored.
 *   map.small    files of 2 to 16 pages: one page of maps serves 32 of them.
 *
 * What is trimmed or has a length leaves no more than that, so that a small
 * file's page is a small record.
 */
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/stat.h>
#include <linux/stddef.h>

#include "types.h"

#define NSEC_MAX	999999999

/* A node of each size, as its type sees it. */
struct node_small {
	u16 used;
	u16 nr;
	u8 level;
	u8 pad[3];
	u8 data[KMDOMFS_NODE_SMALL_SIZE - 8];
};

struct node_full {
	u16 used;
	u16 nr;
	u8 level;
	u8 pad[3];
	u8 data[KMDOMFS_NODE_SIZE - 8];
};

struct map_small {
	kmdom_ref ref[KMDOMFS_MAP_SMALL_REFS];
};

static_assert(sizeof(struct kmdomfs_super_obj) == 160);
static_assert(sizeof(struct kmdomfs_inode_obj) == 112);
static_assert(sizeof(struct kmdomfs_link_obj) == 256);
static_assert(sizeof(struct node_small) == KMDOMFS_NODE_SMALL_SIZE);
static_assert(sizeof(struct node_full) == KMDOMFS_NODE_SIZE);
static_assert(offsetof(struct node_small, data) ==
	      offsetof(struct kmdomfs_node, data));
static_assert(offsetof(struct node_full, data) ==
	      offsetof(struct kmdomfs_node, data));
static_assert(sizeof(struct kmdomfs_entry) == 18);
static_assert(sizeof(struct map_small) == 128);
static_assert(sizeof(struct kmdomfs_map_obj) == 4096);
static_assert(sizeof(struct kmdomfs_data_obj) == 4096);

#define INT(type, member, max)	KMDOM_F_INT(struct type, member, 0, max)
#define ANY(type, member)	KMDOM_F_INT(struct type, member, 0, 0)
#define AUTHORITY(type, member, max) \
	KMDOM_F_AUTHORITY(struct type, member, 0, max)
#define REF(type, member, to)	KMDOM_F_REF(struct type, member, to)
#define BYTES(type, member, len) KMDOM_F_BYTES(struct type, member, len)

static const struct kmdom_field super_fields[] = {
	INT(kmdomfs_super_obj, format, KMDOMFS_FORMAT),
	REF(kmdomfs_super_obj, root, "kmdomfs.inode"),
	KMDOM_F_SECRET(struct kmdomfs_super_obj, hash_key, KMDOM_LEN_ALL),
	BYTES(kmdomfs_super_obj, orphan, KMDOM_LEN_TRIM),
};

static const struct kmdom_field inode_fields[] = {
	ANY(kmdomfs_inode_obj, size),
	REF(kmdomfs_inode_obj, root, NULL),
	ANY(kmdomfs_inode_obj, pages),
	REF(kmdomfs_inode_obj, orphan_next, "kmdomfs.inode"),
	REF(kmdomfs_inode_obj, orphan_prev, "kmdomfs.inode"),
	ANY(kmdomfs_inode_obj, atime),
	ANY(kmdomfs_inode_obj, mtime),
	ANY(kmdomfs_inode_obj, ctime),
	ANY(kmdomfs_inode_obj, btime),
	INT(kmdomfs_inode_obj, atime_ns, NSEC_MAX),
	INT(kmdomfs_inode_obj, mtime_ns, NSEC_MAX),
	INT(kmdomfs_inode_obj, ctime_ns, NSEC_MAX),
	INT(kmdomfs_inode_obj, btime_ns, NSEC_MAX),
	AUTHORITY(kmdomfs_inode_obj, mode, S_IFMT | S_IALLUGO),
	AUTHORITY(kmdomfs_inode_obj, uid, 0),
	AUTHORITY(kmdomfs_inode_obj, gid, 0),
	AUTHORITY(kmdomfs_inode_obj, nlink, 0),
	ANY(kmdomfs_inode_obj, generation),
	INT(kmdomfs_inode_obj, shape, KMDOMFS_DIR_LEVELS),
	KMDOM_F_FLAGS(struct kmdomfs_inode_obj, flags, KMDOMFS_INODE_TAIL),
};

static const struct kmdom_field link_fields[] = {
	INT(kmdomfs_link_obj, len, KMDOMFS_LINK_MAX),
	BYTES(kmdomfs_link_obj, target, 0),
};

static const struct kmdom_field node_small_fields[] = {
	INT(node_small, used, sizeof_field(struct node_small, data)),
	ANY(node_small, nr),
	INT(node_small, level, KMDOMFS_DIR_LEVELS),
	BYTES(node_small, data, 0),
};

static const struct kmdom_field node_fields[] = {
	INT(node_full, used, sizeof_field(struct node_full, data)),
	ANY(node_full, nr),
	INT(node_full, level, KMDOMFS_DIR_LEVELS),
	BYTES(node_full, data, 0),
};

static const struct kmdom_field map_small_fields[] = {
	BYTES(map_small, ref, KMDOM_LEN_TRIM),
};

static const struct kmdom_field map_fields[] = {
	BYTES(kmdomfs_map_obj, ref, KMDOM_LEN_TRIM),
};

static const struct kmdom_field data_fields[] = {
	BYTES(kmdomfs_data_obj, data, KMDOM_LEN_TRIM),
};

#define TYPE(label, struct_name, table) {			\
	.name = (label), .owner = THIS_MODULE,			\
	.size = sizeof(struct struct_name),			\
	.policy = KMDOM_POLICY_SEALED,				\
	.nr_fields = ARRAY_SIZE(table), .fields = (table) }

const struct kmdom_type kmdomfs_types[KMDOMFS_KINDS] = {
	[KMDOMFS_SUPER] = TYPE("kmdomfs.super", kmdomfs_super_obj, super_fields),
	[KMDOMFS_INODE] = TYPE("kmdomfs.inode", kmdomfs_inode_obj, inode_fields),
	[KMDOMFS_LINK] = TYPE("kmdomfs.link", kmdomfs_link_obj, link_fields),
	[KMDOMFS_NODE_SMALL] = TYPE("kmdomfs.node.small", node_small,
				    node_small_fields),
	[KMDOMFS_NODE] = TYPE("kmdomfs.node", node_full, node_fields),
	[KMDOMFS_MAP_SMALL] = TYPE("kmdomfs.map.small", map_small,
				   map_small_fields),
	[KMDOMFS_MAP] = TYPE("kmdomfs.map", kmdomfs_map_obj, map_fields),
	[KMDOMFS_DATA] = TYPE("kmdomfs.data", kmdomfs_data_obj, data_fields),
};
