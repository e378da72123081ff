/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/specs/kmdom.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_KMDOM_NETLINK_H
#define _UAPI_LINUX_KMDOM_NETLINK_H

#define KMDOM_FAMILY_NAME	"kmdom"
#define KMDOM_FAMILY_VERSION	1

/**
 * enum kmdom_nl_state - whether somebody pages the domain
 * @KMDOM_NL_STATE_SERVED: a session pages it
 * @KMDOM_NL_STATE_ORPHANED: no session does, waits go on until their deadlines
 * @KMDOM_NL_STATE_ABORTED: it is ending, and cannot be adopted any more
 */
enum kmdom_nl_state {
	KMDOM_NL_STATE_SERVED,
	KMDOM_NL_STATE_ORPHANED,
	KMDOM_NL_STATE_ABORTED,
};

#define KMDOM_NL_LEN_ALL	65535
#define KMDOM_NL_LEN_TRIM	65534

/**
 * enum kmdom_nl_policy - what a pager may do with objects, enum kmdom_policy
 * @KMDOM_NL_POLICY_DISCARD: drop them, nothing is exported
 * @KMDOM_NL_POLICY_CHECKED: read and edit them
 * @KMDOM_NL_POLICY_SIGNED: read them
 * @KMDOM_NL_POLICY_SEALED: store them
 */
enum kmdom_nl_policy {
	KMDOM_NL_POLICY_DISCARD,
	KMDOM_NL_POLICY_CHECKED,
	KMDOM_NL_POLICY_SIGNED,
	KMDOM_NL_POLICY_SEALED,
};

/**
 * enum kmdom_nl_kind - how a field leaves the kernel and comes back, enum
 *   kmdom_field_kind
 * @KMDOM_NL_KIND_INT: an integer within its range; with both ends 0, any value
 * @KMDOM_NL_KIND_BYTES: bytes, as many as len-field says
 * @KMDOM_NL_KIND_REF: the name of an object, or 0
 * @KMDOM_NL_KIND_FLAGS: an integer, of the bits of max-value
 * @KMDOM_NL_KIND_SECRET: as bytes, and never to be read
 * @KMDOM_NL_KIND_SOFT: never leaves, and is computed again
 * @KMDOM_NL_KIND_KERNEL: never leaves, and comes back as zeroes
 */
enum kmdom_nl_kind {
	KMDOM_NL_KIND_INT,
	KMDOM_NL_KIND_BYTES,
	KMDOM_NL_KIND_REF,
	KMDOM_NL_KIND_FLAGS,
	KMDOM_NL_KIND_SECRET,
	KMDOM_NL_KIND_SOFT,
	KMDOM_NL_KIND_KERNEL,
};

/**
 * enum kmdom_nl_reject - why a record was not taken, enum kmdom_reject
 * @KMDOM_NL_REJECT_NONE: it was
 * @KMDOM_NL_REJECT_LENGTH: no record is that short, or that long
 * @KMDOM_NL_REJECT_STALE: the page is absent at another version than the
 *   operation says
 * @KMDOM_NL_REJECT_MAGIC: it does not begin as a record
 * @KMDOM_NL_REJECT_FORMAT: of a format that this kernel does not speak
 * @KMDOM_NL_REJECT_RESERVED: reserved bytes are not zero
 * @KMDOM_NL_REJECT_DOMAIN: of another domain
 * @KMDOM_NL_REJECT_LEVEL: of a page of another level
 * @KMDOM_NL_REJECT_INDEX: of another page
 * @KMDOM_NL_REJECT_POLICY: of another policy than the page's type has
 * @KMDOM_NL_REJECT_TYPE: of another type, or of another schema of it
 * @KMDOM_NL_REJECT_SLOTS: of pages with room for another number
 * @KMDOM_NL_REJECT_MAP: a slot is live that the page does not have
 * @KMDOM_NL_REJECT_LIVE: the number of live slots is not the map's
 * @KMDOM_NL_REJECT_SIZE: the length in it is not its length
 * @KMDOM_NL_REJECT_VERSION: of another version of the page
 * @KMDOM_NL_REJECT_TAG: not authentic
 * @KMDOM_NL_REJECT_END: the payload ends within an object
 * @KMDOM_NL_REJECT_RANGE: an integer is out of its range
 * @KMDOM_NL_REJECT_FLAGS: a flag is set that does not exist
 * @KMDOM_NL_REJECT_REF: what shall be a ref cannot be one
 * @KMDOM_NL_REJECT_COUNT: a length or count is greater than its field
 * @KMDOM_NL_REJECT_TRIM: a field ends in a zero that is trimmed away
 * @KMDOM_NL_REJECT_REST: bytes follow the last object
 * @KMDOM_NL_REJECT_CHECK: an object is not consistent, says its type
 */
enum kmdom_nl_reject {
	KMDOM_NL_REJECT_NONE,
	KMDOM_NL_REJECT_LENGTH,
	KMDOM_NL_REJECT_STALE,
	KMDOM_NL_REJECT_MAGIC,
	KMDOM_NL_REJECT_FORMAT,
	KMDOM_NL_REJECT_RESERVED,
	KMDOM_NL_REJECT_DOMAIN,
	KMDOM_NL_REJECT_LEVEL,
	KMDOM_NL_REJECT_INDEX,
	KMDOM_NL_REJECT_POLICY,
	KMDOM_NL_REJECT_TYPE,
	KMDOM_NL_REJECT_SLOTS,
	KMDOM_NL_REJECT_MAP,
	KMDOM_NL_REJECT_LIVE,
	KMDOM_NL_REJECT_SIZE,
	KMDOM_NL_REJECT_VERSION,
	KMDOM_NL_REJECT_TAG,
	KMDOM_NL_REJECT_END,
	KMDOM_NL_REJECT_RANGE,
	KMDOM_NL_REJECT_FLAGS,
	KMDOM_NL_REJECT_REF,
	KMDOM_NL_REJECT_COUNT,
	KMDOM_NL_REJECT_TRIM,
	KMDOM_NL_REJECT_REST,
	KMDOM_NL_REJECT_CHECK,
};

enum {
	KMDOM_A_DOMAIN_ID = 1,
	KMDOM_A_DOMAIN_NAME,
	KMDOM_A_DOMAIN_UUID,
	KMDOM_A_DOMAIN_UID,
	KMDOM_A_DOMAIN_STATE,
	KMDOM_A_DOMAIN_STALLED,
	KMDOM_A_DOMAIN_AEAD,
	KMDOM_A_DOMAIN_ORPHAN_SECONDS,
	KMDOM_A_DOMAIN_SESSION,
	KMDOM_A_DOMAIN_SESSION_PID,
	KMDOM_A_DOMAIN_FRAMES_MAX,
	KMDOM_A_DOMAIN_FRAMES_POOL,
	KMDOM_A_DOMAIN_FRAMES_GRANTED,
	KMDOM_A_DOMAIN_FRAMES_FREE,
	KMDOM_A_DOMAIN_FRAMES_USED,
	KMDOM_A_DOMAIN_FRAMES_PEAK,
	KMDOM_A_DOMAIN_PAGES_PRESENT,
	KMDOM_A_DOMAIN_PAGES_ABSENT,
	KMDOM_A_DOMAIN_TABLES,
	KMDOM_A_DOMAIN_CACHES,
	KMDOM_A_DOMAIN_WAITERS,
	KMDOM_A_DOMAIN_CLIENTS,
	KMDOM_A_DOMAIN_FAULTS,
	KMDOM_A_DOMAIN_EXPORTS,
	KMDOM_A_DOMAIN_RESTORES,
	KMDOM_A_DOMAIN_EVICTIONS,
	KMDOM_A_DOMAIN_REJECTED,
	KMDOM_A_DOMAIN_REFUSED,
	KMDOM_A_DOMAIN_TIMEOUTS,
	KMDOM_A_DOMAIN_BYTES_OUT,
	KMDOM_A_DOMAIN_BYTES_IN,
	KMDOM_A_DOMAIN_FAULT_NS_SUM,
	KMDOM_A_DOMAIN_FAULT_NS_MAX,
	KMDOM_A_DOMAIN_REJECTS,

	__KMDOM_A_DOMAIN_MAX,
	KMDOM_A_DOMAIN_MAX = (__KMDOM_A_DOMAIN_MAX - 1)
};

enum {
	KMDOM_A_REJECT_REASON = 1,
	KMDOM_A_REJECT_COUNT,

	__KMDOM_A_REJECT_MAX,
	KMDOM_A_REJECT_MAX = (__KMDOM_A_REJECT_MAX - 1)
};

enum {
	KMDOM_A_CACHE_DOMAIN_ID = 1,
	KMDOM_A_CACHE_DOMAIN_NAME,
	KMDOM_A_CACHE_DOMAIN_UUID,
	KMDOM_A_CACHE_ID,
	KMDOM_A_CACHE_TYPE,
	KMDOM_A_CACHE_HASH,
	KMDOM_A_CACHE_PAGES,
	KMDOM_A_CACHE_ATTACHED,
	KMDOM_A_CACHE_SIZE,
	KMDOM_A_CACHE_SLOTS,
	KMDOM_A_CACHE_POLICY,
	KMDOM_A_CACHE_CHECK,
	KMDOM_A_CACHE_FIELDS,

	__KMDOM_A_CACHE_MAX,
	KMDOM_A_CACHE_MAX = (__KMDOM_A_CACHE_MAX - 1)
};

enum {
	KMDOM_A_FIELD_NAME = 1,
	KMDOM_A_FIELD_OFFSET,
	KMDOM_A_FIELD_SIZE,
	KMDOM_A_FIELD_KIND,
	KMDOM_A_FIELD_LEN_FIELD,
	KMDOM_A_FIELD_REF_TYPE,
	KMDOM_A_FIELD_FLAGS,
	KMDOM_A_FIELD_MIN_VALUE,
	KMDOM_A_FIELD_MAX_VALUE,

	__KMDOM_A_FIELD_MAX,
	KMDOM_A_FIELD_MAX = (__KMDOM_A_FIELD_MAX - 1)
};

enum {
	KMDOM_CMD_DOMAIN_GET = 1,
	KMDOM_CMD_CACHE_GET,

	__KMDOM_CMD_MAX,
	KMDOM_CMD_MAX = (__KMDOM_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_KMDOM_NETLINK_H */
