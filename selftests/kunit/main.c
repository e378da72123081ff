// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the kernel's world of the unit tests: KUnit runs them at module load
 */
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "bed.h"
#include "paging.h"

/* More failures of one case than this say nothing new. */
#define FAILURES_SHOWN	10

static unsigned long long seed;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "of the random cases; 0: a new one each time");

/**
 * unit_fail() - the running case has failed, and goes on
 * @file: where
 * @line: where
 * @what: the expression
 * @got: its value
 * @wanted: what it should have been
 */
void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted)
{
	struct kunit *test = kunit_get_current_test();
	static const char *last;
	static unsigned int shown;

	if (test->name != last) {
		last = test->name;
		shown = 0;
	}
	if (shown++ < FAILURES_SHOWN)
		kunit_err(test, "%s:%d: %s is %lld, not %lld", kbasename(file),
			  line, what, got, wanted);
	kunit_set_failure(test);
}

/** unit_count() - say how many cases of a loop were run */
void unit_count(unsigned long long nr)
{
	kunit_info(kunit_get_current_test(), "%llu cases", nr);
}

/** unit_alloc() - @len zeroed bytes, or the case ends */
void *unit_alloc(size_t len)
{
	void *buf = kzalloc(len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(kunit_get_current_test(), buf);
	return buf;
}

/** unit_free() - what unit_alloc() gave */
void unit_free(void *buf)
{
	kfree(buf);
}

kunit_test_suites(UNIT_SUITES, &frames_suite, &pools_suite, &table_suite,
		  &slab_suite, &pages_suite, &versions_suite, &restore_suite, &evict_suite,
		  &client_suite, &wait_suite, &kept_suite);

/* KUnit runs the suites when this is over. */
static int __init kmdom_kunit_init(void)
{
	if (!seed)
		seed = get_random_u64();
	pr_info("kmdom_kunit: seed=%#llx\n", seed);
	unit_seed(seed);
	return kmdom_paging_init();
}
module_init(kmdom_kunit_init);

static void __exit kmdom_kunit_exit(void)
{
}
module_exit(kmdom_kunit_exit);

MODULE_DESCRIPTION("Unit tests of kmdom");
MODULE_LICENSE("GPL");
