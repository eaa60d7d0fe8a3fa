#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 300
#
# A program built by the cross compiler forks, executes, pipes, waits,
# catches signals, uses 100 MB of memory and 6 MB of stack.

set -u
. "$top_srcdir/tests/system/lib.sh"

build_program posix || echo 'Bail out! the cross compiler failed'
guest_tap --timeout 240 --put "$work/posix:/tmp/posix" -- /tmp/posix
