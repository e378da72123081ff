// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "proc.h"

struct request {
	proc_fn fn;
};

/**
 * now_ms() - the monotonic clock
 *
 * Return: milliseconds
 */
long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/**
 * shared_alloc() - memory that stays shared over fork
 * @bytes: how much
 *
 * All of it lies in one arena, which the first call maps: helpers that are
 * spawned after that see also what is allocated later.
 *
 * Return: zeroed memory; the process ends if there is none
 */
void *shared_alloc(size_t bytes)
{
	static char *arena;
	static size_t used;
	void *mem;

	if (!arena)
		arena = mmap(NULL, PROC_ARENA, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bytes = (bytes + 4095) & ~4095UL;
	if (arena == MAP_FAILED || bytes > PROC_ARENA - used) {
		fprintf(stderr, "# no shared memory left\n");
		abort();
	}
	mem = arena + used;
	used += bytes;
	return mem;
}

static void child_loop(struct proc *proc, int req, int rsp)
{
	struct request request;
	long ret;

	while (read(req, &request, sizeof(request)) == sizeof(request)) {
		ret = request.fn(proc->arg);
		if (write(rsp, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
	_exit(0);
}

/**
 * proc_spawn() - start a helper process
 * @proc: filled in
 * @id: which one it is
 *
 * It inherits all descriptors: spawn before adopting a domain.
 *
 * Return: 0 or a negative errno
 */
int proc_spawn(struct proc *proc, unsigned int id)
{
	memset(proc, 0, sizeof(*proc));
	proc->id = id;
	proc->arg = shared_alloc(PROC_ARG);
	proc->data = shared_alloc(PROC_DATA);
	return proc_respawn(proc);
}

/**
 * proc_respawn() - start a helper process in the place of one that is dead
 * @proc: as proc_reap() left it; its shared memory is used again
 *
 * Return: 0 or a negative errno
 */
int proc_respawn(struct proc *proc)
{
	int req[2], rsp[2];
	pid_t parent = getpid();

	if (pipe(req))
		return -errno;
	if (pipe(rsp))
		return -errno;
	fflush(NULL);
	proc->pid = fork();
	if (proc->pid < 0)
		return -errno;
	if (!proc->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(req[1]);
		close(rsp[0]);
		child_loop(proc, req[0], rsp[1]);
	}
	close(req[0]);
	close(rsp[1]);
	proc->req = req[1];
	proc->rsp = rsp[0];
	return 0;
}

/**
 * proc_start() - have a function run in a helper
 * @proc: the helper, which is not busy
 * @fn: the function
 * @arg: its argument, copied; NULL: what was put into proc->arg
 * @len: bytes of @arg
 */
void proc_start(struct proc *proc, proc_fn fn, const void *arg, size_t len)
{
	struct request request = { .fn = fn };

	if (proc->busy || len > PROC_ARG) {
		fprintf(stderr, "# helper %u: told to do two things\n", proc->id);
		abort();
	}
	if (arg)
		memcpy(proc->arg, arg, len);
	proc->busy = true;
	if (write(proc->req, &request, sizeof(request)) != sizeof(request))
		perror("# helper");
}

/**
 * proc_done() - wait for the end of a call
 * @proc: the helper
 * @timeout_ms: how long at most
 *
 * Return: whether the call has ended (or the helper)
 */
bool proc_done(struct proc *proc, int timeout_ms)
{
	struct pollfd pfd = { .fd = proc->rsp, .events = POLLIN };
	int ret;

	do {
		ret = poll(&pfd, 1, timeout_ms);
	} while (ret < 0 && errno == EINTR);
	return ret > 0;
}

/**
 * proc_finish() - take a call's result
 * @proc: the helper
 * @arg: where its argument is copied, as the function left it; NULL: nowhere
 * @len: bytes of @arg
 *
 * Return: what the function returned; -ETIME if it hangs, -ESRCH if the helper
 * died
 */
long proc_finish(struct proc *proc, void *arg, size_t len)
{
	long ret;

	if (!proc_done(proc, PROC_PATIENCE)) {
		fprintf(stderr, "# helper %d hangs\n", proc->pid);
		return -ETIME;
	}
	proc->busy = false;
	if (read(proc->rsp, &ret, sizeof(ret)) != sizeof(ret))
		return -ESRCH;
	if (arg)
		memcpy(arg, proc->arg, len);
	return ret;
}

/**
 * proc_call() - run a function in a helper and wait for it
 * @proc: the helper
 * @fn: the function
 * @arg: its argument, copied in and out
 * @len: bytes of @arg
 *
 * Return: as proc_finish()
 */
long proc_call(struct proc *proc, proc_fn fn, void *arg, size_t len)
{
	proc_start(proc, fn, arg, len);
	return proc_finish(proc, arg, len);
}

/**
 * proc_reap() - wait for a helper's death
 * @proc: the helper
 * @timeout_ms: how long at most
 *
 * Return: 0, or -ETIME if it does not die
 */
int proc_reap(struct proc *proc, int timeout_ms)
{
	long long end = now_ms() + timeout_ms;
	int status;

	if (!proc->pid)
		return 0;
	/* Its end closes the pipe, and only then is there anything to wait for. */
	while (waitpid(proc->pid, &status, WNOHANG) != proc->pid) {
		if (now_ms() > end)
			return -ETIME;
		poll(NULL, 0, 2);
	}
	proc->pid = 0;
	proc->busy = false;
	close(proc->req);
	close(proc->rsp);
	return 0;
}

/**
 * proc_kill() - end a helper with SIGKILL
 * @proc: the helper; nothing happens if there is none
 *
 * Return: 0, or -ETIME if it does not die
 */
int proc_kill(struct proc *proc)
{
	if (!proc->pid)
		return 0;
	kill(proc->pid, SIGKILL);
	return proc_reap(proc, PROC_PATIENCE);
}

/**
 * proc_stop() - stop a helper with SIGSTOP, and wait until it stands
 * @proc: the helper
 */
void proc_stop(struct proc *proc)
{
	int status;

	kill(proc->pid, SIGSTOP);
	waitpid(proc->pid, &status, WUNTRACED);
}

/**
 * proc_cont() - let a stopped helper go on
 * @proc: the helper
 */
void proc_cont(struct proc *proc)
{
	kill(proc->pid, SIGCONT);
}

/**
 * proc_state() - the scheduler's state of a helper's main thread
 * @proc: the helper
 *
 * Return: the letter of /proc/PID/stat, or 0
 */
char proc_state(struct proc *proc)
{
	char path[64], line[512], *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", proc->pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return end && end[1] ? end[2] : 0;
}

/**
 * proc_sleeps() - wait until a helper's call sleeps in the kernel
 * @proc: the helper, which is busy
 * @timeout_ms: how long at most
 *
 * Return: false if the call ended, or runs on
 */
bool proc_sleeps(struct proc *proc, int timeout_ms)
{
	long long end = now_ms() + timeout_ms;
	int seen = 0;

	while (now_ms() < end) {
		if (proc_done(proc, 2))
			return false;
		switch (proc_state(proc)) {
		case 'S':
		case 'D':
			if (++seen == 5)
				return true;
			break;
		default:
			seen = 0;
		}
	}
	return false;
}

/**
 * proc_tool() - where a program of the project is
 * @name: of a daemon or tool
 *
 * Return: its path, in the build directory that this program is in; good until
 * the next call
 */
const char *proc_tool(const char *name)
{
	static char path[512];
	char self[400] = "";
	char *slash;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return name;
	slash = strrchr(self, '/');
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/../daemon/%s", self, name);
	return path;
}
