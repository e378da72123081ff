// SPDX-License-Identifier: GPL-2.0
/*
 * Frames: a grant is a real one. What is lent cannot be touched, nothing keeps
 * a reference through the pool's mapping, and no frame is lost or gained.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "harness.h"

#define FRAMES	256
#define SIZE	((size_t)KMDOM_FRAME_SIZE)

FIXTURE(grant) {
	struct bed bed;
	struct pager *pager;
	char *pool;
};

BOTH_DOORS(grant);

FIXTURE_SETUP(grant)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .procs = 1,
		.types = 1 << KT_SMALL | 1 << KT_PAGE, .keep_frames = true,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->pool = self->pager->pool;
}

FIXTURE_TEARDOWN(grant)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

TEST_F(grant, owned_frames_are_memory)
{
	size_t i;

	for (i = 0; i < FRAMES; i++)
		EXPECT_EQ(0, self->pool[i * SIZE]);
	memset(self->pool, 0x5a, FRAMES * SIZE);
	for (i = 0; i < FRAMES * SIZE; i++)
		if (self->pool[i] != 0x5a)
			break;
	EXPECT_EQ(FRAMES * SIZE, i);
	EXPECT_EQ(0, pager_exchange(self->pager, NULL, NULL, 0));
	EXPECT_EQ(0, self->pager->ex.free_frames);
	EXPECT_EQ(0, self->pager->ex.used_frames);
}

TEST_F(grant, lent_frames_are_gone)
{
	size_t i;

	memset(self->pool, 0x5a, FRAMES * SIZE);
	EXPECT_EQ(100, pager_grant(self->pager, 10, 100));
	EXPECT_EQ(100, self->pager->ex.free_frames);
	for (i = 0; i < FRAMES; i++) {
		int want = i >= 10 && i < 110 ? SIGBUS : 0;

		EXPECT_EQ(want, touch(self->pool + i * SIZE, false));
		EXPECT_EQ(want, touch(self->pool + i * SIZE + SIZE - 1, true));
	}
	EXPECT_EQ(0x5a, self->pool[9 * SIZE]);
	EXPECT_EQ(0x5a, self->pool[110 * SIZE]);
}

TEST_F(grant, revoked_frames_come_back_zeroed)
{
	size_t i;

	memset(self->pool, 0x5a, FRAMES * SIZE);
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	EXPECT_EQ(50, pager_revoke(self->pager, 20, 50));
	EXPECT_EQ(FRAMES - 50, self->pager->ex.free_frames);
	EXPECT_EQ(SIGBUS, touch(self->pool + 19 * SIZE, false));
	EXPECT_EQ(SIGBUS, touch(self->pool + 70 * SIZE, false));
	for (i = 20 * SIZE; i < 70 * SIZE; i++)
		if (self->pool[i])
			break;
	EXPECT_EQ(70 * SIZE, i);
}

TEST_F(grant, only_what_is_in_that_state_moves)
{
	EXPECT_EQ(-EBUSY, pager_revoke(self->pager, 0, FRAMES));
	EXPECT_EQ(10, pager_grant(self->pager, 5, 10));
	EXPECT_EQ(-EBUSY, pager_grant(self->pager, 5, 10));
	EXPECT_EQ(-EBUSY, pager_grant(self->pager, 14, 1));
	EXPECT_EQ(10, pager_grant(self->pager, 0, 20));
	EXPECT_EQ(20, pager_revoke(self->pager, 0, FRAMES));
	EXPECT_EQ(-EBUSY, pager_revoke(self->pager, 0, FRAMES));
}

TEST_F(grant, range_is_checked)
{
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, 0, 0));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, 0, FRAMES + 1));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, FRAMES, 1));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, FRAMES - 1, 2));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, ~0ULL, 1));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, ~0ULL - 1, 3));
	EXPECT_EQ(-EINVAL, pager_grant(self->pager, 1, ~0U));
	EXPECT_EQ(-EINVAL, pager_revoke(self->pager, 0, 0));
	EXPECT_EQ(-EINVAL, pager_revoke(self->pager, FRAMES - 1, 2));
	EXPECT_EQ(-EINVAL, pager_revoke(self->pager, ~0ULL, 2));
	EXPECT_EQ(1, pager_grant(self->pager, FRAMES - 1, 1));
}

TEST_F(grant, counts_are_conserved)
{
	bool lent[FRAMES] = { false };
	unsigned int seed = 1, step, i;

	for (step = 0; step < 300; step++) {
		unsigned int first, nr;
		int want = 0, total = 0;
		bool to;

		seed = seed * 1103515245 + 12345;
		first = (seed >> 8) % FRAMES;
		nr = 1 + (seed >> 20) % (FRAMES - first);
		to = seed >> 7 & 1;
		for (i = first; i < first + nr; i++) {
			want += lent[i] != to;
			lent[i] = to;
		}
		for (i = 0; i < FRAMES; i++)
			total += lent[i];
		ASSERT_EQ(want ? want : -EBUSY,
			  to ? pager_grant(self->pager, first, nr) :
			       pager_revoke(self->pager, first, nr));
		ASSERT_EQ(total, self->pager->ex.free_frames);
		ASSERT_EQ(0, self->pager->ex.used_frames);
	}
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* The copies of plain I/O go through the page tables: no reference is taken. */
TEST_F(grant, plain_io_stops_at_lent_frames)
{
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	memset(self->pool, 'x', SIZE);
	EXPECT_EQ(100, write(pipes[1], self->pool, 100));
	EXPECT_EQ(100, read(pipes[0], self->pool, 100));
	ASSERT_EQ(1, pager_grant(self->pager, 0, 1));
	EXPECT_EQ(-1, write(pipes[1], self->pool, 100));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, write(pipes[1], "y", 1));
	EXPECT_EQ(-1, read(pipes[0], self->pool, 1));
	EXPECT_EQ(EFAULT, errno);
	close(pipes[0]);
	close(pipes[1]);
}

static int gup_direct(char *frame)
{
	int fd, ret;

	fd = open("/dev/ram0", O_RDWR | O_DIRECT);
	if (fd < 0)
		return -ENODEV;
	ret = pread(fd, frame, SIZE, 0) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int gup_vmsplice(char *frame)
{
	struct iovec iov = { .iov_base = frame, .iov_len = SIZE };
	int pipes[2], ret;

	if (pipe(pipes))
		return -ENODEV;
	ret = vmsplice(pipes[1], &iov, 1, 0) < 0 ? -errno : 0;
	close(pipes[0]);
	close(pipes[1]);
	return ret;
}

static int gup_process_vm(char *frame)
{
	char local[16];
	struct iovec to = { .iov_base = local, .iov_len = sizeof(local) };
	struct iovec from = { .iov_base = frame, .iov_len = sizeof(local) };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0 ? -errno : 0;
}

static int gup_registered(char *frame)
{
	struct iovec iov = { .iov_base = frame, .iov_len = SIZE };
	struct io_uring ring;
	int ret;

	if (io_uring_queue_init(4, &ring, 0))
		return -ENODEV;
	ret = io_uring_register_buffers(&ring, &iov, 1);
	io_uring_queue_exit(&ring);
	return ret;
}

static int gup_proc_mem(char *frame)
{
	char local[16];
	int fd = open("/proc/self/mem", O_RDWR), ret;

	if (fd < 0)
		return -ENODEV;
	ret = pread(fd, local, sizeof(local), (off_t)(unsigned long)frame) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int gup_futex(char *frame)
{
	struct timespec ts = { .tv_nsec = 1 };

	return syscall(SYS_futex, frame, FUTEX_WAIT, 0, &ts, NULL, 0) < 0 ? -errno : 0;
}

TEST_F(grant, nothing_keeps_a_reference)
{
	static const struct {
		const char *name;
		int (*fn)(char *frame);
		int want;
	} ways[] = {
		{ "O_DIRECT", gup_direct, -EFAULT },
		{ "vmsplice", gup_vmsplice, -EFAULT },
		{ "process_vm_readv", gup_process_vm, -EFAULT },
		{ "registered buffer", gup_registered, -EFAULT },
		{ "/proc/self/mem", gup_proc_mem, -EIO },
		{ "shared futex", gup_futex, -EFAULT },
	};
	size_t i;

	ASSERT_EQ(0, system("modprobe brd rd_nr=1 rd_size=1024"));
	memset(self->pool, 0, FRAMES * SIZE);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		EXPECT_EQ(ways[i].want, ways[i].fn(self->pool + i * SIZE))
			TH_LOG("by %s", ways[i].name);
	}
	EXPECT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
}

TEST_F(grant, mapping_does_not_spread)
{
	char *moved;
	int status;
	pid_t pid;

	self->pool[0] = 1;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(touch(self->pool, false));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGSEGV, WEXITSTATUS(status));
	EXPECT_EQ(-1, madvise(self->pool, SIZE, MADV_DOFORK));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, madvise(self->pool, SIZE, MADV_DODUMP));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mremap(self->pool, FRAMES * SIZE,
				     (FRAMES + 1) * SIZE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(self->pool, FRAMES * SIZE, FRAMES * SIZE,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	moved = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, moved);
	/* Moving a part of it is no harm: it is zapped where it is now. */
	if (mremap(self->pool, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) != moved)
		moved = self->pool;
	EXPECT_EQ(0, touch(moved, true));
	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	EXPECT_EQ(SIGBUS, touch(moved, false));
}

TEST_F(grant, every_mapping_is_zapped)
{
	char *other, *part;

	other = mmap(NULL, FRAMES * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		     self->pager->fd, 0);
	ASSERT_NE(MAP_FAILED, other);
	part = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->pager->fd, 7 * SIZE);
	ASSERT_NE(MAP_FAILED, part);
	self->pool[7 * SIZE] = 42;
	EXPECT_EQ(42, other[7 * SIZE]);
	EXPECT_EQ(42, part[0]);
	ASSERT_EQ(1, pager_grant(self->pager, 7, 1));
	EXPECT_EQ(SIGBUS, touch(self->pool + 7 * SIZE, false));
	EXPECT_EQ(SIGBUS, touch(other + 7 * SIZE, false));
	EXPECT_EQ(SIGBUS, touch(part, false));
	EXPECT_EQ(1, pager_revoke(self->pager, 7, 1));
	EXPECT_EQ(0, part[0]);
	munmap(other, FRAMES * SIZE);
	munmap(part, SIZE);
}

TEST_F(grant, mmap_is_checked)
{
	int fd = self->pager->fd;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, (FRAMES + 1) * SIZE, PROT_READ,
				   MAP_SHARED, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd,
				   FRAMES * SIZE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED, fd,
				   (FRAMES - 1) * SIZE));
	EXPECT_EQ(EINVAL, errno);
}

static atomic_bool toucher_stop;
static atomic_ulong toucher_hits;

/* Writes into every frame that it can, as fast as it can. */
static void *toucher(void *arg)
{
	char *pool = arg;
	unsigned long n;

	for (n = 0; !atomic_load(&toucher_stop); n++) {
		char *frame = pool + n % 16 * SIZE;

		if (!touch(frame, true))
			atomic_fetch_add(&toucher_hits, 1);
		cpu_relax();
	}
	return NULL;
}

TEST_F(grant, touching_races_granting)
{
	unsigned long hits, rounds = 0;
	pthread_t thread;
	int64_t lent, back;

	ASSERT_EQ(0, pthread_create(&thread, NULL, toucher, self->pool));
	do {
		hits = atomic_load(&toucher_hits);
		cpu_relax();
		lent = pager_grant(self->pager, 0, 16);
		if (lent == -EBUSY)
			continue;
		ASSERT_LT(0, lent);
		back = pager_revoke(self->pager, 0, 16);
		ASSERT_EQ(lent, back);
		rounds += atomic_load(&toucher_hits) != hits;
	} while (rounds < 200);
	atomic_store(&toucher_stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(16, pager_grant(self->pager, 0, 16));
	EXPECT_EQ(16, self->pager->ex.free_frames);
}

/* A frame that held a client's secrets shows the pager nothing. */
TEST_F(grant, used_frames_stay_until_their_pages_go)
{
	struct kt_page page;
	uint64_t ref[8];
	unsigned int i;
	int64_t back;

	ASSERT_EQ(FRAMES, pager_grant(self->pager, 0, FRAMES));
	bytes_fill(&page, sizeof(page), 1);
	for (i = 0; i < ARRAY_SIZE(ref); i++) {
		ASSERT_EQ(0, kt_new(self->bed.client, 0, KT_PAGE, &page, sizeof(page), &ref[i]));
	}
	back = pager_revoke(self->pager, 0, FRAMES);
	EXPECT_LE((int64_t)ARRAY_SIZE(ref), FRAMES - back);
	EXPECT_EQ(FRAMES - back, self->pager->ex.used_frames);
	EXPECT_EQ(0, self->pager->ex.free_frames);
	for (i = 0; i < ARRAY_SIZE(ref); i++)
		EXPECT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref[i])));
	EXPECT_EQ(ARRAY_SIZE(ref), pager_revoke(self->pager, 0, FRAMES));
	for (i = 0; i < FRAMES * SIZE; i++)
		if (!(i % SIZE) && touch(self->pool + i, false))
			i += SIZE - 1;
		else if (self->pool[i])
			break;
	EXPECT_EQ(FRAMES * SIZE, i);
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

TEST_HARNESS_MAIN
