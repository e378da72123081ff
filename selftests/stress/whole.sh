#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# whole.sh - what make check does in a shorter form, for scripts/stress
#
# Usage: whole.sh enemy|residue [SEED]

set -euo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP

# A million replies; a million pages, and a sixteenth of them.
export ENEMY_REPLIES=1000000 RESIDUE_PAGES=1048576
[[ ! ${2:-} ]] || export ENEMY_SEED=$2

exec "${BUILD:-$TOP/build}/selftests/${1}_test"
