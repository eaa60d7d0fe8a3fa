/* SPDX-License-Identifier: MIT */
/*
 * Requests of ioctl(). A request's number holds the size of its argument in
 * bits 16-29 and its direction in bits 30 (in) and 31 (out), so that the
 * library can carry any of them without knowing it.
 */

#ifndef SYS_IOCTL_H
#define SYS_IOCTL_H

#include <sys/cdefs.h>

__BEGIN_DECLS

#define _IOC_IN 0x40000000UL
#define _IOC_OUT 0x80000000UL
#define _IOC_SIZE(request) (((request) >> 16) & 0x3fff)
#define _IOC(dir, group, num, size)                                            \
    ((dir) | ((unsigned long)(size) << 16) | ((group) << 8) | (num))
#define _IO(group, num) _IOC(0UL, group, num, 0)
#define _IOW(group, num, type) _IOC(_IOC_IN, group, num, sizeof(type))
#define _IOR(group, num, type) _IOC(_IOC_OUT, group, num, sizeof(type))
#define _IOWR(group, num, type)                                                \
    _IOC(_IOC_IN | _IOC_OUT, group, num, sizeof(type))

struct winsize {
    unsigned short ws_row;
    unsigned short ws_col;
    unsigned short ws_xpixel;
    unsigned short ws_ypixel;
};

#define TIOCGWINSZ _IOR('t', 1, struct winsize)
#define TIOCSWINSZ _IOW('t', 2, struct winsize)
#define TIOCGPGRP _IOR('t', 3, int)
#define TIOCSPGRP _IOW('t', 4, int)
#define TIOCGSID _IOR('t', 5, int)
#define TIOCSCTTY _IO('t', 6)
#define TIOCNOTTY _IO('t', 7)
#define FIONREAD _IOR('f', 1, int)

int ioctl(int, unsigned long, ...);

__END_DECLS

#endif /* SYS_IOCTL_H */
