// SPDX-License-Identifier: GPL-2.0
/*
 * Files whose bytes and length follow from the tenant, the file, and the
 * generation, which is new whenever a file is written: so what is read is right
 * or it is not, and nothing has to be remembered but a number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stress.h"

#define FILE_MAX	40000	/* bytes */

/* A file as it is worked on. */
struct file {
	struct file_work *work;
	unsigned int nr;
	char path[96];
	uint8_t bytes[FILE_MAX];
};

static void file_name(struct file *file, unsigned int nr)
{
	file->nr = nr;
	snprintf(file->path, sizeof(file->path), "%s/file%u", file->work->dir, nr);
}

static uint64_t file_seed(const struct file *file, uint64_t generation)
{
	return file->work->seed ^ ((uint64_t)file->nr << 32 | generation);
}

static size_t file_length(const struct file *file, uint64_t generation)
{
	uint64_t state = file_seed(file, generation);

	return 1 + draw(&state) % FILE_MAX;
}

static int complain(const struct file *file, const char *what, int error)
{
	fprintf(stderr, "# %s, generation %llu: %s: %s\n", file->path,
		(unsigned long long)file->work->shared->generations[file->nr], what,
		strerror(error));
	return -error;
}

static int write_all(const struct file *file, int fd, const uint8_t *bytes, size_t len)
{
	ssize_t done;
	size_t at;

	for (at = 0; at < len; at += done) {
		done = pwrite(fd, bytes + at, len - at, at);
		if (done <= 0)
			return complain(file, "write", done ? errno : ENOSPC);
	}
	return 0;
}

/* By a shared mapping; who cannot have a page there is killed by SIGBUS. */
static int map_all(const struct file *file, int fd, const uint8_t *bytes, size_t len)
{
	uint8_t *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return complain(file, "map", errno);
	memcpy(map, bytes, len);
	munmap(map, len);
	return 0;
}

static int file_write(struct file *file, uint64_t generation, bool mapped)
{
	int there = file->work->shared->generations[file->nr] ? 0 : O_CREAT | O_EXCL;
	size_t len = file_length(file, generation);
	int fd = open(file->path, O_RDWR | there | O_CLOEXEC, 0600), ret;

	if (fd < 0)
		return complain(file, "open", errno);
	bytes_fill(file->bytes, len, file_seed(file, generation));
	ret = ftruncate(fd, len) ? complain(file, "truncate", errno) : 0;
	if (!ret)
		ret = mapped ? map_all(file, fd, file->bytes, len) :
		      write_all(file, fd, file->bytes, len);
	if (!ret)
		file->work->shared->generations[file->nr] = generation;
	close(fd);
	return ret;
}

static int read_all(struct file *file, int fd, size_t *len)
{
	ssize_t done;

	for (*len = 0; *len < FILE_MAX; *len += done) {
		done = pread(fd, file->bytes + *len, FILE_MAX - *len, *len);
		if (done < 0)
			return complain(file, "read", errno);
		if (!done)
			break;
	}
	return 0;
}

/* With @cold it is read from the domain, not from the kernel's caches. */
static int file_verify(struct file *file, bool cold)
{
	uint64_t generation = file->work->shared->generations[file->nr];
	int fd = open(file->path, O_RDONLY | O_CLOEXEC), ret;
	size_t len;

	if (fd < 0)
		return complain(file, "open", errno);
	if (cold)
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	ret = read_all(file, fd, &len);
	if (!ret && (len != file_length(file, generation) ||
		     bytes_check(file->bytes, len, file_seed(file, generation))))
		ret = complain(file, "contents", EILSEQ);
	close(fd);
	return ret;
}

/* Under another name and back: what it holds goes with it. */
static int file_rename(struct file *file)
{
	char other[128];

	snprintf(other, sizeof(other), "%s.renamed", file->path);
	if (rename(file->path, other) || rename(other, file->path))
		return complain(file, "rename", errno);
	return 0;
}

static int file_absent(const struct file *file)
{
	if (!access(file->path, F_OK))
		return complain(file, "it is there, though it was removed", EEXIST);
	return errno == ENOENT ? 0 : complain(file, "access", errno);
}

static int file_remove(struct file *file)
{
	if (unlink(file->path))
		return complain(file, "unlink", errno);
	file->work->shared->generations[file->nr] = 0;
	return file_absent(file);
}

/* Which of the files has this name? FILES: none that is there. */
static unsigned int find_name(struct file *file, const char *name)
{
	unsigned int nr;

	for (nr = 0; nr < FILES; nr++) {
		file_name(file, nr);
		if (file->work->shared->generations[nr] &&
		    !strcmp(strrchr(file->path, '/') + 1, name))
			break;
	}
	return nr;
}

/* What was removed or renamed is not listed either. */
static int verify_names(struct file *file)
{
	DIR *dir = opendir(file->work->dir);
	const struct dirent *entry;
	int ret = 0;

	if (!dir)
		return complain(file, "opendir", errno);
	while (!ret && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    find_name(file, entry->d_name) < FILES)
			continue;
		fprintf(stderr, "# %s/%s: it is listed, but should not be there\n",
			file->work->dir, entry->d_name);
		ret = -EEXIST;
	}
	closedir(dir);
	return ret;
}

static int step(struct file *file, uint64_t *state, uint64_t *generation)
{
	int ret;

	file_name(file, draw(state) % FILES);
	if (!file->work->shared->generations[file->nr]) {
		ret = file_absent(file);
		return ret ?: file_write(file, ++*generation, false);
	}
	switch (draw(state) % 12) {
	case 0:
		return file_remove(file);
	case 1:
	case 2:
		return file_write(file, ++*generation, false);
	case 3:
		return file_write(file, ++*generation, true);
	case 4:
		return file_rename(file);
	case 5:
		return file_verify(file, false);
	default:
		return file_verify(file, true);
	}
}

/**
 * files_work() - work until told to stop, and verify all then
 * @arg: struct file_work
 *
 * Return: 0, or a negative errno, which was said
 */
long files_work(void *arg)
{
	struct file_work *work = arg;
	static struct file file;
	uint64_t state = work->seed, generation = 0;
	unsigned int nr;
	int ret = 0;

	file.work = work;
	while (!ret && !atomic_load(&work->shared->stop)) {
		ret = step(&file, &state, &generation);
		atomic_fetch_add(&work->shared->file_steps, 1);
		if (work->rest_us)
			usleep(draw(&state) % (work->rest_us * 2));
	}
	for (nr = 0; nr < FILES && !ret; nr++) {
		file_name(&file, nr);
		ret = work->shared->generations[nr] ? file_verify(&file, true) :
						      file_absent(&file);
		atomic_fetch_add(&work->shared->file_steps, 1);
	}
	return ret ?: verify_names(&file);
}
