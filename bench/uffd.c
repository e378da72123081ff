// SPDX-License-Identifier: GPL-2.0
/*
 * What a user has today: pages of his own that another process brings by userfaultfd, as
 * a pager does, or a thread. At its best, with a blocking read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define PAGE	4096UL
#define FAULTS	256

struct uffd {
	int fd;
	char *area;
	bool process;		/* the pager is one */
	pid_t child;
	pthread_t thread;
};

static char contents[PAGE] __attribute__((aligned(PAGE)));

/* Ends with the page behind the last. */
static void *bring(void *arg)
{
	struct uffd *uffd = arg;
	struct uffdio_copy copy;
	struct uffd_msg msg;
	bool last = false;

	while (!last && read(uffd->fd, &msg, sizeof(msg)) == sizeof(msg)) {
		copy = (struct uffdio_copy) {
			.dst = msg.arg.pagefault.address & ~(PAGE - 1),
			.src = (unsigned long)contents, .len = PAGE,
		};
		last = copy.dst == (unsigned long)uffd->area + FAULTS * PAGE;
		if (ioctl(uffd->fd, UFFDIO_COPY, &copy))
			break;
	}
	return NULL;
}

static int uffd_open(struct uffd *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	uffd->fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd->fd < 0)
		return -errno;
	uffd->area = mmap(NULL, (FAULTS + 1) * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (uffd->area == MAP_FAILED)
		return -errno;
	madvise(uffd->area, (FAULTS + 1) * PAGE, MADV_NOHUGEPAGE);
	reg.range.start = (unsigned long)uffd->area;
	reg.range.len = (FAULTS + 1) * PAGE;
	if (ioctl(uffd->fd, UFFDIO_API, &api) || ioctl(uffd->fd, UFFDIO_REGISTER, &reg))
		return -errno;
	return 0;
}

static int uffd_begin(struct uffd *uffd)
{
	if (!uffd->process)
		return -pthread_create(&uffd->thread, NULL, bring, uffd);
	uffd->child = fork();
	if (uffd->child < 0)
		return -errno;
	if (!uffd->child) {
		bring(uffd);
		_exit(0);
	}
	return 0;
}

static void uffd_end(struct uffd *uffd)
{
	*(volatile char *)(uffd->area + FAULTS * PAGE);
	if (uffd->process)
		waitpid(uffd->child, NULL, 0);
	else
		pthread_join(uffd->thread, NULL);
}

/* From the touch of a page that is missing until who touched it runs on. */
static double measure(bool process)
{
	struct uffd uffd = { .fd = -1, .area = MAP_FAILED, .process = process };
	uint64_t ns = 0;
	int i, ret;

	ret = uffd_open(&uffd);
	if (!ret)
		ret = uffd_begin(&uffd);
	if (!ret) {
		ns = bench_now();
		for (i = 0; i < FAULTS; i++)
			*(volatile char *)(uffd.area + i * PAGE);
		ns = bench_now() - ns;
		uffd_end(&uffd);
	}
	if (uffd.fd >= 0)
		close(uffd.fd);
	if (uffd.area != MAP_FAILED)
		munmap(uffd.area, (FAULTS + 1) * PAGE);
	return ret ? ret : (double)ns / FAULTS;
}

double measure_uffd(struct bench *bench, const void *arg)
{
	return measure(true);
}

double measure_uffd_thread(struct bench *bench, const void *arg)
{
	return measure(false);
}

/* As many as one exchange of kmdom's restores. */
double measure_uffd_batch(struct bench *bench, const void *arg)
{
	return BENCH_BATCH * measure(true);
}
