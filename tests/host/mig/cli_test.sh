#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The mig script and migcom's options: outputs appear all or none, and a
# failure anywhere is a failure.

set -u
. "$top_srcdir/tests/tap.sh"

mig=$top_builddir/mig/mig
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

cat > good.defs <<'END'
#ifdef OTHER
#include "part.defs"
#endif
subsystem good BASE;
type port = MACH_MSG_TYPE_COPY_SEND ctype: mach_port_t;
routine call(server : port; x : int; out y : int);
skip;
simpleroutine send(server : port; x : int);
END
echo '/* nothing */' > part.defs

refuses()
{
    ! "$@" 2> /dev/null
}

same()
{
    test "$(cat "$1")" = "$2"
}

check 'default outputs' "$mig" -DBASE=10 good.defs
check 'client header' test -s good.h
check 'client stubs' test -s goodUser.c
check 'server stubs' test -s goodServer.c
check 'no server header unless asked for' test ! -e good_server.h
rm -f good.h goodUser.c goodServer.c

check 'only named outputs' "$mig" -DBASE=10 --no-default-files \
    -list good.list -server /dev/null good.defs
check 'the list' same good.list 'good 10 call 0 10 110
good 10 send 2 12 0'
check 'nothing else' refuses ls good.h goodUser.c goodServer.c

echo old > kept
check 'no input file' refuses "$mig" -user kept
check 'a file that is not there' refuses "$mig" -user kept nothere.defs
check 'preprocessing fails' refuses "$mig" -user kept -DBASE=1 -include \
    nothere.h good.defs
check 'a syntax error' refuses "$mig" -user kept good.defs
check 'a place that cannot be written' refuses "$mig" -DBASE=1 -user kept \
    -header nowhere/x.h good.defs
check 'a missing operand' refuses "$mig" good.defs -user
check 'no migcom' refuses "$mig" -migcom ./nothere -user kept -DBASE=1 \
    good.defs
check 'after failures the old output is still there' same kept old
check 'and nothing is left over' refuses ls ./*.tmp*

check 'a depfile' "$mig" -MD -MF dep -MT 'a target' -MP -DBASE=1 -DOTHER \
    --no-default-files -user u.c good.defs
check 'names the target' grep -q '^a target:' dep
check 'names what was read' grep -q 'part.defs' dep
check 'has phony targets' grep -q '^part.defs:' dep
check 'a depfile for the outputs' "$mig" -MD -MF dep -DBASE=1 \
    --no-default-files -user u.c -header h.h good.defs
check 'names them all' grep -q '^u.c h.h:' dep

check 'a prefix' "$mig" -DBASE=1 -prefix pre_ good.defs
check 'on client stubs' grep -q '^pre_call($' goodUser.c
check 'on the server function' grep -q 'kr = pre_call($' goodServer.c
check 'on the demultiplexer' grep -q '^pre_good_server(' goodServer.c
check 'a symbol table' "$mig" -s -DBASE=1 good.defs
check 'in the server' grep -q '_goodSymTab' goodServer.c
check 'other headers' "$mig" -DBASE=1 -dheader d.h -iheader i.h good.defs
check 'ids' grep -q '^#define MACH_ID_CALL_REPLY 101$' d.h
check 'internal names' test -s i.h
check 'JSON' "$mig" -DBASE=1 --json good.json good.defs
check 'that a parser takes' python3 -m json.tool good.json
mkdir sub
check 'headers elsewhere' "$mig" -DBASE=1 -user sub/u.c -header sub/h.h \
    -server /dev/null good.defs
check 'are included by name' grep -q '^#include "h.h"$' sub/u.c
check 'one file per routine' "$mig" -DBASE=1 -i sub/one_ good.defs
check 'the first' grep -q '^call($' sub/one_call.c
check 'the second' grep -q '^send($' sub/one_send.c
check 'help' "$mig" --help
check 'version' "$mig" --version
plan
