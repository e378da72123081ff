/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk with a bad place: pread() and pwrite() of the program that this is
 * linked to (with --wrap of both) get as far as there. It is no tmpfs, if that is not
 * wanted (--wrap of fstatfs), so that all reads are calls.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <sys/types.h>

struct disk {
	off_t bad;	/* where the bad place begins */
	off_t end;	/* and ends; 0: there is none */
	int read_error;	/* errno; 0: it can be read */
	int write_error;
	bool tmpfs;	/* it may be one */
};

extern struct disk disk;

#endif /* DISK_H */
