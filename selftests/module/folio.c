// SPDX-License-Identifier: GPL-2.0
/*
 * A page of a mapping that is dirtied late: as by a driver, which pinned it, reads
 * into it, and marks it dirty when the mapping and the file are long gone.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/version.h>
#include "test.h"

#define PATIENCE	(60 * HZ)

static bool being_evicted(struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return inode_state_read_once(inode) & I_FREEING;
#else
	return READ_ONCE(inode->i_state) & I_FREEING;
#endif
}

/**
 * kt_folio_grab() - pin a page to write to it
 * @client: the client, locked; has grabbed none
 * @addr: of the user's, in the page
 *
 * Return: 0 or a negative errno
 */
int kt_folio_grab(struct kt_client *client, unsigned long addr)
{
	int ret;

	if (client->page)
		return -EBUSY;
	ret = pin_user_pages_fast(addr, 1, FOLL_WRITE, &client->page);
	if (ret == 1)
		return 0;
	client->page = NULL;
	return ret < 0 ? ret : -EFAULT;
}

/**
 * kt_folio_lock() - lock the page that was grabbed, which keeps it in its file
 * @client: the client, locked
 *
 * Return: 0; -EAGAIN if it is dirty; -ESTALE if it is not in a file any more;
 * -ENOENT without one
 */
int kt_folio_lock(struct kt_client *client)
{
	struct folio *folio;
	int ret = 0;

	if (!client->page || client->page_locked)
		return -ENOENT;
	folio = page_folio(client->page);
	folio_lock(folio);
	if (!folio->mapping)
		ret = -ESTALE;
	else if (folio_test_dirty(folio))
		ret = -EAGAIN;
	if (ret)
		folio_unlock(folio);
	client->page_locked = !ret;
	return ret;
}

/**
 * kt_folio_dirty() - dirty the page when its inode is being evicted
 * @client: the client, locked; has locked it
 *
 * The eviction waits for the page's lock, so that the inode is there.
 *
 * Return: 0; -ETIMEDOUT if nobody evicts it; -EINTR; -ENOENT without one
 */
int kt_folio_dirty(struct kt_client *client)
{
	unsigned long end = jiffies + PATIENCE;
	struct folio *folio;

	if (!client->page_locked)
		return -ENOENT;
	folio = page_folio(client->page);
	while (!being_evicted(folio->mapping->host)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end))
			return -ETIMEDOUT;
		msleep(20);
	}
	folio_mark_dirty(folio);
	kt_folio_drop(client);
	return 0;
}

/**
 * kt_folio_drop() - let go of the page
 * @client: the client, locked
 */
void kt_folio_drop(struct kt_client *client)
{
	if (client->page_locked)
		folio_unlock(page_folio(client->page));
	if (client->page)
		unpin_user_page(client->page);
	client->page_locked = false;
	client->page = NULL;
}
