/* SPDX-License-Identifier: GPL-2.0 */
/* Less work on a slower machine: one that checks itself, for instance. */
#ifndef KT_SCALE_H
#define KT_SCALE_H

unsigned int scale(void);
unsigned int scaled(const char *what, unsigned int n);
unsigned int scaled_least(const char *what, unsigned int n, unsigned int least);

#endif /* KT_SCALE_H */
