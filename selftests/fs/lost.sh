#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# lost.sh - a page is dirty in a mapping, and its object is lost: by a pager that
# was killed, and whose successor has not got its store
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mapper.sh
. "$(dirname "$(readlink -f "$0")")/mapper.sh"

readonly FRAMES=200
readonly MAPPED=1

# Has it open: its name is lost with the rest.
HOLDER=

make_files() {
	head -c 4096 /dev/zero >"$KMDOMFS_DIR/mapped" &&
		head -c 3M /dev/urandom >"$KMDOMFS_DIR/big" || return 1
	tail -f /dev/null <"$KMDOMFS_DIR/mapped" &
	HOLDER=$!
	map_begin mapper mapped
	MAPPER=$!
	tell mapper read 0 1 && told mapper 0000000000000000
}

# The inode's object is there then, the page's is not.
lose_the_store() {
	drop_caches
	cat "$KMDOMFS_DIR/big" >/dev/null && touch -d 2001-01-01 "$KMDOMFS_DIR/mapped" || return 1
	pager_kill KILL
	rm /tmp/kmdomfs-store
	pager_start "$FRAMES"
}

# It may be clean already when it is looked at.
becomes_clean() {
	tell mapper write 0 1 saved && told mapper saved && wait_until "$STEP" is_clean
}

# From the object: no folio of it is left.
is_read_back() {
	kill -9 "$MAPPER"
	ends "$STEP" "$MAPPER"
	drop_caches
	[[ $(head -c 5 "/proc/$HOLDER/fd/0") == saved ]]
}

# It was not free of charge: what is lost is told to who wants it.
rest_is_lost() {
	! cat "$KMDOMFS_DIR/big" >/dev/null 2>/tmp/lost.err || return 1
	cat /tmp/lost.err
	grep -q 'Input/output error' /tmp/lost.err
}

all_ends() {
	kill "$HOLDER"
	ends "$STEP" "$HOLDER"
	fs_end
}

plan 6
fs_begin "$FRAMES" || exit 1
check 'a mapped file' make_files
check 'its object is lost' lose_the_store
check 'a page that is dirtied becomes clean' becomes_clean
check 'and is read back' is_read_back
check 'the rest is lost' rest_is_lost
check 'everything comes down' all_ends
exit "$FAILED"
