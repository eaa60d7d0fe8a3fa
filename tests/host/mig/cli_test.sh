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

# says PATTERN COMMAND...: it succeeds, and says so.
says()
{
    pattern=$1
    shift
    "$@" > said 2>&1 && grep -q "$pattern" said
}

# complains PATTERN COMMAND...: it fails, and says why.
complains()
{
    pattern=$1
    shift
    ! "$@" > said 2>&1 && grep -q "$pattern" said
}

check 'two traps' "$mig" -DBASE=1 -R good.defs
check 'each a half' test "$(grep -c '^        MACH_[A-Z]*_MSG,$' \
    goodUser.c)" = 3
check 'the stack' "$mig" -DBASE=1 -maxonstack 16 good.defs
check 'is spared' grep -q 'mig_buffer_allocate' goodUser.c
check 'split headers' "$mig" -DBASE=1 -split good.defs
check 'include nothing' refuses grep '#include' good.h
check '-n' "$mig" -DBASE=1 -n -list n.list good.defs
check 'what older tools ask for in vain' "$mig" -DBASE=1 -N -l -k -T -X \
    -novouchers -arch x86_64 good.defs
for option in -L -K -t -x -mach_msg2; do
    check "$option has no effect" says "\`$option' has no effect: " \
        "$mig" -DBASE=1 $option good.defs
done
check 'another machine' complains 'not for arm64' "$mig" -arch arm64 \
    -DBASE=1 good.defs
check 'a number that is none' complains "needs a number, not \`x'" "$mig" \
    -maxonstack x -DBASE=1 good.defs
cat > many.defs <<'END'
subsystem many 1;
type port = MACH_MSG_TYPE_COPY_SEND ctype: mach_port_t;
type ports = array[5] of port;
routine call(server : port; x : ports; out y : ports);
END
check 'five descriptors' "$mig" -max_descrs 5 -max_reply_descrs 5 many.defs
check 'too many' complains 'has 5 descriptors; there may be 4' "$mig" \
    -max_descrs 4 many.defs
check 'too many in a reply' complains "reply of \`call' has 5" "$mig" \
    -max_reply_descrs 4 many.defs
check 'migcom alone' sh -c "$top_builddir/mig/migcom -n -list l.list \
    -arch < /dev/null 2>&1 | grep -q 'unknown option'"
check 'reads its standard input' sh -c "sed -e '/^#/,/^#endif/d' \
    -e 's/BASE/7/' good.defs | $top_builddir/mig/migcom -n -list l.list"
check 'and writes what it is told' grep -q '^good 7 call 0 7 107' l.list
check 'help' "$mig" --help
check 'version' "$mig" --version
plan
