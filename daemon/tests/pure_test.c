// SPDX-License-Identifier: GPL-2.0
/*
 * What kmdomd has that is pure: room, index, checksum, policies; each against
 * a model that is too simple to be wrong.
 */
#include <stdlib.h>
#include <string.h>
#include "../kmdomd/crc32c.h"
#include "../kmdomd/index.h"
#include "../kmdomd/policy.h"
#include "../kmdomd/space.h"
#include "tap.h"

#define SEGMENTS	5
#define UNITS		(SEGMENTS * SPACE_SEGMENT_UNITS)

/* No two slots overlap, none lies on a segment's header or across its end. */
static void test_space_overlap(void)
{
	uint8_t owner[UNITS] = {};
	uint32_t locs[UNITS];
	unsigned int sizes[UNITS];
	struct space space;
	int nr = 0, step, i;
	unsigned int j;

	NEED(!space_init(&space, SEGMENTS));
	for (step = 0; step < 20000; step++) {
		if (tap_random() % 5 < 3) {
			unsigned int units = 1 + tap_random() % 12;
			uint32_t loc = space_alloc(&space, units);

			if (loc == SPACE_NONE)
				continue;
			NEED(space_units(&space, loc) == units);
			NEED(loc % SPACE_SEGMENT_UNITS >= 1);
			NEED(loc % SPACE_SEGMENT_UNITS + units <= SPACE_SEGMENT_UNITS);
			for (j = 0; j < units; j++)
				NEED(!owner[loc + j]++);
			locs[nr] = loc;
			sizes[nr++] = units;
		} else if (nr) {
			i = tap_random() % nr;
			for (j = 0; j < sizes[i]; j++)
				owner[locs[i] + j] = 0;
			space_free(&space, locs[i]);
			locs[i] = locs[--nr];
			sizes[i] = sizes[nr];
		}
	}
	while (nr)
		space_free(&space, locs[--nr]);
	CHECK(space.free_segments == SEGMENTS);
	CHECK(space.used_units == 0);
	space_exit(&space);
}

static void test_space_full(void)
{
	struct space space;
	uint32_t loc, count = 0, last = SPACE_NONE;

	NEED(!space_init(&space, SEGMENTS));
	while ((loc = space_alloc(&space, 9)) != SPACE_NONE) {
		last = loc;
		count++;
	}
	CHECK(count == SEGMENTS * space_slots(9));
	CHECK(space_alloc(&space, 1) == SPACE_NONE);
	CHECK(space_alloc_largest(&space, 12) == SPACE_NONE);
	space_free(&space, last);
	/* There is one of that size; a larger one is not to be had. */
	loc = space_alloc_largest(&space, 12);
	CHECK(loc == last && space_units(&space, loc) == 9);
	space_exit(&space);
}

static void test_space_load(void)
{
	struct space space;

	NEED(!space_init(&space, SEGMENTS));
	space_load_segment(&space, 3, 9);
	CHECK(space.free_segments == SEGMENTS);
	CHECK(space_load_slot(&space, space_loc(3, 9, 2)));
	CHECK(!space_load_slot(&space, space_loc(3, 9, 2)));
	CHECK(space.free_segments == SEGMENTS - 1);
	/* The segment that was loaded is used before a free one. */
	CHECK(space_alloc(&space, 9) == space_loc(3, 9, 0));
	CHECK(space_alloc(&space, 9) == space_loc(3, 9, 1));
	CHECK(space_alloc(&space, 9) == space_loc(3, 9, 3));
	space_exit(&space);
}

#define KEYS	3000

static void test_index(void)
{
	static uint64_t versions[KEYS];
	struct index_entry *entry;
	struct index index;
	size_t count = 0, pos = 0;
	int step;
	uint64_t i;

	NEED(!index_init(&index, 0));
	for (step = 0; step < 60000; step++) {
		i = tap_random() % KEYS;
		entry = index_get(&index, index_key(i % 5, i * 77));
		NEED(!entry == !versions[i]);
		NEED(!entry || entry->version == versions[i]);
		if (tap_random() % 2) {
			NEED(!index_reserve(&index, 1));
			entry = index_put(&index, index_key(i % 5, i * 77));
			versions[i] = 1 + tap_random();
			entry->version = versions[i];
		} else if (entry) {
			index_del(&index, entry);
			versions[i] = 0;
		}
	}
	while ((entry = index_next(&index, &pos))) {
		CHECK(index_page(entry->key) % 77 == 0);
		count++;
	}
	CHECK(count == index.count);
	for (i = 0; i < KEYS; i++)
		count -= versions[i] != 0;
	CHECK(count == 0);
	index_exit(&index);
}

/* Deleting what a walk shows: nothing is passed over, as the sweep does it. */
static void test_index_sweep(void)
{
	struct index_entry *entry;
	struct index index;
	size_t pos = 0, kept = 0;
	uint64_t i;

	NEED(!index_init(&index, KEYS));
	for (i = 0; i < KEYS; i++) {
		entry = index_put(&index, index_key(0, i));
		entry->version = 1;
		entry->flags = i % 3 ? 0 : INDEX_SEEN;
	}
	while ((entry = index_next(&index, &pos))) {
		if (entry->flags & INDEX_SEEN)
			continue;
		index_del(&index, entry);
		pos--;
	}
	for (i = 0; i < KEYS; i++)
		kept += !!index_get(&index, index_key(0, i));
	CHECK(kept == KEYS / 3);
	CHECK(index.count == KEYS / 3);
	index_exit(&index);
}

static void test_crc32c(void)
{
	static const uint8_t zeroes[32];
	uint8_t bytes[300];
	size_t i;
	const char *digits = "123456789";

	CHECK(crc32c(0, digits, 9) == 0xe3069283);
	CHECK(crc32c(0, zeroes, 32) == 0x8a9136aa);
	CHECK(crc32c(crc32c(0, digits, 4), digits + 4, 5) == 0xe3069283);
	CHECK(crc32c_software(0, digits, 9) == 0xe3069283);
	CHECK(crc32c_software(0, zeroes, 32) == 0x8a9136aa);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = tap_random();
	for (i = 0; i < sizeof(bytes); i++)
		CHECK(crc32c(i, bytes + i % 9, i - i % 9) ==
		      crc32c_software(i, bytes + i % 9, i - i % 9));
}

static struct kmdom_page page(uint64_t index, uint32_t flags)
{
	return (struct kmdom_page) {
		.index = index, .version = 1, .state = KMDOM_PAGE_PRESENT,
		.flags = flags,
	};
}

/* What holds for every policy, whatever it likes. */
static void test_policy_never(void)
{
	static const char *const names[] = { "clock", "fifo", "aging" };
	struct kmdom_page plain = page(1, 0), other;
	struct policy policy;
	size_t i;

	for (i = 0; i < 3; i++) {
		NEED(!policy_open(&policy, names[i], 128));
		CHECK(policy_wants(&policy, &plain, POLICY_GENTLE));
		other = page(1, KMDOM_PAGEF_WANTED);
		CHECK(!policy_wants(&policy, &other, POLICY_HARD));
		other = page(1, KMDOM_PAGEF_PINNED);
		CHECK(!policy_wants(&policy, &other, POLICY_FIRM));
		CHECK(policy_wants(&policy, &other, POLICY_HARD));
		other = page(1, KMDOM_PAGEF_REFERENCED);
		CHECK(policy_wants(&policy, &other, POLICY_FIRM));
		/* A table goes as soon as nothing hangs on it any more. */
		other = page(1, KMDOM_PAGEF_HOLDS);
		other.level = 1;
		CHECK(!policy_wants(&policy, &other, POLICY_HARD));
		other.flags = 0;
		CHECK(policy_wants(&policy, &other, POLICY_GENTLE));
		/* One that pages went or came under just now, when there is nothing else. */
		other.flags = KMDOM_PAGEF_REFERENCED;
		CHECK(!policy_wants(&policy, &other, POLICY_GENTLE));
		CHECK(policy_wants(&policy, &other, POLICY_FIRM));
		CHECK(policy_wants(&policy, &other, POLICY_HARD));
		other = plain;
		other.state = KMDOM_PAGE_ABSENT;
		CHECK(!policy_wants(&policy, &other, POLICY_HARD));
		CHECK(policy.ops->scan_flags & KMDOM_OPF_PRESENT);
		/* Just now: since the hand came by, which is what clears it. */
		CHECK(policy.ops->scan_flags & KMDOM_OPF_CLEAR);
		policy_close(&policy);
	}
	CHECK(policy_open(&policy, "none", 128));
}

static void test_policy_choice(void)
{
	struct kmdom_page used = page(7, KMDOM_PAGEF_REFERENCED), idle = page(7, 0);
	struct policy policy;

	NEED(!policy_open(&policy, "clock", 128));
	CHECK(!policy_wants(&policy, &used, POLICY_GENTLE));
	CHECK(policy_wants(&policy, &idle, POLICY_GENTLE));
	policy_close(&policy);

	NEED(!policy_open(&policy, "fifo", 128));
	CHECK(policy_wants(&policy, &used, POLICY_GENTLE));
	policy_close(&policy);

	/* Used once: it takes two rounds to be forgotten; never: none. */
	NEED(!policy_open(&policy, "aging", 128));
	CHECK(!policy_wants(&policy, &used, POLICY_GENTLE));
	CHECK(!policy_wants(&policy, &idle, POLICY_GENTLE));
	CHECK(policy_wants(&policy, &idle, POLICY_GENTLE));
	policy_close(&policy);
}

/* Nothing more is taken from a segment that is out of use, full or not. */
static void test_space_retire(void)
{
	struct space space;
	uint32_t locs[128];
	unsigned int slot, count;

	for (count = 0; count <= space_slots(2); count++) {
		NEED(!space_init(&space, 2));
		for (slot = 0; slot < count; slot++)
			locs[slot] = space_alloc(&space, 2);
		space_retire(&space, 0);
		space_retire(&space, 0);
		for (slot = 0; slot < count; slot++)
			space_free(&space, locs[slot]);
		CHECK(space.used_units == 0);
		CHECK(space.free_segments == 1);
		CHECK(space_alloc(&space, 3) == space_loc(1, 3, 0));
		CHECK(space_alloc(&space, 2) == SPACE_NONE);
		space_exit(&space);
	}
}

const struct tap_test tap_tests[] = {
	{ "space: slots never overlap", test_space_overlap },
	{ "space: full, and one free slot", test_space_full },
	{ "space: loaded slots are used", test_space_load },
	{ "space: out of use", test_space_retire },
	{ "index: against a model", test_index },
	{ "index: sweep", test_index_sweep },
	{ "crc32c: known values", test_crc32c },
	{ "policy: what none takes", test_policy_never },
	{ "policy: what each likes", test_policy_choice },
	{ }
};
