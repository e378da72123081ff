#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# diff.sh - random operations, compared with tmpfs, with few frames
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

readonly SEEDS=${SEEDS:-11 12 13}
OPERATIONS=${OPERATIONS:-$(scaled 'operations' 10000)}

# The trees are compared once more after unmounting.
differential() {
	local seed=$1 ours=$KMDOMFS_DIR/tree reference=/tmp/reference

	mkdir "$ours" "$reference" && chmod 755 "$ours" "$reference" || return 1
	"$TESTS/fs_diff" "$ours" "$reference" "$seed" "$OPERATIONS" || return 1
	fs_remount && "$TESTS/fs_diff" "$ours" "$reference" "$seed" 0 || return 1
	rm -rf "$ours" "$reference"
}

read -r -a seeds <<<"$SEEDS"
plan $((${#seeds[@]} + 2))
fs_begin 160 || exit 1
for seed in "${seeds[@]}"; do
	check "seed $seed" differential "$seed"
done
check 'nothing is left' fs_empty
check 'everything comes down' fs_end
exit "$FAILED"
