// SPDX-License-Identifier: GPL-2.0
/*
 * fs_map - a process that has a file mapped, and touches what it is told to
 *
 * Usage: fs_map FILE
 *
 * Reads lines "read FIRST LAST" and "write FIRST LAST WORD": what the pages from
 * FIRST to before LAST begin with. Answers each with WORD, or with the eight
 * bytes in hexadecimal that the last page begins with. A thread does them, one
 * after the other. The line "remap" the main thread does meanwhile: it maps and
 * unmaps memory and makes a child, which needs what page faults hold, and answers
 * "remapped".
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096
#define WORD	8

static char *map_file(const char *path)
{
	int fd = open(path, O_RDWR);
	struct stat st;
	char *map;

	if (fd < 0 || fstat(fd, &st))
		return NULL;
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

static void print_bytes(const uint8_t *bytes)
{
	char text[2 * WORD + 1];
	unsigned int i;

	for (i = 0; i < WORD; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	puts(text);
}

/**
 * struct touch - what the thread does
 * @map: the mapped file
 * @thread: the thread
 * @busy: there is one
 * @write: else it reads
 * @first: page that it begins with
 * @last: page that it ends before
 * @word: what is written
 */
struct touch {
	char *map;
	pthread_t thread;
	int busy;
	int write;
	unsigned long first;
	unsigned long last;
	char word[WORD + 1];
};

static void *touch(void *arg)
{
	struct touch *todo = arg;
	uint8_t bytes[WORD] = { 0 };
	unsigned long page;

	for (page = todo->first; page < todo->last; page++) {
		if (todo->write)
			memcpy(todo->map + page * PAGE, todo->word, WORD);
		else
			memcpy(bytes, todo->map + page * PAGE, WORD);
	}
	if (todo->write)
		puts(todo->word);
	else
		print_bytes(bytes);
	return NULL;
}

static int remap(void)
{
	char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	if (memory == MAP_FAILED || munmap(memory, PAGE))
		return -1;
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	puts("remapped");
	return 0;
}

static int obey(struct touch *todo, const char *line)
{
	char verb[10];

	if (!strcmp(line, "remap\n"))
		return remap();
	if (todo->busy)
		pthread_join(todo->thread, NULL);
	memset(todo->word, 0, sizeof(todo->word));
	if (sscanf(line, "%9s %lu %lu %8s", verb, &todo->first, &todo->last, todo->word) < 3)
		return -1;
	todo->write = !strcmp(verb, "write");
	todo->busy = !pthread_create(&todo->thread, NULL, touch, todo);
	return todo->busy ? 0 : -1;
}

int main(int argc, char *argv[])
{
	struct touch todo = { .map = argc == 2 ? map_file(argv[1]) : NULL };
	char line[100];

	if (!todo.map) {
		fprintf(stderr, "fs_map: cannot map the file\n");
		return 2;
	}
	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (obey(&todo, line))
			return 2;
	return 0;
}
