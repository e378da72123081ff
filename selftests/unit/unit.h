/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit.h - a small harness for the unit tests, and what several of them use
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include "entry.h"
#include "record.h"

/* Reports a failure of the running test; the test goes on. */
void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted);

#define EXPECT_EQ(got, wanted) do {					\
	long long got_ = (got), wanted_ = (wanted);			\
									\
	if (got_ != wanted_)						\
		unit_fail(__FILE__, __LINE__, #got, got_, wanted_);	\
} while (0)

#define EXPECT(cond)	EXPECT_EQ(!!(cond), 1)

/* Random numbers of the run's seed (main.c prints it, UNIT_SEED sets it). */
u64 unit_random(void);
/* 0 to @n - 1 */
unsigned int unit_random_below(unsigned int n);
void unit_random_bytes(void *buf, size_t len);

/* calloc() or exit: of exactly @len bytes, so that a step too far is seen */
void *unit_alloc(size_t len);
bool unit_is_zero(const void *buf, size_t len);

/* Types for tests (types.c). */
#define UNIT_NR_TYPES	7

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

/* The tests. */
void test_entry_packing(void);
void test_entry_edges(void);
void test_refs(void);
void test_table_places(void);
void test_schema_accepts(void);
void test_schema_refuses(void);
void test_schema_hash(void);
void test_record_golden(void);
void test_record_round_trips(void);
void test_record_leaks_nothing(void);
void test_record_buffer_sizes(void);
void test_record_forbidden_values(void);
void test_header_bit_flips(void);
void test_header_order_of_errors(void);
void test_header_lengths(void);
void test_decode_truncated(void);
void test_decode_bit_flips(void);
void test_decode_one_form(void);
void test_decode_garbage(void);

#endif
