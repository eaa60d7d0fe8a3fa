/* SPDX-License-Identifier: MIT */
/*
 * What a process may ask about the system, and the limits it has.
 */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <unix/unix_process.h>

#include "call.h"

#define SYSTEM_RELEASE "0.1"

_Static_assert(sizeof(struct rlimit) == sizeof(unix_rlimit_t), "ABI");

int
gethostname(char *name, size_t size)
{
    unix_name_t answer;
    kern_return_t kr;

    kr = UNIX_CALL(unix_gethostname(unix_port, answer));

    if (kr != KERN_SUCCESS) {
        return (int)unix_fail(kr);
    }

    if (strlen(answer) >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }

    strcpy(name, answer);
    return 0;
}

int
sethostname(const char *name, size_t size)
{
    unix_name_t request;

    if (size > UNIX_HOST_NAME_MAX) {
        errno = EINVAL;
        return -1;
    }

    memcpy(request, name, size);
    request[size] = '\0';
    return unix_result(UNIX_CALL(unix_sethostname(unix_port, request)));
}

int
uname(struct utsname *name)
{
    memset(name, 0, sizeof(*name));
    strcpy(name->sysname, "Portolan");
    strcpy(name->release, SYSTEM_RELEASE);
    strcpy(name->version, "Portolan " SYSTEM_RELEASE);
    strcpy(name->machine, "x86_64");
    return gethostname(name->nodename, sizeof(name->nodename));
}

int
getrlimit(int resource, struct rlimit *limit)
{
    return unix_result(
        UNIX_CALL(unix_getrlimit(unix_port, resource, (unix_rlimit_t *)limit)));
}

int
setrlimit(int resource, const struct rlimit *limit)
{
    unix_rlimit_t request = { limit->rlim_cur, limit->rlim_max };

    return unix_result(UNIX_CALL(unix_setrlimit(unix_port, resource, request)));
}

int
getpriority(int which, id_t who)
{
    int32_t priority;
    kern_return_t kr;

    kr = UNIX_CALL(unix_getpriority(unix_port, which, (int)who, &priority));
    return (int)unix_value(kr, priority);
}

int
setpriority(int which, id_t who, int priority)
{
    return unix_result(
        UNIX_CALL(unix_setpriority(unix_port, which, (int)who, priority)));
}

int
nice(int increment)
{
    int priority = getpriority(PRIO_PROCESS, 0) + increment;

    if (setpriority(PRIO_PROCESS, 0, priority) != 0) {
        if (errno == EACCES) {
            errno = EPERM;
        }

        return -1;
    }

    return getpriority(PRIO_PROCESS, 0);
}

void
sync(void)
{
    (void)UNIX_CALL(unix_sync(unix_port));
}

static long
system_limit(int resource)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return -1;
    }

    return (long)limit.rlim_cur;
}

int
getdtablesize(void)
{
    return (int)system_limit(RLIMIT_NOFILE);
}

int
getpagesize(void)
{
    return PAGESIZE;
}

struct system_value {
    int name;
    long value;
};

static const struct system_value system_values[] = {
    { _SC_ARG_MAX, ARG_MAX },
    { _SC_CLK_TCK, 100 },
    { _SC_NGROUPS_MAX, NGROUPS_MAX },
    { _SC_JOB_CONTROL, 1 },
    { _SC_SAVED_IDS, 1 },
    { _SC_VERSION, _POSIX_VERSION },
    { _SC_PAGESIZE, PAGESIZE },
    { _SC_NPROCESSORS_CONF, 1 },
    { _SC_NPROCESSORS_ONLN, 1 },
    { _SC_TZNAME_MAX, _POSIX_TZNAME_MAX },
    { _SC_RTSIG_MAX, RTSIG_MAX },
    { _SC_FSYNC, _POSIX_FSYNC },
    { _SC_REALTIME_SIGNALS, _POSIX_REALTIME_SIGNALS },
    { _SC_TIMERS, -1 },
    { _SC_TTY_NAME_MAX, TTY_NAME_MAX },
    { _SC_LOGIN_NAME_MAX, LOGIN_NAME_MAX },
    { _SC_GETGR_R_SIZE_MAX, 2048 },
    { _SC_GETPW_R_SIZE_MAX, 1024 },
    { _SC_ATEXIT_MAX, 32 },
    { _SC_BC_BASE_MAX, BC_BASE_MAX },
    { _SC_BC_DIM_MAX, BC_DIM_MAX },
    { _SC_BC_SCALE_MAX, BC_SCALE_MAX },
    { _SC_BC_STRING_MAX, BC_STRING_MAX },
    { _SC_COLL_WEIGHTS_MAX, COLL_WEIGHTS_MAX },
    { _SC_CPUTIME, _POSIX_CPUTIME },
    { _SC_EXPR_NEST_MAX, EXPR_NEST_MAX },
    { _SC_HOST_NAME_MAX, HOST_NAME_MAX },
    { _SC_IOV_MAX, IOV_MAX },
    { _SC_LINE_MAX, LINE_MAX },
    { _SC_MONOTONIC_CLOCK, _POSIX_MONOTONIC_CLOCK },
    { _SC_REGEXP, _POSIX_REGEXP },
    { _SC_RE_DUP_MAX, RE_DUP_MAX },
    { _SC_SHELL, _POSIX_SHELL },
    { _SC_THREAD_SAFE_FUNCTIONS, _POSIX_THREAD_SAFE_FUNCTIONS },
    { _SC_SPAWN, _POSIX_SPAWN },
    { _SC_SYMLOOP_MAX, SYMLOOP_MAX },
    { _SC_STREAM_MAX, UNIX_OPEN_MAX },
    { _SC_V7_LP64_OFF64, 1 },
    { _SC_XOPEN_VERSION, 700 },
    { _SC_2_VERSION, _POSIX2_VERSION },
};

/* A name that is known but has no limit gives -1 and leaves errno alone. */
long
sysconf(int name)
{
    switch (name) {
    case _SC_OPEN_MAX:
        return system_limit(RLIMIT_NOFILE);
    case _SC_CHILD_MAX:
        return -1;
    default:
        break;
    }

    for (size_t i = 0; i < sizeof(system_values) / sizeof(system_values[0]);
         i++) {
        if (system_values[i].name == name) {
            return system_values[i].value;
        }
    }

    if (name < 0 || name > _SC_POSIX_26_VERSION) {
        errno = EINVAL;
    }

    return -1;
}

long
fpathconf(int fd, int name)
{
    (void)fd;

    switch (name) {
    case _PC_LINK_MAX:
        return UNIX_LINK_MAX;
    case _PC_MAX_CANON:
        return MAX_CANON;
    case _PC_MAX_INPUT:
        return MAX_INPUT;
    case _PC_NAME_MAX:
        return NAME_MAX;
    case _PC_PATH_MAX:
        return PATH_MAX;
    case _PC_PIPE_BUF:
        return PIPE_BUF;
    case _PC_CHOWN_RESTRICTED:
    case _PC_NO_TRUNC:
    case _PC_2_SYMLINKS:
    case _PC_TIMESTAMP_RESOLUTION:
        return 1;
    case _PC_VDISABLE:
        return 0;
    case _PC_FILESIZEBITS:
        return 64;
    case _PC_SYMLINK_MAX:
        return PATH_MAX - 1;
    default:
        if (name < 0 || name > _PC_TIMESTAMP_RESOLUTION) {
            errno = EINVAL;
        }

        return -1;
    }
}

long
pathconf(const char *path, int name)
{
    if (access(path, F_OK) != 0) {
        return -1;
    }

    return fpathconf(-1, name);
}

size_t
confstr(int name, char *buf, size_t size)
{
    static const char path[] = "/bin:/usr/bin";

    if (name != _CS_PATH) {
        errno = EINVAL;
        return 0;
    }

    if (size != 0) {
        strlcpy(buf, path, size);
    }

    return sizeof(path);
}
