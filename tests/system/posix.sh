#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 400
#
# The programs of tests/posix, built by the cross compiler and run one after
# the other in one guest; their results are counted together.

set -u
. "$top_srcdir/tests/system/lib.sh"

mkdir "$work/posix"

for source in "$top_srcdir"/tests/posix/*.c; do
    name=$(basename "$source" .c)
    "$cross" -O2 -w -I "$top_srcdir/tests/system/programs" \
        -o "$work/posix/$name" "$source" -lm ||
        echo "Bail out! the cross compiler failed for $name"
done

run --timeout 360 --put "$work/posix:/tmp/posix" -- /bin/sh -c '
    for test in /tmp/posix/*; do
        echo "# ${test##*/}"
        $test || echo "not ok - ${test##*/} ended with status $?"
    done' > "$work/tap" 2> "$work/errors" < /dev/null
status=$?

# Each program counts from one and has its own plan.
grep -E '^(ok|not ok|#|Bail out)' "$work/tap" |
    awk '/^(not )?ok/ { sub(/ok [0-9]*/, "ok " ++count) } { print }
        END { print "1.." count + 0 }'
sed 's/^/# /' "$work/errors"
test $status -eq 0 || echo "Bail out! ./run ended with status $status"
