// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "../kmdomd/report.h"
#include "tap.h"

bool tap_failed;
static uint64_t tap_state = 0x853c49e6748fea9bULL;

char tap_reported[1024];

/* What kmdomd says is kept, so that a test can look at it. */
void report(int level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(tap_reported, sizeof(tap_reported), format, args);
	va_end(args);
}

/* The same numbers in every run. */
uint64_t tap_random(void)
{
	tap_state = tap_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return tap_state >> 24;
}

/* With arguments: only the tests of these names. */
int main(int argc, char **argv)
{
	int nr, count = 0, failed = 0, i;
	bool wanted;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (tap_tests[count].name)
		count++;
	printf("TAP version 13\n1..%d\n", count);
	for (nr = 0; nr < count; nr++) {
		wanted = argc == 1;
		for (i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], tap_tests[nr].name);
		if (!wanted) {
			printf("ok %d %s # SKIP not named\n", nr + 1, tap_tests[nr].name);
			continue;
		}
		tap_failed = false;
		tap_tests[nr].run();
		failed += tap_failed;
		printf("%sok %d %s\n", tap_failed ? "not " : "", nr + 1,
		       tap_tests[nr].name);
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
