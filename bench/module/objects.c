// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of kmdom and of its peer, made, pinned and freed as a client does it: each
 * operation from its begin to its end.
 */
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include "bench.h"

struct kb_page {
	u8 bytes[4096];
};

static const struct kmdom_field object_fields[] = {
	KMDOM_F_INT(struct kb_object, number, 0, 0),
	KMDOM_F_BYTES(struct kb_object, bytes, KMDOM_LEN_ALL),
};

static const struct kmdom_type object_type = {
	.name = "kb_object",
	.owner = THIS_MODULE,
	.size = sizeof(struct kb_object),
	.policy = KMDOM_POLICY_SEALED,
	.nr_fields = ARRAY_SIZE(object_fields),
	.fields = object_fields,
};

static const struct kmdom_field page_fields[] = {
	KMDOM_F_BYTES(struct kb_page, bytes, KMDOM_LEN_ALL),
};

static const struct kmdom_type page_type = {
	.name = "kb_page",
	.owner = THIS_MODULE,
	.size = sizeof(struct kb_page),
	.policy = KMDOM_POLICY_SEALED,
	.nr_fields = ARRAY_SIZE(page_fields),
	.fields = page_fields,
};

static const struct kmdom_field trim_fields[] = {
	KMDOM_F_BYTES(struct kb_page, bytes, KMDOM_LEN_TRIM),
};

static const struct kmdom_type trim_type = {
	.name = "kb_trim",
	.owner = THIS_MODULE,
	.size = sizeof(struct kb_page),
	.policy = KMDOM_POLICY_SEALED,
	.nr_fields = ARRAY_SIZE(trim_fields),
	.fields = trim_fields,
};

int kb_objects_open(struct kb_bench *bench, const char *domain, bool trim)
{
	int ret;

	bench->batch = kvzalloc(sizeof(*bench->batch), GFP_KERNEL);
	bench->kmem = kmem_cache_create("kmdom_bench", sizeof(struct kb_object), 0,
					SLAB_NO_MERGE, NULL);
	if (!bench->batch || !bench->kmem)
		return -ENOMEM;
	bench->dom = kmdom_domain_find(domain);
	if (IS_ERR(bench->dom)) {
		ret = PTR_ERR(bench->dom);
		bench->dom = NULL;
		return ret;
	}
	bench->objects = kmdom_cache_attach(bench->dom, &object_type);
	if (IS_ERR(bench->objects)) {
		ret = PTR_ERR(bench->objects);
		bench->objects = NULL;
		return ret;
	}
	bench->pages = kmdom_cache_attach(bench->dom, trim ? &trim_type : &page_type);
	if (IS_ERR(bench->pages)) {
		ret = PTR_ERR(bench->pages);
		bench->pages = NULL;
		return ret;
	}
	return 0;
}

void kb_objects_close(struct kb_bench *bench)
{
	kb_objects_fill(bench, 0);
	kvfree(bench->refs);
	if (bench->pages)
		kmdom_cache_detach(bench->pages);
	if (bench->objects)
		kmdom_cache_detach(bench->objects);
	if (bench->dom)
		kmdom_domain_put(bench->dom);
	kmem_cache_destroy(bench->kmem);
	kvfree(bench->batch);
}

/* Makes one object, and leaves it unpinned. */
static int make(struct kb_bench *bench, struct kmdom_cache *cache, kmdom_ref *ref)
{
	struct kmdom_pin pin = { .cache = cache, .write = true };
	struct kmdom_client_op op;
	int ret;

	kmdom_op_begin(&op, bench->dom, 0);
	ret = kmdom_pin_set(&op, NULL, 0, 1);
	if (!ret)
		ret = kmdom_alloc(&op, &pin);
	if (!ret) {
		*ref = pin.ref;
		kmdom_unpin(&op, &pin);
	}
	kmdom_op_end(&op);
	return ret;
}

static int drop(struct kb_bench *bench, struct kmdom_cache *cache, kmdom_ref ref)
{
	struct kmdom_client_op op;
	int ret;

	kmdom_op_begin(&op, bench->dom, 0);
	ret = kmdom_free(&op, cache, ref);
	kmdom_op_end(&op);
	return ret;
}

int kb_objects_fill(struct kb_bench *bench, u32 count)
{
	int ret = 0;

	while (bench->nr_refs) {
		ret = drop(bench, bench->pages, bench->refs[bench->nr_refs - 1]);
		if (ret)
			return ret;
		bench->nr_refs--;
	}
	kvfree(bench->refs);
	bench->refs = NULL;
	if (!count)
		return 0;
	bench->refs = kvcalloc(count, sizeof(*bench->refs), GFP_KERNEL);
	if (!bench->refs)
		return -ENOMEM;
	while (bench->nr_refs < count && !ret) {
		ret = make(bench, bench->pages, &bench->refs[bench->nr_refs]);
		bench->nr_refs += !ret;
		cond_resched();
	}
	return ret;
}

/* Room for one more; rare, and few at that. */
static int keep(struct kb_bench *bench, kmdom_ref ref)
{
	kmdom_ref *refs = kvrealloc(bench->refs, array_size(bench->nr_refs + 1, sizeof(*refs)),
				    GFP_KERNEL);

	if (!refs)
		return -ENOMEM;
	bench->refs = refs;
	refs[bench->nr_refs++] = ref;
	return 0;
}

int kb_objects_add(struct kb_bench *bench, struct kb_add *add)
{
	kmdom_ref ref;
	int ret = 0;
	u32 i;

	for (i = 0; i < add->count && !ret; i++) {
		ret = make(bench, bench->pages, &ref);
		if (!ret && !i)
			add->page = ref >> 8;
		if (!ret && ref >> 8 != add->page + i)
			ret = -EBADSLT;
		if (!ret && add->every && i % add->every == 0)
			ret = keep(bench, ref);
		cond_resched();
	}
	return ret;
}

int kb_alloc_kmdom(struct kb_bench *bench, u32 count)
{
	struct kmdom_pin pin = { .cache = bench->objects, .write = true };
	struct kmdom_client_op op;
	int ret = 0;

	while (count-- && !ret) {
		kmdom_op_begin(&op, bench->dom, 0);
		ret = kmdom_pin_set(&op, NULL, 0, 1);
		if (!ret)
			ret = kmdom_alloc(&op, &pin);
		if (!ret)
			kmdom_free_pinned(&op, &pin);
		kmdom_op_end(&op);
	}
	return ret;
}

int kb_alloc_kmem(struct kb_bench *bench, u32 count)
{
	void *object;

	while (count--) {
		object = kmem_cache_alloc(bench->kmem, GFP_KERNEL);
		if (!object)
			return -ENOMEM;
		kmem_cache_free(bench->kmem, object);
	}
	return 0;
}

int kb_batch_kmdom(struct kb_bench *bench, u32 count)
{
	int i, ret = 0;

	if (count % KB_BATCH)
		return -EINVAL;
	for (; count && !ret; count -= KB_BATCH) {
		for (i = 0; i < KB_BATCH && !ret; i++)
			ret = make(bench, bench->objects, &bench->batch->refs[i]);
		while (i--)
			if (drop(bench, bench->objects, bench->batch->refs[i]))
				ret = -EIO;
	}
	return ret;
}

int kb_batch_kmem(struct kb_bench *bench, u32 count)
{
	struct kb_object **objects = bench->batch->objects;
	int i, ret = 0;

	if (count % KB_BATCH)
		return -EINVAL;
	for (; count && !ret; count -= KB_BATCH) {
		for (i = 0; i < KB_BATCH; i++) {
			objects[i] = kmem_cache_alloc(bench->kmem, GFP_KERNEL);
			if (!objects[i]) {
				ret = -ENOMEM;
				break;
			}
		}
		while (i--)
			kmem_cache_free(bench->kmem, objects[i]);
	}
	return ret;
}

static __always_inline int pin_once(struct kb_bench *bench, kmdom_ref ref, bool write,
				    bool *waited)
{
	struct kmdom_pin pin = { .ref = ref, .cache = bench->pages, .write = write };
	struct kmdom_client_op op;
	int ret;

	kmdom_op_begin(&op, bench->dom, 0);
	ret = kmdom_pin_set(&op, &pin, 1, 0);
	if (!ret) {
		if (write)
			WRITE_ONCE(*(u64 *)pin.obj, ref);
		else
			READ_ONCE(*(u64 *)pin.obj);
		kmdom_unpin(&op, &pin);
	}
	*waited = op.waited;
	kmdom_op_end(&op);
	return ret;
}

int kb_pin_kmdom(struct kb_bench *bench, u32 count)
{
	u64 seed = task_pid_nr(current);
	bool waited;
	int ret = 0;

	if (!bench->nr_refs)
		return -ENODATA;
	while (count-- && !ret) {
		/* Knuth's MMIX generator: three instructions, of no account. */
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		ret = pin_once(bench, bench->refs[(seed >> 32) * bench->nr_refs >> 32],
			       false, &waited);
	}
	return ret;
}

int kb_pin_hot_kmdom(struct kb_bench *bench, u32 count)
{
	bool waited;
	int ret = 0;

	if (!bench->nr_refs)
		return -ENODATA;
	while (count-- && !ret)
		ret = pin_once(bench, bench->refs[0], false, &waited);
	return ret;
}

int kb_dirty(struct kb_bench *bench, u32 count)
{
	bool waited;
	int ret = 0;

	if (!bench->nr_refs)
		return -ENODATA;
	while (count-- && !ret)
		ret = pin_once(bench, bench->refs[count % bench->nr_refs], true, &waited);
	return ret;
}

/* Who is present is passed by, twice round at most. */
int kb_fault(struct kb_bench *bench, u32 count)
{
	u64 patience = 2ULL * bench->nr_refs + count;
	ktime_t begin;
	bool waited;
	int ret = 0;

	while (count && !ret) {
		if (!patience--)
			return -ENODATA;
		bench->next = (bench->next + 1) % bench->nr_refs;
		begin = ktime_get();
		ret = pin_once(bench, bench->refs[bench->next], false, &waited);
		if (waited)
			count--;
		else
			bench->besides = ktime_add(bench->besides,
						   ktime_sub(ktime_get(), begin));
		cond_resched();
	}
	return ret;
}
