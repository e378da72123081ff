// SPDX-License-Identifier: GPL-2.0
/*
 * tx.c - the objects that one step works on, taken and dropped together
 */
#include "kmdomfs.h"

/*
 * A ref that leads to nothing means that an object was lost; a caller of the
 * VFS would take ENOENT for a name that does not exist.
 */
static int tx_error(int err)
{
	return err == -ENOENT ? -EIO : err;
}

static void tx_reset(struct kmdomfs_tx *tx)
{
	tx->nr = 0;
	tx->nr_new = 0;
}

/**
 * kmdomfs_tx_begin() - begin; the deadline starts
 * @tx: the transaction
 * @sbi: the mount
 * @flags: KMDOM_OP_*
 */
void kmdomfs_tx_begin(struct kmdomfs_tx *tx, struct kmdomfs_sb *sbi,
		      unsigned int flags)
{
	tx->sbi = sbi;
	tx->nowait = flags & KMDOM_OP_NOWAIT;
	tx_reset(tx);
	kmdom_op_begin(&tx->op, sbi->dom, flags);
}

/**
 * kmdomfs_tx_end() - end; nothing may be pinned
 * @tx: the transaction
 */
void kmdomfs_tx_end(struct kmdomfs_tx *tx)
{
	kmdom_op_end(&tx->op);
}

static struct kmdom_pin *tx_name(struct kmdomfs_tx *tx, enum kmdomfs_kind kind,
				 kmdom_ref ref, bool write)
{
	struct kmdom_pin *pin = &tx->pin[tx->nr++];

	*pin = (struct kmdom_pin) {
		.ref = ref,
		.cache = tx->sbi->cache[kind],
		.write = write,
	};
	return pin;
}

/**
 * kmdomfs_tx_read() - name an object that will be read
 * @tx: the transaction, with nothing pinned
 * @kind: of the object
 * @ref: its
 *
 * Return: where its address will be.
 */
struct kmdom_pin *kmdomfs_tx_read(struct kmdomfs_tx *tx,
				  enum kmdomfs_kind kind, kmdom_ref ref)
{
	return tx_name(tx, kind, ref, false);
}

/**
 * kmdomfs_tx_write() - name an object that will be changed
 * @tx: the transaction, with nothing pinned
 * @kind: of the object
 * @ref: its
 *
 * Return: where its address will be.
 */
struct kmdom_pin *kmdomfs_tx_write(struct kmdomfs_tx *tx,
				   enum kmdomfs_kind kind, kmdom_ref ref)
{
	return tx_name(tx, kind, ref, true);
}

/**
 * kmdomfs_tx_unneeded() - name an object that will be freed, unread
 * @tx: the transaction, with nothing pinned
 * @kind: of the object, with one to a page
 * @ref: its
 *
 * While it is pinned kmdom_free() of it does not wait.
 */
void kmdomfs_tx_unneeded(struct kmdomfs_tx *tx, enum kmdomfs_kind kind,
			 kmdom_ref ref)
{
	tx_name(tx, kind, ref, false)->table = true;
}

/**
 * kmdomfs_tx_new() - ask for an object
 * @tx: the transaction, with nothing pinned
 * @kind: of the object
 *
 * Return: where its address and its ref will be.
 */
struct kmdom_pin *kmdomfs_tx_new(struct kmdomfs_tx *tx, enum kmdomfs_kind kind)
{
	struct kmdom_pin *pin = &tx->fresh[tx->nr_new++];

	*pin = (struct kmdom_pin) {
		.cache = tx->sbi->cache[kind],
		.write = true,
	};
	return pin;
}

static int alloc_fresh(struct kmdomfs_tx *tx)
{
	unsigned int i;
	int ret;

	for (i = 0; i < tx->nr_new; i++) {
		ret = kmdom_alloc(&tx->op, &tx->fresh[i]);
		if (ret)
			goto free;
	}
	return 0;
free:
	while (i--)
		kmdomfs_tx_free(tx, &tx->fresh[i]);
	tx->nr_new = 0;
	return ret;
}

/**
 * kmdomfs_tx_take() - wait for all that was named, and pin it
 * @tx: the transaction
 *
 * Context: may sleep and wait for the pager; see the lock order.
 * Return: 0 with all of it pinned; else nothing is, and nothing is named.
 */
int kmdomfs_tx_take(struct kmdomfs_tx *tx)
{
	int ret;

	ret = kmdom_pin_set(&tx->op, tx->pin, tx->nr, tx->nr_new);
	if (ret) {
		tx_reset(tx);
		return tx_error(ret);
	}
	ret = alloc_fresh(tx);
	if (ret)
		kmdomfs_tx_drop(tx);
	return ret;
}

/**
 * kmdomfs_tx_drop() - unpin everything
 * @tx: the transaction, ready for its next step
 */
void kmdomfs_tx_drop(struct kmdomfs_tx *tx)
{
	unsigned int i;

	for (i = 0; i < tx->nr; i++)
		if (tx->pin[i].held)
			kmdom_unpin(&tx->op, &tx->pin[i]);
	for (i = 0; i < tx->nr_new; i++)
		if (tx->fresh[i].held)
			kmdom_unpin(&tx->op, &tx->fresh[i]);
	tx_reset(tx);
}

/**
 * kmdomfs_tx_undo() - give new objects back, and unpin everything
 * @tx: the transaction, none of whose objects was changed yet
 */
void kmdomfs_tx_undo(struct kmdomfs_tx *tx)
{
	unsigned int i;

	for (i = 0; i < tx->nr_new; i++)
		kmdomfs_tx_free(tx, &tx->fresh[i]);
	kmdomfs_tx_drop(tx);
}

/**
 * kmdomfs_tx_free() - free an object that is pinned for writing
 * @tx: the transaction
 * @pin: the object's, which was named only once
 */
void kmdomfs_tx_free(struct kmdomfs_tx *tx, struct kmdom_pin *pin)
{
	kmdom_free_pinned(&tx->op, pin);
}
