#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the interfaces of both dialects are made of goes through, in all the
# forms that their systems use, and its C compiles without a warning.

set -u
. "$top_srcdir/tests/tap.sh"

here=$top_srcdir/tests/host/mig/dialect
mig="$top_builddir/mig/mig -migcom $top_builddir/tests/host/mig/migcom"
case $here in /*) ;; *) here=$PWD/$here ;; esac
case $mig in /*) ;; *) mig="$PWD/$top_builddir/mig/mig -migcom \
    $PWD/$top_builddir/tests/host/mig/migcom" ;; esac
include=$(cd "$top_srcdir/include" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

compilers=${CC:-cc}
command -v clang >/dev/null && compilers="$compilers clang"

# compile FLAGS FILE...
compile()
{
    flags=$1
    shift

    for file; do
        for compiler in $compilers; do
            $compiler -std=gnu17 -O1 -Wall -Wextra -Wshadow -Werror \
                -Wno-unused-parameter $flags -I"$here" -I"$include" -I. \
                -c "$file" -o object.o || return 1
        done
    done
}

# try NAME FILE SIDES CFLAGS OPTION...
try()
{
    name=$1
    file=$2
    sides=$3
    cflags=$4
    shift 4
    rm -f ./*
    check "$name" $mig -q -I"$include" "$@" -user user.c -header user.h \
        -server server.c -sheader server.h -dheader ids.h -iheader names.h \
        -list list --json json "$here/$file"
    check "$name: its C" compile "$cflags" $sides
}

kernel='-DKERNEL_SERVER=1 -DPORTOLAN_KERNEL'
both='user.c server.c'
try 'OSF' osf.mig "$both" ''
try 'OSF, kernel as server' osf.mig server.c "$kernel" -DKERNEL_SERVER=1
try 'OSF, kernel as client' osf.mig user.c -DPORTOLAN_KERNEL -DKERNEL_USER=1
try 'OSF without NDR' osf.mig "$both" '' --no-ndr -s
try 'OSF, two traps' osf.mig "$both" '' -R -maxonstack 64
try 'OSF, split headers' osf.mig "$both" '' -split -b
try 'OSF, defaults of functions' osf.mig "$both" -DMIG_EOPNOTSUPP=45
try 'OSF, without checks' osf.mig "$both" -DTypeCheck=0
try 'OSF, traps in the stubs' osf.mig "$both" -D__portolan__=1
try 'CMU' cmu.mig "$both" ''
try 'CMU, names' cmu.mig "$both" '' -DREPLY_PORTS -DCMU_USERPREFIX=__ \
    -DCMU_SERVERPREFIX=S_ -prefix x_ -subrprefix __
try 'CMU, payloads' cmu.mig "$both" '' -DCMU_SERVER -DREPLY_PORTS
try 'CMU, objects' cmu.mig "$both" '' -DCMU_SERVER \
    '-DFILE_INTRAN=node_t node_from_port (file_t)' \
    '-DFILE_INTRAN_PAYLOAD=node_t node_from_payload' \
    '-DFILE_DESTRUCTOR=node_release (node_t)'

rm -f ./*
check 'a file for each stub' $mig -q -I"$include" -i stub_ -header osf.h \
    -server /dev/null "$here/osf.mig"
check 'a file for each stub: their C' compile '' stub_*.c
plan
