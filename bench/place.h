/* SPDX-License-Identifier: GPL-2.0 */
/*
 * File systems that rows are measured on.
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

/**
 * struct place - where a file system is mounted
 * @type: of it
 * @options: of the mount
 * @dir: where; made if it is not there
 * @source: what is mounted; NULL: nothing
 */
struct place {
	const char *type;
	const char *options;
	const char *dir;
	const char *source;
};

int place_use(const struct place *place);
int place_open(const struct place *place);
int place_renew(const struct place *place);
void place_leave(const struct place *place);

#endif /* BENCH_PLACE_H */
