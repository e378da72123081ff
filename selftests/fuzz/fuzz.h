/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz.h - what the targets for libFuzzer share
 *
 * A target is a program: it fuzzes, runs files that are named to it, and, with
 * FUZZ_SEEDS=DIR, writes its seed corpus there and ends. What is wrong aborts it.
 * At the end it tells how often it met each reason to refuse its input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "../unit/unit.h"

/**
 * struct fuzz_target - what a target is
 * @reasons: names of its reasons, by number; those without a name it never gives
 * @nr_reasons: in @reasons
 * @run: one input; what is wrong is told by EXPECT() or fuzz_fail()
 * @seeds: calls fuzz_seed() for at least one input of each reason
 */
struct fuzz_target {
	const char *const *reasons;
	unsigned int nr_reasons;
	unsigned int (*run)(const u8 *data, size_t len);
	void (*seeds)(void);
};

extern const struct fuzz_target fuzz_target;

/* Writes an input, of which the target must say @why; so every reason is met. */
void fuzz_seed(unsigned int why, const void *data, size_t len);

/* Decodes @len bytes at @rec, and compares all that comes of it with the oracle. */
unsigned int fuzz_decode(const struct kmdom_schema *schema,
			 const struct kmdom_record_id *id, const u8 *rec, size_t len);

/* Pages that records are of. */
#define FUZZ_IDS	2

extern const struct kmdom_record_id fuzz_ids[FUZZ_IDS];

/**
 * struct header_part - a part of a header
 * @why: what it is rejected for
 * @at: where it begins
 * @size: its bytes
 */
struct header_part {
	unsigned int why, at, size;
};

#define HEADER_PARTS	13

/* In the order of the checks. */
extern const struct header_part header_parts[HEADER_PARTS];

/* The one header that does for a record; slots that do not exist are cleared. */
void header_wanted(const struct kmdom_schema *schema, const struct kmdom_record_id *id,
		   const u8 *rec, size_t len, u8 *wanted);

/* The oracle: written from the words of record.h and the UAPI alone. */
unsigned int oracle_header(const struct kmdom_schema *schema,
			   const struct kmdom_record_id *id, const u8 *rec, size_t len);
unsigned int oracle_decode(const struct kmdom_type *type, const u8 *rec, size_t len,
			   u8 *page);
bool oracle_object(const struct kmdom_type *type, const u8 *obj);
bool oracle_table(const u8 *rec, size_t len);

#endif
