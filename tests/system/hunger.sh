#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1200
#
# Programs that use up memory, processes, descriptors or files are ended or
# get an error; the system runs on.

set -u
. "$top_srcdir/tests/system/lib.sh"

build_program faults || echo 'Bail out! the cross compiler failed'
cat > "$work/all" <<'SCRIPT'
for part in hunger; do
    /tmp/faults $part 1 | while read -r line; do
        case $line in
        1..*) ;;
        *) echo "$line ($part)" ;;
        esac
    done
done
SCRIPT
guest_tap --timeout 1100 --put "$work/faults:/tmp/faults" \
    --put "$work/all:/tmp/all" -- /bin/sh /tmp/all > "$work/lines"
# Each part counts from one.
awk '/^(not )?ok / { count++; sub(/ok [0-9]+/, "ok " count) } { print }
    END { print "1.." count + 0 }' "$work/lines"
