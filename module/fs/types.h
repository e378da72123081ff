/* SPDX-License-Identifier: GPL-2.0 */
/*
 * types.h - the objects that the file system is made of
 *
 * All integers are in host order: objects live in this kernel, the records
 * that leave it are kmdom's. Sizes are held by assertions in types.c.
 */
#ifndef _KMDOMFS_TYPES_H
#define _KMDOMFS_TYPES_H

#include <linux/kmdom_client.h>

/* Kinds of objects; each has a type, and a cache in the domain. */
enum kmdomfs_kind {
	KMDOMFS_SUPER,
	KMDOMFS_INODE,
	KMDOMFS_LINK,
	KMDOMFS_NODE_SMALL,
	KMDOMFS_NODE,
	KMDOMFS_MAP_SMALL,
	KMDOMFS_MAP,
	KMDOMFS_DATA,
	KMDOMFS_KINDS
};

extern const struct kmdom_type kmdomfs_types[KMDOMFS_KINDS];

#define KMDOMFS_FORMAT		1
#define KMDOMFS_ORPHAN_HEADS	16

/**
 * struct kmdomfs_super_obj - one in a file system, found by its cache's anchor
 * @format: KMDOMFS_FORMAT
 * @root: the root directory
 * @hash_key: of names
 * @orphan: heads of the lists of unlinked inodes
 */
struct kmdomfs_super_obj {
	u64 format;
	kmdom_ref root;
	u64 hash_key[2];
	kmdom_ref orphan[KMDOMFS_ORPHAN_HEADS];
};

#define KMDOMFS_INODE_TAIL	1	/* kmdomfs_inode.tail */

/**
 * struct kmdomfs_inode_obj - an inode
 * @size: in bytes; of a directory: its entries, times KMDOMFS_DIRENT_SIZE
 * @root: see struct kmdomfs_tree
 * @pages: data pages
 * @orphan_next: while unlinked: the next on its list
 * @orphan_prev: while unlinked: the one before; 0: the superblock
 * @atime: of the last access, in seconds
 * @mtime: of the last change of contents
 * @ctime: of the last change of the inode
 * @btime: when it was made
 * @atime_ns: nanoseconds of @atime
 * @mtime_ns: of @mtime
 * @ctime_ns: of @ctime
 * @btime_ns: of @btime
 * @mode: type and permissions
 * @uid: owner
 * @gid: group
 * @nlink: names; of a directory: 2, and one for each directory in it
 * @generation: random
 * @shape: see struct kmdomfs_tree
 * @flags: KMDOMFS_INODE_*
 * @pad: zero
 */
struct kmdomfs_inode_obj {
	u64 size;
	kmdom_ref root;
	u64 pages;
	kmdom_ref orphan_next;
	kmdom_ref orphan_prev;
	u64 atime;
	u64 mtime;
	u64 ctime;
	u64 btime;
	u32 atime_ns;
	u32 mtime_ns;
	u32 ctime_ns;
	u32 btime_ns;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 generation;
	u8 shape;
	u8 flags;
	u8 pad[2];
};

#define KMDOMFS_LINK_MAX	254

/**
 * struct kmdomfs_link_obj - target of a symbolic link, if it is short; else it
 * is a page of data
 * @len: in bytes
 * @target: not terminated
 */
struct kmdomfs_link_obj {
	u16 len;
	u8 target[KMDOMFS_LINK_MAX];
};

#define KMDOMFS_NODE_SIZE	4096
#define KMDOMFS_NODE_SMALL_SIZE	512
#define KMDOMFS_DIR_LEVELS	6	/* room for 255^5 leaves */

/**
 * struct kmdomfs_node - node of a directory's tree, of either size
 * @used: bytes of @data
 * @nr: entries in @data
 * @level: 0: a leaf
 * @pad: zero
 * @data: a leaf's struct kmdomfs_entry or an index's struct kmdomfs_index, one
 *	after the other by rising key
 */
struct kmdomfs_node {
	u16 used;
	u16 nr;
	u8 level;
	u8 pad[3];
	u8 data[];
};

/**
 * struct kmdomfs_entry - a name, in a leaf
 * @key: its hash and a number that tells names of the same hash apart; unique
 *	in the directory, and the readdir cookie
 * @ref: the inode's object
 * @type: DT_*
 * @len: of @name
 * @name: not terminated
 */
struct kmdomfs_entry {
	u64 key;
	kmdom_ref ref;
	u8 type;
	u8 len;
	u8 name[];
} __packed;

/**
 * struct kmdomfs_index - a child, in an index
 * @key: least key in it; the first child of a node also takes those below
 * @ref: the child
 */
struct kmdomfs_index {
	u64 key;
	kmdom_ref ref;
};

#define KMDOMFS_INDEX_MAX \
	((KMDOMFS_NODE_SIZE - sizeof(struct kmdomfs_node)) / \
	 sizeof(struct kmdomfs_index))

#define KMDOMFS_MAP_REFS	512
#define KMDOMFS_MAP_SMALL_REFS	16

/* A file's map, or one of its levels; the small one begins like it. */
struct kmdomfs_map_obj {
	kmdom_ref ref[KMDOMFS_MAP_REFS];
};

/* A page of a file. Beyond the end of the file it is zero. */
struct kmdomfs_data_obj {
	u8 data[4096];
};

#endif /* _KMDOMFS_TYPES_H */
