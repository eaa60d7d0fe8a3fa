/* SPDX-License-Identifier: MIT */
/* The routines of unix_signal.defs, and the kernel's exception messages. */

#include <string.h>

#include <mach/mach.h>

#include <unix/unix_exception_server.h>
#include <unix/unix_reply.h>
#include <unix/unix_signal_server.h>

#include "call.h"
#include "process.h"
#include "signal_delivery.h"

#define SIGNAL_VERSION 1

kern_return_t
do_unix_signal_version(process_t process, uint32_t *version)
{
    (void)process;
    *version = SIGNAL_VERSION;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_signal_setup(process_t process, uint64_t trampoline)
{
    process->trampoline = trampoline;
    return KERN_SUCCESS;
}

static bool
signal_valid(int signo)
{
    return signo > 0 && signo < UNIX_NSIG;
}

kern_return_t
do_unix_signal_action(process_t process, int32_t signo, boolean_t set,
                      unix_sigaction_t action, unix_sigaction_t *old_action)
{
    struct signal_state *signals = &process->signals;

    if (!signal_valid(signo)) {
        return unix_result(EINVAL);
    }

    *old_action = signals->actions[signo];

    if (!set) {
        return KERN_SUCCESS;
    }

    if (!signal_state_set_action(signals, signo, &action)) {
        return unix_result(EINVAL);
    }

    signal_deliver(process);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_signal_mask(process_t process, int32_t how, uint64_t mask,
                    uint64_t *old_mask)
{
    uint64_t old = process->signals.mask;

    *old_mask = old;

    switch (how) {
    case UNIX_SIG_BLOCK:
        mask |= old;
        break;
    case UNIX_SIG_UNBLOCK:
        mask = old & ~mask;
        break;
    case UNIX_SIG_SETMASK:
        break;
    case UNIX_SIG_QUERY:
        return KERN_SUCCESS;
    default:
        return unix_result(EINVAL);
    }

    signal_state_set_mask(&process->signals, mask);
    signal_deliver(process);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_signal_pending(process_t process, uint64_t *pending)
{
    *pending = process->signals.pending;
    return KERN_SUCCESS;
}

kern_return_t
do_unix_signal_altstack(process_t process, uint64_t sp, boolean_t set,
                        unix_sigstack_t stack, unix_sigstack_t *old_stack)
{
    struct unix_sigstack *own = &process->signals.stack;
    bool inside = signal_state_on_stack(&process->signals, sp);

    *old_stack = *own;

    if (inside) {
        old_stack->flags |= UNIX_SS_ONSTACK;
    }

    if (!set) {
        return KERN_SUCCESS;
    }

    if (inside) {
        return unix_result(EPERM);
    }

    if ((stack.flags & ~UNIX_SS_DISABLE) != 0) {
        return unix_result(EINVAL);
    }

    if ((stack.flags & UNIX_SS_DISABLE) == 0 &&
        (stack.size < UNIX_MINSIGSTKSZ || stack.sp + stack.size < stack.sp)) {
        return unix_result(ENOMEM);
    }

    *own = stack;
    return KERN_SUCCESS;
}

/* -- Taking signals -------------------------------------------------------- */

static void
siginfo_fill(unix_siginfo_t *to, const struct signal_info *from)
{
    memset(to, 0, sizeof(*to));
    to->signo = from->signo;
    to->code = from->code;
    to->status = from->status;
    to->pid = from->pid;
    to->uid = from->uid;
    to->addr = from->addr;
    to->value = from->value;
}

kern_return_t
do_unix_signal_take(process_t process, unix_siginfo_t *info,
                    unix_sigaction_t *action, uint64_t *old_mask)
{
    struct signal_info taken;
    int signo;

    memset(info, 0, sizeof(*info));
    memset(action, 0, sizeof(*action));
    *old_mask = process->signals.mask;
    signo = signal_next_caught(process);

    if (signo != 0) {
        signal_state_take(&process->signals, signo, &taken);
        siginfo_fill(info, &taken);
        signal_state_enter(&process->signals, signo, action);
    }

    signal_publish(process);
    return KERN_SUCCESS;
}

kern_return_t
do_unix_signal_return(process_t process, uint64_t mask)
{
    signal_state_set_mask(&process->signals, mask);
    signal_deliver(process);
    return KERN_SUCCESS;
}

/* -- Sending --------------------------------------------------------------- */

/* May one process send this signal to another? */
static bool
send_allowed(const struct process *from, const struct process *to, int signo)
{
    const struct credentials *a = &from->cred;
    const struct credentials *b = &to->cred;

    return credentials_root(a) || a->uid == b->uid || a->euid == b->uid ||
           a->uid == b->suid || a->euid == b->suid ||
           (signo == UNIX_SIGCONT &&
            from->group->session == to->group->session);
}

struct send {
    struct process *from;
    struct signal_info info;
    uint32_t found;
    uint32_t sent;
};

static void
send_one(struct process *to, void *argument)
{
    struct send *send = argument;

    send->found++;

    if (!send_allowed(send->from, to, send->info.signo)) {
        return;
    }

    send->sent++;

    if (send->info.signo != 0) {
        signal_post(to, &send->info);
    }
}

/* kill(-1): all but the first process and oneself. */
static void
send_other(struct process *to, void *argument)
{
    struct send *send = argument;

    if (to != process_init && to != send->from) {
        send_one(to, argument);
    }
}

static void
send_group(int pgid, struct send *send)
{
    struct group *group = group_lookup(pgid);
    struct list *link;

    if (group == NULL) {
        return;
    }

    /* Nobody leaves the group meanwhile: a signal only dooms. */
    list_for_each(&group->members, link)
    {
        send_one(list_entry(link, struct process, group_link), send);
    }
}

static int
signal_send(process_t process, int pid, int signo, int code, uint64_t value)
{
    struct send send = {
        .from = process,
        .info = {
            .signo = signo,
            .code = code,
            .pid = process->pid,
            .uid = process->cred.uid,
            .value = value,
        },
    };

    if (signo != 0 && !signal_valid(signo)) {
        return EINVAL;
    }

    if (pid > 0) {
        struct process *to = process_lookup(pid);

        if (to != NULL) {
            send_one(to, &send);
        }
    } else if (pid == -1) {
        process_for_each(send_other, &send);
    } else {
        send_group(pid == 0 ? process->group->pgid : -pid, &send);
    }

    if (send.found == 0) {
        return ESRCH;
    }

    return send.sent == 0 ? EPERM : 0;
}

kern_return_t
do_unix_signal_send(process_t process, int32_t pid, int32_t signo)
{
    return unix_result(signal_send(process, pid, signo, UNIX_SI_USER, 0));
}

kern_return_t
do_unix_signal_queue(process_t process, int32_t pid, int32_t signo,
                     uint64_t value)
{
    struct process *to = process_lookup(pid);

    if (pid <= 0) {
        return unix_result(EINVAL);
    }

    if (to != NULL && to->signals.queued >= SIGNAL_QUEUE_MAX) {
        return unix_result(EAGAIN);
    }

    return unix_result(signal_send(process, pid, signo, UNIX_SI_QUEUE, value));
}

/* -- Waiting --------------------------------------------------------------- */

static bool
suspend_attempt(struct call *call)
{
    call_answer(call, EINTR);
    return true;
}

static const struct call_ops suspend_ops = {
    .attempt = suspend_attempt,
};

kern_return_t
do_unix_signal_suspend(process_t process, mach_port_t reply,
                       mach_msg_type_name_t replyPoly, uint64_t mask)
{
    struct reply where = reply_make(reply, replyPoly);
    struct call *call;

    signal_state_set_mask(&process->signals, mask);
    signal_deliver(process);

    if (signal_waits(process)) {
        return unix_result(EINTR);
    }

    call = call_create(sizeof(*call), &suspend_ops, process, &where);
    return call == NULL ? unix_result(EINTR) : MIG_NO_REPLY;
}

struct sigwait_call {
    struct call call;
    unix_sigset_t set;
};

static bool
sigwait_take(struct process *process, unix_sigset_t set, unix_siginfo_t *info)
{
    struct signal_info taken;
    int signo = signal_state_next(&process->signals, set);

    if (signo == 0) {
        return false;
    }

    signal_state_take(&process->signals, signo, &taken);
    siginfo_fill(info, &taken);
    signal_publish(process);
    return true;
}

static bool
sigwait_attempt(struct call *call)
{
    struct sigwait_call *wait = list_entry(call, struct sigwait_call, call);
    unix_siginfo_t info;

    if (!sigwait_take(call->process, wait->set, &info)) {
        return false;
    }

    (void)unix_signal_wait_reply(call->reply.port, call->reply.type,
                                 KERN_SUCCESS, info);
    call_answered(call);
    return true;
}

static void
sigwait_end(struct call *call, int error)
{
    call_answer(call, error == 0 ? EAGAIN : error);
}

static void
sigwait_release(struct call *call)
{
    call->process->signals.waited = 0;
}

static const struct call_ops sigwait_ops = {
    .attempt = sigwait_attempt,
    .end = sigwait_end,
    .release = sigwait_release,
};

kern_return_t
do_unix_signal_wait(process_t process, mach_port_t reply,
                    mach_msg_type_name_t replyPoly, uint64_t set,
                    int64_t timeout, unix_siginfo_t *info)
{
    struct reply where = reply_make(reply, replyPoly);
    struct sigwait_call *wait;
    int error;

    if (sigwait_take(process, set, info)) {
        return KERN_SUCCESS;
    }

    if (timeout == 0) {
        return unix_result(EAGAIN);
    }

    error = call_check_signals(process, EINTR);

    if (error != 0) {
        return unix_result(error);
    }

    wait = call_create(sizeof(*wait), &sigwait_ops, process, &where);

    if (wait == NULL) {
        return unix_result(ENOMEM);
    }

    wait->set = set;
    process->signals.waited = set;
    call_wait(&wait->call, &wait->call.wait, &process->signaled);

    if (timeout > 0) {
        call_timeout(&wait->call, clock_uptime() + (uint64_t)timeout);
    }

    return MIG_NO_REPLY;
}

/* -- Exceptions ------------------------------------------------------------ */

kern_return_t
catch_exception_raise_state(
    process_t process, exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    int64_t codes[EXCEPTION_CODE_MAX] = { 0, 0 };
    x86_thread_state64_t state;

    if (flavor != x86_THREAD_STATE64 ||
        old_stateCnt != x86_THREAD_STATE64_COUNT ||
        codeCnt > EXCEPTION_CODE_MAX) {
        return KERN_INVALID_ARGUMENT;
    }

    memcpy(codes, code, codeCnt * sizeof(codes[0]));
    memcpy(&state, old_state, sizeof(state));

    if (signal_exception(process, exception, codes, &state) != 0) {
        return KERN_FAILURE;
    }

    memcpy(new_state, &state, sizeof(state));
    *new_stateCnt = x86_THREAD_STATE64_COUNT;
    return KERN_SUCCESS;
}

/* The other forms are never asked for. */
kern_return_t
catch_exception_raise(process_t process, mach_port_t thread, mach_port_t task,
                      exception_type_t exception, mach_exception_data_t code,
                      mach_msg_type_number_t codeCnt)
{
    (void)process;
    (void)thread;
    (void)task;
    (void)exception;
    (void)code;
    (void)codeCnt;
    return KERN_FAILURE;
}

kern_return_t
catch_exception_raise_state_identity(
    process_t process, mach_port_t thread, mach_port_t task,
    exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    (void)process;
    (void)thread;
    (void)task;
    (void)exception;
    (void)code;
    (void)codeCnt;
    (void)flavor;
    (void)old_state;
    (void)old_stateCnt;
    (void)new_state;
    (void)new_stateCnt;
    return KERN_FAILURE;
}
