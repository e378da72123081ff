// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include "kmdomctl.h"

int command_stat(int argc, char **argv)
{
	const char *name = parse_domain(argc, argv);
	struct kmdom_info info;
	int ret;

	ret = kmdom_info_find(name, &info);
	if (ret)
		return fail(KMDOM_CALL_INFO, ret, name);
	print_info(&info, true);
	return EXIT_SUCCESS;
}
