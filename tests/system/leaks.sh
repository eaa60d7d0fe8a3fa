#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
#
# Pipelines of hundreds of processes leave ports, pages, tasks and threads
# where they were.

set -u
. "$top_srcdir/tests/system/lib.sh"

cat > "$work/script" <<'SCRIPT'
loop()
{
    i=0
    while test $i -lt $1; do
        echo $i | cat | wc > /dev/null
        i=$((i + 1))
    done
}
# The first rounds fill caches.
loop 50
# Not into files, which would be counted too.
/bin/hostinfo
loop 500
echo ==
/bin/hostinfo
loop 500
echo ==
/bin/hostinfo
SCRIPT
run --timeout 800 --put "$work/script:/tmp/script" -- /bin/sh /tmp/script \
    > "$work/out" 2> "$work/err" < /dev/null
same 'the loops run' 0 $?
sed 's/^/# /' "$work/err"

# Lines "NAME NUMBER"; what grows in both halves leaks.  Of pages a few are
# allowed, of everything else nothing.
awk '
/^==$/ { part++; next }
{ count[part + 0, $1] = $2; names[$1] = 1 }
END {
    for (name in names) {
        first = count[1, name] - count[0, name]
        second = count[2, name] - count[1, name]
        if (name == "free_pages") { first = -first; second = -second }
        allowed = name ~ /pages/ ? 16 : 0
        bad = second > allowed && first > allowed
        printf "%sok %d - %s: %d, then %d, then %d\n", bad ? "not " : "",
            ++n + 1, name, count[0, name], count[1, name], count[2, name]
    }
    if (n < 5) printf "not ok %d - counts were printed\n", ++n + 1
    printf "1..%d\n", n + 1
}' "$work/out"
