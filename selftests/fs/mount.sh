# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# mount.sh - a mount with a pager, for the scripts beside it
#
# Prints TAP: a test is a function that check() runs; whatever fails in it
# fails it. fs_begin makes a domain with a kmdomd and mounts it, fs_end takes
# all of that down, and says whether every frame came back. The script's argument,
# if it has one, is kmdomd's door.

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
BUILD=${BUILD:-$TOP/build}
TESTS=$BUILD/selftests
export LD_LIBRARY_PATH=$BUILD/daemon
export KMDOMFS_DOMAIN=fs-test
export KMDOMFS_DIR=/tmp/kmdomfs
readonly DOOR=${1:-auto}

PAGER=
PAGER_OUT=
NUMBER=0
FAILED=0

ctl() {
	"$BUILD/daemon/kmdomctl" "$@"
}

# One number out of the domain's statistics.
stat_of() {
	ctl stat "$KMDOMFS_DOMAIN" | awk -v name="$1" '$1 == name { print $2 }'
}

# Usage: wait_until SECONDS COMMAND [ARG]...: what it said last, if it never succeeds
wait_until() {
	local deadline=$((SECONDS + $1)) out

	shift
	until out=$("$@" 2>&1); do
		((SECONDS < deadline)) || { printf 'not in time: %s: %s\n' "$*" "$out"; return 1; }
		sleep 0.1
	done
}

# Prints what the pager says until it is ready.
pager_wait() {
	local line

	while read -r -t 60 line <&"$PAGER_OUT"; do
		printf '# %s\n' "$line"
		[[ $line != *": ready"* ]] || return 0
	done
	printf '# kmdomd is not ready\n'
	return 1
}

# Usage: pager_start FRAMES [ARG]...
pager_start() {
	local frames=$1

	shift
	exec {PAGER_OUT}< <(exec "$BUILD/daemon/kmdomd" --domain "$KMDOMFS_DOMAIN" \
		--create --max-frames $((frames * 3)) --frames "$frames" --door "$DOOR" \
		--store "${STORE:-file:/tmp/kmdomfs-store,size=1G}" "$@" 2>&1)
	PAGER=$!
	export KMDOMFS_PAGER=$PAGER
	pager_wait
}

# Usage: pager_kill SIGNAL
pager_kill() {
	kill "-$1" "$PAGER" && kill -CONT "$PAGER" 2>/dev/null
	# Until its end nothing reads what it says.
	cat <&"$PAGER_OUT"
	exec {PAGER_OUT}<&-
	PAGER=
}

fs_mount() {
	mkdir -p "$KMDOMFS_DIR"
	mount -t kmdomfs -o "domain=$KMDOMFS_DOMAIN" none "$KMDOMFS_DIR"
}

# Usage: fs_begin FRAMES [ARG]...
fs_begin() {
	# What a test before left when it aborted its domain.
	rm -f /tmp/kmdomfs-store
	pager_start "$@" && fs_mount
}

fs_remount() {
	umount "$KMDOMFS_DIR" && fs_mount
}

# Frames that are in use have a page or a table in them, and nothing else.
frames_add_up() {
	ctl stat "$KMDOMFS_DOMAIN" | awk '
		{ value[$1] = $2 }
		END {
			used = value["frames-used"]
			known = value["pages-present"] + value["tables"]
			printf "%d frames used, %d with pages or tables\n", used, known
			exit !used || used != known
		}'
}

domain_is_gone() {
	! ctl stat "$KMDOMFS_DOMAIN"
}

# Without its session, a domain has those frames that are in use.
frames_are_back() {
	(($(stat_of frames-free) == 0)) && frames_add_up
}

# A frame that held a table is free a little after the table is not.
fs_end() {
	local ret=0

	umount "$KMDOMFS_DIR" || ret=1
	wait_until 60 frames_add_up || ret=1
	[[ -z $PAGER ]] || pager_kill TERM
	wait_until 60 frames_are_back || ret=1
	ctl destroy "$KMDOMFS_DOMAIN" >/dev/null || ret=1
	wait_until 60 domain_is_gone || ret=1
	rm -f /tmp/kmdomfs-store
	return "$ret"
}

pages() {
	printf '%d\n' $(($(stat_of pages-present) + $(stat_of pages-absent)))
}

few_pages() {
	pages
	(($(pages) <= $1))
}

# Until no more than that many are left: the reaper frees in its own time.
wait_pages() {
	wait_until 60 few_pages "$1"
}

# What is left then are a page for each of the eight types, and those from which
# CPUs have slots at hand.
fs_empty() {
	find "$KMDOMFS_DIR" -mindepth 1 -maxdepth 1 -exec rm -rf {} + &&
		wait_pages $((8 * (1 + $(nproc))))
}

drop_caches() {
	echo 3 >/proc/sys/vm/drop_caches
}

# Usage: scaled WHAT N [LEAST]: as many of N as take the same time on this machine,
# which is KMDOM_SCALE times slower than usual. Says so, beside what it prints.
scaled() {
	local less=$(($2 / ${KMDOM_SCALE:-1})) least=${3:-1}

	((less >= least)) || less=$least
	((less == $2)) || printf '# scaled down: %d %s instead of %d\n' "$less" "$1" "$2" >&2
	printf '%d\n' "$less"
}

plan() {
	printf 'TAP version 13\n1..%d\n' "$1"
}

# Usage: check NAME COMMAND [ARG]...
check() {
	local name=$1 result=ok begin=$SECONDS

	shift
	NUMBER=$((NUMBER + 1))
	"$@" >/tmp/check.out 2>&1 || result='not ok'
	sed 's/^/# /' /tmp/check.out
	printf '# %d s\n' $((SECONDS - begin))
	printf '%s %d %s\n' "$result" "$NUMBER" "$name"
	[[ $result == ok ]] || FAILED=1
}

# For a program with a TAP of its own: mounts, runs it, takes all down.
# Usage: fs_run FRAMES PROGRAM [ARG]...
fs_run() {
	local frames=$1 ret=0

	shift
	fs_begin "$frames" || exit 1
	"$@" || ret=1
	fs_empty || ret=1
	fs_end || ret=1
	exit "$ret"
}
