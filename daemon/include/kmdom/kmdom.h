/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libkmdom: for programs that page kernel memory
 *
 * Every call returns 0 or more, or a negative errno with the meaning that
 * <linux/kmdom.h> gives it; nothing is printed and no signal is touched.
 * Objects of the library are used by one thread at a time; different objects
 * by different threads at the same time. kmdom(3) has an example.
 */
#ifndef KMDOM_KMDOM_H
#define KMDOM_KMDOM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/kmdom.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KMDOM_DEVICE		"/dev/kmdom"

/* What kmdomctl adopt passes on: a session's descriptor, and its pool's frames. */
#define KMDOM_ENV_SESSION	"KMDOM_SESSION_FD"
#define KMDOM_ENV_FRAMES	"KMDOM_SESSION_FRAMES"

/* ---- the device ---- */

int kmdom_open(uint64_t need, uint64_t *features);
int kmdom_create(int dev, struct kmdom_create *create);
int kmdom_adopt(int dev, struct kmdom_adopt *adopt);
int kmdom_abort(int dev, const char *name);
int kmdom_destroy(int dev, const char *name);
int kmdom_set_name(char field[KMDOM_NAME_MAX], const char *name);

/**
 * enum kmdom_call - what was tried, for kmdom_explain()
 */
enum kmdom_call {
	KMDOM_CALL_OPEN,
	KMDOM_CALL_CREATE,
	KMDOM_CALL_ADOPT,
	KMDOM_CALL_ABORT,
	KMDOM_CALL_DESTROY,
	KMDOM_CALL_INFO,
	KMDOM_CALL_EXCHANGE,
	KMDOM_CALL_URING,
};

const char *kmdom_explain(enum kmdom_call call, int err);

/* ---- sessions ---- */

struct kmdom_session;

int kmdom_session_begin(int dev, struct kmdom_adopt *adopt,
			struct kmdom_session **session);
int kmdom_session_attach(int fd, uint32_t pool_frames,
			 struct kmdom_session **session);
void kmdom_session_end(struct kmdom_session *session);
int kmdom_session_fd(const struct kmdom_session *session);
int kmdom_session_pool(struct kmdom_session *session, void **pool);
int kmdom_session_grant(struct kmdom_session *session, uint32_t first,
			uint32_t count);
int kmdom_session_revoke(struct kmdom_session *session, uint32_t first,
			 uint32_t count);

/* ---- exchanges ---- */

struct kmdom_batch;

int kmdom_batch_new(uint32_t max_ops, uint32_t max_events,
		    struct kmdom_batch **batch);
void kmdom_batch_free(struct kmdom_batch *batch);
void kmdom_batch_reset(struct kmdom_batch *batch);

/*
 * Each returns the operation's number in the batch, or -ENOSPC. A page is named by
 * its level, 0 of objects, 1 to KMDOM_LEVELS of tables, and its index there.
 */
int kmdom_batch_add(struct kmdom_batch *batch, const struct kmdom_op *op);
int kmdom_batch_grant(struct kmdom_batch *batch, uint32_t first, uint32_t count);
int kmdom_batch_revoke(struct kmdom_batch *batch, uint32_t first, uint32_t count);
int kmdom_batch_export(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, void *buf, uint32_t len, uint16_t flags);
int kmdom_batch_stored(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, uint64_t version);
int kmdom_batch_evict(struct kmdom_batch *batch, unsigned int level,
		      uint64_t index, uint64_t version, uint16_t flags);
int kmdom_batch_restore(struct kmdom_batch *batch, unsigned int level,
			uint64_t index, uint64_t version, const void *buf,
			uint32_t len);
int kmdom_batch_refuse(struct kmdom_batch *batch, unsigned int level,
		       uint64_t index, uint64_t version, uint16_t flags);
int kmdom_batch_scan(struct kmdom_batch *batch, uint64_t cursor,
		     struct kmdom_page *pages, uint32_t max_pages,
		     uint16_t flags);
int kmdom_batch_resend(struct kmdom_batch *batch);

/* Timeouts of kmdom_batch_submit(). */
#define KMDOM_DONT_WAIT		0LL	/* take what events there are */
#define KMDOM_WAIT_FOREVER	(-1LL)

int kmdom_batch_submit(struct kmdom_batch *batch, int fd, int64_t timeout_ns);

uint32_t kmdom_batch_ops(const struct kmdom_batch *batch);
uint32_t kmdom_batch_results(const struct kmdom_batch *batch);
uint32_t kmdom_batch_events(const struct kmdom_batch *batch);
const struct kmdom_op *kmdom_batch_op(const struct kmdom_batch *batch, uint32_t nr);
const struct kmdom_result *kmdom_batch_result(const struct kmdom_batch *batch,
					      uint32_t nr);
const struct kmdom_event *kmdom_batch_event(const struct kmdom_batch *batch,
					    uint32_t nr);
uint32_t kmdom_batch_free_frames(const struct kmdom_batch *batch);
uint32_t kmdom_batch_used_frames(const struct kmdom_batch *batch);

/* ---- exchanges through an io_uring of the caller's ---- */

struct io_uring_sqe;

int kmdom_uring_probe(uint64_t features);
void kmdom_uring_prep(struct io_uring_sqe *sqe, struct kmdom_batch *batch,
		      int fd, int wait);
int kmdom_uring_complete(struct kmdom_batch *batch, int32_t res);

/* ---- records ---- */

/**
 * struct kmdom_record_info - a record's header in the order of this machine
 * @type: hash of the type's schema
 * @index: of the page
 * @version: of the record
 * @length: of the whole record in bytes; 0 if the policy is CHECKED
 * @policy: enum kmdom_policy
 * @level: of the page
 * @slots: how many objects the page has room for
 * @live: how many are live
 * @domain: uuid of the domain
 */
struct kmdom_record_info {
	uint64_t type;
	uint64_t index;
	uint64_t version;
	uint32_t length;
	uint8_t policy;
	uint8_t level;
	uint16_t slots;
	uint16_t live;
	uint8_t domain[16];
};

int kmdom_record_parse(const void *buf, size_t len,
		       struct kmdom_record_info *info);

/* ---- what domains there are, from the netlink family ---- */

/**
 * enum kmdom_info_state - whether somebody pages a domain
 */
enum kmdom_info_state {
	KMDOM_INFO_SERVED,
	KMDOM_INFO_ORPHANED,
	KMDOM_INFO_ABORTED,
};

#define KMDOM_INFO_REJECTS	32	/* room for reasons that are not known yet */

/**
 * struct kmdom_info - a domain; uapi/specs/kmdom.yaml documents the fields
 */
struct kmdom_info {
	uint64_t id;
	char name[KMDOM_NAME_MAX];
	char aead[KMDOM_AEAD_MAX];
	uint8_t uuid[16];
	uint32_t uid;
	uint32_t state;
	uint32_t stalled;
	uint32_t orphan_seconds;
	uint64_t session;
	uint32_t session_pid;
	uint32_t reserved;
	uint64_t frames_max;
	uint64_t frames_pool;
	uint64_t frames_granted;
	uint64_t frames_free;
	uint64_t frames_used;
	uint64_t frames_peak;
	uint64_t pages_present;
	uint64_t pages_absent;
	uint64_t tables;
	uint64_t caches;
	uint64_t waiters;
	uint64_t clients;
	uint64_t faults;
	uint64_t exports;
	uint64_t restores;
	uint64_t evictions;
	uint64_t rejected;
	uint64_t refused;
	uint64_t timeouts;
	uint64_t bytes_out;
	uint64_t bytes_in;
	uint64_t fault_ns_sum;
	uint64_t fault_ns_max;
	uint64_t rejects[KMDOM_INFO_REJECTS];	/* by enum kmdom_reject */
};

/* Returns 0 to go on; anything else ends the list and is its result. */
typedef int (*kmdom_info_fn)(const struct kmdom_info *info, void *arg);

int kmdom_info_list(kmdom_info_fn fn, void *arg);
int kmdom_info_find(const char *name, struct kmdom_info *info);

/* ---- their caches, and the schemas of the types ---- */

#define KMDOM_SCHEMA_FIELDS	64	/* of a type, at most */
#define KMDOM_SCHEMA_NAME_MAX	64	/* of a field, with the final NUL */
#define KMDOM_SCHEMA_LEN_ALL	0xffff	/* all bytes leave */
#define KMDOM_SCHEMA_LEN_TRIM	0xfffe	/* up to the last that is not 0 */

/**
 * enum kmdom_kind - how a field leaves the kernel; uapi/specs/kmdom.yaml
 */
enum kmdom_kind {
	KMDOM_KIND_INT,
	KMDOM_KIND_BYTES,
	KMDOM_KIND_REF,
	KMDOM_KIND_FLAGS,
	KMDOM_KIND_SECRET,
	KMDOM_KIND_SOFT,
	KMDOM_KIND_KERNEL,
};

/**
 * struct kmdom_schema_field - a field of a type
 * @name: what it is called
 * @ref_type: REF: name of the type that it refers to; empty: any
 * @offset: in the object, in bytes
 * @size: in bytes
 * @kind: enum kmdom_kind
 * @len_field: BYTES, SECRET: place of the integer that tells the length, or
 *	KMDOM_SCHEMA_LEN_ALL, KMDOM_SCHEMA_LEN_TRIM
 * @flags: bit 0: it grants authority
 * @reserved: 0
 * @min: INT: least value
 * @max: INT: greatest value; FLAGS: the bits that there are
 */
struct kmdom_schema_field {
	char name[KMDOM_SCHEMA_NAME_MAX];
	char ref_type[KMDOM_TYPE_MAX];
	uint32_t offset;
	uint32_t size;
	uint32_t kind;
	uint32_t len_field;
	uint32_t flags;
	uint32_t reserved;
	uint64_t min;
	uint64_t max;
};

/**
 * struct kmdom_cache_schema - a cache, and the schema of its type
 * @domain_id: number of its domain
 * @domain_name: what that is called
 * @domain_uuid: what that domain's records name
 * @id: its number in the domain
 * @attached: a client has it at this instant
 * @type: name of the type
 * @hash: of the schema, as records name it
 * @pages: present and absent
 * @size: of an object in bytes; 0: the type is not there any more, and with it
 *	all that follows
 * @slots: objects in a page
 * @policy: enum kmdom_policy
 * @check: the type has a check of whole objects, which the kernel alone can make
 * @nr_fields: entries of @fields
 * @reserved: 0
 * @fields: the schema
 */
struct kmdom_cache_schema {
	uint64_t domain_id;
	char domain_name[KMDOM_NAME_MAX];
	uint8_t domain_uuid[16];
	uint32_t id;
	uint32_t attached;
	char type[KMDOM_TYPE_MAX];
	uint64_t hash;
	uint64_t pages;
	uint32_t size;
	uint32_t slots;
	uint32_t policy;
	uint32_t check;
	uint32_t nr_fields;
	uint32_t reserved;
	struct kmdom_schema_field fields[KMDOM_SCHEMA_FIELDS];
};

/* Returns 0 to go on; anything else ends the list and is its result. */
typedef int (*kmdom_cache_fn)(const struct kmdom_cache_schema *cache, void *arg);

int kmdom_cache_list(const char *domain, kmdom_cache_fn fn, void *arg);
int kmdom_cache_find(const char *domain, const char *type,
		     struct kmdom_cache_schema *cache);

#ifdef __cplusplus
}
#endif

#endif /* KMDOM_KMDOM_H */
