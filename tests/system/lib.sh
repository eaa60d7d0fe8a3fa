# SPDX-License-Identifier: MIT
#
# For tests that drive ./run: the command, a folder for files, the compiler.

. "$top_srcdir/tests/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ./run without its set-up, which is done, and on the build under test.
run()
{
    "${PYTHON3:-python3}" -B "$top_srcdir/tools/run.py" \
        --build "$top_builddir" "$@"
}

cross=$top_builddir/bin/x86_64-portolan-mach-gcc

# build_program NAME: tests/system/programs/NAME.c becomes $work/NAME
build_program()
{
    "$cross" -O2 -w -o "$work/$1" "$top_srcdir/tests/system/programs/$1.c"
}

# same NAME EXPECTED FOUND (two texts)
same()
{
    if test "$2" = "$3"; then
        pass "$1"
    else
        fail "$1" "expected: $2
found: $3"
    fi
}

# guest_tap OPTION...: run a program that prints TAP; its lines become ours
guest_tap()
{
    run "$@" > "$work/tap" 2> "$work/errors" < /dev/null
    status=$?
    grep -E '^(ok|not ok|1\.\.|#|Bail out)' "$work/tap"
    sed 's/^/# /' "$work/errors"
    case $status in
    0 | 1) ;;
    *) echo "Bail out! ./run ended with status $status" ;;
    esac
}
