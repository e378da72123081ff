/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of kmdom_test, from the test itself and from its helper processes. */
#ifndef KT_CLIENT_H
#define KT_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include "kmdom_test.h"
#include "proc.h"

#define KT_REF_INDEX(ref)	((ref) >> 8)
#define KT_REF_SLOT(ref)	((ref) & 0xff)

/**
 * struct kt_call - a request for a helper process
 * @fd: client
 * @cmd: KT_IOC_*
 * @req: the request; its buf must be shared memory
 */
struct kt_call {
	int fd;
	unsigned int cmd;
	struct kt_req req;
};

int client_open(void);
int kt(int fd, unsigned int cmd, struct kt_req *req);
int client_find(int fd, const char *name);
int client_attach(int fd, unsigned int type);
int client_usage(int fd, struct kt_usage *usage);

int kt_new(int fd, unsigned int op, unsigned int type, const void *obj,
	   size_t len, uint64_t *ref);
int kt_get(int fd, unsigned int op, unsigned int type, uint64_t ref, void *obj,
	   size_t len);
int kt_set(int fd, unsigned int op, unsigned int type, uint64_t ref,
	   const void *obj, size_t len);
int kt_del(int fd, unsigned int op, unsigned int type, uint64_t ref);
int kt_pin(int fd, unsigned int op, unsigned int type, uint64_t ref, int write);
int kt_end(int fd, unsigned int op);

void kt_start(struct proc *proc, int fd, unsigned int cmd, struct kt_req *req);
int kt_finish(struct proc *proc, struct kt_req *req);
int kt_call(struct proc *proc, int fd, unsigned int cmd, struct kt_req *req);

/* The same, by a helper: to be waited for, or at once. */
int px_new(struct proc *proc, int fd, unsigned int type, const void *obj,
	   size_t len, uint64_t *ref);
int px_get(struct proc *proc, int fd, unsigned int type, uint64_t ref,
	   void *obj, size_t len);
int px_set(struct proc *proc, int fd, unsigned int type, uint64_t ref,
	   const void *obj, size_t len);
int px_del(struct proc *proc, int fd, unsigned int type, uint64_t ref);
void px_get_start(struct proc *proc, int fd, unsigned int type, uint64_t ref,
		  size_t len);
int px_get_finish(struct proc *proc, void *obj, size_t len);

void small_fill(struct kt_small *obj, uint64_t seed);
int small_check(const struct kt_small *obj, uint64_t seed);
void bytes_fill(void *buf, size_t len, uint64_t seed);
int bytes_check(const void *buf, size_t len, uint64_t seed);

#endif /* KT_CLIENT_H */
