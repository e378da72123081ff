// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "json.h"
#include "kmdomctl.h"

int command_destroy(int argc, char **argv)
{
	const char *name = parse_domain(argc, argv);
	int dev, ret;

	dev = open_device();
	if (dev < 0)
		return EXIT_FAILURE;
	ret = kmdom_destroy(dev, name);
	close(dev);
	if (ret)
		return fail(KMDOM_CALL_DESTROY, ret, name);
	if (json_output) {
		json_begin(NULL, '{');
		json_string("destroyed", name);
		json_end('}');
	} else {
		printf("destroyed %s\n", name);
	}
	return EXIT_SUCCESS;
}
