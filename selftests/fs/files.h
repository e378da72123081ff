/* SPDX-License-Identifier: GPL-2.0 */
/* Files in few words, and what makes the file system look at its objects. */
#ifndef FS_TEST_FILES_H
#define FS_TEST_FILES_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	4096
#define MIB	(1UL << 20)

/* Everything that the VFS keeps goes: what is seen then comes from objects. */
void drop_caches(void);

/* Unmounts and mounts again; the caller's directory must not be in it. */
int remount(void);

/* Results with their errno. */
#define ERR(call) ((call) < 0 ? -errno : 0)

int touch(const char *path);
int put(const char *path, const void *data, size_t len);
ssize_t get(const char *path, void *data, size_t len);
void pattern(void *data, size_t len, unsigned int seed);
bool all_zero(const char *data, size_t len);
nlink_t links(const char *path);
off_t size_of(const char *path);

#endif /* FS_TEST_FILES_H */
