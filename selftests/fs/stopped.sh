#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stopped.sh - a pager is stopped, with dirty, mapped and absent pages: its own
# clients wait no longer than their deadline, and nobody else waits at all
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

readonly FRAMES=200
readonly DEADLINE=8		# seconds, of the clients
readonly SLACK=25		# more, for an emulated machine
readonly OTHER=fs-other OTHER_DIR=/tmp/kmdomfs-other

OTHER_PAGER=
MAPPER=
READER=

# Usage: within SECONDS COMMAND [ARG]...: it ends in that time, however it ends
within() {
	local limit=$1 begin=$SECONDS

	shift
	timeout -k 5 "$limit" "$@"
	[[ $? != 124 && $? != 137 ]] || { printf 'too long: %s\n' "$*"; return 1; }
	printf '%d s: %s\n' $((SECONDS - begin)) "$*"
}

other_begin() {
	local line out

	exec {out}< <(exec "$BUILD/daemon/kmdomd" --domain "$OTHER" --create \
		--max-frames 400 --frames 200 --store mem:/dev/shm/other,size=64M 2>&1)
	OTHER_PAGER=$!
	while read -r -t 60 line <&"$out" && [[ $line != *": ready"* ]]; do
		:
	done
	mkdir -p "$OTHER_DIR"
	mount -t kmdomfs -o "domain=$OTHER" none "$OTHER_DIR"
}

other_end() {
	umount "$OTHER_DIR"
	kill "$OTHER_PAGER"
	while kill -0 "$OTHER_PAGER" 2>/dev/null; do
		sleep 0.1
	done
	ctl destroy "$OTHER"
}

# Dirties pages of a file through a mapping, whenever it is told to.
start_mapper() {
	local answer

	coproc MAPPED {
		exec python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(fd, 0)
for line in sys.stdin:
    for page in range(0, len(m), 4096):
        m[page:page + 5] = line.strip().encode()
    print("done", flush=True)
' "$KMDOMFS_DIR/mapped"
	}
	MAPPER=$MAPPED_PID
	printf 'first\n' >&"${MAPPED[1]}"
	read -r -t 60 answer <&"${MAPPED[0]}" && [[ $answer == "done" ]]
}

# Much more than there are frames, so that most of it is absent.
prepare() {
	head -c 8M /dev/urandom >/tmp/stopped-data && cp /tmp/stopped-data "$KMDOMFS_DIR/big" &&
		head -c 128K /dev/zero >"$KMDOMFS_DIR/mapped" &&
		mkdir "$KMDOMFS_DIR/dir" && start_mapper &&
		cp "$KMDOMFS_DIR/big" "$KMDOMFS_DIR/bigger"
}

stop_pager() {
	kill -STOP "$PAGER"
	# What the mapper still can write without the pager, it does.
	drop_caches
	cat "$KMDOMFS_DIR/big" >/dev/null 2>/tmp/reader.err &
	READER=$!
	until [[ $(stat_of waiters) -gt 0 ]]; do
		:
	done
}

others_go_on() {
	within "$SLACK" ps aux >/dev/null &&
		within "$SLACK" cat "/proc/$MAPPER/cmdline" "/proc/$READER/cmdline" >/dev/null &&
		within "$SLACK" sh -c 'echo 3 >/proc/sys/vm/drop_caches' &&
		within "$SLACK" sh -c 'echo 1 >/proc/sys/vm/compact_memory' &&
		within "$SLACK" sh -c 'echo 100M >/sys/fs/cgroup/memory.reclaim' &&
		within "$SLACK" cp /tmp/stopped-data "$OTHER_DIR/big" &&
		within "$SLACK" cmp /tmp/stopped-data "$OTHER_DIR/big" &&
		within "$SLACK" umount "$OTHER_DIR" &&
		within "$SLACK" mount -t kmdomfs -o "domain=$OTHER" none "$OTHER_DIR" &&
		cmp /tmp/stopped-data "$OTHER_DIR/big" && rm "$OTHER_DIR/big"
}

sync_ends() {
	within $((DEADLINE + SLACK)) sync
}

reader_gives_up() {
	local begin=$SECONDS

	wait "$READER" && return 1
	cat /tmp/reader.err
	grep -q 'timed out' /tmp/reader.err && ((SECONDS - begin <= DEADLINE + SLACK))
}

# A second one is killed while it waits.
reader_is_killed() {
	pager_answers
	stop_pager
	within "$SLACK" sh -c "kill -9 $READER"
	wait "$READER"
	[[ $? == 137 ]]
}

pager_answers() {
	kill -CONT "$PAGER"
	cmp /tmp/stopped-data "$KMDOMFS_DIR/big" && kill -STOP "$PAGER"
}

# With dirty pages that cannot be cleaned; they are there afterwards.
umount_ends() {
	local page

	kill -CONT "$PAGER"
	printf 'again\n' >&"${MAPPED[1]}"
	read -r -t 60 _ <&"${MAPPED[0]}" || return 1
	cmp /tmp/stopped-data "$KMDOMFS_DIR/big" || return 1
	printf 'third\n' >&"${MAPPED[1]}"
	read -r -t 60 _ <&"${MAPPED[0]}" || return 1
	kill -STOP "$PAGER"
	kill -9 "$MAPPER"
	wait "$MAPPER"
	within $((DEADLINE + SLACK)) umount "$KMDOMFS_DIR" || return 1
	! mountpoint -q "$KMDOMFS_DIR" || return 1
	kill -CONT "$PAGER"
	fs_mount || return 1
	for page in 0 13 31; do
		[[ $(dd if="$KMDOMFS_DIR/mapped" bs=4096 skip="$page" count=1 status=none |
			head -c 5) == third ]] || return 1
	done
}

abort_ends_waiters() {
	stop_pager
	within "$SLACK" "$BUILD/daemon/kmdomctl" abort "$KMDOMFS_DOMAIN" || return 1
	within "$SLACK" tail --pid="$READER" -f /dev/null || return 1
	wait "$READER" && return 1
	cat /tmp/reader.err
	grep -q 'No such device' /tmp/reader.err || return 1
	! ls "$KMDOMFS_DIR/dir" 2>/dev/null || return 1
	within "$SLACK" umount "$KMDOMFS_DIR"
}

# What is left of the mount, if dirty pages held it, goes at its cleaner's next
# look; the domain goes with it.
all_ends() {
	local deadline=$((SECONDS + SLACK))

	kill -CONT "$PAGER"
	pager_kill TERM
	other_end
	while ctl stat "$KMDOMFS_DOMAIN" 2>/dev/null; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

plan 9
fs_begin "$FRAMES" --deadline-ms $((DEADLINE * 1000)) || exit 1
other_begin || exit 1
check 'files and a mapping' prepare
check 'a reader waits' stop_pager
check 'others go on' others_go_on
check 'sync ends' sync_ends
check 'the reader gives up' reader_gives_up
check 'a waiting reader can be killed' reader_is_killed
check 'umount ends, and loses nothing' umount_ends
check 'abort ends waiters and the mount' abort_ends_waiters
check 'everything comes down' all_ends
exit "$FAILED"
