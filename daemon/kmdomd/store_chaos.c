// SPDX-License-Identifier: GPL-2.0
/*
 * The wrapper: it stands between store_io.c and the operations of the kind of
 * store that was asked for, and has the choice at every transfer of a record.
 * The superblock, the headers of segments and the reading of a store that is
 * opened do not come through here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "clock.h"
#include "report.h"
#include "store.h"
#include "store_chaos.h"
#include "store_format.h"

#define CHAOS_REORDER_MS	5	/* until it is told although no other has ended */

/**
 * struct chaos - what a store has while it is wrapped
 * @ops: the store's while this is
 * @inner: those of the kind of store
 * @options: the chances
 * @state: of the choices
 * @log: descriptor, or -1
 * @held: transfers that have ended, and were not told yet
 * @counts: of each kind, how many
 */
struct chaos {
	struct store_ops ops;
	const struct store_ops *inner;
	struct chaos_options options;
	uint64_t state;
	int log;
	struct door_queue held;
	uint64_t counts[CHAOS_KINDS];
};

/* The next of a sequence that its seed determines (Steele's SplitMix64). */
static uint64_t chaos_random(struct chaos *chaos)
{
	uint64_t x = chaos->state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* One line by one call: whole, whenever the process is killed. */
static void chaos_log(struct chaos *chaos, enum chaos_kind kind, const struct store_io *io)
{
	char line[80];
	int len;

	if (chaos->log < 0)
		return;
	len = snprintf(line, sizeof(line), "%s %u %llu %llu\n", chaos_name(kind),
		       index_level(io->key), (unsigned long long)index_page(io->key),
		       (unsigned long long)io->version);
	if (write(chaos->log, line, len) != len) {
		report_warning("%s: %s: chaos goes on without it", chaos->options.log,
			       strerror(errno));
		close(chaos->log);
		chaos->log = -1;
	}
}

/* Whether a fault of this kind happens now; it is noted before it does. */
static bool chaos_strikes(struct chaos *chaos, enum chaos_kind kind, const struct store_io *io)
{
	/* With a table 512 pages would be lost at a blow. */
	if (index_level(io->key) && (kind == CHAOS_DROP || kind == CHAOS_ROT))
		return false;
	if (!chaos->options.chance[kind] ||
	    chaos_random(chaos) >> 32 >= chaos->options.chance[kind])
		return false;
	chaos->counts[kind]++;
	chaos_log(chaos, kind, io);
	return true;
}

/* Turns one bit of @len bytes; the same call turns it back. */
static void chaos_turn(uint8_t *bytes, uint32_t bit)
{
	bytes[bit / 8] ^= 1 << bit % 8;
}

static uint8_t *chaos_slot(const struct store_io *io)
{
	return io->buf + STORE_ALIGN;
}

/* Of bytes that a checksum covers, so that it is noticed. */
static void chaos_corrupt(struct chaos *chaos, struct store_io *io, uint32_t len)
{
	struct store_slot_info info;

	if (len > STORE_HEADER &&
	    store_slot_read(chaos_slot(io), io->store->uuid, len, &info) &&
	    chaos_strikes(chaos, CHAOS_CORRUPT, io))
		chaos_turn(chaos_slot(io),
			   chaos_random(chaos) % ((STORE_HEADER + info.stored) * 8));
}

/* Tell the end of a transfer. What that starts may end in here as well. */
static void chaos_tell(struct store_io *io)
{
	io->job.done(&io->job, io->chaos.res);
}

/* Tell of those that are held and due, or for which another had to come first. */
static void chaos_release(struct chaos *chaos, bool overtaken)
{
	struct door_queue held = chaos->held;
	int64_t now = clock_ms();
	struct door_job *job;

	if (!held.head)
		return;
	door_queue_init(&chaos->held);
	while ((job = held.head)) {
		struct store_io *io = (struct store_io *)job;

		held.head = job->next;
		if (io->chaos.due <= now || (overtaken && io->chaos.overtake))
			chaos_tell(io);
		else
			door_queue_put(&chaos->held, job);
	}
}

static void chaos_done(struct door_job *job, int res)
{
	struct store_io *io = (struct store_io *)job;
	struct chaos *chaos = io->store->chaos;

	job->done = io->chaos.done;
	io->chaos.res = res;
	if (io->chaos.rotten)
		chaos_turn(chaos_slot(io), io->chaos.rotten);
	if (!job->write && res > 0)
		chaos_corrupt(chaos, io, res);
	io->chaos.overtake = false;
	if (chaos_strikes(chaos, CHAOS_DELAY, io)) {
		io->chaos.due = clock_ms() + 1 + chaos_random(chaos) % chaos->options.delay_ms;
	} else if (chaos_strikes(chaos, CHAOS_REORDER, io)) {
		io->chaos.due = clock_ms() + CHAOS_REORDER_MS;
		io->chaos.overtake = true;
	} else {
		chaos_tell(io);
		chaos_release(chaos, true);
		return;
	}
	door_queue_put(&chaos->held, job);
}

/*
 * A write that carries its segment's header is not dropped: all other records
 * of the segment would be gone with it, and nothing would tell why.
 */
static void chaos_transfer(struct store *store, struct store_io *io)
{
	struct chaos *chaos = store->chaos;

	io->chaos.done = io->job.done;
	io->chaos.rotten = 0;
	io->job.done = chaos_done;
	if (chaos_strikes(chaos, CHAOS_FAIL, io)) {
		chaos_done(&io->job, -EIO);
		return;
	}
	if (io->job.write && !io->has_segment && chaos_strikes(chaos, CHAOS_DROP, io)) {
		chaos_done(&io->job, io->job.len);
		return;
	}
	if (io->job.write && chaos_strikes(chaos, CHAOS_ROT, io)) {
		/* Not bit 0, which stands for none. */
		io->chaos.rotten = 1 + chaos_random(chaos) %
				   ((STORE_HEADER + io->stored) * 8 - 1);
		chaos_turn(chaos_slot(io), io->chaos.rotten);
	}
	chaos->inner->transfer(store, io);
}

static int chaos_get(struct store *store, struct store_io *io)
{
	struct chaos *chaos = store->chaos;
	int ret = chaos->inner->get(store, io);

	if (ret > 0 && chaos_strikes(chaos, CHAOS_FORGE, io))
		chaos_turn(store_record(io), chaos_random(chaos) % (ret * 8));
	return ret;
}

static void chaos_close(struct store *store)
{
	struct chaos *chaos = store->chaos;

	if (chaos->inner->close)
		chaos->inner->close(store);
	if (chaos->log >= 0)
		close(chaos->log);
	free(chaos);
	store->chaos = NULL;
}

static uint64_t chaos_seed(const struct chaos_options *options)
{
	uint64_t seed = options->seed;

	if (!options->has_seed && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = clock_ms();
	return seed;
}

/**
 * chaos_begin() - from now on the store goes wrong
 * @store: the store, open; store_close() ends it
 * @options: how
 *
 * Return: 0 or a negative errno, with the reason reported.
 */
int chaos_begin(struct store *store, const struct chaos_options *options)
{
	struct chaos *chaos = calloc(1, sizeof(*chaos));
	int error;

	if (!chaos)
		return -ENOMEM;
	chaos->log = -1;
	if (options->log) {
		chaos->log = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (chaos->log < 0) {
			error = errno;
			report_error("--chaos log=%s: %s", options->log, strerror(error));
			free(chaos);
			return -error;
		}
	}
	chaos->options = *options;
	chaos->inner = store->ops;
	chaos->ops = *store->ops;
	chaos->ops.get = chaos_get;
	chaos->ops.transfer = chaos_transfer;
	chaos->ops.close = chaos_close;
	chaos->state = chaos_seed(options);
	door_queue_init(&chaos->held);
	store->chaos = chaos;
	store->ops = &chaos->ops;
	report_warning("store %s: it goes wrong on purpose: --chaos seed=%llu", store->path,
		       (unsigned long long)chaos->state);
	return 0;
}

/* How long until chaos_poll() has something to do; ms, -1: nothing is held. */
int chaos_timeout(const struct store *store)
{
	int64_t due = INT64_MAX, now;
	const struct door_job *job;

	if (!store->chaos || !store->chaos->held.head)
		return -1;
	for (job = store->chaos->held.head; job; job = job->next) {
		if (((const struct store_io *)job)->chaos.due < due)
			due = ((const struct store_io *)job)->chaos.due;
	}
	now = clock_ms();
	return due > now ? due - now : 0;
}

/* Tell what is due by now. */
void chaos_poll(struct store *store)
{
	if (store->chaos)
		chaos_release(store->chaos, false);
}

/* How many faults of a kind there were, 0 without chaos. */
uint64_t chaos_count(const struct store *store, enum chaos_kind kind)
{
	return store->chaos ? store->chaos->counts[kind] : 0;
}

/* Say how many of each kind there were. */
void chaos_report(const struct store *store)
{
	char text[CHAOS_KINDS * 32] = "";
	size_t len = 0;
	int kind;

	if (!store->chaos)
		return;
	for (kind = 0; kind < CHAOS_KINDS; kind++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s %llu", kind ? ", " : "",
				chaos_name(kind),
				(unsigned long long)store->chaos->counts[kind]);
	report_info("store %s: went wrong on purpose: %s", store->path, text);
}
