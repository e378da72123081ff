/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmdom_client.h - kernel objects in a kernel-memory domain: the in-kernel API
 *
 * A client describes its objects by types, attaches a cache a type to a
 * domain, and names every object by a ref. An object is touched only while it
 * is pinned. The domain's pager may take the page of any object that is not,
 * and is asked for it when the object is pinned again; so the call that pins
 * is the one call that waits, and it says so.
 *
 *	struct kmdom_client_op op;
 *	struct kmdom_pin pin = { .ref = ref, .cache = cache, .write = true };
 *
 *	kmdom_op_begin(&op, dom, 0);
 *	ret = kmdom_pin_set(&op, &pin, 1, 0);
 *	if (!ret) {
 *		struct thing *thing = pin.obj;
 *		...
 *		kmdom_unpin(&op, &pin);
 *	}
 *	kmdom_op_end(&op);
 *
 * Rules that hold for all clients:
 *  - All pins of one step are named in one pin set. A task that holds a pin
 *    never asks for another set: that is refused with -EDEADLK.
 *  - Pins are short: no waiting for user space or for a device under one.
 *    Locks of the client may be taken under a pin if nobody waits for a pager
 *    while he holds them, and may be held while a pin set waits if nobody needs
 *    them who must not wait for a pager.
 *  - Pins keep a page where it is, and nothing else: they do not exclude one
 *    another. Whoever writes an object excludes its other users himself.
 *  - Objects of a DISCARD type end whenever the pager wants their page, unless
 *    they are pinned: a pin set that names one fails with -ENODATA then, and
 *    its client makes a new one, in an operation that holds no pin. A page's
 *    index is never given twice, so that a ref to an object that was discarded
 *    never comes to name another one's.
 *  - A pager that edits objects of a CHECKED type can make any of their fields
 *    hold what the schema allows. A ref in them leads to an object of the cache
 *    that the pin names, any one, or to -ENOENT; a client bounds its steps along
 *    such refs, and may find that two of them lead to the same object. To free
 *    that twice does nothing, also if another was made in between and their type is
 *    CHECKED; freed while it is pinned, it may stay (-EDEADLK).
 *  - Pages whose last object was freed may stay for the next ones, as many as a CPU
 *    has slots of a cache at hand (32 at most), until their pager exports them or the
 *    cache is detached. Whoever detaches it is in none of its other functions.
 *  - Types and their tables are constant, and live as long as the module.
 *  - Errors have the meanings of <uapi/linux/kmdom.h>. -ETIMEDOUT, -EIO,
 *    -ENODEV and -EINTR can come from every pin set, and leave all as it was.
 */
#ifndef _LINUX_KMDOM_CLIENT_H
#define _LINUX_KMDOM_CLIENT_H

#include <linux/ktime.h>
#include <linux/types.h>
#include <uapi/linux/kmdom.h>

struct kmdom_domain;
struct kmdom_cache;
struct kmdom_frame;
struct module;

/**
 * typedef kmdom_ref - the name of an object in its domain; 0 names none
 *
 * Bits 0 to 7 are the slot, bits 8 to 43 the index of the page; the rest is 0.
 * A ref is never given again while its object lives.
 */
typedef u64 kmdom_ref;

/* Most objects in one pin set, and most allocations reserved with it. */
#define KMDOM_PINS_MAX		8
#define KMDOM_ALLOCS_MAX	8

#define KMDOM_OBJECT_MIN	16	/* bytes of the smallest object */
#define KMDOM_FIELDS_MAX	64	/* fields of a type */

/**
 * enum kmdom_field_kind - how a field leaves the kernel and comes back
 * @KMDOM_FIELD_INT: integer of 1, 2, 4 or 8 bytes in host order, within
 *	[@min, @max] of its field (unsigned); with both 0, any value
 * @KMDOM_FIELD_BYTES: bytes, as many as the integer field @len_field of the
 *	same object says; all of them if that is KMDOM_LEN_ALL; up to the last one
 *	that is not zero if it is KMDOM_LEN_TRIM. What does not leave comes back
 *	as zeroes
 * @KMDOM_FIELD_REF: kmdom_ref of an object of the type named @ref_type, or 0
 * @KMDOM_FIELD_FLAGS: as INT; no bit is set but those of @max, its mask
 * @KMDOM_FIELD_SECRET: as BYTES; the type must be SEALED or DISCARD
 * @KMDOM_FIELD_SOFT: never leaves; the type's @restore computes it again
 * @KMDOM_FIELD_KERNEL: never leaves; zeroes when the page comes back
 */
enum kmdom_field_kind {
	KMDOM_FIELD_INT,
	KMDOM_FIELD_BYTES,
	KMDOM_FIELD_REF,
	KMDOM_FIELD_FLAGS,
	KMDOM_FIELD_SECRET,
	KMDOM_FIELD_SOFT,
	KMDOM_FIELD_KERNEL,
};

#define KMDOM_LEN_ALL	0xffff
#define KMDOM_LEN_TRIM	0xfffe

/*
 * Flag of a field: it grants authority (a mode, an owner, a link count, a device
 * number, a capability, code). The type cannot be CHECKED: its pager would grant
 * what it likes.
 */
#define KMDOM_FIELDF_AUTHORITY	(1U << 0)

/**
 * struct kmdom_field - one field of an object
 * @name: part of the schema's hash
 * @offset: in the object, in bytes
 * @size: in bytes
 * @kind: enum kmdom_field_kind
 * @len_field: BYTES, SECRET: place in the table of the integer that tells the
 *	length, which comes before this one; or KMDOM_LEN_ALL, KMDOM_LEN_TRIM
 * @ref_type: REF: name of the type that it refers to; NULL: any of the client's
 * @flags: KMDOM_FIELDF_*
 * @min: INT: least value
 * @max: INT: greatest value; FLAGS: the bits that there are
 *
 * Fields do not overlap. Bytes of the object that no field names are padding:
 * they do not leave, and come back as zeroes.
 */
struct kmdom_field {
	const char *name;
	u16 offset;
	u16 size;
	u16 kind;
	u16 len_field;
	const char *ref_type;
	u16 flags;
	u64 min;
	u64 max;
};

/* Tables of fields, one line a field. */
#define KMDOM_F_INT(type, member, lo, hi) {				\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_INT,	\
	.min = (lo), .max = (hi) }
#define KMDOM_F_FLAGS(type, member, mask) {				\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_FLAGS,	\
	.max = (mask) }
/* An integer that grants authority. */
#define KMDOM_F_AUTHORITY(type, member, lo, hi) {			\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_INT,	\
	.flags = KMDOM_FIELDF_AUTHORITY, .min = (lo), .max = (hi) }
#define KMDOM_F_BYTES(type, member, len) {				\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_BYTES,	\
	.len_field = (len) }
#define KMDOM_F_SECRET(type, member, len) {				\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_SECRET,	\
	.len_field = (len) }
#define KMDOM_F_REF(type, member, target) {				\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_REF,	\
	.ref_type = (target) }
#define KMDOM_F_SOFT(type, member) {					\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_SOFT }
#define KMDOM_F_KERNEL(type, member) {					\
	.name = #member, .offset = offsetof(type, member),		\
	.size = sizeof_field(type, member), .kind = KMDOM_FIELD_KERNEL }

/**
 * struct kmdom_type - what an object is made of
 * @name: at most KMDOM_TYPE_MAX - 1 characters; unique in a domain
 * @owner: THIS_MODULE
 * @size: of an object in bytes, a multiple of 8, KMDOM_OBJECT_MIN to 4096
 * @policy: enum kmdom_policy: what the pager may do with its objects
 * @nr_fields: entries of @fields
 * @fields: the schema
 * @check: is an object consistent, as far as its fields' own ranges do not say
 *	it? NULL: always. One that is not never leaves (EXPORT fails with
 *	-EINVAL) and never comes back. Context: must not sleep; gets an object
 *	whose soft and kernel-only fields hold anything
 * @restore: computes soft fields of an object that came back, or NULL. Context:
 *	must not sleep; gets an object whose other fields hold their values
 */
struct kmdom_type {
	const char *name;
	struct module *owner;
	u16 size;
	u8 policy;
	u16 nr_fields;
	const struct kmdom_field *fields;
	bool (*check)(const void *obj);
	void (*restore)(void *obj);
};

/**
 * struct kmdom_pin - one object of a pin set
 * @ref: in: the object; out of kmdom_alloc(): the new one
 * @cache: in: the cache that it must belong to
 * @write: in: whether it will be changed
 * @table: in: only the table over its page is wanted, whatever is there, so that
 *	kmdom_free() of it does not wait; not with @write. For types with one
 *	object to a page
 * @held: out: whether it is pinned
 * @obj: out: the object; NULL while it is not pinned, and with @table
 * @frame: kmdom's own
 */
struct kmdom_pin {
	kmdom_ref ref;
	struct kmdom_cache *cache;
	bool write;
	bool table;
	bool held;
	void *obj;
	struct kmdom_frame *frame;
};

/* Flags of kmdom_op_begin(). */
#define KMDOM_OP_NOWAIT		(1U << 0)	/* -EAGAIN instead of waiting */

/**
 * struct kmdom_client_op - one operation of a client: a deadline, its pins
 * @dom: the domain
 * @deadline: until when its waits may last, all together
 * @flags: KMDOM_OP_*
 * @nr_pins: pins held now
 * @reserved: frames set aside for its allocations
 * @grows: it may allocate
 * @keeps: what is left of that may be the next operation's: it has no special right
 * @undone: frames were promised for a moment, and are not any more
 * @waited: whether it waited for the pager
 *
 * On the caller's stack; used by one task, or by one after the other. All fields
 * are kmdom's own but @waited, which the client may read.
 */
struct kmdom_client_op {
	struct kmdom_domain *dom;
	ktime_t deadline;
	unsigned int flags;
	unsigned int nr_pins;
	unsigned int reserved;
	bool grows;
	bool keeps;
	bool undone;
	bool waited;
};

/**
 * struct kmdom_usage - what a domain uses
 * @frames_max: the domain's limit
 * @frames_granted: lent by pagers
 * @frames_free: of these, free
 * @frames_used: of these, in use
 * @pages_present: pages of objects in frames
 * @pages_absent: pages of objects in the pager's store
 * @faults: pages that were asked for
 */
struct kmdom_usage {
	u64 frames_max;
	u64 frames_granted;
	u64 frames_free;
	u64 frames_used;
	u64 pages_present;
	u64 pages_absent;
	u64 faults;
};

/*
 * Domains. These may sleep; none waits for a pager.
 *
 * kmdom_domain_find(): the domain called "UID/NAME" or, without the caller's
 * "UID/", "NAME"; with the credentials of the caller, who must have created it
 * or have CAP_SYS_ADMIN. An ERR_PTR: -ENOENT, -EPERM, -ENODEV, -EINTR. The
 * reference is a client's: DESTROY is refused until kmdom_domain_put(). Objects
 * stay.
 * kmdom_domain_find_fd(): the same by a session's descriptor; -EINVAL.
 * kmdom_domain_aborted(): any context; once true it stays so.
 * kmdom_domain_usage(): any context that does not interrupt.
 */
struct kmdom_domain *kmdom_domain_find(const char *name);
struct kmdom_domain *kmdom_domain_find_fd(int fd);
void kmdom_domain_put(struct kmdom_domain *dom);
const char *kmdom_domain_name(const struct kmdom_domain *dom);
bool kmdom_domain_aborted(const struct kmdom_domain *dom);
void kmdom_domain_usage(struct kmdom_domain *dom, struct kmdom_usage *usage);

/*
 * Caches. These may sleep; none waits for a pager.
 *
 * kmdom_cache_attach(): makes the type's cache, or comes back to it. An ERR_PTR:
 * -EINVAL (a schema that is not allowed), -EPROTOTYPE (the name is
 * another schema's), -EBUSY (another client has it), -EDQUOT (1,023 caches),
 * -ENODEV, -ENOMEM, -EINTR. The type's module stays while the cache is attached
 * or has a page. kmdom_cache_detach() leaves the objects.
 * The anchor, 0 at first, is a ref that is kept with the cache: where a client
 * that comes back begins. Any context.
 */
struct kmdom_cache *kmdom_cache_attach(struct kmdom_domain *dom,
				       const struct kmdom_type *type);
void kmdom_cache_detach(struct kmdom_cache *cache);
kmdom_ref kmdom_cache_anchor(const struct kmdom_cache *cache);
void kmdom_cache_set_anchor(struct kmdom_cache *cache, kmdom_ref ref);

/*
 * Operations.
 *
 * kmdom_op_begin(), kmdom_op_end(): any context that does not interrupt. The
 * deadline counts from the first wait. All pins have ended before the end.
 *
 * kmdom_op_hand_over(): ends the task's use of an operation that may hold pins,
 * before another task goes on with it, or this one returns to user space.
 * kmdom_op_take_over(): begins it again. Any context that does not interrupt.
 *
 * kmdom_pin_set(): pins @nr_pins objects (at most KMDOM_PINS_MAX, or none), all
 * or nothing, and promises memory for @nr_allocs (at most KMDOM_ALLOCS_MAX) calls
 * of kmdom_alloc() until the next set or the end; an earlier promise ends. The
 * one call that waits for the pager, killable, and not with KMDOM_OP_NOWAIT.
 * 0, -ENOENT (no such object in that cache), -ENODATA (it was discarded),
 * -ETIMEDOUT, -EINTR, -EIO, -ENODEV,
 * -EAGAIN (NOWAIT), -EDEADLK (pins are held; the task is in reclaim, or is the
 * pager), -EINVAL. The same object may be in a set twice.
 *
 * kmdom_unpin(): any context that does not interrupt.
 *
 * kmdom_alloc(): a zeroed object in @pin->cache, pinned for writing. Never waits;
 * pins may be held. 0, -ENOBUFS (nothing was promised), -ENODEV, -ENOSPC.
 *
 * kmdom_free_pinned(): frees an object that is pinned for writing, and ends the
 * pin. Never waits, never fails: what was freed by then, stays free. Nobody else
 * uses the object.
 *
 * kmdom_free(): frees an object wherever its page is; one that was discarded is
 * free already. If its type has one object to a page, it is not restored for
 * that, and the call waits at most for tables of the page table; with pins held
 * (or KMDOM_OP_NOWAIT) not even for those, and is -EAGAIN instead, unless its
 * pin set named the object with @table; and for pins of the object to end: after
 * ten seconds (one, if the task is killed) it is -EDEADLK. Else it waits as
 * kmdom_pin_set(). If it fails as that does, the object is still there.
 */
static inline void kmdom_op_begin(struct kmdom_client_op *op,
				  struct kmdom_domain *dom, unsigned int flags)
{
	*op = (struct kmdom_client_op){ .dom = dom, .flags = flags };
}

/* What kmdom_op_end() leaves to the module. */
void kmdom_op_finish(struct kmdom_client_op *op);

static inline void kmdom_op_end(struct kmdom_client_op *op)
{
	if (op->grows || op->nr_pins)
		kmdom_op_finish(op);
}

void kmdom_op_hand_over(struct kmdom_client_op *op);
void kmdom_op_take_over(struct kmdom_client_op *op);
int kmdom_pin_set(struct kmdom_client_op *op, struct kmdom_pin *pins,
		  unsigned int nr_pins, unsigned int nr_allocs);
void kmdom_unpin(struct kmdom_client_op *op, struct kmdom_pin *pin);
int kmdom_alloc(struct kmdom_client_op *op, struct kmdom_pin *pin);
void kmdom_free_pinned(struct kmdom_client_op *op, struct kmdom_pin *pin);
int kmdom_free(struct kmdom_client_op *op, struct kmdom_cache *cache,
	       kmdom_ref ref);

#endif /* _LINUX_KMDOM_CLIENT_H */
