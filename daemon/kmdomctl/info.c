// SPDX-License-Identifier: GPL-2.0
/*
 * Showing a domain: for people, and as JSON. One table says what there is.
 */
#include <stdio.h>
#include "json.h"
#include "kmdomctl.h"
#include "words.h"

static const struct counter {
	const char *name;	/* as in the netlink family's specification */
	size_t offset;
} counters[] = {
#define COUNTER(name, field) { name, offsetof(struct kmdom_info, field) }
	COUNTER("session", session),
	COUNTER("frames-max", frames_max),
	COUNTER("frames-pool", frames_pool),
	COUNTER("frames-granted", frames_granted),
	COUNTER("frames-free", frames_free),
	COUNTER("frames-used", frames_used),
	COUNTER("frames-peak", frames_peak),
	COUNTER("pages-present", pages_present),
	COUNTER("pages-absent", pages_absent),
	COUNTER("tables", tables),
	COUNTER("caches", caches),
	COUNTER("waiters", waiters),
	COUNTER("clients", clients),
	COUNTER("faults", faults),
	COUNTER("exports", exports),
	COUNTER("restores", restores),
	COUNTER("evictions", evictions),
	COUNTER("rejected", rejected),
	COUNTER("refused", refused),
	COUNTER("timeouts", timeouts),
	COUNTER("bytes-out", bytes_out),
	COUNTER("bytes-in", bytes_in),
	COUNTER("fault-ns-sum", fault_ns_sum),
	COUNTER("fault-ns-max", fault_ns_max),
#undef COUNTER
};

#define NR_COUNTERS (sizeof(counters) / sizeof(*counters))

static uint64_t counter_value(const struct kmdom_info *info, size_t i)
{
	return *(const uint64_t *)((const char *)info + counters[i].offset);
}

static const char *info_state(const struct kmdom_info *info)
{
	static const char *const names[] = { "served", "orphaned", "aborted" };

	return info->state < 3 ? names[info->state] : "unknown";
}

static void info_json(const struct kmdom_info *info)
{
	char uuid[UUID_TEXT];
	size_t i;

	uuid_text(info->uuid, uuid);
	json_begin(NULL, '{');
	json_number("id", info->id);
	json_string("name", info->name);
	json_string("uuid", uuid);
	json_number("uid", info->uid);
	json_string("state", info_state(info));
	json_bool("stalled", info->stalled);
	json_string("aead", info->aead);
	json_number("orphan-seconds", info->orphan_seconds);
	json_number("session-pid", info->session_pid);
	for (i = 0; i < NR_COUNTERS; i++)
		json_number(counters[i].name, counter_value(info, i));
	json_begin("rejects", '{');
	for (i = 0; i < KMDOM_INFO_REJECTS; i++) {
		if (info->rejects[i])
			json_number(reject_word(i), info->rejects[i]);
	}
	json_end('}');
	json_end('}');
}

static void info_long(const struct kmdom_info *info)
{
	char uuid[UUID_TEXT];
	size_t i;

	uuid_text(info->uuid, uuid);
	printf("%-16s %s\n", "name", info->name);
	printf("%-16s %llu\n", "id", (unsigned long long)info->id);
	printf("%-16s %s\n", "uuid", uuid);
	printf("%-16s %u\n", "uid", info->uid);
	printf("%-16s %s%s\n", "state", info_state(info),
	       info->stalled ? ", stalled" : "");
	printf("%-16s %s\n", "aead", info->aead);
	printf("%-16s %u\n", "orphan-seconds", info->orphan_seconds);
	printf("%-16s %u\n", "session-pid", info->session_pid);
	for (i = 0; i < NR_COUNTERS; i++)
		printf("%-16s %llu\n", counters[i].name,
		       (unsigned long long)counter_value(info, i));
	for (i = 0; i < KMDOM_INFO_REJECTS; i++) {
		if (info->rejects[i])
			printf("rejected: %-10s %llu (%s)\n", reject_word(i),
			       (unsigned long long)info->rejects[i], reject_sentence(i));
	}
}

static void info_line(const struct kmdom_info *info)
{
	printf("%-24s %-8s %7u %8llu %8llu %9llu %9llu %7llu %9llu\n", info->name,
	       info->stalled ? "stalled" : info_state(info), info->session_pid,
	       (unsigned long long)info->frames_used,
	       (unsigned long long)info->frames_free,
	       (unsigned long long)info->pages_present,
	       (unsigned long long)info->pages_absent,
	       (unsigned long long)info->waiters,
	       (unsigned long long)info->faults);
}

/**
 * print_info() - show a domain
 * @info: the domain, or NULL for the heading of a list
 * @long_form: all of it, not one line; JSON has always all
 */
void print_info(const struct kmdom_info *info, bool long_form)
{
	if (json_output) {
		if (info)
			info_json(info);
	} else if (!info) {
		printf("%-24s %-8s %7s %8s %8s %9s %9s %7s %9s\n", "NAME", "STATE",
		       "PID", "USED", "FREE", "PRESENT", "ABSENT", "WAITERS",
		       "FAULTS");
	} else if (long_form) {
		info_long(info);
	} else {
		info_line(info);
	}
}
