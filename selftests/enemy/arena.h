/* SPDX-License-Identifier: GPL-2.0 */
/* Operations in any order, of pages and tables that clients use. */
#ifndef KT_ARENA_H
#define KT_ARENA_H

#include <pthread.h>
#include <stdatomic.h>
#include "enemy.h"

#define CLIENTS		2	/* of the good pages */

/* A page or table that is used, and whose last record is in the store. */
struct watched {
	uint64_t page;
	uint64_t version;
};

#define WATCHED	(GOOD + TABLES)

/**
 * struct arena - what the threads share
 * @self: the fixture
 * @lock: of @watched, and of the store
 * @watched: good pages, and tables
 * @tables_left: evictions of tables
 * @stop: tells the server to stop
 */
struct arena {
	struct enemy *self;
	pthread_mutex_t lock;
	struct watched watched[WATCHED];
	atomic_uint tables_left;
	atomic_bool stop;
};

/**
 * struct chaos - one of its threads
 * @self: the fixture
 * @arena: shared
 * @view: the thread's own, of the session
 * @state: of its choices
 * @steps: exchanges to make
 * @ret: why it ended
 */
struct chaos {
	struct enemy *self;
	struct arena *arena;
	struct pager view;
	uint64_t state;
	unsigned int steps;
	int ret;
};

/**
 * struct user - a client in a helper process
 * @fd: client
 * @op: operation to use
 * @good: objects, of which every CLIENTS-th is its own
 * @seeds: what they hold
 * @stop: shared: tells it to stop
 * @verified: shared: objects that it has read
 */
struct user {
	int fd;
	unsigned int op;
	uint64_t *good;
	uint64_t *seeds;
	atomic_bool *stop;
	atomic_uint *verified;
};

void arena_init(struct arena *arena, struct enemy *self);
void *any_order(void *arg);
void *serve_honestly(void *arg);
int chaos_start(struct chaos *chaos, struct arena *arena, unsigned int steps,
		pthread_t *thread, void *(*fn)(void *));
int chaos_join(struct chaos *chaos, pthread_t thread);

long use(void *arg);

#endif /* KT_ARENA_H */
