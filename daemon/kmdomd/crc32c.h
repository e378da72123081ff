/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMDOMD_CRC32C_H
#define KMDOMD_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli) of @len bytes, going on from @crc; 0 to begin. */
uint32_t crc32c(uint32_t crc, const void *buf, size_t len);

/* The same without the CPU's help. */
uint32_t crc32c_software(uint32_t crc, const void *buf, size_t len);

#endif /* KMDOMD_CRC32C_H */
