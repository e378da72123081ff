/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client.h - what the in-kernel API shares with the waits
 */
#ifndef KMDOM_CLIENT_INTERNAL_H
#define KMDOM_CLIENT_INTERNAL_H

#include <linux/kmdom_client.h>
#include "frames.h"

int kmdom_set_try(struct kmdom_client_op *op, struct kmdom_pin *pins,
		  unsigned int nr_pins, unsigned int nr_frames,
		  enum kmdom_claim claim);

#endif /* KMDOM_CLIENT_INTERNAL_H */
