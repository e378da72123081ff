/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A store to be tested, with records whose bytes follow from page and version.
 */
#ifndef BENCH_H
#define BENCH_H

#include "../kmdomd/store.h"

#define PAGES	200
#define SIZE	(4 << 20)
#define BENCH_SETTINGS	3

extern const uint8_t uuid[16];
extern const uint8_t other_uuid[16];

/* A kind of store, and the door of its transfers. */
struct setting {
	const char *kind;
	const struct door_ops *door;
};

extern const struct setting bench_settings[BENCH_SETTINGS];

#define FOR_EACH_SETTING(setting)					\
	for (setting = bench_settings; setting < bench_settings + BENCH_SETTINGS; setting++)

/**
 * struct bench - a store, and one record's buffer
 * @path: of the store's file
 * @options: to open it
 * @store: the store
 * @door: for its transfers; has no session
 * @io: the buffer
 * @done: the transfer has ended
 * @ret: with this
 */
struct bench {
	char path[64];
	struct store_options options;
	struct store store;
	struct door door;
	struct store_io io;
	bool done;
	int ret;
};

void bench_path(struct bench *bench);
int bench_open_as(struct bench *bench, const struct setting *setting,
		  const uint8_t *id, uint64_t size, bool replace);
int bench_open(struct bench *bench, const struct setting *setting);
void bench_close(struct bench *bench);
int bench_wait(struct bench *bench);
uint32_t record_length(uint64_t page, uint64_t version);
void record_fill(void *buf, const uint8_t *id, uint64_t page, uint64_t version);
int bench_put_begin(struct bench *bench, uint64_t page, uint64_t version);
int bench_put(struct bench *bench, uint64_t page, uint64_t version);
int bench_put_again(struct bench *bench);
int bench_get(struct bench *bench, uint64_t page, uint64_t version);

#endif /* BENCH_H */
