/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a store has on its medium, little-endian. Pure: no I/O.
 */
#ifndef KMDOMD_STORE_FORMAT_H
#define KMDOMD_STORE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#define STORE_MAGIC		0x726f74736d6f646bULL	/* "kdomstor" */
#define STORE_MAGIC_SEGMENT	0x7365676bU		/* "kges" */
#define STORE_MAGIC_SLOT	0x746c736bU		/* "kslt" */
#define STORE_FORMAT		1

/* The superblock, at offset 0. Segments follow at STORE_SEGMENTS. */
struct store_super {
	__le64 magic;
	__le32 format;
	__le32 unit;		/* bytes */
	__u8 domain[16];	/* uuid */
	__le32 reach;		/* segments from here on were never used */
	__u8 boot[16];		/* that the domain lives in; 0: not known */
	__le32 reserved[2];
	__le32 crc;		/* of all before it */
};

/* At the start of every segment that is in use. */
struct store_segment {
	__le32 magic;
	__le32 class;		/* units of its slots */
	__u8 domain[16];
	__le32 reserved;
	__le32 crc;		/* of all before it */
};

#define STORE_SLOT_ZSTD		(1U << 0)	/* the bytes are compressed */

/* At the start of every slot; STORE_HEADER bytes. */
struct store_slot {
	__le32 magic;
	__le16 flags;		/* STORE_SLOT_* */
	__le16 level;
	__u8 domain[16];
	__le64 index;
	__le64 version;
	__le32 length;		/* of the record */
	__le32 stored;		/* bytes behind this header */
	__le32 data_crc;	/* of those bytes */
	__le32 reserved;
	__le32 reserved2;
	__le32 crc;		/* of all before it */
};

/* A slot's header in the order of this machine. */
struct store_slot_info {
	uint64_t key;
	uint64_t version;
	uint32_t length;
	uint32_t stored;
	uint32_t data_crc;
	uint16_t flags;
};

#define STORE_SEGMENTS	65536	/* offset of the first segment */

/* The superblock in the order of this machine. */
struct store_super_info {
	uint8_t uuid[16];
	uint8_t boot[16];
	uint32_t unit;
	uint32_t reach;
};

void store_super_write(void *buf, const struct store_super_info *info);
/* 0; -ENODATA: all zero; -EINVAL: something else; -EILSEQ: damaged */
int store_super_read(const void *buf, struct store_super_info *info);

bool store_is_zero(const void *buf, size_t len);

void store_segment_write(void *buf, const uint8_t uuid[16], unsigned int class);
/* The class, or 0 if it is no header of this domain's. */
unsigned int store_segment_read(const void *buf, const uint8_t uuid[16]);

void store_slot_write(void *buf, const uint8_t uuid[16],
		      const struct store_slot_info *info);
bool store_slot_read(const void *buf, const uint8_t uuid[16], uint32_t room,
		     struct store_slot_info *info);

#endif /* KMDOMD_STORE_FORMAT_H */
