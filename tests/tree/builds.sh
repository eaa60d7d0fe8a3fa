#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
#
# Both compilers build everything without a warning, and so do the other
# configurations of the kernel.  newlib and the ports are those of the main
# build.

set -u
. "$top_srcdir/tests/tap.sh"

# build NAME CONFIGURE-OPTION...
build()
{
    folder=variant/$1
    shift
    mkdir -p "$folder"
    (
        cd "$folder" || exit 1
        if ! test -f Makefile; then
            "$top_srcdir/configure" -q --enable-werror "$@" || exit 1
        fi
        env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
            make -j2 SYSROOT="$top_builddir/sysroot" SYSROOT_STAMP= \
            ROOT_TREES= ROOT_STAMPS= all
    ) > "$folder/log" 2>&1 && return 0
    grep -A 8 -E 'error|Error|warning' "$folder/log" | head -n 60
    return 1
}

check 'gcc: a debug kernel' build debug CC=gcc --enable-debug
check 'gcc: no fast path' build slow CC=gcc --disable-fast-path
if command -v clang > /dev/null; then
    check 'clang' build clang CC=clang
else
    pass 'clang # SKIP not installed'
fi
plan
