// SPDX-License-Identifier: GPL-2.0
/*
 * tree.c - compare two directory trees
 *
 * Differences are printed as TAP comments. Of large files, which are sparse,
 * only what the second has data in is read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define PATHS	8192
#define BLOCK	65536

static unsigned int differ(const char *path, const char *what)
{
	printf("# %s: %s differs\n", path, what);
	return 1;
}

static unsigned int compare_range(const char *path, int a, int b, off_t at,
				  off_t end)
{
	static char buf[2][BLOCK];
	ssize_t len, other;
	size_t want;

	for (; at < end; at += len) {
		want = end - at < BLOCK ? end - at : BLOCK;
		len = pread(a, buf[0], want, at);
		other = pread(b, buf[1], want, at);
		if (len != other || len <= 0)
			return differ(path, "length read");
		if (memcmp(buf[0], buf[1], len))
			return differ(path, "data");
	}
	return 0;
}

/* Holes of the second are read in the first at their ends. */
static unsigned int compare_data(const char *path, int a, int b, off_t size)
{
	off_t data = 0, hole = 0;
	unsigned int bad = 0;

	while (!bad && hole < size) {
		data = lseek(b, hole, SEEK_DATA);
		if (data < 0)
			data = size;
		if (data - hole > BLOCK)
			bad += compare_range(path, a, b, hole, hole + BLOCK);
		else
			bad += compare_range(path, a, b, hole, data);
		if (data >= size)
			break;
		hole = lseek(b, data, SEEK_HOLE);
		bad += compare_range(path, a, b, data, hole);
	}
	return bad;
}

static unsigned int compare_file(const char *a, const char *b, off_t size)
{
	int fd[2] = { open(a, O_RDONLY), open(b, O_RDONLY) };
	unsigned int bad;

	if (fd[0] < 0 || fd[1] < 0)
		bad = differ(a, "open");
	else
		bad = compare_data(a, fd[0], fd[1], size);
	close(fd[0]);
	close(fd[1]);
	return bad;
}

static unsigned int compare_link(const char *a, const char *b)
{
	char target[2][4097];
	ssize_t len[2] = { readlink(a, target[0], 4096), readlink(b, target[1], 4096) };

	if (len[0] != len[1] || len[0] < 0 || memcmp(target[0], target[1], len[0]))
		return differ(a, "target");
	return 0;
}

static unsigned int compare_attr(const char *path, const struct stat *a,
				 const struct stat *b)
{
	if (a->st_mode != b->st_mode)
		return differ(path, "mode");
	if (a->st_nlink != b->st_nlink)
		return differ(path, "link count");
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return differ(path, "owner");
	if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size)
		return differ(path, "size");
	/* Times of long ago were set; others are when it was done. */
	if ((a->st_mtime < 1000000 || b->st_mtime < 1000000) &&
	    (a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	     a->st_mtim.tv_nsec != b->st_mtim.tv_nsec))
		return differ(path, "time");
	return 0;
}

static unsigned int compare_names(const char *a, const char *b)
{
	struct dirent **list[2];
	int n[2] = { scandir(a, &list[0], NULL, alphasort),
		     scandir(b, &list[1], NULL, alphasort) };
	char path[2][PATHS];
	unsigned int bad = 0;
	int i;

	if (n[0] != n[1] || n[0] < 0)
		return differ(a, "number of names");
	for (i = 0; i < n[0]; i++) {
		const char *name = list[0][i]->d_name;

		if (strcmp(name, list[1][i]->d_name) ||
		    list[0][i]->d_type != list[1][i]->d_type) {
			bad += differ(a, name);
		} else if (strcmp(name, ".") && strcmp(name, "..")) {
			snprintf(path[0], PATHS, "%s/%s", a, name);
			snprintf(path[1], PATHS, "%s/%s", b, name);
			bad += tree_compare(path[0], path[1]);
		}
		free(list[0][i]);
		free(list[1][i]);
	}
	free(list[0]);
	free(list[1]);
	return bad;
}

/**
 * tree_compare() - compare two trees
 * @a: one
 * @b: the other
 *
 * Return: how many files or directories differ.
 */
unsigned int tree_compare(const char *a, const char *b)
{
	struct stat st[2];
	unsigned int bad;

	if (lstat(a, &st[0]) || lstat(b, &st[1]))
		return differ(a, "existence");
	bad = compare_attr(a, &st[0], &st[1]);
	if (S_ISDIR(st[0].st_mode))
		return bad + compare_names(a, b);
	if (S_ISLNK(st[0].st_mode))
		return bad + compare_link(a, b);
	return bad + compare_file(a, b, st[1].st_size);
}
