/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's test harness, with time for an emulated machine. */
#ifndef KT_HARNESS_H
#define KT_HARNESS_H

#include <kmdom/kmdom.h>
#include "kselftest_harness.h"
#include "bed.h"
#include "load.h"
#include "param.h"
#include "remote.h"
#include "scale.h"
#include "trap.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1200

/* Milliseconds: "at once", on an emulated machine. */
#define SOON	(8000 * scale())

/* Runs all tests of a fixture against both doors. */
#define BOTH_DOORS(fixture)						\
	FIXTURE_VARIANT(fixture) { enum door_kind door; };		\
	FIXTURE_VARIANT_ADD(fixture, ioctl) { .door = DOOR_IOCTL };	\
	FIXTURE_VARIANT_ADD(fixture, uring) { .door = DOOR_URING }

#endif /* KT_HARNESS_H */
