#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mmap.sh - fs_mmap on a mount whose pager has few frames

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"
fs_run 256 "$TESTS/fs_mmap"
