/* SPDX-License-Identifier: GPL-2.0 */
/*
 * seal.h - encrypt and authenticate records: one key a domain
 *
 * A seal is the domain's key in a transform of the crypto API. It has no lock:
 * it does not change after kmdom_seal_create(), and any number of requests
 * may be at work on it at once, each by one task. The requests go first.
 */
#ifndef KMDOM_SEAL_H
#define KMDOM_SEAL_H

#include <linux/types.h>

/* The AEAD of a domain that names none. */
#define KMDOM_SEAL_DEFAULT	"gcm(aes)"

struct kmdom_seal;
struct kmdom_seal_request;

struct kmdom_seal *kmdom_seal_create(const char *aead);
void kmdom_seal_erase(struct kmdom_seal *seal);
void kmdom_seal_destroy(struct kmdom_seal *seal);

struct kmdom_seal_request *kmdom_seal_request_alloc(struct kmdom_seal *seal,
						    gfp_t gfp);
void kmdom_seal_request_free(struct kmdom_seal_request *req);

int kmdom_seal_record(struct kmdom_seal_request *req, u8 policy,
		      void *buf, size_t len, u64 version);
int kmdom_unseal_record(struct kmdom_seal_request *req, u8 policy,
			void *buf, size_t len, u64 version);

#endif /* KMDOM_SEAL_H */
