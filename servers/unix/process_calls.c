/* SPDX-License-Identifier: MIT */
/* The routines of unix_process.defs but fork, exec, exit and wait. */

#include <stdio.h>
#include <string.h>

#include <mach/mach.h>

#include <unix/unix_process_server.h>

#include "call.h"
#include "host.h"
#include "process.h"
#include "signal_delivery.h"

#define PROCESS_VERSION 1
#define NICE_MAX 19
#define NICE_MIN (-20)

kern_return_t
do_unix_process_version(process_t process, uint32_t *version)
{
    (void)process;
    *version = PROCESS_VERSION;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_null(process_t process)
{
    (void)process;
    return KERN_SUCCESS;
}

/* -- Groups and sessions --------------------------------------------------- */

/* The process that an argument means; 0 is the caller. Null: there is none. */
static struct process *
process_named(process_t process, int pid)
{
    struct process *other = pid == 0 ? process : process_lookup(pid);

    return other != NULL && other->state != PROCESS_ZOMBIE ? other : NULL;
}

kern_return_t
do_unix_getpgid(process_t process, int32_t pid, int32_t *pgid)
{
    struct process *other = process_named(process, pid);

    if (other == NULL) {
        return unix_result(ESRCH);
    }

    *pgid = other->group->pgid;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_getsid(process_t process, int32_t pid, int32_t *sid)
{
    struct process *other = process_named(process, pid);

    if (other == NULL) {
        return unix_result(ESRCH);
    }

    *sid = other->group->session->sid;
    return KERN_SUCCESS;
}

static int
setpgid_check(process_t process, struct process *other)
{
    if (other == NULL || (other != process && other->parent != process)) {
        return ESRCH;
    }

    if (other->group->session != process->group->session ||
        other->group->session->sid == other->pid) {
        return EPERM;
    }

    return other != process && other->execed ? EACCES : 0;
}

kern_return_t
do_unix_setpgid(process_t process, int32_t pid, int32_t pgid)
{
    struct process *other = process_named(process, pid);
    struct group *group;
    int error;

    if (pgid < 0) {
        return unix_result(EINVAL);
    }

    error = setpgid_check(process, other);

    if (error != 0) {
        return unix_result(error);
    }

    if (pgid == 0) {
        pgid = other->pid;
    }

    group = group_lookup(pgid);

    if (group != NULL && group->session == other->group->session) {
        group_join(other, group);
    } else if (group == NULL && pgid == other->pid) {
        error = group_create(other, other->group->session);
    } else {
        error = EPERM;
    }

    process_publish(other);
    return unix_result(error);
}

kern_return_t
do_unix_setsid(process_t process, int32_t *sid)
{
    int error;

    if (group_lookup(process->pid) != NULL) {
        return unix_result(EPERM);
    }

    error = session_create(process);

    if (error == 0) {
        process_publish(process);
        *sid = process->pid;
        error = process_identify(process, process->task, &process->cred);
    }

    return unix_result(error);
}

/* -- Credentials ----------------------------------------------------------- */

/* May a process that is not root's take this id? */
static bool
id_allowed(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved)
{
    return id == ~0u || id == real || id == effective || id == saved;
}

static uint32_t
id_or(uint32_t id, uint32_t old)
{
    return id == ~0u ? old : id;
}

/* First the kernel is told, which may fail. */
static int
process_set_credentials(struct process *process, const struct credentials *cred)
{
    int error = process_identify(process, process->task, cred);

    if (error == 0) {
        process->cred = *cred;
        process_publish(process);
    }

    return error;
}

kern_return_t
do_unix_setresuid(process_t process, uint32_t uid, uint32_t euid, uint32_t suid)
{
    const struct credentials *cred = &process->cred;
    struct credentials new;

    if (!credentials_root(cred) &&
        (!id_allowed(uid, cred->uid, cred->euid, cred->suid) ||
         !id_allowed(euid, cred->uid, cred->euid, cred->suid) ||
         !id_allowed(suid, cred->uid, cred->euid, cred->suid))) {
        return unix_result(EPERM);
    }

    new = *cred;
    new.uid = id_or(uid, cred->uid);
    new.euid = id_or(euid, cred->euid);
    new.suid = id_or(suid, cred->suid);
    return unix_result(process_set_credentials(process, &new));
}

kern_return_t
do_unix_setresgid(process_t process, uint32_t gid, uint32_t egid, uint32_t sgid)
{
    const struct credentials *cred = &process->cred;
    struct credentials new;

    if (!credentials_root(cred) &&
        (!id_allowed(gid, cred->gid, cred->egid, cred->sgid) ||
         !id_allowed(egid, cred->gid, cred->egid, cred->sgid) ||
         !id_allowed(sgid, cred->gid, cred->egid, cred->sgid))) {
        return unix_result(EPERM);
    }

    new = *cred;
    new.gid = id_or(gid, cred->gid);
    new.egid = id_or(egid, cred->egid);
    new.sgid = id_or(sgid, cred->sgid);
    return unix_result(process_set_credentials(process, &new));
}

kern_return_t
do_unix_getgroups(process_t process, unix_gid_array_t groups,
                  mach_msg_type_number_t *groupsCnt)
{
    uint32_t count = process->cred.group_count;

    memcpy(groups, process->cred.groups, count * sizeof(groups[0]));
    *groupsCnt = count;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_setgroups(process_t process, unix_gid_array_t groups,
                  mach_msg_type_number_t groupsCnt)
{
    if (!credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    if (groupsCnt > UNIX_GROUPS_MAX) {
        return unix_result(EINVAL);
    }

    memcpy(process->cred.groups, groups, groupsCnt * sizeof(groups[0]));
    process->cred.group_count = groupsCnt;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_umask(process_t process, uint32_t mask, uint32_t *old_mask)
{
    *old_mask = process->umask;
    process->umask = mask & 0777;
    process_publish(process);
    return KERN_SUCCESS;
}

/* -- Limits and usage ------------------------------------------------------ */

kern_return_t
do_unix_getrlimit(process_t process, int32_t resource, unix_rlimit_t *limit)
{
    if (resource < 0 || resource >= UNIX_RLIMITS) {
        return unix_result(EINVAL);
    }

    *limit = process->limits[resource];
    return KERN_SUCCESS;
}

kern_return_t
do_unix_setrlimit(process_t process, int32_t resource, unix_rlimit_t limit)
{
    struct unix_rlimit *old;

    if (resource < 0 || resource >= UNIX_RLIMITS || limit.cur > limit.max) {
        return unix_result(EINVAL);
    }

    old = &process->limits[resource];

    if (limit.max > old->max && !credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    *old = limit;

    if (resource == UNIX_RLIMIT_AS) {
        process_limit_memory(process, process->task);
    }

    return KERN_SUCCESS;
}

kern_return_t
do_unix_getrusage(process_t process, int32_t who, unix_rusage_t *rusage)
{
    switch (who) {
    case UNIX_RUSAGE_SELF:
        process_usage(process, rusage);
        return KERN_SUCCESS;
    case UNIX_RUSAGE_CHILDREN:
        *rusage = process->children_usage;
        return KERN_SUCCESS;
    default:
        return unix_result(EINVAL);
    }
}

/* 0: the process; 1: a group; 2: a user. Only the first is kept apart. */
kern_return_t
do_unix_getpriority(process_t process, int32_t which, int32_t who,
                    int32_t *priority)
{
    struct process *other = process_named(process, who);

    if (which < 0 || which > 2) {
        return unix_result(EINVAL);
    }

    if (which != 0) {
        other = process;
    }

    if (other == NULL) {
        return unix_result(ESRCH);
    }

    *priority = other->nice;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_setpriority(process_t process, int32_t which, int32_t who,
                    int32_t priority)
{
    struct process *other = process_named(process, who);

    if (which != 0) {
        return unix_result(EINVAL);
    }

    if (other == NULL) {
        return unix_result(ESRCH);
    }

    if (!credentials_root(&process->cred)) {
        if (process->cred.euid != other->cred.uid) {
            return unix_result(EPERM);
        }

        if (priority < other->nice) {
            return unix_result(EACCES);
        }
    }

    priority = priority > NICE_MAX ? NICE_MAX : priority;
    priority = priority < NICE_MIN ? NICE_MIN : priority;
    other->nice = priority;

    /* The kernel's priorities above the usual one are for servers. */
    if (priority >= 0) {
        (void)task_priority(other->task, THREAD_PRIORITY_USER - priority, TRUE);
    }

    return KERN_SUCCESS;
}

/* -- Time ------------------------------------------------------------------ */

kern_return_t
do_unix_itimer(process_t process, int32_t which, boolean_t set,
               unix_itimer_t value, unix_itimer_t *old_value)
{
    uint64_t now = clock_uptime();
    uint64_t deadline = process->alarm.deadline;

    if (which != UNIX_ITIMER_REAL || value.value < 0 || value.interval < 0) {
        return unix_result(EINVAL);
    }

    old_value->interval = (int64_t)process->alarm_interval;
    old_value->value = 0;

    if (process->alarm.index != 0) {
        /* Not 0, which would mean that it is off. */
        old_value->value = deadline > now ? (int64_t)(deadline - now) : 1;
    }

    if (!set) {
        return KERN_SUCCESS;
    }

    process->alarm_interval = (uint64_t)value.interval;

    if (value.value == 0) {
        timer_cancel(&process->alarm);
    } else if (!timer_set(&process->alarm, now + (uint64_t)value.value)) {
        return unix_result(ENOMEM);
    }

    return KERN_SUCCESS;
}

static bool
sleep_attempt(struct call *call)
{
    /* Only for want of memory for its timer. */
    call_answer(call, 0);
    return true;
}

static const struct call_ops sleep_call_ops = {
    .attempt = sleep_attempt,
};

/* The uptime at which a sleep ends. */
static int
sleep_deadline(int clock, int flags, int64_t time, uint64_t *deadlinep)
{
    uint64_t now = clock_uptime();

    if (clock != UNIX_CLOCK_REALTIME && clock != UNIX_CLOCK_MONOTONIC) {
        return EINVAL;
    }

    if ((flags & UNIX_TIMER_ABSTIME) == 0) {
        *deadlinep = time > 0 ? now + (uint64_t)time : now;
        return 0;
    }

    if (clock == UNIX_CLOCK_REALTIME) {
        time -= clock_realtime() - (int64_t)now;
    }

    *deadlinep = time > 0 ? (uint64_t)time : 0;
    return 0;
}

kern_return_t
do_unix_sleep(process_t process, mach_port_t reply,
              mach_msg_type_name_t replyPoly, int32_t clock, int32_t flags,
              int64_t time)
{
    struct reply where = reply_make(reply, replyPoly);
    struct call *call;
    uint64_t deadline;
    int error;

    error = sleep_deadline(clock, flags, time, &deadline);

    if (error == 0) {
        error = call_check_signals(process, EINTR);
    }

    if (error != 0) {
        return unix_result(error);
    }

    if (deadline <= clock_uptime()) {
        return KERN_SUCCESS;
    }

    call = call_create(sizeof(*call), &sleep_call_ops, process, &where);

    if (call == NULL) {
        return unix_result(ENOMEM);
    }

    call_timeout(call, deadline);
    return MIG_NO_REPLY;
}

kern_return_t
do_unix_settime(process_t process, int64_t time)
{
    if (!credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    return unix_result(time < 0 ? EINVAL : host_set_clock(time));
}

/* -- The machine ----------------------------------------------------------- */

static char process_host_name[UNIX_HOST_NAME_MAX + 1] = "portolan";

kern_return_t
do_unix_gethostname(process_t process, unix_name_t name)
{
    (void)process;
    strcpy(name, process_host_name);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_sethostname(process_t process, unix_name_t name)
{
    if (!credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    if (strlen(name) > UNIX_HOST_NAME_MAX) {
        return unix_result(EINVAL);
    }

    strcpy(process_host_name, name);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_sync(process_t process)
{
    (void)process;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_reboot(process_t process, int32_t how)
{
    if (!credentials_root(&process->cred)) {
        return unix_result(EPERM);
    }

    if (how != UNIX_REBOOT_RESTART && how != UNIX_REBOOT_POWEROFF) {
        return unix_result(EINVAL);
    }

    return unix_result(host_stop(how == UNIX_REBOOT_POWEROFF));
}
