#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What mig writes for golden/sample.defs, for tasks and for the kernel.
# MIG_UPDATE=1 writes the expected files anew: read the difference before it
# is committed.

set -u
. "$top_srcdir/tests/tap.sh"

mig="$top_builddir/mig/mig -migcom $top_builddir/tests/host/mig/migcom"
golden=$top_srcdir/tests/host/mig/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# compare FILE...
compare()
{
    for file; do
        if test "${MIG_UPDATE:-}" = 1; then
            cp "$file" "$golden/$file.expected"
        fi

        check "$file" diff -u "$golden/$file.expected" "$file"
    done
}

check 'for tasks' $mig --strict --no-ndr --no-default-files \
    -header sample.h -user sampleUser.c -sheader sample_server.h \
    -server sampleServer.c -dheader sample_ids.h -list sample.list \
    --json sample.json "$golden/sample.defs"
compare sample.h sampleUser.c sample_server.h sampleServer.c sample_ids.h \
    sample.list sample.json
check 'for the kernel as server' $mig --strict --no-ndr --no-default-files \
    -DKERNEL_SERVER=1 -sheader kernel_server.h -server kernelServer.c \
    -iheader kernel_internal.h "$golden/sample.defs"
compare kernelServer.c kernel_internal.h
check 'for the kernel as client' $mig --strict --no-ndr --no-default-files \
    -DKERNEL_USER=1 -header kernel_user.h -user kernelUser.c \
    "$golden/sample.defs"
compare kernelUser.c
check 'with NDR records' $mig --no-default-files -header ndr.h \
    -user ndrUser.c -sheader ndr_server.h -server ndrServer.c \
    "$golden/sample.defs"
compare ndrUser.c ndrServer.c
plan
