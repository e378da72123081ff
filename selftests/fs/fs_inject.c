// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation of the file system while each allocation and copy below it
 * fails in turn, in kmdomfs and in kmdom. What failed has changed nothing, and made
 * no object; what did not has changed what it has to, and made as many objects as it
 * does when nothing fails. The same operations on a tmpfs tell what that is. Which
 * operations there are, selftests/inject/list says.
 *
 * So it is where all pages are in frames. Where none is, allocations fail on the way
 * of who waits for pages, and each page that is waited for is refused in turn.
 *
 * KMDOMFS_DIR is not mounted yet, and its domain is new.
 */
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <kmdom/kmdom.h>

#include "absent.h"
#include "fs.h"
#include "inject.h"
#include "live.h"
#include "param.h"
#include "tree.h"

/* In a kernel that looks for leaks all takes its time. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1800

#define MEMORY		(FAIL_SLAB | FAIL_PAGE)
#define SPAN		(5 * PAGE)		/* of a small file */
#define FAR		(700L * PAGE)		/* in another map than its begin */
#define ENTRIES		14			/* of 255 bytes: they fill a node */
#define PATIENCE	60000			/* ms for what is done in the background */
#define ABSENT_STRIDE	3			/* on a slow machine: each third call fails */

static char data[SPAN + FAR];

static const char *domain(void)
{
	return getenv("KMDOMFS_DOMAIN");
}

/**
 * struct act - an operation
 * @name: of it
 * @prepare: makes what it works on, in the current directory, which is empty
 * @act: does it: a negative errno, or how much was done
 * @model: does as much as @act said, where nothing fails; NULL: @act
 * @errors: what it may return
 * @must: what it allocates and copies, in any case if the VFS has nothing of it
 * @may: what it may need besides
 */
struct act {
	const char *name;
	int (*prepare)(void);
	long (*act)(void);
	long (*model)(long done);
	const int *errors;
	unsigned int must;
	unsigned int may;
};

static int prepare_small(void)
{
	pattern(data, SPAN, 1);
	return put("file", data, SPAN) ?: ERR(mkdir("dir", 0755)) ?:
		ERR(mkdir("empty", 0700)) ?: put("dir/inner", "inner", 5) ?:
		ERR(link("file", "second")) ?: ERR(symlink("file", "short")) ?: touch("zero");
}

static long act_mknod(void)
{
	return ERR(mknod("new", S_IFREG | 0640, 0));
}

static long act_create(void)
{
	int fd = open("new", O_CREAT | O_EXCL | O_RDWR, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long act_mkdir(void)
{
	return ERR(mkdir("dir/new", 0711));
}

static long act_link(void)
{
	return ERR(link("file", "dir/third"));
}

static long act_symlink(void)
{
	return ERR(symlink("some/where", "new"));
}

static long act_long_symlink(void)
{
	char target[PAGE];

	memset(target, 't', sizeof(target));
	target[PAGE - 1] = '\0';
	return ERR(symlink(target, "new"));
}

static int prepare_long_link(void)
{
	return act_long_symlink();
}

static long act_readlink(void)
{
	char back[PAGE];
	ssize_t len = readlink("new", back, sizeof(back));

	if (len < 0)
		return -errno;
	return len == PAGE - 1 && back[0] == 't' && back[len - 1] == 't' ? 0 : -EILSEQ;
}

/* A node that is full, so that the next name splits it. */
static int prepare_full_node(void)
{
	char name[256];
	int n, ret = 0;

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	for (n = 0; n < ENTRIES && !ret; n++) {
		name[0] = 'a' + n;
		ret = touch(name);
	}
	return ret;
}

static long act_split(void)
{
	char name[256];

	memset(name, 'z', sizeof(name));
	name[255] = '\0';
	return ERR(mkdir(name, 0755));
}

static long act_rename(void)
{
	return ERR(rename("file", "dir/moved"));
}

static long act_rename_over(void)
{
	return ERR(rename("second", "dir/inner"));
}

static long act_rename_dir(void)
{
	return ERR(rename("dir", "empty"));
}

static long act_exchange(void)
{
	return ERR(renameat2(AT_FDCWD, "file", AT_FDCWD, "dir/inner", RENAME_EXCHANGE));
}

static long act_noreplace(void)
{
	return ERR(renameat2(AT_FDCWD, "dir", AT_FDCWD, "empty/dir", RENAME_NOREPLACE));
}

static long act_unlink(void)
{
	return ERR(unlink("zero"));
}

static long act_unlink_one(void)
{
	return ERR(unlink("second"));
}

static long act_rmdir(void)
{
	return ERR(rmdir("empty"));
}

static long act_stat(void)
{
	struct stat st;

	return ERR(lstat("dir/inner", &st)) ?: st.st_size == 5 ? 0 : -EILSEQ;
}

static long act_readdir(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	long ret, count = 0;

	if (!dir)
		return -errno;
	do {
		errno = 0;
		entry = readdir(dir);
		count += !!entry;
	} while (entry);
	ret = errno ? -errno : count == ENTRIES + 2 ? 0 : -EILSEQ;
	closedir(dir);
	return ret;
}

static long act_statfs(void)
{
	struct statfs st;

	return ERR(statfs(".", &st));
}

static long act_chmod(void)
{
	return ERR(chmod("file", 0604));
}

static long act_chown(void)
{
	return ERR(lchown("short", 1000, 1001));
}

static long act_utimens(void)
{
	struct timespec times[2] = { { 1000, 1 }, { 2000, 2 } };

	return ERR(utimensat(AT_FDCWD, "file", times, 0));
}

static long act_absent(void)
{
	struct stat st;
	int ret = ERR(lstat("dir/absent", &st));

	return ret == -ENOENT ? 0 : ret ?: -EEXIST;
}

/* Positions of a directory are its own to check. */
static long act_seek(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	long ret;

	if (fd < 0)
		return -errno;
	ret = ERR(lseek(fd, 5, SEEK_SET)) ?: ERR(lseek(fd, 2, SEEK_CUR));
	close(fd);
	return ret;
}

/* Its options, as /proc shows them. */
static long act_mountinfo(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[1024], want[128];
	long ret = -ENOENT;

	if (!file)
		return -errno;
	snprintf(want, sizeof(want), "domain=%s", domain());
	while (ret && fgets(line, sizeof(line), file))
		if (strstr(line, getenv("KMDOMFS_DIR")) && strstr(line, want))
			ret = 0;
	fclose(file);
	return ret;
}

static int prepare_lone(void)
{
	pattern(data, SPAN, 1);
	return put("file", data, SPAN);
}

/* A file that is used without a name, until it is closed. */
static long act_unlink_open(void)
{
	int fd = open("file", O_RDWR), ret;
	struct stat st;

	if (fd < 0)
		return -errno;
	ret = ERR(unlink("file"));
	if (!ret && (fstat(fd, &st) || st.st_nlink || st.st_size != SPAN))
		ret = -EILSEQ;
	close(fd);
	return ret;
}

static long act_drop_caches(void)
{
	drop_caches();
	return 0;
}

/* Writes of what was not there before, at a place and of a length. */
static long write_at(int flags, off_t pos, size_t len)
{
	int fd = open("file", O_WRONLY | flags);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	pattern(data, len, 2);
	ret = pwrite(fd, data, len, pos);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static long act_overwrite(void)
{
	return write_at(0, 100, 3 * PAGE);
}

static long model_overwrite(long done)
{
	return write_at(0, 100, done);
}

static long act_append(void)
{
	return write_at(0, SPAN, 2 * PAGE + 5);
}

static long model_append(long done)
{
	return write_at(0, SPAN, done);
}

static long act_write_far(void)
{
	return write_at(0, FAR + 17, 10);
}

static long model_write_far(long done)
{
	return write_at(0, FAR + 17, done);
}

/* The buffer is not aligned, which does not matter here. */
static long act_write_direct(void)
{
	return write_at(O_DIRECT, PAGE, 2 * PAGE);
}

static long model_write_direct(long done)
{
	return write_at(0, PAGE, done);
}

/* As much as is read is what was written. */
static long read_all(int flags)
{
	static char back[SPAN];
	int fd = open("file", O_RDONLY | flags);
	ssize_t ret;

	if (fd < 0)
		return -errno;
	ret = read(fd, back, sizeof(back));
	if (ret < 0)
		ret = -errno;
	close(fd);
	pattern(data, SPAN, 1);
	if (ret > 0 && memcmp(back, data, ret))
		return -EILSEQ;
	return ret;
}

static long act_read(void)
{
	return read_all(0);
}

static long act_read_direct(void)
{
	return read_all(O_DIRECT);
}

static long model_nothing(long done)
{
	return 0;
}

/* Pages of the file go to a pipe, as they are: what comes out is what they hold. */
static long act_splice_out(void)
{
	static char back[SPAN];
	int fd = open("file", O_RDONLY), ends[2];
	ssize_t ret, len;

	if (fd < 0)
		return -errno;
	if (pipe(ends))
		abort();
	ret = splice(fd, NULL, ends[1], NULL, SPAN, 0);
	if (ret < 0)
		ret = -errno;
	close(ends[1]);
	len = read(ends[0], back, sizeof(back));
	close(ends[0]);
	close(fd);
	pattern(data, SPAN, 1);
	return ret > 0 && (len != ret || memcmp(back, data, ret)) ? -EILSEQ : ret;
}

static long act_splice_in(void)
{
	loff_t pos = PAGE;
	int fd = open("file", O_WRONLY), ends[2];
	ssize_t ret;

	if (fd < 0)
		return -errno;
	pattern(data, 3 * PAGE, 2);
	if (pipe(ends) || write(ends[1], data, 3 * PAGE) != 3 * PAGE)
		abort();
	ret = splice(ends[0], NULL, fd, &pos, 3 * PAGE, 0);
	if (ret < 0)
		ret = -errno;
	close(ends[0]);
	close(ends[1]);
	close(fd);
	return ret;
}

static long model_splice_in(long done)
{
	return write_at(0, PAGE, done);
}

static sigjmp_buf jump;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

/* Works on a shared mapping of the file; a signal is an error that it has not. */
static long mapped(size_t len, long (*work)(char *map))
{
	struct sigaction sa = { .sa_handler = on_signal }, old;
	int fd = open("file", O_RDWR);
	long ret = -EIO;
	char *map;

	if (fd < 0)
		return -errno;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	sigaction(SIGBUS, &sa, &old);
	if (!sigsetjmp(jump, 1))
		ret = work(map);
	sigaction(SIGBUS, &old, NULL);
	munmap(map, len);
	return ret;
}

static long look(char *map)
{
	pattern(data, SPAN, 1);
	return memcmp(map, data, SPAN) ? -EILSEQ : 0;
}

static long store(char *map)
{
	size_t at;

	for (at = 33; at < SPAN; at += 2 * PAGE)
		map[at] = at / PAGE + 1;
	return 0;
}

static long look_and_store(char *map)
{
	return look(map) ?: store(map);
}

static long store_far(char *map)
{
	map[FAR] = 'x';
	map[PAGE] = 'y';
	return 0;
}

static long act_map_read(void)
{
	return mapped(SPAN, look);
}

static long act_map_write(void)
{
	return mapped(SPAN, store);
}

static long act_mkwrite(void)
{
	return mapped(SPAN, look_and_store);
}

static long act_map_hole(void)
{
	return mapped(FAR + PAGE, store_far);
}

static int prepare_hole(void)
{
	return touch("file") ?: ERR(truncate("file", FAR + PAGE));
}

static long act_truncate(void)
{
	return ERR(truncate("file", PAGE + 77));
}

static long act_truncate_hole(void)
{
	return ERR(truncate("file", 3 * PAGE + 1));
}

static long act_truncate_all(void)
{
	return ERR(truncate("file", 0));
}

static long act_extend(void)
{
	return ERR(truncate("file", FAR));
}

static long act_fsync(void)
{
	int fd = open("file", O_RDWR), ret;

	if (fd < 0)
		return -errno;
	ret = ERR(fsync(fd));
	close(fd);
	return ret;
}

#define NOMEM	ERRORS(ENOMEM)
#define NONE	ERRORS(0)

static const struct act names[] = {
	{ "mknod", prepare_small, act_mknod, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "open with O_CREAT", prepare_small, act_create, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "mkdir", prepare_small, act_mkdir, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "link", prepare_small, act_link, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "symlink", prepare_small, act_symlink, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "long symlink", prepare_small, act_long_symlink, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "readlink", prepare_long_link, act_readlink, model_nothing, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "a node splits", prepare_full_node, act_split, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "rename", prepare_small, act_rename, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "rename over a file", prepare_small, act_rename_over, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "rename over a directory", prepare_small, act_rename_dir, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "rename with EXCHANGE", prepare_small, act_exchange, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "rename with NOREPLACE", prepare_small, act_noreplace, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "unlink", prepare_small, act_unlink, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "unlink one of two", prepare_small, act_unlink_one, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "rmdir", prepare_small, act_rmdir, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "stat", prepare_small, act_stat, model_nothing, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "readdir", prepare_full_node, act_readdir, model_nothing, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "statfs", prepare_small, act_statfs, model_nothing, NONE, 0, 0 },
	{ "lookup of an absent name", prepare_small, act_absent, model_nothing, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "lseek in a directory", prepare_small, act_seek, model_nothing, NONE, 0, 0 },
	{ "unlink of an open file", prepare_lone, act_unlink_open, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "show_options", prepare_small, act_mountinfo, model_nothing, NONE, 0, 0 },
	{ "the VFS drops its caches", prepare_small, act_drop_caches, model_nothing, NONE, 0, 0 },
};

static const struct act attributes[] = {
	{ "chmod", prepare_small, act_chmod, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "lchown", prepare_small, act_chown, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "utimensat", prepare_small, act_utimens, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
};

static const struct act data_in_calls[] = {
	{ "write over", prepare_small, act_overwrite, model_overwrite, ERRORS(ENOMEM, EFAULT),
	  FAIL_SLAB | FAIL_COPY, FAIL_PAGE },
	{ "write behind", prepare_small, act_append, model_append, ERRORS(ENOMEM, EFAULT),
	  FAIL_SLAB | FAIL_COPY, FAIL_PAGE },
	{ "write far behind", prepare_small, act_write_far, model_write_far,
	  ERRORS(ENOMEM, EFAULT), FAIL_SLAB | FAIL_COPY, FAIL_PAGE },
	{ "write with O_DIRECT", prepare_small, act_write_direct, model_write_direct,
	  ERRORS(ENOMEM, EFAULT), FAIL_SLAB | FAIL_COPY, FAIL_PAGE },
	{ "read", prepare_small, act_read, model_nothing, ERRORS(ENOMEM, EFAULT),
	  MEMORY | FAIL_COPY, 0 },
	{ "read with O_DIRECT", prepare_small, act_read_direct, model_nothing,
	  ERRORS(ENOMEM, EFAULT), MEMORY | FAIL_COPY, 0 },
	{ "splice to a pipe", prepare_small, act_splice_out, model_nothing, NOMEM, MEMORY, 0 },
	{ "splice from a pipe", prepare_small, act_splice_in, model_splice_in, NOMEM, MEMORY, 0 },
};

static const struct act data_in_mappings[] = {
	{ "read of a mapping", prepare_small, act_map_read, model_nothing, NOMEM, MEMORY, 0 },
	{ "write to a mapping", prepare_small, act_map_write, NULL, NOMEM, MEMORY, 0 },
	{ "read and write of a mapping", prepare_small, act_mkwrite, NULL, NOMEM, MEMORY, 0 },
	{ "write to a mapping of a hole", prepare_hole, act_map_hole, NULL, NOMEM, MEMORY, 0 },
};

static const struct act sizes[] = {
	{ "truncate", prepare_small, act_truncate, NULL, NOMEM, MEMORY, 0 },
	{ "truncate in a hole", prepare_hole, act_truncate_hole, NULL, NOMEM, MEMORY, 0 },
	{ "truncate to nothing", prepare_small, act_truncate_all, NULL, NOMEM, FAIL_SLAB,
	  FAIL_PAGE },
	{ "truncate makes longer", prepare_small, act_extend, NULL, NOMEM, FAIL_SLAB, FAIL_PAGE },
	{ "fsync", prepare_small, act_fsync, model_nothing, NOMEM, FAIL_SLAB, FAIL_PAGE },
};

/**
 * struct stage - where an operation is done
 * @act: the operation
 * @work: directory on the file system
 * @reference: directory on a tmpfs
 * @cold: the VFS has nothing of it, when it is done
 * @absent: nor are any pages in frames
 * @refused: pages are refused: what is freed after a change can be left for later
 * @empty: objects while nothing is prepared
 * @before: when it is
 * @after: when the operation was done whole
 * @whole: what the operation says then
 */
struct stage {
	const struct act *act;
	char work[320];
	char reference[64];
	bool cold;
	bool absent;
	bool refused;
	struct live empty;
	struct live before;
	struct live after;
	long whole;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* A directory that is as good as new. */
static int clear(const char *dir)
{
	return ERR(chdir("/")) ?: ERR(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS)) ?:
		ERR(mkdir(dir, 0755)) ?: ERR(chdir(dir));
}

/* What is seen then comes from objects. No other file system's cache is lost. */
static int forget_all(const char *work)
{
	return ERR(chdir("/")) ?: remount() ?: ERR(chdir(work));
}

/* Nothing is left of the operation before, in its directory or beside it. */
static int begin_act(struct stage *stage)
{
	int ret = clear(stage->work) ?: live_wait(domain(), &stage->empty) ?:
		stage->act->prepare();

	if (!ret && stage->cold)
		ret = forget_all(stage->work);
	ret = ret ?: live_count(domain(), &stage->before);
	return ret || !stage->absent ? ret : absent_preempt(domain());
}

/* Objects can be counted then. */
static int end_act(const struct stage *stage)
{
	return stage->absent ? absent_bring() : 0;
}

/* What it makes when nothing fails. */
static int try_whole(struct stage *stage)
{
	/* What is freed in the background may need pages that the act before left absent. */
	int ret = clear(stage->work) ?: end_act(stage) ?:
		live_settle(domain(), &stage->empty) ?: begin_act(stage);

	if (ret)
		return ret;
	stage->whole = stage->act->act();
	if (stage->whole < 0)
		return stage->whole;
	return end_act(stage) ?: live_settle(domain(), &stage->after) ?: begin_act(stage);
}

/* Then all is as before it. */
static int try_act(struct stage *stage)
{
	int ret = try_whole(stage);

	if (ret)
		printf("# %s: it cannot be tried: %s\n", stage->act->name, strerror(-ret));
	return ret;
}

static long run_act(void *arg)
{
	const struct stage *stage = arg;

	return stage->act->act();
}

/* Frames that are in use have a page or a table in them: in a while, for a table. */
static int frames_add_up(void)
{
	struct kmdom_info info;
	int ret, tries = PATIENCE / 20;

	do {
		ret = kmdom_info_find(domain(), &info);
		if (ret || info.frames_used == info.pages_present + info.tables)
			return ret;
		poll(NULL, 0, 20);
	} while (tries--);
	return -EILSEQ;
}

/*
 * How many objects there are is known of what was done whole, or not at all. What was
 * refused on its way can have made room already, in a leaf of a directory; that goes
 * with the directory, as begin_act() sees before the next run.
 */
static int check_live(const struct stage *stage, long ret)
{
	if (stage->refused)
		return 0;
	if (ret < 0)
		return live_wait(domain(), &stage->before);
	return ret == stage->whole ? live_wait(domain(), &stage->after) : 0;
}

static int check_act(void *arg, long ret)
{
	struct stage *stage = arg;
	const struct act *act = stage->act;
	int err = end_act(stage) ?: check_live(stage, ret) ?: clear(stage->reference) ?:
		act->prepare();

	if (!err && ret >= 0)
		err = act->model ? act->model(ret) : act->act();
	if (err < 0)
		return err;
	/* What has failed has changed nothing: neither what the VFS has of it. */
	if (ret < 0 && tree_compare(stage->work, stage->reference))
		return -EILSEQ;
	err = forget_all(stage->work);
	if (err)
		return err;
	if (tree_compare(stage->work, stage->reference))
		return -EILSEQ;
	return frames_add_up() ?: begin_act(stage);
}

static int do_act(const struct act *act, struct stage *stage)
{
	struct inject_sweep sweep = {
		.run = run_act, .check = check_act, .arg = stage, .errors = act->errors,
		.must = stage->cold ? act->must : 0, .may = act->must | act->may,
		.idle = !stage->cold, .partial = (act->must | act->may) & FAIL_COPY,
	};
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s", act->name, stage->cold ? ", cold" : "",
		 stage->absent ? ", absent" : "");
	sweep.name = name;
	stage->act = act;
	if (stage->absent) {
		/* All calls that can fail are swept where pages are present. */
		sweep.stride = getenv("KMDOM_WHOLE") || scale() == 1 ? 1 : ABSENT_STRIDE;
		if (sweep.stride > 1)
			printf("# scaled down: one call in %u fails (KMDOM_WHOLE=1: each)\n",
			       sweep.stride);
		sweep.may |= sweep.must;
		sweep.must = 0;
	}
	return try_act(stage) ?: inject_sweep(&sweep);
}

/* With the n-th page refused; says whether it came to that. */
static int refuse_nth(struct stage *stage, unsigned int nth, bool *hit, long *ret)
{
	int err;

	absent_refuse(nth);
	*ret = stage->act->act();
	*hit = absent_faults() >= nth;
	absent_refuse(0);
	err = *ret < 0 && (!*hit || *ret != -EIO) ? *ret : check_act(stage, *ret);
	if (err)
		printf("# %s, page %u %s: %s; it had returned %ld\n", stage->act->name, nth,
		       *hit ? "refused" : "not wanted", strerror(-err), *ret);
	return err;
}

/* Each page that an operation waits for is refused in turn: that is an EIO of its own. */
static int refuse_each(const struct act *act, struct stage *stage)
{
	unsigned int nth = 0, failed = 0;
	bool hit = true;
	long done;
	int ret;

	stage->act = act;
	stage->refused = true;
	ret = try_act(stage);
	while (hit && !ret) {
		ret = refuse_nth(stage, ++nth, &hit, &done);
		failed += done < 0;
	}
	stage->refused = false;
	printf("# %s%s, refused: %u runs, %u failed\n", act->name,
	       stage->cold ? ", cold" : "", nth, failed);
	/* What has begun to deliver goes on later: it need not fail. */
	if (!ret && act->must && nth == 1)
		ret = -ENODATA;
	return ret;
}

static int mount_of(const char *domain, unsigned long flags)
{
	char options[200];

	snprintf(options, sizeof(options), "domain=%s", domain);
	return ERR(mount("none", getenv("KMDOMFS_DIR"), "kmdomfs", flags, options));
}

static int domain_mount(void)
{
	return mount_of(domain(), 0);
}

static long act_mount(void *arg)
{
	return domain_mount();
}

/* Whoever has not mounted it does not hold the domain. */
static int check_not_held(void)
{
	struct kmdom_info info;
	int ret = kmdom_info_find(domain(), &info);

	return ret ?: info.clients ? -EBUSY : frames_add_up();
}

/* What a file system has that nothing was made in. */
static const struct live formatted = { .nr = { [LIVE_SUPER] = 1, [LIVE_INODE] = 1 } };
static const struct live nothing;

static int check_mount(void *arg, long ret)
{
	return (ret ? 0 : ERR(umount(getenv("KMDOMFS_DIR")))) ?: check_not_held() ?:
		live_wait(domain(), arg);
}

/* One that failed may have come so far that the file system is there. */
static int check_first_mount(void *arg, long ret)
{
	struct live live;
	int err = live_count(domain(), &live);

	if (err || !memcmp(&live, &nothing, sizeof(live)))
		return err ?: ret ? check_not_held() : -ENOENT;
	return check_mount((void *)&formatted, ret);
}

/* First where there is no file system yet, then one that it finds. */
TEST(mounting)
{
	struct inject_sweep first = {
		.name = "the first mount", .run = act_mount, .check = check_first_mount,
		.errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	}, again = {
		.name = "mount", .run = act_mount, .check = check_mount,
		.arg = (void *)&formatted, .errors = ERRORS(ENOMEM), .must = FAIL_SLAB,
		.may = FAIL_PAGE,
	};

	ASSERT_EQ(0, inject_begin("kmdomfs"));
	EXPECT_EQ(0, inject_sweep(&first));
	EXPECT_EQ(0, inject_sweep(&again));
	inject_end();
	ASSERT_EQ(0, domain_mount());
}

/**
 * struct lonely - a domain without a pager
 * @dev: /dev/kmdom
 * @create: what it was created with
 */
struct lonely {
	int dev;
	struct kmdom_create create;
};

/* All that a mount does until it waits for frames is as far as it gets here. */
static long act_mount_lonely(void *arg)
{
	struct lonely *lonely = arg;
	int ret = mount_of(lonely->create.name, 0);

	return ret == -ETIMEDOUT ? 0 : ret ?: -EPROTO;
}

/* What holds the domain's caches still would be in the way of another mount. */
static int check_lonely(void *arg, long ret)
{
	struct lonely *lonely = arg;

	return act_mount_lonely(lonely) ?: kmdom_destroy(lonely->dev, lonely->create.name) ?:
		kmdom_create(lonely->dev, &lonely->create);
}

/* In a new domain each time: the caches that a mount makes stay with it. */
TEST(mounting_makes_caches)
{
	struct lonely lonely = {
		.dev = kmdom_open(0, NULL),
		.create = { .name = "kt/lonely", .max_frames = KMDOM_FRAMES_MIN },
	};
	struct inject_sweep sweep = {
		.name = "a mount that makes caches", .run = act_mount_lonely,
		.check = check_lonely, .arg = &lonely, .errors = ERRORS(ENOMEM),
		.must = FAIL_SLAB, .may = FAIL_PAGE,
	};
	long deadline = param_get("op_deadline_ms");

	ASSERT_LE(0, lonely.dev);
	ASSERT_EQ(0, param_set("op_deadline_ms", 50));
	ASSERT_EQ(0, kmdom_create(lonely.dev, &lonely.create));
	ASSERT_EQ(0, inject_begin("kmdomfs"));
	EXPECT_EQ(0, inject_sweep(&sweep));
	EXPECT_EQ(0, inject_sweep_from(&sweep, INJECT_SLAB));
	inject_end();
	EXPECT_EQ(0, param_set("op_deadline_ms", deadline));
	EXPECT_EQ(0, kmdom_destroy(lonely.dev, lonely.create.name));
	close(lonely.dev);
}

static long act_remount(void *arg)
{
	return mount_of(domain(), MS_REMOUNT);
}

/* It is mounted, and nobody else holds the domain. */
static int check_remount(void *arg, long ret)
{
	struct kmdom_info info;
	struct statfs st;
	int err = kmdom_info_find(domain(), &info) ?:
		ERR(statfs(getenv("KMDOMFS_DIR"), &st));

	return err ?: info.clients != 1 ? -EBUSY : frames_add_up() ?:
		live_wait(domain(), &formatted);
}

TEST(remounting)
{
	struct inject_sweep sweep = {
		.name = "remount", .run = act_remount, .check = check_remount,
		.errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	};

	ASSERT_EQ(0, inject_begin("kmdomfs"));
	EXPECT_EQ(0, inject_sweep(&sweep));
	inject_end();
}

static long act_umount(void *arg)
{
	return ERR(umount(getenv("KMDOMFS_DIR")));
}

static int check_umount(void *arg, long ret)
{
	return check_not_held() ?: live_wait(domain(), &formatted) ?: domain_mount();
}

TEST(unmounting)
{
	struct inject_sweep sweep = {
		.name = "umount", .run = act_umount, .check = check_umount,
	};

	ASSERT_EQ(0, inject_begin("kmdomfs"));
	EXPECT_EQ(0, inject_sweep(&sweep));
	inject_end();
}

#define ORPHANS	40	/* files that a mount leaves to the next one */

static int make_orphans(void)
{
	int fds[ORPHANS], i, ret = 0;
	char path[320];

	for (i = 0; i < ORPHANS && !ret; i++) {
		snprintf(path, sizeof(path), "%s/orphan", getenv("KMDOMFS_DIR"));
		fds[i] = open(path, O_CREAT | O_RDWR, 0600);
		ret = fds[i] < 0 ? -errno : write(fds[i], path, sizeof(path)) < 0 ? -errno :
			ERR(unlink(path));
	}
	/* The mount ends with the last of them, and its reaper with the mount. */
	ret = ret ?: ERR(umount2(getenv("KMDOMFS_DIR"), MNT_DETACH));
	while (i--)
		close(fds[i]);
	return ret;
}

/* How far the reaper comes before it is ended is chance: it does not come to all. */
static int leave_orphans(struct live *left)
{
	int tries = 20, ret;

	do {
		ret = make_orphans() ?: check_not_held() ?: live_count(domain(), left);
		if (ret || left->nr[LIVE_INODE] > formatted.nr[LIVE_INODE])
			return ret;
		ret = domain_mount();
	} while (!ret && tries--);
	return ret ?: -EALREADY;
}

/* None is lost by a mount that failed; by one that did not they are freed. */
static int check_orphans(void *arg, long ret)
{
	struct live *left = arg;

	if (ret)
		return check_not_held() ?: live_wait(domain(), left);
	return live_wait(domain(), &formatted) ?: leave_orphans(left);
}

TEST(mounting_with_orphans)
{
	struct live left;
	struct inject_sweep sweep = {
		.name = "mount with orphans", .run = act_mount, .check = check_orphans,
		.arg = &left, .errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	};

	ASSERT_EQ(0, leave_orphans(&left));
	ASSERT_EQ(0, inject_begin("kmdomfs"));
	EXPECT_EQ(0, inject_sweep(&sweep));
	inject_end();
	ASSERT_EQ(0, domain_mount());
	EXPECT_EQ(0, live_wait(domain(), &formatted));
}

/* Where operations are done, in a directory of the file system and in a new one. */
static int make_stage(struct stage *stage, const char *work, char *reference)
{
	if (!mkdtemp(reference) || chmod(reference, 0755))
		return -errno;
	snprintf(stage->reference, sizeof(stage->reference), "%s/work", reference);
	snprintf(stage->work, sizeof(stage->work), "%s/work", work);
	return ERR(mkdir(stage->reference, 0755)) ?: ERR(mkdir(stage->work, 0755));
}

/* Each of some operations, with all of it in the VFS's caches and with nothing. */
static int do_acts(const struct act *acts, size_t nr, const char *work)
{
	char reference[] = "/tmp/reference.XXXXXX";
	struct stage stage = { 0 };
	int bad = make_stage(&stage, work, reference) ?: inject_begin("kmdomfs");
	size_t i;

	for (i = 0; i < 2 * nr && !bad; i++) {
		stage.cold = i % 2;
		bad = do_act(&acts[i / 2], &stage);
	}
	inject_end();
	nftw(reference, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return bad;
}

#define DO_ACTS(acts)	do_acts(acts, sizeof(acts) / sizeof((acts)[0]), self->dir)

TEST_F(fs, names)
{
	EXPECT_EQ(0, DO_ACTS(names));
}

TEST_F(fs, attributes)
{
	EXPECT_EQ(0, DO_ACTS(attributes));
}

TEST_F(fs, data_in_calls)
{
	EXPECT_EQ(0, DO_ACTS(data_in_calls));
}

TEST_F(fs, data_in_mappings)
{
	EXPECT_EQ(0, DO_ACTS(data_in_mappings));
}

TEST_F(fs, sizes)
{
	EXPECT_EQ(0, DO_ACTS(sizes));
}

/*
 * As do_acts(), where all pages are absent. What only looks finds all in the VFS's
 * caches, if it is there.
 */
static int do_acts_absent(const struct act *acts, size_t nr)
{
	char reference[] = "/tmp/reference.XXXXXX";
	struct stage stage = { .absent = true };
	int bad = make_stage(&stage, getenv("KMDOMFS_DIR"), reference) ?:
		inject_begin("kmdomfs");
	size_t i, step = getenv("KMDOM_WHOLE") ? 1 : (scale() + 1) / 2;

	if (step > 1)
		printf("# scaled down: one in %zu of %zu operations (KMDOM_WHOLE=1: each)\n",
		       step, nr);
	for (i = 0; i < nr && !bad; i += step) {
		stage.cold = true;
		bad = do_act(&acts[i], &stage);
		/* What was looked up already is not refused to who changes it. */
		stage.cold = acts[i].model == model_nothing;
		bad = bad ?: refuse_each(&acts[i], &stage);
	}
	inject_end();
	nftw(reference, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return clear(stage.work) ?: ERR(chdir("/")) ?: ERR(rmdir(stage.work)) ?: bad;
}

/* A file system of its own, with a pager of the test's. */
FIXTURE(absent)
{
	char dir[32];
};

FIXTURE_SETUP(absent)
{
	strcpy(self->dir, "/tmp/kmdomfs-absent");
	ASSERT_EQ(0, setenv("KMDOMFS_DOMAIN", "kt/absent", 1));
	ASSERT_EQ(0, setenv("KMDOMFS_DIR", self->dir, 1));
	ASSERT_TRUE(!mkdir(self->dir, 0755) || errno == EEXIST);
	ASSERT_EQ(0, absent_begin(domain()));
	ASSERT_EQ(0, domain_mount());
	umask(022);
}

FIXTURE_TEARDOWN(absent)
{
	EXPECT_EQ(0, absent_bring());
	EXPECT_EQ(0, live_wait(domain(), &formatted));
	ASSERT_EQ(0, ERR(umount(self->dir)));
	live_end();
	EXPECT_EQ(0, absent_end(domain()));
}

#define DO_ABSENT(acts)	do_acts_absent(acts, sizeof(acts) / sizeof((acts)[0]))

TEST_F(absent, names)
{
	EXPECT_EQ(0, DO_ABSENT(names));
}

TEST_F(absent, attributes)
{
	EXPECT_EQ(0, DO_ABSENT(attributes));
}

TEST_F(absent, data_in_calls)
{
	EXPECT_EQ(0, DO_ABSENT(data_in_calls));
}

TEST_F(absent, data_in_mappings)
{
	EXPECT_EQ(0, DO_ABSENT(data_in_mappings));
}

TEST_F(absent, sizes)
{
	EXPECT_EQ(0, DO_ABSENT(sizes));
}

static long count_pages(void)
{
	struct kmdom_info info;
	int ret = kmdom_info_find(domain(), &info);

	return ret ? ret : (long)(info.pages_present + info.pages_absent);
}

/**
 * struct background - what gives the cleaner and the reaper something to do
 * @fd: a file that is open
 * @map: its pages, mapped; or MAP_FAILED
 * @pages: of the domain, without that file's
 * @seen: how often the cleaner had not begun when it was waited for
 */
struct background {
	int fd;
	char *map;
	long pages;
	unsigned int seen;
};

#define DIRTIED	40	/* pages of the file */
#define KEPT	8	/* pages, empty, that are kept of what was freed */

static int begin_background(struct background *work)
{
	size_t at;

	work->map = MAP_FAILED;
	work->fd = open("file", O_CREAT | O_EXCL | O_RDWR, 0644);
	if (work->fd < 0)
		return -errno;
	if (ftruncate(work->fd, DIRTIED * PAGE))
		return -errno;
	work->map = mmap(NULL, DIRTIED * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, work->fd, 0);
	if (work->map == MAP_FAILED)
		return -errno;
	for (at = 0; at < DIRTIED * PAGE; at += PAGE)
		work->map[at] = at / PAGE + 1;
	return 0;
}

/* Its name is gone already, or goes now; its pages go in their own time. */
static int end_background(struct background *work)
{
	unlink("file");
	return (work->map == MAP_FAILED ? 0 : ERR(munmap(work->map, DIRTIED * PAGE))) ?:
		ERR(close(work->fd));
}

/* How much of a mapping is dirty, in KiB. */
static long dirty_kib(const void *map)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long first, last, kib, sum = 0;
	bool here = false;
	char line[512];

	if (!maps)
		return -errno;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			here = first == (unsigned long)map;
		else if (here && (sscanf(line, "Shared_Dirty: %lu", &kib) == 1 ||
				  sscanf(line, "Private_Dirty: %lu", &kib) == 1))
			sum += kib;
	}
	fclose(maps);
	return sum;
}

/* The cleaner begins a second after the first page became dirty. */
static long wait_for_cleaner(void *arg)
{
	struct background *work = arg;
	int tries = PATIENCE / 50;
	long dirty = dirty_kib(work->map);

	work->seen += dirty >= DIRTIED * 4;
	while (dirty > 0 && tries--) {
		poll(NULL, 0, 50);
		dirty = dirty_kib(work->map);
	}
	return dirty > 0 ? -ETIMEDOUT : dirty;
}

/* The last use of a file without a name ends, and the reaper frees its pages. */
static long wait_for_reaper(void *arg)
{
	struct background *work = arg;
	int tries = PATIENCE / 50;

	if (count_pages() < work->pages + DIRTIED)
		return -ENODATA;
	close(work->fd);
	work->fd = -1;
	while (count_pages() > work->pages + KEPT && tries--)
		poll(NULL, 0, 50);
	return count_pages() > work->pages + KEPT ? -ETIMEDOUT : 0;
}

static int dirty_again(void *arg, long ret)
{
	return end_background(arg) ?: begin_background(arg);
}

static int begin_to_reap(struct background *work)
{
	return begin_background(work) ?: ERR(fsync(work->fd)) ?:
		ERR(munmap(work->map, DIRTIED * PAGE)) ?: ERR(unlink("file"));
}

static int unlink_again(void *arg, long ret)
{
	return begin_to_reap(arg);
}

/* What is done in the background allocates nothing, so that it cannot fail so. */
TEST_F(fs, in_the_background)
{
	struct background work = { .pages = count_pages() };
	struct inject_sweep clean = {
		.name = "the cleaner", .run = wait_for_cleaner, .check = dirty_again,
		.arg = &work,
	}, reap = {
		.name = "the reaper", .run = wait_for_reaper, .check = unlink_again,
		.arg = &work,
	};
	int kind;

	ASSERT_EQ(0, inject_begin("kmdomfs"));
	for (kind = 0; kind < INJECT_KINDS; kind++) {
		ASSERT_EQ(0, begin_background(&work));
		work.seen = 0;
		EXPECT_EQ(0, inject_sweep_kind(&clean, kind));
		EXPECT_LT(0, work.seen);
		EXPECT_EQ(0, end_background(&work));
		ASSERT_EQ(0, begin_to_reap(&work));
		EXPECT_EQ(0, inject_sweep_kind(&reap, kind));
		work.map = MAP_FAILED;
		EXPECT_EQ(0, end_background(&work));
	}
	inject_end();
}

/* All tests before have removed what they made: there is this one's directory. */
TEST_F(fs, nothing_is_left)
{
	static const struct live one = { .nr = {
		[LIVE_SUPER] = 1, [LIVE_INODE] = 2, [LIVE_NODE_SMALL] = 1,
	} };

	EXPECT_EQ(0, live_wait(domain(), &one));
}

int main(int argc, char **argv)
{
	return inject_main(argc, argv, test_harness_run);
}
