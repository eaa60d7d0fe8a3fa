/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and paths: each call once as it should be used, and its misuse
 * with the error that POSIX names.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tap.h"

#define FAILS(call, error) (errno = 0, (call) == -1 && errno == (error))

static void
test_read_write(void)
{
    char buffer[32];
    int fd, other;

    fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);
    ok(fd >= 0, "open creates");
    ok(FAILS(open("f", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST),
       "O_EXCL: EEXIST");
    ok(write(fd, "hello world", 11) == 11, "write");
    ok(lseek(fd, 6, SEEK_SET) == 6, "lseek");
    ok(read(fd, buffer, sizeof(buffer)) == 5 && memcmp(buffer, "world", 5) == 0,
       "read");
    ok(read(fd, buffer, sizeof(buffer)) == 0, "read at the end");
    ok(pread(fd, buffer, 5, 0) == 5 && memcmp(buffer, "hello", 5) == 0 &&
           lseek(fd, 0, SEEK_CUR) == 11,
       "pread leaves the offset");
    ok(pwrite(fd, "J", 1, 0) == 1 && pread(fd, buffer, 1, 0) == 1 &&
           buffer[0] == 'J',
       "pwrite");
    other = dup(fd);
    ok(lseek(other, 3, SEEK_SET) == 3 && lseek(fd, 0, SEEK_CUR) == 3,
       "dup shares the offset");
    ok(dup2(fd, 50) == 50 && fcntl(50, F_GETFD) == 0, "dup2");
    ok(fcntl(fd, F_DUPFD, 60) == 60, "F_DUPFD");
    ok(fcntl(50, F_SETFD, FD_CLOEXEC) == 0 && fcntl(50, F_GETFD) == FD_CLOEXEC,
       "FD_CLOEXEC");
    ok((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "F_GETFL");
    ok(fcntl(fd, F_SETFL, O_APPEND) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
           write(fd, "!", 1) == 1 && lseek(fd, 0, SEEK_END) == 12,
       "O_APPEND");
    ok(ftruncate(fd, 5) == 0 && lseek(fd, 0, SEEK_END) == 5, "ftruncate");
    ok(lseek(fd, 100, SEEK_SET) == 100 && write(fd, "x", 1) == 1,
       "a write behind the end");
    close(other);
    close(50);
    close(60);
    ok(close(fd) == 0, "close");
    ok(FAILS(close(fd), EBADF), "close again: EBADF");
    ok(FAILS(read(-1, buffer, 1), EBADF), "read of -1: EBADF");
    ok(FAILS(lseek(9999, 0, SEEK_SET), EBADF), "lseek of 9999: EBADF");
    fd = open("f", O_RDONLY);
    ok(FAILS(write(fd, "x", 1), EBADF), "write to a reader: EBADF");
    ok(FAILS(lseek(fd, -1, SEEK_SET), EINVAL), "negative offset: EINVAL");
    ok(FAILS(lseek(fd, 0, 77), EINVAL), "unknown whence: EINVAL");
    close(fd);
}

static void
test_large(void)
{
    const size_t size = 3 * 1024 * 1024 + 17;
    unsigned char *out = malloc(size);
    unsigned char *in = malloc(size);
    int fd = open("large", O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (size_t i = 0; i < size; i++) {
        out[i] = (unsigned char)(i * 7 + i / 4096);
    }

    ok(write(fd, out, size) == (ssize_t)size, "write of 3 MB");
    lseek(fd, 0, SEEK_SET);
    ok(read(fd, in, size) == (ssize_t)size && memcmp(in, out, size) == 0,
       "read of 3 MB gives it back");
    ok(pread(fd, in, 5000, 1234567) == 5000 &&
           memcmp(in, out + 1234567, 5000) == 0,
       "pread of 5000 at an odd place");
    close(fd);
    unlink("large");
    free(in);
    free(out);
}

static void
test_vectors(void)
{
    struct iovec out[2] = { { (char *)"ab", 2 }, { (char *)"cde", 3 } };
    char one[1], rest[8];
    struct iovec in[2] = { { one, 1 }, { rest, 8 } };
    int fd = open("v", O_RDWR | O_CREAT, 0600);

    ok(writev(fd, out, 2) == 5, "writev");
    lseek(fd, 0, SEEK_SET);
    ok(readv(fd, in, 2) == 5 && one[0] == 'a' && memcmp(rest, "bcde", 4) == 0,
       "readv");
    ok(FAILS(readv(fd, in, 0), EINVAL), "readv of nothing: EINVAL");
    close(fd);
    unlink("v");
}

static void
test_paths(void)
{
    struct stat status, other;
    char buffer[PATH_MAX];
    ssize_t length;

    ok(mkdir("d", 0755) == 0 && FAILS(mkdir("d", 0755), EEXIST), "mkdir");
    ok(stat("d", &status) == 0 && S_ISDIR(status.st_mode) &&
           (status.st_mode & 0777) == 0755,
       "stat of a folder");
    ok(link("f", "d/g") == 0 && stat("d/g", &status) == 0 &&
           stat("f", &other) == 0 && status.st_ino == other.st_ino &&
           status.st_nlink == 2,
       "link");
    ok(symlink("d/g", "s") == 0 && lstat("s", &status) == 0 &&
           S_ISLNK(status.st_mode) && stat("s", &status) == 0 &&
           S_ISREG(status.st_mode),
       "symlink");
    length = readlink("s", buffer, sizeof(buffer));
    ok(length == 3 && memcmp(buffer, "d/g", 3) == 0, "readlink");
    ok(readlink("s", buffer, 2) == 2, "readlink cuts off");
    ok(FAILS(readlink("f", buffer, 10), EINVAL), "readlink of a file");
    ok(realpath("s", buffer) != NULL &&
           strcmp(buffer + strlen(buffer) - 4, "/d/g") == 0,
       "realpath");
    ok(rename("d/g", "d/h") == 0 && FAILS(access("d/g", F_OK), ENOENT) &&
           access("d/h", F_OK) == 0,
       "rename");
    ok(FAILS(stat("s", &status), ENOENT), "a link to nothing: ENOENT");
    ok(FAILS(rmdir("d"), ENOTEMPTY), "rmdir: ENOTEMPTY");
    ok(FAILS(rmdir("f"), ENOTDIR), "rmdir of a file: ENOTDIR");
    ok(FAILS(unlink("nothing"), ENOENT), "unlink: ENOENT");
    ok(FAILS(open("f/x", O_RDONLY), ENOTDIR), "a file as folder: ENOTDIR");
    ok(FAILS(open("d", O_WRONLY), EISDIR), "writing a folder: EISDIR");
    ok(FAILS(open("", O_RDONLY), ENOENT), "an empty path: ENOENT");
    symlink("loop", "loop");
    ok(FAILS(open("loop", O_RDONLY), ELOOP), "a loop: ELOOP");
    memset(buffer, 'x', sizeof(buffer) - 1);
    buffer[300] = '\0';
    ok(FAILS(open(buffer, O_RDONLY), ENAMETOOLONG),
       "a name of 300: ENAMETOOLONG");
    ok(chmod("f", 0444) == 0 && stat("f", &status) == 0 &&
           (status.st_mode & 07777) == 0444,
       "chmod");
    unlink("d/h");
    unlink("s");
    unlink("loop");
    ok(rmdir("d") == 0, "rmdir");
}

static void
test_relative(void)
{
    char before[PATH_MAX], after[PATH_MAX];
    struct stat status;
    int fd, file;

    mkdir("sub", 0755);
    getcwd(before, sizeof(before));
    ok(chdir("sub") == 0 && getcwd(after, sizeof(after)) != NULL &&
           strncmp(after, before, strlen(before)) == 0 &&
           strcmp(after + strlen(before), "/sub") == 0,
       "chdir, getcwd");
    ok(getcwd(after, 2) == NULL && errno == ERANGE, "getcwd: ERANGE");
    chdir("..");
    fd = open("sub", O_RDONLY | O_DIRECTORY);
    file = openat(fd, "x", O_WRONLY | O_CREAT, 0600);
    ok(file >= 0 && access("sub/x", F_OK) == 0, "openat");
    ok(fstatat(fd, "x", &status, 0) == 0 && S_ISREG(status.st_mode), "fstatat");
    ok(unlinkat(fd, "x", 0) == 0, "unlinkat");
    ok(fchdir(fd) == 0 && chdir(before) == 0, "fchdir");
    ok(FAILS(fchdir(file), ENOTDIR), "fchdir to a file: ENOTDIR");
    close(file);
    close(fd);
    ok(unlinkat(AT_FDCWD, "sub", AT_REMOVEDIR) == 0, "AT_REMOVEDIR");
}

static void
test_times(void)
{
    struct timespec times[2] = { { 1000000000, 5 }, { 1111111111, 7 } };
    struct stat status;

    ok(utimensat(AT_FDCWD, "f", times, 0) == 0 && stat("f", &status) == 0 &&
           status.st_atime == 1000000000 &&
           status.st_mtim.tv_sec == 1111111111 && status.st_mtim.tv_nsec == 7,
       "utimensat");
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    ok(utimensat(AT_FDCWD, "f", times, 0) == 0 && stat("f", &status) == 0 &&
           status.st_atime == 1000000000 && status.st_mtime > 1111111111,
       "UTIME_OMIT and UTIME_NOW");
}

static void
test_descriptors(void)
{
    int fds[2000];
    int count = 0;

    while (count < 2000 && (fds[count] = open("f", O_RDONLY)) >= 0) {
        count++;
    }

    ok(errno == EMFILE && count > 20, "too many descriptors: EMFILE");

    for (int i = 0; i < count; i++) {
        close(fds[i]);
    }

    ok((fds[0] = open("f", O_RDONLY)) >= 0, "and they can be had again");
    close(fds[0]);
}

int
main(void)
{
    char folder[] = "/tmp/filesXXXXXX";

    umask(022);

    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        puts("Bail out! no folder to work in");
        return 1;
    }

    test_read_write();
    test_large();
    test_vectors();
    test_paths();
    test_relative();
    test_times();
    test_descriptors();
    unlink("f");
    chdir("/");
    ok(rmdir(folder) == 0, "the folder is empty again");
    return tap_done();
}
