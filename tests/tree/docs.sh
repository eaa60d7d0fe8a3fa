#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Docs name code as `path:/regex/`; each still matches.

set -u
. "$top_srcdir/tests/tap.sh"
refs=$(mktemp)
trap 'rm -f "$refs"' EXIT
cd "$top_srcdir" || exit 1

references()
{
    grep -noE '`[A-Za-z0-9_./-]+:/[^`]+/`' "$1"
}

for page in README.md docs/*.md; do
    test -f "$page" || continue
    references "$page" > "$refs"
    wrong=
    while IFS= read -r line; do
        reference=${line#*:}
        reference=${reference#\`}
        reference=${reference%/\`}
        file=${reference%%:/*}
        regex=${reference#*:/}
        grep -qE -- "$regex" "$file" 2> /dev/null || wrong="$wrong$line
"
    done < "$refs"
    if test -z "$wrong"; then
        pass "$page"
    else
        fail "$page" "$wrong"
    fi
done
plan
