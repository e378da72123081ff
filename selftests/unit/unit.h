/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit.h - cases for the module's pure files, and what they share
 *
 * They are KUnit suites, and run in two worlds: in the kernel (selftests/kunit/)
 * and in user space under each compiler's sanitizers (main.c, on the headers of
 * daemon/shim/). So they allocate what does not fit a kernel's stack.
 */
#ifndef UNIT_H
#define UNIT_H

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include "entry.h"
#include "record.h"

/*
 * What the world supplies.
 *
 * unit_fail(): the running case has failed, and goes on.
 * unit_count(): says how many cases a loop has run.
 * unit_alloc(): exactly @len zeroed bytes, so that a step too far is seen; never
 * fails, but may end the case.
 */
void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted);
void unit_count(unsigned long long nr);
void *unit_alloc(size_t len);
void unit_free(void *buf);

/* In the kernel, instrumented and emulated, a part of what can be told by drawing. */
#ifdef __KERNEL__
#define UNIT_PART		20
#else
#define UNIT_PART		1
#endif
#define UNIT_RANDOM_CASES(nr)	((nr) / UNIT_PART)

#define EXPECT_EQ(got, wanted) do {					\
	long long got_ = (got), wanted_ = (wanted);			\
									\
	if (got_ != wanted_)						\
		unit_fail(__FILE__, __LINE__, #got, got_, wanted_);	\
} while (0)

#define EXPECT(cond)	EXPECT_EQ(!!(cond), 1)

/* That a loop has run exactly as many cases as there are. */
#define EXPECT_CASES(nr, wanted) do {					\
	unsigned long long nr_ = (nr);					\
									\
	EXPECT_EQ(nr_, wanted);						\
	unit_count(nr_);						\
} while (0)

/* Random numbers of the run's seed, which the world draws, or is given. */
void unit_seed(u64 seed);
u64 unit_random(void);
/* 0 to @n - 1 */
unsigned int unit_random_below(unsigned int n);
void unit_random_bytes(void *buf, size_t len);

bool unit_is_zero(const void *buf, size_t len);

/* Types for tests (types.c). */
#define UNIT_NR_TYPES	8
#define UNIT_CHECKED	7	/* which one is CHECKED, and has a check of its own */

extern const struct kmdom_type unit_types[UNIT_NR_TYPES];

/* A type with fields drawn at random. */
struct unit_type {
	struct kmdom_type type;
	struct kmdom_field fields[12];
};

void unit_random_type(struct unit_type *t);

/**
 * struct unit_page - a page of random objects that may be exported
 * @schema: of its type
 * @id: of its record
 * @page: the objects, aligned as a page's are
 * @live: which slots are
 * @rec: its record
 * @len: length of that
 */
struct unit_page {
	struct kmdom_schema schema;
	struct kmdom_record_id id;
	u8 page[KMDOM_FRAME_SIZE] __aligned(8);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
	u8 *rec;
	int len;
};

/* Fills and encodes a page; unit_page_free() frees its record. */
void unit_page_make(struct unit_page *p, const struct kmdom_type *type);
void unit_page_free(struct unit_page *p);
/* What must come back of @p: the reference that the decoder is compared with. */
void unit_page_expected(const struct unit_page *p, u8 *page);
/* Sets all that does not leave to other random bytes. */
void unit_page_scramble(struct unit_page *p);

/* The suites. */
extern struct kunit_suite entry_suite;
extern struct kunit_suite schema_suite;
extern struct kunit_suite record_suite;
extern struct kunit_suite header_suite;
extern struct kunit_suite decode_suite;
extern struct kunit_suite table_type_suite;
extern struct kunit_suite judge_suite;

#define UNIT_SUITES \
	&entry_suite, &schema_suite, &record_suite, &header_suite, &decode_suite, \
	&table_type_suite, &judge_suite

#endif
