#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What mig says about wrong files: each diag/X.defs against diag/X.expected,
# the messages and then the exit status. MIG_UPDATE=1 writes the expected
# files anew, to be read before they are committed.

set -u
. "$top_srcdir/tests/tap.sh"

mig="$top_builddir/mig/mig -migcom $top_builddir/tests/host/mig/migcom"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$top_srcdir/tests/host/mig/diag" || exit 1

for file in *.defs; do
    name=${file%.defs}
    flags=$(sed -n 's,^/\* options: \(.*\) \*/$,\1,p' "$file")
    $mig --no-default-files -user "$work/out" $flags "$file" \
        > "$work/got" 2>&1
    echo "exit status $?" >> "$work/got"

    if test "${MIG_UPDATE:-}" = 1; then
        cp "$work/got" "$name.expected"
    fi

    check "$file: messages" diff -u "$name.expected" "$work/got"

    if grep -q '^exit status 0' "$work/got"; then
        check "$file: output" test -f "$work/out"
    else
        check "$file: no output" test ! -e "$work/out"
    fi

    rm -f "$work/out"
done
plan
