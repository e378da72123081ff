/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMDOMD_CLOCK_H
#define KMDOMD_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that only goes forward. */
static inline int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

#endif /* KMDOMD_CLOCK_H */
