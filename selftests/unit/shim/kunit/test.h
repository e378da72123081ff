/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites need of KUnit. */
#ifndef SHIM_KUNIT_TEST_H
#define SHIM_KUNIT_TEST_H

struct kunit {
	const char *name;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[256];
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function)	{ .run_case = function, .name = #function }

#endif
