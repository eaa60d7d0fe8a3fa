/* SPDX-License-Identifier: MIT */
/*
 * libmach's server loop and mach_msg: rights that nobody takes are destroyed,
 * clients that go away or lie do not stop a server, interruptions are hidden
 * or reported as the caller wishes (row 1 of the hazards).
 */

#include "tap.h"

#define SELF mach_task_self()
#define REQUEST_MAX 512

void *memset(void *to, int value, size_t size);

/* What the demux below does with the next request. */
static enum {
    ANSWER,      /* a simple reply */
    ANSWER_RICH, /* one with a right and memory */
    FAIL,        /* an error: the loop destroys the request */
    PARK,        /* MIG_NO_REPLY */
    UNKNOWN,     /* no such routine */
} plan;

static unsigned int served;
static mach_port_t parked;
static mach_msg_type_name_t parked_type;
static int parked_id;
static mach_port_t gift;

struct rich {
    mach_msg_header_t head;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t port;
    mach_msg_ool_descriptor_t memory;
    mach_msg_ool_ports_descriptor_t ports;
    char room[64];
};

#define RICH_SIZE 72u

static boolean_t
demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    static vm_address_t page;
    static mach_port_t names[1];
    struct rich *rich = (struct rich *)reply;

    served++;
    mig_reply_setup(request, reply);

    switch (plan) {
    case ANSWER:
        ((mig_reply_error_t *)reply)->RetCode = KERN_SUCCESS;
        return TRUE;
    case FAIL:
        ((mig_reply_error_t *)reply)->RetCode = KERN_FAILURE;
        return TRUE;
    case PARK:
        parked = request->msgh_remote_port;
        parked_type = MACH_MSGH_BITS_REMOTE(request->msgh_bits);
        parked_id = request->msgh_id;
        ((mig_reply_error_t *)reply)->RetCode = MIG_NO_REPLY;
        return TRUE;
    case UNKNOWN:
        return FALSE;
    case ANSWER_RICH:
        break;
    }

    (void)vm_allocate(SELF, &page, PAGE_SIZE, VM_FLAGS_ANYWHERE);
    (void)mach_port_insert_right(SELF, gift, gift, MACH_MSG_TYPE_MAKE_SEND);
    names[0] = gift;
    memset(&rich->body, 0, RICH_SIZE - sizeof(rich->head));
    reply->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    reply->msgh_size = RICH_SIZE;
    rich->body.msgh_descriptor_count = 3;
    rich->port.name = gift;
    rich->port.disposition = MACH_MSG_TYPE_MOVE_SEND;
    rich->port.type = MACH_MSG_PORT_DESCRIPTOR;
    rich->memory.address = page;
    rich->memory.size = PAGE_SIZE;
    rich->memory.deallocate = TRUE;
    rich->memory.type = MACH_MSG_OOL_DESCRIPTOR;
    rich->ports.address = (vm_address_t)names;
    rich->ports.count = 1;
    rich->ports.disposition = MACH_MSG_TYPE_MAKE_SEND;
    rich->ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    return TRUE;
}

static mach_port_urefs_t
refs_of(mach_port_t name, mach_port_right_t right)
{
    mach_port_urefs_t refs = 0;

    return mach_port_get_refs(SELF, name, right, &refs) == KERN_SUCCESS ? refs
                                                                        : 0;
}

/* -- Requests -------------------------------------------------------------- */

static struct rich m;

/* A request that brings one of each kind of descriptor. */
static void
request_rich(mach_port_t server, mach_port_t reply)
{
    static mach_port_t names[2];

    names[0] = gift;
    names[1] = MACH_PORT_NULL;
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits =
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                       reply != 0 ? MACH_MSG_TYPE_MAKE_SEND_ONCE : 0) |
        MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = RICH_SIZE;
    m.head.msgh_remote_port = server;
    m.head.msgh_local_port = reply;
    m.head.msgh_id = 1000;
    m.body.msgh_descriptor_count = 3;
    m.port.name = gift;
    m.port.disposition = MACH_MSG_TYPE_MAKE_SEND;
    m.port.type = MACH_MSG_PORT_DESCRIPTOR;
    m.memory.address = (vm_address_t)&names;
    m.memory.size = sizeof(names);
    m.memory.type = MACH_MSG_OOL_DESCRIPTOR;
    m.ports.address = (vm_address_t)names;
    m.ports.count = 2;
    m.ports.disposition = MACH_MSG_TYPE_MAKE_SEND;
    m.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
}

static mach_msg_return_t
send(void)
{
    return mach_msg(&m.head, MACH_SEND_MSG, m.head.msgh_size, 0, 0, 0, 0);
}

static mach_msg_return_t
receive(mach_port_t port)
{
    memset(&m, 0, sizeof(m));
    return mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                    port, 2000, 0);
}

static mach_msg_return_t
serve_once(mach_port_t server)
{
    return mach_msg_server_once(demux, REQUEST_MAX, server, MACH_RCV_TIMEOUT,
                                0);
}

static kern_return_t
reply_code(void)
{
    return ((mig_reply_error_t *)(void *)&m)->RetCode;
}

static void
errors_destroy(mach_port_t server, mach_port_t reply)
{
    mach_port_urefs_t refs = refs_of(gift, MACH_PORT_RIGHT_SEND);

    is(serve_once(server), MACH_RCV_TIMED_OUT, "nothing to serve");
    plan = FAIL;
    request_rich(server, reply);
    is(send(), MACH_MSG_SUCCESS, "a request that brings much");
    is(serve_once(server), MACH_MSG_SUCCESS, "is served, and fails");
    is(refs_of(gift, MACH_PORT_RIGHT_SEND), refs, "its rights are destroyed");
    is(receive(reply), MACH_MSG_SUCCESS, "the error is sent");
    is(reply_code(), KERN_FAILURE, "as it was returned");
    is(m.head.msgh_id, 1100, "with the reply's id");

    plan = UNKNOWN;
    request_rich(server, reply);
    is(send(), MACH_MSG_SUCCESS, "a request that nobody knows");
    is(serve_once(server), MACH_MSG_SUCCESS, "is served");
    is(refs_of(gift, MACH_PORT_RIGHT_SEND), refs, "its rights are destroyed");
    is(receive(reply), MACH_MSG_SUCCESS, "an error is sent");
    is(reply_code(), MIG_BAD_ID, "that says so");

    plan = FAIL;
    request_rich(server, MACH_PORT_NULL);
    is(send(), MACH_MSG_SUCCESS, "a request without a reply port");
    is(serve_once(server), MACH_MSG_SUCCESS, "is served");
    is(refs_of(gift, MACH_PORT_RIGHT_SEND), refs, "its rights are destroyed");
}

static void
dead_clients(mach_port_t server)
{
    mach_port_urefs_t refs = refs_of(gift, MACH_PORT_RIGHT_SEND);
    mach_port_t reply = mach_reply_port();

    plan = ANSWER_RICH;
    request_rich(server, reply);
    m.head.msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = 24;
    is(send(), MACH_MSG_SUCCESS, "a client that calls");
    (void)mach_port_mod_refs(SELF, reply, MACH_PORT_RIGHT_RECEIVE, -1);
    is(serve_once(server), MACH_MSG_SUCCESS, "and dies is served");
    is(refs_of(gift, MACH_PORT_RIGHT_SEND), refs,
       "the reply's rights are destroyed");

    /* A reply port that is full must not stop the server. */
    reply = guest_port();
    (void)mach_port_set_qlimit(SELF, reply, 1);

    for (int i = 0; i < 3; i++) {
        request_rich(server, reply);
        m.head.msgh_bits =
            MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_size = 24;
        is(send(), MACH_MSG_SUCCESS, "a client that does not listen");
        is(serve_once(server), MACH_MSG_SUCCESS, "does not stop a server");
    }

    (void)mach_port_destroy(SELF, reply);
    is(refs_of(gift, MACH_PORT_RIGHT_SEND), refs, "nothing is left of it");
}

static void
parking(mach_port_t server, mach_port_t reply)
{
    plan = PARK;
    request_rich(server, reply);
    m.head.msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = 24;
    is(send(), MACH_MSG_SUCCESS, "a call that waits");
    is(serve_once(server), MACH_MSG_SUCCESS, "is parked");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), reply,
                0, 0),
       MACH_RCV_TIMED_OUT, "no answer yet");
    mig_reply_error(parked, parked_type, parked_id, 4711);
    is(receive(reply), MACH_MSG_SUCCESS, "the answer");
    is(reply_code(), 4711, "comes later");
    is(m.head.msgh_id, 1100, "with the right id");

    request_rich(server, reply);
    m.head.msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = 24;
    is(send(), MACH_MSG_SUCCESS, "a call that is forgotten");
    is(serve_once(server), MACH_MSG_SUCCESS, "is parked");
    is(mach_port_deallocate(SELF, parked), KERN_SUCCESS, "and dropped");
    is(receive(reply), MACH_MSG_SUCCESS, "the client hears");
    is(m.head.msgh_id, MACH_NOTIFY_SEND_ONCE, "that nobody will answer");
}

static void
too_large(mach_port_t server, mach_port_t reply)
{
    static struct {
        mach_msg_header_t head;
        char bytes[20000];
    } large;

    plan = ANSWER;
    large.head.msgh_bits =
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    large.head.msgh_size = sizeof(large);
    large.head.msgh_remote_port = server;
    large.head.msgh_local_port = reply;
    is(mach_msg(&large.head, MACH_SEND_MSG, sizeof(large), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "a request larger than any routine's");
    is(serve_once(server), MACH_RCV_TOO_LARGE, "is not served");
    is(receive(reply), MACH_MSG_SUCCESS, "the client hears");
    is(m.head.msgh_id, MACH_NOTIFY_SEND_ONCE, "that nobody will answer");
}

/* -- Interruptions --------------------------------------------------------- */

static mach_port_t abort_port;
static volatile uint32_t abort_result;
static mach_msg_option_t abort_option;

static void
wait_for_message(void *argument)
{
    struct {
        mach_msg_header_t head;
        char room[64];
    } got;

    (void)argument;
    abort_result = (uint32_t)mach_msg(&got.head, MACH_RCV_MSG | abort_option, 0,
                                      sizeof(got), abort_port, 0, 0);
    (void)gsync_wake(SELF, (uint32_t *)&abort_result, 0, GSYNC_BROADCAST);
}

static uint32_t
abort_wait(void)
{
    for (int i = 0; i < 100 && abort_result == 1; i++) {
        (void)gsync_wait(SELF, &abort_result, 1, 20, GSYNC_TIMED);
    }

    return abort_result;
}

static void
interruptions(void)
{
    mach_port_t thread;

    abort_port = guest_port();
    abort_result = 1;
    abort_option = MACH_RCV_INTERRUPT;
    thread = guest_thread(wait_for_message, NULL);
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    is(thread_abort(thread), KERN_SUCCESS, "a receive is interrupted");
    is(abort_wait(), MACH_RCV_INTERRUPTED, "and says so if it is asked to");
    (void)mach_port_deallocate(SELF, thread);

    abort_result = 1;
    abort_option = 0;
    thread = guest_thread(wait_for_message, NULL);
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    is(thread_abort(thread), KERN_SUCCESS, "a receive is interrupted");
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 20);
    is(abort_result, 1, "and begun again");
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    m.head.msgh_size = 24;
    m.head.msgh_remote_port = abort_port;
    is(send(), MACH_MSG_SUCCESS, "a message");
    is(abort_wait(), MACH_MSG_SUCCESS, "is received");
    (void)mach_port_deallocate(SELF, thread);
    (void)mach_port_destroy(SELF, abort_port);
}

static void
all(void)
{
    mach_port_t server = guest_port(), reply = mach_reply_port();

    gift = guest_port();
    errors_destroy(server, reply);
    dead_clients(server);
    parking(server, reply);
    too_large(server, reply);
    (void)mach_port_destroy(SELF, server);
    (void)mach_port_destroy(SELF, reply);
    (void)mach_port_destroy(SELF, gift);
}

void
guest_main(void)
{
    struct guest_counts before;

    interruptions();
    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "the server loop");
    ok(served != 0, "%u requests were served", served);
}
