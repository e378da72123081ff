/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* ioctls of /dev/kmdom_bench, for bench alone. */
#ifndef _KMDOM_BENCH_H
#define _KMDOM_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What is done over and over, by kmdom and by its peers. */
enum kb_work {
	KB_ALLOC_KMDOM,		/* an object of 128 bytes is made and freed */
	KB_ALLOC_KMEM,
	KB_BATCH_KMDOM,		/* KB_BATCH of them are made, then all are freed */
	KB_BATCH_KMEM,
	KB_PIN_KMDOM,		/* one of KB_IOC_FILL's is pinned, at random */
	KB_PIN_HOT_KMDOM,	/* always the same one */
	KB_PIN_ATOMIC,
	KB_PIN_SRCU,
	KB_DIRTY,		/* KB_IOC_FILL's are pinned for writing, one after the other */
	KB_FAULT,		/* the next absent one of them is pinned, from where the last was */
	KB_SEAL,		/* 4 KiB by the domain's AEAD */
	KB_UNSEAL,
	KB_COPY,		/* 4 KiB */
	KB_NOTHING_SHARED,	/* what two processors have nothing in common for */
	KB_WORKS,
};

#define KB_BATCH	1024

/**
 * struct kb_domain - where kmdom's objects are to be
 * @name: of the domain, resident and with free frames
 * @aead: its cipher, for the floors
 * @trim: records of KB_IOC_FILL's objects are short: only what is not zero leaves
 * @reserved: 0
 */
struct kb_domain {
	char name[64];
	char aead[64];
	__u32 trim;
	__u32 reserved;
};

/**
 * struct kb_fill - objects that stay, each alone in its page
 * @count: how many; those of before are freed
 */
struct kb_fill {
	__u32 count;
	__u32 reserved;
};

/**
 * struct kb_add - more objects that stay, each alone in its page
 * @count: how many
 * @every: so many apart are those that become KB_IOC_FILL's; 0: none does. The others
 *	end with the domain
 * @page: out: index of the first one's page; the others follow
 */
struct kb_add {
	__u32 count;
	__u32 every;
	__u64 page;
};

/**
 * struct kb_run - one measurement
 * @work: enum kb_work
 * @count: how many times; of batches, a multiple of KB_BATCH
 * @ns: out: time that they took all together; of KB_FAULT, those that waited
 */
struct kb_run {
	__u32 work;
	__u32 count;
	__u64 ns;
};

/**
 * struct kb_busy - time that the processors have worked, all together, since they began
 * @ns: out: to the microsecond
 */
struct kb_busy {
	__u64 ns;
};

#define KB_IOC_DOMAIN	_IOW(0xD9, 0, struct kb_domain)
#define KB_IOC_FILL	_IOW(0xD9, 1, struct kb_fill)
#define KB_IOC_RUN	_IOWR(0xD9, 2, struct kb_run)
#define KB_IOC_BUSY	_IOR(0xD9, 3, struct kb_busy)
#define KB_IOC_ADD	_IOWR(0xD9, 4, struct kb_add)

#endif /* _KMDOM_BENCH_H */
