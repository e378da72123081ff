#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kmdomd@.service under systemd, in a VM of its own: the pager is ready when its
# unit is, a killed one gets a successor, one whose domain is gone does not.
# Prints TAP.

set -uo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly BIN=${BUILD:-$TOP/build}/daemon
readonly PATIENCE=120

if [[ ${1:-} != --inside ]]; then
	exec "$TOP/scripts/vm" --systemd --timeout 280 --env "BUILD=${BUILD:-$TOP/build}" -- \
		"$0" --inside
fi

PATH=$BIN:$PATH
nr=0 failures=0

# check WHAT COMMAND...
check() {
	local what=$1 out

	shift
	((nr += 1))
	if out=$("$@" 2>&1); then
		printf 'ok %d %s\n' "$nr" "$what"
	else
		printf '# %s\n' "$*" "$out"
		systemctl status --no-pager kmdomd@red 2>&1 | sed 's/^/#   /'
		printf 'not ok %d %s\n' "$nr" "$what"
		((failures += 1))
	fi
}

until_true() {
	local end=$((SECONDS + PATIENCE))

	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		read -rt 0.1 <> <(:) || true
	done
}

main_pid() {
	systemctl show -P MainPID kmdomd@red
}

stat_of() {
	kmdomctl --json stat red | jq -r ".\"$1\""
}

# Another process serves, in a later session.
has_successor() {
	[[ $(main_pid) != "$1" && $(main_pid) != 0 && $(stat_of state) == served &&
		$(stat_of session-pid) == "$(main_pid)" ]]
}

unit_is() {
	[[ $(systemctl show -P "$1" kmdomd@red) == "$2" ]]
}

stopped_with() {
	unit_is ActiveState failed && unit_is ExecMainStatus "$1"
}

printf 'TAP version 13\n1..14\n'
for dep in $(modinfo -F depends "$TOP/module/core/kmdom.ko" | tr , ' '); do
	modprobe "$dep"
done
insmod "$TOP/module/core/kmdom.ko"
# Where the unit looks for it: of a tree in /home or /tmp the unit sees nothing.
install -D "$BIN/kmdomd" "$(sed -n 's|^ExecStart=\([^ ]*\).*|\1|p' "$BIN/kmdomd@.service")"
cp "$BIN/kmdomd@.service" /run/systemd/system/
mkdir -p /etc/kmdom
echo 'KMDOMD_OPTS=--create --max-frames 1024 --store mem:/run/kmdom/red/store,size=16M' \
	>/etc/kmdom/red.conf

check 'the unit is in order' systemd-analyze verify --man=no /run/systemd/system/kmdomd@.service
check 'it starts' systemctl start kmdomd@red
check 'it is ready when systemd says so' test "$(stat_of state)" = served
check 'it runs with a limit of memory' unit_is MemoryMax $((512 << 20))
pid=$(main_pid)
kill -KILL "$pid"
check 'a killed one gets a successor' until_true has_successor "$pid"
check 'which begins the second session' test "$(stat_of session)" = 2
check 'it stops' systemctl stop kmdomd@red
check 'and leaves the domain' test "$(stat_of state)" = orphaned
systemctl start kmdomd@red
kmdomctl abort red >/dev/null
check 'none is started for a domain that is gone' until_true stopped_with 4
systemctl reset-failed kmdomd@red
# A store of a domain that has ended is no reason to refuse.
check 'a new domain takes its store' systemctl start kmdomd@red
check 'and its directories are its own' test -d /run/kmdom/red -a -d /var/lib/kmdom/red \
	-a ! -e /run/kmdom/store
systemctl stop kmdomd@red
kmdomctl destroy red >/dev/null
echo 'KMDOMD_OPTS=--store mem:/run/kmdom/red/store' >/etc/kmdom/red.conf
check 'it does not start without a domain' bash -c '! systemctl start kmdomd@red'
check 'and is not started again' until_true stopped_with 5
systemctl reset-failed kmdomd@red
check 'the module is free again' until_true rmmod kmdom
((failures == 0))
