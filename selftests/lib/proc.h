/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helper processes of a test. Each is a fork of the test that runs functions
 * of the test's own program, one at a time, when it is told to. It dies with
 * the test. What passes between them lies in shared memory.
 */
#ifndef KT_PROC_H
#define KT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_ARG	8192		/* most bytes of an argument */
#define PROC_DATA	(256 << 10)	/* bytes of proc.data */
#define PROC_ARENA	(512UL << 20)	/* shared memory of a test, not touched */
#define PROC_PATIENCE	90000		/* ms until a call counts as hung */

typedef long (*proc_fn)(void *arg);

/**
 * struct proc - a helper process
 * @id: which, from 1; it uses the client's operation of that number
 * @pid: its pid, 0 if there is none
 * @req: pipe to it
 * @rsp: pipe from it
 * @arg: shared: argument of the call, changed in place
 * @data: shared: buffers, at one address in both processes
 * @busy: a call was started and not finished
 */
struct proc {
	unsigned int id;
	pid_t pid;
	int req;
	int rsp;
	void *arg;
	void *data;
	bool busy;
};

int proc_spawn(struct proc *proc, unsigned int id);
int proc_respawn(struct proc *proc);
void proc_start(struct proc *proc, proc_fn fn, const void *arg, size_t len);
bool proc_done(struct proc *proc, int timeout_ms);
long proc_finish(struct proc *proc, void *arg, size_t len);
long proc_call(struct proc *proc, proc_fn fn, void *arg, size_t len);
int proc_kill(struct proc *proc);
int proc_reap(struct proc *proc, int timeout_ms);
void proc_stop(struct proc *proc);
void proc_cont(struct proc *proc);
char proc_state(struct proc *proc);
bool proc_sleeps(struct proc *proc, int timeout_ms);

const char *proc_tool(const char *name);

void *shared_alloc(size_t bytes);
long long now_ms(void);

/* In a loop that waits for another processor: emulated ones that take turns take one. */
static inline void cpu_relax(void)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
}

#endif /* KT_PROC_H */
