#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every header compiles alone, with the flags of those who may include it.

set -u
. "$top_srcdir/tests/tap.sh"

# try NAME FLAGS INCLUDE
try()
{
    if errors=$(printf '%s\n' "$3" |
        $CC $2 -Werror -x c -fsyntax-only - 2>&1); then
        pass "$1"
    else
        fail "$1" "$errors"
    fi
}

# The flags name folders of the build, so the headers are listed from here.
headers()
{
    (cd "$top_srcdir" && find "$@" -name '*.h' | sort)
}

for header in $(headers mach); do
    name=${header#mach/}
    name=${name#x86_64/include/}
    try "$header" "$KERNEL_FLAGS" "#include <$name>"
done
for header in $(headers include libmach/include 2> /dev/null); do
    name=${header#*include/}
    try "$header" "$MACH_FLAGS" "#include <$name>"
done
plan
