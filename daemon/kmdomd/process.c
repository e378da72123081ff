// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include "process.h"
#include "report.h"

#define PROCESS_FIRST_USER_NS	"user:[4026531837]"	/* PROC_USER_INIT_INO */

/**
 * process_lock_memory() - no page of this process leaves memory from now on
 *
 * A pager that had to be paged in would wait for what it serves. The pool is
 * counted as locked memory, too, but by the kernel and by itself.
 *
 * Return: 0 or a negative errno, with the reason reported.
 */
int process_lock_memory(void)
{
	struct rlimit limit;
	int err;

	if (!mlockall(MCL_CURRENT | MCL_FUTURE))
		return 0;
	err = errno;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	report_error("cannot lock memory (%s): the limit of locked memory is %llu KiB; raise it "
		     "(ulimit -l, or with systemd LimitMEMLOCK=) to the pool's size and "
		     "32 MiB, or use --no-mlock",
		     strerror(err), (unsigned long long)limit.rlim_cur / 1024);
	return -err;
}

/*
 * Memory that the kernel allocates for us does not begin I/O that could wait
 * for us. Needs CAP_SYS_RESOURCE; without it kmdomd only is less sure.
 */
void process_become_flusher(void)
{
	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
}

/**
 * process_sees_all() - does the netlink family show us all domains?
 *
 * It does to CAP_NET_ADMIN of the first user namespace, whose number is known.
 */
bool process_sees_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	char ns[32] = "";

	if (readlink("/proc/self/ns/user", ns, sizeof(ns) - 1) < 0 ||
	    strcmp(ns, PROCESS_FIRST_USER_NS) || syscall(SYS_capget, &header, data))
		return false;
	return data[0].effective & 1U << CAP_NET_ADMIN;
}

static const int process_signos[] = { SIGTERM, SIGINT, SIGUSR1 };

#define PROCESS_SIGNOS	(sizeof(process_signos) / sizeof(*process_signos))

/* Which of them came, a bit each: to look costs nothing, unlike a signalfd. */
static atomic_uint process_raised;
static int process_wake = -1;

static void process_raise(int signo)
{
	const uint64_t one = 1;
	int old = errno;
	size_t i;

	for (i = 0; i < PROCESS_SIGNOS; i++)
		if (process_signos[i] == signo)
			atomic_fetch_or(&process_raised, 1U << i);
	/* It only fails if it is readable already. */
	if (write(process_wake, &one, sizeof(one)) < 0)
		errno = old;
}

/**
 * process_signals() - SIGTERM, SIGINT and SIGUSR1 come to process_next_signal()
 *
 * Return: a descriptor that is readable when one has come, or a negative errno.
 */
int process_signals(void)
{
	struct sigaction action = { .sa_handler = process_raise, .sa_flags = SA_RESTART };
	sigset_t set;
	size_t i;

	process_wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (process_wake < 0)
		return -errno;
	sigemptyset(&set);
	for (i = 0; i < PROCESS_SIGNOS; i++) {
		sigaddset(&set, process_signos[i]);
		if (sigaction(process_signos[i], &action, NULL))
			return -errno;
	}
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_UNBLOCK, &set, NULL) ? -errno : process_wake;
}

/**
 * process_next_signal() - a signal that has come; to be called until there is none
 *
 * Return: its number, or 0.
 */
int process_next_signal(void)
{
	unsigned int raised = atomic_load(&process_raised);
	uint64_t times;
	int i;

	if (!raised)
		return 0;
	i = __builtin_ctz(raised);
	atomic_fetch_and(&process_raised, ~(1U << i));
	/* After the bit: one that comes in between is found by the next call. */
	if (read(process_wake, &times, sizeof(times)) < 0 && errno != EAGAIN)
		report_warning("signals: %s", strerror(errno));
	return process_signos[i];
}

/**
 * process_notify() - tell the service manager, if one listens
 * @state: such as "READY=1"
 */
void process_notify(const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
		   offsetof(struct sockaddr_un, sun_path) + len) < 0)
		report_warning("cannot tell the service manager: %s", strerror(errno));
	close(fd);
}
