// SPDX-License-Identifier: GPL-2.0
/*
 * Reading and writing what store_format.h lays out.
 */
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <kmdom/kmdom.h>
#include "crc32c.h"
#include "index.h"
#include "store.h"
#include "store_format.h"

_Static_assert(sizeof(struct store_slot) == STORE_HEADER, "store_slot");
_Static_assert(sizeof(struct store_segment) == 32, "store_segment");
_Static_assert(sizeof(struct store_super) == 64, "store_super");

#define FORMAT_CRC(ptr) crc32c(0, (ptr), offsetof(typeof(*(ptr)), crc))

void store_super_write(void *buf, const struct store_super_info *info)
{
	struct store_super super = {
		.magic = htole64(STORE_MAGIC),
		.format = htole32(STORE_FORMAT),
		.unit = htole32(info->unit),
		.reach = htole32(info->reach),
	};

	memcpy(super.domain, info->uuid, sizeof(super.domain));
	memcpy(super.boot, info->boot, sizeof(super.boot));
	super.crc = htole32(FORMAT_CRC(&super));
	memset(buf, 0, STORE_ALIGN);
	memcpy(buf, &super, sizeof(super));
}

bool store_is_zero(const void *buf, size_t len)
{
	const uint8_t *bytes = buf;

	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

int store_super_read(const void *buf, struct store_super_info *info)
{
	struct store_super super;

	if (store_is_zero(buf, STORE_ALIGN))
		return -ENODATA;
	memcpy(&super, buf, sizeof(super));
	if (le64toh(super.magic) != STORE_MAGIC ||
	    le32toh(super.format) != STORE_FORMAT)
		return -EINVAL;
	info->unit = le32toh(super.unit);
	info->reach = le32toh(super.reach);
	memcpy(info->uuid, super.domain, sizeof(super.domain));
	memcpy(info->boot, super.boot, sizeof(super.boot));
	if (le32toh(super.crc) != FORMAT_CRC(&super) ||
	    info->unit < 512 || info->unit > STORE_ALIGN ||
	    (info->unit & (info->unit - 1)))
		return -EILSEQ;
	return 0;
}

void store_segment_write(void *buf, const uint8_t uuid[16], unsigned int class)
{
	struct store_segment seg = {
		.magic = htole32(STORE_MAGIC_SEGMENT),
		.class = htole32(class),
	};

	memcpy(seg.domain, uuid, sizeof(seg.domain));
	seg.crc = htole32(FORMAT_CRC(&seg));
	memcpy(buf, &seg, sizeof(seg));
}

unsigned int store_segment_read(const void *buf, const uint8_t uuid[16])
{
	struct store_segment seg;
	uint32_t class;

	memcpy(&seg, buf, sizeof(seg));
	class = le32toh(seg.class);
	if (le32toh(seg.magic) != STORE_MAGIC_SEGMENT ||
	    memcmp(seg.domain, uuid, sizeof(seg.domain)) ||
	    le32toh(seg.crc) != FORMAT_CRC(&seg) ||
	    class > SPACE_CLASS_MAX)
		return 0;
	return class;
}

void store_slot_write(void *buf, const uint8_t uuid[16],
		      const struct store_slot_info *info)
{
	struct store_slot slot = {
		.magic = htole32(STORE_MAGIC_SLOT),
		.flags = htole16(info->flags),
		.level = htole16(info->key >> 60),
		.index = htole64(index_page(info->key)),
		.version = htole64(info->version),
		.length = htole32(info->length),
		.stored = htole32(info->stored),
		.data_crc = htole32(info->data_crc),
	};

	memcpy(slot.domain, uuid, sizeof(slot.domain));
	slot.crc = htole32(FORMAT_CRC(&slot));
	memcpy(buf, &slot, sizeof(slot));
}

/* Whether there is a record of this domain's in a slot of @room bytes. */
bool store_slot_read(const void *buf, const uint8_t uuid[16], uint32_t room,
		     struct store_slot_info *info)
{
	struct store_slot slot;

	memcpy(&slot, buf, sizeof(slot));
	if (le32toh(slot.magic) != STORE_MAGIC_SLOT ||
	    memcmp(slot.domain, uuid, sizeof(slot.domain)) ||
	    le32toh(slot.crc) != FORMAT_CRC(&slot))
		return false;
	*info = (struct store_slot_info) {
		.key = index_key(le16toh(slot.level), le64toh(slot.index)),
		.version = le64toh(slot.version),
		.length = le32toh(slot.length),
		.stored = le32toh(slot.stored),
		.data_crc = le32toh(slot.data_crc),
		.flags = le16toh(slot.flags),
	};
	return info->version && info->length <= KMDOM_RECORD_MAX &&
	       le16toh(slot.level) <= KMDOM_LEVELS &&
	       info->stored <= room - STORE_HEADER;
}
