#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# round.sh - a round of stress, for scripts/stress
#
# Usage: round.sh OPTION... (of build/selftests/stress)
#
# If the machine has a disk, the stores in files lie on it, so that pagers are
# killed with transfers under way.

set -euo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly DISK=/dev/vda DIR=/tmp/kmdom-stress-disk

stores=/dev/shm
if [[ -b $DISK ]]; then
	mkdir -p "$DIR"
	mountpoint -q "$DIR" || { mkfs.ext4 -q "$DISK" && mount "$DISK" "$DIR"; }
	stores=$DIR
fi
exec "${BUILD:-$TOP/build}/selftests/stress" --stores "$stores" "$@"
