#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# inject.sh - fs_inject on a domain with a pager; it mounts it itself

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

ret=0
rm -f /tmp/kmdomfs-store
mkdir -p "$KMDOMFS_DIR"
pager_start 512 || exit 1
"$TESTS/fs_inject" || ret=$?
if mountpoint -q "$KMDOMFS_DIR"; then
	fs_empty || ret=1
	fs_end || ret=1
else
	# Skipped, or the first test has failed.
	pager_kill TERM
	ctl destroy "$KMDOMFS_DOMAIN" >/dev/null || ret=1
fi
exit "$ret"
