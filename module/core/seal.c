// SPDX-License-Identifier: GPL-2.0
/*
 * seal.c - encrypt and authenticate records: one key a domain
 *
 * The nonce is the record's version, so whoever seals takes a new version
 * first and never gives it back. The key is drawn here, lives in the
 * transform only, and is wiped with it; version 0 is no record's, and is spent
 * on trying the algorithm.
 *
 * The crypto API is asked for algorithms that do not allocate per request,
 * and asynchronous ones are waited for: to ask for synchronous ones would
 * select the generic code instead of the processor's instructions.
 */
#include <crypto/aead.h>
#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <uapi/linux/kmdom.h>
#include "record.h"
#include "seal.h"

#define SEAL_KEY_MAX	32
#define SEAL_IV_MAX	16

/**
 * struct seal_alg - an AEAD that is offered
 * @name: in the crypto API
 * @key_size: of the strongest key that it takes, in bytes
 * @iv_size: of its nonce, in bytes
 *
 * Not whatever the crypto API can build from a name: the one who names it may
 * be a hostile pager, and there are templates whose nonce must not be a
 * counter, and ciphers that are none.
 */
struct seal_alg {
	const char *name;
	unsigned int key_size;
	unsigned int iv_size;
};

static const struct seal_alg seal_algs[] = {
	{ KMDOM_SEAL_DEFAULT, 32, 12 },
	{ "aegis128", 16, 16 },
	{ "rfc7539(chacha20,poly1305)", 32, 12 },
};

struct kmdom_seal {
	struct crypto_aead *tfm;
	unsigned int key_size;
};

/**
 * struct kmdom_seal_request - all that one sealing at a time needs
 * @wait: for the end of an asynchronous one
 * @sg: the record, or its header and its tag
 * @iv: the nonce; here since drivers may want it in memory that can be mapped
 * @aead: the crypto API's request, with room for the algorithm's own
 */
struct kmdom_seal_request {
	struct crypto_wait wait;
	struct scatterlist sg[2];
	u8 iv[SEAL_IV_MAX];
	struct aead_request aead;
};

static const struct seal_alg *seal_alg_find(const char *name)
{
	unsigned int i;

	if (!*name)
		return &seal_algs[0];
	for (i = 0; i < ARRAY_SIZE(seal_algs); i++) {
		if (!strcmp(name, seal_algs[i].name))
			return &seal_algs[i];
	}
	return NULL;
}

/* Waits for the random number generator after boot, unless a signal comes. */
static int seal_set_key(struct crypto_aead *tfm, unsigned int size)
{
	u8 key[SEAL_KEY_MAX];
	int ret;

	ret = get_random_bytes_wait(key, size);
	if (!ret)
		ret = crypto_aead_setkey(tfm, key, size);
	else
		ret = -EINTR;
	memzero_explicit(key, sizeof(key));
	return ret;
}

/* Seals and opens an empty record: an algorithm that cannot is not offered. */
static int seal_try(struct kmdom_seal *seal)
{
	struct kmdom_seal_request *req;
	void *buf;
	int ret = -ENOMEM;

	req = kmdom_seal_request_alloc(seal, GFP_KERNEL);
	buf = kzalloc(KMDOM_RECORD_MIN, GFP_KERNEL);
	if (req && buf)
		ret = kmdom_seal_record(req, KMDOM_POLICY_SEALED, buf,
					KMDOM_RECORD_MIN, 0);
	if (!ret)
		ret = kmdom_unseal_record(req, KMDOM_POLICY_SEALED, buf,
					  KMDOM_RECORD_MIN, 0);
	kfree(buf);
	kmdom_seal_request_free(req);
	return ret;
}

static int seal_init(struct kmdom_seal *seal, const struct seal_alg *alg)
{
	int ret;

	seal->tfm = crypto_alloc_aead(alg->name, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(seal->tfm))
		return PTR_ERR(seal->tfm);
	ret = -EOPNOTSUPP;
	if (crypto_aead_ivsize(seal->tfm) != alg->iv_size)
		goto free_tfm;
	ret = crypto_aead_setauthsize(seal->tfm, KMDOM_TAG_SIZE);
	if (ret)
		goto free_tfm;
	seal->key_size = alg->key_size;
	ret = seal_set_key(seal->tfm, seal->key_size);
	if (ret)
		goto free_tfm;
	ret = seal_try(seal);
	if (ret)
		goto free_tfm;
	return 0;

free_tfm:
	crypto_free_aead(seal->tfm);
	return ret;
}

/**
 * kmdom_seal_create - draw a key
 * @aead: name of an algorithm of struct kmdom_create; empty for the default
 *
 * Context: process; may sleep, and load the algorithm's module.
 * Return: the seal; -EOPNOTSUPP if the algorithm is not offered or this kernel
 * lacks it; -ENOMEM; -EINTR if a signal ended a wait.
 */
struct kmdom_seal *kmdom_seal_create(const char *aead)
{
	const struct seal_alg *alg = seal_alg_find(aead);
	struct kmdom_seal *seal;
	int ret;

	if (!alg)
		return ERR_PTR(-EOPNOTSUPP);
	seal = kzalloc(sizeof(*seal), GFP_KERNEL_ACCOUNT);
	if (!seal)
		return ERR_PTR(-ENOMEM);
	ret = seal_init(seal, alg);
	if (!ret)
		return seal;

	kfree(seal);
	if (ret != -ENOMEM && ret != -EINTR)
		ret = -EOPNOTSUPP;
	return ERR_PTR(ret);
}

/**
 * kmdom_seal_erase - put a key that nobody knows in the place of a key
 * @seal: the seal, of which no request is at work
 *
 * For a domain that has ended while requests still exist, which a pager that
 * stands still can make last: the records are noise from now on.
 *
 * Context: process; may sleep.
 */
void kmdom_seal_erase(struct kmdom_seal *seal)
{
	u8 key[SEAL_KEY_MAX];

	get_random_bytes(key, seal->key_size);
	/* Without memory the old key stays until the seal goes. */
	if (crypto_aead_setkey(seal->tfm, key, seal->key_size))
		pr_warn_ratelimited("kmdom: no memory to erase a key early\n");
	memzero_explicit(key, sizeof(key));
}

/**
 * kmdom_seal_destroy - wipe a key: its records are noise from now on
 * @seal: the seal, of which no request exists any more, or NULL
 *
 * Context: process; may sleep.
 */
void kmdom_seal_destroy(struct kmdom_seal *seal)
{
	if (!seal)
		return;
	crypto_free_aead(seal->tfm);
	kfree(seal);
}

/**
 * kmdom_seal_request_alloc - make what one sealing at a time needs
 * @seal: the key that it will seal and open with; must outlive the request
 * @gfp: how to allocate
 *
 * Context: as @gfp says.
 * Return: the request, or NULL.
 */
struct kmdom_seal_request *kmdom_seal_request_alloc(struct kmdom_seal *seal,
						    gfp_t gfp)
{
	struct kmdom_seal_request *req;

	req = kzalloc(sizeof(*req) + crypto_aead_reqsize(seal->tfm), gfp);
	if (!req)
		return NULL;
	aead_request_set_tfm(&req->aead, seal->tfm);
	aead_request_set_callback(&req->aead,
				  CRYPTO_TFM_REQ_MAY_SLEEP |
				  CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &req->wait);
	crypto_init_wait(&req->wait);
	return req;
}

/**
 * kmdom_seal_request_free - free and wipe a request
 * @req: the request, not at work, or NULL
 *
 * Context: any.
 */
void kmdom_seal_request_free(struct kmdom_seal_request *req)
{
	kfree_sensitive(req);
}

/*
 * Lays the record out for the cipher, in place. For the crypto API it is
 * associated data, text, tag. SEALED: the header, the payload. SIGNED: all before
 * the tag is associated data, and the text is empty. CHECKED: the header alone
 * is, and the payload is left out. Returns the bytes of text, or a negative
 * errno.
 */
static int seal_prepare(struct kmdom_seal_request *req, u8 policy,
			void *buf, size_t len, u64 version)
{
	size_t assoc = sizeof(struct kmdom_record), body;
	int text = 0;

	if (len < KMDOM_RECORD_MIN || len > KMDOM_RECORD_MAX)
		return -EINVAL;
	body = len - KMDOM_TAG_SIZE;
	sg_init_one(req->sg, buf, len);
	switch (policy) {
	case KMDOM_POLICY_SEALED:
		text = body - assoc;
		break;
	case KMDOM_POLICY_SIGNED:
		assoc = body;
		break;
	case KMDOM_POLICY_CHECKED:
		sg_init_table(req->sg, ARRAY_SIZE(req->sg));
		sg_set_buf(&req->sg[0], buf, assoc);
		sg_set_buf(&req->sg[1], buf + body, KMDOM_TAG_SIZE);
		break;
	default:
		return -EINVAL;
	}
	memset(req->iv, 0, sizeof(req->iv));
	put_unaligned_le64(version, req->iv);
	aead_request_set_ad(&req->aead, assoc);
	return text;
}

/**
 * kmdom_seal_record - encrypt (SEALED) and authenticate a record, in place
 * @req: a request of the domain's seal; used by nobody else meanwhile
 * @policy: enum kmdom_policy
 * @buf: the whole record with room for the tag; of kmalloc(), not on a stack
 * @len: its length with the tag
 * @version: the record's; was never sealed with this key before
 *
 * Context: process; may sleep; allocates nothing.
 * Return: 0; -EINVAL if @len or @policy cannot be; another negative errno if
 * the algorithm failed, after which @buf must not leave the kernel.
 */
int kmdom_seal_record(struct kmdom_seal_request *req, u8 policy,
		      void *buf, size_t len, u64 version)
{
	int text = seal_prepare(req, policy, buf, len, version);

	if (text < 0)
		return text;
	aead_request_set_crypt(&req->aead, req->sg, req->sg, text, req->iv);
	return crypto_wait_req(crypto_aead_encrypt(&req->aead), &req->wait);
}

/**
 * kmdom_unseal_record - authenticate and decrypt (SEALED) a record, in place
 * @req: a request of the domain's seal; used by nobody else meanwhile
 * @policy: enum kmdom_policy
 * @buf: the record, its header as the kernel would write it; of kmalloc()
 * @len: its length with the tag
 * @version: that it must have
 *
 * Context: process; may sleep; allocates nothing.
 * Return: 0; -EBADMSG if it is not authentic, after which what @buf holds is
 * undefined; -EINVAL if @len or @policy cannot be; another negative errno if
 * the algorithm failed.
 */
int kmdom_unseal_record(struct kmdom_seal_request *req, u8 policy,
			void *buf, size_t len, u64 version)
{
	int text = seal_prepare(req, policy, buf, len, version);

	if (text < 0)
		return text;
	aead_request_set_crypt(&req->aead, req->sg, req->sg,
			       text + KMDOM_TAG_SIZE, req->iv);
	return crypto_wait_req(crypto_aead_decrypt(&req->aead), &req->wait);
}
