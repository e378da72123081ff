#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# absent.sh - what is removed is not restored first; what a mount did not come
# to free, the next one frees
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

readonly FRAMES=200
MIB=$(scaled 'megabytes of a file' 24)	# that is 6144 pages, below 13 maps
SMALL=$(scaled 'small files' 2000)
# More pages than there are frames, however slow it is.
readonly MIB=$((MIB < 4 ? 4 : MIB)) SMALL=$((SMALL < 500 ? 500 : SMALL))
readonly PAGES=$((MIB * 256))

fill() {
	head -c "${MIB}M" /dev/urandom >"$KMDOMFS_DIR/$1" || return 1
	(($(stat_of pages-absent) > PAGES - FRAMES))
}

# Restored are the maps, the directory and its inodes, which are far fewer than the
# data pages: all but FRAMES of these are absent, and would come back one by one.
# Pages that the pager brings back unasked are restored without a fault.
# Usage: few_faults LIMIT COMMAND [ARG]...
few_faults() {
	local limit=$1 faults restores

	shift
	drop_caches
	faults=$(stat_of faults)
	restores=$(stat_of restores)
	"$@" || return 1
	wait_pages 64 || return 1
	faults=$(($(stat_of faults) - faults))
	restores=$(($(stat_of restores) - restores))
	printf '%d faults, %d restores: %s\n' "$faults" "$restores" "$*"
	((faults <= limit && restores <= limit))
}

removed() {
	fill file && few_faults 40 rm "$KMDOMFS_DIR/file"
}

truncated() {
	fill file && few_faults 40 truncate -s 0 "$KMDOMFS_DIR/file"
}

replaced() {
	fill file && : >"$KMDOMFS_DIR/other" &&
		few_faults 40 mv "$KMDOMFS_DIR/other" "$KMDOMFS_DIR/file"
}

# Small files have a page of data each, and share those of inodes and names.
tree_removed() {
	local n

	mkdir "$KMDOMFS_DIR/tree" || return 1
	for ((n = 0; n < SMALL; n++)); do
		printf '%d\n' "$n" >"$KMDOMFS_DIR/tree/$n"
	done
	few_faults $((SMALL / 4)) rm -r "$KMDOMFS_DIR/tree"
}

# The reaper cannot go on without the pager; umount ends it, and the next
# mount's frees what is left.
next_mount_goes_on() {
	local left

	fill file || return 1
	# What removing it takes comes back, but for its maps.
	touch "$KMDOMFS_DIR/other" "$KMDOMFS_DIR/file" && rm "$KMDOMFS_DIR/other"
	kill -STOP "$PAGER"
	timeout 60 rm "$KMDOMFS_DIR/file" && umount "$KMDOMFS_DIR" || return 1
	left=$(pages)
	printf '%d pages are left after the first mount\n' "$left"
	kill -CONT "$PAGER"
	((left > PAGES / 2)) && fs_mount && wait_pages 64
}

# A file that is open when it is removed is freed when it is closed.
open_file() {
	fill file || return 1
	exec {fd}<"$KMDOMFS_DIR/file"
	rm "$KMDOMFS_DIR/file"
	drop_caches
	(($(pages) > PAGES)) || return 1
	[[ $(head -c 1M <&"$fd" | wc -c) == 1048576 ]] || return 1
	exec {fd}<&-
	wait_pages 64
}

plan 8
fs_begin "$FRAMES" || exit 1
check 'a file that is removed' removed
check 'a file that is truncated' truncated
check 'a file that is replaced' replaced
check 'a tree that is removed' tree_removed
check 'a file that is open' open_file
check 'the next mount goes on' next_mount_goes_on
check 'nothing is left' fs_empty
check 'everything comes down' fs_end
exit "$FAILED"
