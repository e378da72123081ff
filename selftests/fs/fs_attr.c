// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes, permissions, times; the mount and its options.
 */
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "fs.h"

#define MAGIC	0x6b6d6673
#define SESSION	"anon_inode:[kmdom]"

static struct stat stat_of(const char *path)
{
	struct stat st = { 0 };

	lstat(path, &st);
	return st;
}

TEST_F(fs, attributes_are_kept)
{
	struct timespec times[2] = { { 1000, 123456789 }, { -5, 999999999 } };
	static const char *const names[] = { "file", "dir", "link" };
	struct stat st;

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, ERR(mkdir("dir", 0755)));
	ASSERT_EQ(0, ERR(symlink("file", "link")));
	ASSERT_EQ(0, ERR(chmod("file", 0604)));
	ASSERT_EQ(0, ERR(chmod("dir", 01777)));
	for (unsigned int n = 0; n < 3; n++) {
		ASSERT_EQ(0, ERR(lchown(names[n], 1000 + n, 4000000000U)));
		ASSERT_EQ(0, ERR(utimensat(AT_FDCWD, names[n], times, AT_SYMLINK_NOFOLLOW)));
	}
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(S_IFREG | 0604, stat_of("file").st_mode);
		ASSERT_EQ(S_IFDIR | 01777, stat_of("dir").st_mode);
		ASSERT_EQ(S_IFLNK | 0777, stat_of("link").st_mode);
		for (unsigned int n = 0; n < 3; n++) {
			st = stat_of(names[n]);
			ASSERT_EQ(1000 + n, st.st_uid);
			ASSERT_EQ(4000000000U, st.st_gid);
			ASSERT_EQ(1000, st.st_atim.tv_sec);
			ASSERT_EQ(123456789, st.st_atim.tv_nsec);
			ASSERT_EQ(-5, st.st_mtim.tv_sec);
			ASSERT_EQ(999999999, st.st_mtim.tv_nsec);
		}
		drop_caches();
	}
}

static bool newer(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

/* Coarse clocks tick every few milliseconds. */
static void let_time_pass(void)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &begin);
	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (!newer(now, begin));
}

TEST_F(fs, times_follow_changes)
{
	struct stat file, dir, now;

	ASSERT_EQ(0, put("file", "x", 1));
	file = stat_of("file");
	dir = stat_of(".");
	let_time_pass();
	ASSERT_EQ(0, ERR(chmod("file", 0600)));
	now = stat_of("file");
	ASSERT_TRUE(newer(now.st_ctim, file.st_ctim));
	ASSERT_FALSE(newer(now.st_mtim, file.st_mtim));
	ASSERT_FALSE(newer(stat_of(".").st_mtim, dir.st_mtim));
	file = now;
	let_time_pass();
	ASSERT_EQ(0, ERR(truncate("file", 0)));
	now = stat_of("file");
	ASSERT_TRUE(newer(now.st_mtim, file.st_mtim));
	file = now;
	let_time_pass();
	ASSERT_EQ(0, ERR(link("file", "link")));
	now = stat_of("file");
	ASSERT_TRUE(newer(now.st_ctim, file.st_ctim));
	ASSERT_TRUE(newer(stat_of(".").st_mtim, dir.st_mtim));
	dir = stat_of(".");
	file = now;
	let_time_pass();
	ASSERT_EQ(0, ERR(unlink("link")));
	ASSERT_TRUE(newer(stat_of("file").st_ctim, file.st_ctim));
	ASSERT_TRUE(newer(stat_of(".").st_mtim, dir.st_mtim));
	drop_caches();
	ASSERT_TRUE(newer(stat_of(".").st_mtim, dir.st_mtim));
}

/*
 * Two write the same fields to a file's object: who sets times, with the file locked, and who
 * reads it, without. The last word is the newest; KCSAN sees two that write at once.
 */
TEST_F(fs, times_are_set_while_it_is_read)
{
	struct timespec times[2] = { { .tv_nsec = 1 }, { .tv_nsec = 1 } };
	const int rounds = scaled("rounds", 2000);
	pid_t reader;
	char byte;

	ASSERT_EQ(0, put("file", "x", 1));
	reader = fork();
	ASSERT_LE(0, reader);
	while (!reader)
		if (get("file", &byte, 1) != 1)
			_exit(1);
	for (int n = 1; n <= rounds; n++) {
		/* Older than what is set with it, so that the next to read it stores that. */
		times[1].tv_sec = n;
		ASSERT_EQ(0, ERR(utimensat(AT_FDCWD, "file", times, 0)));
		if (n % 16 == 0)
			sched_yield();
	}
	ASSERT_EQ(0, waitpid(reader, NULL, WNOHANG));
	ASSERT_EQ(0, kill(reader, SIGKILL));
	ASSERT_EQ(reader, waitpid(reader, NULL, 0));
	drop_caches();
	ASSERT_EQ(rounds, stat_of("file").st_mtim.tv_sec);
}

TEST_F(fs, birth_time_is_kept)
{
	struct statx before, after;

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, statx(AT_FDCWD, "file", 0, STATX_BTIME, &before));
	ASSERT_TRUE(before.stx_mask & STATX_BTIME);
	let_time_pass();
	ASSERT_EQ(0, put("file", "x", 1));
	drop_caches();
	ASSERT_EQ(0, statx(AT_FDCWD, "file", 0, STATX_BTIME, &after));
	ASSERT_EQ(before.stx_btime.tv_sec, after.stx_btime.tv_sec);
	ASSERT_EQ(before.stx_btime.tv_nsec, after.stx_btime.tv_nsec);
}

/* Runs @call as an ordinary user; its errno. */
#define AS_USER(call) ({						\
	int status_;							\
	pid_t pid_ = fork();						\
	if (!pid_) {							\
		if (setgid(1234) || setuid(1234))			\
			_exit(255);					\
		_exit((call) < 0 ? errno : 0);				\
	}								\
	waitpid(pid_, &status_, 0);					\
	-WEXITSTATUS(status_); })

TEST_F(fs, permissions)
{
	ASSERT_EQ(0, put("secret", "x", 1));
	ASSERT_EQ(0, ERR(chmod("secret", 0600)));
	ASSERT_EQ(0, ERR(mkdir("closed", 0700)));
	ASSERT_EQ(0, ERR(mkdir("sticky", 0755)));
	ASSERT_EQ(0, ERR(chmod("sticky", 01777)));
	ASSERT_EQ(0, touch("sticky/file"));
	ASSERT_EQ(-EACCES, AS_USER(open("secret", O_RDONLY)));
	ASSERT_EQ(-EACCES, AS_USER(open("closed/x", O_RDONLY)));
	ASSERT_EQ(-EACCES, AS_USER(mkdir("new", 0755)));
	ASSERT_EQ(-EPERM, AS_USER(unlink("sticky/file")));
	ASSERT_EQ(-EPERM, AS_USER(chmod("secret", 0666)));
	ASSERT_EQ(0, AS_USER(open("sticky/mine", O_CREAT | O_RDWR, 0644)));
	ASSERT_EQ(1234, stat_of("sticky/mine").st_uid);
	drop_caches();
	ASSERT_EQ(-EACCES, AS_USER(open("secret", O_RDONLY)));
	ASSERT_EQ(0, ERR(chmod("secret", 0604)));
	ASSERT_EQ(0, AS_USER(open("secret", O_RDONLY)));
}

static int write_as_user(const char *path)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 ? -1 : write(fd, "x", 1);
}

TEST_F(fs, set_id_bits)
{
	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, ERR(chmod("file", 06777)));
	ASSERT_EQ(0, AS_USER(write_as_user("file")));
	ASSERT_EQ(0777, stat_of("file").st_mode & 07777);
	drop_caches();
	ASSERT_EQ(0777, stat_of("file").st_mode & 07777);
	ASSERT_EQ(0, ERR(mkdir("group", 0755)));
	ASSERT_EQ(0, ERR(chown("group", -1, 77)));
	ASSERT_EQ(0, ERR(chmod("group", 02777)));
	ASSERT_EQ(0, ERR(mkdir("group/dir", 0755)));
	ASSERT_EQ(0, touch("group/file"));
	ASSERT_EQ(77, stat_of("group/file").st_gid);
	ASSERT_EQ(77, stat_of("group/dir").st_gid);
	ASSERT_TRUE(stat_of("group/dir").st_mode & S_ISGID);
}

TEST_F(fs, extended_attributes_are_refused)
{
	char value[8];

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, ERR(mkdir("dir", 0755)));
	ASSERT_EQ(0, ERR(symlink("file", "link")));
	ASSERT_EQ(-EOPNOTSUPP, ERR(setxattr("file", "user.name", "x", 1, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(getxattr("file", "user.name", value, 8)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(removexattr("file", "user.name")));
	ASSERT_EQ(-EOPNOTSUPP, ERR(setxattr("file", "trusted.name", "x", 1, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(setxattr("dir", "user.name", "x", 1, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(lsetxattr("link", "trusted.name", "x", 1, 0)));
	ASSERT_EQ(-EOPNOTSUPP, ERR(getxattr("file", "system.posix_acl_access", value, 8)));
	ASSERT_EQ(0, listxattr("file", value, 8));
}

TEST_F(fs, limit_of_file_size)
{
	struct rlimit old, small = { 10000, 10000 };
	int fd = open("file", O_CREAT | O_RDWR, 0644);
	static char data[20000];

	ASSERT_EQ(0, getrlimit(RLIMIT_FSIZE, &old));
	signal(SIGXFSZ, SIG_IGN);
	small.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &small));
	ASSERT_EQ(10000, write(fd, data, sizeof(data)));
	ASSERT_EQ(-EFBIG, ERR(write(fd, data, 1)));
	ASSERT_EQ(-EFBIG, ERR(ftruncate(fd, 10001)));
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &old));
	close(fd);
}

TEST_F(fs, statfs_tells)
{
	struct statfs st, more;
	static char data[100 * PAGE];

	ASSERT_EQ(0, statfs(".", &st));
	ASSERT_EQ(MAGIC, st.f_type);
	ASSERT_EQ(PAGE, st.f_bsize);
	ASSERT_EQ(255, st.f_namelen);
	pattern(data, sizeof(data), 1);
	ASSERT_EQ(0, put("file", data, sizeof(data)));
	ASSERT_EQ(0, statfs(".", &more));
	ASSERT_LE(more.f_bfree + 100, st.f_bfree);
	ASSERT_EQ(st.f_blocks, more.f_blocks);
}

static int try_mount(const char *dir, const char *options)
{
	return mount("none", dir, "kmdomfs", 0, options) ? -errno : 0;
}

TEST_F(fs, mount_options)
{
	const char *domain = getenv("KMDOMFS_DOMAIN");
	char dir[] = "/tmp/mount.XXXXXX", options[200], path[400];

	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(-EINVAL, try_mount(dir, NULL));
	ASSERT_EQ(-EINVAL, try_mount(dir, "mode=755"));
	ASSERT_EQ(-ENOENT, try_mount(dir, "domain=no-such-domain"));
	ASSERT_EQ(-ENOENT, try_mount(dir, "domain=0/no/such"));
	snprintf(options, sizeof(options), "domain=%s,colour=red", domain);
	ASSERT_EQ(-EINVAL, try_mount(dir, options));
	snprintf(options, sizeof(options), "domain=%s,mode=99", domain);
	ASSERT_EQ(-EINVAL, try_mount(dir, options));
	/* Who mounts it twice sees one file system. */
	snprintf(options, sizeof(options), "domain=%s", domain);
	ASSERT_EQ(0, put("file", "x", 1));
	ASSERT_EQ(0, try_mount(dir, options));
	snprintf(path, sizeof(path), "%s%s/file", dir, strrchr(self->dir, '/'));
	ASSERT_EQ(1, size_of(path));
	ASSERT_EQ(0, put(path, "xyz", 3));
	ASSERT_EQ(3, size_of("file"));
	ASSERT_EQ(0, ERR(mount("none", dir, NULL, MS_REMOUNT | MS_RDONLY, options)));
	ASSERT_EQ(-EROFS, put(path, "x", 1));
	ASSERT_EQ(0, ERR(mount("none", dir, NULL, MS_REMOUNT, options)));
	ASSERT_EQ(-ENOENT, ERR(mount("none", dir, NULL, MS_REMOUNT, "domain=no-such-domain")));
	ASSERT_EQ(0, umount(dir));
	ASSERT_EQ(3, size_of("file"));
	ASSERT_EQ(0, rmdir(dir));
}

/* The pager's descriptor of its session, as one of our own. */
static int session_of_pager(void)
{
	const char *pager = getenv("KMDOMFS_PAGER");
	int pidfd = syscall(SYS_pidfd_open, pager ? atoi(pager) : -1, 0);
	char path[100], target[100];
	int fd;

	for (fd = 3; fd < 1000; fd++) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%d", pager, fd);
		if (readlink(path, target, sizeof(target)) == strlen(SESSION) &&
		    !memcmp(target, SESSION, strlen(SESSION)))
			break;
	}
	fd = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return fd;
}

/* By who has it, without its name; of several names of a domain the last counts. */
TEST_F(fs, mount_by_descriptor)
{
	char dir[] = "/tmp/mount.XXXXXX", options[200], path[400];
	int session = session_of_pager();

	ASSERT_LE(0, session);
	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, put("file", "xyz", 3));
	ASSERT_EQ(-EINVAL, try_mount(dir, "domainfd=0"));
	ASSERT_EQ(-EINVAL, try_mount(dir, "domainfd=9999"));
	for (int n = 0; n < 2; n++) {
		snprintf(options, sizeof(options), n ? "domainfd=%d,domain=%s" : "domainfd=%d",
			 session, getenv("KMDOMFS_DOMAIN"));
		ASSERT_EQ(0, try_mount(dir, options));
		snprintf(path, sizeof(path), "%s%s/file", dir, strrchr(self->dir, '/'));
		ASSERT_EQ(3, size_of(path));
		ASSERT_EQ(0, umount(dir));
	}
	close(session);
	ASSERT_EQ(0, rmdir(dir));
}

TEST_F(fs, mount_shows_its_domain)
{
	char line[1000], want[200];
	FILE *mounts = fopen("/proc/mounts", "r");
	bool found = false;

	snprintf(want, sizeof(want), "domain=%s", getenv("KMDOMFS_DOMAIN"));
	while (fgets(line, sizeof(line), mounts))
		found |= strstr(line, "kmdomfs") && strstr(line, want);
	fclose(mounts);
	ASSERT_TRUE(found);
}

TEST_HARNESS_MAIN
