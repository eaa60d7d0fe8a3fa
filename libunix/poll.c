/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several descriptors. select() is made of poll().
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>

#include <unix/unix_file.h>
#include <unix/unix_signal.h>

#include "call.h"

#define NS_PER_S 1000000000L

_Static_assert(sizeof(struct pollfd) == sizeof(unix_pollfd_t), "ABI");

/* ns negative: no end; mask null: no change. */
static int
poll_wait(struct pollfd *fds, nfds_t count, int64_t ns, const sigset_t *mask)
{
    sigset_t old = unix_tcb_self()->slot->mask;
    mach_msg_type_number_t result_count;
    int32_t ready;
    kern_return_t kr;

    if (count > UNIX_OPEN_MAX) {
        errno = EINVAL;
        return -1;
    }

    do {
        result_count = UNIX_OPEN_MAX;
        unix_enter();
        kr = unix_poll(unix_port, ns, mask != NULL, (mask != NULL) ? *mask : 0,
                       (unix_pollfd_t *)fds, (mach_msg_type_number_t)count,
                       &ready, (unix_pollfd_t *)fds, &result_count);
    } while (unix_leave(kr));

    if (mask != NULL && kr == UNIX_ERROR(EINTR)) {
        (void)UNIX_CALL(unix_signal_return(unix_port, old));
    }

    return (int)unix_value(kr, ready);
}

int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return poll_wait(fds, count,
                     (timeout < 0) ? -1 : (int64_t)timeout * 1000000, NULL);
}

static size_t
select_list(struct pollfd *list, int count, const fd_set *in, const fd_set *out,
            const fd_set *except)
{
    size_t length = 0;
    short events;

    for (int fd = 0; fd < count; fd++) {
        events = 0;
        events |= (in != NULL && FD_ISSET(fd, in)) ? POLLIN : 0;
        events |= (out != NULL && FD_ISSET(fd, out)) ? POLLOUT : 0;
        events |= (except != NULL && FD_ISSET(fd, except)) ? POLLPRI : 0;

        if (events != 0) {
            list[length] = (struct pollfd){ fd, events, 0 };
            length++;
        }
    }

    return length;
}

/* Returns 1 if the descriptor is in the set and stays there. */
static int
select_update(const struct pollfd *entry, short asked, short found, fd_set *set)
{
    if ((entry->events & asked) == 0) {
        return 0;
    }

    if ((entry->revents & found) != 0) {
        return 1;
    }

    FD_CLR(entry->fd, set);
    return 0;
}

static int
select_wait(int count, fd_set *in, fd_set *out, fd_set *except, int64_t ns,
            const sigset_t *mask)
{
    struct pollfd list[FD_SETSIZE];
    size_t length;
    int ready = 0;

    if (count < 0 || count > FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }

    length = select_list(list, count, in, out, except);

    if (poll_wait(list, length, ns, mask) < 0) {
        return -1;
    }

    for (size_t i = 0; i < length; i++) {
        if ((list[i].revents & POLLNVAL) != 0) {
            errno = EBADF;
            return -1;
        }
    }

    for (size_t i = 0; i < length; i++) {
        ready +=
            select_update(&list[i], POLLIN, POLLIN | POLLHUP | POLLERR, in);
        ready += select_update(&list[i], POLLOUT, POLLOUT | POLLERR, out);
        ready += select_update(&list[i], POLLPRI, POLLPRI, except);
    }

    return ready;
}

int
select(int count, fd_set *in, fd_set *out, fd_set *except,
       struct timeval *timeout)
{
    int64_t ns = -1;

    if (timeout != NULL) {
        if (timeout->tv_sec < 0 || timeout->tv_usec < 0 ||
            timeout->tv_usec >= 1000000) {
            errno = EINVAL;
            return -1;
        }

        ns = timeout->tv_sec * NS_PER_S + timeout->tv_usec * 1000;
    }

    return select_wait(count, in, out, except, ns, NULL);
}

int
pselect(int count, fd_set *in, fd_set *out, fd_set *except,
        const struct timespec *timeout, const sigset_t *mask)
{
    int64_t ns = -1;

    if (timeout != NULL) {
        if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
            timeout->tv_nsec >= NS_PER_S) {
            errno = EINVAL;
            return -1;
        }

        ns = timeout->tv_sec * NS_PER_S + timeout->tv_nsec;
    }

    return select_wait(count, in, out, except, ns, mask);
}
