/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bed.h - a domain of a test's own, and what stands in for the layers above
 *
 * The suites run frames.c, grant.c, table.c, slab.c, cache.c, pin.c, paging.c, restore.c,
 * wait.c, events.c and client.c as they are, on instances of their own (mechanisms.c), so
 * that kmdom.ko need not be loaded and cannot be harmed. What these depend on is the bed's:
 * it hands its ledger memory that can fail, and counts what is told, and what would have
 * been a warning.
 */
#ifndef KMDOM_KUNIT_BED_H
#define KMDOM_KUNIT_BED_H

#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/fs.h>
#include "cache.h"
#include "domain.h"
#include "frames.h"
#include "pin.h"
#include "table.h"
#include "unit.h"

/* bed_fail_page(): every page is there. */
#define BED_NEVER	ULONG_MAX

/**
 * struct bed - a domain without those who use and those who serve it
 * @dom: the domain; its state, waits and lifecycle are the test's to set. Nobody waits
 *	longer in it than a millisecond, if the test has not said so
 * @mapping: of all its pools: nothing is ever mapped in it
 * @refs: uses of the domain that its ledger holds
 * @pages_left: pages of memory that its frames still get
 * @locked: the user's locked pages when the bed was made
 * @pages: what bed_pages was then
 * @users: what bed_users was then
 * @returned: frames that came back after a grace period
 * @answers: those of them that were the pager's answer
 * @hints: pages that the pager was told are gone
 * @hint_index: the latest of those
 * @hint_version: and its version
 * @changes: pages that waiters were told have changed
 * @frees: times that waiters were told of free frames
 */
struct bed {
	struct kmdom_domain dom;
	struct address_space mapping;
	atomic_t refs;
	unsigned long pages_left;
	long locked;
	long pages;
	long users;
	atomic_t returned;
	atomic_t answers;
	unsigned int hints;
	u64 hint_index;
	u64 hint_version;
	unsigned int changes;
	unsigned int frees;
};

#define bed_of(ptr)	container_of(ptr, struct bed, dom)

/**
 * enum bed_step - steps that others can come before
 * @BED_PROMISE: a client is promised frames; when it has looked at the tables, if it
 *	does that first
 * @BED_KEPT: who has kept a promise looks whether it is wanted
 * @BED_DECODE: what is in a record goes to its frame
 * @BED_TELL: who has changed a page says so
 */
enum bed_step {
	BED_PROMISE,
	BED_KEPT,
	BED_DECODE,
	BED_TELL,
	BED_STEPS,
};

struct bed *bed_new(struct kunit *test, u64 max_frames);
void bed_end(struct bed *bed);
void bed_settle(struct bed *bed);

struct kmdom_pool *bed_try_pool(struct bed *bed, u32 nr_frames);
struct kmdom_pool *bed_pool(struct bed *bed, u32 nr_frames);
struct kmdom_pool *bed_granted(struct bed *bed, u32 nr_frames);
void bed_pool_drop(struct kmdom_pool *pool);
u64 bed_grant(struct kmdom_pool *pool, u64 first, u32 nr);
u64 bed_revoke(struct kmdom_pool *pool, u64 first, u32 nr);
void bed_promise(struct bed *bed, unsigned int nr);
struct kmdom_frame *bed_take(struct bed *bed, enum kmdom_claim claim);
void bed_leave_free(struct bed *bed, u64 nr);
long bed_locked(void);

void bed_check_ledger(struct bed *bed);
bool bed_failed(void);
void bed_permute(const u64 *from, u64 *to, unsigned int nr, unsigned int number);

/* mechanisms.c: the warnings of the code under test, since the last call. */
unsigned int bed_warnings(void);
/* Pages that the beds' ledgers have, and users that they keep. */
extern atomic_long_t bed_pages, bed_users;
/* And steps of it that are its own. */
int bed_evict_table(struct kmdom_domain *dom, struct kmdom_frame *parent,
		    struct kmdom_frame *frame);
void bed_before(enum bed_step step, void (*what)(void *arg), void *arg);

extern struct kunit_suite frames_suite;
extern struct kunit_suite pools_suite;
extern struct kunit_suite table_suite;
extern struct kunit_suite slab_suite;
extern struct kunit_suite pages_suite;
extern struct kunit_suite versions_suite;
extern struct kunit_suite restore_suite;
extern struct kunit_suite evict_suite;
extern struct kunit_suite client_suite;
extern struct kunit_suite wait_suite;
extern struct kunit_suite kept_suite;

#endif /* KMDOM_KUNIT_BED_H */
