#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh - load the module of the KUnit suites, and print what they said as one TAP
#
# KUnit runs a module's suites when it is loaded, and writes KTAP to the kernel's
# log: a block for each suite, indented, with a plan of its own.

set -uo pipefail

readonly MODULE=$KMDOM_MODULES/selftests/kunit/kmdom_kunit.ko
readonly MARK="kmdom-kunit: $$ begins"

if [[ ! -d /sys/module/kunit ]] && ! modprobe -q kunit enable=1; then
	printf '1..0 # SKIP the kernel has no KUnit\n'
	exit 0
fi

# Cases and suites, numbered through; the plan is the sum of all, so that a case, or a
# suite, which was not run is missed.
flatten() {
	awk '
	/^ *# Subtest: / { suite = $3; next }
	/^(    )?1\.\.[0-9]+$/ { plan += substr($1, 4); next }
	/^(    )?(not )?ok [0-9]+ / {
		failed = $1 == "not"
		where = /^ / ? suite ": " : "suite "
		sub(/^ *(not )?ok [0-9]+ (- )?/, "")
		printf "%sok %d %s%s\n", failed ? "not " : "", ++seen, where, $0
		bad += failed
		next
	}
	/^ +# module: |\.speed: slow$/ { next }
	/^ +# / { sub(/^ +/, ""); print }
	/^kunit: disabled/ { disabled = 1 }
	END {
		if (disabled)
			print "1..0 # SKIP KUnit is not enabled (kunit.enable=1)"
		else
			printf "1..%d\n", plan
		exit bad > 0 || seen != plan || !(plan || disabled)
	}
	'
}

printf '%s\n' "$MARK" >/dev/kmsg
insmod "$MODULE" || { printf '1..1\nnot ok 1 the module of the suites is loaded\n'; exit 1; }
log=$(dmesg --notime | sed -n "/^$MARK\$/,\$p")
[[ $log ]] || printf '# the log of the kernel has lost where the suites began\n'
flatten <<<"$log"
ret=$?
rmmod kmdom_kunit || ret=1
exit "$ret"
