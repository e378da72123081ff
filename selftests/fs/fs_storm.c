// SPDX-License-Identifier: GPL-2.0
/*
 * fs_storm - many processes at work in one tree; then its invariants
 *
 * Usage: fs_storm DIR PROCESSES OPERATIONS SEED [check]
 *
 * Each process has so many operations, or until this one gets a SIGTERM.
 *
 * Operations may fail as they like. Afterwards every name must lead to its
 * inode, every inode have as many links as names, every directory as many as
 * it has directories, and a size that fits its entries; and every file must be
 * readable. With "check" nothing but that is done. Prints TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATHS		4096
#define INODES		65536
#define BUF		65536
#define DIRENT_SIZE	32	/* what kmdomfs adds to st_size for a name */

static const char *root;
static uint64_t state;
static atomic_bool *over;	/* shared with the processes */

static uint64_t below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static const char *random_path(char *path)
{
	unsigned int depth = below(3);
	size_t len = snprintf(path, PATHS, "%s", root);

	while (depth--)
		len += snprintf(path + len, PATHS - len, "/d%u", (unsigned int)below(4));
	snprintf(path + len, PATHS - len, "/%s%u", below(3) ? "f" : "d",
		 (unsigned int)below(40));
	return path;
}

/* A result that may be any. */
static void any(long ret)
{
}

static void write_some(const char *path)
{
	static char buf[BUF];
	int fd = open(path, O_RDWR | O_CREAT | (below(8) ? 0 : O_TRUNC), 0600);
	size_t len = below(below(8) ? 6000 : BUF);
	off_t at = below(5) ? below(100000) : below(4000000);

	if (fd < 0)
		return;
	memset(buf, below(256), len);
	any(pwrite(fd, buf, len, at));
	any(ftruncate(fd, below(200000)));
	close(fd);
}

static void map_some(const char *path)
{
	int fd = open(path, O_RDWR);
	struct stat st;
	char *map;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size > 0) {
		map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED) {
			/* By read(), so that a page cut off is no signal. */
			int zero = open("/dev/zero", O_RDONLY);

			any(read(zero, map + below(st.st_size), 1));
			close(zero);
			munmap(map, st.st_size);
		}
	}
	close(fd);
}

static void read_some(const char *path)
{
	static char buf[BUF];
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	if (!below(4))
		unlink(path);
	close(fd);
}

static void list_some(const char *path)
{
	DIR *dir = opendir(path);

	while (dir && readdir(dir))
		;
	if (dir)
		closedir(dir);
}

static void rename_some(const char *a, const char *b)
{
	static const unsigned int flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };

	any(renameat2(AT_FDCWD, a, AT_FDCWD, b, flags[below(4)]));
}

/* Of names, all but a rename. */
static void name_some(const char *a, const char *b)
{
	switch (below(6)) {
	case 0:
		any(mkdir(a, 0700));
		break;
	case 1:
		any(symlink(b, a));
		break;
	case 2:
		any(link(a, b));
		break;
	case 3:
		any(unlink(a));
		break;
	case 4:
		any(rmdir(a));
		break;
	default:
		any(chmod(a, 0600 | below(0200)));
		break;
	}
}

static void operate(void)
{
	char a[PATHS], b[PATHS];

	random_path(a);
	random_path(b);
	switch (below(12)) {
	case 0:
	case 1:
		rename_some(a, b);
		break;
	case 2:
		map_some(a);
		break;
	case 3:
		read_some(a);
		break;
	case 4:
		list_some(a);
		break;
	case 5:
		write_some(a);
		break;
	default:
		name_some(a, b);
		break;
	}
}

/* What a walk of the tree found of an inode. */
struct found {
	ino_t ino;
	unsigned int names;
	unsigned int links;
};

static struct found *found;
static unsigned int nr_found, bad;

static void complain(const char *path, const char *what)
{
	if (bad++ < 20)
		printf("# %s: %s (%s)\n", path, what, strerror(errno));
}

static void count_name(const struct stat *st)
{
	unsigned int i;

	for (i = 0; i < nr_found; i++) {
		if (found[i].ino == st->st_ino) {
			found[i].names++;
			return;
		}
	}
	if (nr_found < INODES)
		found[nr_found++] = (struct found) { st->st_ino, 1, st->st_nlink };
}

static void check_file(const char *path, const struct stat *st)
{
	static char buf[BUF];
	int fd = open(path, O_RDONLY);
	off_t size = 0;
	ssize_t len;

	count_name(st);
	if (fd < 0) {
		complain(path, "not readable");
		return;
	}
	while ((len = read(fd, buf, sizeof(buf))) > 0)
		size += len;
	if (len < 0)
		complain(path, "not readable");
	else if (size != st->st_size)
		complain(path, "size differs from what can be read");
	close(fd);
}

static void check_dir(const char *path, const struct stat *st);

static bool check_name(const char *path, const struct dirent *entry)
{
	char target[4096];
	struct stat st;

	if (lstat(path, &st)) {
		complain(path, "listed, but not there");
		return false;
	}
	if (st.st_ino != entry->d_ino)
		complain(path, "another inode than listed");
	if (S_ISDIR(st.st_mode)) {
		check_dir(path, &st);
	} else if (S_ISLNK(st.st_mode)) {
		count_name(&st);
		if (readlink(path, target, sizeof(target)) != st.st_size)
			complain(path, "target not readable");
	} else {
		check_file(path, &st);
	}
	return S_ISDIR(st.st_mode);
}

static void check_dir(const char *path, const struct stat *st)
{
	unsigned int names = 0, dirs = 0;
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[PATHS];

	if (!dir) {
		complain(path, "cannot be opened");
		return;
	}
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		names++;
		dirs += check_name(name, entry);
	}
	closedir(dir);
	if (st->st_nlink != 2 + dirs)
		complain(path, "wrong link count");
	if (st->st_size != names * DIRENT_SIZE)
		complain(path, "size does not fit the entries");
}

static void check(void)
{
	struct stat st;
	unsigned int i;

	found = calloc(INODES, sizeof(*found));
	if (!found || lstat(root, &st)) {
		complain(root, "cannot begin");
		return;
	}
	check_dir(root, &st);
	for (i = 0; i < nr_found; i++)
		if (found[i].names != found[i].links)
			complain(root, "an inode has not as many links as names");
	printf("# %u inodes\n", nr_found);
}

static void end_it(int sig)
{
	atomic_store(over, true);
}

static void storm(unsigned int processes, unsigned long count, uint64_t seed)
{
	unsigned int i;

	over = mmap(NULL, sizeof(*over), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (over == MAP_FAILED || signal(SIGTERM, end_it) == SIG_ERR) {
		complain(root, "cannot begin");
		return;
	}
	fflush(stdout);
	for (i = 0; i < processes; i++) {
		if (fork())
			continue;
		state = (seed * 1000 + i) * 0x9e3779b97f4a7c15ULL + 1;
		while (count-- && !atomic_load(over))
			operate();
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

int main(int argc, char *argv[])
{
	if (argc < 5) {
		fprintf(stderr, "Usage: fs_storm DIR PROCESSES OPERATIONS SEED [check]\n");
		return 2;
	}
	root = argv[1];
	printf("TAP version 13\n1..1\n");
	if (argc == 5)
		storm(atoi(argv[2]), strtoul(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	check();
	printf("%s 1 storm of %s processes\n", bad ? "not ok" : "ok", argv[2]);
	return !!bad;
}
