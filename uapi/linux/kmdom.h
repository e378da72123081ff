/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * kmdom: kernel memory paged by the tenant that uses it - the pager's interface
 *
 * A pager opens /dev/kmdom, says KMDOM_IOC_HELLO, creates a domain or finds
 * one that exists, and begins a session with KMDOM_IOC_ADOPT. The session's
 * descriptor is mapped to reach the pool of frames, and serves exchanges:
 * operations in, results and events out, through ioctl(KMDOM_IOC_EXCHANGE)
 * or through io_uring's IORING_OP_URING_CMD with cmd_op KMDOM_URING_EXCHANGE.
 *
 * Changelog (until 1.0 it grows by version and feature bits):
 *   version 1: first.
 *
 * Errors: one errno has one meaning, in ioctls, results and client calls.
 *
 *   EINVAL      malformed: a field, flag or record is not what it may be
 *   EPROTO      HELLO was not said, or asked for a version that is not spoken
 *   EFAULT      a bad user address
 *   EPERM       the caller lacks the right
 *   ENOENT      no such domain; no such page: it is empty, or its level is
 *   ENXIO       a table over the page is absent: that is to be restored first
 *   EEXIST      a domain of that name exists
 *   EBUSY       moving, pinned, mapped, or held by another: may be retried
 *   EAGAIN      dirtied since, not clean for this session, or would block
 *   EALREADY    the operation was carried out before; nothing was changed
 *   EBADMSG     a record is not authentic
 *   ESTALE      the page's valid record has another version
 *   EXDEV       a record of another page or of another domain
 *   EMSGSIZE    the pager's buffer is too small for what is to be written
 *   ENOBUFS     no free frame
 *   ENOSPC      the domain has no page index left
 *   EDQUOT      over a limit: frames of a domain, domains or memory of a user
 *   ENOMEM      the kernel itself lacks memory
 *   EOVERFLOW   the domain has no record version left
 *   ETIMEDOUT   a deadline was missed
 *   EINTR       a fatal signal ended the wait
 *   EDEADLK     the wait could never end: a pager waits for itself
 *   EOWNERDEAD  the session has ended
 *   ENODEV      the domain is aborted or gone
 *   EPROTOTYPE  a type of that name exists with another schema
 *   EIO         a page is lost, or a table over it: its pager said so
 *   ENODATA     of a page of a DISCARD type nothing is exported
 *   ECANCELED   a parked command was cancelled, or its submitter dies
 *   EOPNOTSUPP  this kernel or this version does not offer it
 */
#ifndef _UAPI_LINUX_KMDOM_H
#define _UAPI_LINUX_KMDOM_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** KMDOM_ABI_VERSION: the version of this interface. */
#define KMDOM_ABI_VERSION	1

/* Feature bits of struct kmdom_hello. */
#define KMDOM_FEATURE_URING	(1ULL << 0)	/* exchanges by URING_CMD */
#define KMDOM_FEATURES		KMDOM_FEATURE_URING

#define KMDOM_NAME_MAX		64	/* with "uid/" and the final NUL */
#define KMDOM_AEAD_MAX		32
#define KMDOM_TYPE_MAX		32
#define KMDOM_FRAME_SIZE	4096	/* bytes of a frame and of a page */
#define KMDOM_FRAMES_MIN	128	/* the least max_frames of a domain */
#define KMDOM_FRAMES_RESERVE	64	/* kept for the oldest waiting pin set */
#define KMDOM_FRAMES_MAX	(1U << 23)	/* the most, 32 GiB */
#define KMDOM_SLOTS_MAX		64	/* slots of a session */
#define KMDOM_OPS_MAX		256	/* operations in one exchange */
#define KMDOM_EVENTS_MAX	256	/* events out of one exchange */
#define KMDOM_SCAN_MAX		256	/* pages out of one SCAN */
#define KMDOM_RECORD_MAX	5632	/* bytes of the longest record */
#define KMDOM_INDEX_BITS	36	/* bits of a page's index at level 0 */
#define KMDOM_LEVELS		4	/* levels of tables: 1 to 4 */
#define KMDOM_TABLE_ENTRIES	512	/* pages of the level below that one covers */

/**
 * struct kmdom_hello - the handshake, first on every /dev/kmdom descriptor
 * @abi: in: the version that the caller speaks; out: the kernel's
 * @reserved: 0
 * @features: in: what the caller needs; out: what the kernel has
 *
 * EPROTO if @abi is not spoken, EOPNOTSUPP if a feature needed is missing;
 * both out fields are written even then.
 */
struct kmdom_hello {
	__u32 abi;
	__u32 reserved;
	__u64 features;
};

/**
 * struct kmdom_create - create a domain
 * @name: NUL-terminated. Without CAP_SYS_ADMIN the domain is called
 *	"UID/NAME", and NAME holds no slash; with it, what is written
 * @aead: an AEAD of the kernel's crypto API, such as "gcm(aes)", "aegis128",
 *	"rfc7539(chacha20,poly1305)"; empty for the default
 * @max_frames: the most frames that all sessions together may have in pools,
 *	KMDOM_FRAMES_MIN to KMDOM_FRAMES_MAX
 * @orphan_seconds: how long the domain lives without a session before it is
 *	aborted; 0 for the administrator's maximum, which also caps it
 * @flags: 0
 * @reserved: 0
 * @id: out: the domain's number, never given again while the module is loaded
 * @uuid: out: what the domain's records name
 *
 * EEXIST, EINVAL, EPERM (a slash in the name without CAP_SYS_ADMIN),
 * EDQUOT (domains of this user), EOPNOTSUPP (no such AEAD), ENOMEM. EFAULT if
 * @id and @uuid cannot be written: the domain is there then, and has its name.
 */
struct kmdom_create {
	char name[KMDOM_NAME_MAX];
	char aead[KMDOM_AEAD_MAX];
	__u32 max_frames;
	__u32 orphan_seconds;
	__u32 flags;
	__u32 reserved;
	__u64 id;
	__u8 uuid[16];
};

/* Flags of struct kmdom_adopt. */
#define KMDOM_ADOPT_TAKEOVER	(1U << 0)	/* end a session that lives */

/**
 * struct kmdom_adopt - begin a session: become the domain's pager
 * @name: the domain. A name without a slash is first looked up as "UID/NAME"
 * @pool_frames: frames of the session's pool, at least 1
 * @slots: how many exchanges may be at work at once, 1 to KMDOM_SLOTS_MAX
 * @deadline_ms: shortens the time that clients wait; 0 leaves the
 *	administrator's
 * @flags: KMDOM_ADOPT_*
 * @session: out: the session's number in the domain, from 1
 * @max_frames: out: the domain's limit
 * @reserved: 0
 * @page_count: out: pages, present or absent, tables not counted
 *
 * Returns the session's descriptor (close-on-exec). The pool is mapped from
 * it: mmap(NULL, pool_frames * KMDOM_FRAME_SIZE, PROT_READ | PROT_WRITE,
 * MAP_SHARED, fd, 0). Only the domain's creator and CAP_SYS_ADMIN may; EBUSY
 * if a session lives and KMDOM_ADOPT_TAKEOVER is not given; EDQUOT if this pool
 * alone would pass the domain's limit, or the domain's first one RLIMIT_MEMLOCK
 * with what else its user has locked; ENODEV if aborted; EPERM also if the caller
 * is in no memory cgroup with a limit and lacks CAP_SYS_ADMIN. What frames of
 * earlier sessions that are still in use leave of the limits is given to the pool
 * at once, the rest by GRANT as they come free.
 */
struct kmdom_adopt {
	char name[KMDOM_NAME_MAX];
	__u32 pool_frames;
	__u32 slots;
	__u32 deadline_ms;
	__u32 flags;
	__u64 session;
	__u32 max_frames;
	__u32 reserved;
	__u64 page_count;
};

/**
 * struct kmdom_name - a domain to abort or to destroy
 * @name: as in struct kmdom_adopt
 * @flags: 0
 * @reserved: 0
 *
 * ABORT cannot be undone: waits and new pins fail with ENODEV, the session
 * ends, frames and key go when the last pin does, and the domain vanishes
 * with its last client. DESTROY does the same but is refused with EBUSY while
 * a client (a mount) holds the domain. ENOENT, EPERM.
 */
struct kmdom_name {
	char name[KMDOM_NAME_MAX];
	__u32 flags;
	__u32 reserved;
};

/**
 * enum kmdom_op_code - what an operation does
 * @KMDOM_OP_GRANT: lend @arg frames of the pool from frame number @index;
 *	value: how many were lent. Those that are not the pager's own at this
 *	instant are passed over; EBUSY if none could be lent, EDQUOT if for want
 *	of memory within the limits, ENOMEM
 * @KMDOM_OP_REVOKE: take back those of @arg frames from @index that are free,
 *	zeroed; value: how many. EBUSY if none was free
 * @KMDOM_OP_EXPORT: page @index to a record at @buf of at most @len bytes;
 *	version and len of the result tell the record's. The page is then clean,
 *	exported at that version by this session. @version 0. EBUSY (moving, a
 *	write pin is held), EAGAIN (dirtied or exported anew while the
 *	record was copied out), EALREADY (clean already, or absent; version tells
 *	at which), ENOENT, EIO (lost), ENODATA, EOVERFLOW, EMSGSIZE. A table while a
 *	page under it is in a frame: EBUSY
 * @KMDOM_OP_STORED: vouch for @version of page @index. EAGAIN (dirtied
 *	since), ESTALE (another version), ENOENT, ENODATA
 * @KMDOM_OP_EVICT: vouch for @version of page @index, and drop its frame.
 *	EAGAIN (dirtied since, or not clean for this session), EBUSY (pinned,
 *	moving, wanted by the oldest waiting pin set; of a table: a page under it is
 *	in a frame, or new pages are being made there), EALREADY, ESTALE, ENOENT.
 *	With @version 0 a page of a DISCARD type ends, and its objects with it
 * @KMDOM_OP_RESTORE: the record of @len bytes at @buf to page @index, absent at
 *	@version; value: enum kmdom_reject, why it was not taken. EALREADY
 *	(present), ESTALE, EXDEV, EBADMSG, EINVAL, ENOBUFS, ENOENT, EIO (lost),
 *	EBUSY (the table over it came and went meanwhile)
 * @KMDOM_OP_REFUSE: fail with EIO those who wait for page @index at @version;
 *	with KMDOM_OPF_LOST the page is lost for good, with a table all pages under
 *	it (which are counted as absent until the domain ends). value: how many
 *	waited.
 *	EALREADY (lost already), EBUSY (present), ESTALE, ENOENT
 * @KMDOM_OP_SCAN: states of pages from cursor @index to an array of @arg
 *	struct kmdom_page at @buf; value: the next cursor, 0 at the end; len:
 *	how many were written. The first cursor is 0. In order of index, a table
 *	before what it covers, and of an absent one nothing else; with
 *	KMDOM_OPF_PRESENT in order of frames, and those in frames only
 * @KMDOM_OP_RESEND: shows all unanswered events again; value: how many
 *
 * EXPORT, STORED, EVICT, RESTORE and REFUSE are of a page of objects, or of a table
 * of the page table: of @level 1 to KMDOM_LEVELS, page @index of which covers the
 * 512 pages of the level below from 512 * @index on. They give ENXIO where a table
 * over their page is absent. A table leaves while no page under it is in a frame,
 * and comes back before they do. Its record is SIGNED: objects of 16 bytes, each a
 * pair of entries, of 3 bits of enum kmdom_page_state, 10 of the cache, and 51 of
 * the version.
 */
enum kmdom_op_code {
	KMDOM_OP_GRANT = 1,
	KMDOM_OP_REVOKE,
	KMDOM_OP_EXPORT,
	KMDOM_OP_STORED,
	KMDOM_OP_EVICT,
	KMDOM_OP_RESTORE,
	KMDOM_OP_REFUSE,
	KMDOM_OP_SCAN,
	KMDOM_OP_RESEND,
};

/* A cursor of SCAN in order of index: begin with this page. */
#define KMDOM_SCAN_AT(level, index) \
	((__u64)(index) << (9 * (level) + 3) | (KMDOM_LEVELS - (level)))

/* Flags of struct kmdom_op; each only where it is named. */
#define KMDOM_OPF_DRAIN		(1U << 0) /* EXPORT, EVICT: wait for pins, 10 ms at most */
#define KMDOM_OPF_LOST		(1U << 1) /* REFUSE */
#define KMDOM_OPF_PRESENT	(1U << 2) /* SCAN */
#define KMDOM_OPF_CLEAR		(1U << 3) /* SCAN: clear "referenced" */

/**
 * struct kmdom_op - one operation of an exchange
 * @code: enum kmdom_op_code
 * @flags: KMDOM_OPF_*
 * @level: level of the page
 * @index: page, frame number or cursor
 * @version: version of the page's record
 * @buf: the pager's buffer
 * @len: its length in bytes
 * @arg: count
 *
 * Fields that an operation does not use are 0.
 */
struct kmdom_op {
	__u16 code;
	__u16 flags;
	__u32 level;
	__u64 index;
	__u64 version;
	__u64 buf;
	__u32 len;
	__u32 arg;
};

/**
 * struct kmdom_result - what became of an operation
 * @ret: 0 or a negative errno
 * @len: bytes or entries written to the pager's buffer
 * @version: the record's version
 * @value: as the operation says
 */
struct kmdom_result {
	__s32 ret;
	__u32 len;
	__u64 version;
	__u64 value;
};

/**
 * enum kmdom_page_state - where a page is
 * @KMDOM_PAGE_EMPTY: nowhere; SCAN never shows it
 * @KMDOM_PAGE_PRESENT: in a frame
 * @KMDOM_PAGE_ABSENT: in the pager's store, as the record of its version
 * @KMDOM_PAGE_LOST: gone for ever
 */
enum kmdom_page_state {
	KMDOM_PAGE_EMPTY,
	KMDOM_PAGE_PRESENT,
	KMDOM_PAGE_ABSENT,
	KMDOM_PAGE_LOST,
};

/* Flags of struct kmdom_page. */
#define KMDOM_PAGEF_DIRTY	(1U << 0) /* not clean for this session */
#define KMDOM_PAGEF_REFERENCED	(1U << 1) /* pinned since this was cleared */
#define KMDOM_PAGEF_PINNED	(1U << 2) /* pinned at this instant */
#define KMDOM_PAGEF_VOUCHED	(1U << 3) /* the pager vouched for version */
#define KMDOM_PAGEF_WANTED	(1U << 4) /* somebody waits for it, or for a page under it */
#define KMDOM_PAGEF_HOLDS	(1U << 5) /* a table: pages under it are in frames */

/**
 * struct kmdom_page - state of one page, as SCAN shows it
 * @index: of the page, in its level
 * @version: of its one valid record, or of the last if @flags has DIRTY; 0: none
 * @cache: number of its cache in the domain
 * @level: 0 of objects, else of tables
 * @state: enum kmdom_page_state
 * @live: live objects, of a present page; used entries, of a table
 * @slots: room for that many
 * @flags: KMDOM_PAGEF_*
 * @policy: enum kmdom_policy, of a present page
 * @reserved: 0
 */
struct kmdom_page {
	__u64 index;
	__u64 version;
	__u16 cache;
	__u8 level;
	__u8 state;
	__u16 live;
	__u16 slots;
	__u32 flags;
	__u8 policy;
	__u8 reserved[3];
};

/**
 * enum kmdom_event_type - what the kernel tells or asks
 * @KMDOM_EVENT_FAULT: page @index, absent at @version, is wanted. @arg: the
 *	page of level 0 that is wanted in the end, which need not exist yet. So
 *	after a table the page @arg >> 9 * (@level - 1) of the level below it will
 *	be wanted, if that is absent: KMDOM_LEVELS + 1 faults at most
 * @KMDOM_EVENT_NEED_FRAMES: somebody waits for frames; @arg: how many lack
 * @KMDOM_EVENT_PRESSURE: the system wants @arg frames back (not sent yet)
 * @KMDOM_EVENT_FREED: a hint: page @index is gone, its records are garbage
 * @KMDOM_EVENT_GARBAGE_UNKNOWN: hints of that kind were dropped
 * @KMDOM_EVENT_CLOSE: the domain is ending; exchanges will give ENODEV
 */
enum kmdom_event_type {
	KMDOM_EVENT_FAULT = 1,
	KMDOM_EVENT_NEED_FRAMES,
	KMDOM_EVENT_PRESSURE,
	KMDOM_EVENT_FREED,
	KMDOM_EVENT_GARBAGE_UNKNOWN,
	KMDOM_EVENT_CLOSE,
};

/**
 * struct kmdom_event - one event
 * @type: enum kmdom_event_type
 * @cache: of the page
 * @level: of the page
 * @reserved: 0
 * @index: of the page
 * @version: of its valid record
 * @arg: as the type says
 */
struct kmdom_event {
	__u32 type;
	__u16 cache;
	__u8 level;
	__u8 reserved;
	__u64 index;
	__u64 version;
	__u64 arg;
};

/* Flags of struct kmdom_exchange. */
#define KMDOM_EXCHANGE_WAKE	(1U << 0) /* complete what is parked, first */

/**
 * struct kmdom_exchange - operations in, results and events out
 * @ops: address of @nr_ops struct kmdom_op
 * @results: address of room for @nr_ops struct kmdom_result
 * @events: address of room for @max_events struct kmdom_event
 * @nr_ops: at most KMDOM_OPS_MAX
 * @max_events: at most KMDOM_EVENTS_MAX
 * @min_events: 0: do not wait; 1: wait until there is an event, after the
 *	operations. No other value
 * @flags: KMDOM_EXCHANGE_*
 * @timeout_ns: of that wait; negative: none. Through io_uring: negative; a
 *	timeout command of the ring and KMDOM_EXCHANGE_WAKE bound it
 * @nr_results: out: results written
 * @nr_events: out: events written
 * @free_frames: out: lent frames that are free
 * @used_frames: out: frames in use, of all pools of the domain
 *
 * Operations run in order; one that fails does not stop the next. 0 if all
 * results were written; a wait that ends by timeout, WAKE or a signal that does
 * not kill is no error, with @nr_events 0. EFAULT on the structure or on @ops
 * means that nothing was done; on a result or an event the call ends, and the
 * counts tell what was delivered; what was not is delivered again (events) or
 * can be repeated (operations). EFAULT on the counts leaves these as they were:
 * the operations were carried out, and if there were events, all that is not
 * answered is shown again, and hints become KMDOM_EVENT_GARBAGE_UNKNOWN.
 * EOWNERDEAD, ENODEV, EINTR, EINVAL, EBUSY (through io_uring: as many commands
 * are parked as the session has slots).
 */
struct kmdom_exchange {
	__u64 ops;
	__u64 results;
	__u64 events;
	__u32 nr_ops;
	__u32 max_events;
	__u32 min_events;
	__u32 flags;
	__s64 timeout_ns;
	__u32 nr_results;
	__u32 nr_events;
	__u32 free_frames;
	__u32 used_frames;
};

/**
 * struct kmdom_uring_cmd - payload of a URING_CMD with KMDOM_URING_EXCHANGE
 * @addr: address of a struct kmdom_exchange, which stays until completion
 * @len: its size in bytes
 * @reserved: 0
 *
 * The completion's result is 0 or a negative errno, as the ioctl's.
 */
struct kmdom_uring_cmd {
	__u64 addr;
	__u32 len;
	__u32 reserved;
};

#define KMDOM_MAGIC_RECORD	0x6d6f646bU	/* "kdom" in memory */
#define KMDOM_RECORD_FORMAT	2

/**
 * struct kmdom_record - header of every record, little-endian
 * @magic: KMDOM_MAGIC_RECORD
 * @format: KMDOM_RECORD_FORMAT
 * @policy: enum kmdom_policy
 * @level: of the page
 * @type: hash of the type's schema
 * @domain: uuid of the domain
 * @index: of the page
 * @version: of the record
 * @length: of the whole record in bytes; 0 if the policy is CHECKED, because an
 *	edit may change it
 * @slots: how many objects the page has room for
 * @live: how many are live
 * @reserved: 0
 * @map: bit N of byte N / 8: slot N is live
 *
 * Behind it the payload (of SEALED it is encrypted), then the tag. The header
 * with its map is authenticated under every policy.
 */
struct kmdom_record {
	__le32 magic;
	__le16 format;
	__u8 policy;
	__u8 level;
	__le64 type;
	__u8 domain[16];
	__le64 index;
	__le64 version;
	__le32 length;
	__le16 slots;
	__le16 live;
	__le64 reserved;
	__u8 map[32];
};

/**
 * enum kmdom_policy - what the pager may do with a page's contents
 * @KMDOM_POLICY_DISCARD: drop them: nothing is exported, EVICT needs no version
 * @KMDOM_POLICY_CHECKED: read and edit them in the record: its payload is not
 *	authenticated, but must have the form that the type's schema says
 * @KMDOM_POLICY_SIGNED: read them
 * @KMDOM_POLICY_SEALED: store them
 */
enum kmdom_policy {
	KMDOM_POLICY_DISCARD,
	KMDOM_POLICY_CHECKED,
	KMDOM_POLICY_SIGNED,
	KMDOM_POLICY_SEALED,
};

/**
 * enum kmdom_reject - why a record was not taken, in the order of the checks
 * @KMDOM_REJECT_NONE: it was
 * @KMDOM_REJECT_LENGTH: no record is that short, or that long (EINVAL)
 * @KMDOM_REJECT_STALE: the page is absent at another version than the
 *	operation says (ESTALE)
 * @KMDOM_REJECT_MAGIC: it does not begin as a record (EINVAL)
 * @KMDOM_REJECT_FORMAT: of a format that this kernel does not speak (EINVAL)
 * @KMDOM_REJECT_RESERVED: reserved bytes are not zero (EINVAL)
 * @KMDOM_REJECT_DOMAIN: of another domain (EXDEV)
 * @KMDOM_REJECT_LEVEL: of a page of another level (EXDEV)
 * @KMDOM_REJECT_INDEX: of another page (EXDEV)
 * @KMDOM_REJECT_POLICY: of another policy than the page's type has (EINVAL)
 * @KMDOM_REJECT_TYPE: of another type, or of another schema of it (EINVAL)
 * @KMDOM_REJECT_SLOTS: of pages with room for another number (EINVAL)
 * @KMDOM_REJECT_MAP: a slot is live that the page does not have (EINVAL)
 * @KMDOM_REJECT_LIVE: the number of live slots is not the map's (EINVAL)
 * @KMDOM_REJECT_SIZE: the length in it is not its length (EINVAL)
 * @KMDOM_REJECT_VERSION: of another version of the page (ESTALE)
 * @KMDOM_REJECT_TAG: not authentic (EBADMSG)
 * @KMDOM_REJECT_END: the payload ends within an object (EINVAL)
 * @KMDOM_REJECT_RANGE: an integer is out of its range (EINVAL)
 * @KMDOM_REJECT_FLAGS: a flag is set that does not exist (EINVAL)
 * @KMDOM_REJECT_REF: what shall be a ref cannot be one (EINVAL)
 * @KMDOM_REJECT_COUNT: a length or count is greater than its field (EINVAL)
 * @KMDOM_REJECT_TRIM: a field ends in a zero that is trimmed away (EINVAL)
 * @KMDOM_REJECT_REST: bytes follow the last object (EINVAL)
 * @KMDOM_REJECT_CHECK: an object is not consistent, says its type (EINVAL)
 *
 * The value of a RESTORE's result.
 */
enum kmdom_reject {
	KMDOM_REJECT_NONE,
	KMDOM_REJECT_LENGTH,
	KMDOM_REJECT_STALE,
	KMDOM_REJECT_MAGIC,
	KMDOM_REJECT_FORMAT,
	KMDOM_REJECT_RESERVED,
	KMDOM_REJECT_DOMAIN,
	KMDOM_REJECT_LEVEL,
	KMDOM_REJECT_INDEX,
	KMDOM_REJECT_POLICY,
	KMDOM_REJECT_TYPE,
	KMDOM_REJECT_SLOTS,
	KMDOM_REJECT_MAP,
	KMDOM_REJECT_LIVE,
	KMDOM_REJECT_SIZE,
	KMDOM_REJECT_VERSION,
	KMDOM_REJECT_TAG,
	KMDOM_REJECT_END,
	KMDOM_REJECT_RANGE,
	KMDOM_REJECT_FLAGS,
	KMDOM_REJECT_REF,
	KMDOM_REJECT_COUNT,
	KMDOM_REJECT_TRIM,
	KMDOM_REJECT_REST,
	KMDOM_REJECT_CHECK,
};

/* KMDOM_NR_REJECTS: reasons, KMDOM_REJECT_NONE counted. */
#define KMDOM_NR_REJECTS	(KMDOM_REJECT_CHECK + 1)

#define KMDOM_IOC_MAGIC		0xD7

/* On /dev/kmdom. */
#define KMDOM_IOC_HELLO		_IOWR(KMDOM_IOC_MAGIC, 0, struct kmdom_hello)
#define KMDOM_IOC_CREATE	_IOWR(KMDOM_IOC_MAGIC, 1, struct kmdom_create)
#define KMDOM_IOC_ADOPT		_IOWR(KMDOM_IOC_MAGIC, 2, struct kmdom_adopt)
#define KMDOM_IOC_ABORT		_IOW(KMDOM_IOC_MAGIC, 3, struct kmdom_name)
#define KMDOM_IOC_DESTROY	_IOW(KMDOM_IOC_MAGIC, 4, struct kmdom_name)

/* On a session's descriptor. */
#define KMDOM_IOC_EXCHANGE	_IOWR(KMDOM_IOC_MAGIC, 16, struct kmdom_exchange)
#define KMDOM_URING_EXCHANGE	KMDOM_IOC_EXCHANGE

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define KMDOM_FIELD(type, field, offset)				\
	_Static_assert(__builtin_offsetof(struct type, field) == (offset), #type "." #field)
#define KMDOM_SIZE(type, size)						\
	_Static_assert(sizeof(struct type) == (size), #type)
KMDOM_FIELD(kmdom_hello, abi, 0);
KMDOM_FIELD(kmdom_hello, reserved, 4);
KMDOM_FIELD(kmdom_hello, features, 8);
KMDOM_SIZE(kmdom_hello, 16);
KMDOM_FIELD(kmdom_create, name, 0);
KMDOM_FIELD(kmdom_create, aead, 64);
KMDOM_FIELD(kmdom_create, max_frames, 96);
KMDOM_FIELD(kmdom_create, orphan_seconds, 100);
KMDOM_FIELD(kmdom_create, flags, 104);
KMDOM_FIELD(kmdom_create, reserved, 108);
KMDOM_FIELD(kmdom_create, id, 112);
KMDOM_FIELD(kmdom_create, uuid, 120);
KMDOM_SIZE(kmdom_create, 136);
KMDOM_FIELD(kmdom_adopt, name, 0);
KMDOM_FIELD(kmdom_adopt, pool_frames, 64);
KMDOM_FIELD(kmdom_adopt, slots, 68);
KMDOM_FIELD(kmdom_adopt, deadline_ms, 72);
KMDOM_FIELD(kmdom_adopt, flags, 76);
KMDOM_FIELD(kmdom_adopt, session, 80);
KMDOM_FIELD(kmdom_adopt, max_frames, 88);
KMDOM_FIELD(kmdom_adopt, reserved, 92);
KMDOM_FIELD(kmdom_adopt, page_count, 96);
KMDOM_SIZE(kmdom_adopt, 104);
KMDOM_FIELD(kmdom_name, name, 0);
KMDOM_FIELD(kmdom_name, flags, 64);
KMDOM_FIELD(kmdom_name, reserved, 68);
KMDOM_SIZE(kmdom_name, 72);
KMDOM_FIELD(kmdom_op, code, 0);
KMDOM_FIELD(kmdom_op, flags, 2);
KMDOM_FIELD(kmdom_op, level, 4);
KMDOM_FIELD(kmdom_op, index, 8);
KMDOM_FIELD(kmdom_op, version, 16);
KMDOM_FIELD(kmdom_op, buf, 24);
KMDOM_FIELD(kmdom_op, len, 32);
KMDOM_FIELD(kmdom_op, arg, 36);
KMDOM_SIZE(kmdom_op, 40);
KMDOM_FIELD(kmdom_result, ret, 0);
KMDOM_FIELD(kmdom_result, len, 4);
KMDOM_FIELD(kmdom_result, version, 8);
KMDOM_FIELD(kmdom_result, value, 16);
KMDOM_SIZE(kmdom_result, 24);
KMDOM_FIELD(kmdom_page, index, 0);
KMDOM_FIELD(kmdom_page, version, 8);
KMDOM_FIELD(kmdom_page, cache, 16);
KMDOM_FIELD(kmdom_page, level, 18);
KMDOM_FIELD(kmdom_page, state, 19);
KMDOM_FIELD(kmdom_page, live, 20);
KMDOM_FIELD(kmdom_page, slots, 22);
KMDOM_FIELD(kmdom_page, flags, 24);
KMDOM_FIELD(kmdom_page, policy, 28);
KMDOM_FIELD(kmdom_page, reserved, 29);
KMDOM_SIZE(kmdom_page, 32);
KMDOM_FIELD(kmdom_event, type, 0);
KMDOM_FIELD(kmdom_event, cache, 4);
KMDOM_FIELD(kmdom_event, level, 6);
KMDOM_FIELD(kmdom_event, reserved, 7);
KMDOM_FIELD(kmdom_event, index, 8);
KMDOM_FIELD(kmdom_event, version, 16);
KMDOM_FIELD(kmdom_event, arg, 24);
KMDOM_SIZE(kmdom_event, 32);
KMDOM_FIELD(kmdom_exchange, ops, 0);
KMDOM_FIELD(kmdom_exchange, results, 8);
KMDOM_FIELD(kmdom_exchange, events, 16);
KMDOM_FIELD(kmdom_exchange, nr_ops, 24);
KMDOM_FIELD(kmdom_exchange, max_events, 28);
KMDOM_FIELD(kmdom_exchange, min_events, 32);
KMDOM_FIELD(kmdom_exchange, flags, 36);
KMDOM_FIELD(kmdom_exchange, timeout_ns, 40);
KMDOM_FIELD(kmdom_exchange, nr_results, 48);
KMDOM_FIELD(kmdom_exchange, nr_events, 52);
KMDOM_FIELD(kmdom_exchange, free_frames, 56);
KMDOM_FIELD(kmdom_exchange, used_frames, 60);
KMDOM_SIZE(kmdom_exchange, 64);
KMDOM_FIELD(kmdom_uring_cmd, addr, 0);
KMDOM_FIELD(kmdom_uring_cmd, len, 8);
KMDOM_FIELD(kmdom_uring_cmd, reserved, 12);
KMDOM_SIZE(kmdom_uring_cmd, 16);
KMDOM_FIELD(kmdom_record, magic, 0);
KMDOM_FIELD(kmdom_record, format, 4);
KMDOM_FIELD(kmdom_record, policy, 6);
KMDOM_FIELD(kmdom_record, level, 7);
KMDOM_FIELD(kmdom_record, type, 8);
KMDOM_FIELD(kmdom_record, domain, 16);
KMDOM_FIELD(kmdom_record, index, 32);
KMDOM_FIELD(kmdom_record, version, 40);
KMDOM_FIELD(kmdom_record, length, 48);
KMDOM_FIELD(kmdom_record, slots, 52);
KMDOM_FIELD(kmdom_record, live, 54);
KMDOM_FIELD(kmdom_record, reserved, 56);
KMDOM_FIELD(kmdom_record, map, 64);
KMDOM_SIZE(kmdom_record, 96);
#undef KMDOM_FIELD
#undef KMDOM_SIZE
#endif

#endif /* _UAPI_LINUX_KMDOM_H */
