#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A guest that hangs ends at --timeout with status 124, a kernel that panics
# prints its backtrace and ends with 125.

set -u
. "$top_srcdir/tests/system/lib.sh"

run --timeout 5 -- /bin/sleep 100 > "$work/out" 2> "$work/err" < /dev/null
same 'a command that hangs: status 124' 124 $?
check 'and a message' grep -q 'timed out' "$work/err"

# A kernel with nothing to start panics.
python3 -B "$top_srcdir/tools/iso.py" -o "$work/none.iso" \
    "$top_builddir/boot/portolan"
run --image "$work/none.iso" --timeout 30 -- /bin/true \
    > "$work/out" 2> "$work/err" < /dev/null
same 'a panic: status 125' 125 $?
check 'the panic text' grep -q '^panic: ' "$work/err"
check 'a backtrace with names' grep -qE '[0-9a-f]{16} [a-z_]+\+0x' \
    "$work/err"
check 'a message' grep -q 'panicked' "$work/err"
same 'nothing on standard output' '' "$(cat "$work/out")"
plan
