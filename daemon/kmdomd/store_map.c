// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include "store_map.h"

/* A sigjmp_buf: where this thread goes on if a page cannot be had; 0: it does not copy. */
static _Thread_local atomic_uintptr_t way_out;

static void on_bus_error(int signo)
{
	sigjmp_buf *there = (void *)atomic_load_explicit(&way_out, memory_order_relaxed);

	if (there)
		siglongjmp(*there, 1);
	/* Of nothing that is copied here: it comes again, and ends the process. */
	signal(signo, SIG_DFL);
}

/* SIGBUS is not blocked in its handler, which is left by a jump. */
static int catch_bus_errors(void)
{
	struct sigaction action = { .sa_handler = on_bus_error, .sa_flags = SA_NODEFER };

	return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

/* As memory is locked as soon as it is mapped, all of it, this is memory that is not. */
static const uint8_t *map_unlocked(int fd, uint64_t size)
{
	void *bytes = mmap(NULL, size, PROT_NONE, MAP_SHARED, fd, 0);
	int err;

	if (bytes == MAP_FAILED)
		return NULL;
	if (!munlock(bytes, size) && !mprotect(bytes, size, PROT_READ))
		return bytes;
	err = errno;
	munmap(bytes, size);
	errno = err;
	return NULL;
}

/**
 * store_map_open() - map a file, if it lies on a tmpfs
 * @map: out
 * @fd: of the file
 * @size: bytes that it may grow to
 *
 * No page of it is locked, or made, though all memory of the process may be.
 *
 * Return: 0 or a negative errno; then @map says that it is not mapped.
 */
int store_map_open(struct store_map *map, int fd, uint64_t size)
{
	struct statfs fs;
	int ret;

	*map = (struct store_map){ .size = size };
	if (fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != TMPFS_MAGIC)
		return -EMEDIUMTYPE;
	ret = catch_bus_errors();
	if (ret)
		return ret;
	map->bytes = map_unlocked(fd, size);
	return map->bytes ? 0 : -errno;
}

void store_map_close(struct store_map *map)
{
	if (map->bytes)
		munmap((void *)map->bytes, map->size);
	map->bytes = NULL;
}

/**
 * store_map_read() - copy bytes of the file
 * @map: the file
 * @buf: for them
 * @len: how many
 * @offset: from where
 *
 * What the file has not, or what cannot be read (swap on a disk that is broken), raises
 * a signal, which is caught.
 *
 * Return: whether all were copied; if not, a read of the file tells why.
 */
bool store_map_read(const struct store_map *map, void *buf, size_t len, uint64_t offset)
{
	sigjmp_buf here;
	bool ok = false;

	if (!map->bytes || offset > map->size || len > map->size - offset)
		return false;
	if (!sigsetjmp(here, 0)) {
		atomic_store_explicit(&way_out, (uintptr_t)&here, memory_order_relaxed);
		/* As the compiler does not know that a copy may end in a handler. */
		atomic_signal_fence(memory_order_seq_cst);
		memcpy(buf, map->bytes + offset, len);
		atomic_signal_fence(memory_order_seq_cst);
		ok = true;
	}
	atomic_store_explicit(&way_out, 0, memory_order_relaxed);
	return ok;
}
