/* SPDX-License-Identifier: MIT */
/*
 * thread_abort and thread_abort_safely: what each ends, what it leaves, and
 * when it refuses.
 */

#include "tap.h"

#define SELF mach_task_self()

enum what {
    RECEIVE,
    SEND,
    GSYNC,
    SLEEP,
    BREAKPOINT,
    COMPUTE
};

struct worker {
    struct mach_thread *thread;
    enum what what;
    mach_port_t port;
    long result;
    volatile uint32_t word;
};

static struct worker worker;

static void *
worker_run(void *argument)
{
    struct worker *self = argument;
    struct {
        mach_msg_header_t head;
        char room[64];
    } m = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
                  .msgh_remote_port = self->port },
    };

    switch (self->what) {
    case RECEIVE:
        self->result = mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_INTERRUPT, 0,
                                sizeof(m), self->port, 0, 0);
        break;
    case SEND:
        self->result = mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_INTERRUPT,
                                sizeof(m.head), 0, 0, 0, 0);
        break;
    case GSYNC:
        self->result = gsync_wait(SELF, &self->word, 0, 0, 0);
        break;
    case SLEEP:
        self->result = thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 60000);
        break;
    case BREAKPOINT:
        __asm__ volatile("int3");
        self->result = 1;
        break;
    case COMPUTE:
        while (self->word == 0) {
        }

        self->result = 2;
        break;
    }

    return NULL;
}

static void
start(enum what what, mach_port_t port)
{
    worker.what = what;
    worker.port = port;
    worker.result = -1;
    worker.word = 0;

    if (mach_thread_create(worker_run, &worker, 0, &worker.thread) !=
        KERN_SUCCESS) {
        tap_bail("no thread");
    }

    if (what == COMPUTE) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    } else {
        guest_until_waiting(worker.thread->port);
    }
}

static void
ends(long result, const char *what)
{
    mach_thread_join(worker.thread, NULL);
    is(worker.result, result, "%s", what);
}

typedef kern_return_t (*abort_fn_t)(mach_port_t thread);

static const abort_fn_t both[] = { thread_abort, thread_abort_safely };

/* What both do alike: waits that can be begun anew. */
static void
waits(void)
{
    mach_port_t port = guest_port();
    mach_msg_header_t head;

    for (int i = 0; i < 2; i++) {
        start(RECEIVE, port);
        is(both[i](worker.thread->port), KERN_SUCCESS, "abort a receive");
        ends(MACH_RCV_INTERRUPTED, "it was interrupted");

        start(SLEEP, port);
        is(both[i](worker.thread->port), KERN_SUCCESS, "abort a sleep");
        ends(KERN_SUCCESS, "it is over");

        start(GSYNC, port);
        is(both[i](worker.thread->port), KERN_SUCCESS, "abort a wait");
        ends(KERN_ABORTED, "it was interrupted");
    }

    do {
        head = (mach_msg_header_t){
            .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
            .msgh_remote_port = port,
        };
    } while (mach_msg(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(head), 0,
                      0, 0, 0) == MACH_MSG_SUCCESS);

    for (int i = 0; i < 2; i++) {
        start(SEND, port);
        is(both[i](worker.thread->port), KERN_SUCCESS, "abort a send");
        ends(MACH_SEND_INTERRUPTED, "it was interrupted");
    }

    (void)mach_port_destroy(SELF, port);
}

/* Suspended and aborted, a thread has the registers that it will have. */
static void
registers(void)
{
    mach_port_t port = guest_port();
    x86_thread_state64_t state = { 0 };
    mach_msg_type_number_t count;

    for (int i = 0; i < 2; i++) {
        start(RECEIVE, port);
        is(thread_suspend(worker.thread->port), KERN_SUCCESS, "suspend it");
        is(both[i](worker.thread->port), KERN_SUCCESS, "abort its receive");
        count = x86_THREAD_STATE64_COUNT;
        is(thread_get_state(worker.thread->port, x86_THREAD_STATE64,
                            (thread_state_t)&state, &count),
           KERN_SUCCESS, "its registers");
        is((int)state.rax, MACH_RCV_INTERRUPTED, "have the result");
        is(worker.result, -1, "which it has not seen yet");
        is(both[i](worker.thread->port), KERN_SUCCESS, "once more: nothing");
        is(thread_resume(worker.thread->port), KERN_SUCCESS, "let it go on");
        ends(MACH_RCV_INTERRUPTED, "now it has");
    }

    (void)mach_port_destroy(SELF, port);
}

/* A thread that computes is not in the kernel: nothing is aborted, and its
 * next wait is not either. */
static void
computing(void)
{
    mach_port_t port = guest_port();

    for (int i = 0; i < 2; i++) {
        start(COMPUTE, port);
        is(both[i](worker.thread->port), KERN_SUCCESS, "nothing to abort");
        is(thread_suspend(worker.thread->port), KERN_SUCCESS, "suspend it");
        is(both[i](worker.thread->port), KERN_SUCCESS, "still nothing");
        worker.word = 1;
        is(thread_resume(worker.thread->port), KERN_SUCCESS, "let it go on");
        ends(2, "it was not disturbed");
    }

    (void)mach_port_destroy(SELF, port);
}

/* An exception that nobody has answered yet can't be begun anew. */
static void
exception(void)
{
    mach_port_t port = guest_port();
    struct {
        mach_msg_header_t head;
        char room[512];
    } m;

    is(task_set_exception_ports(SELF, EXC_MASK(EXC_BREAKPOINT), port,
                                EXCEPTION_DEFAULT, x86_THREAD_STATE64),
       KERN_SUCCESS, "breakpoints come here");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 1), KERN_SUCCESS,
       "the right is still needed");
    start(BREAKPOINT, port);
    is(thread_abort_safely(worker.thread->port), KERN_FAILURE,
       "not where it can be begun anew");
    is(thread_suspend(worker.thread->port), KERN_SUCCESS, "suspend it");
    is(thread_abort_safely(worker.thread->port), KERN_FAILURE, "nor now");
    is(thread_resume(worker.thread->port), KERN_SUCCESS, "resume it");
    is(worker.result, -1, "it waits for its handler");
    is(thread_abort(worker.thread->port), KERN_SUCCESS,
       "abort it all the same");
    ends(1, "it went on behind the breakpoint");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port, 0,
                0),
       MACH_MSG_SUCCESS, "the message of the exception");
    mach_msg_destroy(&m.head);
    is(task_set_exception_ports(SELF, EXC_MASK(EXC_BREAKPOINT), MACH_PORT_NULL,
                                EXCEPTION_DEFAULT, x86_THREAD_STATE64),
       KERN_SUCCESS, "no more");
    (void)mach_port_destroy(SELF, port);
}

static void
errors(void)
{
    mach_port_t task = 0, thread = 0;

    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(thread_create(task, &thread), KERN_SUCCESS, "a thread");

    for (int i = 0; i < 2; i++) {
        is(both[i](mach_thread_port()), KERN_SUCCESS, "oneself: nothing");
        is(both[i](SELF), KERN_INVALID_ARGUMENT, "what is no thread");
        is(both[i](thread), KERN_SUCCESS, "one that never ran");
    }

    is(task_terminate(task), KERN_SUCCESS, "they end");

    for (int i = 0; i < 2; i++) {
        ok(both[i](thread) != KERN_SUCCESS, "one that has ended");
    }

    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_deallocate(SELF, thread);
}

static void
all(void)
{
    waits();
    registers();
    computing();
    exception();
    errors();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "thread_abort");
}
