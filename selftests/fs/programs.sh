#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# programs.sh - tar, diff, git, make, sqlite3, fio, with few frames, most of which
# are to be free: pages leave all the time, not just when there is no room
#
# Usage: programs.sh [DOOR]
#
# Tests are functions that check() runs:
# shellcheck disable=SC2317

# shellcheck source=selftests/fs/mount.sh
. "$(dirname "$(readlink -f "$0")")/mount.sh"

export HOME=/tmp/home GIT_CONFIG_NOSYSTEM=1
# What there is to work on: less of it on a slow machine.
TREES=(module selftests uapi)
if ((${KMDOM_SCALE:-1} > 1)); then
	TREES=(module/fs selftests/fs uapi)
	printf '# scaled down: the trees %s\n' "${TREES[*]}"
fi

unpack() {
	tar -C "$TOP" --exclude '*.ko' --exclude '*.o' --exclude '.*.cmd' -cf /tmp/tree.tar \
		"${TREES[@]}" &&
		tar -C "$KMDOMFS_DIR" -xf /tmp/tree.tar && drop_caches &&
		mkdir -p /tmp/plain && tar -C /tmp/plain -xf /tmp/tree.tar &&
		diff -r /tmp/plain/module "$KMDOMFS_DIR/module" &&
		tar -C "$KMDOMFS_DIR" -df /tmp/tree.tar
}

git_clones() (
	set -e
	mkdir -p "$HOME"
	git config --global user.email test@example.org
	git config --global user.name test
	git config --global safe.directory '*'
	cd "$KMDOMFS_DIR"
	git init -q -b main first
	cp -r module uapi first
	cd first
	git add .
	git commit -q -m one
	git mv uapi include
	git commit -q -m two
	cd ..
	drop_caches
	git clone -q first second
	drop_caches
	diff -r --exclude .git first second
)

git_status() (
	set -e
	cd "$KMDOMFS_DIR/second"
	drop_caches
	[[ -z $(git status --short) ]]
	printf 'more\n' >>include/linux/kmdom.h
	: >new
	drop_caches
	[[ $(git status --short) == $' M include/linux/kmdom.h\n?? new' ]]
	git checkout -q include/linux/kmdom.h
	rm new
)

git_works() (
	set -e
	cd "$KMDOMFS_DIR"
	drop_caches
	git -C second fsck --full --no-progress
	git -C second gc -q
	drop_caches
	git -C second checkout -q HEAD~1
	diff -r --exclude .git second/uapi uapi
)

make_works() (
	set -e
	cd "$KMDOMFS_DIR/selftests/fs"
	printf '%s\n' 'CPPFLAGS = -D_GNU_SOURCE' 'all: fs_diff fs_storm' \
		'fs_diff: fs_diff.o tree.o' 'fs_storm: fs_storm.o' >Makefile
	make -s -j2
	drop_caches
	make -q
	./fs_storm "$KMDOMFS_DIR/module" 1 0 0 check
)

sqlite_works() (
	set -e
	cd "$KMDOMFS_DIR"
	rows=$(scaled rows 10000)
	sqlite3 base "pragma journal_mode=wal;
		create table t(a integer primary key, b text);
		with recursive c(x) as (select 1 union all select x + 1 from c where x < $rows)
		insert into t select x, hex(randomblob(50)) from c; create index i on t(b);"
	drop_caches
	rows=$((rows - rows / 3))
	[[ $(sqlite3 base 'pragma integrity_check; delete from t where a % 3 = 0; vacuum;
		pragma integrity_check; select count(*) from t;' | xargs) == "ok ok $rows" ]]
	drop_caches
	[[ $(sqlite3 base 'pragma mmap_size=100000000; select sum(length(b)) from t;' |
		tail -n 1) == $((rows * 100)) ]]
)

# Usage: fio_job ENGINE [ARG]...
fio_job() {
	local engine=$1

	shift
	fio --name=job --directory="$KMDOMFS_DIR" --size="$FIO_SIZE" --bs=4k --verify=crc32c \
		--verify_fatal=1 --ioengine="$engine" --output-format=terse "$@" >/tmp/fio.out ||
		{ cat /tmp/fio.out; return 1; }
}

fio_works() {
	fio_job "$@" && rm -f "$KMDOMFS_DIR"/job*
}

# Read back are the objects, not what was written into the caches with them.
fio_writes() {
	fio_job psync --rw=randwrite --direct=1 --do_verify=0 && drop_caches &&
		fio_works psync --rw=randwrite --direct=1 --verify_only
}

# Usage: paged FAULTS COMMAND [ARG]...: it works, and waits for the pager so often,
# or less where it does less
paged() {
	local least=$(($1 / ${KMDOM_SCALE:-1})) faults evictions

	shift
	faults=$(stat_of faults)
	evictions=$(stat_of evictions)
	"$@" || return 1
	faults=$(($(stat_of faults) - faults))
	evictions=$(($(stat_of evictions) - evictions))
	printf '%d faults, %d evictions\n' "$faults" "$evictions"
	((faults >= least && evictions >= least))
}

plan 11
blocks=$(scaled 'blocks of a file' 1024)
# More than there are frames, however slow it is.
FIO_SIZE=$(((blocks < 400 ? 400 : blocks) * 4))k
# Eight or nine have tables: the others that are not free let pages stay a little.
fs_begin 256 --low 220 --high 240 || exit 1
check 'tar and diff' paged 100 unpack
check 'git clone' paged 200 git_clones
check 'git status' paged 20 git_status
check 'git' paged 100 git_works
check 'make' paged 75 make_works
check 'sqlite3' paged 500 sqlite_works
check 'fio, write' paged 200 fio_writes
# More than may be dirty: so pages are cleaned, to objects that have left.
check 'fio, mmap' paged 200 fio_works mmap --rw=randwrite --size=8m
check 'fio, io_uring' paged 500 fio_works io_uring --rw=randrw --iodepth=16 --bs=8k
check 'nothing is left' fs_empty
check 'everything comes down' fs_end
exit "$FAILED"
