// SPDX-License-Identifier: GPL-2.0
/*
 * What no way of doing it can be cheaper than: the cipher alone, copies, a count up
 * and down.
 */
#include <linux/err.h>
#include <linux/module.h>
#include "bench.h"

#define FLOOR_BYTES	4096
#define FLOOR_TAG	16

DEFINE_STATIC_SRCU(kb_srcu);

static int floors_alloc(struct kb_bench *bench, const char *aead)
{
	struct kb_floors *floors = &bench->floors;

	/* As kmdom asks for it: else the generic code might be chosen. */
	floors->aead = crypto_alloc_aead(aead, 0, CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(floors->aead)) {
		int ret = PTR_ERR(floors->aead);

		floors->aead = NULL;
		return ret;
	}
	floors->req = aead_request_alloc(floors->aead, GFP_KERNEL);
	floors->plain = kzalloc(FLOOR_BYTES + FLOOR_TAG, GFP_KERNEL);
	floors->sealed = kzalloc(FLOOR_BYTES + FLOOR_TAG, GFP_KERNEL);
	return floors->req && floors->plain && floors->sealed ? 0 : -ENOMEM;
}

int kb_floors_open(struct kb_bench *bench, const char *aead)
{
	struct kb_floors *floors = &bench->floors;
	u8 key[32] = "it is of no use";
	int ret;

	ret = floors_alloc(bench, aead);
	if (!ret)
		ret = crypto_aead_setkey(floors->aead, key,
					 strstarts(aead, "aegis128") ? 16 : 32);
	if (!ret)
		ret = crypto_aead_setauthsize(floors->aead, FLOOR_TAG);
	if (ret)
		return ret;
	crypto_init_wait(&floors->wait);
	sg_init_one(&floors->plain_sg, floors->plain, FLOOR_BYTES + FLOOR_TAG);
	sg_init_one(&floors->sealed_sg, floors->sealed, FLOOR_BYTES + FLOOR_TAG);
	aead_request_set_callback(floors->req, 0, crypto_req_done, &floors->wait);
	aead_request_set_ad(floors->req, 0);
	return 0;
}

void kb_floors_close(struct kb_bench *bench)
{
	kfree(bench->floors.sealed);
	kfree(bench->floors.plain);
	aead_request_free(bench->floors.req);
	crypto_free_aead(bench->floors.aead);
}

int kb_pin_atomic(struct kb_bench *bench, u32 count)
{
	while (count--) {
		atomic64_inc(&bench->floors.count);
		atomic64_dec(&bench->floors.count);
	}
	return 0;
}

int kb_pin_srcu(struct kb_bench *bench, u32 count)
{
	int idx;

	while (count--) {
		idx = srcu_read_lock(&kb_srcu);
		srcu_read_unlock(&kb_srcu, idx);
	}
	return 0;
}

int kb_seal(struct kb_bench *bench, u32 count)
{
	struct kb_floors *floors = &bench->floors;
	int ret = 0;

	while (count-- && !ret) {
		memset(floors->iv, 0, sizeof(floors->iv));
		aead_request_set_crypt(floors->req, &floors->plain_sg,
				       &floors->sealed_sg, FLOOR_BYTES, floors->iv);
		ret = crypto_wait_req(crypto_aead_encrypt(floors->req), &floors->wait);
	}
	return ret;
}

/* What kb_seal() left. */
int kb_unseal(struct kb_bench *bench, u32 count)
{
	struct kb_floors *floors = &bench->floors;
	int ret = 0;

	while (count-- && !ret) {
		memset(floors->iv, 0, sizeof(floors->iv));
		aead_request_set_crypt(floors->req, &floors->sealed_sg,
				       &floors->plain_sg, FLOOR_BYTES + FLOOR_TAG,
				       floors->iv);
		ret = crypto_wait_req(crypto_aead_decrypt(floors->req), &floors->wait);
	}
	return ret;
}

int kb_copy(struct kb_bench *bench, u32 count)
{
	while (count--) {
		memcpy(bench->floors.plain, bench->floors.sealed, FLOOR_BYTES);
		barrier();
	}
	return 0;
}

/* On the stack, about as long as an object is alive. */
int kb_nothing_shared(struct kb_bench *bench, u32 count)
{
	u64 mine = count;
	int i;

	while (count--) {
		for (i = 0; i < 256; i++)
			WRITE_ONCE(mine, READ_ONCE(mine) + i);
	}
	return 0;
}
