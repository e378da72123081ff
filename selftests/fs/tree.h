/* SPDX-License-Identifier: GPL-2.0 */
/* Comparing two directory trees: names, attributes, data. */
#ifndef FS_TREE_H
#define FS_TREE_H

unsigned int tree_compare(const char *a, const char *b);

#endif /* FS_TREE_H */
