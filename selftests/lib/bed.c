// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bed.h"
#include "remote.h"

/**
 * bed_name() - a domain's name that no other test uses
 * @name: out
 * @size: room in @name
 */
void bed_name(char *name, size_t size)
{
	static int count;

	snprintf(name, size, "kt/%d.%d", getpid(), count++);
}

static int say(const char *what, int ret)
{
	if (ret < 0)
		fprintf(stderr, "# %s: %s\n", what, strerror(-ret));
	return ret < 0 ? ret : 0;
}

static int client_up(struct bed *bed, uint32_t types)
{
	uint32_t type;
	int ret = say("find", client_find(bed->client, bed->name));

	for (type = 0; type < 32 && !ret; type++)
		if (types & 1U << type)
			ret = say("attach", client_attach(bed->client, type));
	return ret;
}

static int session_up(struct bed *bed, const struct bed_spec *spec)
{
	uint32_t frames = spec->frames ?: 256;
	int ret;

	ret = say("adopt", pager_adopt(&bed->pager, bed->name, spec->door, frames, 0));
	if (ret || spec->keep_frames)
		return ret;
	return say("grant", pager_grant(&bed->pager, 0, frames));
}

/**
 * bed_up() - build it
 * @bed: filled in; goes to bed_down() even after a failure
 * @spec: what it shall have
 *
 * Return: 0 or a negative errno, which was said
 */
int bed_up(struct bed *bed, const struct bed_spec *spec)
{
	uint32_t i;
	int ret;

	memset(bed, 0, sizeof(*bed));
	bed->pager.fd = -1;
	bed->pager.ctl = -1;
	bed_name(bed->name, sizeof(bed->name));
	bed->store = store_create(spec->records ?: 1024, spec->newest_only);
	bed->client = client_open();
	if (bed->client < 0)
		return say("/dev/kmdom_test", bed->client);
	for (i = 0; i < spec->procs; i++) {
		ret = say("spawn", proc_spawn(&bed->procs[i], i + 1));
		if (ret)
			return ret;
	}
	ret = say("/dev/kmdom", pager_open(&bed->pager, bed->store));
	if (!ret)
		ret = say("create", pager_create(&bed->pager, bed->name,
						 spec->max_frames ?: 1024, 300));
	if (!ret)
		ret = client_up(bed, spec->types);
	if (!ret && !spec->no_session)
		ret = session_up(bed, spec);
	return ret;
}

/**
 * bed_conserved() - are all frames where they must be?
 * @bed: the bed; its pager has a session and serves nobody at this moment
 *
 * Return: 0 if they are, else a negative errno, which was said
 */
int bed_conserved(struct bed *bed)
{
	return say("conservation", pager_conserved(&bed->pager));
}

/**
 * bed_fault_back() - does an absent page come back as it was?
 * @bed: as for bed_serves()
 * @ref: of the object of KT_PAGE in it; a helper reads it
 * @page: what it has to hold
 *
 * Return: 0 if it does, else a negative errno
 */
int bed_fault_back(struct bed *bed, uint64_t ref, const struct kt_page *page)
{
	struct kt_page back = { 0 };
	struct kmdom_event event;
	int ret;

	px_get_start(bed->procs, bed->client, KT_PAGE, ref, sizeof(back));
	do {
		ret = pager_event(&bed->pager, KMDOM_EVENT_FAULT, &event);
		if (!ret)
			ret = pager_answer(&bed->pager, PAGE_OF(event.level, event.index),
					   event.version);
	} while (!ret && (event.level || event.index != KT_REF_INDEX(ref)));
	ret = px_get_finish(bed->procs, &back, sizeof(back)) ?: ret;
	return ret ?: memcmp(page, &back, sizeof(back)) ? -EILSEQ : 0;
}

/**
 * bed_serves() - does the domain still do what it is for?
 * @bed: the bed, with a helper that is idle, KT_PAGE attached, and a session
 *	that nobody else serves
 *
 * An object is made, exported, evicted, wanted and brought back, and freed.
 *
 * Return: 0 if it does, else a negative errno, which was said
 */
int bed_serves(struct bed *bed)
{
	static uint64_t seed;
	struct kt_page page;
	uint64_t ref;
	int ret;

	bytes_fill(&page, sizeof(page), ++seed);
	ret = say("new object", kt_new(bed->client, 0, KT_PAGE, &page, sizeof(page), &ref));
	if (ret)
		return ret;
	ret = say("preempt", pager_preempt(&bed->pager, KT_REF_INDEX(ref)));
	if (!ret)
		ret = say("fault", bed_fault_back(bed, ref, &page));
	return say("free", kt_del(bed->client, 0, KT_PAGE, ref)) ?: ret;
}

/* The sessions of helpers that can still be asked, before their ends. */
static int helpers_conserved(struct bed *bed)
{
	struct proc *proc;
	int ret = 0;

	for (proc = bed->procs; proc < bed->procs + BED_PROCS; proc++)
		if (proc->pid && !proc->busy && proc_state(proc) != 'T')
			ret = say("helper's frames", remote_conserved(proc)) ?: ret;
	return ret;
}

/**
 * bed_down() - take it away, and see whether anything is missing
 * @bed: the bed
 *
 * Return: 0 if all frames were accounted for and the domain could be destroyed
 */
int bed_down(struct bed *bed)
{
	int ret = helpers_conserved(bed), i, end, err = 0;

	for (i = 0; i < BED_PROCS; i++)
		err = say("helper", proc_kill(&bed->procs[i])) ?: err;
	if (bed->pager.fd >= 0)
		ret = bed_conserved(bed) ?: ret;
	else
		ret = say("conservation", domain_conserved(bed->name)) ?: ret;
	if (bed->client >= 0)
		close(bed->client);
	if (bed->pager.ctl >= 0) {
		end = pager_destroy(&bed->pager, bed->name);
		if (end != -ENOENT || !bed->aborted)
			err = say("destroy", end) ?: err;
		pager_close(&bed->pager);
	}
	return ret ?: err;
}

static __thread sigjmp_buf touch_env;

static void touch_handler(int sig)
{
	siglongjmp(touch_env, sig);
}

/**
 * touch() - read or write a byte that may not be there
 * @addr: the byte; written with what it holds
 * @write: whether to write it
 *
 * Return: 0, or the signal that it gave
 */
int touch(volatile char *addr, bool write)
{
	struct sigaction sa = { .sa_handler = touch_handler, .sa_flags = SA_NODEFER };
	struct sigaction old_bus, old_segv;
	int sig;

	sigaction(SIGBUS, &sa, &old_bus);
	sigaction(SIGSEGV, &sa, &old_segv);
	sig = sigsetjmp(touch_env, 1);
	if (!sig) {
		char byte = *addr;

		if (write)
			*addr = byte;
	}
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return sig;
}
