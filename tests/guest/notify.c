/* SPDX-License-Identifier: MIT */
/* Every notification: asked for, replaced, cancelled, sent, not forged. */

#include "tap.h"

#define SELF mach_task_self()

void *memset(void *to, int value, size_t size);

/* What any notification is. */
struct notification {
    mach_msg_header_t head;
    union {
        struct {
            mach_port_name_t name;
        } simple;
        struct {
            mach_msg_body_t body;
            mach_msg_port_descriptor_t port;
        } complex;
    };
    char room[64];
};

static struct notification n;
static mach_port_t notify;

static mach_msg_return_t
receive_from(mach_port_t port)
{
    memset(&n, 0, sizeof(n));
    return mach_msg(&n.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(n),
                    port, 0, 0);
}

static void
expect(mach_msg_id_t id, const char *what)
{
    is(receive_from(notify), MACH_MSG_SUCCESS, "told: %s", what);
    is(n.head.msgh_id, id, "its id");
    ok((n.head.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0, "from the kernel");
}

static void
expect_nothing(const char *what)
{
    is(receive_from(notify), MACH_RCV_TIMED_OUT, "nothing told: %s", what);
}

static kern_return_t
request(mach_port_t port, mach_msg_id_t id, natural_t sync)
{
    mach_port_t previous = 1;
    kern_return_t kr;

    kr = mach_port_request_notification(
        SELF, port, id, sync, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);

    if (kr == KERN_SUCCESS && previous != MACH_PORT_NULL) {
        (void)mach_port_deallocate(SELF, previous);
    }

    return kr;
}

static void
no_senders(void)
{
    mach_port_t port = guest_port();

    is(request(port, MACH_NOTIFY_NO_SENDERS, 1), KERN_SUCCESS, "ask");
    expect_nothing("there is a sender");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, 5), KERN_SUCCESS,
       "more references");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -5), KERN_SUCCESS,
       "less");
    expect_nothing("one is left");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -1), KERN_SUCCESS,
       "the last send right goes");
    expect(MACH_NOTIFY_NO_SENDERS, "no senders");
    is(n.simple.name, 1, "with the make-send count");
    expect_nothing("only once");

    is(request(port, MACH_NOTIFY_NO_SENDERS, 2), KERN_SUCCESS,
       "ask for a count that is not reached");
    expect_nothing("the count is 1");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "a second send right is made");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS, "and goes");
    expect(MACH_NOTIFY_NO_SENDERS, "no senders");

    is(request(port, MACH_NOTIFY_NO_SENDERS, 0), KERN_SUCCESS,
       "ask when there are none");
    expect(MACH_NOTIFY_NO_SENDERS, "at once");
    (void)mach_port_destroy(SELF, port);
}

static void
dead_name(void)
{
    mach_port_t port = guest_port();
    mach_port_urefs_t refs = 0;
    mach_port_type_t type = 0;

    is(request(port, MACH_NOTIFY_DEAD_NAME, 0), KERN_SUCCESS, "ask");
    is(mach_port_type(SELF, port, &type), KERN_SUCCESS, "the type");
    ok((type & MACH_PORT_TYPE_DNREQUEST) != 0, "shows the request");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "the port dies");
    expect(MACH_NOTIFY_DEAD_NAME, "a dead name");
    is(n.simple.name, port, "which one");
    is(mach_port_get_refs(SELF, port, MACH_PORT_RIGHT_DEAD_NAME, &refs),
       KERN_SUCCESS, "references");
    is(refs, 2, "the notification brought one");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_DEAD_NAME, -2),
       KERN_SUCCESS, "drop them");

    port = guest_port();
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "a port that is dead");
    is(request(port, MACH_NOTIFY_DEAD_NAME, 0), KERN_INVALID_ARGUMENT,
       "too late to ask");
    expect(MACH_NOTIFY_SEND_ONCE, "the right that was made for it");
    is(request(port, MACH_NOTIFY_DEAD_NAME, 1), KERN_SUCCESS,
       "unless it may be told at once");
    expect(MACH_NOTIFY_DEAD_NAME, "a dead name");
    (void)mach_port_destroy(SELF, port);
}

static void
deleted(void)
{
    mach_port_t port = guest_port();

    is(request(port, MACH_NOTIFY_DEAD_NAME, 0), KERN_SUCCESS, "ask");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "destroy the name");
    is(receive_from(notify), MACH_MSG_SUCCESS, "told");
    ok(n.head.msgh_id == MACH_NOTIFY_PORT_DELETED ||
           n.head.msgh_id == MACH_NOTIFY_DEAD_NAME,
       "the name is gone (%d)", n.head.msgh_id);
    expect_nothing("more");
}

static void
cancelled(void)
{
    mach_port_t port = guest_port(), previous = 0;

    is(request(port, MACH_NOTIFY_DEAD_NAME, 0), KERN_SUCCESS, "ask");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_DEAD_NAME, 0,
                                      MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_SUCCESS, "take it back");
    ok(MACH_PORT_VALID(previous), "the right comes back");
    is(mach_port_deallocate(SELF, previous), KERN_SUCCESS, "drop it");
    expect(MACH_NOTIFY_SEND_ONCE, "a right that was not used");
    (void)mach_port_destroy(SELF, port);
    expect_nothing("of its death");
}

static void
port_destroyed(void)
{
    mach_port_t port = guest_port();

    is(request(port, MACH_NOTIFY_PORT_DESTROYED, 0), KERN_SUCCESS, "ask");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "give the receive right up");
    is(receive_from(notify), MACH_MSG_SUCCESS, "told");
    is(n.head.msgh_id, MACH_NOTIFY_PORT_DESTROYED, "its id");
    is(n.complex.port.disposition, MACH_MSG_TYPE_PORT_RECEIVE, "it came back");
    is(n.complex.port.name, port, "under its name");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "now for good");
    expect_nothing("the request was used");
}

static void
port_destroyed_by_task(void)
{
    mach_port_t port = guest_port(), task;
    mach_port_name_t there = MACH_PORT_MAKE(0x300, 1);

    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(request(port, MACH_NOTIFY_PORT_DESTROYED, 0), KERN_SUCCESS, "ask");
    is(mach_port_insert_right(task, there, port, MACH_MSG_TYPE_MOVE_RECEIVE),
       KERN_SUCCESS, "it gets the receive right");
    is(task_terminate(task), KERN_SUCCESS, "and dies");
    is(mach_msg(&n.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(n), notify,
                5000, 0),
       MACH_MSG_SUCCESS, "told");
    is(n.head.msgh_id, MACH_NOTIFY_PORT_DESTROYED, "its id");
    is(n.complex.port.name, port, "the right comes back");
    is(mach_port_deallocate(SELF, task), KERN_SUCCESS, "forget the task");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "and the port");
}

/* A message that needs nothing but room. */
static mach_msg_return_t
send_plain(mach_port_t port, mach_msg_option_t option)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
        .msgh_remote_port = port,
    };
    mach_msg_return_t mr;

    mr = mach_msg(&head, MACH_SEND_MSG | option, sizeof(head), 0, 0, 0, 0);

    if (mr == MACH_SEND_TIMED_OUT) {
        /* The message came back, with the right that was made. */
        (void)mach_port_deallocate(SELF, port);
    }

    return mr;
}

static void
fill(mach_port_t port)
{
    while (send_plain(port, MACH_SEND_TIMEOUT) == MACH_MSG_SUCCESS) {
    }
}

static mach_port_type_t
requests_of(mach_port_t port)
{
    mach_port_type_t type = 0;

    (void)mach_port_type(SELF, port, &type);
    return type & (MACH_PORT_TYPE_DNREQUEST | MACH_PORT_TYPE_SPREQUEST |
                   MACH_PORT_TYPE_SPREQUEST_DELAYED);
}

static void
send_possible(void)
{
    mach_port_t port = guest_port();

    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_SUCCESS, "ask");
    is(requests_of(port),
       MACH_PORT_TYPE_SPREQUEST | MACH_PORT_TYPE_SPREQUEST_DELAYED,
       "the request shows");
    fill(port);
    is(receive_from(port), MACH_MSG_SUCCESS, "room for one");
    expect_nothing("nobody was refused who asked to be told");
    fill(port);
    is(send_plain(port, MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY),
       MACH_SEND_TIMED_OUT, "the queue is full");
    is(requests_of(port), MACH_PORT_TYPE_SPREQUEST, "the request is armed");
    expect_nothing("it still is");
    is(receive_from(port), MACH_MSG_SUCCESS, "room for one");
    expect(MACH_NOTIFY_SEND_POSSIBLE, "one can send");
    is(n.simple.name, port, "to which port");
    is(requests_of(port), 0, "the request was used");
    fill(port);
    is(send_plain(port, MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY),
       MACH_SEND_TIMED_OUT, "full again");
    is(receive_from(port), MACH_MSG_SUCCESS, "room for one");
    expect_nothing("once only");
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 1), KERN_SUCCESS,
       "ask when there is room");
    expect(MACH_NOTIFY_SEND_POSSIBLE, "at once");
    fill(port);
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 1), KERN_SUCCESS,
       "ask when there is none");
    is(requests_of(port), MACH_PORT_TYPE_SPREQUEST, "it is armed");
    is(mach_port_set_qlimit(SELF, port, 9), KERN_SUCCESS, "a higher limit");
    expect(MACH_NOTIFY_SEND_POSSIBLE, "one can send");
    (void)mach_port_destroy(SELF, port);
    expect_nothing("more");
}

/* Who waits for room has it before who asked to be told of it. */
static void *
waiting_sender(void *argument)
{
    (void)send_plain((mach_port_t)(uintptr_t)argument, 0);
    return NULL;
}

static void
send_possible_second_sender(void)
{
    mach_port_t port = guest_port();
    struct mach_thread *thread;

    fill(port);
    is(mach_thread_create(waiting_sender, (void *)(uintptr_t)port, 0, &thread),
       KERN_SUCCESS, "a sender");
    guest_until_waiting(thread->port);
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_SUCCESS, "ask");
    is(send_plain(port, MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY),
       MACH_SEND_TIMED_OUT, "the queue is full");
    is(receive_from(port), MACH_MSG_SUCCESS, "room for the one that waits");
    expect_nothing("it took the room");
    is(receive_from(port), MACH_MSG_SUCCESS, "room for another");
    expect(MACH_NOTIFY_SEND_POSSIBLE, "one can send");
    mach_thread_join(thread, NULL);
    (void)mach_port_destroy(SELF, port);
}

/* A sender that never waits in the kernel, and a receiver: every message
 * comes, and the sender is never left without a word. */
#define STREAM 3000

static void *
stream_receiver(void *argument)
{
    struct notification received;
    mach_port_t port = (mach_port_t)(uintptr_t)argument;
    uintptr_t count = 0;

    while (count < STREAM &&
           mach_msg(&received.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                    sizeof(received), port, 5000, 0) == MACH_MSG_SUCCESS) {
        count++;

        /* Long enough for the queue to fill. */
        if (count % 50 == 0) {
            (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 1);
        }
    }

    return (void *)count;
}

static void
send_possible_stream(void)
{
    mach_port_t port = guest_port();
    struct mach_thread *thread;
    unsigned int told = 0, sent = 0;
    void *count = NULL;

    is(mach_thread_create(stream_receiver, (void *)(uintptr_t)port, 0, &thread),
       KERN_SUCCESS, "a receiver");

    while (sent < STREAM) {
        (void)request(port, MACH_NOTIFY_SEND_POSSIBLE, 0);

        if (send_plain(port, MACH_SEND_TIMEOUT | MACH_SEND_NOTIFY) ==
            MACH_MSG_SUCCESS) {
            sent++;
        } else if (mach_msg(&n.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                            sizeof(n), notify, 5000, 0) != MACH_MSG_SUCCESS) {
            break;
        } else if (n.head.msgh_id == MACH_NOTIFY_SEND_POSSIBLE) {
            told++;
        }

        /* Requests that were replaced. */
        while (receive_from(notify) == MACH_MSG_SUCCESS) {
            told += n.head.msgh_id == MACH_NOTIFY_SEND_POSSIBLE;
        }
    }

    mach_thread_join(thread, &count);
    is(sent, STREAM, "all sent");
    is((uintptr_t)count, STREAM, "all received");
    ok(told > 0, "told %u times", told);
    (void)mach_port_destroy(SELF, port);
    (void)receive_from(notify);
}

static void
send_possible_death(void)
{
    mach_port_t port = guest_port(), previous = 0;

    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_SUCCESS, "ask");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "the port dies");
    expect(MACH_NOTIFY_DEAD_NAME, "its death");
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_INVALID_ARGUMENT,
       "too late to ask");
    expect(MACH_NOTIFY_SEND_ONCE, "the right that was made for it");
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 1), KERN_SUCCESS,
       "unless it may be told at once");
    expect(MACH_NOTIFY_DEAD_NAME, "a dead name");
    (void)mach_port_destroy(SELF, port);

    /* Told of room, a request tells of death no more. */
    port = guest_port();
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 1), KERN_SUCCESS, "ask");
    expect(MACH_NOTIFY_SEND_POSSIBLE, "at once");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_RECEIVE, -1),
       KERN_SUCCESS, "the port dies");
    expect_nothing("of its death");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS, "one reference");
    is(mach_port_deallocate(SELF, port), KERN_INVALID_NAME, "and no other");

    port = guest_port();
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_SUCCESS, "ask");
    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_SEND_POSSIBLE, 0,
                                      MACH_PORT_NULL,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous),
       KERN_SUCCESS, "take it back");
    ok(MACH_PORT_VALID(previous), "the right comes back");
    (void)mach_port_deallocate(SELF, previous);
    expect(MACH_NOTIFY_SEND_ONCE, "a right that was not used");
    is(request(port, MACH_NOTIFY_SEND_POSSIBLE, 0), KERN_SUCCESS, "ask");
    (void)mach_port_destroy(SELF, port);
    (void)receive_from(notify);
    expect_nothing("more");
}

/* The forms of older systems: a right to be told comes from a request. */
static void
send_notify_refused(void)
{
    mach_port_t port = guest_port();
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = port,
    };

    is(mach_msg(&head, MACH_SEND_MSG | MACH_SEND_NOTIFY, sizeof(head), 0, 0, 0,
                notify),
       MACH_SEND_INVALID_NOTIFY, "a notify port with the send");
    is(mach_msg(&head, MACH_SEND_MSG | 0x20, sizeof(head), 0, 0, 0, 0),
       MACH_SEND_INVALID_HEADER, "an option that means nothing");
    is(mach_msg(&head, MACH_RCV_MSG | MACH_RCV_NOTIFY, 0, sizeof(head), port, 0,
                notify),
       MACH_RCV_INVALID_NOTIFY, "a notify port with the receive");
    is(mach_msg(&head, MACH_SEND_MSG | MACH_SEND_NOTIFY, sizeof(head), 0, 0, 0,
                0),
       MACH_MSG_SUCCESS, "with room it changes nothing");
    is(receive_from(port), MACH_MSG_SUCCESS, "the message");
    (void)mach_port_destroy(SELF, port);
}

static void
errors(void)
{
    mach_port_t port = guest_port();

    is(request(0xabcde01, MACH_NOTIFY_DEAD_NAME, 0), KERN_INVALID_NAME,
       "of no name");
    is(request(port, 4711, 0), KERN_INVALID_VALUE, "of no kind");
    is(request(SELF, MACH_NOTIFY_NO_SENDERS, 0), KERN_INVALID_RIGHT,
       "only the receiver hears of senders");
    is(request(SELF, MACH_NOTIFY_PORT_DESTROYED, 0), KERN_INVALID_RIGHT,
       "or of destruction");
    (void)mach_port_destroy(SELF, port);

    /* What failed dropped the right that was made for it. */
    while (receive_from(notify) == MACH_MSG_SUCCESS) {
        is(n.head.msgh_id, MACH_NOTIFY_SEND_ONCE, "rights not used");
    }
}

/* Row 10: a message that looks like one has not the mark. */
static void
forged(void)
{
    mach_port_t port = guest_port();
    struct {
        mach_msg_header_t head;
        natural_t count;
    } fake = {
        .head = { .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0),
                  .msgh_size = sizeof(fake),
                  .msgh_remote_port = port,
                  .msgh_id = MACH_NOTIFY_NO_SENDERS },
    };

    is(mach_msg(&fake.head, MACH_SEND_MSG, sizeof(fake), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "a message with a notification's id");
    is(receive_from(port), MACH_MSG_SUCCESS, "received");
    is(n.head.msgh_bits & MACH_MSGH_BITS_KERNEL, 0, "is not the kernel's");
    (void)mach_port_destroy(SELF, port);
}

static void
all(void)
{
    (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &notify);
    no_senders();
    dead_name();
    deleted();
    cancelled();
    port_destroyed();
    port_destroyed_by_task();
    send_possible();
    send_possible_second_sender();
    send_possible_stream();
    send_possible_death();
    send_notify_refused();
    errors();
    forged();
    (void)mach_port_destroy(SELF, notify);
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "notifications");
}
