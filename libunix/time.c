/* SPDX-License-Identifier: MIT */
/*
 * Time. The clock is read from the kernel's clock page without a trap; only
 * waiting and the use of the processor are asked of the server.
 */

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include <mach/clock_page.h>
#include <unix/unix_process.h>

#include "call.h"

#define NS_PER_S 1000000000L
#define NS_PER_US 1000L

_Static_assert(sizeof(struct rusage) == sizeof(unix_rusage_t), "ABI");

static uint64_t
time_stamp(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low | ((uint64_t)high << 32);
}

/* Nanoseconds since the start, and the offset to those since 1970. */
static int64_t
time_uptime(int64_t *offsetp)
{
    const struct mach_clock_page *page = unix_clock;
    uint32_t sequence;
    uint64_t delta, uptime;

    for (;;) {
        sequence = page->sequence;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        delta = time_stamp() - page->tsc_base;
        uptime =
            page->uptime_base +
            (uint64_t)(((unsigned __int128)delta * page->mult) >> page->shift);
        *offsetp = page->realtime_offset;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);

        if ((sequence & 1) == 0 && page->sequence == sequence) {
            return (int64_t)uptime;
        }
    }
}

static struct timespec
time_spec(int64_t ns)
{
    return (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
}

int
clock_gettime(clockid_t clock, struct timespec *spec)
{
    struct rusage usage;
    int64_t offset, now;

    switch (clock) {
    case CLOCK_REALTIME:
        now = time_uptime(&offset);
        *spec = time_spec(now + offset);
        return 0;
    case CLOCK_MONOTONIC:
        *spec = time_spec(time_uptime(&offset));
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        if (getrusage(RUSAGE_SELF, &usage) != 0) {
            return -1;
        }

        now = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_PER_S +
              (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * NS_PER_US;
        *spec = time_spec(now);
        return 0;
    default:
        errno = EINVAL;
        return -1;
    }
}

int
clock_getres(clockid_t clock, struct timespec *spec)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
        clock != CLOCK_PROCESS_CPUTIME_ID) {
        errno = EINVAL;
        return -1;
    }

    if (spec != NULL) {
        *spec = time_spec((clock == CLOCK_PROCESS_CPUTIME_ID) ? NS_PER_US : 1);
    }

    return 0;
}

int
clock_settime(clockid_t clock, const struct timespec *spec)
{
    if (clock != CLOCK_REALTIME || spec->tv_nsec < 0 ||
        spec->tv_nsec >= NS_PER_S) {
        errno = EINVAL;
        return -1;
    }

    return unix_result(UNIX_CALL(
        unix_settime(unix_port, spec->tv_sec * NS_PER_S + spec->tv_nsec)));
}

int
gettimeofday(struct timeval *time, void *zone)
{
    struct timespec spec;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &spec);
    time->tv_sec = spec.tv_sec;
    time->tv_usec = spec.tv_nsec / NS_PER_US;
    return 0;
}

int
settimeofday(const struct timeval *time, const struct timezone *zone)
{
    struct timespec spec;

    (void)zone;
    TIMEVAL_TO_TIMESPEC(time, &spec);
    return clock_settime(CLOCK_REALTIME, &spec);
}

/* Returns an errno. `time` and what is left of it in nanoseconds. */
static int
time_sleep(clockid_t clock, int flags, const struct timespec *request,
           struct timespec *left)
{
    struct timespec begin, end;
    int64_t time, rest;
    kern_return_t kr;

    if (request->tv_nsec < 0 || request->tv_nsec >= NS_PER_S ||
        request->tv_sec < 0) {
        return EINVAL;
    }

    time = request->tv_sec > INT64_MAX / NS_PER_S - 1
               ? INT64_MAX
               : request->tv_sec * NS_PER_S + request->tv_nsec;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    kr = UNIX_CALL(unix_sleep(unix_port, clock, flags, time));

    if (kr == KERN_SUCCESS) {
        return 0;
    }

    if (left != NULL && flags == 0) {
        clock_gettime(CLOCK_MONOTONIC, &end);
        rest = time - (end.tv_sec - begin.tv_sec) * NS_PER_S -
               (end.tv_nsec - begin.tv_nsec);
        *left = time_spec((rest > 0) ? rest : 0);
    }

    return unix_errno(kr);
}

int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                struct timespec *left)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        return EINVAL;
    }

    return time_sleep(clock, flags & TIMER_ABSTIME, request, left);
}

int
nanosleep(const struct timespec *request, struct timespec *left)
{
    int error = time_sleep(CLOCK_MONOTONIC, 0, request, left);

    if (error != 0) {
        errno = error;
        return -1;
    }

    return 0;
}

int
getrusage(int who, struct rusage *usage)
{
    return unix_result(
        UNIX_CALL(unix_getrusage(unix_port, who, (unix_rusage_t *)usage)));
}

static clock_t
time_ticks(const struct timeval *time)
{
    return time->tv_sec * 100 + time->tv_usec / 10000;
}

clock_t
times(struct tms *tms)
{
    struct rusage self, children;
    int64_t offset;

    if (getrusage(RUSAGE_SELF, &self) != 0 ||
        getrusage(RUSAGE_CHILDREN, &children) != 0) {
        return -1;
    }

    tms->tms_utime = time_ticks(&self.ru_utime);
    tms->tms_stime = time_ticks(&self.ru_stime);
    tms->tms_cutime = time_ticks(&children.ru_utime);
    tms->tms_cstime = time_ticks(&children.ru_stime);
    return time_uptime(&offset) / (NS_PER_S / 100);
}

clock_t
clock(void)
{
    struct timespec spec;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spec) != 0) {
        return -1;
    }

    return spec.tv_sec * CLOCKS_PER_SEC + spec.tv_nsec / NS_PER_US;
}

static int64_t
time_from_timeval(const struct timeval *time)
{
    return time->tv_sec * NS_PER_S + time->tv_usec * NS_PER_US;
}

static struct timeval
time_to_timeval(int64_t ns)
{
    return (struct timeval){ ns / NS_PER_S, ns % NS_PER_S / NS_PER_US };
}

static int
timer_exchange(int which, const struct itimerval *value, struct itimerval *old)
{
    unix_itimer_t request = { 0, 0 };
    unix_itimer_t answer;
    kern_return_t kr;

    if (value != NULL) {
        if (value->it_value.tv_usec < 0 || value->it_value.tv_usec >= 1000000 ||
            value->it_interval.tv_usec < 0 ||
            value->it_interval.tv_usec >= 1000000) {
            errno = EINVAL;
            return -1;
        }

        request.value = time_from_timeval(&value->it_value);
        request.interval = time_from_timeval(&value->it_interval);
    }

    kr = UNIX_CALL(
        unix_itimer(unix_port, which, value != NULL, request, &answer));

    if (kr == KERN_SUCCESS && old != NULL) {
        old->it_value = time_to_timeval(answer.value);
        old->it_interval = time_to_timeval(answer.interval);
    }

    return unix_result(kr);
}

int
setitimer(int which, const struct itimerval *value, struct itimerval *old)
{
    return timer_exchange(which, value, old);
}

int
getitimer(int which, struct itimerval *value)
{
    return timer_exchange(which, NULL, value);
}

unsigned int
alarm(unsigned int seconds)
{
    struct itimerval value = { { 0, 0 }, { seconds, 0 } };
    struct itimerval old;

    if (setitimer(ITIMER_REAL, &value, &old) != 0) {
        return 0;
    }

    return (unsigned int)old.it_value.tv_sec + (old.it_value.tv_usec != 0);
}
