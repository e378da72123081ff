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
	return scaled_least(what, n, 1);
}

/**
 * scaled_least() - the same, of what must not be too little
 * @what: of what
 * @n: how much on a usual machine
 * @least: what it takes to be a test at all
 *
 * Return: as much of @n as takes the same time here, at least @least
 */
unsigned int scaled_least(const char *what, unsigned int n, unsigned int least)
{
	unsigned int less = n / scale();

	if (less < least)
		less = least;

	if (less != n)
		printf("# scaled down: %u %s instead of %u\n", less, what, n);
	return less;
}
