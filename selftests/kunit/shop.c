// SPDX-License-Identifier: GPL-2.0
/*
 * shop.c - a cache in a bed, and the reference that it is compared with
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "shop.h"

/* On one CPU, so that one magazine is used. */
void shop_begin(struct shop *shop, struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, 0, set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id())));
	memset(shop, 0, sizeof(*shop));
	shop->bed = bed_new(test, SHOP_FRAMES);
	shop->pool = bed_granted(shop->bed, SHOP_FRAMES);
	xa_init(&shop->objects);
	shop->first = 1;
}

/* A type lives as long as its cache is attached, or the test. */
struct shop_type {
	struct kmdom_type type;
	char name[KMDOM_TYPE_MAX];
};

/* Opens a cache for objects of a size, of which each has its own type. */
void shop_open(struct shop *shop, struct kunit *test, u16 size)
{
	struct shop_type *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	snprintf(t->name, sizeof(t->name), "size %u", size);
	t->type = (struct kmdom_type) {
		.name = t->name, .owner = THIS_MODULE, .size = size,
		.policy = KMDOM_POLICY_SIGNED,
	};
	shop->size = size;
	shop->cache = kmdom_cache_attach(&shop->bed->dom, &t->type);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, shop->cache);
}

struct kmdom_frame *shop_page(struct shop *shop, u64 index)
{
	struct kmdom_frame *frame = NULL;
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_read(&shop->bed->dom.table, index);
	if (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT)
		frame = kmdom_entry_frame(entry);
	rcu_read_unlock();
	return frame;
}

u64 shop_last(const struct shop *shop)
{
	return atomic64_read(&shop->bed->dom.table.cursor) - 1;
}

/* Takes the page's free slots out of the magazine, as an export does it. */
void shop_drop(struct kmdom_frame *frame)
{
	EXPECT_EQ(kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_WRITE), 0);
	kmdom_slab_drop_magazines(frame);
	kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_WRITE);
}

/* Pages without objects can stay for their slots in magazines: they go now. */
void shop_sweep(struct shop *shop)
{
	u64 index;

	for (index = shop->first; index <= shop_last(shop); index++) {
		struct kmdom_frame *frame = shop_page(shop, index);

		if (!frame)
			continue;
		shop_drop(frame);
		EXPECT(kmdom_slab_release(&shop->bed->dom, index));
	}
	shop->first = shop_last(shop) + 1;
}

void shop_close(struct shop *shop)
{
	shop_sweep(shop);
	EXPECT_EQ(shop->nr, 0);
	EXPECT_EQ(atomic64_read(&shop->cache->nr_pages), 0);
	EXPECT_EQ(atomic64_read(&shop->bed->dom.pages_present), 0);
	EXPECT_EQ(atomic64_read(&shop->bed->dom.pages_absent), 0);
	EXPECT(list_empty(&shop->cache->partial));
	kmdom_cache_detach(shop->cache);
	EXPECT_EQ(atomic_long_read(&shop->cache->users), 0);
}

void shop_end(struct shop *shop)
{
	u32 i;

	kmdom_table_cut(&shop->bed->dom.table);
	bed_settle(shop->bed);
	for (i = 0; i < SHOP_FRAMES; i++) {
		struct kmdom_frame *frame = &shop->pool->frames[i];

		if (frame->state == KMDOM_FRAME_TABLE) {
			atomic64_set(&frame->pins, KMDOM_PIN_FROZEN);
			kmdom_frame_withdraw(frame);
			kmdom_frame_put(frame);
		}
	}
	bed_check_ledger(shop->bed);
	bed_pool_drop(shop->pool);
	kmdom_caches_destroy(&shop->bed->dom);
	xa_destroy(&shop->objects);
	bed_end(shop->bed);
}

/* The byte that an object is filled with: not zero, and not its neighbour's. */
static u8 filling(kmdom_ref ref)
{
	return 1 + (kmdom_ref_index(ref) * 31 + kmdom_ref_slot(ref)) % 255;
}

/* A new object, checked and filled; its ref, or 0. */
kmdom_ref shop_alloc(struct shop *shop)
{
	struct kmdom_ledger *ledger = &shop->bed->dom.ledger;
	struct kmdom_pin pin = { .cache = shop->cache, .write = true };
	unsigned int promised = SHOP_PROMISE;
	u16 size = shop->size;
	void *page;

	if (!kmdom_frames_reserve(ledger, SHOP_PROMISE, KMDOM_CLAIM_OLDEST)) {
		/* Tables that were pruned are in their grace period. */
		bed_settle(shop->bed);
		bed_promise(shop->bed, SHOP_PROMISE);
	}
	EXPECT_EQ(kmdom_slab_alloc(shop->cache, &pin, &promised), 0);
	kmdom_frames_unreserve(ledger, promised);
	if (!pin.frame)
		return 0;
	page = kmdom_frame_data(pin.frame);
	EXPECT(pin.obj == page + kmdom_ref_slot(pin.ref) * size);
	EXPECT(pin.obj + size <= page + KMDOM_FRAME_SIZE);
	EXPECT(!memchr_inv(pin.obj, 0, size));
	EXPECT(READ_ONCE(pin.frame->dirty));
	EXPECT(pin.frame == shop_page(shop, kmdom_ref_index(pin.ref)));
	/* Nobody has it already. */
	EXPECT(!xa_load(&shop->objects, pin.ref));
	memset(pin.obj, filling(pin.ref), size);
	kmdom_frame_unpin(&shop->bed->dom, pin.frame, true);
	xa_store(&shop->objects, pin.ref, xa_mk_value(filling(pin.ref)), GFP_KERNEL);
	shop->nr++;
	return pin.ref;
}

/* Ends an object, which is as it was left. */
void shop_free(struct shop *shop, kmdom_ref ref)
{
	struct kmdom_frame *frame = shop_page(shop, kmdom_ref_index(ref));
	unsigned int slot = kmdom_ref_slot(ref);
	u16 size = shop->size;

	EXPECT(frame);
	if (!frame)
		return;
	EXPECT(kmdom_frame_try_pin(frame, true));
	EXPECT(!memchr_inv(kmdom_frame_data(frame) + slot * size, filling(ref), size));
	kmdom_slab_free(frame, slot);
	EXPECT(xa_erase(&shop->objects, ref));
	shop->nr--;
}

/* The bitmaps of a page against the objects that there are. */
void shop_check_page(struct shop *shop, u64 index)
{
	const struct kmdom_frame *frame = shop_page(shop, index);
	DECLARE_BITMAP(wanted, KMDOM_SLOTS_PER_PAGE) = {};
	DECLARE_BITMAP(either, KMDOM_SLOTS_PER_PAGE);
	unsigned int slots = shop->cache->schema.slots;
	unsigned long ref;
	void *entry;

	xa_for_each_range(&shop->objects, ref, entry, kmdom_ref_make(index, 0),
			  kmdom_ref_make(index, 255))
		__set_bit(kmdom_ref_slot(ref), wanted);
	EXPECT(frame || bitmap_empty(wanted, KMDOM_SLOTS_PER_PAGE));
	if (!frame)
		return;
	EXPECT(frame->cache == shop->cache);
	EXPECT_EQ(frame->index, index);
	EXPECT_EQ(atomic64_read(&frame->pins), 0);
	EXPECT(bitmap_equal(frame->live, wanted, KMDOM_SLOTS_PER_PAGE));
	EXPECT(!bitmap_intersects(frame->live, frame->mag, KMDOM_SLOTS_PER_PAGE));
	bitmap_or(either, frame->live, frame->mag, KMDOM_SLOTS_PER_PAGE);
	EXPECT(bitmap_equal(frame->used, either, KMDOM_SLOTS_PER_PAGE));
	EXPECT(find_next_bit(frame->used, KMDOM_SLOTS_PER_PAGE, slots) ==
	       KMDOM_SLOTS_PER_PAGE);
	/* A page with room can be found; one without may be, until it is tried. */
	EXPECT(frame->partial || bitmap_full(frame->used, slots));
	EXPECT_EQ(frame->partial, !list_empty(&frame->node));
}

void shop_check(struct shop *shop)
{
	u64 index, nr = 0;

	for (index = shop->first; index <= shop_last(shop); index++) {
		shop_check_page(shop, index);
		nr += !!shop_page(shop, index);
	}
	EXPECT_EQ(atomic64_read(&shop->cache->nr_pages), nr);
	EXPECT_EQ(atomic64_read(&shop->bed->dom.pages_present), nr);
	EXPECT_EQ(atomic_long_read(&shop->cache->users), 1 + nr);
}

/* Fills a new page; its index. The refs come in the order of the slots. */
u64 shop_fill(struct shop *shop, kmdom_ref *refs)
{
	unsigned int slots = shop->cache->schema.slots, i;
	u64 index = shop_last(shop) + 1;

	for (i = 0; i < slots; i++) {
		refs[i] = shop_alloc(shop);
		EXPECT_EQ(refs[i], kmdom_ref_make(index, i));
	}
	shop_check_page(shop, index);
	return index;
}

/* The object of that number, in order of refs; 0 if there is none. */
static kmdom_ref object_at(struct shop *shop, unsigned int nr)
{
	unsigned long ref;
	void *entry;

	xa_for_each(&shop->objects, ref, entry)
		if (!nr--)
			return ref;
	return 0;
}

void shop_free_at(struct shop *shop, unsigned int nr)
{
	kmdom_ref ref = object_at(shop, nr);

	if (ref)
		shop_free(shop, ref);
}
