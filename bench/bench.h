/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rows of the benchmark share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>
#include "module/kmdom_bench.h"

#define BENCH_DOMAIN	"bench"
#define BENCH_AEAD	"gcm(aes)"
#define BENCH_FRAMES	8192	/* of the domain, all granted */
#define BENCH_PAGES	1000	/* resident, of KB_IOC_FILL */
#define BENCH_BATCH	64	/* pages in one exchange */
#define BENCH_SAMPLES	9	/* of each side of a row, taken in turn */

/**
 * struct bench_spec - a domain
 * @domain: its name
 * @aead: its cipher
 * @frames: that it may have, all granted
 * @trim: records of its pages are short
 */
struct bench_spec {
	const char *domain;
	const char *aead;
	uint32_t frames;
	bool trim;
};

/**
 * struct bench - a domain whose pager is this process, and the module's client of it
 * @spec: of it
 * @dev: of kmdom
 * @session: this process's
 * @batch: for its exchanges
 * @client: of client_open()
 */
struct bench {
	const struct bench_spec *spec;
	int dev;
	struct kmdom_session *session;
	struct kmdom_batch *batch;
	int client;
};

/**
 * struct side - kmdom, or a peer of its
 * @name: as it stands in the table
 * @measure: one sample: what an operation costs, or a negative errno
 * @arg: for @measure
 */
struct side {
	const char *name;
	double (*measure)(struct bench *bench, const void *arg);
	const void *arg;
};

#define ROW_SIDES	5	/* at most: kmdom, and peers */

/**
 * struct row - a row of the table for each of its peers
 * @name: of the row
 * @samples: of each side; 0: BENCH_SAMPLES
 * @sides: kmdom first; up to the first without a name
 * @unit: of its figures; NULL: what the clock counts
 * @higher: more is better
 * @once: takes long and is the same every time: one sample, in the first boot alone
 * @alone: in a boot of its own, of two processors and an honest clock
 */
struct row {
	const char *name;
	int samples;
	struct side sides[ROW_SIDES + 1];
	const char *unit;
	bool higher;
	bool once;
	bool alone;
};

/* Up to the first without a name. */
extern const struct row kernel_rows[];
extern const struct row page_rows[];
extern const struct row fault_rows[];
extern const struct row fs_rows[];
extern const struct row remove_rows[];
extern const struct row resident_rows[];
extern const struct row tenfold_rows[];
extern const struct row neighbour_rows[];
extern const struct row growth_rows[];
extern const struct row residue_rows[];
extern const struct row cipher_rows[];
extern const struct row domains_rows[];
extern const struct row scale_rows[];

/* Nanoseconds: instructions, if the clock counts those. */
uint64_t bench_now(void);

int bench_open(struct bench *bench, const struct bench_spec *spec);
void bench_close(struct bench *bench);

/* What rows began ends; before bench_close(). */
void fault_close(void);
void fs_close(void);
void remove_close(void);
void resident_close(void);
void tenfold_close(void);
void neighbour_close(void);
void growth_close(void);
void cipher_close(void);
void domains_close(void);

/* client.c */
int client_open(const char *domain, const char *aead);
int client_open_trim(const char *domain, const char *aead);
int client_fill(int client, uint32_t count);
int client_push_out(const char *domain, uint32_t frames);
int client_add(int client, uint32_t count, uint32_t every, uint64_t *page);
double client_run(int client, enum kb_work work, uint32_t count);
int client_busy(int client, uint64_t *ns);

/* rows_page.c, rows_fault.c: for a row's side */
double measure_export(struct bench *bench, const void *arg);
double measure_restore(struct bench *bench, const void *arg);
double measure_floor(struct bench *bench, const void *arg);
double measure_fault(struct bench *bench, const void *arg);

/* kernel_memory.c */
int kernel_memory_drop(void);
int64_t kernel_memory(void);

/* uffd.c, pipe.c, zram.c: for a row's side */
double measure_uffd(struct bench *bench, const void *arg);
double measure_uffd_thread(struct bench *bench, const void *arg);
double measure_uffd_batch(struct bench *bench, const void *arg);
double measure_pipe(struct bench *bench, const void *arg);
double measure_zram_write(struct bench *bench, const void *arg);
double measure_zram_read(struct bench *bench, const void *arg);

#endif /* BENCH_H */
