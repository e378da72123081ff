# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# mapper.sh - a process that has the file "mapped" mapped, and what it dirties,
# for scripts that stop or kill the pager meanwhile
#
# MAPPER is the process, MAPPED the number of the file's pages.

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/mount.sh"

# Seconds, for what does not wait; less than the longest deadline, which is a minute.
STEP=20
((${KMDOM_SCALE:-1} == 1)) || STEP=45
readonly STEP

MAPPER=
HELD=

# Usage: within SECONDS COMMAND [ARG]...: it succeeds in that time
within() {
	local limit=$1 begin=$SECONDS status=0

	shift
	timeout -k 5 "$limit" "$@" || status=$?
	printf '%d s, status %d: %s\n' $((SECONDS - begin)) "$status" "$*" >&2
	((status == 0))
}

# Usage: ends SECONDS PROCESS: with its exit status, or 1 if it goes on
ends() {
	within "$1" tail --pid="$2" -s 0.1 -f /dev/null || return 1
	wait "$2"
}

# A process that has a file mapped, and does what tell() says.
# Usage: map_begin NAME FILE
map_begin() {
	rm -f "/tmp/$1.in" "/tmp/$1.out"
	mkfifo "/tmp/$1.in" "/tmp/$1.out"
	"$TESTS/fs_map" "$KMDOMFS_DIR/$2" <"/tmp/$1.in" >"/tmp/$1.out" &
	# Held open, whoever else opens and closes them.
	# shellcheck disable=SC2034
	exec {HELD}<>"/tmp/$1.in" {HELD}<>"/tmp/$1.out"
}

# Usage: tell NAME read|write FIRST LAST [TEXT]: see fs_map.c
tell() {
	printf '%s\n' "${*:2}" >"/tmp/$1.in"
}

# Usage: told NAME TEXT: it is done
told() {
	local answer

	read -r -t "$STEP" answer <>"/tmp/$1.out" && [[ $answer == "$2" ]]
}

# What reclaim took out of the page table is mapped again first: it is seen there.
dirty_pages() {
	tell mapper read 0 "$MAPPED" && read -r -t "$STEP" _ <>/tmp/mapper.out || return 1
	awk -v file="$KMDOMFS_DIR/mapped" '
		/^[0-9a-f]+-/ { here = $NF == file }
		here && /^(Shared|Private)_Dirty:/ { kib += $2 }
		END { printf "%d\n", kib / 4 }' "/proc/$MAPPER/smaps"
}

is_clean() {
	(($(dirty_pages) == 0))
}

# Usage: page_begin PAGE BYTES: what the file's page begins with
page_begin() {
	dd if="$KMDOMFS_DIR/mapped" bs=4096 skip="$1" count=1 status=none | head -c "$2"
}

# Usage: has_text TEXT: the mapped file, in the folios or in its objects
has_text() {
	local page

	for page in 0 13 $((MAPPED - 1)); do
		[[ $(page_begin "$page" ${#1}) == "$1" ]] || return 1
	done
}
