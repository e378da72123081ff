// SPDX-License-Identifier: GPL-2.0
/*
 * node.c - one node of a directory's tree: pure logic on its bytes
 *
 * Caller: has the node pinned (for writing, where it is changed) and the
 * directory locked. Keys rise; in a leaf they are unique.
 */
#include <linux/string.h>

#include "kmdomfs.h"

static unsigned int entry_size(unsigned int len)
{
	return sizeof(struct kmdomfs_entry) + len;
}

/**
 * kmdomfs_leaf_next() - the entry behind one
 * @entry: of a leaf
 *
 * Return: it, or the leaf's end.
 */
struct kmdomfs_entry *kmdomfs_leaf_next(struct kmdomfs_entry *entry)
{
	return (void *)entry + entry_size(entry->len);
}

/**
 * kmdomfs_leaf_end() - the end of a leaf's entries
 * @node: the leaf
 *
 * Return: where the next entry would be.
 */
struct kmdomfs_entry *kmdomfs_leaf_end(struct kmdomfs_node *node)
{
	return (void *)node->data + node->used;
}

/**
 * kmdomfs_leaf_find() - the first entry that is not below a key
 * @node: the leaf
 * @key: the key
 *
 * Return: it, or the leaf's end.
 */
struct kmdomfs_entry *kmdomfs_leaf_find(struct kmdomfs_node *node, u64 key)
{
	struct kmdomfs_entry *end = kmdomfs_leaf_end(node);
	struct kmdomfs_entry *entry = (void *)node->data;

	while (entry < end && entry->key < key)
		entry = kmdomfs_leaf_next(entry);
	return entry;
}

/**
 * kmdomfs_leaf_fits() - whether a name has room in a leaf
 * @node: the leaf
 * @size: of the leaf, in bytes
 * @len: of the name
 *
 * Return: true if it has.
 */
bool kmdomfs_leaf_fits(const struct kmdomfs_node *node, unsigned int size,
		       unsigned int len)
{
	return sizeof(*node) + node->used + entry_size(len) <= size;
}

/**
 * kmdomfs_leaf_insert() - put a name into a leaf that has room for it
 * @node: the leaf
 * @key: of the entry; no other has it
 * @ref: inode that it names
 * @type: DT_* of the inode
 * @name: the name
 */
void kmdomfs_leaf_insert(struct kmdomfs_node *node, u64 key, kmdom_ref ref,
			 u8 type, const struct qstr *name)
{
	struct kmdomfs_entry *entry = kmdomfs_leaf_find(node, key);
	void *end = kmdomfs_leaf_end(node);

	memmove((void *)entry + entry_size(name->len), entry,
		end - (void *)entry);
	entry->key = key;
	entry->ref = ref;
	entry->type = type;
	entry->len = name->len;
	memcpy(entry->name, name->name, name->len);
	node->used += entry_size(name->len);
	node->nr++;
}

/**
 * kmdomfs_leaf_delete() - take an entry out of a leaf
 * @node: the leaf
 * @entry: one of its
 */
void kmdomfs_leaf_delete(struct kmdomfs_node *node, struct kmdomfs_entry *entry)
{
	void *next = kmdomfs_leaf_next(entry);
	void *end = kmdomfs_leaf_end(node);

	node->used -= next - (void *)entry;
	node->nr--;
	memmove(entry, next, end - next);
}

/* Moves what begins @at bytes into @node, @nr entries, to the empty @right. */
static void move_tail(struct kmdomfs_node *node, struct kmdomfs_node *right,
		      unsigned int at, unsigned int nr)
{
	right->level = node->level;
	right->used = node->used - at;
	right->nr = nr;
	memcpy(right->data, node->data + at, right->used);
	node->used = at;
	node->nr -= nr;
}

/**
 * kmdomfs_leaf_split() - move the upper half of a leaf to a new one
 * @node: the leaf, of at least two entries
 * @right: the new one, all zero
 *
 * Return: the new leaf's least key.
 */
u64 kmdomfs_leaf_split(struct kmdomfs_node *node, struct kmdomfs_node *right)
{
	struct kmdomfs_entry *entry = (void *)node->data;
	unsigned int left = 0;

	do {
		entry = kmdomfs_leaf_next(entry);
		left++;
	} while ((void *)entry - (void *)node->data < node->used / 2 &&
		 left < node->nr - 1);
	move_tail(node, right, (void *)entry - (void *)node->data,
		  node->nr - left);
	entry = (void *)right->data;
	return entry->key;
}

static struct kmdomfs_index *index_entries(const struct kmdomfs_node *node)
{
	return (struct kmdomfs_index *)node->data;
}

static void index_resize(struct kmdomfs_node *node, unsigned int nr)
{
	node->nr = nr;
	node->used = nr * sizeof(struct kmdomfs_index);
}

/**
 * kmdomfs_index_find() - the child where a key belongs
 * @node: the index
 * @key: the key
 *
 * Return: the child's place.
 */
unsigned int kmdomfs_index_find(const struct kmdomfs_node *node, u64 key)
{
	const struct kmdomfs_index *child = index_entries(node);
	unsigned int low = 0, high = node->nr;

	/* Invariant: the child is at low or above, and below high. */
	while (high - low > 1) {
		unsigned int mid = low + (high - low) / 2;

		if (child[mid].key <= key)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/**
 * kmdomfs_index_insert() - put a child into an index that has room for it
 * @node: the index
 * @at: its place
 * @key: its least key
 * @ref: the child
 */
void kmdomfs_index_insert(struct kmdomfs_node *node, unsigned int at, u64 key,
			  kmdom_ref ref)
{
	struct kmdomfs_index *child = index_entries(node) + at;

	memmove(child + 1, child, (node->nr - at) * sizeof(*child));
	child->key = key;
	child->ref = ref;
	index_resize(node, node->nr + 1);
}

/**
 * kmdomfs_index_delete() - take a child out of an index
 * @node: the index
 * @at: its place
 */
void kmdomfs_index_delete(struct kmdomfs_node *node, unsigned int at)
{
	struct kmdomfs_index *child = index_entries(node) + at;

	memmove(child, child + 1, (node->nr - at - 1) * sizeof(*child));
	index_resize(node, node->nr - 1);
}

/**
 * kmdomfs_index_split() - move the upper half of an index to a new one
 * @node: the index, of at least two children
 * @right: the new one, all zero
 *
 * Return: the new index's least key.
 */
u64 kmdomfs_index_split(struct kmdomfs_node *node, struct kmdomfs_node *right)
{
	unsigned int left = node->nr / 2;

	move_tail(node, right, left * sizeof(struct kmdomfs_index),
		  node->nr - left);
	return index_entries(right)->key;
}
