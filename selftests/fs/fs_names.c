// SPDX-License-Identifier: GPL-2.0
/*
 * Names: making, linking, renaming, removing, reading directories.
 */
#include "fs.h"

#define MANY	20000

TEST_F(fs, errors_of_names)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	ASSERT_EQ(0, touch(name));
	ASSERT_EQ(0, ERR(unlink(name)));
	name[255] = 'n';
	name[256] = '\0';
	ASSERT_EQ(-ENAMETOOLONG, touch(name));
	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, ERR(mkdir("dir", 0755)));
	ASSERT_EQ(0, touch("dir/file"));
	ASSERT_EQ(-EEXIST, ERR(open("file", O_CREAT | O_EXCL, 0644)));
	ASSERT_EQ(-EEXIST, ERR(mkdir("file", 0755)));
	ASSERT_EQ(-EEXIST, ERR(mkdir("dir", 0755)));
	ASSERT_EQ(-EEXIST, ERR(symlink("x", "file")));
	ASSERT_EQ(-EEXIST, ERR(link("file", "dir/file")));
	ASSERT_EQ(-ENOENT, touch("none/file"));
	ASSERT_EQ(-ENOTDIR, touch("file/file"));
	ASSERT_EQ(-EISDIR, ERR(open("dir", O_WRONLY)));
	ASSERT_EQ(-EISDIR, ERR(unlink("dir")));
	ASSERT_EQ(-ENOTDIR, ERR(rmdir("file")));
	ASSERT_EQ(-ENOTEMPTY, ERR(rmdir("dir")));
	ASSERT_EQ(-ENOENT, ERR(rmdir("none")));
	ASSERT_EQ(-EPERM, ERR(link("dir", "link")));
}

TEST_F(fs, special_files_are_refused)
{
	ASSERT_EQ(-EOPNOTSUPP, ERR(mknod("fifo", S_IFIFO | 0644, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(mknod("char", S_IFCHR | 0644, 0x103)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(mknod("block", S_IFBLK | 0644, 0x103)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(mknod("socket", S_IFSOCK | 0644, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(open(".", O_TMPFILE | O_RDWR, 0644)));
	ASSERT_EQ(0, ERR(mknod("file", S_IFREG | 0644, 0)));
	ASSERT_EQ(1, links("file"));
}

TEST_F(fs, hard_links)
{
	char name[32], data[6];
	int i;

	ASSERT_EQ(0, put("file", "hello", 5));
	ASSERT_EQ(0, ERR(mkdir("dir", 0755)));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%s%d", i & 1 ? "dir/" : "l", i);
		ASSERT_EQ(0, ERR(link("file", name)));
	}
	ASSERT_EQ(101, links("file"));
	ASSERT_EQ(0, ERR(unlink("file")));
	drop_caches();
	ASSERT_EQ(100, links("l0"));
	for (i = 0; i < 99; i++) {
		snprintf(name, sizeof(name), "%s%d", i & 1 ? "dir/" : "l", i);
		ASSERT_EQ(0, ERR(unlink(name)));
	}
	drop_caches();
	ASSERT_EQ(1, links("dir/99"));
	ASSERT_EQ(5, get("dir/99", data, sizeof(data)));
	ASSERT_EQ(0, memcmp(data, "hello", 5));
}

TEST_F(fs, symbolic_links)
{
	static const size_t lengths[] = { 1, 2, 100, 253, 254, 255, 256, 1000, 4094, 4095 };
	char target[4097], read[4097], name[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		pattern(target, sizeof(target), i);
		for (size_t j = 0; j < lengths[i]; j++)
			target[j] = 'a' + (target[j] & 15);
		target[lengths[i]] = '\0';
		snprintf(name, sizeof(name), "l%zu", lengths[i]);
		ASSERT_EQ(0, ERR(symlink(target, name)));
		for (int round = 0; round < 2; round++) {
			ASSERT_EQ((ssize_t)lengths[i], readlink(name, read, sizeof(read)));
			ASSERT_EQ(0, memcmp(target, read, lengths[i]));
			ASSERT_EQ((off_t)lengths[i], size_of(name));
			drop_caches();
		}
	}
	memset(target, 'a', 4096);
	target[4096] = '\0';
	ASSERT_EQ(-ENAMETOOLONG, ERR(symlink(target, "long")));
	ASSERT_EQ(0, put("file", "x", 1));
	ASSERT_EQ(0, ERR(symlink("file", "short")));
	ASSERT_EQ(1, get("short", read, sizeof(read)));
	ASSERT_EQ(-ELOOP, ERR(open("short", O_RDONLY | O_NOFOLLOW)));
	ASSERT_EQ(0, ERR(symlink("loop", "loop")));
	ASSERT_EQ(-ELOOP, ERR(open("loop", O_RDONLY)));
}

/* What a rename is done to: n nothing, f file, d empty directory, D full one. */
static void make_kind(struct __test_metadata *_metadata, const char *path, char kind)
{
	char inner[64];

	if (kind == 'f')
		ASSERT_EQ(0, put(path, path, strlen(path)));
	if (kind == 'd' || kind == 'D')
		ASSERT_EQ(0, ERR(mkdir(path, 0755)));
	if (kind == 'D') {
		snprintf(inner, sizeof(inner), "%s/inner", path);
		ASSERT_EQ(0, touch(inner));
	}
}

static char kind_of(const char *path)
{
	char inner[64];
	struct stat st;

	if (lstat(path, &st))
		return 'n';
	if (!S_ISDIR(st.st_mode))
		return 'f';
	snprintf(inner, sizeof(inner), "%s/inner", path);
	return lstat(inner, &st) ? 'd' : 'D';
}

static const struct {
	char from, to;
	unsigned int flags;
	int err;
} renames[] = {
	{ 'f', 'n', 0, 0 },
	{ 'f', 'f', 0, 0 },
	{ 'f', 'd', 0, EISDIR },
	{ 'd', 'n', 0, 0 },
	{ 'd', 'd', 0, 0 },
	{ 'D', 'd', 0, 0 },
	{ 'd', 'D', 0, ENOTEMPTY },
	{ 'd', 'f', 0, ENOTDIR },
	{ 'n', 'f', 0, ENOENT },
	{ 'f', 'n', RENAME_NOREPLACE, 0 },
	{ 'D', 'n', RENAME_NOREPLACE, 0 },
	{ 'f', 'f', RENAME_NOREPLACE, EEXIST },
	{ 'd', 'd', RENAME_NOREPLACE, EEXIST },
	{ 'f', 'f', RENAME_EXCHANGE, 0 },
	{ 'f', 'D', RENAME_EXCHANGE, 0 },
	{ 'D', 'f', RENAME_EXCHANGE, 0 },
	{ 'd', 'D', RENAME_EXCHANGE, 0 },
	{ 'f', 'n', RENAME_EXCHANGE, ENOENT },
	{ 'f', 'f', RENAME_WHITEOUT, EINVAL },
	{ 'f', 'f', RENAME_EXCHANGE | RENAME_NOREPLACE, EINVAL },
};

static bool is_dir(char kind)
{
	return kind == 'd' || kind == 'D';
}

static void check_rename(struct __test_metadata *_metadata, unsigned int n,
			 const char *from, const char *to)
{
	char was = renames[n].from, over = renames[n].to;
	bool done = !renames[n].err;
	bool swap = renames[n].flags & RENAME_EXCHANGE;
	char left = !done ? was : swap ? over : 'n';
	char there = done ? was : over;

	make_kind(_metadata, from, was);
	make_kind(_metadata, to, over);
	ASSERT_EQ(-renames[n].err, ERR(renameat2(AT_FDCWD, from, AT_FDCWD, to, renames[n].flags)))
		TH_LOG("rename %u", n);
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(left, kind_of(from)) TH_LOG("rename %u", n);
		ASSERT_EQ(there, kind_of(to)) TH_LOG("rename %u", n);
		drop_caches();
	}
	if (done && was == 'f') {
		char data[64];

		ASSERT_EQ((ssize_t)strlen(from), get(to, data, sizeof(data)));
		ASSERT_EQ(0, memcmp(from, data, strlen(from)));
	}
}

TEST_F(fs, rename_in_one_directory)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(renames); n++) {
		ASSERT_EQ(0, ERR(mkdir("x", 0755)));
		check_rename(_metadata, n, "x/from", "x/to");
		ASSERT_EQ(2 + is_dir(kind_of("x/from")) + is_dir(kind_of("x/to")), (int)links("x"));
		ASSERT_EQ(0, system("rm -r x"));
	}
}

TEST_F(fs, rename_across_directories)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(renames); n++) {
		ASSERT_EQ(0, ERR(mkdir("x", 0755)));
		ASSERT_EQ(0, ERR(mkdir("y", 0755)));
		check_rename(_metadata, n, "x/from", "y/to");
		ASSERT_EQ(2 + is_dir(kind_of("x/from")), (int)links("x"));
		ASSERT_EQ(2 + is_dir(kind_of("y/to")), (int)links("y"));
		ASSERT_EQ(0, system("rm -r x y"));
	}
}

TEST_F(fs, rename_corner_cases)
{
	char data[8];
	int fd;

	ASSERT_EQ(0, ERR(mkdir("a", 0755)));
	ASSERT_EQ(0, ERR(mkdir("a/b", 0755)));
	ASSERT_EQ(-EINVAL, ERR(rename("a", "a/b/c")));
	ASSERT_EQ(-EINVAL, ERR(renameat2(AT_FDCWD, "a", AT_FDCWD, "a/b", RENAME_EXCHANGE)));
	ASSERT_EQ(0, put("f", "old", 3));
	ASSERT_EQ(0, ERR(link("f", "g")));
	/* Two names of one inode: nothing happens. */
	ASSERT_EQ(0, ERR(rename("f", "g")));
	ASSERT_EQ(2, links("f"));
	/* What is replaced stays while it is open. */
	fd = open("g", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, put("h", "new", 3));
	ASSERT_EQ(0, ERR(rename("h", "g")));
	ASSERT_EQ(1, links("f"));
	ASSERT_EQ(0, ERR(rename("g", "f")));
	drop_caches();
	ASSERT_EQ(3, pread(fd, data, sizeof(data), 0));
	ASSERT_EQ(0, memcmp(data, "old", 3));
	ASSERT_EQ(3, pwrite(fd, "xyz", 3, 5000));
	close(fd);
	ASSERT_EQ(3, get("f", data, sizeof(data)));
	ASSERT_EQ(0, memcmp(data, "new", 3));
}

static void name_of(char *name, unsigned int n)
{
	sprintf(name, "%s%u", n % 3 ? "file-with-a-name-of-some-length-" : "f", n);
}

/* Reads a directory; counts, for each number in a name, how often it came. */
static int read_names(const char *path, unsigned char *seen)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (!dir)
		return -errno;
	memset(seen, 0, MANY);
	while ((entry = readdir(dir))) {
		const char *digit = entry->d_name + strcspn(entry->d_name, "0123456789");

		if (entry->d_name[0] == '.')
			continue;
		seen[atoi(digit)]++;
		count++;
	}
	closedir(dir);
	return count;
}

TEST_F(fs, many_names_in_a_directory)
{
	static unsigned char seen[MANY];
	const unsigned int many = scaled("names", MANY);
	unsigned int n;
	char name[64];

	for (n = 0; n < many; n++) {
		name_of(name, n);
		ASSERT_EQ(0, ERR(mknod(name, S_IFREG | 0644, 0)));
	}
	drop_caches();
	ASSERT_EQ(many, read_names(".", seen));
	for (n = 0; n < many; n++) {
		ASSERT_EQ(1, seen[n]) TH_LOG("name %u", n);
	}
	for (n = 0; n < many; n += 7) {
		name_of(name, n);
		ASSERT_EQ(1, links(name));
	}
	for (n = 0; n < many; n++) {
		name_of(name, n);
		if (n % 10)
			ASSERT_EQ(0, ERR(unlink(name)));
	}
	drop_caches();
	ASSERT_EQ(many / 10, read_names(".", seen));
	for (n = 0; n < many; n++)
		ASSERT_EQ(n % 10 == 0, seen[n]);
	for (n = 0; n < many; n += 10) {
		name_of(name, n);
		ASSERT_EQ(0, ERR(unlink(name)));
	}
	ASSERT_EQ(0, read_names(".", seen));
	ASSERT_EQ(0, size_of("."));
	ASSERT_EQ(0, touch("again"));
}

TEST_F(fs, long_names)
{
	static unsigned char seen[MANY];
	char name[300];
	int n;

	for (n = 0; n < 600; n++) {
		memset(name, 'x', 255);
		name[255] = '\0';
		memcpy(name + sprintf(name, "x%d", n), "-", 1);
		ASSERT_EQ(0, touch(name));
	}
	drop_caches();
	ASSERT_EQ(600, read_names(".", seen));
	ASSERT_EQ(0, system("rm -f x*"));
	ASSERT_EQ(0, read_names(".", seen));
}

/*
 * While a directory is read, names come and go: those that stay are delivered
 * once, and a position leads to the same name as before if that is still there.
 */
TEST_F(fs, reading_is_stable_under_change)
{
	static unsigned char seen[2000];
	static long where[2000];
	static int order[2000];
	struct dirent *entry;
	int n, count = 0, i;
	char name[64];
	DIR *dir;

	for (n = 0; n < 1000; n++) {
		snprintf(name, sizeof(name), "stays%d", n);
		ASSERT_EQ(0, touch(name));
	}
	dir = opendir(".");
	ASSERT_NE(NULL, dir);
	for (n = 0; ; n++) {
		long pos = telldir(dir);

		entry = readdir(dir);
		if (!entry)
			break;
		if (!strncmp(entry->d_name, "stays", 5)) {
			i = atoi(entry->d_name + 5);
			seen[i]++;
			where[count] = pos;
			order[count++] = i;
		}
		snprintf(name, sizeof(name), "comes%d", n);
		ASSERT_EQ(0, touch(name));
		if (n % 2) {
			snprintf(name, sizeof(name), "comes%d", n / 2);
			ASSERT_EQ(0, ERR(unlink(name)));
		}
		ASSERT_GT(5000, n);
	}
	ASSERT_EQ(1000, count);
	for (n = 0; n < 1000; n++) {
		ASSERT_EQ(1, seen[n]) TH_LOG("stays%d", n);
	}
	ASSERT_EQ(0, system("rm -f comes*"));
	drop_caches();
	for (n = 999; n > 0; n -= 37) {
		seekdir(dir, where[n]);
		do {
			entry = readdir(dir);
			ASSERT_NE(NULL, entry);
		} while (entry->d_name[0] == '.');
		ASSERT_EQ(order[n], atoi(entry->d_name + 5));
	}
	rewinddir(dir);
	for (count = 0; readdir(dir); count++)
		;
	ASSERT_EQ(1002, count);
	closedir(dir);
}

/* Numbers of the names from here on, of which there are no others. */
static int rest_of(DIR *dir, int *order)
{
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			order[count++] = atoi(entry->d_name + 1);
	return count;
}

/*
 * A position outlives the name that it leads to, the directory's being open,
 * and the cache: it then leads to the next name that is left.
 */
TEST_F(fs, positions_of_removed_names)
{
	static int order[1000], rest[1000];
	static long where[1000];
	int n, count = 0, at;
	struct dirent *entry;
	char name[64];
	DIR *dir;

	for (n = 0; n < 1000; n++) {
		snprintf(name, sizeof(name), "n%d", n);
		ASSERT_EQ(0, touch(name));
	}
	dir = opendir(".");
	ASSERT_NE(NULL, dir);
	for (;;) {
		long pos = telldir(dir);

		entry = readdir(dir);
		if (!entry)
			break;
		if (entry->d_name[0] == '.')
			continue;
		where[count] = pos;
		order[count++] = atoi(entry->d_name + 1);
	}
	ASSERT_EQ(1000, count);
	closedir(dir);
	/* Of ten in a row one is left, the last of them. */
	for (n = 0; n < 1000; n++) {
		snprintf(name, sizeof(name), "n%d", order[n]);
		if (n % 10 != 9)
			ASSERT_EQ(0, ERR(unlink(name)));
	}
	drop_caches();
	dir = opendir(".");
	ASSERT_NE(NULL, dir);
	for (n = 997; n >= 0; n -= 83) {
		seekdir(dir, where[n]);
		count = rest_of(dir, rest);
		ASSERT_EQ(100 - n / 10, count) TH_LOG("place %d", n);
		for (at = 0; at < count; at++)
			ASSERT_EQ(order[(n / 10 + at) * 10 + 9], rest[at]);
	}
	closedir(dir);
}

TEST_F(fs, reading_while_all_is_removed)
{
	static unsigned char seen[MANY];
	const int many = scaled("names", 3000);
	struct dirent *entry;
	char name[64];
	int n;
	DIR *dir;

	for (n = 0; n < many; n++) {
		name_of(name, n);
		ASSERT_EQ(0, touch(name));
	}
	dir = opendir(".");
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ASSERT_EQ(0, ERR(unlink(entry->d_name)));
	closedir(dir);
	ASSERT_EQ(0, read_names(".", seen));
}

TEST_F(fs, removed_directory)
{
	int fd;

	ASSERT_EQ(0, ERR(mkdir("gone", 0755)));
	fd = open("gone", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(3, links("."));
	ASSERT_EQ(0, ERR(rmdir("gone")));
	ASSERT_EQ(2, links("."));
	ASSERT_EQ(-ENOENT, ERR(openat(fd, "file", O_CREAT | O_RDWR, 0644)));
	close(fd);
	ASSERT_EQ(0, ERR(mkdir("gone", 0755)));
}

TEST_F(fs, deep_directories)
{
	char name[16];
	int n;

	for (n = 0; n < 200; n++) {
		snprintf(name, sizeof(name), "d%d", n);
		ASSERT_EQ(0, ERR(mkdir(name, 0755)));
		ASSERT_EQ(0, ERR(chdir(name)));
	}
	ASSERT_EQ(0, touch("bottom"));
	drop_caches();
	for (n = 0; n < 200; n++)
		ASSERT_EQ(0, ERR(chdir("..")));
	ASSERT_EQ(3, links("."));
}

TEST_HARNESS_MAIN
