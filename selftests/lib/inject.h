/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations and copies of user memory that fail, by the kernel's fault
 * injection. Only a call that a function of one module led to can fail, or one of
 * the kernel's, as that which begins modules: what the kernel allocates by itself,
 * before or around it, does not.
 *
 * Limit: there is no switch for memory of each CPU's own (alloc_percpu()). It fails
 * when it lacks pages, and these do: inject_test.c sees to that.
 *
 * The attributes are the machine's: one program at a time.
 */
#ifndef KT_INJECT_H
#define KT_INJECT_H

#include <stdbool.h>

/**
 * enum inject_kind - what can fail
 * @INJECT_SLAB: an object of a slab: kmalloc() and its like
 * @INJECT_PAGE: pages: alloc_page(), vmalloc(), a new slab, a page table
 * @INJECT_COPY: a copy from or to user memory
 */
enum inject_kind {
	INJECT_SLAB,
	INJECT_PAGE,
	INJECT_COPY,
	INJECT_KINDS,
};

/* Sets of kinds. */
#define FAIL_SLAB	(1U << INJECT_SLAB)
#define FAIL_PAGE	(1U << INJECT_PAGE)
#define FAIL_COPY	(1U << INJECT_COPY)

/* Status of a program whose test cannot be made here. */
#define INJECT_SKIP	4

#define INJECT_ERRNOS	134

/* An operation: a negative errno if it failed. */
typedef long (*inject_fn)(void *arg);

/**
 * struct inject_sweep - an operation, repeated until it is not made to fail
 * @name: of the operation
 * @run: the operation
 * @check: what a run left: takes it away again, or brings it to its end, and
 *	sees that nothing is lost; 0 or a negative errno, which it says
 * @arg: passed to both
 * @errors: what @run may return if something failed; the last is 0
 * @must: kinds of which one has to have failed at least
 * @may: other kinds that may have; if there are any, one call has to have failed
 * @idle: or none at all: what it may need can be there already
 * @partial: when a copy fails, it may say what it had done by then; else it returns
 *	EFAULT, each time
 * @stride: inject_sweep() passes over so many calls, less one, each time; 0: 1
 * @runs: out: how often it was run
 * @failed: out: failures of each kind
 * @returned: out: how often each errno was returned
 */
struct inject_sweep {
	const char *name;
	inject_fn run;
	int (*check)(void *arg, long ret);
	void *arg;
	const int *errors;
	unsigned int must;
	unsigned int may;
	bool idle;
	bool partial;
	unsigned int stride;
	unsigned int runs;
	unsigned int failed[INJECT_KINDS];
	unsigned int returned[INJECT_ERRNOS];
};

#define ERRORS(...)	((const int[]) { __VA_ARGS__, 0 })

const char *inject_missing(void);
int inject_begin(const char *module);
int inject_begin_function(const char *function);
int inject_begin_init(void);
void inject_end(void);
int inject_main(int argc, char **argv, int (*run)(int argc, char **argv));

int inject_sweep(struct inject_sweep *sweep);
int inject_sweep_kind(struct inject_sweep *sweep, enum inject_kind kind);
int inject_sweep_from(struct inject_sweep *sweep, enum inject_kind kind);

#endif /* KT_INJECT_H */
