// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - run the unit tests, print TAP
 */
#include <sys/random.h>
#include "unit.h"

/* More failures of one test than this say nothing new. */
#define FAILURES_SHOWN	10

struct unit_test {
	const char *name;
	void (*run)(void);
};

static const struct unit_test tests[] = {
	{ "entry_packing", test_entry_packing },
	{ "entry_edges", test_entry_edges },
	{ "refs", test_refs },
	{ "table_places", test_table_places },
	{ "schema_accepts", test_schema_accepts },
	{ "schema_refuses", test_schema_refuses },
	{ "schema_hash", test_schema_hash },
	{ "record_golden", test_record_golden },
	{ "record_round_trips", test_record_round_trips },
	{ "record_leaks_nothing", test_record_leaks_nothing },
	{ "record_buffer_sizes", test_record_buffer_sizes },
	{ "record_forbidden_values", test_record_forbidden_values },
	{ "header_bit_flips", test_header_bit_flips },
	{ "header_order_of_errors", test_header_order_of_errors },
	{ "header_lengths", test_header_lengths },
	{ "decode_truncated", test_decode_truncated },
	{ "decode_bit_flips", test_decode_bit_flips },
	{ "decode_one_form", test_decode_one_form },
	{ "decode_garbage", test_decode_garbage },
};

static unsigned int failures;
static u64 random_state;

void unit_fail(const char *file, int line, const char *what,
	       long long got, long long wanted)
{
	if (failures++ < FAILURES_SHOWN)
		printf("# %s:%d: %s is %lld, not %lld\n", file, line, what,
		       got, wanted);
}

/* splitmix64: Steele, Lea and Flood, OOPSLA 2014 */
u64 unit_random(void)
{
	u64 z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned int unit_random_below(unsigned int n)
{
	return unit_random() % n;
}

void unit_random_bytes(void *buf, size_t len)
{
	u8 *byte = buf;

	while (len--)
		*byte++ = unit_random();
}

void *unit_alloc(size_t len)
{
	void *buf = calloc(1, len);

	if (buf)
		return buf;
	printf("Bail out! no memory\n");
	exit(1);
}

bool unit_is_zero(const void *buf, size_t len)
{
	const u8 *byte = buf;

	while (len--) {
		if (*byte++)
			return false;
	}
	return true;
}

static void seed(void)
{
	const char *given = getenv("UNIT_SEED");

	if (given)
		random_state = strtoull(given, NULL, 0);
	else if (getrandom(&random_state, sizeof(random_state), 0) < 0)
		random_state = 1;
	printf("# UNIT_SEED=%#llx\n", (unsigned long long)random_state);
}

int main(void)
{
	unsigned int i, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(tests));
	seed();
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		failures = 0;
		tests[i].run();
		printf("%sok %u %s\n", failures ? "not " : "", i + 1,
		       tests[i].name);
		failed += failures > 0;
	}
	return failed > 0;
}
