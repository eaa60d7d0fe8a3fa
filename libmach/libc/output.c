/* SPDX-License-Identifier: MIT */
/*
 * A server's standard output and error: lines that bootstrap writes to the
 * system's log, so that they do not need a console that may not be there yet.
 * Bootstrap itself, which has nobody to send them to, sets machc_log.
 */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmach/log.h>
#include <mach/bootstrap.h>
#include <mach/mach.h>

void (*machc_log)(const char *text, size_t size);

ssize_t
write(int fd, const void *data, size_t size)
{
    const char *text = data;
    size_t left = size;

    if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }

    if (machc_log != NULL) {
        machc_log(text, size);
        return (ssize_t)size;
    }

    while (left > 0) {
        size_t part = left < BOOTSTRAP_LOG_MAX ? left : BOOTSTRAP_LOG_MAX;

        if (bootstrap_log(bootstrap_port, (char *)text,
                          (mach_msg_type_number_t)part) != KERN_SUCCESS) {
            errno = EIO;
            return -1;
        }

        text += part;
        left -= part;
    }

    return (ssize_t)size;
}

ssize_t
read(int fd, void *data, size_t size)
{
    (void)data;
    (void)size;

    if (fd != STDIN_FILENO) {
        errno = EBADF;
        return -1;
    }

    return 0; /* a server's standard input is at its end */
}

/* So that stdio sends each line as it is complete. */
int
fstat(int fd, struct stat *status)
{
    if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }

    memset(status, 0, sizeof(*status));
    status->st_mode = S_IFCHR | 0600;
    status->st_nlink = 1;
    status->st_blksize = BOOTSTRAP_LOG_MAX;
    return 0;
}

int
isatty(int fd)
{
    if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
        errno = EBADF;
        return 0;
    }

    return 1;
}

off_t
lseek(int fd, off_t offset, int whence)
{
    (void)offset;
    (void)whence;
    errno = fd < STDIN_FILENO || fd > STDERR_FILENO ? EBADF : ESPIPE;
    return -1;
}

int
close(int fd)
{
    if (fd < STDIN_FILENO || fd > STDERR_FILENO) {
        errno = EBADF;
        return -1;
    }

    return 0;
}
