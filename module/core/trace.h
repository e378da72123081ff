/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints: every transition of pages, waits, sessions, domains
 *
 * "domain" is the number of the domain, as the netlink family tells it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kmdom

#if !defined(KMDOM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KMDOM_TRACE_H

#include <linux/tracepoint.h>
#include "domain.h"

/* An operation on a page, and what came of it. */
DECLARE_EVENT_CLASS(kmdom_page_op,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, unsigned int level,
		 u64 version, int ret),
	TP_ARGS(dom, index, level, version, ret),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(u64, index)
		__field(unsigned int, level)
		__field(u64, version)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->index = index;
		__entry->level = level;
		__entry->version = version;
		__entry->ret = ret;
	),
	TP_printk("domain=%llu index=%llu level=%u version=%llu ret=%d",
		  __entry->domain, __entry->index, __entry->level,
		  __entry->version, __entry->ret)
);

#define KMDOM_PAGE_OP(name)						\
DEFINE_EVENT(kmdom_page_op, kmdom_##name,				\
	TP_PROTO(const struct kmdom_domain *dom, u64 index,		\
		 unsigned int level, u64 version, int ret),		\
	TP_ARGS(dom, index, level, version, ret))

KMDOM_PAGE_OP(export);
KMDOM_PAGE_OP(stored);
KMDOM_PAGE_OP(evict);
KMDOM_PAGE_OP(restore);
KMDOM_PAGE_OP(refuse);

/* A record was not taken; reason: enum kmdom_reject */
TRACE_EVENT(kmdom_reject,
	TP_PROTO(const struct kmdom_domain *dom, const struct kmdom_op *op,
		 unsigned int reason),
	TP_ARGS(dom, op, reason),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(u64, index)
		__field(unsigned int, level)
		__field(u64, version)
		__field(unsigned int, reason)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->index = op->index;
		__entry->level = op->level;
		__entry->version = op->version;
		__entry->reason = reason;
	),
	TP_printk("domain=%llu index=%llu level=%u version=%llu reason=%u",
		  __entry->domain, __entry->index, __entry->level,
		  __entry->version, __entry->reason)
);

/* Something about one page; "arg" is what the event says. */
DECLARE_EVENT_CLASS(kmdom_page,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, u64 arg),
	TP_ARGS(dom, index, arg),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(u64, index)
		__field(u64, arg)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->index = index;
		__entry->arg = arg;
	),
	TP_printk("domain=%llu index=%llu arg=%llu",
		  __entry->domain, __entry->index, __entry->arg)
);

/* arg: the cache's number */
DEFINE_EVENT(kmdom_page, kmdom_page_new,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, u64 arg),
	TP_ARGS(dom, index, arg));
/* arg: the version of its last record */
DEFINE_EVENT(kmdom_page, kmdom_page_freed,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, u64 arg),
	TP_ARGS(dom, index, arg));

/* index: the first frame; arg: how many */
DEFINE_EVENT(kmdom_page, kmdom_grant,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, u64 arg),
	TP_ARGS(dom, index, arg));
DEFINE_EVENT(kmdom_page, kmdom_revoke,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, u64 arg),
	TP_ARGS(dom, index, arg));

TRACE_EVENT(kmdom_fault,
	TP_PROTO(const struct kmdom_domain *dom, u64 index, unsigned int level),
	TP_ARGS(dom, index, level),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(u64, index)
		__field(unsigned int, level)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->index = index;
		__entry->level = level;
	),
	TP_printk("domain=%llu index=%llu level=%u", __entry->domain,
		  __entry->index, __entry->level)
);

/* The current task begins to sleep on this domain's pager. */
TRACE_EVENT(kmdom_wait_begin,
	TP_PROTO(const struct kmdom_domain *dom, unsigned int pins,
		 unsigned int frames),
	TP_ARGS(dom, pins, frames),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(unsigned int, pins)
		__field(unsigned int, frames)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->pins = pins;
		__entry->frames = frames;
	),
	TP_printk("domain=%llu pins=%u frames=%u",
		  __entry->domain, __entry->pins, __entry->frames)
);

DECLARE_EVENT_CLASS(kmdom_domain_ret,
	TP_PROTO(const struct kmdom_domain *dom, int ret),
	TP_ARGS(dom, ret),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->ret = ret;
	),
	TP_printk("domain=%llu ret=%d", __entry->domain, __entry->ret)
);

DEFINE_EVENT(kmdom_domain_ret, kmdom_wait_end,
	TP_PROTO(const struct kmdom_domain *dom, int ret),
	TP_ARGS(dom, ret));

/* ret: 0: begins; else what the session's users get from now on */
TRACE_EVENT(kmdom_session,
	TP_PROTO(const struct kmdom_domain *dom, u64 session, int ret),
	TP_ARGS(dom, session, ret),
	TP_STRUCT__entry(
		__field(u64, domain)
		__field(u64, session)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		__entry->session = session;
		__entry->ret = ret;
	),
	TP_printk("domain=%llu session=%llu ret=%d",
		  __entry->domain, __entry->session, __entry->ret)
);

DECLARE_EVENT_CLASS(kmdom_domain_life,
	TP_PROTO(const struct kmdom_domain *dom),
	TP_ARGS(dom),
	TP_STRUCT__entry(
		__field(u64, domain)
		__array(char, name, KMDOM_NAME_MAX)
	),
	TP_fast_assign(
		__entry->domain = dom->id;
		memcpy(__entry->name, dom->name, KMDOM_NAME_MAX);
	),
	TP_printk("domain=%llu name=%s", __entry->domain, __entry->name)
);

/* A domain begins; is aborted; its last frame is back; its memory goes. */
DEFINE_EVENT(kmdom_domain_life, kmdom_create,
	TP_PROTO(const struct kmdom_domain *dom), TP_ARGS(dom));
DEFINE_EVENT(kmdom_domain_life, kmdom_abort,
	TP_PROTO(const struct kmdom_domain *dom), TP_ARGS(dom));
DEFINE_EVENT(kmdom_domain_life, kmdom_reaped,
	TP_PROTO(const struct kmdom_domain *dom), TP_ARGS(dom));
DEFINE_EVENT(kmdom_domain_life, kmdom_gone,
	TP_PROTO(const struct kmdom_domain *dom), TP_ARGS(dom));

#endif /* KMDOM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
