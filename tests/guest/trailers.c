/* SPDX-License-Identifier: MIT */
/*
 * What follows a message: trailers of each size, and who they say sent it
 * (host_security.defs; row 27 of the hazards).
 */

#include "tap.h"

#define SELF mach_task_self()

void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

struct received {
    mach_msg_header_t head;
    char room[256];
};

static struct received m;
static const security_token_t kernel_token = KERNEL_SECURITY_TOKEN_VALUE;
static const audit_token_t kernel_audit = KERNEL_AUDIT_TOKEN_VALUE;

static mach_msg_return_t
send_to(mach_port_t port)
{
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
        .msgh_remote_port = port,
    };

    return mach_msg(&head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(head), 0,
                    0, 0, 0);
}

static const mach_msg_audit_trailer_t *
receive(mach_port_t port, natural_t elements)
{
    memset(&m, 0xa5, sizeof(m));
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TRAILER_ELEMENTS(elements), 0,
                sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "receive with trailer %u", elements);
    return (const void *)((const char *)&m + m.head.msgh_size);
}

static bool
same_security(const security_token_t *a, const security_token_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static bool
same_audit(const audit_token_t *a, const audit_token_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Each kind has its size, and nothing is written behind it. */
static void
sizes(void)
{
    static const natural_t want[] = { 8, 12, 20, 52 };
    mach_port_t port = guest_port();
    const mach_msg_audit_trailer_t *trailer;
    const unsigned char *end;

    for (natural_t i = 0; i < 4; i++) {
        is(send_to(port), MACH_MSG_SUCCESS, "a message");
        trailer = receive(port, i);
        is(trailer->msgh_trailer_type, MACH_MSG_TRAILER_FORMAT_0, "format");
        is(trailer->msgh_trailer_size, want[i], "size");
        end = (const unsigned char *)trailer + want[i];
        ok(end[0] == 0xa5 && end[3] == 0xa5, "no more than that");

        if (i >= MACH_RCV_TRAILER_SEQNO) {
            is(trailer->msgh_seqno, i, "its number");
        }
    }

    /* The buffer must have room for what was asked for. */
    is(send_to(port), MACH_MSG_SUCCESS, "a message");
    is(mach_msg(&m.head,
                MACH_RCV_MSG | MACH_RCV_LARGE |
                    MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_AUDIT),
                0, 24 + 51, port, 0, 0),
       MACH_RCV_TOO_LARGE, "a byte too few");
    is(mach_msg(&m.head,
                MACH_RCV_MSG | MACH_RCV_LARGE |
                    MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_AUDIT),
                0, 24 + 52, port, 0, 0),
       MACH_MSG_SUCCESS, "as many as it needs");
    (void)mach_port_destroy(SELF, port);
}

static void
invalid_trailer(void)
{
    mach_port_t port = guest_port();

    is(send_to(port), MACH_MSG_SUCCESS, "a message");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TRAILER_ELEMENTS(4), 0,
                sizeof(m), port, 0, 0),
       MACH_RCV_INVALID_TRAILER, "more elements than there are");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TRAILER_TYPE(1), 0, sizeof(m),
                port, 0, 0),
       MACH_RCV_INVALID_TRAILER, "another format");
    (void)receive(port, 0);
    (void)mach_port_destroy(SELF, port);
}

/* Whether the receiver waits or the message does. */
static void
child(mach_port_t port)
{
    (void)send_to(port);
}

static void
expect_sender(mach_port_t port, const security_token_t *security,
              const audit_token_t *audit, bool wait, const char *who)
{
    mach_port_t task = guest_child(child, port, NULL);
    const mach_msg_audit_trailer_t *trailer;
    mach_port_status_t status = { 0 };

    while (!wait && status.mps_msgcount == 0) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 5);
        (void)mach_port_get_receive_status(SELF, port, &status);
    }

    trailer = receive(port, MACH_RCV_TRAILER_AUDIT);
    ok(same_security(&trailer->msgh_sender, security) &&
           same_audit(&trailer->msgh_audit, audit),
       "the sender is %s", who);
    (void)mach_port_deallocate(SELF, task);
}

static void
host_security_set_token(void)
{
    mach_port_t port = guest_port(), task = 0;
    security_token_t root = { { 0, 0 } }, user = { { 1000, 100 } }, got;
    audit_token_t root_audit = { { 0 } },
                  user_audit = { { 1, 2, 3, 4, 5, 6, 7, 8 } }, got_audit;
    mach_msg_type_number_t count;
    mach_port_t host = mach_host_self();

    expect_sender(port, &root, &root_audit, true, "the first task's child");
    is(host_security_set_task_token(guest_host_security, SELF, user, user_audit,
                                    MACH_PORT_NULL),
       KERN_SUCCESS, "be somebody");
    expect_sender(port, &user, &user_audit, true, "what its maker is");
    expect_sender(port, &user, &user_audit, false, "it, from a queue");
    count = TASK_SECURITY_TOKEN_COUNT;
    is(task_info(SELF, TASK_SECURITY_TOKEN, (task_info_t)&got, &count),
       KERN_SUCCESS, "ask for it");
    ok(same_security(&got, &user), "it is told");
    count = TASK_AUDIT_TOKEN_COUNT;
    is(task_info(SELF, TASK_AUDIT_TOKEN, (task_info_t)&got_audit, &count),
       KERN_SUCCESS, "all of it");
    ok(same_audit(&got_audit, &user_audit), "it is told");
    count = 1;
    is(task_info(SELF, TASK_SECURITY_TOKEN, (task_info_t)&got, &count),
       KERN_INVALID_ARGUMENT, "with no room for it");

    /* A message says who sent it, not who the sender has become. */
    is(send_to(port), MACH_MSG_SUCCESS, "a message");
    is(host_security_set_task_token(guest_host_security, SELF, root, root_audit,
                                    MACH_PORT_NULL),
       KERN_SUCCESS, "be somebody else");
    ok(same_security(&receive(port, MACH_RCV_TRAILER_SENDER)->msgh_sender,
                     &user),
       "it has the earlier sender");

    is(host_security_set_task_token(guest_host_priv, SELF, user, user_audit,
                                    MACH_PORT_NULL),
       KERN_INVALID_SECURITY, "not with another port");
    is(host_security_set_task_token(guest_host_security, host, user, user_audit,
                                    MACH_PORT_NULL),
       KERN_INVALID_TASK, "not of what is no task");
    is(host_security_set_task_token(guest_host_security, SELF, user, user_audit,
                                    SELF),
       KERN_INVALID_HOST, "not with what is no host");
    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(host_security_set_task_token(guest_host_security, task, user, user_audit,
                                    host),
       KERN_SUCCESS, "with a host port");
    is(task_terminate(task), KERN_SUCCESS, "which ends");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_destroy(SELF, port);
}

/* Row 27: the kernel's mark is the kernel's alone. */
static void
kernel_sender(void)
{
    mach_port_t port = guest_port(), previous = 0;
    const mach_msg_audit_trailer_t *trailer;
    audit_token_t audit = { { 0 } };
    security_token_t security = { { 0, 0 } };
    bool clean = true;

    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_NO_SENDERS, 0,
                                      port, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                      &previous),
       KERN_SUCCESS, "ask to be told");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -1), KERN_SUCCESS,
       "the last sender goes");
    trailer = receive(port, MACH_RCV_TRAILER_AUDIT);
    ok((m.head.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0 &&
           same_security(&trailer->msgh_sender, &kernel_token) &&
           same_audit(&trailer->msgh_audit, &kernel_audit),
       "the kernel tells it");
    is(host_security_set_task_token(guest_host_security, SELF, kernel_token,
                                    audit, MACH_PORT_NULL),
       KERN_INVALID_VALUE, "nobody else is the kernel");
    is(host_security_set_task_token(guest_host_security, SELF, security,
                                    kernel_audit, MACH_PORT_NULL),
       KERN_INVALID_VALUE, "in either way");
    is(mach_port_insert_right(SELF, port, port, MACH_MSG_TYPE_MAKE_SEND),
       KERN_SUCCESS, "a send right");

    for (int i = 0; i < 32; i++) {
        (void)send_to(port);
        clean =
            clean &&
            !same_security(&receive(port, MACH_RCV_TRAILER_SENDER)->msgh_sender,
                           &kernel_token);
    }

    ok(clean, "no message of ours is from the kernel");
    (void)mach_port_destroy(SELF, port);
}

/* Row 14: two runs of the same leave the same bytes. */
static void
same_bytes(void)
{
    static struct received first;
    mach_port_t port = guest_port();
    bool same = true;

    for (natural_t i = 0; i < 4; i++) {
        for (int run = 0; run < 2; run++) {
            is(mach_port_set_seqno(SELF, port, 5), KERN_SUCCESS, "number 5");
            is(send_to(port), MACH_MSG_SUCCESS, "a message");
            (void)receive(port, i);

            if (run == 0) {
                first = m;
            }
        }

        same = same && memcmp(&first, &m, sizeof(m)) == 0;
    }

    ok(same, "all bytes are the same");
    (void)mach_port_destroy(SELF, port);
}

static void
all(void)
{
    sizes();
    invalid_trailer();
    host_security_set_token();
    kernel_sender();
    same_bytes();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "trailers");
}
