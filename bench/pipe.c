// SPDX-License-Identifier: GPL-2.0
/*
 * The floor of everything that is asked of another process: a byte there and one back.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define ROUNDS	256

static void echo(int in, int out)
{
	char byte;

	while (read(in, &byte, 1) == 1)
		if (write(out, &byte, 1) != 1)
			break;
}

static double rounds(int out, int in)
{
	uint64_t begin = bench_now();
	char byte = 0;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (write(out, &byte, 1) != 1 || read(in, &byte, 1) != 1)
			return -EIO;
	return (double)(bench_now() - begin) / ROUNDS;
}

/* A round trip between two processes. */
double measure_pipe(struct bench *bench, const void *arg)
{
	int there[2], back[2];
	double value;
	pid_t child;

	if (pipe(there))
		return -errno;
	if (pipe(back))
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child) {
		close(there[1]);
		echo(there[0], back[1]);
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	value = rounds(there[1], back[0]);
	close(there[1]);
	close(back[0]);
	waitpid(child, NULL, 0);
	return value;
}
