/* SPDX-License-Identifier: MIT */
/*
 * Operations on a path: the function that takes a directory's descriptor,
 * and the plain one as its special case.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include <unix/unix_directory.h>

#include "call.h"

static int
path_open(int dirfd, const char *path, int flags, mode_t mode)
{
    int32_t fd;
    kern_return_t kr;

    kr = UNIX_CALL(
        unix_open(unix_port, dirfd, flags, mode, unix_path(path), &fd));
    return (int)unix_value(kr, fd);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    if ((flags & O_CREAT) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }

    return path_open(dirfd, path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    if ((flags & O_CREAT) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }

    return path_open(AT_FDCWD, path, flags, mode);
}

int
fstatat(int dirfd, const char *path, struct stat *status, int flags)
{
    return unix_result(UNIX_CALL(unix_stat(
        unix_port, dirfd, flags, unix_path(path), (unix_stat_t *)status)));
}

int
stat(const char *path, struct stat *status)
{
    return fstatat(AT_FDCWD, path, status, 0);
}

int
lstat(const char *path, struct stat *status)
{
    return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int
statvfs(const char *path, struct statvfs *status)
{
    status->f_type = 0;
    return unix_result(UNIX_CALL(
        unix_statvfs(unix_port, unix_path(path), (unix_statvfs_t *)status)));
}

int
faccessat(int dirfd, const char *path, int mode, int flags)
{
    return unix_result(
        UNIX_CALL(unix_access(unix_port, dirfd, mode, flags, unix_path(path))));
}

int
access(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, 0);
}

int
eaccess(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

int
euidaccess(const char *path, int mode)
{
    return eaccess(path, mode);
}

int
linkat(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path,
       int flags)
{
    return unix_result(
        UNIX_CALL(unix_link(unix_port, old_dirfd, new_dirfd, flags,
                            unix_path(old_path), unix_path(new_path))));
}

int
link(const char *old_path, const char *new_path)
{
    return linkat(AT_FDCWD, old_path, AT_FDCWD, new_path, 0);
}

int
symlinkat(const char *target, int dirfd, const char *path)
{
    return unix_result(UNIX_CALL(
        unix_symlink(unix_port, dirfd, unix_path(target), unix_path(path))));
}

int
symlink(const char *target, const char *path)
{
    return symlinkat(target, AT_FDCWD, path);
}

ssize_t
readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
    char target[UNIX_PATH_MAX];
    mach_msg_type_number_t count = sizeof(target);
    kern_return_t kr;

    kr = UNIX_CALL(
        unix_readlink(unix_port, dirfd, unix_path(path), target, &count));

    if (kr != KERN_SUCCESS) {
        return unix_fail(kr);
    }

    if (size > count) {
        size = count;
    }

    memcpy(buf, target, size);
    return (ssize_t)size;
}

ssize_t
readlink(const char *path, char *buf, size_t size)
{
    return readlinkat(AT_FDCWD, path, buf, size);
}

int
unlinkat(int dirfd, const char *path, int flags)
{
    return unix_result(
        UNIX_CALL(unix_unlink(unix_port, dirfd, flags, unix_path(path))));
}

int
unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int
rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int
renameat(int old_dirfd, const char *old_path, int new_dirfd,
         const char *new_path)
{
    return unix_result(
        UNIX_CALL(unix_rename(unix_port, old_dirfd, new_dirfd,
                              unix_path(old_path), unix_path(new_path))));
}

int
rename(const char *old_path, const char *new_path)
{
    return renameat(AT_FDCWD, old_path, AT_FDCWD, new_path);
}

int
mkdirat(int dirfd, const char *path, mode_t mode)
{
    return unix_result(
        UNIX_CALL(unix_mkdir(unix_port, dirfd, mode, unix_path(path))));
}

int
mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int
mknodat(int dirfd, const char *path, mode_t mode, dev_t device)
{
    return unix_result(
        UNIX_CALL(unix_mknod(unix_port, dirfd, mode, device, unix_path(path))));
}

int
mknod(const char *path, mode_t mode, dev_t device)
{
    return mknodat(AT_FDCWD, path, mode, device);
}

int
mkfifoat(int dirfd, const char *path, mode_t mode)
{
    return mknodat(dirfd, path, (mode & ~(mode_t)S_IFMT) | S_IFIFO, 0);
}

int
mkfifo(const char *path, mode_t mode)
{
    return mkfifoat(AT_FDCWD, path, mode);
}

int
fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
    return unix_result(
        UNIX_CALL(unix_chmod(unix_port, dirfd, mode, flags, unix_path(path))));
}

int
chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}

int
fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
    return unix_result(UNIX_CALL(
        unix_chown(unix_port, dirfd, uid, gid, flags, unix_path(path))));
}

int
chown(const char *path, uid_t uid, gid_t gid)
{
    return fchownat(AT_FDCWD, path, uid, gid, 0);
}

int
lchown(const char *path, uid_t uid, gid_t gid)
{
    return fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

int
utimensat(int dirfd, const char *path, const struct timespec *times, int flags)
{
    unix_timespec_t atime = { 0, UNIX_UTIME_NOW };
    unix_timespec_t mtime = { 0, UNIX_UTIME_NOW };

    if (times != NULL) {
        atime = (unix_timespec_t){ times[0].tv_sec, times[0].tv_nsec };
        mtime = (unix_timespec_t){ times[1].tv_sec, times[1].tv_nsec };
    }

    return unix_result(UNIX_CALL(
        unix_utimens(unix_port, dirfd, flags, atime, mtime, unix_path(path))));
}

static int
path_utimes(const char *path, const struct timeval *times, int flags)
{
    struct timespec spec[2];

    if (times == NULL) {
        return utimensat(AT_FDCWD, path, NULL, flags);
    }

    TIMEVAL_TO_TIMESPEC(&times[0], &spec[0]);
    TIMEVAL_TO_TIMESPEC(&times[1], &spec[1]);
    return utimensat(AT_FDCWD, path, spec, flags);
}

int
utimes(const char *path, const struct timeval *times)
{
    return path_utimes(path, times, 0);
}

int
lutimes(const char *path, const struct timeval *times)
{
    return path_utimes(path, times, AT_SYMLINK_NOFOLLOW);
}

int
utime(const char *path, const struct utimbuf *times)
{
    struct timespec spec[2];

    if (times == NULL) {
        return utimensat(AT_FDCWD, path, NULL, 0);
    }

    spec[0] = (struct timespec){ times->actime, 0 };
    spec[1] = (struct timespec){ times->modtime, 0 };
    return utimensat(AT_FDCWD, path, spec, 0);
}

int
truncate(const char *path, off_t size)
{
    return unix_result(
        UNIX_CALL(unix_truncate(unix_port, size, unix_path(path))));
}

int
chdir(const char *path)
{
    return unix_result(UNIX_CALL(unix_chdir(unix_port, unix_path(path))));
}

int
chroot(const char *path)
{
    return unix_result(UNIX_CALL(unix_chroot(unix_port, unix_path(path))));
}

/* A null buffer is allocated, of the size given or as needed. */
char *
getcwd(char *buf, size_t size)
{
    unix_path_t path;
    size_t length;
    kern_return_t kr;

    if (buf != NULL && size == 0) {
        errno = EINVAL;
        return NULL;
    }

    kr = UNIX_CALL(unix_getcwd(unix_port, path));

    if (kr != KERN_SUCCESS) {
        unix_fail(kr);
        return NULL;
    }

    length = strlen(path) + 1;

    if (size != 0 && length > size) {
        errno = ERANGE;
        return NULL;
    }

    if (buf == NULL) {
        buf = malloc((size != 0) ? size : length);

        if (buf == NULL) {
            return NULL;
        }
    }

    return memcpy(buf, path, length);
}
