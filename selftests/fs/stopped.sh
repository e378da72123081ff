#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stopped.sh - a pager is stopped, with dirty, mapped and absent pages: its own
# clients wait no longer than their deadline, and nobody else waits at all
#
# Usage: stopped.sh [DOOR]
#
# A reader, a task in a page fault and the cleaner of dirty pages wait for the
# pager, with a deadline far off. What ends before they do has not waited for the
# pager: nothing else could have ended its wait.
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mapper.sh
. "$(dirname "$(readlink -f "$0")")/mapper.sh"

readonly FRAMES=200
readonly MAPPED=32		# pages of the file that is written through a mapping
# Pages of the file that is read: of the first 400 none stays.
BIG=$(scaled 'pages of a file' 768 600)
readonly BIG
readonly FAR=60			# seconds, a deadline that nobody comes to: the longest
readonly NEAR=12		# one that is missed
readonly SLACK=$((10 * ${KMDOM_SCALE:-1}))	# more, for an emulated machine
readonly OTHER=fs-other OTHER_DIR=/tmp/kmdomfs-other

OTHER_PAGER=
FAULTER=
READER=
READER_BEGIN=

# How long clients wait from now on.
set_deadline() {
	echo $(($1 * 1000)) >/sys/module/kmdom/parameters/op_deadline_ms
}

other_begin() {
	local line out

	# What a test before left.
	rm -f /dev/shm/other
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
	umount "$OTHER_DIR" && kill "$OTHER_PAGER" &&
		within "$STEP" tail --pid="$OTHER_PAGER" -s 0.1 -f /dev/null &&
		ctl destroy "$OTHER"
}

# Somebody does: the cleaner, or the reaper.
waits() {
	(($(stat_of waiters) > 0))
}

# Usage: in_function PROCESS NAME: that is where a thread of it sleeps
in_function() {
	grep -q "\<$2\>" "/proc/$1"/task/*/stack 2>/dev/null
}

# All of them, and the cleaner, whose pages are dirty.
all_wait() {
	in_function "$READER" kmdom_wait_for_set &&
		in_function "$FAULTER" kmdom_wait_for_set &&
		in_function "$FAULTER" filemap_fault &&
		(($(stat_of waiters) >= 3 && $(dirty_pages) >= MAPPED - 1))
}

# Files of more pages than there are frames, so that most or many are absent.
make_files() {
	head -c $((BIG * 4096)) /dev/urandom >/tmp/stopped-data &&
		head -c 1M /tmp/stopped-data >/tmp/other-data && cp /tmp/stopped-data "$KMDOMFS_DIR/big" &&
		head -c $((MAPPED * 4096)) /dev/zero >"$KMDOMFS_DIR/mapped" &&
		mkdir "$KMDOMFS_DIR/dir"
}

# Through the frames, so that whatever else was in them leaves them.
read_big() {
	drop_caches
	cmp /tmp/stopped-data "$KMDOMFS_DIR/big"
}

map_files() {
	map_begin mapper mapped
	MAPPER=$!
	map_begin faulter big
	FAULTER=$!
}

# Of the mapped file, the inode and its map are present then, and the data is
# not: so its pages become dirty without the pager, and not clean again.
# Usage: stop_with_dirty TEXT
stop_with_dirty() {
	wait_until "$STEP" is_clean && read_big && tell mapper write 0 1 "$1" &&
		told mapper "$1" || return 1
	kill -STOP "$PAGER"
	tell mapper write 0 "$MAPPED" "$1" && told mapper "$1" && wait_until "$STEP" waits &&
		(($(dirty_pages) >= MAPPED - 1))
}

start_reader() {
	drop_caches
	READER_BEGIN=$SECONDS
	cat "$KMDOMFS_DIR/big" >/tmp/reader.out 2>/tmp/reader.err &
	READER=$!
	wait_until "$STEP" in_function "$READER" kmdom_wait_for_set
}

# Usage: stop TEXT PAGE: the latter is one that the faulter has not seen yet
stop() {
	stop_with_dirty "$1" && start_reader && tell faulter read "$2" $(($2 + 1)) ||
		return 1
	wait_until "$STEP" all_wait && return
	cat "/proc/$READER/stack" "/proc/$FAULTER"/task/*/stack
	printf '%d waiters, %d dirty pages\n' "$(stat_of waiters)" "$(dirty_pages)"
	return 1
}

# Usage: goes_on COMMAND [ARG]...
goes_on() {
	within "$STEP" "$@" && all_wait
}

# What is asked for is more than there is, so that all of it is looked at; it is
# told so. The whole machine's takes a slow one longer than anybody here waits.
reclaim() {
	local file

	file=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.reclaim
	goes_on bash -c "! echo 100G >'$file'" 2>/tmp/reclaim.err ||
		{ cat /tmp/reclaim.err; return 1; }
	cat /tmp/reclaim.err
	grep -q 'Resource temporarily unavailable' /tmp/reclaim.err
}

processes_go_on() {
	goes_on ps aux >/dev/null &&
		goes_on cat "/proc/$MAPPER/cmdline" "/proc/$FAULTER/cmdline" \
			"/proc/$READER/cmdline" >/dev/null
}

memory_goes_on() {
	goes_on sh -c 'echo 3 >/proc/sys/vm/drop_caches' && reclaim
}

neighbour_writes() {
	goes_on cp /tmp/other-data "$OTHER_DIR/file" &&
		goes_on cmp /tmp/other-data "$OTHER_DIR/file"
}

# Each on its own: a slow machine takes a minute, which is the deadline, for all of it.
neighbour_moves() {
	goes_on umount "$OTHER_DIR" &&
		goes_on mount -t kmdomfs -o "domain=$OTHER" none "$OTHER_DIR"
}

neighbour_goes_on() {
	stop other 300 && goes_on cmp /tmp/other-data "$OTHER_DIR/file" &&
		goes_on rm "$OTHER_DIR/file"
}

# Usage: are_served TEXT PAGE: who waits since stop(); nobody was told anything wrong
are_served() {
	kill -CONT "$PAGER"
	ends "$FAR" "$READER" && cmp /tmp/stopped-data /tmp/reader.out &&
		told faulter "$(tail -c +$(($2 * 4096 + 1)) /tmp/stopped-data |
			head -c 8 | od -An -tx1 | tr -d ' \n')" &&
		wait_until "$STEP" is_clean && has_text "$1"
}

# Usage: meanwhile TEXT PAGE COMMAND [ARG]...: all wait, it goes on, they are served
meanwhile() {
	stop "$1" "$2" && "${@:3}" && are_served "$1" "$2"
}

reader_is_killed() {
	kill -9 "$READER"
	ends "$STEP" "$READER"
	[[ $? == 137 ]] && kill -CONT "$PAGER" && read -r -t "$STEP" _ <>/tmp/faulter.out
}

# With nothing dirty, so that nobody else waits.
stop_clean() {
	kill -CONT "$PAGER"
	wait_until "$STEP" is_clean && read_big || return 1
	kill -STOP "$PAGER"
	! waits
}

# Usage: gives_up PROCESS BEGIN STATUS: it ends so at its deadline
gives_up() {
	local status=0 took

	ends $((NEAR + SLACK)) "$1" || status=$?
	took=$((SECONDS - $2))
	printf 'status %d after %d seconds\n' "$status" "$took"
	((status == $3 && took >= NEAR - 1 && took <= NEAR + SLACK))
}

reader_gives_up() {
	set_deadline "$NEAR"
	stop_clean && start_reader && gives_up "$READER" "$READER_BEGIN" 1 &&
		grep 'timed out' /tmp/reader.err
}

# Each call of a task has a wait of its own, however its last one ended.
reader_reads_again() {
	local fd ret=1

	exec {fd}<"$KMDOMFS_DIR/big" || return 1
	if stop_clean; then
		drop_caches
		read -r -N 8 -u "$fd" _ 2>/tmp/reader.err ||
			{ kill -CONT "$PAGER" && read -r -N 8 -u "$fd" _ && ret=0; }
		cat /tmp/reader.err
		grep -q 'timed out' /tmp/reader.err || ret=1
	fi
	exec {fd}<&-
	return "$ret"
}

# By SIGBUS.
faulter_gives_up() {
	local begin

	stop_clean || return 1
	drop_caches
	begin=$SECONDS
	tell faulter read 350 351 && wait_until "$STEP" in_function "$FAULTER" filemap_fault &&
		gives_up "$FAULTER" "$begin" 135
}

# One fault waits once, also for a page that a read which gave up has left in the
# cache, without what belongs in it.
faulter_waits_once() {
	local begin timeouts

	map_begin faulter big
	FAULTER=$!
	stop_clean || return 1
	drop_caches
	! dd if="$KMDOMFS_DIR/big" bs=4096 skip=350 count=1 of=/dev/null 2>/tmp/reader.err &&
		grep 'timed out' /tmp/reader.err || return 1
	timeouts=$(stat_of timeouts)
	begin=$SECONDS
	tell faulter read 350 351 && wait_until "$STEP" in_function "$FAULTER" filemap_fault &&
		gives_up "$FAULTER" "$begin" 135 || return 1
	printf '%d waits missed the deadline\n' $(($(stat_of timeouts) - timeouts))
	(($(stat_of timeouts) == timeouts + 1))
}

# A write fault for which the domain is needed: to know that the page has an
# object. What the fault holds keeps neither the process's other threads, which
# change its memory, nor those who look at it.
writer_waits_alone() {
	set_deadline "$FAR"
	stop_clean && tell mapper write 0 1 alone &&
		wait_until "$STEP" in_function "$MAPPER" kmdom_wait_for_set &&
		in_function "$MAPPER" kmdomfs_fault || return 1
	tell mapper remap && told mapper remapped &&
		within "$STEP" cat "/proc/$MAPPER/cmdline" "/proc/$MAPPER/maps" >/dev/null &&
		within "$STEP" ps aux >/dev/null &&
		in_function "$MAPPER" kmdom_wait_for_set || return 1
	kill -CONT "$PAGER"
	told mapper alone && wait_until "$STEP" is_clean && [[ $(page_begin 0 5) == alone ]]
}

# With the file's inode present, and its map not. The files are clean.
# Usage: stop_without_map FILE
stop_without_map() {
	kill -CONT "$PAGER"
	wait_until "$STEP" is_clean && read_big && touch "$KMDOMFS_DIR/$1" || return 1
	kill -STOP "$PAGER"
}

# A write fault in a file that is being cut: it is tried with the fault's locks held,
# and then waits without them.
writer_waits_for_cut() {
	local cutter

	set_deadline "$FAR"
	stop_without_map mapped || return 1
	truncate -s $((MAPPED * 2048)) "$KMDOMFS_DIR/mapped" &
	cutter=$!
	wait_until "$STEP" in_function "$cutter" kmdom_wait_for_set &&
		in_function "$cutter" kmdomfs_map_cut && tell mapper write 0 1 half &&
		wait_until "$STEP" in_function "$MAPPER" kmdomfs_fault &&
		tell mapper remap && told mapper remapped &&
		within "$STEP" cat "/proc/$MAPPER/maps" >/dev/null &&
		in_function "$cutter" kmdomfs_map_cut || return 1
	kill -CONT "$PAGER"
	ends "$STEP" "$cutter" && told mapper half &&
		truncate -s $((MAPPED * 4096)) "$KMDOMFS_DIR/mapped" &&
		wait_until "$STEP" is_clean && [[ $(page_begin 0 4) == half ]] || return 1
	# Without holes again: those that come now make its pages dirty without the pager.
	tell mapper write 0 "$MAPPED" whole && told mapper whole && wait_until "$STEP" is_clean
}

# Who writes has the file's map for himself while he waits for frames: readers wait
# for that, and not for ever.
reader_of_map_is_killed() {
	local writer status=0

	head -c 4096 /tmp/stopped-data >"$KMDOMFS_DIR/long" && stop_without_map long || return 1
	head -c 4M /dev/zero >>"$KMDOMFS_DIR/long" &
	writer=$!
	wait_until "$STEP" in_function "$writer" kmdom_wait_for_set || return 1
	drop_caches
	cat "$KMDOMFS_DIR/long" >/dev/null &
	READER=$!
	wait_until "$STEP" in_function "$READER" kmdomfs_readahead || return 1
	if in_function "$READER" kmdom_wait_for_set; then
		printf 'it waits for the pager\n'
		return 1
	fi
	kill -9 "$READER"
	ends "$STEP" "$READER" || status=$?
	((status == 137)) && in_function "$writer" kmdom_wait_for_set || return 1
	kill -CONT "$PAGER"
	ends "$FAR" "$writer" && cmp -n 4096 /tmp/stopped-data "$KMDOMFS_DIR/long" &&
		(($(stat -c %s "$KMDOMFS_DIR/long") == 4096 + 4096 * 1024)) &&
		rm "$KMDOMFS_DIR/long"
}

# Its end closes the file, which waits for nobody, as the mount's end does. The
# dirty pages are there afterwards.
umount_ends() {
	local status=0

	kill -CONT "$PAGER"
	stop_with_dirty third || return 1
	kill -9 "$MAPPER"
	ends "$STEP" "$MAPPER" || status=$?
	((status == 137)) && within "$STEP" umount "$KMDOMFS_DIR" || return 1
	! mountpoint -q "$KMDOMFS_DIR" || return 1
	kill -CONT "$PAGER"
	fs_mount && has_text third
}

# Without dirty pages, which keep a mount alive, umount takes all down itself.
umount_ends_reaper() {
	read_big && cp /tmp/stopped-data "$KMDOMFS_DIR/gone" &&
		read_big && touch "$KMDOMFS_DIR/"{other,gone} &&
		rm "$KMDOMFS_DIR/other" || return 1
	kill -STOP "$PAGER"
	within "$STEP" rm "$KMDOMFS_DIR/gone" && wait_until "$STEP" waits &&
		within "$STEP" umount "$KMDOMFS_DIR" || return 1
	(($(stat_of waiters) == 0)) || return 1
	kill -CONT "$PAGER"
	fs_mount && wait_pages $((BIG + MAPPED + 32))
}

abort_ends_waiters() {
	local status=0

	map_files
	stop fifth 100 || return 1
	within "$STEP" "$BUILD/daemon/kmdomctl" abort "$KMDOMFS_DOMAIN" || return 1
	ends "$STEP" "$READER" || status=$?
	cat /tmp/reader.err
	((status == 1)) && grep -q 'No such device' /tmp/reader.err || return 1
	ends "$STEP" "$FAULTER" || status=$?
	# By SIGBUS.
	((status == 135)) || return 1
	kill -9 "$MAPPER"
	ends "$STEP" "$MAPPER" || status=$?
	((status == 137 && $(stat_of waiters) == 0)) || return 1
	! ls "$KMDOMFS_DIR/dir" 2>/dev/null || return 1
	within "$STEP" umount "$KMDOMFS_DIR"
}

# What is left of the mount, if dirty pages held it, goes at its cleaner's next
# look; the domain goes with it.
all_ends() {
	pager_kill TERM
	other_end && wait_until "$STEP" domain_is_gone
}

plan 19
set_deadline "$FAR"
fs_begin "$FRAMES" || exit 1
other_begin || exit 1
check 'files' make_files
map_files
check 'processes go on' meanwhile first 100 processes_go_on
check 'memory goes on' meanwhile second 150 memory_goes_on
check 'sync goes on' meanwhile synced 200 goes_on sync
check 'a neighbour writes' meanwhile written 250 neighbour_writes
check 'a neighbour leaves and comes' meanwhile moved 275 neighbour_moves
check 'a neighbour goes on' neighbour_goes_on
check 'a waiting reader can be killed' reader_is_killed
check 'a reader gives up' reader_gives_up
check 'a reader that gave up reads again' reader_reads_again
check 'a page fault gives up' faulter_gives_up
check 'a page fault gives up once' faulter_waits_once
check 'a writer of a mapping waits alone' writer_waits_alone
check 'a writer of a mapping waits for a cut' writer_waits_for_cut
check 'a reader that waits for a writer can be killed' reader_of_map_is_killed
check 'umount ends, and loses nothing' umount_ends
check 'umount ends, and the reaper' umount_ends_reaper
check 'abort ends waiters and the mount' abort_ends_waiters
check 'everything comes down' all_ends
exit "$FAILED"
