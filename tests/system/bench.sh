#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What ./bench measures with still works. No figure is judged here.

set -u
. "$top_srcdir/tests/system/lib.sh"

tool()
{
    name=$1
    shift
    "${PYTHON3:-python3}" -B "$top_srcdir/tools/bench/$name" \
        "$top_builddir" "$@"
}

# The rows that the table names; unix_null needs a Unix server.
rows=$(sed '/^#/d;/^operation/d;s/	.*//;/^unix_null$/d' \
    "$top_srcdir/tools/bench/ipc.tsv")

check 'the table of messages' sh -c "
    '${PYTHON3:-python3}' -B '$top_srcdir/tools/bench/ipc.py' \
        '$top_builddir' --quick > '$work/table'"
missing=
for row in $rows; do
    grep -q "^$row  *[0-9]" "$work/table" || missing="$missing $row"
done
same 'has every row' '' "$missing"

if qemu-system-x86_64 -plugin help 2>&1 | grep -q 'unknown option\|invalid'; then
    echo "# this QEMU has no plugins: no profile"
    plan
    exit
fi

tool profile.py rpc_null > "$work/functions" 2> "$work/errors"
same 'a profile of rpc_null' 0 $?
all=$(awk '/ all: / { print $1 }' "$work/functions")
same 'its functions make up all of it' "$all" \
    "$(awk '! / all: / { n += $1 } END { print n }' "$work/functions")"
tool profile.py rpc_null --steps > "$work/steps" 2>> "$work/errors"
same 'the same by steps' "$all" \
    "$(awk '{ n += $1 } END { print n }' "$work/steps")"
same 'the steps know nine tenths of it (steps.tsv)' yes \
    "$(awk '/ other: / { n += $1 } { all += $1 }
        END { print n * 10 <= all ? "yes" : "no, not " n }' "$work/steps")"
tool profile.py rpc_null --steps 2>> "$work/errors" | cmp -s - "$work/steps"
same 'two profiles are the same' 0 $?
same 'a profile of another row' 0 \
    "$(tool profile.py exception_rpc --trace > "$work/trace"; echo $?)"
same 'which has instructions' yes \
    "$(grep -q ' entry_' "$work/trace" && echo yes)"
same 'an unknown row is refused' 2 \
    "$(tool profile.py nothing > /dev/null 2>&1; echo $?)"
same 'no errors' '' "$(cat "$work/errors")"

run --timeout 60 -- /bin/bench unix_null < /dev/null > "$work/unix"
same 'the row that needs the Unix server' unix_null \
    "$(cut -f 1 "$work/unix")"
plan
