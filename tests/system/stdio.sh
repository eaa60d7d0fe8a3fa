#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ./run -- COMMAND behaves as if it were the command.

set -u
. "$top_srcdir/tests/system/lib.sh"

run --timeout 60 -- /bin/echo hello > "$work/out" 2> "$work/err" < /dev/null
same 'echo: status' 0 $?
printf 'hello\n' | cmp - "$work/out" > /dev/null
same 'echo: output' 0 $?
same 'echo: nothing on standard error' '' "$(cat "$work/err")"

run --timeout 60 -- /bin/sh -c 'echo err >&2; exit 7' \
    > "$work/out" 2> "$work/err" < /dev/null
same 'exit 7: status' 7 $?
same 'exit 7: standard error' err "$(cat "$work/err")"
same 'exit 7: standard output' '' "$(cat "$work/out")"

run --timeout 60 -- /bin/sh -c 'kill -TERM $$' < /dev/null 2> /dev/null
same 'a command ended by a signal' 143 $?
timeout --preserve-status -s INT 5 \
    "${PYTHON3:-python3}" -B "$top_srcdir/tools/run.py" \
    --build "$top_builddir" --timeout 60 -- /bin/sleep 100 < /dev/null
same 'a SIGINT for the runner ends the command' 130 $?
run --timeout 60 -- /bin/nothing < /dev/null 2> /dev/null
same 'a command that is not there' 127 $?

binary=$(command -v ls)
check 'a binary comes out exact' sh -c "
    $(command -v python3) -B '$top_srcdir/tools/run.py' \
        --build '$top_builddir' --timeout 60 \
        --put '$binary:/tmp/binary' -- /bin/cat /tmp/binary < /dev/null |
    cmp - '$binary'"

same 'input arrives with its end' x "$(echo x | run --timeout 60 -- cat)"
head -c 300000 /dev/urandom > "$work/random"
run --timeout 120 -- cat < "$work/random" > "$work/out"
cmp "$work/random" "$work/out"
same '300 KB in and out' 0 $?
same 'a command that does not read its input' done \
    "$(run --timeout 60 -- /bin/echo done < "$work/random")"
same 'arguments' 'a b||$c|' "$(run --timeout 60 -- \
    /bin/sh -c 'printf "%s|" "$@"' sh 'a b' '' '$c' < /dev/null)"
same 'environment and folder' 'x y /tmp' "$(run --timeout 60 \
    --env 'V=x y' --cwd /tmp -- /bin/sh -c 'echo "$V $(pwd)"' < /dev/null)"

run --icount --timeout 120 -- cat < "$work/random" > "$work/out"
cmp "$work/random" "$work/out"
same 'the same under --icount' 0 $?
plan
