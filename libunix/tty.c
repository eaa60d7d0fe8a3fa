/* SPDX-License-Identifier: MIT */
/*
 * Terminals, and ioctl(), which knows only the requests that have no function
 * of their own in POSIX or that programs make under both names.
 */

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <unix/unix_file.h>
#include <unix/unix_tty.h>

#include "call.h"

_Static_assert(sizeof(struct termios) == sizeof(unix_termios_t), "ABI");
_Static_assert(sizeof(struct winsize) == sizeof(unix_winsize_t), "ABI");

int
tcgetattr(int fd, struct termios *termios)
{
    return unix_result(
        UNIX_CALL(unix_tty_getattr(unix_port, fd, (unix_termios_t *)termios)));
}

int
tcsetattr(int fd, int when, const struct termios *termios)
{
    unix_termios_t request;

    memcpy(&request, termios, sizeof(request));
    return unix_result(
        UNIX_CALL(unix_tty_setattr(unix_port, fd, when, request)));
}

int
tcdrain(int fd)
{
    return unix_result(UNIX_CALL(unix_tty_drain(unix_port, fd)));
}

int
tcflush(int fd, int queue)
{
    return unix_result(UNIX_CALL(unix_tty_flush(unix_port, fd, queue)));
}

int
tcflow(int fd, int action)
{
    return unix_result(UNIX_CALL(unix_tty_flow(unix_port, fd, action)));
}

/* No line here can send a break: POSIX lets it do nothing. */
int
tcsendbreak(int fd, int duration)
{
    (void)duration;
    return isatty(fd) ? 0 : -1;
}

pid_t
tcgetpgrp(int fd)
{
    int32_t pgid;
    kern_return_t kr;

    kr = UNIX_CALL(unix_tty_getpgrp(unix_port, fd, &pgid));
    return (pid_t)unix_value(kr, pgid);
}

int
tcsetpgrp(int fd, pid_t pgid)
{
    return unix_result(UNIX_CALL(unix_tty_setpgrp(unix_port, fd, pgid)));
}

pid_t
tcgetsid(int fd)
{
    int32_t sid;
    kern_return_t kr;

    kr = UNIX_CALL(unix_tty_getsid(unix_port, fd, &sid));
    return (pid_t)unix_value(kr, sid);
}

int
isatty(int fd)
{
    struct termios termios;

    return tcgetattr(fd, &termios) == 0;
}

int
ttyname_r(int fd, char *buf, size_t size)
{
    unix_name_t name;
    size_t length;
    kern_return_t kr;

    kr = UNIX_CALL(unix_tty_name(unix_port, fd, name));

    if (kr != KERN_SUCCESS) {
        return unix_errno(kr);
    }

    length = strlen(name) + 1;

    if (length > size) {
        return ERANGE;
    }

    memcpy(buf, name, length);
    return 0;
}

char *
ttyname(int fd)
{
    static unix_name_t name;
    int error = ttyname_r(fd, name, sizeof(name));

    if (error != 0) {
        errno = error;
        return NULL;
    }

    return name;
}

static int
tty_getsize(int fd, struct winsize *size)
{
    return unix_result(
        UNIX_CALL(unix_tty_getsize(unix_port, fd, (unix_winsize_t *)size)));
}

static int
tty_setsize(int fd, const struct winsize *size)
{
    unix_winsize_t request = { size->ws_row, size->ws_col, size->ws_xpixel,
                               size->ws_ypixel };

    return unix_result(UNIX_CALL(unix_tty_setsize(unix_port, fd, request)));
}

static int
tty_control(int fd, boolean_t acquire)
{
    return unix_result(UNIX_CALL(unix_tty_control(unix_port, fd, acquire)));
}

static int
file_available(int fd, int *countp)
{
    int64_t size;
    kern_return_t kr;

    kr = UNIX_CALL(unix_available(unix_port, fd, &size));

    if (kr == KERN_SUCCESS) {
        *countp = (int)size;
    }

    return unix_result(kr);
}

int
ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *argument;
    int result;

    va_start(args, request);
    argument = va_arg(args, void *);
    va_end(args);

    switch (request) {
    case TIOCGWINSZ:
        return tty_getsize(fd, argument);
    case TIOCSWINSZ:
        return tty_setsize(fd, argument);
    case TIOCGPGRP:
        result = tcgetpgrp(fd);
        break;
    case TIOCSPGRP:
        return tcsetpgrp(fd, *(const int *)argument);
    case TIOCGSID:
        result = tcgetsid(fd);
        break;
    case TIOCSCTTY:
        return tty_control(fd, TRUE);
    case TIOCNOTTY:
        return tty_control(fd, FALSE);
    case FIONREAD:
        return file_available(fd, argument);
    default:
        errno = ENOTTY;
        return -1;
    }

    if (result < 0) {
        return -1;
    }

    *(int *)argument = result;
    return 0;
}
