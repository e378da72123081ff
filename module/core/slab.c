// SPDX-License-Identifier: GPL-2.0
/*
 * slab.c - slots: magazines, pages with room, pages that come and go
 *
 * A slot is free, in a magazine ("used" and "mag" set), or live ("used" and
 * "live" set). A magazine only hints at slots: whoever clears the bit in "mag",
 * under a write pin, owns the slot. So a page whose slots are in magazines can
 * be frozen and evicted like any other; the hints that remain lead nowhere.
 */
#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include "cache.h"
#include "domain.h"
#include "pin.h"
#include "trace.h"

/* Slots that one refill moves into a magazine. */
#define KMDOM_REFILL	(KMDOM_MAGAZINE / 2)

/*
 * How long who frees a page waits for its pins. Those that pass by are short;
 * one that stays is of somebody, perhaps himself, who has the object by another
 * ref, to which a pager has edited one.
 */
#define KMDOM_FREE_SECONDS	10

static kmdom_ref kmdom_magazine_pop(struct kmdom_cache *cache)
{
	struct kmdom_magazine *mag;
	kmdom_ref ref = 0;

	local_lock(&cache->magazines->lock);
	mag = this_cpu_ptr(cache->magazines);
	if (mag->nr)
		ref = mag->refs[--mag->nr];
	local_unlock(&cache->magazines->lock);
	return ref;
}

static void kmdom_partial_add(struct kmdom_cache *cache,
			      struct kmdom_frame *frame)
{
	lockdep_assert_held(&cache->lock);
	if (!frame->partial) {
		frame->partial = true;
		list_add(&frame->node, &cache->partial);
	}
}

static void kmdom_partial_del(struct kmdom_cache *cache,
			      struct kmdom_frame *frame)
{
	lockdep_assert_held(&cache->lock);
	if (frame->partial) {
		frame->partial = false;
		list_del_init(&frame->node);
	}
}

/*
 * Takes up to @max free slots of a page, the first of them last, so that they
 * are popped in order; returns how many.
 */
static unsigned int kmdom_page_take_slots(struct kmdom_cache *cache,
					  struct kmdom_frame *frame,
					  kmdom_ref *refs, unsigned int max)
{
	unsigned int slots = cache->schema.slots;
	unsigned int nr = 0, slot = 0, i;

	lockdep_assert_held(&cache->lock);
	while (nr < max) {
		slot = find_next_zero_bit(frame->used, slots, slot);
		if (slot >= slots) {
			kmdom_partial_del(cache, frame);
			break;
		}
		set_bit(slot, frame->used);
		set_bit(slot, frame->mag);
		refs[nr++] = kmdom_ref_make(frame->index, slot);
	}
	for (i = 0; i < nr / 2; i++)
		swap(refs[i], refs[nr - 1 - i]);
	return nr;
}

/*
 * Keeps a slot whose object has just ended for this CPU, if its page is that of the
 * slots that it has, and nobody waits, perhaps for its frame. So that page stays when it
 * has no object any more, until its pager exports it, or the cache is detached.
 */
static bool kmdom_magazine_push(struct kmdom_cache *cache,
				struct kmdom_frame *frame, unsigned int slot)
{
	struct kmdom_magazine *mag;
	bool pushed;

	if (READ_ONCE(cache->dom->wait.nr_waiters))
		return false;
	local_lock(&cache->magazines->lock);
	mag = this_cpu_ptr(cache->magazines);
	pushed = !mag->nr || (mag->nr < KMDOM_MAGAZINE &&
			      kmdom_ref_index(mag->refs[mag->nr - 1]) == frame->index);
	if (pushed) {
		set_bit(slot, frame->mag);
		mag->refs[mag->nr++] = kmdom_ref_make(frame->index, slot);
	}
	local_unlock(&cache->magazines->lock);
	return pushed;
}

/*
 * Refills this CPU's magazine from the first pages with room that are not frozen; of
 * those that other CPUs have slots of only with @shared: two that work in one page get
 * in each other's way. The caller may be on another CPU by the time it returns, and
 * loops.
 */
static bool kmdom_magazine_refill(struct kmdom_cache *cache, bool shared)
{
	struct kmdom_frame *frame, *next;
	struct kmdom_magazine *mag;
	bool filled = false;

	local_lock(&cache->magazines->lock);
	mag = this_cpu_ptr(cache->magazines);
	spin_lock(&cache->lock);
	list_for_each_entry_safe(frame, next, &cache->partial, node) {
		unsigned int room = KMDOM_REFILL;

		if (mag->nr >= room) {
			filled = true;
			break;
		}
		/* Seen here or not: a freeze drops the slots under this lock. */
		if (atomic64_read(&frame->pins) & KMDOM_PIN_FROZEN_ANY)
			continue;
		if (!shared && !bitmap_empty(frame->mag, KMDOM_SLOTS_PER_PAGE))
			continue;
		mag->nr += kmdom_page_take_slots(cache, frame,
						 mag->refs + mag->nr,
						 room - mag->nr);
		filled = mag->nr;
	}
	spin_unlock(&cache->lock);
	local_unlock(&cache->magazines->lock);
	return filled;
}

/**
 * kmdom_slab_drop_magazines - free all slots of a frozen page that hold no object
 * @frame: frozen against writers, so that no slot of it becomes live or free
 *
 * Context: any that does not interrupt.
 */
void kmdom_slab_drop_magazines(struct kmdom_frame *frame)
{
	struct kmdom_cache *cache = frame->cache;

	spin_lock(&cache->lock);
	if (!bitmap_equal(frame->used, frame->live, KMDOM_SLOTS_PER_PAGE)) {
		bitmap_zero(frame->mag, KMDOM_SLOTS_PER_PAGE);
		bitmap_copy(frame->used, frame->live, KMDOM_SLOTS_PER_PAGE);
		kmdom_partial_add(cache, frame);
	}
	spin_unlock(&cache->lock);
}

/** kmdom_slab_page_arrived - a restored page, frozen, may have free slots */
void kmdom_slab_page_arrived(struct kmdom_frame *frame)
{
	struct kmdom_cache *cache = frame->cache;

	bitmap_copy(frame->used, frame->live, KMDOM_SLOTS_PER_PAGE);
	bitmap_zero(frame->mag, KMDOM_SLOTS_PER_PAGE);
	spin_lock(&cache->lock);
	if (bitmap_weight(frame->used, KMDOM_SLOTS_PER_PAGE) <
	    cache->schema.slots)
		kmdom_partial_add(cache, frame);
	spin_unlock(&cache->lock);
}

/** kmdom_slab_page_leaves - a frozen page goes: nothing is allocated from it */
void kmdom_slab_page_leaves(struct kmdom_frame *frame)
{
	spin_lock(&frame->cache->lock);
	kmdom_partial_del(frame->cache, frame);
	spin_unlock(&frame->cache->lock);
}

/* Pins the page of a slot from a magazine, and makes the slot ours. */
static struct kmdom_frame *kmdom_slot_claim(struct kmdom_cache *cache,
					    kmdom_ref ref)
{
	struct kmdom_domain *dom = cache->dom;
	struct kmdom_frame *frame;

	frame = kmdom_pin_resident(dom, cache, kmdom_ref_index(ref), true);
	if (frame && !test_and_clear_bit(kmdom_ref_slot(ref), frame->mag)) {
		kmdom_frame_unpin(dom, frame, true);
		frame = NULL;
	}
	return frame;
}

/* The object of a slot, which was another's unless the page is new. */
static void kmdom_slot_begin(struct kmdom_frame *frame, kmdom_ref ref,
			     struct kmdom_pin *pin, bool new)
{
	unsigned int size = frame->cache->schema.type->size;
	unsigned int slot = kmdom_ref_slot(ref);

	WRITE_ONCE(frame->dirty, true);
	WRITE_ONCE(frame->referenced, true);
	pin->ref = ref;
	pin->frame = frame;
	pin->obj = kmdom_frame_data(frame) + slot * size;
	if (!new)
		memset(pin->obj, 0, size);
	set_bit(slot, frame->live);
}

/*
 * Publishes a new page with one live slot, pinned for writing. -EAGAIN: its table
 * is not there any more.
 */
static int kmdom_page_publish(struct kmdom_frame *frame, u64 index)
{
	struct kmdom_cache *cache = frame->cache;
	struct kmdom_domain *dom = cache->dom;
	struct kmdom_frame *leaf;

	leaf = kmdom_table_lock(&dom->table, index, 0);
	if (!leaf)
		return -EAGAIN;
	if (kmdom_table_entry(leaf, index) != KMDOM_ENTRY_EMPTY) {
		kmdom_table_unlock(leaf);
		return -EEXIST;
	}
	WRITE_ONCE(frame->index, index);
	atomic_long_inc(&cache->users);
	atomic64_inc(&cache->nr_pages);
	atomic64_inc(&dom->pages_present);
	kmdom_frame_publish(frame, KMDOM_FRAME_PAGE);
	/* Whoever pins it from here on sees whose it is: see kmdom_frame_holds(). */
	atomic64_set_release(&frame->pins, KMDOM_PIN_WRITER);
	kmdom_table_set(leaf, index,
			kmdom_entry_make(KMDOM_PAGE_PRESENT, cache->id,
					 page_to_pfn(frame->page)));
	kmdom_table_unlock(leaf);
	return 0;
}

static void kmdom_page_prepare(struct kmdom_frame *frame,
			       struct kmdom_cache *cache)
{
	kmdom_frame_describe(frame, 0, 0, cache, 0, 0);
	bitmap_zero(frame->live, KMDOM_SLOTS_PER_PAGE);
	bitmap_zero(frame->used, KMDOM_SLOTS_PER_PAGE);
	bitmap_zero(frame->mag, KMDOM_SLOTS_PER_PAGE);
	set_bit(0, frame->used);
}

/*
 * The tables over an index can leave once the cursor has passed it, and never come
 * back if they are lost. Then the page goes where the cursor is by now: those over
 * it stay, because the caller has a promise.
 */
static int kmdom_page_place(struct kmdom_frame *frame, unsigned int *promised)
{
	struct kmdom_domain *dom = frame->cache->dom;
	unsigned int level;
	u64 index, cursor;
	int ret;

	do {
		index = atomic64_fetch_inc(&dom->table.cursor);
		if (index > KMDOM_INDEX_MAX)
			return -ENOSPC;
		ret = kmdom_table_grow(&dom->table, index, promised);
		if (!ret)
			ret = kmdom_page_publish(frame, index);
		if (ret == -EAGAIN)
			ret = kmdom_table_ready(&dom->table, &cursor, &level) ?: -EEXIST;
	} while (ret == -EEXIST && !kmdom_domain_has_aborted(dom));
	return ret && kmdom_domain_has_aborted(dom) ? -ENODEV : ret;
}

/* Of a new page, pinned, this CPU's magazine gets the next slots. */
static void kmdom_page_share(struct kmdom_cache *cache, struct kmdom_frame *frame)
{
	struct kmdom_magazine *mag;

	local_lock(&cache->magazines->lock);
	mag = this_cpu_ptr(cache->magazines);
	spin_lock(&cache->lock);
	kmdom_partial_add(cache, frame);
	if (mag->nr < KMDOM_REFILL)
		mag->nr += kmdom_page_take_slots(cache, frame, mag->refs + mag->nr,
						 KMDOM_REFILL - mag->nr);
	spin_unlock(&cache->lock);
	local_unlock(&cache->magazines->lock);
}

static int kmdom_page_create(struct kmdom_cache *cache, struct kmdom_pin *pin,
			     unsigned int *promised)
{
	struct kmdom_frame *frame;
	int ret;

	if (!*promised)
		return -ENOBUFS;
	--*promised;
	frame = kmdom_frame_take(&cache->dom->ledger, KMDOM_CLAIM_PROMISED);
	if (!frame)
		return kmdom_domain_has_aborted(cache->dom) ? -ENODEV : -ENOBUFS;
	kmdom_page_prepare(frame, cache);
	ret = kmdom_page_place(frame, promised);
	if (ret) {
		kmdom_frame_put(frame);
		return ret;
	}
	kmdom_slot_begin(frame, kmdom_ref_make(frame->index, 0), pin, true);
	trace_kmdom_page_new(cache->dom, frame->index, cache->id);
	if (cache->schema.slots > 1)
		kmdom_page_share(cache, frame);
	return 0;
}

/**
 * kmdom_slab_alloc - a new object, pinned for writing
 * @cache: its cache
 * @pin: out: ref, frame and obj
 * @promised: frames promised to the operation; those used are taken off
 *
 * Context: any that does not interrupt.
 * Return: 0, -ENOBUFS, -ENODEV, -ENOSPC.
 */
int kmdom_slab_alloc(struct kmdom_cache *cache, struct kmdom_pin *pin,
		     unsigned int *promised)
{
	struct kmdom_frame *frame;
	kmdom_ref ref;
	int ret;

	if (cache->schema.slots == 1)
		return kmdom_page_create(cache, pin, promised);
	for (;;) {
		ref = kmdom_magazine_pop(cache);
		if (!ref) {
			if (kmdom_magazine_refill(cache, false) ||
			    (!kmdom_frames_plenty(&cache->dom->ledger) &&
			     kmdom_magazine_refill(cache, true)))
				continue;
			ret = kmdom_page_create(cache, pin, promised);
			/* Better in a page of others than nowhere. */
			if (!ret || !kmdom_magazine_refill(cache, true))
				return ret;
			continue;
		}
		frame = kmdom_slot_claim(cache, ref);
		if (frame) {
			kmdom_slot_begin(frame, ref, pin, false);
			return 0;
		}
		/* The table is cut: no hint leads anywhere any more. */
		if (kmdom_domain_has_aborted(cache->dom))
			return -ENODEV;
	}
}

/**
 * kmdom_slab_free - a live object ends
 * @frame: of its page, pinned for writing by the caller; the pin ends here
 * @slot: of the object
 *
 * The page is released if it was the last object in it.
 *
 * Context: any that does not interrupt.
 */
void kmdom_slab_free(struct kmdom_frame *frame, unsigned int slot)
{
	struct kmdom_cache *cache = frame->cache;
	struct kmdom_domain *dom = cache->dom;
	u64 index = frame->index;
	bool empty;

	/* Freed by another ref already, to which a pager has edited one. */
	if (!test_and_clear_bit(slot, frame->live)) {
		kmdom_frame_unpin(dom, frame, true);
		return;
	}
	if (cache->policy != KMDOM_POLICY_CHECKED && cache->schema.slots > 1 &&
	    kmdom_magazine_push(cache, frame, slot)) {
		kmdom_frame_unpin(dom, frame, true);
		return;
	}
	spin_lock(&cache->lock);
	if (cache->policy == KMDOM_POLICY_CHECKED) {
		/*
		 * Who has the object pinned by another ref, to which a pager has edited
		 * one, may free it yet, and must not free its successor: the slot is not
		 * given again before the page is frozen, which waits for his pin.
		 */
		empty = bitmap_empty(frame->live, KMDOM_SLOTS_PER_PAGE) &&
			bitmap_empty(frame->mag, KMDOM_SLOTS_PER_PAGE);
	} else {
		clear_bit(slot, frame->used);
		empty = bitmap_empty(frame->used, KMDOM_SLOTS_PER_PAGE);
		kmdom_partial_add(cache, frame);
	}
	/*
	 * Under the lock: of two who free the last objects of a page the second, who
	 * sees that it is empty, must not find the pin of the first.
	 */
	kmdom_frame_unpin(dom, frame, true);
	spin_unlock(&cache->lock);
	if (empty)
		kmdom_slab_release(dom, index);
}

/* A page ends; its frame, if it has one, is frozen by us. */
static void kmdom_page_uncount(struct kmdom_cache *cache, struct kmdom_frame *frame)
{
	if (frame) {
		kmdom_slab_page_leaves(frame);
		kmdom_frame_withdraw(frame);
		atomic64_dec(&cache->dom->pages_present);
	} else {
		atomic64_dec(&cache->dom->pages_absent);
	}
	/* Under the lock, so that an abort drops no page that is gone. */
	atomic64_dec(&cache->nr_pages);
}

static void kmdom_page_end(struct kmdom_frame *leaf, u64 index,
			   struct kmdom_cache *cache, struct kmdom_frame *frame)
{
	kmdom_page_uncount(cache, frame);
	kmdom_table_set(leaf, index, KMDOM_ENTRY_EMPTY);
}

/**
 * kmdom_slab_prune - give back the tables over a page that hold nothing
 * @dom: the domain
 * @index: of a page that is gone, or whose table is not pinned any more
 *
 * Context: any that does not interrupt; no table is locked.
 */
void kmdom_slab_prune(struct kmdom_domain *dom, u64 index)
{
	u64 versions[KMDOM_LEVELS];
	unsigned int level, top;

	top = kmdom_table_prune(&dom->table, index, versions);
	for (level = 1; level <= top; level++) {
		if (versions[level])
			kmdom_events_freed(dom, kmdom_table_index(index, level),
					   level, versions[level]);
		/* Who found it frozen waits for it. */
		kmdom_wait_page_changed(dom, index, level, false);
	}
}

/* What remains to be done when the table is unlocked. Did the pager do it? */
static void kmdom_page_ended(struct kmdom_cache *cache, u64 index, u64 version,
			     struct kmdom_frame *frame, bool answer)
{
	struct kmdom_domain *dom = cache->dom;

	if (frame) {
		kmdom_frame_put(frame);
		kmdom_wait_frames_freed(dom, answer);
	}
	kmdom_events_freed(dom, index, 0, version);
	kmdom_wait_page_changed(dom, index, 0, false);
	kmdom_slab_prune(dom, index);
	trace_kmdom_page_freed(dom, index, version);
	kmdom_cache_put(cache, 1);
}

/**
 * kmdom_slab_discard - a page of a DISCARD type goes, and its objects with it
 * @frame: of the page, frozen; its entry is empty already
 *
 * Context: the page's table is locked; kmdom_slab_discarded() comes after that.
 */
void kmdom_slab_discard(struct kmdom_frame *frame)
{
	kmdom_page_uncount(frame->cache, frame);
}

/** kmdom_slab_discarded - what remains of kmdom_slab_discard(), without locks */
void kmdom_slab_discarded(struct kmdom_frame *frame)
{
	kmdom_page_ended(frame->cache, frame->index, 0, frame, true);
}

/**
 * kmdom_slab_release - give back a present page that holds no object
 * @dom: the domain
 * @index: of the page
 *
 * Context: any that does not interrupt.
 * Return: whether it was released; if not it holds an object, or is pinned or
 * frozen, and stays to be allocated from or released later.
 */
bool kmdom_slab_release(struct kmdom_domain *dom, u64 index)
{
	struct kmdom_frame *leaf, *frame;
	struct kmdom_cache *cache;
	u64 entry, version;

	leaf = kmdom_table_lock(&dom->table, index, 0);
	if (!leaf)
		return false;
	entry = kmdom_table_entry(leaf, index);
	if (kmdom_entry_state(entry) != KMDOM_PAGE_PRESENT)
		goto unlock;
	frame = kmdom_entry_frame(entry);
	if (kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_ALL))
		goto unlock;
	if (!bitmap_empty(frame->live, KMDOM_SLOTS_PER_PAGE)) {
		kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_ALL);
		kmdom_table_unlock(leaf);
		/* Who found it frozen in between waits. */
		kmdom_wait_page_changed(dom, index, 0, false);
		return false;
	}
	cache = frame->cache;
	version = frame->version ?: frame->spent;
	kmdom_page_end(leaf, index, cache, frame);
	kmdom_table_unlock(leaf);
	kmdom_page_ended(cache, index, version, frame, false);
	return true;
unlock:
	kmdom_table_unlock(leaf);
	return false;
}

/**
 * kmdom_slab_release_magazines - give back pages that have nothing but slots at hand
 * @cache: its client is leaving, and in none of its functions any more
 *
 * Such a page would keep its frame, and the module of its type. The slots stay where
 * they are, for who comes back.
 *
 * Context: any that does not interrupt.
 */
void kmdom_slab_release_magazines(struct kmdom_cache *cache)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct kmdom_magazine *mag = per_cpu_ptr(cache->magazines, cpu);
		u64 last = 0;
		unsigned int i;

		for (i = 0; i < mag->nr; i++) {
			u64 index = kmdom_ref_index(mag->refs[i]);

			if (index != last)
				kmdom_slab_release(cache->dom, index);
			last = index;
		}
	}
}

/* Why a page cannot be freed whose table is not present. */
static int kmdom_page_untold(struct kmdom_cache *cache, u64 index)
{
	struct kmdom_domain *dom = cache->dom;
	u64 entry;

	if (kmdom_domain_has_aborted(dom))
		return -ENODEV;
	/* Pages of that type leave for good, and its table after them. */
	if (cache->policy == KMDOM_POLICY_DISCARD)
		return -ENOENT;
	rcu_read_lock();
	entry = kmdom_table_read(&dom->table, index);
	rcu_read_unlock();
	/*
	 * With a table that is lost all is gone that it covered. Limit: nobody knows
	 * how many pages of which caches that were; they are counted, and keep the
	 * module of their type, until the domain ends.
	 */
	return kmdom_entry_state(entry) == KMDOM_PAGE_EMPTY ||
	       kmdom_entry_state(entry) == KMDOM_PAGE_LOST ? -ENOENT : -EAGAIN;
}

/*
 * One try at freeing a page whole; -EBUSY if it is pinned or frozen now, -EDEADLK
 * if it is pinned at the last try, -EAGAIN if its table is absent.
 */
static int kmdom_page_try_end(struct kmdom_cache *cache, u64 index, bool last,
			      u64 *version, struct kmdom_frame **frame)
{
	struct kmdom_frame *leaf = kmdom_table_lock(&cache->dom->table, index, 0);
	u64 entry;
	int ret = -ENOENT;

	if (!leaf)
		return kmdom_page_untold(cache, index);
	*frame = NULL;
	entry = kmdom_table_entry(leaf, index);
	/* Of what is lost, the value is an errno, and no record is known. */
	*version = kmdom_entry_state(entry) == KMDOM_PAGE_ABSENT ?
		kmdom_entry_value(entry) : 0;
	if (entry == KMDOM_ENTRY_EMPTY || kmdom_entry_cache(entry) != cache->id)
		goto unlock;
	if (kmdom_entry_state(entry) == KMDOM_PAGE_PRESENT) {
		*frame = kmdom_entry_frame(entry);
		ret = kmdom_frame_try_end(*frame);
		if (ret && last &&
		    (atomic64_read(&(*frame)->pins) & KMDOM_PIN_ANY)) {
			atomic64_andnot(KMDOM_PIN_ENDING, &(*frame)->pins);
			ret = -EDEADLK;
		}
		if (ret)
			goto unlock;
		*version = (*frame)->version ?: (*frame)->spent;
	}
	kmdom_page_end(leaf, index, cache, *frame);
	ret = 0;
unlock:
	kmdom_table_unlock(leaf);
	return ret;
}

/**
 * kmdom_slab_free_page - free the one object of a page, present or not
 * @cache: of a type with one object to a page
 * @index: of the page
 *
 * Context: may sleep, past the one export that is at work on the page, and until
 * its pins end, for KMDOM_FREE_SECONDS; never waits for a pager.
 * Return: 0, -ENOENT (there is no such object), -ENODEV, -EAGAIN (the page's table
 * is absent), -EDEADLK (it stays pinned).
 */
int kmdom_slab_free_page(struct kmdom_cache *cache, u64 index)
{
	struct kmdom_domain *dom = cache->dom;
	unsigned long begin = jiffies, patience;
	struct kmdom_frame *frame;
	DEFINE_WAIT(wait);
	u64 version;
	int ret;

	might_sleep();
	for (;;) {
		patience = fatal_signal_pending(current) ? HZ :
							   KMDOM_FREE_SECONDS * HZ;
		prepare_to_wait(&dom->drain_wq, &wait, TASK_UNINTERRUPTIBLE);
		ret = kmdom_page_try_end(cache, index,
					 time_after(jiffies, begin + patience),
					 &version, &frame);
		if (ret != -EBUSY)
			break;
		/* An unpin wakes only those who froze: look again soon. */
		schedule_timeout(1);
	}
	finish_wait(&dom->drain_wq, &wait);
	if (!ret)
		kmdom_page_ended(cache, index, version, frame, false);
	return ret;
}
