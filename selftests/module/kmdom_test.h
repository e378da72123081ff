/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kmdom_test: the whole in-kernel API of kmdom, for test programs
 *
 * One open file of /dev/kmdom_test is one client: a domain, at most one cache
 * of each type of the table below, and KT_OPS operations. An operation and its
 * pins are kept in the file until they are ended, so that a test can hold a
 * pin for as long as it likes; closing the file ends everything. Calls that
 * name different operations may run at the same time.
 *
 * Every call takes a struct kt_req and writes it back. Errors are those of
 * kmdom, and EINVAL, ENOENT or EBUSY of the test module itself where a request
 * makes no sense.
 */
#ifndef _KMDOM_TEST_H
#define _KMDOM_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KT_OPS		16	/* operations of a file */
#define KT_PLACES	16	/* pins of an operation */
#define KT_SETMAX	8	/* pins of a pin set: KMDOM_PINS_MAX */
#define KT_NOWAIT	1	/* flag of an operation: KMDOM_OP_NOWAIT */
#define KT_RECLAIM	2	/* flag of a pin set: asked for by a task in reclaim */
#define KT_CROWD	1023	/* caches of a domain, at most */

/**
 * enum kt_type - the types that a client can attach
 * @KT_SMALL: struct kt_small, SEALED, every kind of field
 * @KT_SIGNED: struct kt_signed, SIGNED
 * @KT_PAGE: 4096 bytes, all of which leave, SEALED
 * @KT_TRIM: 4096 bytes, of which those up to the last that is not 0 leave, SIGNED
 * @KT_TINY: struct kt_tiny, the smallest, SEALED
 * @KT_NARROW: struct kt_narrow, SEALED; a test can break its invariants
 * @KT_WORST: 64 bytes, SIGNED, of which 86 can leave: about the longest record
 * @KT_CHECKED: struct kt_checked, CHECKED, with a check of its own
 * @KT_DISCARD: struct kt_discard, DISCARD, with a secret field
 * @KT_SCRATCH: 4096 bytes, DISCARD
 * @KT_OTHER_SMALL: of KT_SMALL's name, with another schema
 * @KT_BAD: from here on, types that may not be attached, for one reason each
 */
enum kt_type {
	KT_SMALL,
	KT_SIGNED,
	KT_PAGE,
	KT_TRIM,
	KT_TINY,
	KT_NARROW,
	KT_WORST,
	KT_CHECKED,
	KT_DISCARD,
	KT_SCRATCH,
	KT_OTHER_SMALL,
	KT_BAD,
	KT_BAD_SECRET_SIGNED = KT_BAD,
	KT_BAD_SECRET_CHECKED,
	KT_BAD_AUTHORITY_CHECKED,
	KT_BAD_POLICY_UNKNOWN,
	KT_BAD_SIZE_ODD,
	KT_BAD_SIZE_SMALL,
	KT_BAD_SIZE_LARGE,
	KT_BAD_OVERLAP,
	KT_BAD_OUTSIDE,
	KT_BAD_INT_SIZE,
	KT_BAD_INT_RANGE,
	KT_BAD_REF_SIZE,
	KT_BAD_KIND,
	KT_BAD_LEN_LATER,
	KT_BAD_LEN_KIND,
	KT_BAD_LEN_PLACE,
	KT_BAD_NO_SIZE,
	KT_BAD_NO_NAME,
	KT_BAD_LONG_NAME,
	KT_BAD_NO_FIELDS,
	KT_BAD_MANY_FIELDS,
	KT_BAD_LONG_RECORD,
	KT_TYPES,
};

struct kt_small {
	__u64 number;
	__u32 bounded;		/* 0 to KT_BOUND */
	__u16 len;		/* of bytes */
	__u8 tag;
	__u8 padding;		/* of no field */
	__u8 bytes[16];
	__u64 ref;		/* of a struct kt_small */
	__u8 secret[8];
	__u64 kernel;		/* kernel-only */
	__u64 soft;		/* KT_SOFT(number) */
};

#define KT_BOUND	1000
#define KT_SOFT(number)	((number) * 0x9e3779b97f4a7c15ULL + 1)

struct kt_signed {
	__u64 number;
	__u64 ref;		/* of any type */
	__u8 name[48];		/* trimmed */
	__u8 data[56];
	__u64 kernel;		/* kernel-only */
};

struct kt_page {
	__u8 bytes[4096];
};

struct kt_tiny {
	__u64 number;
	__u64 ref;
};

struct kt_narrow {
	__u8 digit;		/* 0 to 9 */
	__u8 padding;
	__u16 len;		/* of bytes: no range of its own */
	__u32 small;		/* 0 to 7 */
	__u8 bytes[8];
	__u64 number;
	__u64 ref;		/* of a struct kt_small */
};

struct kt_checked {
	__u8 colour;		/* 1 to KT_COLOURS */
	__u8 flags;		/* of KT_FLAGS */
	__u16 len;		/* of bytes: no range of its own */
	__u32 sum;		/* KT_SUM() of colour, flags, len, number */
	__u64 number;
	__u64 ref;		/* of a struct kt_checked */
	__u8 bytes[16];
	__u8 note[16];		/* trimmed */
	__u64 kernel;		/* kernel-only */
};

#define KT_COLOURS	7
#define KT_FLAGS	0x83
#define KT_SUM(obj)	((__u32)((obj)->colour + (obj)->flags + (obj)->len + (obj)->number))

struct kt_discard {
	__u64 number;
	__u8 secret[24];
};

/* What a pin is for. */
#define KT_PIN_READ	0
#define KT_PIN_WRITE	1
#define KT_PIN_TABLE	2	/* to be freed: struct kmdom_pin.table */

struct kt_pin {
	__u64 ref;
	__u32 type;
	__u32 mode;
};

/* What a domain uses, as struct kmdom_usage. */
struct kt_usage {
	__u64 frames_max;
	__u64 frames_granted;
	__u64 frames_free;
	__u64 frames_used;
	__u64 pages_present;
	__u64 pages_absent;
	__u64 faults;
};

/**
 * struct kt_req - one request
 * @op: which operation of the file
 * @type: enum kt_type
 * @flags: of kmdom_op_begin(): KT_NOWAIT; of a pin set: KT_RECLAIM
 * @pin: place of a pin in the operation; of the first one, of a set
 * @nr_pins: entries of @pins
 * @nr_allocs: allocations to reserve
 * @ref: object; out of NEW, ALLOC, ANCHOR
 * @offset: in the object
 * @len: bytes of @buf
 * @buf: address of the object's bytes
 * @fd: session's descriptor, if @name is empty
 * @waited: out: whether the operation has waited for the pager
 * @name: of a domain
 * @pins: of a pin set
 * @usage: out
 */
struct kt_req {
	__u32 op;
	__u32 type;
	__u32 flags;
	__u32 pin;
	__u32 nr_pins;
	__u32 nr_allocs;
	__u64 ref;
	__u32 offset;
	__u32 len;
	__u64 buf;
	__s32 fd;
	__u32 waited;
	char name[64];
	struct kt_pin pins[KT_SETMAX];
	struct kt_usage usage;
};

#define KT_IOC(nr)	_IOWR(0xD8, nr, struct kt_req)

/* The client: its domain and its caches. */
#define KT_IOC_FIND	KT_IOC(0)	/* name, or fd; out: name */
#define KT_IOC_PUT	KT_IOC(1)
#define KT_IOC_USAGE	KT_IOC(2)	/* out: usage; flags: 1 if aborted */
#define KT_IOC_ATTACH	KT_IOC(3)	/* type */
#define KT_IOC_DETACH	KT_IOC(4)	/* type */
#define KT_IOC_ANCHOR	KT_IOC(5)	/* type; out: ref */
#define KT_IOC_ANCHORED	KT_IOC(6)	/* type, ref: set it */
#define KT_IOC_CROWD	KT_IOC(7)	/* nr_pins: so many caches of the largest schema */

/* A page of a file's mapping, of which a client has one at most. */
#define KT_IOC_GRAB	KT_IOC(8)	/* buf: where it is mapped */
#define KT_IOC_LOCK	KT_IOC(9)	/* EAGAIN while it is dirty */
#define KT_IOC_DIRTY	KT_IOC(10)	/* once its file is being evicted; ends both */

/* One step of an operation each. */
#define KT_IOC_BEGIN	KT_IOC(16)	/* op, flags */
#define KT_IOC_END	KT_IOC(17)	/* op: drops its pins, too */
#define KT_IOC_PINSET	KT_IOC(18)	/* op, pin, nr_pins, pins, nr_allocs, flags */
#define KT_IOC_UNPIN	KT_IOC(19)	/* op, pin */
#define KT_IOC_READ	KT_IOC(20)	/* op, pin, offset, len, buf */
#define KT_IOC_WRITE	KT_IOC(21)	/* op, pin, offset, len, buf */
#define KT_IOC_ALLOC	KT_IOC(22)	/* op, pin, type; out: ref */
#define KT_IOC_FREEPIN	KT_IOC(23)	/* op, pin */
#define KT_IOC_FREE	KT_IOC(24)	/* op, type, ref */

/* A whole operation each, from begin to end, on an op that is not begun. */
#define KT_IOC_NEW	KT_IOC(32)	/* type, offset, len, buf, flags; out: ref */
#define KT_IOC_GET	KT_IOC(33)	/* type, ref, offset, len, buf, flags */
#define KT_IOC_SET	KT_IOC(34)	/* type, ref, offset, len, buf, flags */
#define KT_IOC_DEL	KT_IOC(35)	/* type, ref, flags */

#endif /* _KMDOM_TEST_H */
