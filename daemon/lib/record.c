// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Reading a record's header, for stores that keep what it names.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <kmdom/kmdom.h>

/**
 * kmdom_record_parse() - read a record's header
 * @buf: the record; its payload need not be there
 * @len: bytes at @buf
 * @info: out: the header's fields
 *
 * It is only read: whether the record is authentic, the kernel alone can tell.
 *
 * Return: 0, or -EINVAL if it is no record of a format that is known.
 */
int kmdom_record_parse(const void *buf, size_t len,
		       struct kmdom_record_info *info)
{
	struct kmdom_record rec;

	if (len < sizeof(rec))
		return -EINVAL;
	memcpy(&rec, buf, sizeof(rec));
	if (le32toh(rec.magic) != KMDOM_MAGIC_RECORD ||
	    le16toh(rec.format) != KMDOM_RECORD_FORMAT)
		return -EINVAL;
	*info = (struct kmdom_record_info) {
		.type = le64toh(rec.type),
		.index = le64toh(rec.index),
		.version = le64toh(rec.version),
		.length = le32toh(rec.length),
		.policy = rec.policy,
		.level = rec.level,
		.slots = le16toh(rec.slots),
		.live = le16toh(rec.live),
	};
	memcpy(info->domain, rec.domain, sizeof(info->domain));
	/* An edit may change the length of a CHECKED one: its header tells none. */
	if (info->policy == KMDOM_POLICY_CHECKED ? info->length != 0 :
	    info->length < sizeof(rec) || info->length > KMDOM_RECORD_MAX)
		return -EINVAL;
	if (info->level > KMDOM_LEVELS || info->index >> KMDOM_INDEX_BITS)
		return -EINVAL;
	return 0;
}
