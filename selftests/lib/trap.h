/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that stalls whoever touches it (userfaultfd that nobody answers), and
 * threads that make exchanges which may be stalled by it.
 */
#ifndef KT_TRAP_H
#define KT_TRAP_H

#include <pthread.h>
#include "pager.h"

/**
 * struct trap - a piece of such memory
 * @fd: userfaultfd
 * @mem: the memory
 * @len: bytes of it
 */
struct trap {
	int fd;
	char *mem;
	size_t len;
};

int trap_set(struct trap *trap, size_t len);
int trap_caught(struct trap *trap, int timeout_ms);
void trap_release(struct trap *trap);
void trap_remove(struct trap *trap);

/**
 * struct side - an exchange made by a thread of its own
 * @pager: its view of the session
 * @thread: the thread
 * @ex: the exchange
 * @op: its operation, if side_op() made it
 * @res: its result
 * @ret: what the exchange returned
 */
struct side {
	struct pager pager;
	pthread_t thread;
	struct kmdom_exchange ex;
	struct kmdom_op op;
	struct kmdom_result res;
	int ret;
};

int side_exchange(struct side *side, const struct pager *pager,
		  const struct kmdom_exchange *ex);
int side_op(struct side *side, const struct pager *pager,
	    const struct kmdom_op *op);
int side_join(struct side *side);

#endif /* KT_TRAP_H */
