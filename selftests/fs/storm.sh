#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# storm.sh - processes at work in one tree, with few frames, while pagers are
# killed and caches dropped; then the tree's invariants
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

readonly FRAMES=200

storm() {
	"$TESTS/fs_storm" "$KMDOMFS_DIR/tree" 4 "$1" "$2"
}

invariants() {
	"$TESTS/fs_storm" "$KMDOMFS_DIR/tree" 4 0 0 check
}

# Some of its processes are still at work. Usage: goes_on STORM
goes_on() {
	pgrep -P "$1" >/dev/null || { printf 'the storm is over too soon\n'; return 1; }
}

# Kills the pager while the storm goes on, three times, each at another page.
storm_of_pagers() {
	local faults least storm door

	least=$(scaled faults 160)
	"$TESTS/fs_storm" "$KMDOMFS_DIR/tree" 4 1000000000 2 >/tmp/storm.out &
	storm=$!
	for door in ioctl uring ioctl; do
		faults=$(stat_of faults)
		until (($(stat_of faults) > faults + least)); do
			goes_on "$storm" || return 1
			drop_caches
		done
		pager_kill KILL
		goes_on "$storm" || return 1
		pager_start "$FRAMES" --door "$door" || return 1
	done
	kill "$storm"
	wait "$storm"
	cat /tmp/storm.out
	grep -q '^ok' /tmp/storm.out
}

remounted() {
	fs_remount && invariants
}

plan 7
fs_begin "$FRAMES" || exit 1
mkdir "$KMDOMFS_DIR/tree"
check 'storm' storm "$(scaled operations 10000)" 1
check 'after remounting' remounted
check 'storm with pagers that are killed' storm_of_pagers
check 'after dropping caches' invariants
check 'after remounting again' remounted
check 'nothing is left' fs_empty
check 'everything comes down' fs_end
exit "$FAILED"
