// SPDX-License-Identifier: GPL-2.0
/*
 * Store "file": records as they are, in a file or on a block device, by
 * transfers of the door with O_DIRECT.
 */
#include <errno.h>
#include "store.h"

static uint32_t file_put(struct store *store, struct store_io *io)
{
	(void)store;
	return io->length;
}

static int file_get(struct store *store, struct store_io *io)
{
	(void)store;
	if (io->flags || io->stored != io->length)
		return -EBADMSG;
	return io->length;
}

static void file_transfer(struct store *store, struct store_io *io)
{
	door_transfer(store->door, &io->job);
}

const struct store_ops store_file_ops = {
	.name = "file",
	.direct = true,
	.put = file_put,
	.get = file_get,
	.transfer = file_transfer,
};
