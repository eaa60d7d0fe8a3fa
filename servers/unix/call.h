/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait. A routine that can't answer at once keeps the reply port
 * in a call, which stands in the queues of whatever it waits for; no thread of
 * the server is tied up. When something changes there, the call is attempted
 * again; a signal, a timer or the death of the process ends it as well.
 *
 * A call is freed when it has been answered or dropped.
 */

#ifndef UNIX_CALL_H
#define UNIX_CALL_H

#include <mach/message.h>

#include "list.h"
#include "server.h"
#include "timer.h"

struct call;
struct process;

/* Calls that wait for a change of one thing. */
struct wait_queue {
    struct list links;
};

/* A call in one queue. */
struct wait_link {
    struct list link;
    struct call *call;
};

struct call_ops {
    /* Try again. True: it was answered. */
    bool (*attempt)(struct call *call);
    /* A signal, or the call's timer (error 0): answer. Null: the error is the
     * answer. */
    void (*end)(struct call *call, int error);
    /* Free what the call has beside the structure itself. May be null. */
    void (*release)(struct call *call);
};

/* Where to answer. */
struct reply {
    mach_port_t port;
    mach_msg_type_name_t type;
    mach_msg_id_t id; /* of the request */
};

/* Where the request that is being served is to be answered. */
struct reply reply_make(mach_port_t port, mach_msg_type_name_t type);

struct call {
    const struct call_ops *ops;
    struct process *process;
    struct list process_link; /* in process->calls */
    struct list run_link;     /* in the list of calls to attempt */
    struct reply reply;
    struct timer timer;
    struct wait_link wait; /* for calls that wait for one thing */
    int interrupted;       /* the error when a signal ends it */
};

static inline void
wait_queue_init(struct wait_queue *queue)
{
    list_init(&queue->links);
}

/* Attempt all calls in the queue, soon. */
void wait_queue_wake(struct wait_queue *queue);

/* May a call wait now? Not if a signal is there to be taken: the error that
 * it fails with. */
MUST_CHECK int call_check_signals(const struct process *process, int error);

/* Allocate a call of `size` bytes, the structure being its first member, and
 * make it one of the process's. Null: no memory. */
void *call_create(size_t size, const struct call_ops *ops,
                  struct process *process, const struct reply *reply);

void
call_wait(struct call *call, struct wait_link *link, struct wait_queue *queue);
void call_wait_end(struct wait_link *link);

/* End it at this time if nothing else does; UINT64_MAX: never. */
void call_timeout(struct call *call, uint64_t deadline);

/* Answer with an error, or with a success that has no results. The reply
 * right is gone then. */
void call_answer(struct call *call, int error);

/* The reply right was given to a reply routine. */
static inline void
call_answered(struct call *call)
{
    call->reply.port = MACH_PORT_NULL;
}

/* Free a call that was answered; drops the reply right of one that was not. */
void call_destroy(struct call *call);

/* A signal is there for the process: end all its calls. */
void call_interrupt_all(struct process *process);
void call_destroy_all(struct process *process);

/* Attempt the calls that something happened to. False: there was none. */
bool call_run(void);

#endif /* UNIX_CALL_H */
