#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tools as people use them, in the VM: kmdomctl's commands and what they say,
# users without rights, a kernel without io_uring, stores on a real file system
# and on a block device. Prints TAP.

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly BIN=${BUILD:-$TOP/build}/daemon
readonly PATIENCE=60
readonly WORK=/run/kmdom-tools
readonly GROUP=/sys/fs/cgroup/kmdom-tools

PATH=$BIN:$PATH
nr=0 failures=0
declare -a TESTS=()

# ---- what tests are made of ----

say() {
	printf '# %s\n' "$*"
}

# failed WHAT FILE: the test has failed; the file tells more
failed() {
	say "$1"
	sed 's/^/#   /' "$2"
	bad=1
}

# ok WHAT COMMAND...: the command succeeds
ok() {
	local what=$1

	shift
	# What the last command said stays to be looked at by this one.
	"$@" >"$WORK/new" 2>&1 || failed "$what: failed: $*" "$WORK/new"
	mv "$WORK/new" "$WORK/out"
}

# says TEXT COMMAND...: the command fails, and says so
says() {
	local text=$1

	shift
	if timeout $PATIENCE "$@" >"$WORK/out" 2>&1; then
		failed "did not fail: $*" "$WORK/out"
	elif ! grep -qF -- "$text" "$WORK/out"; then
		failed "does not say \"$text\": $*" "$WORK/out"
	fi
}

# Waits until a file has a text, or a process has ended.
until_says() {
	local text=$1 file=$2 pid=$3 end=$((SECONDS + PATIENCE))

	until grep -qF -- "$text" "$file"; do
		if ((SECONDS >= end)) || ! kill -0 "$pid" 2>/dev/null; then
			grep -qF -- "$text" "$file" && return
			failed "does not say \"$text\":" "$file"
			return 1
		fi
		read -rt 0.05 <> <(:) || true
	done
}

# pager_start ARG...: a kmdomd that is ready; its pid in $pager
pager_start() {
	: >"$WORK/pager"
	kmdomd "$@" >"$WORK/pager" 2>&1 &
	pager=$!
	until_says ready "$WORK/pager" "$pager"
}

pager_stop() {
	kill "$pager" && wait "$pager" && return
	failed "the pager's status is $?" "$WORK/pager"
}

readonly AS_NOBODY=(setpriv --reuid=65534 --regid=65534 --clear-groups)

# ---- tests ----

TESTS+=(commands)
commands() {
	ok create kmdomctl create red --max-frames 512 --orphan-seconds 100
	says 'a domain of that name exists' kmdomctl create red --max-frames 512
	says 'out of range' kmdomctl create small --max-frames 1
	says 'does not offer that AEAD' kmdomctl create odd --max-frames 512 --aead 'rot13(aes)'
	says 'Usage' kmdomctl create
	says 'no number' kmdomctl create many --max-frames lots
	ok list kmdomctl list
	ok 'list shows it' grep -q '^red .*orphaned' "$WORK/out"
	ok stat kmdomctl stat red
	ok 'stat shows the limit' grep -qx 'frames-max  *512' "$WORK/out"
	says 'there is no such domain' kmdomctl stat blue
	says 'there is no such domain' kmdomctl abort blue
	says 'there is no such domain' kmdomctl adopt blue
	says 'there is no command' kmdomctl explode red
	says '1 to 63 characters' kmdomctl stat ''
	ok features kmdomctl features
	ok destroy kmdomctl destroy red
	says 'there is no such domain' kmdomctl destroy red
}

TESTS+=(json)
json() {
	ok create kmdomctl --json create red --max-frames 512
	ok 'create is JSON' jq -e '.name and .id > 0 and (.uuid | length) == 36' "$WORK/out"
	kmdomctl list --json >"$WORK/list"
	ok 'list is JSON' jq -e 'length == 1 and .[0].state == "orphaned"' "$WORK/list"
	kmdomctl --json stat red >"$WORK/stat"
	ok 'stat is JSON' jq -e '."frames-max" == 512 and .stalled == false and .faults == 0' "$WORK/stat"
	ok 'without rejects' jq -e '.rejects == {}' "$WORK/stat"
	kmdomctl --json schema red >"$WORK/schema"
	ok 'a schema is JSON' jq -e '.domain == "red" and .caches == []' "$WORK/schema"
	kmdomctl --json stat none >"$WORK/stat" 2>"$WORK/err"
	ok 'errors are JSON' jq -e '.errno == 2 and (.error | length) > 10' "$WORK/stat"
	kmdomctl --json stat >"$WORK/stat" 2>"$WORK/err"
	ok 'wrong usage is JSON' jq -e '.errno == 22 and .error' "$WORK/stat"
	kmdomctl --json create blue --max-frames lots >"$WORK/stat" 2>"$WORK/err"
	ok 'a wrong number is JSON' jq -e '.errno == 22 and .error' "$WORK/stat"
	kmdomctl --json features >"$WORK/features"
	ok 'features are JSON' jq -e '.abi == 1 and .uring == true' "$WORK/features"
	kmdomctl --json abort red >"$WORK/out"
	ok 'abort is JSON' jq -e '.aborted == "red"' "$WORK/out"
	kmdomctl --json list >"$WORK/list"
	ok 'an empty list is JSON' jq -e '. == []' "$WORK/list"
}

TESTS+=(adopt)
adopt() {
	ok create kmdomctl create red --max-frames 512
	# The command gets the session, and its name.
	# shellcheck disable=SC2016 # it is the command's shell that expands
	ok 'adopt runs a command' kmdomctl adopt red --frames 100 -- \
		sh -c '[ -e /proc/self/fd/$KMDOM_SESSION_FD ] && [ $KMDOM_SESSION_FRAMES = 100 ]'
	: >"$WORK/pager"
	kmdomctl adopt red --frames 200 -- kmdomd --domain red --store "mem:$WORK/red" \
		>"$WORK/pager" 2>&1 &
	pager=$!
	until_says 'ready: session 2, 200 frames' "$WORK/pager" "$pager"
	says 'another session pages the domain' kmdomctl adopt red
	says 'another session pages the domain' kmdomd --domain red --store "mem:$WORK/red"
	ok takeover kmdomctl adopt red --takeover
	wait "$pager"
	ok 'the pager was taken over' test $? = 3
	ok 'an orphan again' sh -c 'kmdomctl stat red | grep -q "^state  *orphaned"'
	says 'cannot run' kmdomctl adopt red -- /nowhere/pager
	ok destroy kmdomctl destroy red
}

# What it tells on demand and at its end, and the signals.
TESTS+=(statistics)
statistics() {
	pager_start --domain red --create --max-frames 512 --store "mem:$WORK/red" \
		--stats-json "$WORK/stats" --policy aging
	ok 'as many as it may' grep -q ' 512 frames' "$WORK/pager"
	kill -USR1 "$pager"
	local end=$((SECONDS + PATIENCE))
	until [[ -s $WORK/stats ]] || ((SECONDS >= end)); do
		read -rt 0.05 <> <(:) || true
	done
	ok 'counters are JSON' jq -e '.domain == "red" and .policy == "aging" and .pool_frames == 512' \
		"$WORK/stats"
	rm "$WORK/stats"
	pager_stop
	ok 'counters at the end' jq -e '.store == "mem"' "$WORK/stats"
	ok destroy kmdomctl destroy red
}

TESTS+=(no_uring)
no_uring() {
	echo 2 >/proc/sys/kernel/io_uring_disabled
	pager_start --domain red --create --max-frames 512 --store "file:$WORK/red"
	ok 'says so' grep -q 'io_uring is switched off.*ioctl' "$WORK/pager"
	ok 'goes on by ioctl' grep -q 'door ioctl' "$WORK/pager"
	pager_stop
	says 'io_uring is switched off' kmdomd --domain red --store "file:$WORK/red" --door uring
	echo 0 >/proc/sys/kernel/io_uring_disabled
	pager_start --domain red --store "file:$WORK/red"
	ok 'takes the ring' grep -q 'door uring' "$WORK/pager"
	pager_stop
	ok destroy kmdomctl destroy red
}

TESTS+=(users)
users() {
	chmod 666 /dev/kmdom
	mkdir -m 777 "$WORK/theirs"
	ok 'a domain of root' kmdomctl create red --max-frames 512
	ok 'a domain of nobody' "${AS_NOBODY[@]}" kmdomctl create blue --max-frames 512
	says 'reserved' "${AS_NOBODY[@]}" kmdomctl create root/blue --max-frames 512
	ok 'is named after him' sh -c 'kmdomctl list | grep -q "^65534/blue "'
	"${AS_NOBODY[@]}" kmdomctl --json list >"$WORK/list"
	ok 'he sees his own' jq -e 'length == 1 and .[0].name == "65534/blue"' "$WORK/list"
	kmdomctl --json list >"$WORK/list"
	ok 'root sees all' jq -e 'length == 2' "$WORK/list"
	ok 'his by its short name' "${AS_NOBODY[@]}" kmdomctl stat blue
	says "another user's domain" "${AS_NOBODY[@]}" kmdomctl stat red
	says "another user's domain" "${AS_NOBODY[@]}" kmdomctl abort red
	says "another user's domain" "${AS_NOBODY[@]}" kmdomctl destroy red
	says 'not permitted' "${AS_NOBODY[@]}" kmdomctl adopt red

	local memlock pager_args=(--domain blue --frames 128 --store "mem:$WORK/theirs/blue")

	# Without a limit of his own memory nobody lends any.
	says 'memory.max' prlimit --memlock=67108864 "${AS_NOBODY[@]}" kmdomd "${pager_args[@]}"
	ok 'a cgroup' mkdir "$GROUP"
	echo 256M >"$GROUP/memory.max"
	# shellcheck disable=SC2016 # it is that shell that expands
	local in_group=(sh -c 'echo 0 >"$0/cgroup.procs"; exec "$@"' "$GROUP")
	for memlock in 65536 1048576; do
		says 'ulimit -l' "${in_group[@]}" prlimit --memlock=$memlock "${AS_NOBODY[@]}" \
			kmdomd "${pager_args[@]}"
	done
	: >"$WORK/pager"
	"${in_group[@]}" prlimit --memlock=67108864 "${AS_NOBODY[@]}" kmdomd "${pager_args[@]}" >"$WORK/pager" 2>&1 &
	pager=$!
	until_says ready "$WORK/pager" "$pager"
	pager_stop
	rmdir "$GROUP"
	chmod 600 /dev/kmdom
	says 'no permission to open' "${AS_NOBODY[@]}" kmdomctl abort blue
	ok 'root may end it' kmdomctl destroy 65534/blue
	ok destroy kmdomctl destroy red
}

TESTS+=(disks)
disks() {
	local disk

	truncate -s 64M "$WORK/disk"
	modprobe -q loop
	disk=$(losetup --find --show --direct-io=off "$WORK/disk")
	# As it is: a block device, and all of it.
	pager_start --domain red --create --max-frames 512 --store "file:$disk"
	pager_stop
	pager_start --domain red --store "file:$disk"
	pager_stop
	ok 'another domain' kmdomctl create blue --max-frames 512
	says 'belongs to another domain' kmdomd --domain blue --store "file:$disk"
	pager_start --domain blue --store "file:$disk" --replace-store
	pager_stop
	says 'belongs to another domain' kmdomd --domain red --store "file:$disk"
	# One that is claimed is left alone.
	coproc perl -MFcntl -e 'sysopen F, shift, O_RDWR | O_EXCL or die; syswrite STDOUT, "x\n"; <STDIN>' \
		"$disk"
	read -r _ <&"${COPROC[0]}"
	says 'it is in use' kmdomd --domain blue --store "file:$disk"
	echo >&"${COPROC[1]}"
	wait "$COPROC_PID"
	# A file system is no store; a file on it is one.
	mkfs.ext4 -q "$disk"
	says 'no store of kmdomd' kmdomd --domain red --store "file:$disk"
	mkdir "$WORK/mnt"
	ok 'mount' mount "$disk" "$WORK/mnt"
	pager_start --domain red --store "file:$WORK/mnt/red,size=32M"
	says 'another session pages' kmdomd --domain red --store "file:$WORK/mnt/red"
	pager_stop
	pager_start --domain red --store "file:$WORK/mnt/red,size=32M"
	pager_stop
	umount "$WORK/mnt"
	losetup -d "$disk"
	ok destroy kmdomctl destroy red
	ok destroy kmdomctl destroy blue
}

# The store of a domain that is gone is made anew; that of one that exists is
# refused, and no domain is left behind for it.
TESTS+=(gone)
gone() {
	pager_start --domain red --create --max-frames 512 --store "mem:$WORK/red"
	pager_stop
	says 'belongs to another domain' \
		kmdomd --domain blue --create --max-frames 512 --store "mem:$WORK/red"
	says 'there is no such domain' kmdomctl stat blue
	ok destroy kmdomctl destroy red
	says 'belongs to another domain' setpriv --bounding-set -net_admin --inh-caps -net_admin \
		kmdomd --domain blue --create --max-frames 512 --store "mem:$WORK/red"
	pager_start --domain red --create --max-frames 512 --store "mem:$WORK/red"
	ok 'says so' grep -q 'which is gone: it is made anew' "$WORK/pager"
	pager_stop
	ok destroy kmdomctl destroy red
}

TESTS+=(on_kmdomfs)
on_kmdomfs() {
	pager_start --domain red --create --max-frames 1024 --frames 256 \
		--store "mem:$WORK/red" || return
	mkdir -p "$WORK/mnt"
	ok mount mount -t kmdomfs -o domain=red none "$WORK/mnt"
	ok 'another domain' kmdomctl create blue --max-frames 512
	says 'lies on a kmdomfs' kmdomd --domain blue --store "file:$WORK/mnt/store"
	says 'lies on a kmdomfs' kmdomd --domain blue --store "mem:$WORK/mnt/store"
	says 'a client holds the domain' kmdomctl destroy red
	ok umount umount "$WORK/mnt"
	pager_stop
	ok destroy kmdomctl destroy red
	ok destroy kmdomctl destroy blue
}

# The store's file system is full: nothing is lost, and it goes on when it can.
TESTS+=(no_space)
no_space() {
	local copy

	mkdir -p "$WORK/mnt" "$WORK/small"
	ok 'a small tmpfs' mount -t tmpfs -o size=1M none "$WORK/small"
	pager_start --domain red --create --max-frames 512 \
		--store "mem:$WORK/small/red,size=64M" || return
	ok mount mount -t kmdomfs -o domain=red none "$WORK/mnt"
	head -c 4M /dev/urandom >"$WORK/data"
	cp "$WORK/data" "$WORK/mnt/data" &
	copy=$!
	until_says 'cannot be written' "$WORK/pager" "$pager"
	ok 'a larger one' mount -o remount,size=32M "$WORK/small"
	until_says 'can be written again' "$WORK/pager" "$pager"
	ok 'the copy goes on' wait "$copy"
	echo 1 >/proc/sys/vm/drop_caches
	ok 'and is one' cmp "$WORK/data" "$WORK/mnt/data"
	ok umount umount "$WORK/mnt"
	pager_stop
	ok destroy kmdomctl destroy red
	ok umount umount "$WORK/small"
}

# What is stored is served as long as nothing can be written, also if it is more
# than there are frames.
TESTS+=(no_space_read)
no_space_read() {
	mkdir -p "$WORK/mnt" "$WORK/small"
	ok 'a small tmpfs' mount -t tmpfs -o size=16M none "$WORK/small"
	pager_start --domain red --create --max-frames 192 \
		--store "mem:$WORK/small/red,size=64M" || return
	ok mount mount -t kmdomfs -o domain=red none "$WORK/mnt"
	head -c 2M /dev/urandom >"$WORK/data"
	ok 'some room' cp "$WORK/data" "$WORK/mnt/data"
	head -c 16M /dev/zero >"$WORK/small/fill" 2>/dev/null
	echo 1 >/proc/sys/vm/drop_caches
	ok 'what is stored is read' timeout $PATIENCE cmp "$WORK/data" "$WORK/mnt/data"
	ok 'it could not be written' grep -q 'cannot be written' "$WORK/pager"
	rm "$WORK/small/fill"
	until_says 'can be written again' "$WORK/pager" "$pager"
	echo 1 >/proc/sys/vm/drop_caches
	ok 'all is read' cmp "$WORK/data" "$WORK/mnt/data"
	ok umount umount "$WORK/mnt"
	pager_stop
	ok destroy kmdomctl destroy red
	ok umount umount "$WORK/small"
}

# What a domain's types are, and what is in its records: asked of the kernel, and
# of what was saved of it.
TESTS+=(schemas)
schemas() {
	local at len

	says 'there is no such domain' kmdomctl schema red
	pager_start --domain red --create --max-frames 192 --store "file:$WORK/red,size=32M" || return
	mkdir -p "$WORK/mnt"
	ok mount mount -t kmdomfs -o domain=red none "$WORK/mnt"
	head -c 2M /dev/urandom >"$WORK/mnt/data"
	ok schema kmdomctl schema red
	ok 'it names fields' grep -q '^ *[0-9]* *4  int  *atime_ns  *0 to 999999999$' "$WORK/out"
	kmdomctl --json schema red >"$WORK/schema"
	ok 'it is JSON' jq -e '.domain == "red" and (.caches | length) == 8' "$WORK/schema"
	ok 'with fields' jq -e '.caches[] | select(.type == "kmdomfs.inode") |
		.policy == "sealed" and .attached and .size == 112 and (.fields | length) == 20' \
		"$WORK/schema"

	# The first record in the store, by its magic, format and policy; the
	# length stands in it.
	at=$(LC_ALL=C grep -abom1 -P 'kdom\x02\x00\x03' "$WORK/red" |
		cut -d : -f 1 | head -n 1)
	len=$(od -An -tu4 -j $((at + 48)) -N 4 "$WORK/red")
	tail -c +$((at + 1)) "$WORK/red" | head -c "$((len))" >"$WORK/record"
	ok inspect kmdomctl inspect "$WORK/record"
	ok 'it names the type' grep -q '^  type  *kmdomfs\.[a-z.]*, hash 0x' "$WORK/out"
	ok 'and is encrypted' kmdomctl inspect --schema "$WORK/schema" "$WORK/record"
	ok 'and says so' grep -q 'The payload is encrypted' "$WORK/out"
	says 'broken: index: of another page' kmdomctl inspect --index 1234567 "$WORK/record"
	head -c "$((len - 1))" "$WORK/record" >"$WORK/short"
	says 'broken: size: the length in it is not its length' kmdomctl inspect "$WORK/short"
	kmdomctl --json inspect "$WORK/record" "$WORK/short" >"$WORK/out"
	ok 'it is JSON, too' jq -e 'length == 2 and .[0].good and .[1].reject.reason == "size"' \
		"$WORK/out"
	ok umount umount "$WORK/mnt"
	pager_stop
	ok destroy kmdomctl destroy red
	says 'broken: domain: of another domain' kmdomctl inspect "$WORK/record"
	ok 'with what was saved' kmdomctl inspect --schema "$WORK/schema" "$WORK/record"
}

# A store whose records are forged: they are counted by reason.
TESTS+=(rejects)
rejects() {
	pager_start --domain red --create --max-frames 192 --chaos forge=0.05 \
		--store "mem:$WORK/red,size=32M" || return
	mkdir -p "$WORK/mnt"
	ok mount mount -t kmdomfs -o domain=red none "$WORK/mnt"
	head -c 2M /dev/urandom >"$WORK/data"
	ok copy cp "$WORK/data" "$WORK/mnt/data"
	echo 1 >/proc/sys/vm/drop_caches
	ok 'it is one' cmp "$WORK/data" "$WORK/mnt/data"
	kmdomctl --json stat red >"$WORK/stat"
	ok 'by reason' jq -e '.rejects.tag > 0 and .rejected == ([.rejects[]] | add)' "$WORK/stat"
	ok stat kmdomctl stat red
	ok 'in words' grep -q '^rejected: tag  *[0-9]* (not authentic)$' "$WORK/out"
	ok umount umount "$WORK/mnt"
	pager_stop
	ok destroy kmdomctl destroy red
}

# The limit is the limit, of the frames of a dead pager's pages as well.
TESTS+=(limit)
limit() {
	ok create kmdomctl create red --max-frames 512
	says 'the pool is too large: the domain may have 512' \
		kmdomd --domain red --frames 513 --store "mem:$WORK/red"
	ok destroy kmdomctl destroy red
}

# ---- run them ----

# With arguments: only the tests of these names.
(($#)) && TESTS=("$@")
mkdir -p "$WORK"
mount -t tmpfs none "$WORK" || exit 1
printf 'TAP version 13\n1..%d\n' "${#TESTS[@]}"
for test in "${TESTS[@]}"; do
	bad=''
	((nr += 1))
	rm -f "$WORK/red" "$WORK/blue"
	"$test"
	if [[ $bad ]]; then
		((failures += 1))
		printf 'not ok %d %s\n' "$nr" "$test"
	else
		printf 'ok %d %s\n' "$nr" "$test"
	fi
done
umount -l "$WORK"
((failures == 0))
