/* SPDX-License-Identifier: MIT */
/*
 * The parts of libunix that need no server: the real files, under other names
 * so that the host's functions can stand beside them.
 */

#define getmntent our_getmntent
#define setmntent our_setmntent
#define endmntent our_endmntent
#define hasmntopt our_hasmntopt
#define getgrnam our_getgrnam
#define getgrgid our_getgrgid
#define getgrent our_getgrent
#define setgrent our_setgrent
#define endgrent our_endgrent
#define getgrnam_r our_getgrnam_r
#define getgrgid_r our_getgrgid_r
#define realpath our_realpath
#define mkostemps our_mkostemps
#define mkostemp our_mkostemp
#define mkstemps our_mkstemps
#define mkstemp our_mkstemp
#define mkdtemp our_mkdtemp
#define mktemp our_mktemp
#define fopen test_fopen

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SYMLOOP_MAX
#define SYMLOOP_MAX 8
#endif

size_t strlcpy(char *to, const char *from, size_t size);

#include "../../libunix/libc/group.c"
#include "../../libunix/libc/mktemp.c"
#include "../../libunix/libc/mntent.c"
#include "../../libunix/realpath.c"

#include "tap.h"

#undef realpath
#undef fopen
#undef mkdtemp

char *realpath(const char *restrict path, char *restrict result);

static const char group_text[] = "root:x:0:\n"
                                 "broken line\n"
                                 "wheel:x:10:root,user\n"
                                 "nonumber:x:abc:\n"
                                 "users:*:100:user";

static const char mount_text[] = "# a comment\n"
                                 "\n"
                                 "root / tmpfs rw,size=10 0 1\n"
                                 "a\\040b /mnt\\040x ext2 ro 0 0\n"
                                 "short /s\n";

FILE *
test_fopen(const char *path, const char *mode)
{
    const char *text =
        (strcmp(path, "/etc/group") == 0) ? group_text : mount_text;

    return fmemopen((char *)(uintptr_t)text, strlen(text), mode);
}

size_t
strlcpy(char *to, const char *from, size_t size)
{
    size_t length = strlen(from);

    if (size != 0) {
        snprintf(to, size, "%s", from);
    }

    return length;
}

static void
test_group(void)
{
    struct group entry, *result;
    char small[16], large[4096];
    struct group *group;
    int count = 0;

    group = our_getgrnam("wheel");
    ok(group != NULL && group->gr_gid == 10 &&
           strcmp(group->gr_mem[0], "root") == 0 &&
           strcmp(group->gr_mem[1], "user") == 0 && group->gr_mem[2] == NULL,
       "a group with two members");
    group = our_getgrgid(100);
    ok(group != NULL && strcmp(group->gr_name, "users") == 0,
       "the last line has no end");
    ok(our_getgrnam("nonumber") == NULL, "a group without a number is none");
    ok(our_getgrgid(77) == NULL, "no such group");
    our_setgrent();

    while (our_getgrent() != NULL) {
        count++;
    }

    our_endgrent();
    ok(count == 3, "three groups in all");
    ok(our_getgrnam_r("root", &entry, small, sizeof(small), &result) ==
               ERANGE &&
           result == NULL,
       "too small a buffer: ERANGE");
    ok(our_getgrnam_r("root", &entry, large + 1, sizeof(large) - 1, &result) ==
               0 &&
           result == &entry && entry.gr_gid == 0,
       "an unaligned buffer");
}

static void
test_mntent(void)
{
    FILE *file = our_setmntent("/etc/mtab", "r");
    struct mntent *entry = our_getmntent(file);

    ok(strcmp(entry->mnt_dir, "/") == 0 && entry->mnt_passno == 1, "a mount");
    ok(our_hasmntopt(entry, "size") != NULL &&
           our_hasmntopt(entry, "siz") == NULL &&
           our_hasmntopt(entry, "rw") == entry->mnt_opts,
       "its options");
    entry = our_getmntent(file);
    ok(strcmp(entry->mnt_fsname, "a b") == 0 &&
           strcmp(entry->mnt_dir, "/mnt x") == 0,
       "blanks in names");
    entry = our_getmntent(file);
    ok(strcmp(entry->mnt_dir, "/s") == 0 && entry->mnt_opts[0] == '\0',
       "a short line");
    ok(our_getmntent(file) == NULL, "the end");
    our_endmntent(file);
}

static void
test_realpath(void)
{
    static const char *const paths[] = {
        "a",         "a/b",    "./a/../a/./b", "link", "link/b", "absolute",
        "up/a/b",    "a/b/..", "//tmp//",      "/",    "/..",    "nothing",
        "a/nothing", "loop",   "dangling",     "",     "a/file",
    };
    char folder[] = "/tmp/libc_testXXXXXX";
    char ours[PATH_MAX], theirs[PATH_MAX];
    const char *found, *expected;
    int our_error;

    if (our_mkdtemp(folder) == NULL || chdir(folder) != 0 ||
        mkdir("a", 0755) != 0 || mkdir("a/b", 0755) != 0 ||
        symlink("a", "link") != 0 || symlink("/tmp", "absolute") != 0 ||
        symlink("a/b/../..", "up") != 0 || symlink("loop", "loop") != 0 ||
        symlink("gone/x", "dangling") != 0) {
        puts("Bail out! no folder to work in");
        exit(1);
    }

    close(open("a/file", O_CREAT | O_WRONLY, 0600));

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        errno = 0;
        found = our_realpath(paths[i], ours);
        our_error = errno;
        errno = 0;
        expected = realpath(paths[i], theirs);
        ok(expected != NULL ? found != NULL && strcmp(ours, theirs) == 0
                            : found == NULL && our_error == errno,
           "realpath \"%s\"", paths[i]);
    }

    if (system("rm -r /tmp/libc_test??????") != 0) {
        puts("# could not clean up");
    }
}

static void
test_mktemp(void)
{
    char path[] = "/tmp/mktemp.XXXXXX.c";
    char few[] = "/tmp/XXXXX";
    int fd = our_mkstemps(path, 2);

    ok(fd >= 0 && strncmp(path, "/tmp/mktemp.", 12) == 0 &&
           strcmp(path + 18, ".c") == 0 && strchr(path, 'X') == NULL,
       "mkstemps: %s", path);
    close(fd);
    unlink(path);
    errno = 0;
    ok(our_mkstemp(few) == -1 && errno == EINVAL, "five X: EINVAL");
}

int
main(void)
{
    test_group();
    test_mntent();
    test_realpath();
    test_mktemp();
    return tap_done();
}
