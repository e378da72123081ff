/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations in any order, of pages and tables that clients use: some have good objects,
 * which stay theirs whatever happens; others make and free objects, which a pager may
 * edit, discard or lose, as far as it has the right to.
 */
#ifndef KT_ARENA_H
#define KT_ARENA_H

#include <pthread.h>
#include <stdatomic.h>
#include "enemy.h"

#define CLIENTS		2	/* of the good pages */
#define MAKERS		2	/* of objects that come and go */
#define THINGS		64	/* of each of those, at once */
#define THINGS_EVER	1000	/* and all together */
#define SEEN		64	/* pages that a thread knows of by SCAN */
#define EDITABLE	8	/* pages of a CHECKED type that are kept in mind */
#define RESTS		50	/* all is taken away once in so many exchanges */

/**
 * enum deed - what is counted of the threads
 * @DEED_TABLE: a table of the lowest level was evicted; then come the higher ones
 * @DEED_ROOT: the root was
 * @DEED_DISCARD: a page was discarded
 * @DEED_EDIT: a record was taken that had been edited as it may be
 * @DEED_SPOIL: one was refused that had been edited otherwise
 * @DEED_LOSE: a page was lost, by its pager's own word
 * @DEED_LOSE_TABLE: a table was
 * @DEED_SCAN: pages that SCAN told of
 */
enum deed {
	DEED_TABLE,
	DEED_ROOT = DEED_TABLE + KMDOM_LEVELS - 1,
	DEED_DISCARD,
	DEED_EDIT,
	DEED_SPOIL,
	DEED_LOSE,
	DEED_LOSE_TABLE,
	DEED_SCAN,
	DEEDS,
};

/**
 * struct signals - what clients are told, and tell; shared
 * @stop: they shall end
 * @rest: they shall do nothing for a while
 * @verified: objects that were what they ought to be
 * @made: objects that were made
 * @freed: and freed
 * @ended: objects that were discarded, as their clients found
 */
struct signals {
	atomic_bool stop;
	atomic_bool rest;
	atomic_uint verified;
	atomic_uint made;
	atomic_uint freed;
	atomic_uint ended;
};

/**
 * struct arena - what the threads share
 * @self: the fixture
 * @signals: to the clients
 * @lock: of @editable, and of the store, which has the last record of every page
 * @editable: pages that can be edited; 0: none
 * @nr_kept: of those, ever
 * @deeds: how often
 * @stop: tells the server to stop
 */
struct arena {
	struct enemy *self;
	struct signals *signals;
	pthread_mutex_t lock;
	uint64_t editable[EDITABLE];
	unsigned int nr_kept;
	atomic_uint deeds[DEEDS];
	atomic_bool stop;
};

/* How the record of a RESTORE was changed. */
enum edit { EDIT_NONE, EDIT_FAIR, EDIT_SPOILT };

/**
 * struct chaos - one of the threads
 * @self: the fixture
 * @arena: shared
 * @view: the thread's own, of the session
 * @buf: BATCH buffers of KMDOM_RECORD_MAX bytes
 * @state: of its choices
 * @steps: exchanges to make
 * @last: when so many are left tables may be lost
 * @rests: how often it takes all away, once in RESTS of them
 * @seen: pages that it has found
 * @nr_seen: in @seen
 * @edits: of each operation of the exchange
 * @ret: why it ended
 */
struct chaos {
	struct enemy *self;
	struct arena *arena;
	struct pager view;
	uint8_t *buf;
	uint64_t state;
	unsigned int steps;
	unsigned int last;
	bool rests;
	struct kmdom_page seen[SEEN];
	unsigned int nr_seen;
	enum edit edits[BATCH];
	int ret;
};

/**
 * struct user - a client of good objects, in a helper process
 * @fd: client
 * @op: operation to use
 * @good: objects, of which every CLIENTS-th is its own
 * @seeds: what they hold
 * @signals: shared
 */
struct user {
	int fd;
	unsigned int op;
	uint64_t *good;
	uint64_t *seeds;
	struct signals *signals;
};

/**
 * struct thing - an object that comes and goes
 * @ref: 0: there is none
 * @seed: of what it holds
 * @type: enum kt_type
 * @gone: its client was told that it is lost, which is to be so
 */
struct thing {
	uint64_t ref;
	uint64_t seed;
	unsigned int type;
	bool gone;
};

/**
 * struct maker - a client that makes and frees objects, in a helper process
 * @fd: client
 * @op: operation to use
 * @state: of its choices
 * @left: objects that it may still make
 * @things: its objects; shared
 * @signals: shared
 */
struct maker {
	int fd;
	unsigned int op;
	uint64_t state;
	unsigned int left;
	struct thing *things;
	struct signals *signals;
};

void arena_init(struct arena *arena, struct enemy *self, struct signals *signals);
void arena_print(struct arena *arena);
void arena_did(struct arena *arena, enum deed deed);
void arena_keep(struct arena *arena, uint64_t page, uint64_t version, const void *rec,
		uint32_t len);
bool may_be_lost(const struct enemy *self, uint64_t page);
bool is_lost(struct enemy *self, uint64_t page);

void *any_order(void *arg);
void *serve_honestly(void *arg);
int take_all(struct chaos *chaos, unsigned int levels);
int chaos_start(struct chaos *chaos, struct arena *arena, unsigned int steps, bool rests,
		pthread_t *thread, void *(*fn)(void *));
int chaos_join(struct chaos *chaos, pthread_t thread);

struct kmdom_op any_op(struct chaos *chaos, unsigned int nr);
int after_op(struct chaos *chaos, unsigned int nr, const struct kmdom_op *op,
	     const struct kmdom_result *res);

long use(void *arg);

long make_things(void *arg);
long verify_things(void *arg);
long free_things(void *arg);

#endif /* KT_ARENA_H */
