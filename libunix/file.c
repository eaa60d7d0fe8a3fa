/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: reading, writing, and all that is asked of an open file.
 *
 * Up to UNIX_INLINE_MAX bytes travel in the message; of more only the address
 * does, and the server moves them in one copy.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <unix/unix_file.h>

#include "call.h"

_Static_assert(sizeof(struct stat) == sizeof(unix_stat_t), "ABI");
_Static_assert(offsetof(struct statvfs, f_type) == sizeof(unix_statvfs_t),
               "ABI");

static ssize_t
file_read(int fd, void *buf, size_t size, off_t offset)
{
    mach_msg_type_number_t count;
    uint64_t done;
    kern_return_t kr;

    if (size <= UNIX_INLINE_MAX) {
        count = (mach_msg_type_number_t)size;
        kr = UNIX_CALL(
            unix_read(unix_port, fd, (uint32_t)size, offset, buf, &count));
        return unix_value(kr, count);
    }

    kr = UNIX_CALL(
        unix_read_long(unix_port, fd, offset, (uint64_t)buf, size, &done));
    return unix_value(kr, (long)done);
}

static ssize_t
file_write(int fd, const void *buf, size_t size, off_t offset)
{
    uint64_t done;
    kern_return_t kr;

    if (size <= UNIX_INLINE_MAX) {
        kr = UNIX_CALL(unix_write(unix_port, fd, offset, unix_path(buf),
                                  (mach_msg_type_number_t)size, &done));
    } else {
        kr = UNIX_CALL(
            unix_write_long(unix_port, fd, offset, (uint64_t)buf, size, &done));
    }

    return unix_value(kr, (long)done);
}

ssize_t
read(int fd, void *buf, size_t size)
{
    return file_read(fd, buf, size, UNIX_OFFSET_CURRENT);
}

ssize_t
write(int fd, const void *buf, size_t size)
{
    return file_write(fd, buf, size, UNIX_OFFSET_CURRENT);
}

ssize_t
pread(int fd, void *buf, size_t size, off_t offset)
{
    if (offset < 0) {
        errno = EINVAL;
        return -1;
    }

    return file_read(fd, buf, size, offset);
}

ssize_t
pwrite(int fd, const void *buf, size_t size, off_t offset)
{
    if (offset < 0) {
        errno = EINVAL;
        return -1;
    }

    return file_write(fd, buf, size, offset);
}

ssize_t
readv(int fd, const struct iovec *iov, int count)
{
    ssize_t total = 0;

    if (count <= 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }

    for (int i = 0; i < count; i++) {
        ssize_t done = read(fd, iov[i].iov_base, iov[i].iov_len);

        if (done < 0) {
            return (total != 0) ? total : -1;
        }

        total += done;

        if ((size_t)done < iov[i].iov_len) {
            break;
        }
    }

    return total;
}

/* What fits into one write goes out as one: a pipe keeps it together. */
ssize_t
writev(int fd, const struct iovec *iov, int count)
{
    char buffer[UNIX_INLINE_MAX];
    size_t fill = 0;
    ssize_t total = 0;

    if (count <= 0 || count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }

    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len > sizeof(buffer) - fill) {
            break;
        }

        memcpy(buffer + fill, iov[i].iov_base, iov[i].iov_len);
        fill += iov[i].iov_len;

        if (i == count - 1) {
            return write(fd, buffer, fill);
        }
    }

    for (int i = 0; i < count; i++) {
        ssize_t done = write(fd, iov[i].iov_base, iov[i].iov_len);

        if (done < 0) {
            return (total != 0) ? total : -1;
        }

        total += done;

        if ((size_t)done < iov[i].iov_len) {
            break;
        }
    }

    return total;
}

off_t
lseek(int fd, off_t offset, int whence)
{
    int64_t position;
    kern_return_t kr;

    kr = UNIX_CALL(unix_seek(unix_port, fd, whence, offset, &position));
    return unix_value(kr, position);
}

int
close(int fd)
{
    return unix_result(UNIX_CALL(unix_close(unix_port, fd)));
}

int
dup3(int fd, int to, int flags)
{
    int32_t result;
    kern_return_t kr;

    if (fd == to) {
        errno = EINVAL;
        return -1;
    }

    kr = UNIX_CALL(unix_dup2(unix_port, fd, to, flags, &result));
    return (int)unix_value(kr, result);
}

int
dup2(int fd, int to)
{
    int32_t result;
    kern_return_t kr;

    kr = UNIX_CALL(unix_dup2(unix_port, fd, to, 0, &result));
    return (int)unix_value(kr, result);
}

static int
file_control(int fd, int command, int argument)
{
    int32_t result;
    kern_return_t kr;

    kr = UNIX_CALL(unix_fcntl(unix_port, fd, command, argument, &result));
    return (int)unix_value(kr, result);
}

int
dup(int fd)
{
    return file_control(fd, F_DUPFD, 0);
}

static int
file_lock(int fd, int command, struct flock *lock)
{
    unix_flock_t request = { lock->l_type, lock->l_whence, lock->l_pid,
                             lock->l_start, lock->l_len };
    unix_flock_t answer;
    kern_return_t kr;

    kr = UNIX_CALL(unix_lock(unix_port, fd, command, request, &answer));

    if (kr == KERN_SUCCESS && command == F_GETLK) {
        lock->l_type = answer.type;
        lock->l_whence = answer.whence;
        lock->l_pid = answer.pid;
        lock->l_start = answer.start;
        lock->l_len = answer.length;
    }

    return unix_result(kr);
}

int
fcntl(int fd, int command, ...)
{
    struct flock *lock;
    va_list args;
    int argument;

    va_start(args, command);

    if (command == F_GETLK || command == F_SETLK || command == F_SETLKW) {
        lock = va_arg(args, struct flock *);
        va_end(args);
        return file_lock(fd, command, lock);
    }

    argument = va_arg(args, int);
    va_end(args);
    return file_control(fd, command, argument);
}

int
lockf(int fd, int command, off_t length)
{
    struct flock lock = { F_WRLCK, SEEK_CUR, 0, 0, length };

    switch (command) {
    case F_ULOCK:
        lock.l_type = F_UNLCK;
        return fcntl(fd, F_SETLK, &lock);
    case F_LOCK:
        return fcntl(fd, F_SETLKW, &lock);
    case F_TLOCK:
        return fcntl(fd, F_SETLK, &lock);
    case F_TEST:
        if (fcntl(fd, F_GETLK, &lock) < 0) {
            return -1;
        }

        if (lock.l_type == F_UNLCK || lock.l_pid == getpid()) {
            return 0;
        }

        errno = EACCES;
        return -1;
    default:
        errno = EINVAL;
        return -1;
    }
}

int
fstat(int fd, struct stat *status)
{
    return unix_result(
        UNIX_CALL(unix_fstat(unix_port, fd, (unix_stat_t *)status)));
}

int
fstatvfs(int fd, struct statvfs *status)
{
    status->f_type = 0;
    return unix_result(
        UNIX_CALL(unix_fstatvfs(unix_port, fd, (unix_statvfs_t *)status)));
}

int
ftruncate(int fd, off_t size)
{
    return unix_result(UNIX_CALL(unix_ftruncate(unix_port, fd, size)));
}

int
fsync(int fd)
{
    return unix_result(UNIX_CALL(unix_fsync(unix_port, fd)));
}

int
fdatasync(int fd)
{
    return fsync(fd);
}

int
fchmod(int fd, mode_t mode)
{
    return unix_result(UNIX_CALL(unix_fchmod(unix_port, fd, mode)));
}

int
fchown(int fd, uid_t uid, gid_t gid)
{
    return unix_result(UNIX_CALL(unix_fchown(unix_port, fd, uid, gid)));
}

int
fchdir(int fd)
{
    return unix_result(UNIX_CALL(unix_fchdir(unix_port, fd)));
}

int
futimens(int fd, const struct timespec *times)
{
    unix_timespec_t atime = { 0, UNIX_UTIME_NOW };
    unix_timespec_t mtime = { 0, UNIX_UTIME_NOW };

    if (times != NULL) {
        atime = (unix_timespec_t){ times[0].tv_sec, times[0].tv_nsec };
        mtime = (unix_timespec_t){ times[1].tv_sec, times[1].tv_nsec };
    }

    return unix_result(UNIX_CALL(unix_futimens(unix_port, fd, atime, mtime)));
}

int
futimes(int fd, const struct timeval *times)
{
    struct timespec spec[2];

    if (times == NULL) {
        return futimens(fd, NULL);
    }

    TIMEVAL_TO_TIMESPEC(&times[0], &spec[0]);
    TIMEVAL_TO_TIMESPEC(&times[1], &spec[1]);
    return futimens(fd, spec);
}

int
pipe2(int fds[2], int flags)
{
    int32_t read_fd, write_fd;
    kern_return_t kr;

    kr = UNIX_CALL(unix_pipe(unix_port, flags, &read_fd, &write_fd));

    if (kr != KERN_SUCCESS) {
        return (int)unix_fail(kr);
    }

    fds[0] = read_fd;
    fds[1] = write_fd;
    return 0;
}

int
pipe(int fds[2])
{
    return pipe2(fds, 0);
}
