#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The seeds of each target for libFuzzer reach every reason that it has to refuse
# its input, those of judge every reason that there is, and a short run finds
# nothing. Prints TAP.

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
export BUILD=${BUILD:-$TOP/build}
readonly TARGETS=(check decode judge schema)

mkdir -p "$BUILD"
dir=$(mktemp -d "$BUILD/fuzz-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
nr=0 failed=0

# check WHAT COMMAND...
check() {
	local what=$1

	shift
	((nr += 1))
	if "$@" >"$dir/out" 2>&1; then
		printf 'ok %d %s\n' "$nr" "$what"
	else
		tail -n 50 "$dir/out" | sed 's/^/# /'
		printf 'not ok %d %s\n' "$nr" "$what"
		failed=1
	fi
	sed -n 's/^reason /#   &/p' "$dir/out"
}

seeds_reach_all() {
	local seeds=$dir/$1 program=$BUILD/selftests/fuzz-$1

	mkdir "$seeds" && FUZZ_SEEDS=$seeds "$program" && "$program" "$seeds"/* 2>&1 |
		tee "$dir/$1.reasons" | awk '{ print } /^reason/ { nr++; if (!$3) none = 1 }
			END { exit !nr || none }'
}

# In parentheses it has what is not the record's fault.
all_reasons() {
	diff <(sed -n 's/^\tKMDOM_REJECT_\([A-Z]*\),/\1/p' "$TOP/uapi/linux/kmdom.h" | sort) \
		<(awk '/^reason [A-Z]/ { print $2 }' "$dir/judge.reasons" | sort)
}

printf 'TAP version 13\n1..%d\n' $((2 * ${#TARGETS[@]} + 1))
for target in "${TARGETS[@]}"; do
	check "$target: the seeds reach every reason" seeds_reach_all "$target"
done
check 'judge: the reasons are those of the UAPI' all_reasons
for target in "${TARGETS[@]}"; do
	FUZZ_SECONDS=10 check "$target: 10 seconds find nothing" "$TOP/scripts/fuzz" "$target"
done
((failed == 0))
