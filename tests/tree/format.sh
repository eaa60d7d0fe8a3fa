#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clang-format would change nothing.

set -u
. "$top_srcdir/tests/tap.sh"

if ! command -v clang-format > /dev/null; then
    echo '1..0 # SKIP no clang-format'
    exit 0
fi
cd "$top_srcdir" || exit 1
for folder in include mach mig libmach libunix servers drivers programs \
    tests; do
    check "$folder" sh -c "find $folder -name '*.[ch]' -print0 |
        xargs -0 -r clang-format --dry-run --Werror 2>&1 | head -n 40 |
        { ! grep .; }"
done
plan
