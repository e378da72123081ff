// SPDX-License-Identifier: GPL-2.0
/*
 * stress - a round of many tenants, whose pagers are killed all the time
 *
 * Usage: stress [--tenants N] [--kills N] [--seconds N] [--gap MS] [--rest MS]
 *		 [--seed N] [--pressure] [--thorough] [--stores DIR] [--patience SECONDS]
 *		 [--break WHAT]
 *
 * Each tenant has a domain, a pager, and one or two workers that use far more
 * than the pager has frames for, and verify all that they read. For the time of
 * the round, or until there were that many kills, a pager that is chosen at
 * random, half of the time among those that a client waits for, is killed at a random
 * moment, and gets a successor with the same store.
 * Then all is verified once more, and taken down. Prints TAP, progress, and one
 * line of figures for scripts/stress.
 *
 * With --thorough a round of kills goes on, for its time at most, until every kind of
 * fault that chaos knows has occurred, and a pager was killed that a client waited for.
 *
 * Choices follow from the seed; what comes of them also from the scheduler.
 *
 * --break makes the driver fail, to show that it can; a list of: content (what
 * objects and files must hold is another thing: the round goes on until there are
 * some), removed (a tenant's files should not be there, likewise), loss (nothing explains
 * what is lost: the round goes on until something is), stuck (a worker is stopped), deaf
 * (a pager gets no signal until the round is over), pager (one ends by itself), frames
 * (those of a session that has not ended are too many), pressure (there is no memory to
 * take), faults (--thorough misses one).
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bed.h"
#include "param.h"
#include "stress.h"

#define REPORT_MS	10000	/* between lines of progress */
#define BEGIN_MS	600000	/* until all tenants are served */
/*
 * Of what is available: what programs run from is in it, and without that
 * everybody reads it all the time, and nothing else is done.
 */
#define PRESSURE_LEAVE	(192UL << 20)
#define DRIVER_NICE	(-10)
/*
 * For what --thorough still wants after all kills, pagers have to live until they come
 * to move pages: as long as the pools of the dead count there may be room for all.
 */
#define SLOWLY		20
/*
 * For each pager to end, after one was stuck: whoever waits for the round shall not
 * give it up before it has told.
 */
#define HURRY_MS	10000
#define DEADLINE_MS	60000	/* of clients: the machine may be emulated, and full */

struct options {
	unsigned int tenants;
	unsigned int kills;
	unsigned int seconds;
	unsigned int gap;	/* ms between two kills, on average */
	unsigned int rest;	/* ms between two steps of a worker, on average */
	uint64_t seed;
	bool pressure;
	bool thorough;
	const char *stores;
	unsigned int patience;
	const char *broken;
};

/* A round, as far as it has come. */
struct round {
	struct options options;
	struct tenant *tenants;
	unsigned int nr;	/* of them that were begun */
	struct pager ctl;
	struct proc hog;
	struct pressure_work pressure;
	uint64_t state;
	long long start;
	long long reported;
	unsigned int kills;	/* of a pager that had a session */
	unsigned int waited;	/* of these, of one that a client waited for */
	unsigned int early;	/* of one that had none yet */
	unsigned int ended;	/* pagers that ended by themselves */
	unsigned int wrong;	/* workers with a lost or wrong object or file */
	unsigned int stuck;
	unsigned int frames;	/* tenants with frames that are not accounted for */
	unsigned int losses;
	unsigned int unlogged;	/* tenants with more of them than chaos took */
	unsigned int unforged;	/* tenants with more records rejected than forged */
	uint64_t faults;
	uint64_t rejected;
	uint64_t steps;
	uint64_t chaos[FAULTS];
};

#define FOR_EACH_TENANT(round, tenant)					\
	for (tenant = (round)->tenants;					\
	     tenant < (round)->tenants + (round)->nr; tenant++)

static bool breaks(const struct round *round, const char *what)
{
	return round->options.broken && strstr(round->options.broken, what);
}

static int begin_tenant(struct round *round)
{
	struct tenant *tenant = &round->tenants[round->nr];
	int ret;

	tenant->nr = round->nr++;
	tenant->rest_us = round->options.rest * 1000;
	tenant->patience_ms = round->options.patience * 1000;
	tenant->seed = draw(&round->state) >> 1;
	ret = tenant_create(tenant, &round->ctl, round->options.stores);
	if (breaks(round, "loss"))
		strcpy(tenant->chaos_log, "/dev/null");
	return ret ? ret : tenant_start_pager(tenant);
}

static int begin_pressure(struct round *round)
{
	int ret = proc_spawn(&round->hog, 1);

	if (ret)
		return ret;
	round->pressure = (struct pressure_work) {
		.stop = shared_alloc(sizeof(atomic_uint)),
		.times = shared_alloc(sizeof(atomic_uint)),
		.leave = breaks(round, "pressure") ? ~0UL : PRESSURE_LEAVE,
	};
	setpriority(PRIO_PROCESS, round->hog.pid, 0);
	proc_start(&round->hog, pressure_work, &round->pressure, sizeof(round->pressure));
	return 0;
}

static int wait_served(struct round *round)
{
	long long end = now_ms() + BEGIN_MS;
	struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant) {
		while (!tenant_served(tenant)) {
			if (now_ms() > end)
				return -ETIME;
			poll(NULL, 0, 10);
		}
	}
	return 0;
}

static int begin(struct round *round)
{
	struct tenant *tenant;
	int ret;

	/* Whoever kills, and the pagers with it, waits for no worker to pause. */
	setpriority(PRIO_PROCESS, 0, DRIVER_NICE);
	/* An emulator translates a program anew wherever it lies: always there, then. */
	personality(ADDR_NO_RANDOMIZE);
	mkdir(STRESS_DIR, 0700);
	round->state = round->options.seed;
	round->tenants = calloc(round->options.tenants, sizeof(*round->tenants));
	if (!round->tenants)
		return -ENOMEM;
	ret = pager_open(&round->ctl, NULL);
	ret = ret ?: losses_begin();
	if (!ret)
		ret = param_set("op_deadline_ms", DEADLINE_MS);
	if (!ret && round->options.pressure)
		ret = begin_pressure(round);
	while (!ret && round->nr < round->options.tenants)
		ret = begin_tenant(round);
	ret = ret ?: wait_served(round);
	FOR_EACH_TENANT(round, tenant)
		ret = ret ?: tenant_start_workers(tenant);
	round->start = now_ms();
	round->reported = round->start;
	return ret;
}

static void hurry(struct round *round)
{
	struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant)
		tenant->patience_ms = HURRY_MS;
}

/* One that is stuck has no successor: it may still hold the domain. */
static int kill_pager(struct round *round, struct tenant *tenant)
{
	enum killed found;

	if (tenant->stuck)
		return 0;
	found = tenant_kill(tenant, SIGKILL);
	round->waited += found == KILLED_WAITED;
	switch (found) {
	case KILLED_STUCK:
		hurry(round);
		return 0;
	case KILLED_SESSION:
	case KILLED_WAITED:
		round->kills++;
		break;
	case KILLED_EARLY:
		round->early++;
		break;
	case KILLED_NOTHING:
		round->ended++;
	}
	return tenant_start_pager(tenant);
}

static void pause_us(uint64_t us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* A worker that has ended is one with a complaint, which is not stuck. */
static void look_at_worker(struct round *round, struct tenant *tenant, struct worker *worker)
{
	unsigned int steps;

	if (!worker->proc.pid || worker->stuck || proc_done(&worker->proc, 0))
		return;
	steps = atomic_load(worker->steps);
	if (steps != worker->seen) {
		worker->seen = steps;
		worker->moved = now_ms();
	} else if (now_ms() - worker->moved > round->options.patience * 1000LL) {
		worker->stuck = true;
		tenant_show_stuck(tenant, "worker", worker->proc.pid);
	}
}

static void look(struct round *round)
{
	struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant) {
		look_at_worker(round, tenant, &tenant->objects);
		look_at_worker(round, tenant, &tenant->files);
	}
}

/* Until they have verified all, however long that takes, as long as they move. */
static void wait_worker(struct round *round, struct worker *worker)
{
	while (worker->proc.pid && !worker->stuck && !proc_done(&worker->proc, 50))
		look(round);
}

static void count(struct round *round)
{
	struct kmdom_info info;
	struct tenant *tenant;

	round->faults = 0;
	round->rejected = 0;
	round->steps = 0;
	round->losses = 0;
	FOR_EACH_TENANT(round, tenant) {
		round->steps += atomic_load(&tenant->shared->steps) +
				atomic_load(&tenant->shared->file_steps);
		round->losses += atomic_load(&tenant->shared->losses);
		if (kmdom_info_find(tenant->name, &info))
			continue;
		round->faults += info.faults;
		tenant->rejected = info.rejected;
		round->rejected += info.rejected;
	}
}

static void report(struct round *round)
{
	long long now = now_ms();

	if (now - round->reported < REPORT_MS)
		return;
	round->reported = now;
	count(round);
	printf("# %4lld s: %5u kills (%u early), %7llu steps, %7llu faults, %5llu rejected, "
	       "%u lost by chaos\n",
	       (now - round->start) / 1000, round->kills, round->early,
	       (unsigned long long)round->steps, (unsigned long long)round->faults,
	       (unsigned long long)round->rejected, round->losses);
}

/* Has a worker ended already? */
static bool complained(struct round *round)
{
	struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant) {
		if (proc_done(&tenant->objects.proc, 0))
			return true;
	}
	return false;
}

/* What of all that --thorough wants has not been met; NULL: nothing. */
static const char *missed(const struct round *round, const uint64_t chaos[FAULTS])
{
	int i;

	if (breaks(round, "faults"))
		return "fault at all";
	for (i = 0; i < FAULTS; i++)
		if (!chaos[i])
			return fault_names[i];
	return round->waited ? NULL : "kill of a pager that a client waited for";
}

static bool met_all(const struct round *round)
{
	uint64_t chaos[FAULTS] = { 0 };
	const struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant)
		losses_count(tenant->chaos_log, chaos);
	return !missed(round, chaos);
}

static bool killed_enough(const struct round *round)
{
	return round->options.kills && round->kills >= round->options.kills;
}

static bool killed_all(const struct round *round)
{
	return killed_enough(round) && (!round->options.thorough || met_all(round));
}

static bool has_file(const struct tenant *tenant)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (tenant->shared->generations[i])
			return true;
	return false;
}

/* Has each worker something that can be found to be wrong? */
static bool all_hold_something(const struct round *round)
{
	const struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant) {
		if (!atomic_load(&tenant->shared->steps) ||
		    (tenant->kind->files && !has_file(tenant)))
			return false;
	}
	return true;
}

static bool over(struct round *round)
{
	if (now_ms() - round->start >= round->options.seconds * 1000LL)
		return true;
	if (breaks(round, "loss"))
		return complained(round);
	if (breaks(round, "content") || breaks(round, "removed"))
		return all_hold_something(round);
	return killed_all(round);
}

/* A pager that ends by itself: the driver kills it a moment too late. */
static int break_pager(struct round *round)
{
	struct tenant *tenant = &round->tenants[0];

	if (kill(tenant->pid, SIGTERM) || waitid(P_PID, tenant->pid, NULL, WEXITED | WNOWAIT))
		return -errno;
	return kill_pager(round, tenant);
}

static int break_deaf(struct round *round)
{
	struct tenant *tenant = &round->tenants[round->nr - 1];

	tenant->deaf = true;
	return kill_pager(round, tenant);
}

static void pause_before_kill(struct round *round)
{
	uint64_t most = round->options.gap * 2000ULL;

	if (killed_enough(round))
		most *= SLOWLY;
	pause_us(draw(&round->state) % (most + 1));
}

/*
 * Any one, and every second time one that a client waits for, the first that is found:
 * most of the others have nothing to do.
 */
static struct tenant *next_victim(struct round *round)
{
	unsigned int first = draw(&round->state) % round->nr;
	unsigned int i;

	if (draw(&round->state) % 2)
		return &round->tenants[first];
	for (i = 0; i < round->nr; i++) {
		struct tenant *tenant = &round->tenants[(first + i) % round->nr];

		if (tenant_waits(tenant))
			return tenant;
	}
	return &round->tenants[first];
}

/* Kill one after another, at moments of which nobody knows anything. */
static int run(struct round *round)
{
	int ret = 0;

	if (breaks(round, "stuck"))
		proc_stop(&round->tenants[0].objects.proc);
	if (breaks(round, "pager"))
		ret = break_pager(round);
	if (breaks(round, "deaf"))
		ret = break_deaf(round);
	while (!ret && !over(round)) {
		pause_before_kill(round);
		if (!killed_all(round))
			ret = kill_pager(round, next_victim(round));
		look(round);
		report(round);
	}
	return ret;
}

/* What they remember is not what they were told. */
static void break_content(struct round *round)
{
	struct tenant *tenant;
	unsigned int i;

	FOR_EACH_TENANT(round, tenant) {
		for (i = 0; i < tenant->load.objects; i++)
			tenant->load.seeds[i]++;
		for (i = 0; i < FILES; i++)
			tenant->shared->generations[i] += !!tenant->shared->generations[i];
	}
}

/* What it has is said to have been removed. */
static void break_removed(struct tenant *tenant)
{
	memset(tenant->shared->generations, 0, sizeof(tenant->shared->generations));
}

/* What chaos did to one explains nothing of another. */
static void count_chaos(struct round *round, const struct tenant *tenant)
{
	uint64_t chaos[FAULTS] = { 0 };
	unsigned int losses = tenant->shared ? atomic_load(&tenant->shared->losses) : 0;
	int i;

	losses_count(tenant->chaos_log, chaos);
	round->unlogged += losses > chaos[FAULT_DROP] + chaos[FAULT_ROT];
	round->unforged += tenant->rejected > chaos[FAULT_FORGE];
	for (i = 0; i < FAULTS; i++)
		round->chaos[i] += chaos[i];
}

static void end(struct round *round)
{
	struct tenant *tenant;

	FOR_EACH_TENANT(round, tenant) {
		tenant->deaf = false;
		/* What was stuck may just have been slow: then the others need a pager. */
		if (tenant->stuck)
			tenant_kill(tenant, SIGKILL);
		if (!tenant->pid && tenant_start_pager(tenant))
			round->ended++;
		if (tenant->shared)
			atomic_store(&tenant->shared->stop, 1);
	}
	if (breaks(round, "content"))
		break_content(round);
	if (breaks(round, "removed"))
		break_removed(&round->tenants[0]);
	FOR_EACH_TENANT(round, tenant) {
		wait_worker(round, &tenant->objects);
		wait_worker(round, &tenant->files);
		round->wrong += tenant_stop_workers(tenant);
		round->stuck += tenant->objects.stuck + tenant->files.stuck;
	}
	count(round);
	FOR_EACH_TENANT(round, tenant) {
		tenant->stays = !tenant->nr && breaks(round, "frames");
		count_chaos(round, tenant);
		round->frames += !!tenant_destroy(tenant, &round->ctl);
		round->stuck += tenant->stuck_pagers;
		if (tenant->stuck_pagers)
			hurry(round);
	}
	if (round->hog.pid) {
		atomic_store(round->pressure.stop, 1);
		proc_finish(&round->hog, NULL, 0);
		proc_kill(&round->hog);
	}
	losses_end();
	pager_close(&round->ctl);
}

static unsigned int pressure_times(const struct round *round)
{
	return round->pressure.times ? atomic_load(round->pressure.times) : 0;
}

static void print_figures(const struct round *round)
{
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{ "seconds", (now_ms() - round->start) / 1000 },
		{ "tenants", round->options.tenants },
		{ "kills", round->kills },
		{ "waited", round->waited },
		{ "early", round->early },
		{ "steps", round->steps },
		{ "faults", round->faults },
		{ "rejected", round->rejected },
		{ "losses", round->losses },
		{ "wrong", round->wrong },
		{ "stuck", round->stuck },
		{ "frames", round->frames },
		{ "ended", round->ended },
		{ "pressure", pressure_times(round) },
	};
	size_t i;

	printf("# figures:");
	for (i = 0; i < sizeof(figures) / sizeof(*figures); i++)
		printf(" %s=%llu", figures[i].name, (unsigned long long)figures[i].value);
	for (i = 0; i < FAULTS; i++)
		printf(" %s=%llu", fault_names[i], (unsigned long long)round->chaos[i]);
	printf("\n");
}

static bool check(bool good, const char *what)
{
	static int nr;

	printf("%sok %d %s\n", good ? "" : "not ", ++nr, what);
	return good;
}

static bool verdict(const struct round *round, int ret)
{
	const char *lacks = round->options.thorough ? missed(round, round->chaos) : NULL;
	bool good = check(!ret, "the round was run");

	if (lacks)
		printf("# no %s\n", lacks);

	good &= check(round->kills >= round->options.kills || !round->options.kills,
		      "as many pagers were killed as was asked for");
	good &= check(!round->wrong, "no object and no file is lost or wrong");
	good &= check(!round->unlogged, "no tenant lost more than chaos took");
	good &= check(!round->unforged, "no tenant has a record rejected that was not forged");
	good &= check(!round->stuck, "no task is stuck");
	good &= check(!round->ended, "no pager ended by itself");
	good &= check(!round->frames, "every frame is accounted for");
	good &= check(pressure_times(round) || !round->options.pressure,
		      "memory was taken away, if that was asked for");
	good &= check(!lacks, "all was met that can be, if that was asked for");
	return good;
}

static const struct option long_options[] = {
	{ "tenants", required_argument, NULL, 't' },
	{ "kills", required_argument, NULL, 'k' },
	{ "seconds", required_argument, NULL, 's' },
	{ "gap", required_argument, NULL, 'g' },
	{ "rest", required_argument, NULL, 'r' },
	{ "seed", required_argument, NULL, 'S' },
	{ "pressure", no_argument, NULL, 'p' },
	{ "thorough", no_argument, NULL, 'T' },
	{ "stores", required_argument, NULL, 'd' },
	{ "patience", required_argument, NULL, 'P' },
	{ "break", required_argument, NULL, 'b' },
	{ }
};

static void parse(struct options *options, int argc, char **argv)
{
	int opt;

	*options = (struct options) {
		.tenants = 8, .kills = 100, .seconds = 600, .gap = 100, .patience = 100,
		.stores = "/dev/shm",
	};
	if (getrandom(&options->seed, 4, 0) != 4)
		options->seed = now_ms();
	while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (opt) {
		case 't':
			options->tenants = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			options->kills = strtoul(optarg, NULL, 0);
			break;
		case 's':
			options->seconds = strtoul(optarg, NULL, 0);
			break;
		case 'g':
			options->gap = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options->rest = strtoul(optarg, NULL, 0);
			break;
		case 'S':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			options->pressure = true;
			break;
		case 'T':
			options->thorough = true;
			break;
		case 'd':
			options->stores = optarg;
			break;
		case 'P':
			options->patience = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			options->broken = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (!options->tenants) {
		fprintf(stderr, "stress: --tenants: there must be one\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct round round = {};
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(&round.options, argc, argv);
	printf("TAP version 13\n1..10\n# --seed %llu, %u tenants\n",
	       (unsigned long long)round.options.seed, round.options.tenants);
	ret = begin(&round);
	if (!ret)
		ret = run(&round);
	if (ret)
		printf("# it cannot go on: %s\n", strerror(-ret));
	end(&round);
	print_figures(&round);
	return verdict(&round, ret) ? 0 : 1;
}
