// SPDX-License-Identifier: GPL-2.0
/*
 * How much slower than usual the machine is comes from whoever runs the tests
 * (scripts/check --scale), in KMDOM_SCALE.
 */
#include <stdio.h>
#include <stdlib.h>
#include "scale.h"

/**
 * scale() - how many times slower than usual is this machine?
 *
 * What may take some time may take that many times as long.
 *
 * Return: 1 or more
 */
unsigned int scale(void)
{
	const char *text = getenv("KMDOM_SCALE");
	long n = text ? strtol(text, NULL, 10) : 1;

	return n > 1 ? n : 1;
}

/**
 * scaled() - how much work to do on this machine; says so if it is less
 * @what: of what
 * @n: how much on a usual one
 *
 * Return: as much of @n as takes the same time here, at least 1
 */
unsigned int scaled(const char *what, unsigned int n)
{
	unsigned int less = n / scale() ? : 1;

	if (less != n)
		printf("# scaled down: %u %s instead of %u\n", less, what, n);
	return less;
}
