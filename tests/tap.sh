# SPDX-License-Identifier: MIT
#
# TAP for shell scripts: pass NAME; fail NAME REASONS;
# check NAME COMMAND...; plan at the end.

count=0
failed=0

pass()
{
    count=$((count + 1))
    echo "ok $count - $1"
}

fail()
{
    count=$((count + 1))
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf '%s\n' "$2" | sed 's/^/# /'
}

check()
{
    name=$1
    shift
    if output=$("$@" 2>&1); then
        pass "$name"
    else
        fail "$name" "$output"
    fi
}

plan()
{
    echo "1..$count"
    test "$failed" = 0
}
