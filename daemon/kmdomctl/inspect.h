/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record, and what is found out of it: by inspect.c, for inspect_print.c.
 */
#ifndef KMDOMCTL_INSPECT_H
#define KMDOMCTL_INSPECT_H

#include <stdbool.h>
#include <linux/bitmap.h>
#include <core/record.h>
#include "type.h"

/**
 * struct inspection - a record that is looked at
 * @path: of its file
 * @buf: the record as it was read, with zeroes behind
 * @len: its length; one more than KMDOM_RECORD_MAX stands for all that is longer
 * @known: its type, if it was found
 * @expected: what it has to be the record of
 * @one_index: of that page, and of no other that there can be
 * @one_version: at that version
 * @why: why the kernel would not take it, as far as that can be told without key
 * @where: of a payload that is broken
 * @decoded: @page and @live hold its objects
 */
struct inspection {
	const char *path;
	u8 buf[KMDOM_RECORD_MAX + 8] __aligned(8);
	size_t len;
	struct known_type *known;
	struct kmdom_record_id expected;
	bool one_index;
	bool one_version;
	enum kmdom_reject why;
	struct kmdom_record_where where;
	bool decoded;
	u8 page[KMDOM_FRAME_SIZE] __aligned(8);
	DECLARE_BITMAP(live, KMDOM_SLOTS_PER_PAGE);
};

void inspect_print(const struct inspection *insp);

#endif /* KMDOMCTL_INSPECT_H */
