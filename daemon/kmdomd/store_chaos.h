/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A store that goes wrong on purpose, around one that does not: for tests.
 *
 * Each kind of fault has a chance of its own, tried at every transfer of a
 * record. Some must lose nothing: whoever meets them tries again. Others lose
 * the record, which its reader must be told; wrong bytes nobody may ever get.
 */
#ifndef KMDOMD_STORE_CHAOS_H
#define KMDOMD_STORE_CHAOS_H

#include <stdbool.h>
#include <stdint.h>

struct store;

/**
 * enum chaos_kind - what goes wrong
 * @CHAOS_FAIL: a transfer fails with EIO, and would not the next time
 * @CHAOS_CORRUPT: a bit of what was read is turned, below the slot's checksums
 * @CHAOS_FORGE: the same above them, so that the kernel must notice it
 * @CHAOS_DELAY: the end of a transfer is told late
 * @CHAOS_REORDER: it is told after the end of another
 * @CHAOS_DROP: a write is said to be done, but never is: the record is lost
 * @CHAOS_ROT: a bit is turned on the medium: the record is lost
 * @CHAOS_KINDS: how many there are
 */
enum chaos_kind {
	CHAOS_FAIL,
	CHAOS_CORRUPT,
	CHAOS_FORGE,
	CHAOS_DELAY,
	CHAOS_REORDER,
	CHAOS_DROP,
	CHAOS_ROT,
	CHAOS_KINDS,
};

/**
 * struct chaos_options - what the command line says
 * @chance: of each kind, in 2^-32; all 0: no chaos
 * @delay_ms: the longest delay
 * @seed: of all choices, if @has_seed; else one is drawn
 * @has_seed: there is a seed
 * @log: a file that gets a line for each fault, "KIND LEVEL PAGE VERSION"; or NULL
 */
struct chaos_options {
	uint64_t chance[CHAOS_KINDS];
	uint32_t delay_ms;
	uint64_t seed;
	bool has_seed;
	const char *log;
};

/* store_chaos_options.c */
const char *chaos_name(enum chaos_kind kind);
const char *chaos_parse(struct chaos_options *options, char *arg);
bool chaos_wanted(const struct chaos_options *options);

/* store_chaos.c: for store.c, and what was done so far */
int chaos_begin(struct store *store, const struct chaos_options *options);
int chaos_timeout(const struct store *store);
void chaos_poll(struct store *store);
uint64_t chaos_count(const struct store *store, enum chaos_kind kind);
void chaos_report(const struct store *store);

#endif /* KMDOMD_STORE_CHAOS_H */
