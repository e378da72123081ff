/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choices that follow from a seed.
 */
#ifndef KT_DRAW_H
#define KT_DRAW_H

#include <stdint.h>

uint64_t draw(uint64_t *state);
unsigned int below(uint64_t *state, unsigned int n);

#endif /* KT_DRAW_H */
