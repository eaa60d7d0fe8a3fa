/* SPDX-License-Identifier: MIT */
/* Processes: waiting, limits, use of resources, timers. */

#ifndef UNIX_PROCESS_H
#define UNIX_PROCESS_H

#include <stdint.h>

/* unix_wait */
#define UNIX_WNOHANG 1
#define UNIX_WUNTRACED 2
#define UNIX_WCONTINUED 8

/* The status that it gives. */
#define UNIX_STATUS_EXITED(code) (((code)&0xff) << 8)
#define UNIX_STATUS_SIGNALED(sig) ((sig)&0x7f)
#define UNIX_STATUS_STOPPED(sig) ((((sig)&0xff) << 8) | 0x7f)
#define UNIX_STATUS_CONTINUED 0xffff

/* struct rusage of <sys/resource.h>. */
struct unix_rusage {
    int64_t utime_sec;
    int64_t utime_usec;
    int64_t stime_sec;
    int64_t stime_usec;
    int64_t counts[14]; /* from ru_maxrss to ru_nivcsw */
};

#define UNIX_RUSAGE_SELF 0
#define UNIX_RUSAGE_CHILDREN (-1)

struct unix_rlimit {
    uint64_t cur;
    uint64_t max;
};

#define UNIX_RLIM_INFINITY (~0UL)
#define UNIX_RLIMIT_CPU 0
#define UNIX_RLIMIT_FSIZE 1
#define UNIX_RLIMIT_DATA 2
#define UNIX_RLIMIT_STACK 3
#define UNIX_RLIMIT_CORE 4
#define UNIX_RLIMIT_NOFILE 7
#define UNIX_RLIMIT_AS 9
#define UNIX_RLIMITS 16

/* unix_itimer; times in nanoseconds, 0: off. */
#define UNIX_ITIMER_REAL 0

struct unix_itimer {
    int64_t value;
    int64_t interval;
};

/* unix_sleep */
#define UNIX_CLOCK_REALTIME 1
#define UNIX_CLOCK_MONOTONIC 4
#define UNIX_TIMER_ABSTIME 4

/* unix_reboot */
#define UNIX_REBOOT_RESTART 0
#define UNIX_REBOOT_POWEROFF 1

_Static_assert(sizeof(struct unix_rusage) == 144, "ABI");

#endif /* UNIX_PROCESS_H */
