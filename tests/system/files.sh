#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Files and folders go in and come back the same; a Lua script counts the
# words of this project's docs as the host's Lua does.

set -u
. "$top_srcdir/tests/system/lib.sh"

script=$top_srcdir/tests/system/words.lua
mkdir "$work/docs"
cp "$top_srcdir"/docs/*.md "$work/docs"

run --timeout 100 --put "$script:/tmp/words.lua" --put "$work/docs:/tmp/docs" \
    --get /tmp/docs:"$work/docs.back" --get /tmp/counts:"$work/counts" \
    -- /bin/sh -c '
    lua /tmp/words.lua /tmp/docs/*.md > /tmp/counts' \
    > "$work/out" 2>&1 < /dev/null
same 'the script runs' 0 $?
sed 's/^/# /' "$work/out"
(cd "$work/docs" && lua5.4 "$script" *.md) > "$work/expected"
check 'the counts are those of the host' cmp "$work/expected" "$work/counts"
check 'the folder comes back the same' diff -r "$work/docs" "$work/docs.back"

mkdir -p "$work/tree/empty" "$work/tree/a/b/c"
head -c 1000000 /dev/urandom > "$work/tree/a/b/c/big"
: > "$work/tree/a/nothing"
printf '#!/bin/sh\necho script\n' > "$work/tree/script"
chmod 755 "$work/tree/script"
ln -s a/b "$work/tree/link"
touch -d 2001-02-03 "$work/tree/a/nothing"
same 'a script that was put runs' script "$(run --timeout 60 \
    --put "$work/tree:/tmp/tree" --get "/tmp/tree:$work/tree.back" \
    -- /tmp/tree/script < /dev/null)"
check 'a deep folder' diff -r "$work/tree" "$work/tree.back"
same 'the time of a file' "$(stat -c %Y "$work/tree/a/nothing")" \
    "$(stat -c %Y "$work/tree.back/a/nothing")"
same 'the mode of a file' 755 "$(stat -c %a "$work/tree.back/script")"
same 'a link' a/b "$(readlink "$work/tree.back/link")"

run --timeout 60 --get "/nothing:$work/x" -- /bin/true 2> "$work/err" \
    < /dev/null
same 'what is not there: status 123' 123 $?
check 'and a message' test -s "$work/err"
plan
