/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test is a function; its checks print what failed, and where. TAP comes out.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tap_test {
	const char *name;
	void (*run)(void);
};

extern const struct tap_test tap_tests[];	/* ends with a name of NULL */
extern bool tap_failed;				/* in the test under way */

extern char tap_reported[];			/* the last line of report() */

uint64_t tap_random(void);

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			tap_failed = true;				\
		}							\
	} while (0)

/* Nothing that follows makes sense without it. */
#define NEED(cond)							\
	do {								\
		CHECK(cond);						\
		if (tap_failed)						\
			return;						\
	} while (0)

#endif /* TAP_H */
