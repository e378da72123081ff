// SPDX-License-Identifier: GPL-2.0
/*
 * What a user without rights may have: a memory cgroup with a limit, locked
 * memory, domains - and that no way of dying gets more.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include "harness.h"

#define UID	1234
#define PAGE	((uint64_t)KMDOM_FRAME_SIZE)

FIXTURE(limit) {
	struct bed bed;
	struct pager *root;	/* without a session */
	struct proc *pager;
	struct remote_adopt adopt;
	char cgroup[128];
	long dying;
	char full[KMDOM_NAME_MAX];
};

BOTH_DOORS(limit);

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static long read_number(const char *dir, const char *name)
{
	char path[256];
	long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &value) != 1)
		value = -EIO;
	fclose(file);
	return value;
}

/* Cgroups that were removed and that something keeps. */
static long dying(void)
{
	char word[64];
	long nr = -ENOENT, value;
	FILE *file = fopen("/sys/fs/cgroup/cgroup.stat", "re");

	if (!file)
		return -errno;
	while (fscanf(file, "%63s %ld", word, &value) == 2)
		if (!strcmp(word, "nr_dying_descendants"))
			nr = value;
	fclose(file);
	return nr;
}

FIXTURE_SETUP(limit)
{
	struct bed_spec spec = { .procs = 1, .no_session = true };

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->root = &self->bed.pager;
	self->pager = &self->bed.procs[0];
	snprintf(self->cgroup, sizeof(self->cgroup), "/sys/fs/cgroup/kt-%d", getpid());
	self->dying = dying();
	ASSERT_LE(0, self->dying);
	ASSERT_EQ(0, mkdir(self->cgroup, 0755));
	ASSERT_EQ(0, write_file(self->cgroup, "memory.max", "64M"));
	self->adopt = (struct remote_adopt) {
		.door = variant->door, .frames = 140, .grant = 140, .uid = UID,
		.memlock = 200 * PAGE, .create_frames = 256,
		.store = self->bed.store,
	};
	strcpy(self->adopt.cgroup, self->cgroup);
	snprintf(self->adopt.name, sizeof(self->adopt.name), "limit");
	snprintf(self->full, sizeof(self->full), "%d/limit", UID);
}

/* A cgroup goes whole when its domains have: what it has cached goes first. */
FIXTURE_TEARDOWN(limit)
{
	long long start = now_ms();

	EXPECT_EQ(0, proc_kill(self->pager));
	EXPECT_LE(-ENOENT, pager_destroy(self->root, self->full));
	EXPECT_EQ(0, bed_down(&self->bed));
	while (rmdir(self->cgroup) && now_ms() - start < PROC_PATIENCE)
		poll(NULL, 0, 10);
	while (dying() > self->dying && now_ms() - start < PROC_PATIENCE) {
		EXPECT_EQ(0, write_file("/proc/sys/vm", "drop_caches", "3"));
		poll(NULL, 0, 50);
	}
	EXPECT_GE(self->dying, dying());
}

static int again(struct proc *proc)
{
	int ret = proc_kill(proc);

	return ret ? ret : proc_spawn(proc, 1);
}

TEST_F(limit, needs_a_bounded_memory_cgroup)
{
	strcpy(self->adopt.cgroup, "/sys/fs/cgroup");
	EXPECT_EQ(-EPERM, remote_adopt(self->pager, &self->adopt));
	ASSERT_EQ(0, again(self->pager));
	self->adopt.create_frames = 0;
	strcpy(self->adopt.cgroup, self->cgroup);
	ASSERT_EQ(0, write_file(self->cgroup, "memory.max", "max"));
	EXPECT_EQ(-EPERM, remote_adopt(self->pager, &self->adopt));
	ASSERT_EQ(0, again(self->pager));
	ASSERT_EQ(0, write_file(self->cgroup, "memory.max", "64M"));
	EXPECT_EQ(0, remote_adopt(self->pager, &self->adopt));
}

TEST_F(limit, locked_memory)
{
	struct remote_adopt other = self->adopt;

	self->adopt.memlock = 140 * PAGE - 1;
	EXPECT_EQ(-EDQUOT, remote_adopt(self->pager, &self->adopt));
	ASSERT_EQ(0, again(self->pager));
	self->adopt.create_frames = 0;
	self->adopt.memlock = 140 * PAGE;
	EXPECT_EQ(0, remote_adopt(self->pager, &self->adopt));

	/* The user's, not the process's. */
	ASSERT_EQ(0, proc_spawn(&self->bed.procs[1], 2));
	strcpy(other.name, "other");
	other.memlock = 140 * PAGE;
	other.frames = 1;
	other.grant = 0;
	EXPECT_EQ(-EDQUOT, remote_adopt(&self->bed.procs[1], &other));
	EXPECT_EQ(0, proc_kill(&self->bed.procs[1]));
	/* Another user has his own. */
	ASSERT_EQ(0, proc_spawn(&self->bed.procs[1], 2));
	other.uid = UID + 1;
	EXPECT_EQ(0, remote_adopt(&self->bed.procs[1], &other));
	EXPECT_EQ(0, proc_kill(&self->bed.procs[1]));
	EXPECT_EQ(0, pager_destroy(self->root, "1234/other"));
	EXPECT_EQ(0, pager_destroy(self->root, "1235/other"));
}

/* Owned and lent frames are back when the dead is. */
TEST_F(limit, adopt_grant_die)
{
	int i;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, remote_adopt(self->pager, &self->adopt));
		self->adopt.create_frames = 0;
		ASSERT_EQ(0, again(self->pager));
	}
}

/* Frames in use of dead pagers count as long as they are in use. */
TEST_F(limit, create_grant_use_die)
{
	struct kt_usage usage;
	uint64_t used = 0, ref;
	char full[KMDOM_NAME_MAX];
	int fd[4], nr, i, ret;
	long long start;

	for (nr = 0; nr < 4; nr++) {
		snprintf(self->adopt.name, sizeof(self->adopt.name), "user%d", nr);
		ret = remote_adopt(self->pager, &self->adopt);
		EXPECT_EQ(used + 140 > 200 ? -EDQUOT : 0, ret);
		if (ret)
			break;
		fd[nr] = client_open();
		ASSERT_LE(0, fd[nr]);
		snprintf(full, sizeof(full), "%d/user%d", UID, nr);
		ASSERT_EQ(0, client_find(fd[nr], full));
		ASSERT_EQ(0, client_attach(fd[nr], KT_PAGE));
		for (i = 0; i < 30; i++) {
			ASSERT_EQ(0, kt_new(fd[nr], 0, KT_PAGE, NULL, 0, &ref));
		}
		ASSERT_EQ(0, client_usage(fd[nr], &usage));
		used += usage.frames_used;
		EXPECT_LE(30, usage.frames_used);
		EXPECT_EQ(0, proc_kill(self->pager));
		ASSERT_EQ(0, client_usage(fd[nr], &usage));
		EXPECT_EQ(usage.frames_used, usage.frames_granted);
		ASSERT_EQ(0, proc_spawn(self->pager, 1));
	}
	EXPECT_EQ(2, nr);
	/* The helper has the clients' descriptors, too. */
	ASSERT_EQ(0, proc_kill(self->pager));
	for (i = 0; i < nr; i++) {
		close(fd[i]);
		snprintf(full, sizeof(full), "%d/user%d", UID, i);
		EXPECT_EQ(0, pager_destroy(self->root, full));
	}
	self->adopt.create_frames = 0;
	start = now_ms();
	do {
		ASSERT_EQ(0, proc_spawn(self->pager, 1));
		ret = remote_adopt(self->pager, &self->adopt);
		EXPECT_EQ(0, proc_kill(self->pager));
	} while (ret == -EDQUOT && now_ms() - start < PROC_PATIENCE);
	EXPECT_EQ(0, ret);
	snprintf(full, sizeof(full), "%d/user%d", UID, nr);
	EXPECT_EQ(0, pager_destroy(self->root, full));
}

/* What a dead pager's pages hold of the user's limit keeps no successor out. */
TEST_F(limit, successor)
{
	struct kt_usage usage;
	uint64_t ref;
	int fd, i;

	self->adopt.memlock = 140 * PAGE;
	ASSERT_EQ(0, remote_adopt(self->pager, &self->adopt));
	fd = client_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, client_find(fd, self->full));
	ASSERT_EQ(0, client_attach(fd, KT_PAGE));
	for (i = 0; i < 30; i++)
		ASSERT_EQ(0, kt_new(fd, 0, KT_PAGE, NULL, 0, &ref));
	ASSERT_EQ(0, again(self->pager));
	self->adopt.create_frames = 0;
	ASSERT_EQ(0, remote_adopt(self->pager, &self->adopt));
	/* Together they have what the user may lock. */
	ASSERT_EQ(0, client_usage(fd, &usage));
	EXPECT_LE(30, usage.frames_used);
	EXPECT_EQ(140, usage.frames_granted);
	EXPECT_EQ(0, proc_kill(self->pager));
	close(fd);
}

TEST_F(limit, pools_are_charged)
{
	long before, with, after;
	long long start;

	self->adopt.frames = 2000;
	self->adopt.grant = 2000;
	self->adopt.create_frames = 2000;
	self->adopt.memlock = 4000 * PAGE;
	before = read_number(self->cgroup, "memory.current");
	ASSERT_EQ(0, remote_adopt(self->pager, &self->adopt));
	with = read_number(self->cgroup, "memory.current");
	EXPECT_LE((long)(2000 * PAGE), with - before);
	EXPECT_EQ(0, proc_kill(self->pager));
	start = now_ms();
	do {
		after = read_number(self->cgroup, "memory.current");
	} while (with - after < (long)(2000 * PAGE) && now_ms() - start < PROC_PATIENCE);
	EXPECT_LE((long)(2000 * PAGE), with - after);
}

/* More than the cgroup may have: an error, and nobody is killed for it. */
TEST_F(limit, pools_beyond_the_cgroup)
{
	ASSERT_EQ(0, write_file(self->cgroup, "memory.max", "6M"));
	self->adopt.frames = 4000;
	self->adopt.grant = 0;
	self->adopt.create_frames = 4000;
	self->adopt.memlock = 8000 * PAGE;
	EXPECT_EQ(-ENOMEM, remote_adopt(self->pager, &self->adopt));
	self->adopt.create_frames = 0;
	self->adopt.cgroup[0] = '\0';
	self->adopt.frames = 140;
	EXPECT_EQ(0, remote_adopt(self->pager, &self->adopt));
}

static long create_some(void *arg)
{
	struct remote_adopt *adopt = arg;
	char name[KMDOM_NAME_MAX];
	struct pager pager;
	int i, ret;

	ret = setresuid(UID, UID, UID) ? -errno : pager_open(&pager, NULL);
	for (i = 0; !ret && i < 100; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		ret = pager_create(&pager, name, KMDOM_FRAMES_MIN, 60);
	}
	adopt->session = i;
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		pager_destroy(&pager, name);
	}
	return ret;
}

TEST_F(limit, domains_of_a_user)
{
	long old = param_get("max_domains");
	long long start = now_ms();

	ASSERT_LT(0, old);
	ASSERT_EQ(0, param_set("max_domains", 3));
	/* Those of the tests before count until their memory is gone. */
	do {
		ASSERT_EQ(0, again(self->pager));
		EXPECT_EQ(-EDQUOT, proc_call(self->pager, create_some, &self->adopt,
					     sizeof(self->adopt)));
	} while (self->adopt.session < 4 && now_ms() - start < PROC_PATIENCE);
	EXPECT_EQ(0, param_set("max_domains", old));
	/* The fourth one was refused. */
	EXPECT_EQ(4, self->adopt.session);
}

/**
 * struct adoption - an ADOPT by a helper, waited for by a thread
 * @proc: the helper
 * @adopt: how
 * @ret: what came of it
 */
struct adoption {
	struct proc *proc;
	struct remote_adopt adopt;
	int ret;
};

static void *adopt_thread(void *arg)
{
	struct adoption *adoption = arg;

	adoption->ret = remote_adopt(adoption->proc, &adoption->adopt);
	return NULL;
}

/* How long the memory of a pool takes is its pager's: nobody waits for that. */
TEST_F(limit, aborted_while_a_pool_is_made)
{
	struct adoption adoption = { .proc = self->pager, .adopt = self->adopt };
	uint32_t frames = 60000;
	long long start = now_ms();
	pthread_t thread;
	int client = client_open();

	ASSERT_LE(0, client);
	ASSERT_EQ(0, write_file(self->cgroup, "memory.max", "512M"));
	adoption.adopt.frames = frames;
	adoption.adopt.create_frames = frames;
	adoption.adopt.grant = 0;
	adoption.adopt.memlock = frames * PAGE;
	ASSERT_EQ(0, pthread_create(&thread, NULL, adopt_thread, &adoption));
	while (read_number(self->cgroup, "memory.current") < (long)(frames / 4 * PAGE) &&
	       now_ms() - start < PROC_PATIENCE)
		;
	EXPECT_EQ(0, client_find(client, self->full));
	EXPECT_EQ(0, client_attach(client, KT_PAGE));
	EXPECT_EQ(0, pager_abort(self->root, self->full));
	EXPECT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ENODEV, adoption.ret);
	close(client);
}

/* Without its name it counts, too, while a descriptor keeps its memory. */
TEST_F(limit, a_domain_counts_until_it_is_freed)
{
	struct remote_adopt other = self->adopt;
	struct proc *proc = &self->bed.procs[1];
	long old = param_get("max_domains");
	long long start = now_ms();
	int ret;

	ASSERT_LT(0, old);
	ASSERT_EQ(0, remote_adopt(self->pager, &self->adopt));
	ASSERT_EQ(0, pager_abort(self->root, self->full));
	ASSERT_EQ(0, param_set("max_domains", 1));
	strcpy(other.name, "other");
	other.frames = 1;
	other.grant = 0;
	ASSERT_EQ(0, proc_spawn(proc, 2));
	EXPECT_EQ(-EDQUOT, remote_adopt(proc, &other));
	EXPECT_EQ(0, proc_kill(self->pager));
	do {
		ASSERT_EQ(0, proc_kill(proc));
		ASSERT_EQ(0, proc_spawn(proc, 2));
		ret = remote_adopt(proc, &other);
	} while (ret == -EDQUOT && now_ms() - start < PROC_PATIENCE);
	EXPECT_EQ(0, param_set("max_domains", old));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, proc_kill(proc));
	EXPECT_EQ(0, pager_destroy(self->root, "1234/other"));
}

TEST_HARNESS_MAIN
