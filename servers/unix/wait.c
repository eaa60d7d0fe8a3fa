/* SPDX-License-Identifier: MIT */
/* exit and wait. */

#include <string.h>

#include <mach/mach.h>

#include <unix/unix_process_server.h>
#include <unix/unix_reply.h>

#include "call.h"
#include "process.h"

struct wait_call {
    struct call call;
    int which;
    int options;
};

struct wait_result {
    int pid;
    int status;
    struct unix_rusage usage;
};

kern_return_t
do_unix_exit(process_t process, int32_t code)
{
    process_doom(process, UNIX_STATUS_EXITED(code));
    return KERN_SUCCESS;
}

static bool
wait_matches(const struct process *process, const struct process *child,
             int which)
{
    if (which == -1) {
        return true;
    }

    if (which > 0) {
        return child->pid == which;
    }

    return child->group->pgid == (which == 0 ? process->group->pgid : -which);
}

/* Has the child something to tell? */
static bool
wait_report(struct process *child, int options, struct wait_result *result)
{
    if (child->state == PROCESS_ZOMBIE) {
        result->status = child->status;
        return true;
    }

    if ((options & UNIX_WUNTRACED) != 0 && child->stop_report) {
        child->stop_report = false;
        result->status = UNIX_STATUS_STOPPED(child->status);
        return true;
    }

    if ((options & UNIX_WCONTINUED) != 0 && child->continue_report) {
        child->continue_report = false;
        result->status = UNIX_STATUS_CONTINUED;
        return true;
    }

    return false;
}

/* ECHILD: none to wait for. EAGAIN: none has anything to tell. */
static int
wait_scan(struct process *process, int which, int options,
          struct wait_result *result)
{
    struct list *link;
    int error = ECHILD;

    list_for_each(&process->children, link)
    {
        struct process *child = list_entry(link, struct process, sibling_link);

        if (!wait_matches(process, child, which)) {
            continue;
        }

        error = EAGAIN;

        if (!wait_report(child, options, result)) {
            continue;
        }

        result->pid = child->pid;
        process_usage(child, &result->usage);
        process_usage_add(&result->usage, &child->children_usage);

        if (child->state == PROCESS_ZOMBIE) {
            process_usage_add(&process->children_usage, &result->usage);
            process_destroy(child);
        }

        return 0;
    }

    return error;
}

static bool
wait_attempt(struct call *call)
{
    struct wait_call *wait = list_entry(call, struct wait_call, call);
    struct wait_result result;
    int error;

    error = wait_scan(call->process, wait->which, wait->options, &result);

    if (error == EAGAIN) {
        return false;
    }

    if (error != 0) {
        call_answer(call, error);
        return true;
    }

    (void)unix_wait_reply(call->reply.port, call->reply.type, KERN_SUCCESS,
                          result.pid, result.status, result.usage);
    call_answered(call);
    return true;
}

static const struct call_ops wait_call_ops = {
    .attempt = wait_attempt,
};

static int
wait_park(struct process *process, const struct reply *reply, int which,
          int options)
{
    struct wait_call *wait;
    int error;

    error = call_check_signals(process, UNIX_ERESTART);

    if (error != 0) {
        return error;
    }

    wait = call_create(sizeof(*wait), &wait_call_ops, process, reply);

    if (wait == NULL) {
        return ENOMEM;
    }

    wait->call.interrupted = UNIX_ERESTART;
    wait->which = which;
    wait->options = options;
    call_wait(&wait->call, &wait->call.wait, &process->child_changed);
    return 0;
}

kern_return_t
do_unix_wait(process_t process, mach_port_t reply,
             mach_msg_type_name_t replyPoly, int32_t which, int32_t options,
             int32_t *pid, int32_t *status, unix_rusage_t *rusage)
{
    struct reply where = reply_make(reply, replyPoly);
    struct wait_result result;
    int error;

    memset(&result, 0, sizeof(result));
    error = wait_scan(process, which, options, &result);

    if (error == EAGAIN && (options & UNIX_WNOHANG) == 0) {
        error = wait_park(process, &where, which, options);

        if (error == 0) {
            return MIG_NO_REPLY;
        }
    } else if (error == EAGAIN) {
        error = 0;
    }

    *pid = result.pid;
    *status = result.status;
    *rusage = result.usage;
    return unix_result(error);
}
