#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mig: run the C preprocessor on .defs files and migcom on what comes out.
#
# Options and files come in any order. Options that are not known here nor to
# migcom go to the preprocessor. When anything fails, no output is touched.
#
#   -DX -UX -IDIR -isystem DIR -include F -imacros F   for the preprocessor
#   -cc CMD, $MIGCC, $CC      the C compiler (run with -E)
#   -migcom PROG, $MIGCOM     the compiler proper
#   -MD -MF F -MT T -MP       write a depfile; default target: the outputs
#   all others                see `migcom --help'

set -u

cc=${MIGCC:-${CC:-cc}}
migcom=${MIGCOM:-$(dirname "$0")/migcom}
work=

fail()
{
    echo "mig: $*" >&2
    exit 1
}

# Shell words that eval reads back as they are.
quote()
{
    printf "'%s' " "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

cppflags=
flags=
files=
outputs=
dep=no
depfile=
deptargets=
depphony=

while [ $# -gt 0 ]; do
    case $1 in
    -user | -server | -header | -sheader | -iheader | -dheader | -list | \
        --json | --harness)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        flags="$flags$(quote "$1")$(quote "$2")"
        [ "$2" = /dev/null ] || outputs="$outputs$(quote "$2")"
        shift
        ;;
    -prefix | -subrprefix | -i | -maxonstack | -max_descrs | \
        -max_reply_descrs)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        flags="$flags$(quote "$1")$(quote "$2")"
        shift
        ;;
    -cc)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        cc=$2
        shift
        ;;
    -migcom)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        migcom=$2
        shift
        ;;
    -MD) dep=yes ;;
    -MP) depphony=-MP ;;
    -MF)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        depfile=$2
        shift
        ;;
    -MT | -MQ)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        deptargets="$deptargets$(quote "$1")$(quote "$2")"
        shift
        ;;
    -D | -U | -I | -isystem | -include | -imacros | -isysroot)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        cppflags="$cppflags$(quote "$1")$(quote "$2")"
        shift
        ;;
    -[bBkKlLnNqQrRsStTvVxX] | -split | -novouchers | -mach_msg2 | \
        --strict | --ndr | --no-ndr | --no-default-files)
        flags="$flags$1 "
        ;;
    -arch | -target)
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        case $2 in
        x86_64 | x86_64-*) ;;
        *) fail "messages are laid out for x86_64, not for $2" ;;
        esac
        shift
        ;;
    -cpp)
        # Other tools ignore it too.
        [ $# -ge 2 ] || fail "option $1 needs an operand"
        shift
        ;;
    --help | -help)
        sed -n '3,/^$/s/^# \{0,1\}//p' "$0"
        exec "$migcom" --help
        ;;
    --version | -version)
        exec "$migcom" --version
        ;;
    -?*) cppflags="$cppflags$(quote "$1")" ;;
    *) files="$files$(quote "$1")" ;;
    esac

    shift
done

[ -n "$files" ] || fail "no input file (try --help)"

work=$(mktemp -d "${TMPDIR:-/tmp}/mig.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

run()
{
    file=$1
    depflags=

    if [ $dep = yes ]; then
        targets=$deptargets

        if [ -z "$targets" ]; then
            eval "set -- $outputs"

            for target; do
                targets="$targets-MT $(quote "$target")"
            done
        fi

        depflags="-MD -MF $(quote "$work/dep") $depphony $targets"
    fi

    # $cc may hold flags of its own. What it says of the host is not wanted.
    eval "$cc -E -x c -Uunix -Ulinux -D__MACH30__ $cppflags" \
        "-I$(quote "$(dirname "$file")")" "$depflags $(quote "$file")" \
        >"$work/text" || fail "cannot preprocess $file"
    eval "$(quote "$migcom") $flags" <"$work/text" || exit 1

    if [ $dep = yes ]; then
        base=$(basename "$file")
        place=${depfile:-${base%.defs}.d}
        cp "$work/dep" "$place.tmp$$" && mv "$place.tmp$$" "$place" ||
            fail "cannot write $place"
    fi
}

eval "set -- $files"

for input; do
    run "$input"
done
