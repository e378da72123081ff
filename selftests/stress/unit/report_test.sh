#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# report_test.sh - what the report of scripts/stress makes of rounds that went wrong
#
# Of results that are written here, without a machine. Prints TAP.
#
# Tests plant what is wrong by functions that plant() runs:
# shellcheck disable=SC2317

set -euo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")")
readonly TOP
readonly FIGURES='seconds=60 tenants=8 kills=40 waited=9 early=3 steps=5 faults=7 rejected=1
losses=2 wrong=0 stuck=0 frames=0 ended=0 pressure=1 fail=1 corrupt=1 forge=1 delay=1 reorder=1
drop=1 rot=1'

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
readonly RESULTS=$dir/results
readonly ROUND=$RESULTS/selftests-stress-round.sh---seed
nr=0 failures=0

# Usage: result NAME LINE: one that ended well
result() {
	printf '# a line\n# %s\nok 1 a\n' "$2" >"$1.out"
	printf '0\n' >"$1.status"
}

# What a run leaves that went well.
write_results() {
	rm -rf "$RESULTS"
	mkdir "$RESULTS"
	printf 'vm selftests/stress/%s\n' 'whole.sh 3600 enemy 41' 'whole.sh 3600 residue' \
		'round.sh 60 --seed 41' 'round.sh 60 --seed 42' >"$dir/list"
	printf '0\n' >"$dir/status"
	result "$RESULTS/selftests-stress-whole.sh-enemy-41" 'enemy: replies=3 accepted=2 least=1'
	result "$RESULTS/selftests-stress-whole.sh-residue" 'residue: pages=3 bytes=0 (2 events)'
	result "$ROUND-41" "figures: ${FIGURES//$'\n'/ }"
	result "$ROUND-42" "figures: ${FIGURES//$'\n'/ }"
}

# Usage: check WHAT STATUS LINE... - the report ends so, and has these lines, the blanks
# between words squeezed
check() {
	local what=$1 wanted=$2 status=0 line result=ok

	shift 2
	"$TOP/scripts/stress" --report "$dir" >"$dir/report" 2>&1 || status=$?
	((status == wanted)) || result='not ok'
	for line in "$@"; do
		tr -s ' ' <"$dir/report" | grep -qxF -- "$line" ||
			{ printf '# not found: %s\n' "$line"; result='not ok'; }
	done
	[[ $result == ok ]] || { ((failures += 1)); sed 's/^/# /' "$dir/report"; }
	printf '%s %d %s\n' "$result" $((nr += 1)) "$what"
}

# Usage: plant WHAT COMMAND LINE... - what the command spoils is found, and so told
plant() {
	local what=$1 command=$2

	shift 2
	write_results
	"$command"
	check "$what" 1 "$@"
}

cut_off() {
	sed -i 's/ stuck=.*//' "$ROUND-42.out"
}

unended() {
	rm "$ROUND-42.status"
}

not_run() {
	rm "$ROUND-42".*
}

none_run() {
	rm "$ROUND"*
}

failed() {
	printf '1\n' >"$ROUND-41.status"
}

unclean() {
	printf 'module kmdom does not unload\n' >"$ROUND-41.fixture"
}

no_residue() {
	rm "$RESULTS/selftests-stress-whole.sh-residue".*
}

enemy_failed() {
	printf '1\n' >"$RESULTS/selftests-stress-whole.sh-enemy-41.status"
}

check_failed() {
	printf '1\n' >"$dir/status"
}

check_unended() {
	rm "$dir/status"
}

nobody_killed() {
	sed -i 's/ kills=[0-9]*/ kills=0/' "$ROUND-41.out" "$ROUND-42.out"
}

readonly ROUNDS='FAILED: not every round ran to its end, well, and told its figures'
printf 'TAP version 13\n1..12\n'
write_results
check 'rounds that went well are added up' 0 'rounds, the modules loaded anew for each 2' \
	'rounds that did not run, or did not end 0' 'rounds that failed 0' \
	'rounds without their figures 0' 'minutes 2' 'pagers killed in a session 80' \
	'of these, that a client waited for 18' 'transfers told late or out of order 4' \
	'stuck tasks 0' 'rejected by each check, at least 1' 'bytes of the kernel that grew with them 0'
plant 'figures that are cut off' cut_off 'rounds without their figures 1' \
	'pagers killed in a session 40' "$ROUNDS"
plant 'a round that did not end' unended 'rounds that did not run, or did not end 1' "$ROUNDS"
plant 'a round that did not run' not_run 'rounds, the modules loaded anew for each 2' \
	'rounds that did not run, or did not end 1' 'rounds without their figures 1' "$ROUNDS"
plant 'no round that ran' none_run 'rounds without their figures 2' 'stuck tasks missing' \
	'tenants missing' "$ROUNDS"
plant 'a round that failed' failed 'rounds that failed 1' 'rounds without their figures 0' "$ROUNDS"
plant 'a round that left something behind' unclean 'rounds that failed 1' "$ROUNDS"
plant 'nothing of residue' no_residue 'bytes of the kernel that grew with them missing' \
	'FAILED: residue did not run to its end, or not well'
plant 'an enemy that found something' enemy_failed 'FAILED: enemy did not run to its end, or not well'
plant 'scripts/check found something' check_failed \
	'FAILED: scripts/check found something wrong, or did not end'
plant 'scripts/check did not end' check_unended \
	'FAILED: scripts/check found something wrong, or did not end'
plant 'no pager was killed' nobody_killed 'pagers killed in a session 0' \
	'FAILED: no pager was killed, nobody waited, or no store went wrong'
((failures == 0))
