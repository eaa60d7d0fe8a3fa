/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several descriptors, each with its own events.
 */

#ifndef POLL_H
#define POLL_H

#include <sys/cdefs.h>

__BEGIN_DECLS

#define POLLIN 0x0001
#define POLLPRI 0x0002
#define POLLOUT 0x0004
#define POLLERR 0x0008
#define POLLHUP 0x0010
#define POLLNVAL 0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200

typedef unsigned long nfds_t;

struct pollfd {
    int fd;
    short events;
    short revents;
};

int poll(struct pollfd *, nfds_t, int);

__END_DECLS

#endif /* POLL_H */
