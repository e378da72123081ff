/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kmdomd says: one line each on standard error, with the domain's name.
 * Under systemd, lines carry the journal's level.
 */
#ifndef KMDOMD_REPORT_H
#define KMDOMD_REPORT_H

#include <syslog.h>

void report_init(const char *domain);
__attribute__((format(printf, 2, 3)))
void report(int level, const char *format, ...);

#define report_error(...)	report(LOG_ERR, __VA_ARGS__)
#define report_warning(...)	report(LOG_WARNING, __VA_ARGS__)
#define report_info(...)	report(LOG_INFO, __VA_ARGS__)

#endif /* KMDOMD_REPORT_H */
