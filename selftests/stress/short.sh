#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# short.sh - a short round of stress, and rounds that must fail
#
# The figures of the long one are of scripts/stress; here the driver is tested.
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly OUT=/tmp/stress.out ALL=/tmp/stress.all
readonly ROUNDS=5	# more of them, if need be

nr=0 failures=0

# Usage: check WHAT COMMAND [ARG]...
check() {
	local what=$1 result=ok

	shift
	((nr += 1))
	"$@" || { result='not ok'; ((failures += 1)); }
	printf '%s %d %s\n' "$result" "$nr" "$what"
}

stress() {
	"${BUILD:-$TOP/build}/selftests/stress" --gap 50 --rest 10 --tenants 8 "$@" >"$OUT" 2>&1
	local status=$?

	# With its own results hidden: a failure may be what is wanted.
	cat "$OUT" >>"$ALL"
	sed 's/^\(not \)\{0,1\}ok/# &/; s/^[^#]/# &/' "$OUT"
	return "$status"
}

holds() {
	stress --kills 40 --seconds 200 --pressure
}

# Each kind of fault happened in some round: there was something to withstand.
all_faults() {
	local kind

	for kind in fail corrupt forge delay reorder drop rot; do
		grep -q "figures: .* $kind=[1-9]" "$ALL" || { printf '# no %s\n' "$kind"; return 1; }
	done
}

# What is rare may not have come yet.
all_faults_at_last() {
	local more

	for ((more = ROUNDS; more; more--)); do
		all_faults && return
		holds || return 1
	done
	all_faults
}

# Usage: fails THIS... - those tests of the driver, and a complaint about each
fails() {
	local what

	for what in "$@"; do
		grep -q "$what" "$OUT" || { printf '# not found: %s\n' "$what"; return 1; }
	done
}

printf 'TAP version 13\n1..9\n'
rm -f "$ALL"
check 'a short round' holds
stress --kills 0 --seconds 5 --pressure --break content,removed,pager,frames,pressure
check 'wrong contents are found, and a pager that ends by itself' fails \
	'^not ok 3' '^not ok 7' 'load.*: contents: ' 'file[0-9]*, .*: contents: '
check 'a file that should not be there is found' fails 'it is there, though it was removed'
check 'frames that are not accounted for are found' fails '^not ok 8' 'figures: .* frames=1 '
check 'it is found that no memory was taken' fails '^not ok 9' 'figures: .* pressure=0 '
stress --kills 0 --seconds 9 --break stuck,deaf --patience 6
check 'a stuck worker is found' fails '^not ok 6' 'a worker is stuck'
check 'a pager that does not end is found, and the round goes on' fails \
	'a pager is stuck, process [0-9]* in state [RSD]' '/task/[0-9]*/stack:' 'figures: .* stuck=[2-9]'
stress --kills 5 --seconds 300 --break loss
check 'a loss that nothing explains is found' fails '^not ok 3' 'load.*: Input/output error'
check 'there were faults of all kinds' all_faults_at_last
((failures == 0))
