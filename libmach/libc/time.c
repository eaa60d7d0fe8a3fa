/* SPDX-License-Identifier: MIT */
/* Time for servers: the kernel's clock, and waiting. */

#include <errno.h>
#include <sys/time.h>
#include <time.h>

#include <mach/mach.h>

#define NSEC_PER_MSEC 1000000L
#define MSEC_MAX 1000000000L

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    time_value_t now;

    (void)zone;

    if (host_get_time(mach_host_self(), &now) != KERN_SUCCESS) {
        errno = EINVAL;
        return -1;
    }

    tv->tv_sec = now.seconds;
    tv->tv_usec = (suseconds_t)now.microseconds;
    return 0;
}

int
nanosleep(const struct timespec *time, struct timespec *left)
{
    if (time->tv_nsec < 0 || time->tv_nsec >= 1000 * NSEC_PER_MSEC ||
        time->tv_sec < 0 || time->tv_sec > MSEC_MAX / 1000) {
        errno = EINVAL;
        return -1;
    }

    (void)thread_switch(
        MACH_PORT_NULL, SWITCH_OPTION_WAIT,
        (mach_msg_timeout_t)(time->tv_sec * 1000 +
                             (time->tv_nsec + NSEC_PER_MSEC - 1) /
                                 NSEC_PER_MSEC));

    if (left != NULL) {
        left->tv_sec = 0;
        left->tv_nsec = 0;
    }

    return 0;
}
