/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait. Waking only marks a call; call_run() attempts it when the
 * request that woke it is done. So an attempt never runs inside another
 * object's code, and however long the chain of who wakes whom, the stack is
 * not.
 */

#include <stdlib.h>

#include <mach/mach.h>

#include "call.h"
#include "process.h"
#include "signal_delivery.h"

static struct list call_ready = { &call_ready, &call_ready };

static void
call_schedule(struct call *call)
{
    if (list_empty(&call->run_link)) {
        list_insert_tail(&call_ready, &call->run_link);
    }
}

void
wait_queue_wake(struct wait_queue *queue)
{
    struct list *link;

    list_for_each(&queue->links, link)
    {
        call_schedule(list_entry(link, struct wait_link, link)->call);
    }
}

static void
call_end(struct call *call, int error)
{
    if (call->ops->end != NULL) {
        call->ops->end(call, error);
    } else {
        call_answer(call, error);
    }

    call_destroy(call);
}

static void
call_expire(struct timer *timer)
{
    call_end(list_entry(timer, struct call, timer), 0);
}

int
call_check_signals(const struct process *process, int error)
{
    return signal_waits(process) ? error : 0;
}

void *
call_create(size_t size, const struct call_ops *ops, struct process *process,
            const struct reply *reply)
{
    struct call *call;

    call = calloc(1, size);

    if (call == NULL) {
        return NULL;
    }

    call->ops = ops;
    call->process = process;
    call->reply = *reply;
    call->interrupted = EINTR;
    call->wait.call = call;
    list_init(&call->wait.link);
    list_init(&call->run_link);
    timer_init(&call->timer, call_expire);
    list_insert_tail(&process->calls, &call->process_link);
    return call;
}

void
call_wait(struct call *call, struct wait_link *link, struct wait_queue *queue)
{
    link->call = call;
    list_insert_tail(&queue->links, &link->link);
}

void
call_wait_end(struct wait_link *link)
{
    list_remove(&link->link);
}

void
call_timeout(struct call *call, uint64_t deadline)
{
    /* Without memory for the timer, better early than never. */
    if (deadline != UINT64_MAX && !timer_set(&call->timer, deadline)) {
        call_schedule(call);
    }
}

void
call_answer(struct call *call, int error)
{
    mig_reply_error(call->reply.port, call->reply.type, call->reply.id,
                    unix_result(error));
    call_answered(call);
}

void
call_destroy(struct call *call)
{
    if (call->ops->release != NULL) {
        call->ops->release(call);
    }

    if (MACH_PORT_VALID(call->reply.port)) {
        (void)syscall_mach_port_deallocate(mach_task_self(), call->reply.port);
    }

    timer_cancel(&call->timer);
    call_wait_end(&call->wait);
    list_remove(&call->run_link);
    list_remove(&call->process_link);
    free(call);
}

void
call_interrupt_all(struct process *process)
{
    while (!list_empty(&process->calls)) {
        struct call *call =
            list_first_entry(&process->calls, struct call, process_link);

        call_end(call, call->interrupted);
    }
}

void
call_destroy_all(struct process *process)
{
    while (!list_empty(&process->calls)) {
        call_destroy(
            list_first_entry(&process->calls, struct call, process_link));
    }
}

bool
call_run(void)
{
    bool any = false;

    while (!list_empty(&call_ready)) {
        struct call *call =
            list_first_entry(&call_ready, struct call, run_link);

        list_remove(&call->run_link);

        any = true;

        if (call->ops->attempt(call)) {
            call_destroy(call);
        }
    }

    return any;
}
