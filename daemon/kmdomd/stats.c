// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "report.h"
#include "stats.h"

static void stats_string(FILE *file, const char *name, const char *value)
{
	fprintf(file, "\"%s\": \"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\' || (unsigned char)*value < ' ')
			fprintf(file, "\\u%04x", *value);
		else
			fputc(*value, file);
	}
	fputs("\", ", file);
}

static void stats_counters(FILE *file, const struct pager *pager)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{ "pool_frames", pager->pool_frames },
		{ "free_frames", pager->free_frames },
		{ "used_frames", pager->used_frames },
		{ "faults", pager->stats.faults },
		{ "restores", pager->stats.restores },
		{ "missing", pager->stats.missing },
		{ "bad_records", pager->stats.bad },
		{ "refused", pager->stats.refused },
		{ "exports", pager->stats.exports },
		{ "evictions", pager->stats.evictions },
		{ "evicted_clean", pager->stats.evicted_clean },
		{ "dirtied", pager->stats.dirtied },
		{ "revouched", pager->stats.revouched },
		{ "garbage", pager->stats.garbage },
		{ "shortages", pager->stats.shortages },
		{ "stalls", pager->stats.stalls },
		{ "store_records", pager->store->index.count },
		{ "store_bytes_used", pager->store->space.used_units * pager->store->unit },
		{ "store_bytes", pager->store->size },
		{ "store_writes", pager->store->stats.writes },
		{ "store_reads", pager->store->stats.reads },
		{ "store_record_bytes", pager->store->stats.bytes_in },
		{ "store_written_bytes", pager->store->stats.bytes_stored },
		{ "store_errors", pager->store->stats.errors },
		{ "store_corrupt", pager->store->stats.corrupt },
	};
	size_t i;
	int kind;

	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		fprintf(file, "%s\"%s\": %llu", i ? ", " : "", counters[i].name,
			(unsigned long long)counters[i].value);
	for (kind = 0; pager->store->chaos && kind < CHAOS_KINDS; kind++)
		fprintf(file, ", \"chaos_%s\": %llu", chaos_name(kind),
			(unsigned long long)chaos_count(pager->store, kind));
}

void stats_write(const struct pager *pager, const char *domain, const char *path)
{
	char temp[4096];
	FILE *file;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >= sizeof(temp))
		return;
	file = fopen(temp, "we");
	if (!file)
		goto failed;
	fputs("{", file);
	stats_string(file, "domain", domain);
	stats_string(file, "policy", pager->policy->ops->name);
	stats_string(file, "store", pager->store->ops->name);
	stats_string(file, "door", pager->door->ops->name);
	stats_counters(file, pager);
	fputs("}\n", file);
	/* Whoever reads it sees the old counters or the new, never a half. */
	if (!fclose(file) && !rename(temp, path))
		return;
failed:
	report_warning("cannot write %s: %s", path, strerror(errno));
}
