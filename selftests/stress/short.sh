#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# short.sh - a short round of stress, and rounds that must fail
#
# The figures of the long one are of scripts/stress; here the driver is tested. On a
# slow machine, whose kernel is what looks for faults there, a round is run and no more.
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly OUT=/tmp/stress.out

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
	sed 's/^\(not \)\{0,1\}ok/# &/; s/^[^#]/# &/' "$OUT"
	return "$status"
}

# Usage: fails THIS... - those tests of the driver, and a complaint about each
fails() {
	local what

	for what in "$@"; do
		grep -q "$what" "$OUT" || { printf '# not found: %s\n' "$what"; return 1; }
	done
}

if ((${KMDOM_SCALE:-1} > 1)); then
	printf 'TAP version 13\n1..1\n# scaled down: a round that need not meet all, and no other\n'
	check 'a short round' stress --kills 40 --seconds 300 --pressure
	exit "$failures"
fi
printf 'TAP version 13\n1..9\n'
check 'a short round, in which all is met' stress --kills 40 --seconds 600 --pressure --thorough
stress --kills 0 --seconds 300 --pressure --thorough \
	--break content,removed,pager,frames,pressure,faults
check 'wrong contents are found, and a pager that ends by itself' fails \
	'^not ok 3' '^not ok 7' 'load.*: contents: ' 'file[0-9]*, .*: contents: '
check 'it is found that not all was met' fails '^not ok 10' '# no fault at all'
check 'a file that should not be there is found' fails 'it is there, though it was removed'
check 'frames that are not accounted for are found' fails '^not ok 8' 'figures: .* frames=1 '
check 'it is found that no memory was taken' fails '^not ok 9' 'figures: .* pressure=0 '
stress --kills 0 --seconds 9 --break stuck,deaf --patience 6
check 'a stuck worker is found' fails '^not ok 6' 'a worker is stuck'
check 'a pager that does not end is found, and the round goes on' fails \
	'a pager is stuck, process [0-9]* in state [RSD]' '/task/[0-9]*/stack:' 'figures: .* stuck=\([2-9]\|[1-9][0-9]\)'
stress --kills 5 --seconds 300 --break loss
check 'a loss that nothing explains is found' fails '^not ok 3' 'load.*: Input/output error'
((failures == 0))
