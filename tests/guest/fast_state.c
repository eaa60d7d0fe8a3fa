/* SPDX-License-Identifier: MIT */
/*
 * What the message fast path leaves behind in threads and processor: links of
 * queues, and segment bases.
 */

#include "tap.h"

#define SELF mach_task_self()
#define THREAD_TERMINATE 3600 /* <mach/thread_act.defs> */

struct message {
    mach_msg_header_t head;
    uint64_t value;
    char room[64];
};

static mach_port_t served, other;
static volatile int go, result;

static mach_msg_return_t
call(mach_port_t server, mach_port_t reply, struct message *m)
{
    m->head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = server,
        .msgh_local_port = reply,
    };
    return mach_msg(&m->head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(*m),
                    reply, 0, 0);
}

static void
answer(struct message *m)
{
    m->head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
    m->head.msgh_local_port = MACH_PORT_NULL;
}

/* -- A wait that never begins ----------------------------------------------- */

/* Answers once, does not wait again, ends itself in a send and receive. */
static void
first(void *argument)
{
    mach_port_t thread = mach_thread_self();
    struct message m = { .head = { 0 } };

    (void)argument;
    (void)mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), served, 0, 0);
    answer(&m);
    (void)mach_msg(&m.head, MACH_SEND_MSG, 32, 0, 0, 0, 0);

    while (go == 0) {
        (void)swtch();
    }

    m.head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = thread,
        .msgh_id = THREAD_TERMINATE,
    };
    (void)mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(m.head),
                   sizeof(m), other, 0, 0);
}

static void
second(void *argument)
{
    struct message m = { .head = { 0 } };

    (void)argument;
    result = (int)mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                           sizeof(m), served, 3000, 0);
}

/* A thread to which the fast path gave a message, and which ends in a wait
 * that does not begin, leaves those alone that wait where it waited. */
static void
links(void)
{
    mach_port_t reply = guest_port(), one, two;
    struct message m;

    result = -1;
    served = guest_port();
    other = guest_port();
    one = guest_thread(first, NULL);
    guest_until_waiting(one);
    is(call(served, reply, &m), MACH_MSG_SUCCESS, "a call by the fast path");

    two = guest_thread(second, NULL);
    guest_until_waiting(two);
    go = 1;
    guest_thread_join(one);

    m.head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = served,
    };
    is(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m.head), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "a message to where the second waits");
    guest_thread_join(two);
    is(result, MACH_MSG_SUCCESS, "it is not forgotten there");
    (void)mach_port_destroy(SELF, served);
    (void)mach_port_destroy(SELF, other);
    (void)mach_port_destroy(SELF, reply);
}

/* -- Segment bases ---------------------------------------------------------- */

/* Answers with the first word of its thread control block: its own address. */
static void
base_server(mach_port_t parent)
{
    struct message m = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                              MACH_MSG_TYPE_MAKE_SEND),
                  .msgh_remote_port = parent,
                  .msgh_local_port = guest_port() },
    };
    mach_port_t port = m.head.msgh_local_port;
    mach_msg_return_t mr;

    mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(m), port, 0,
                  0);

    while (mr == MACH_MSG_SUCCESS) {
        answer(&m);
        __asm__ volatile("movq %%fs:0, %0" : "=r"(m.value));
        mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(m),
                      port, 0, 0);
    }
}

/* Call with the selector of fs loaded, which makes its base 0. */
static mach_msg_return_t
call_without_base(mach_port_t server, mach_port_t reply, struct message *m)
{
    void *base = mach_tcb_self();
    mach_msg_return_t mr;

    __asm__ volatile("movl %%ss, %%eax; movl %%eax, %%fs" ::: "eax");
    mr = call(server, reply, m);
    (void)thread_set_tls(base);
    return mr;
}

/* The server's base is the caller's, in another task: nobody may believe that
 * it is still loaded. */
static void
bases(void)
{
    mach_port_t port = guest_port(), reply = guest_port(), task;
    struct message m;

    task = guest_child(base_server, port, NULL);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                10000, 0),
       MACH_MSG_SUCCESS, "a server with the same base");
    served = m.head.msgh_remote_port;

    for (unsigned int i = 0; i < 3; i++) {
        is(call(served, reply, &m), MACH_MSG_SUCCESS, "a call");
        is(m.value, (uint64_t)(uintptr_t)mach_tcb_self(), "its base is ours");
        is(call_without_base(served, reply, &m), MACH_MSG_SUCCESS,
           "a call after our base was lost");
        is(m.value, (uint64_t)(uintptr_t)mach_tcb_self(), "it has its own");
    }

    is(task_terminate(task), KERN_SUCCESS, "the server ends");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_deallocate(SELF, served);
    (void)mach_port_destroy(SELF, port);
    (void)mach_port_destroy(SELF, reply);
}

/* -- Fairness --------------------------------------------------------------- */

static volatile uint64_t computed;
static volatile bool stop;

static void
compute(void *argument)
{
    (void)argument;

    while (!stop) {
        computed++;
    }
}

static void
serve(void *argument)
{
    struct message m;
    mach_msg_return_t mr;

    (void)argument;
    mr = mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), served, 0, 0);

    while (mr == MACH_MSG_SUCCESS) {
        answer(&m);
        mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, 32, sizeof(m),
                      served, 0, 0);
    }
}

static void
call_on(void *argument)
{
    struct message m;

    (void)argument;

    while (!stop && call(served, other, &m) == MACH_MSG_SUCCESS) {
    }
}

static void
pause_ms(mach_msg_timeout_t ms)
{
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, ms);
}

/* Two threads that hand the processor to one another all the time have no
 * more right to it than one that computes. */
static void
fairness(void)
{
    void (*const functions[])(void *) = { serve, call_on, compute };
    mach_port_t threads[3];
    uint64_t before;

    served = guest_port();
    other = guest_port();

    for (unsigned int i = 0; i < 3; i++) {
        threads[i] = guest_thread(functions[i], NULL);
        is(thread_priority(threads[i], THREAD_PRIORITY_USER), KERN_SUCCESS,
           "a user's priority");
    }

    pause_ms(300);
    before = computed;
    pause_ms(500);
    ok(computed > before, "who computes beside an RPC comes to run");
    stop = true;
    guest_thread_join(threads[2]);
    guest_thread_join(threads[1]);
    (void)mach_port_destroy(SELF, served);
    guest_thread_join(threads[0]);
    (void)mach_port_destroy(SELF, other);
}

void
guest_main(void)
{
    links();
    bases();
    fairness();
    tap_done();
}
