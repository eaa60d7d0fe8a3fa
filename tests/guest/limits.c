/* SPDX-License-Identifier: MIT */
/*
 * What a task may have of the kernel: names, messages that wait in queues,
 * the rights and the memory in them. Each limit has its error, hurts only who
 * reached it, and is gone when what was asked for is.
 */

#include "tap.h"

#define SELF mach_task_self()
#define LARGE 60000

void *memset(void *to, int value, size_t size);

struct message {
    mach_msg_header_t head;
    mach_msg_body_t body;
    union {
        mach_msg_port_descriptor_t port;
        mach_msg_ool_descriptor_t memory;
    };
    char room[128];
};

static struct message m;
static union {
    mach_msg_header_t head;
    char room[LARGE + 64];
} large;

static mach_port_t
receive_right(void)
{
    mach_port_t port = MACH_PORT_NULL;

    (void)syscall_mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port);
    return port;
}

static mach_msg_return_t
send_header(mach_msg_header_t *head, mach_port_t to, natural_t size,
            mach_msg_type_name_t disposition)
{
    head->msgh_bits = MACH_MSGH_BITS(disposition, 0);
    head->msgh_remote_port = to;
    head->msgh_local_port = MACH_PORT_NULL;
    return mach_msg(head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0, 0, 0, 0);
}

/* By send-once rights, which no queue's own limit stops. */
static mach_msg_return_t
flood(mach_port_t to, natural_t size, natural_t *countp)
{
    mach_msg_return_t mr;

    for (*countp = 0;; *countp += 1) {
        mr = send_header(&large.head, to, size, MACH_MSG_TYPE_MAKE_SEND_ONCE);

        if (mr != MACH_MSG_SUCCESS) {
            return mr;
        }
    }
}

static mach_msg_return_t
receive_large(mach_port_t port)
{
    return mach_msg(&large.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
                    sizeof(large), port, 0, 0);
}

static void
rights(void)
{
    mach_port_t task = 0, name = 0, port = guest_port();
    natural_t count = 0;
    kern_return_t kr;

    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");
    is(task_set_limits(task, 0, 20), KERN_SUCCESS, "20 names at most");
    is(task_set_limits(task, 0, 21), KERN_NO_ACCESS, "it does not rise again");

    for (;;) {
        kr = mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &name);

        if (kr != KERN_SUCCESS) {
            break;
        }

        count++;
    }

    is(kr, KERN_NO_SPACE, "then there is no room");
    is(count, 20, "after 20");
    is(mach_port_allocate(task, MACH_PORT_RIGHT_PORT_SET, &name), KERN_NO_SPACE,
       "for no kind of name");
    is(mach_port_allocate_name(task, MACH_PORT_RIGHT_DEAD_NAME,
                               MACH_PORT_MAKE(0x300, 1)),
       KERN_NO_SPACE, "nor for a chosen one");
    is(mach_port_insert_right(task, MACH_PORT_MAKE(0x300, 1), port,
                              MACH_MSG_TYPE_COPY_SEND),
       KERN_NO_SPACE, "nor for a right that is given to it");
    is(task_terminate(task), KERN_SUCCESS, "it ends");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_destroy(SELF, port);
}

/* A task at its limit receives the rest of a message, without the rights. */
static void
limited_receiver(mach_port_t port)
{
    mach_port_t own = receive_right();
    mach_port_t name;

    m.head.msgh_bits =
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND);
    m.head.msgh_remote_port = port;
    m.head.msgh_local_port = own;
    (void)mach_msg(&m.head, MACH_SEND_MSG, sizeof(m.head), 0, 0, 0, 0);
    (void)task_set_limits(SELF, 0, 30);

    while (mach_port_allocate(SELF, MACH_PORT_RIGHT_DEAD_NAME, &name) ==
           KERN_SUCCESS) {
    }

    for (int i = 0; i < 2; i++) {
        mach_msg_return_t mr;

        mr = mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), own, 0, 0);
        m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
        m.head.msgh_remote_port = port;
        m.head.msgh_local_port = MACH_PORT_NULL;
        m.head.msgh_id = mr;
        (void)mach_msg(&m.head, MACH_SEND_MSG, sizeof(m.head), 0, 0, 0, 0);
    }
}

static void
rights_received(void)
{
    mach_port_t port = guest_port(), gift = guest_port(), to, task;

    task = guest_child(limited_receiver, port, NULL);
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "a task with few names");
    to = m.head.msgh_remote_port;
    m.head.msgh_bits =
        MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    m.head.msgh_remote_port = to;
    m.head.msgh_local_port = MACH_PORT_NULL;
    m.body.msgh_descriptor_count = 1;
    m.port = (mach_msg_port_descriptor_t){
        .name = gift,
        .disposition = MACH_MSG_TYPE_COPY_SEND,
        .type = MACH_MSG_PORT_DESCRIPTOR,
    };
    is(mach_msg(&m.head, MACH_SEND_MSG,
                sizeof(mach_msg_base_t) + sizeof(m.port), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "a right in the body");
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "it answers");
    is(m.head.msgh_id, MACH_RCV_BODY_ERROR | MACH_MSG_IPC_SPACE,
       "no room for it");
    m.head.msgh_bits =
        MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_remote_port = to;
    m.head.msgh_local_port = gift;
    is(mach_msg(&m.head, MACH_SEND_MSG, sizeof(m.head), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "a right in the header");
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "it answers");
    is(m.head.msgh_id, MACH_RCV_HEADER_ERROR | MACH_MSG_IPC_SPACE,
       "no room for it");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_deallocate(SELF, to);
    (void)mach_port_destroy(SELF, gift);
    (void)mach_port_destroy(SELF, port);
}

/* Above its limit a task can send to nobody; traps it can do. */
static void
queued_messages(void)
{
    mach_port_t port = receive_right(), other = receive_right();
    mach_port_type_t type = 0;
    natural_t count = 0, received = 0;

    is(flood(port, sizeof(mach_msg_header_t), &count), MACH_SEND_NO_BUFFER,
       "so many messages may be queued");
    is(count, 16 * 1024 + 2, "of one task: the first costs nothing");
    is(MACH_MSGH_BITS_REMOTE(large.head.msgh_bits),
       MACH_MSG_TYPE_MAKE_SEND_ONCE, "the last was not looked at");
    is(send_header(&large.head, other, sizeof(large.head),
                   MACH_MSG_TYPE_MAKE_SEND),
       MACH_SEND_NO_BUFFER, "nor is one to another port");
    is(mach_port_type(SELF, port, &type), MACH_SEND_NO_BUFFER,
       "nor a request to the kernel");

    is(syscall_mach_port_insert_right(SELF, MACH_PORT_MAKE(0x700, 1), other,
                                      MACH_MSG_TYPE_MAKE_SEND_ONCE),
       KERN_LIMIT_REACHED, "nor is a right made that may become a message");

    while (receive_large(port) == MACH_MSG_SUCCESS) {
        received++;
    }

    is(received, count, "all of them");
    is(mach_port_type(SELF, port, &type), KERN_SUCCESS, "now it is");
    (void)mach_port_destroy(SELF, port);
    (void)mach_port_destroy(SELF, other);
}

static void
queued_bytes(void)
{
    mach_port_t port = receive_right();
    natural_t count = 0, again = 0;

    is(flood(port, LARGE, &count), MACH_SEND_NO_BUFFER,
       "so much memory may be in queues");
    ok(count > 200 && count < 16777216 / LARGE + 2, "for %u messages of %u",
       count, LARGE);
    is(receive_large(port), MACH_MSG_SUCCESS, "room for one more");
    is(send_header(&large.head, port, LARGE, MACH_MSG_TYPE_MAKE_SEND_ONCE),
       MACH_MSG_SUCCESS, "is used");
    is(syscall_mach_port_destroy(SELF, port), KERN_SUCCESS, "the port goes");
    port = receive_right();
    is(flood(port, LARGE, &again), MACH_SEND_NO_BUFFER,
       "what its queue held is free again");
    is(again, count, "all of it");
    is(syscall_mach_port_destroy(SELF, port), KERN_SUCCESS, "the port goes");
}

/* Receive rights in queues are names no more, but still ports. */
static void
queued_ports(void)
{
    mach_port_t port = receive_right(), gift;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    natural_t count = 0;

    for (;; count++) {
        if (syscall_mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &gift) !=
            KERN_SUCCESS) {
            break;
        }

        memset(&m, 0, sizeof(m));
        m.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
                           MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0);
        m.head.msgh_remote_port = port;
        m.body.msgh_descriptor_count = 1;
        m.port = (mach_msg_port_descriptor_t){
            .name = gift,
            .disposition = MACH_MSG_TYPE_MOVE_RECEIVE,
            .type = MACH_MSG_PORT_DESCRIPTOR,
        };
        mr = mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                      sizeof(mach_msg_base_t) + sizeof(m.port), 0, 0, 0, 0);

        if (mr != MACH_MSG_SUCCESS) {
            break;
        }
    }

    is(mr, MACH_SEND_NO_BUFFER, "so many ports may be in queues");
    ok(count > 1000 && count < 65536, "%u", count);
    is(syscall_mach_port_destroy(SELF, gift), KERN_SUCCESS,
       "the last one stays");
    is(syscall_mach_port_destroy(SELF, port), KERN_SUCCESS, "all of them go");
}

/* Rights that are not used become messages. */
static void
rights_in_arrays(void)
{
    static mach_port_t names[MACH_MSG_OOL_PORTS_MAX];
    mach_port_t port = receive_right(), about = receive_right();
    mach_msg_ool_ports_descriptor_t *arrays;
    natural_t told = 0;

    for (natural_t i = 0; i < MACH_MSG_OOL_PORTS_MAX; i++) {
        names[i] = about;
    }

    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
                       MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0);
    m.head.msgh_remote_port = port;
    m.body.msgh_descriptor_count = 2;
    arrays = (void *)(&m.body + 1);

    for (int i = 0; i < 2; i++) {
        arrays[i] = (mach_msg_ool_ports_descriptor_t){
            .address = (uint64_t)names,
            .count = MACH_MSG_OOL_PORTS_MAX,
            .disposition = MACH_MSG_TYPE_MAKE_SEND_ONCE,
            .type = MACH_MSG_OOL_PORTS_DESCRIPTOR,
        };
    }

    is(mach_msg(&m.head, MACH_SEND_MSG,
                sizeof(mach_msg_base_t) + 2 * sizeof(*arrays), 0, 0, 0, 0),
       MACH_SEND_TOO_LARGE, "more rights than a message may have in all");
    arrays[1].count = 0;
    is(mach_msg(&m.head, MACH_SEND_MSG,
                sizeof(mach_msg_base_t) + 2 * sizeof(*arrays), 0, 0, 0, 0),
       MACH_MSG_SUCCESS, "as many as it may have");
    is(syscall_mach_port_destroy(SELF, port), KERN_SUCCESS, "they are lost");

    while (receive_large(about) == MACH_MSG_SUCCESS) {
        told += large.head.msgh_id == MACH_NOTIFY_SEND_ONCE;
    }

    is(told, MACH_MSG_OOL_PORTS_MAX, "which is told of each");
    is(syscall_mach_port_destroy(SELF, about), KERN_SUCCESS, "destroy");
}

/* Memory on its way is the sender's for as long. */
static void
memory_sender(mach_port_t port)
{
    vm_address_t data = 0;
    mach_port_t own = receive_right();
    natural_t count = 0;
    mach_msg_return_t mr;

    (void)vm_allocate(SELF, &data, 1 << 20, VM_FLAGS_ANYWHERE);
    (void)task_set_limits(SELF, 16 << 20, 0);

    for (;; count++) {
        memset(&m, 0, sizeof(m));
        m.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
                           MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0);
        m.head.msgh_remote_port = own;
        m.body.msgh_descriptor_count = 1;
        m.memory = (mach_msg_ool_descriptor_t){
            .address = data,
            .size = 1 << 20,
            .copy = MACH_MSG_VIRTUAL_COPY,
            .type = MACH_MSG_OOL_DESCRIPTOR,
        };
        mr = mach_msg(&m.head, MACH_SEND_MSG,
                      sizeof(mach_msg_base_t) + sizeof(m.memory), 0, 0, 0, 0);

        if (mr != MACH_MSG_SUCCESS) {
            break;
        }
    }

    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    m.head.msgh_remote_port = port;
    m.head.msgh_id = mr;
    m.body.msgh_descriptor_count = count;
    (void)mach_msg(&m.head, MACH_SEND_MSG, sizeof(mach_msg_base_t), 0, 0, 0, 0);
}

static void
memory_in_flight(void)
{
    mach_port_t port = guest_port(), task;

    task = guest_child(memory_sender, port, NULL);
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "a task sends memory to itself");
    is(m.head.msgh_id, MACH_SEND_INVALID_MEMORY | MACH_MSG_VM_KERNEL,
       "until it may have no more");
    ok(m.body.msgh_descriptor_count > 4 && m.body.msgh_descriptor_count < 16,
       "%u MiB of 16", m.body.msgh_descriptor_count);
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_destroy(SELF, port);
}

/* Replies that a client does not take are the client's, not the server's. */
#define REQUESTS 400

static void
greedy_client(mach_port_t port)
{
    mach_port_t own = receive_right();

    for (int i = 0; i < REQUESTS; i++) {
        m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                          MACH_MSG_TYPE_MAKE_SEND_ONCE);
        m.head.msgh_remote_port = port;
        m.head.msgh_local_port = own;

        if (mach_msg(&m.head, MACH_SEND_MSG, sizeof(m.head), 0, 0, 0, 0) !=
            MACH_MSG_SUCCESS) {
            break;
        }
    }

    /* Until the other one has looked. */
    (void)mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), receive_right(), 0, 0);
}

static void
replies_not_taken(void)
{
    mach_port_t port = guest_port(), other = receive_right(), task;
    mach_msg_return_t mr = MACH_MSG_SUCCESS;
    mach_port_status_t status = { 0 };
    natural_t count = 0;

    is(mach_port_set_qlimit(SELF, port, REQUESTS), KERN_SUCCESS,
       "room for requests");
    task = guest_child(greedy_client, port, NULL);

    while (status.mps_msgcount < REQUESTS) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, 10);
        (void)mach_port_get_receive_status(SELF, port, &status);
    }

    for (;;) {
        if (mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0) !=
            MACH_MSG_SUCCESS) {
            break;
        }

        mr = send_header(&large.head, m.head.msgh_remote_port, LARGE,
                         MACH_MSG_TYPE_MOVE_SEND_ONCE);

        if (mr != MACH_MSG_SUCCESS) {
            break;
        }

        count++;
    }

    is(mr, MACH_SEND_NO_BUFFER, "so many replies may lie with a client");
    (void)mach_port_deallocate(SELF, large.head.msgh_remote_port);
    ok(count > 200 && count < 300, "%u of %u bytes", count, LARGE);
    is(send_header(&large.head, other, LARGE, MACH_MSG_TYPE_MAKE_SEND_ONCE),
       MACH_MSG_SUCCESS, "the server has all its room");
    is(task_terminate(task), KERN_SUCCESS, "the client ends");
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_destroy(SELF, other);
    (void)mach_port_destroy(SELF, port);
}

static void
all(void)
{
    rights();
    rights_received();
    queued_messages();
    queued_bytes();
    queued_ports();
    rights_in_arrays();
    memory_in_flight();
    replies_not_taken();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "limits");
}
