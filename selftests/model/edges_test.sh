#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The states and edges of the model are those of the code: the calls of the one
# setter in model/kmdom.pml, and kmdom_entry_edge_legal() asked for every pair of
# the states that the UAPI names. Prints TAP.

set -euo pipefail

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
readonly TOP
readonly BUILD=${BUILD:-$TOP/build} MODEL=$TOP/model/kmdom.pml

mkdir -p "$BUILD"
dir=$(mktemp -d "$BUILD/edges.XXXXXX")
trap 'rm -rf "$dir"' EXIT
nr=0 failed=0

# same WHAT: the files code and model hold the same
same() {
	((nr += 1))
	if [[ -s $dir/code ]] && diff "$dir/code" "$dir/model" >"$dir/diff"; then
		printf 'ok %d - %s: %d\n' "$nr" "$1" "$(wc -l <"$dir/code")"
	else
		sed 's/^</# only in the code:/; s/^>/# only in the model:/; /^[0-9-]/d' "$dir/diff"
		printf 'not ok %d - %s\n' "$nr" "$1"
		failed=1
	fi
}

state_names() {
	sed -n '/^enum kmdom_page_state {/,/^}/s/^\tKMDOM_PAGE_\([A-Z]*\),.*/\1/p' \
		"$TOP/uapi/linux/kmdom.h"
}

code_edges() {
	{
		printf '#include <stdio.h>\n#include "entry.h"\nstatic const char *const names[] = {\n'
		state_names | sed 's/.*/[KMDOM_PAGE_&] = "&",/'
		cat <<-'END'
			};
			_Static_assert(ARRAY_SIZE(names) == KMDOM_NR_PAGE_STATES, "states");
			int main(void)
			{
				for (int from = 0; from < KMDOM_NR_PAGE_STATES; from++)
					for (int to = 0; to < KMDOM_NR_PAGE_STATES; to++)
						if (kmdom_entry_edge_legal(from, to))
							printf("%s %s\n", names[from], names[to]);
			}
		END
	} >"$dir/edges.c"
	gcc -std=gnu11 -I"$TOP/daemon/shim" -I"$TOP/module/include" -I"$TOP/module/core" \
		-I"$TOP" -o "$dir/edges" "$dir/edges.c"
	"$dir/edges"
}

printf 'TAP version 13\n1..3\n'
state_names | sort >"$dir/code"
sed -n 's/^mtype = { \(.*LOST\) };/\1/p' "$MODEL" | tr -d ' ' | tr , '\n' | sort >"$dir/model"
same 'states'
code_edges | sort >"$dir/code"
sed -n 's/.*\<set_state(\([A-Z]*\), \([A-Z]*\)).*/\1 \2/p' "$MODEL" | sort -u >"$dir/model"
same 'edges'
# Else what the setter is called for would not be all.
echo 'state = to' >"$dir/code"
grep -oE '\<state = [^=].*' "$MODEL" | grep -vx 'state = EMPTY;' >"$dir/model"
same 'places that set the state'
((failed == 0))
