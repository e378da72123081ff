/* SPDX-License-Identifier: GPL-2.0 */
/* Byte order, and access without alignment. */
#ifndef SHIM_LINUX_UNALIGNED_H
#define SHIM_LINUX_UNALIGNED_H

#include <endian.h>
#include <string.h>
#include <linux/types.h>

#define cpu_to_le16(value)	htole16(value)
#define cpu_to_le32(value)	htole32(value)
#define cpu_to_le64(value)	htole64(value)
#define le16_to_cpu(value)	le16toh(value)
#define le32_to_cpu(value)	le32toh(value)
#define le64_to_cpu(value)	le64toh(value)

#define get_unaligned(ptr) ({			\
	__typeof__(*(ptr) + 0) value_;		\
						\
	memcpy(&value_, (ptr), sizeof(*(ptr)));	\
	value_; })

static inline u64 get_unaligned_le64(const void *pos)
{
	u64 value;

	memcpy(&value, pos, sizeof(value));
	return le64toh(value);
}

static inline void put_unaligned_le64(u64 value, void *pos)
{
	value = htole64(value);
	memcpy(pos, &value, sizeof(value));
}

#endif
