// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "json.h"
#include "kmdomctl.h"

int command_features(int argc, char **argv)
{
	uint64_t features;
	int dev, uring;

	(void)argv;
	if (argc != 1)
		usage_error();
	dev = kmdom_open(0, &features);
	if (dev < 0)
		return fail(KMDOM_CALL_OPEN, dev, NULL);
	close(dev);
	uring = kmdom_uring_probe(features);
	if (json_output) {
		json_begin(NULL, '{');
		json_number("abi", KMDOM_ABI_VERSION);
		json_number("features", features);
		json_bool("uring", !uring);
		json_end('}');
	} else {
		printf("%-16s %d\n", "abi", KMDOM_ABI_VERSION);
		printf("%-16s %#llx\n", "features", (unsigned long long)features);
		printf("%-16s %s\n", "uring",
		       uring ? kmdom_explain(KMDOM_CALL_URING, uring) : "yes");
	}
	return EXIT_SUCCESS;
}
