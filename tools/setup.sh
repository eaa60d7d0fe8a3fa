# SPDX-License-Identifier: MIT
#
# What ./run, ./check and ./bench do before their own work: install missing
# packages, configure, build.  Sourced by them with $top and $me set.  Says
# nothing on standard output, and on a standard error that is no terminal
# only what has to be known.

build=$top/build

say()
{
    echo "$me: $*" >&2
}

die()
{
    say "$@"
    exit 123
}

# WHAT:PACKAGE pairs; WHAT is a command or an absolute path.
base_packages="gcc:gcc make:make autoconf:autoconf automake:automake
    flex:flex bison:bison ld:binutils python3:python3 xz:xz-utils
    qemu-system-x86_64:qemu-system-x86 grub-mkimage:grub-common
    /usr/lib/grub/i386-pc/multiboot2.mod:grub-pc-bin xorriso:xorriso
    /usr/src/newlib:newlib-source patch:patch dpkg-source:dpkg-dev
    /usr/include/stdio.h:libc6-dev flock:util-linux"

# What only the tests need.
check_packages="clang:clang lua5.4:lua5.4 cmp:diffutils"

setup_packages()
{
    missing=
    for pair in "$@"; do
        what=${pair%:*}
        case $what in
        /*) test -e "$what" || missing="$missing ${pair##*:}" ;;
        *) command -v "$what" > /dev/null || missing="$missing ${pair##*:}" ;;
        esac
    done
    test -n "$missing" || return 0
    command -v apt-get > /dev/null ||
        die "missing, and there is no apt-get to install it:$missing"
    say "these Debian packages are missing and will be installed:$missing"
    sudo=
    if test "$(id -u)" != 0; then
        sudo=sudo
        if test -t 0 && test -t 2; then
            printf '%s: install them with sudo? [Y/n] ' "$me" >&2
            read -r answer
            case $answer in
            [nN]*) die "not installed" ;;
            esac
        fi
    fi
    {
        $sudo apt-get -q update &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
                --no-install-recommends $missing
    } >&2 < /dev/null || die "could not install:$missing"
}

# Nothing in the tree is newer than the last build that succeeded.
build_is_current()
{
    test -f "$build/built" &&
        test -z "$(find "$top" \( -path "$build" -o -name .git \
            -o -name autom4te.cache \) -prune -o -newer "$build/built" \
            -print -quit)"
}

# A long command: on a terminal its output is shown, else only kept.
logged()
{
    if test -t 2; then
        { { "$@" 2>&1; echo $? > "$build/status"; } |
            tee -a "$build/build.log" >&2; } < /dev/null
        return "$(cat "$build/status")"
    fi
    "$@" >> "$build/build.log" 2>&1 < /dev/null
}

setup_build()
{
    mkdir -p "$build"
    build_is_current && return 0
    exec 9> "$build/lock"
    flock 9
    if build_is_current; then
        exec 9>&-
        return 0
    fi
    unset MAKEFLAGS MFLAGS MAKELEVEL
    : > "$build/build.log"
    {
        { test -f "$top/configure" ||
            (cd "$top" && logged autoreconf -fi); } &&
        { test -f "$build/Makefile" ||
            (cd "$build" && logged "$top/configure" -q); } &&
        : > "$build/built.new" &&
        logged make --no-print-directory -C "$build" -j"$(nproc)"
    } 9>&- || {
        test -t 2 || tail -n 40 "$build/build.log" >&2
        die "the build failed; all of it is in $build/build.log"
    }
    mv "$build/built.new" "$build/built"
    exec 9>&-
}
