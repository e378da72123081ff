/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMDOMD_STATS_H
#define KMDOMD_STATS_H

#include "pager.h"

/* Write the counters to a file, as one JSON object; what was there is replaced. */
void stats_write(const struct pager *pager, const char *domain, const char *path);

#endif /* KMDOMD_STATS_H */
