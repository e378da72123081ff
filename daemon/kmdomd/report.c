// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "report.h"

static const char *report_domain;
static int report_journal;

/* From now on lines name the domain. */
void report_init(const char *domain)
{
	report_domain = domain;
	report_journal = !!getenv("JOURNAL_STREAM");
}

void report(int level, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (report_journal)
		fprintf(stderr, "<%d>", level);
	fprintf(stderr, "kmdomd%s%s: %s%s\n", report_domain ? " " : "",
		report_domain ? report_domain : "",
		level == LOG_WARNING ? "warning: " : "", line);
}
