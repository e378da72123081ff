/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tenant that does harm, for the rows about its neighbour.
 */
#ifndef BENCH_RED_H
#define BENCH_RED_H

/**
 * enum red_kind - what red does
 * @RED_NOTHING: there is none
 * @RED_THRASHES: its clients write to objects that are absent, all the time; an honest
 *	kmdomd serves them
 * @RED_STALLS: its pager does not answer its clients, which wait
 * @RED_LIES: its pager answers with forged records, as fast as it can
 */
enum red_kind {
	RED_NOTHING,
	RED_THRASHES,
	RED_STALLS,
	RED_LIES,
};

int red_start(enum red_kind kind);
void red_stop(void);

#endif /* BENCH_RED_H */
