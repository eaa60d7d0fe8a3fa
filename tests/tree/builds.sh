#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 1500
#
# Both compilers build everything without a warning, and so do the other
# configurations of the kernel.  newlib and the ports are those of the main
# build.

set -u
. "$top_srcdir/tests/tap.sh"

# newlib is taken from the main build, the ports are left out.
seed()
{
    mkdir -p "$1/newlib/work"
    for part in include libc.a libm.a; do
        cp -Rpu "$top_builddir/newlib/work/$part" "$1/newlib/work"
    done
    touch "$1/newlib/stamp-newlib"
}

make_in()
{
    folder=$1
    shift
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$folder" -j2 \
        ROOT_TREES= ROOT_STAMPS= "$@"
}

# build NAME CONFIGURE-OPTION...
build()
{
    folder=variant/$1
    shift
    mkdir -p "$folder"
    (
        seed "$folder"
        if ! test -f "$folder/Makefile"; then
            (cd "$folder" && "$top_srcdir/configure" -q --enable-werror "$@") ||
                exit 1
        fi
        make_in "$folder" all
    ) > "$folder/log" 2>&1 && return 0
    grep -A 8 -E 'error|Error|warning' "$folder/log" | head -n 60
    return 1
}

# guest NAME: the guest tests on that build's kernel; the host's tests are not
# built again for it
guest()
{
    make_in "variant/$1" check-guest 'check_PROGRAMS=$(GUEST_TESTS)' \
        > "variant/$1/guest.log" 2>&1 && return 0
    grep -hE '^(FAIL|ERROR):' "variant/$1/guest.log" | head -n 40
    return 1
}

check 'gcc: a debug kernel' build debug CC=gcc --enable-debug
check 'a debug kernel passes the guest tests' guest debug
check 'gcc: no fast path' build slow CC=gcc --disable-fast-path
check 'a kernel without fast path passes the guest tests' guest slow
if command -v clang > /dev/null; then
    check 'clang' build clang CC=clang
    check "clang's kernel passes the guest tests" guest clang
else
    pass 'clang # SKIP not installed'
fi
plan
