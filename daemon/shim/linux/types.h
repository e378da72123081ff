/* SPDX-License-Identifier: GPL-2.0 */
/* What the pure files of the module expect of the kernel's <linux/types.h>. */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof_field(type, member))
#define ARRAY_SIZE(array)		(sizeof(array) / sizeof((array)[0]))

#define __aligned(bytes)	__attribute__((aligned(bytes)))
#define fallthrough		__attribute__((fallthrough))

#endif
