// SPDX-License-Identifier: GPL-2.0
/*
 * fs_map - a process that has a file mapped, and touches what it is told to
 *
 * Usage: fs_map FILE
 *
 * Reads lines "read FIRST LAST" and "write FIRST LAST WORD": what the pages from
 * FIRST to before LAST begin with. Answers each with WORD, or with the eight
 * bytes in hexadecimal that the last page begins with.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

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
	unsigned int i;

	for (i = 0; i < WORD; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

int main(int argc, char *argv[])
{
	char line[100], verb[10], word[WORD + 1];
	unsigned long page, first, last;
	uint8_t bytes[WORD];
	char *map;

	map = argc == 2 ? map_file(argv[1]) : NULL;
	if (!map) {
		fprintf(stderr, "fs_map: cannot map the file\n");
		return 2;
	}
	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		memset(word, 0, sizeof(word));
		if (sscanf(line, "%9s %lu %lu %8s", verb, &first, &last, word) < 3)
			return 2;
		for (page = first; page < last; page++) {
			if (!strcmp(verb, "write"))
				memcpy(map + page * PAGE, word, WORD);
			else
				memcpy(bytes, map + page * PAGE, WORD);
		}
		if (!strcmp(verb, "write"))
			puts(word);
		else
			print_bytes(bytes);
	}
	return 0;
}
