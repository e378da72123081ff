/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Requests to the generic netlink family "kmdom", and what its attributes
 * become. Not for users of the library: none of it is in a symbol version.
 */
#ifndef KMDOM_FAMILY_H
#define KMDOM_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <netlink/attr.h>

/* What becomes of an attribute. One without a kind is passed over. */
enum family_kind {
	FAMILY_NONE,
	FAMILY_UINT,	/* 4 or 8 bytes, to a uint64_t */
	FAMILY_U32,
	FAMILY_STRING,
	FAMILY_BYTES,
	FAMILY_FLAG,	/* to a uint32_t */
	FAMILY_NEST,	/* one of several: given to a function */
};

/**
 * struct family_attr - an attribute of a set
 * @kind: what becomes of it
 * @offset: of what it becomes, in the structure of its set
 * @size: of that
 * @nest: NEST: reads one, to that structure
 */
struct family_attr {
	enum family_kind kind;
	size_t offset;
	size_t size;
	void (*nest)(struct nlattr *nest, void *to);
};

#define FAMILY_ATTR(attr, type, to, field)				\
	[attr] = {							\
		.kind = FAMILY_##type, .offset = offsetof(to, field),	\
		.size = sizeof(((to *)0)->field),			\
	}

#define FAMILY_NAMES	2	/* names in a question, at most */

/**
 * struct family_question - a request
 * @cmd: the family's
 * @dump: whether it is for all that there is
 * @names: strings of it; an attribute of 0 is none
 */
struct family_question {
	int cmd;
	bool dump;
	struct {
		int attr;
		const char *text;
	} names[FAMILY_NAMES];
};

/* Reads one message; what it returns, if not 0, is the result. */
typedef int (*family_fn)(struct nlattr *attrs, int len, void *arg);

#pragma GCC visibility push(hidden)
void kmdom_family_read(struct nlattr *attrs, int len, const struct family_attr *set,
		       int max, void *to);
void kmdom_family_read_nest(struct nlattr *nest, const struct family_attr *set, int max,
			    void *to);
int kmdom_family_ask(const struct family_question *question, family_fn fn, void *arg);
#pragma GCC visibility pop

#endif /* KMDOM_FAMILY_H */
