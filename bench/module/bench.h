/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMDOM_BENCH_INTERNAL_H
#define KMDOM_BENCH_INTERNAL_H

#include <crypto/aead.h>
#include <linux/crypto.h>
#include <linux/kmdom_client.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "kmdom_bench.h"

/* The object of kmdom and of its peer. */
struct kb_object {
	u64 number;
	u8 bytes[120];
};

/**
 * struct kb_floors - what the floors work with
 * @aead: with a key of no use
 * @req: its one request
 * @wait: for the end of that
 * @plain_sg: of @plain
 * @sealed_sg: of @sealed
 * @iv: the nonce, always the same
 * @plain: a page, and room for a tag
 * @sealed: the same, sealed
 * @count: up and down
 */
struct kb_floors {
	struct crypto_aead *aead;
	struct aead_request *req;
	struct crypto_wait wait;
	struct scatterlist plain_sg;
	struct scatterlist sealed_sg;
	u8 iv[16];
	u8 *plain;
	u8 *sealed;
	atomic64_t count;
};

/**
 * struct kb_bench - what one open file measures with
 * @lock: held for reading by what several threads do at a time, else for writing
 * @dom: the domain, or NULL
 * @objects: its cache of struct kb_object
 * @pages: its cache of struct kb_page
 * @kmem: the peer's cache
 * @refs: of KB_IOC_FILL's objects, in pages of their own
 * @nr_refs: how many
 * @next: the next of them for KB_FAULT
 * @batch: of the batches, by ref or by address
 * @besides: time of the measurement at hand that is of no account
 * @floors: the floors
 */
struct kb_bench {
	struct rw_semaphore lock;
	struct kmdom_domain *dom;
	struct kmdom_cache *objects;
	struct kmdom_cache *pages;
	struct kmem_cache *kmem;
	kmdom_ref *refs;
	u32 nr_refs;
	u32 next;
	union {
		kmdom_ref refs[KB_BATCH];
		struct kb_object *objects[KB_BATCH];
	} *batch;
	ktime_t besides;
	struct kb_floors floors;
};

typedef int (*kb_work_fn)(struct kb_bench *bench, u32 count);

/* objects.c */
int kb_objects_open(struct kb_bench *bench, const char *domain, bool trim);
void kb_objects_close(struct kb_bench *bench);
int kb_objects_fill(struct kb_bench *bench, u32 count);
int kb_objects_add(struct kb_bench *bench, struct kb_add *add);
int kb_alloc_kmdom(struct kb_bench *bench, u32 count);
int kb_alloc_kmem(struct kb_bench *bench, u32 count);
int kb_batch_kmdom(struct kb_bench *bench, u32 count);
int kb_batch_kmem(struct kb_bench *bench, u32 count);
int kb_pin_kmdom(struct kb_bench *bench, u32 count);
int kb_pin_hot_kmdom(struct kb_bench *bench, u32 count);
int kb_dirty(struct kb_bench *bench, u32 count);
int kb_fault(struct kb_bench *bench, u32 count);

/* floors.c */
int kb_floors_open(struct kb_bench *bench, const char *aead);
void kb_floors_close(struct kb_bench *bench);
int kb_pin_atomic(struct kb_bench *bench, u32 count);
int kb_pin_srcu(struct kb_bench *bench, u32 count);
int kb_seal(struct kb_bench *bench, u32 count);
int kb_unseal(struct kb_bench *bench, u32 count);
int kb_copy(struct kb_bench *bench, u32 count);
int kb_nothing_shared(struct kb_bench *bench, u32 count);

#endif /* KMDOM_BENCH_INTERNAL_H */
