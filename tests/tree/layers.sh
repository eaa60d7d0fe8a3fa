#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Who may know whom: includes that run against the layering.

set -u
. "$top_srcdir/tests/tap.sh"
cd "$top_srcdir" || exit 1

# none NAME PATTERN FOLDER...: no include of <PATTERN in these folders
none()
{
    name=$1
    pattern=$2
    shift 2
    found=$(grep -rnE --include='*.[chS]' \
        "^#[[:space:]]*include[[:space:]]*[<\"]($pattern)" "$@" 2> /dev/null)
    if test -z "$found"; then
        pass "$name"
    else
        fail "$name" "$found"
    fi
}

none 'user space includes no kernel header' \
    '(ipc|kern|vm|debug)/' servers drivers libmach libunix programs
none 'the kernel knows nobody above it' \
    '(unix|libmach|libunix|servers)/' mach mig
none 'only machine/ leads to the processor' 'x86_64/' \
    mach/debug mach/device mach/ipc mach/kern mach/vm
none 'libmach knows only the kernel interface' 'unix/' libmach
plan
