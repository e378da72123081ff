#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whether the fault injection's tests leave anything out: each command and flag of the
# interface, and each function of ours in the modules' tables of operations, is in the
# list beside this script, and each sweep that the list names is in a program. Of an
# operation of an exchange it is in the line that has the operation's code. Prints TAP.

set -euo pipefail
export LC_ALL=C

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly LIST=$TOP/selftests/inject/list UAPI=$TOP/uapi/linux
readonly PROGRAMS=("$TOP"/selftests/inject_*test.c "$TOP/selftests/fs/fs_inject.c")
nr=0 failed=0

# Usage: verdict NAME: what is wrong stands in stdin, a line each
verdict() {
	local line result=ok

	((nr += 1))
	while read -r line; do
		printf '# %s\n' "$line"
		result='not ok'
		failed=1
	done
	printf '%s %d - %s\n' "$result" "$nr" "$1"
}

# Commands, and flags of these.
commands() {
	grep -ohE '\bKMDOM_(IOC|OP|OPF|ADOPT|EXCHANGE|URING)_[A-Z0-9_]+\b' "$UAPI/kmdom.h" |
		grep -v '^KMDOM_IOC_MAGIC$' || true
	grep -ohE '\bKMDOM_CMD_[A-Z_]+\b' "$UAPI/kmdom_netlink.h" | grep -v '^KMDOM_CMD_MAX$'
}

# Functions of ours in tables of operations; others are the kernel's own.
operations() {
	awk '
	/^(static )?(const )?struct ([a-z_]*operations[a-z_]*|file_system_type) [a-z_]+ = \{$/ { inside = 1 }
	/^\}/ { inside = 0 }
	inside && $2 == "=" && $1 != ".parameters" && $3 ~ /^kmdom[a-z_]*,$/ { sub(/,/, "", $3); print $3 }
	' "$TOP"/module/*/*.c
}

listed() {
	sed -E '/^(#|$)/d; s/\s.*//' "$LIST"
}

# Lines of what is in one file and not in the other, after WORDS.
# Usage: only_first WORDS FIRST SECOND
only_first() {
	comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3") | sed "/./s/^/$1: /; /^$/d"
}

# Sweeps that no program has, and operations of which none has the code.
missing_sweeps() {
	local what text sweep lines line
	local -a sweeps

	while read -r what text; do
		[[ $what && $what != '#'* && $text != '-'* ]] || continue
		mapfile -t sweeps <<<"${text//; /$'\n'}"
		lines=''
		for sweep in "${sweeps[@]}"; do
			line=$(grep -hF "\"$sweep\"" "${PROGRAMS[@]}") ||
				printf '%s: no program has the sweep "%s"\n' "$what" "$sweep"
			lines+=$line$'\n'
		done
		[[ ! $what =~ ^KMDOM_OPF?_ ]] || grep -qw "$what" <<<"$lines" ||
			printf '%s: these sweeps are of others\n' "$what"
	done <"$LIST"
}

few() {
	(($(wc -l <<<"$commands") > 20)) || printf 'few commands are found\n'
	(($(wc -l <<<"$operations") > 40)) || printf 'few operations are found\n'
}

printf 'TAP version 13\n1..5\n'
commands=$(commands)
operations=$(operations)
verdict 'the sources are read' < <(few)
verdict 'every command of the interface' < <(
	only_first 'not in the list' "$commands" "$(listed)")
verdict 'every operation of the modules' < <(
	only_first 'not in the list' "$operations" "$(listed)")
verdict 'nothing else is listed' < <(
	only_first 'not there any more' "$(listed)" "$commands"$'\n'"$operations")
verdict 'every sweep that is named' < <(missing_sweeps)
exit "$failed"
