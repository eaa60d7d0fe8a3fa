/* SPDX-License-Identifier: MIT */
/*
 * mach_msg beyond what messages.c shows: receiving over memory that is there,
 * messages left queued, who waits and in what order, fairness of sets,
 * interruptions, and deaths with messages in flight.
 */

#include "tap.h"

#define SELF mach_task_self()

void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

struct message {
    mach_msg_header_t head;
    mach_msg_body_t body;
    union {
        mach_msg_port_descriptor_t port;
        mach_msg_ool_descriptor_t memory[2];
        struct {
            mach_msg_port_descriptor_t first;
            mach_msg_ool_descriptor_t memory;
        } mixed;
    };
    char room[128];
};

static struct message m;

static void
prepare(mach_port_t to)
{
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
    m.head.msgh_size = sizeof(m.head);
    m.head.msgh_remote_port = to;
}

static void
prepare_port(mach_port_t to, mach_port_t port, mach_msg_type_name_t disposition)
{
    prepare(to);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = sizeof(mach_msg_base_t) + sizeof(m.port);
    m.body.msgh_descriptor_count = 1;
    m.port.name = port;
    m.port.disposition = (uint8_t)disposition;
    m.port.type = MACH_MSG_PORT_DESCRIPTOR;
}

static mach_msg_return_t
send_now(void)
{
    return mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                    m.head.msgh_size, 0, 0, 0, 0);
}

static mach_msg_return_t
receive_now(mach_port_t port)
{
    return mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                    port, 0, 0);
}

static mach_port_t
receive_right(void)
{
    mach_port_t port = MACH_PORT_NULL;

    (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &port);
    return port;
}

static void
drop(mach_port_t name)
{
    is(mach_port_destroy(SELF, name), KERN_SUCCESS, "destroy");
}

static void
pause_ms(natural_t ms)
{
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, ms);
}

static natural_t
queued(mach_port_t port)
{
    mach_port_status_t status = { 0 };

    (void)mach_port_get_receive_status(SELF, port, &status);
    return status.mps_msgcount;
}

/* -- MACH_RCV_OVERWRITE ------------------------------------------------------ */

static char source[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static char target[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void
describe(mach_msg_ool_descriptor_t *descriptor, void *address, natural_t size,
         uint8_t copy)
{
    *descriptor = (mach_msg_ool_descriptor_t){
        .address = (uint64_t)address,
        .size = size,
        .copy = copy,
        .type = MACH_MSG_OOL_DESCRIPTOR,
    };
}

/* A port, then two regions; or without the port. */
static void
send_memory(mach_port_t to, natural_t size, natural_t size2)
{
    prepare(to);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = sizeof(mach_msg_base_t) + 2 * sizeof(m.memory[0]);
    m.body.msgh_descriptor_count = 2;
    describe(&m.memory[0], source, size, MACH_MSG_VIRTUAL_COPY);
    describe(&m.memory[1], source + 1, size2, MACH_MSG_VIRTUAL_COPY);
    is(send_now(), MACH_MSG_SUCCESS, "send two regions");
}

/* The scatter list: a port descriptor, which is passed over, and one entry. */
static void
scatter_list(void *address, natural_t size, uint8_t copy)
{
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = sizeof(mach_msg_base_t) + sizeof(m.mixed);
    m.body.msgh_descriptor_count = 2;
    m.mixed.first.type = MACH_MSG_PORT_DESCRIPTOR;
    describe(&m.mixed.memory, address, size, copy);
}

static mach_msg_return_t
receive_overwrite(mach_port_t port)
{
    return mach_msg(&m.head,
                    MACH_RCV_MSG | MACH_RCV_OVERWRITE | MACH_RCV_TIMEOUT, 0,
                    sizeof(m), port, 0, 0);
}

static void
free_memory(const mach_msg_ool_descriptor_t *descriptor)
{
    is(vm_deallocate(SELF, descriptor->address, descriptor->size), KERN_SUCCESS,
       "free");
}

static void
overwrite(void)
{
    mach_port_t port = receive_right();

    memset(source, 's', sizeof(source));
    memset(target, 't', sizeof(target));
    send_memory(port, 5000, 6000);
    scatter_list(target + 8, 5000, MACH_MSG_OVERWRITE);
    is(receive_overwrite(port), MACH_MSG_SUCCESS, "receive over memory");
    is(m.memory[0].address, (uint64_t)(target + 8), "where it was told to");
    is(m.memory[0].size, 5000, "its size");
    is(m.memory[0].copy, MACH_MSG_OVERWRITE, "it says so");
    is(m.memory[0].deallocate, 0, "it is no new memory");
    ok(target[7] == 't' && target[8] == 's' && target[5007] == 's' &&
           target[5008] == 't',
       "exactly its bytes");
    ok(m.memory[1].copy != MACH_MSG_OVERWRITE && m.memory[1].deallocate == 1,
       "what the list lacks comes in new memory");
    free_memory(&m.memory[1]);

    send_memory(port, 5000, 0);
    scatter_list(target, sizeof(target), MACH_MSG_ALLOCATE);
    is(receive_overwrite(port), MACH_MSG_SUCCESS, "an entry for new memory");
    ok(m.memory[0].address != (uint64_t)target, "it is new");
    free_memory(&m.memory[0]);

    send_memory(port, 5000, 0);
    memset(&m, 0, sizeof(m));
    is(receive_overwrite(port), MACH_MSG_SUCCESS, "no list at all");
    free_memory(&m.memory[0]);

    send_memory(port, 5000, 0);
    scatter_list(target, 4999, MACH_MSG_OVERWRITE);
    memset(target, 't', sizeof(target));
    is(receive_overwrite(port), MACH_RCV_SCATTER_SMALL, "too small an entry");
    is(target[0], 't', "nothing is written");
    is(m.head.msgh_size, sizeof(mach_msg_base_t) + 2 * sizeof(m.memory[0]),
       "its size is told");
    is(receive_now(port), MACH_RCV_TIMED_OUT, "the message is lost");

    send_memory(port, 5000, 0);
    scatter_list((void *)0x500000000000, 5000, MACH_MSG_OVERWRITE);
    is(receive_overwrite(port), MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE,
       "an entry that is no memory");
    is(m.memory[0].address, 0, "the item is null");
    drop(port);
}

/* -- MACH_RCV_LARGE ---------------------------------------------------------- */

static void
large(void)
{
    mach_port_t port = receive_right(), set = MACH_PORT_NULL;
    const mach_msg_option_t keep =
        MACH_RCV_MSG | MACH_RCV_TIMEOUT | MACH_RCV_LARGE;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set), KERN_SUCCESS,
       "a set");
    is(mach_port_move_member(SELF, port, set), KERN_SUCCESS, "of one");
    prepare(port);
    m.head.msgh_size = 64;
    is(send_now(), MACH_MSG_SUCCESS, "64 bytes");
    is(mach_msg(&m.head, keep, 0, 40, set, 0, 0), MACH_RCV_TOO_LARGE,
       "are too many");
    is(m.head.msgh_size, 64, "so many are needed");
    is(m.head.msgh_local_port, 0, "the port is not told");
    is(mach_msg(&m.head, keep | MACH_RCV_LARGE_IDENTITY, 0, 40, set, 0, 0),
       MACH_RCV_TOO_LARGE, "still too many");
    is(m.head.msgh_local_port, port, "the port is told");
    is(receive_now(set), MACH_MSG_SUCCESS, "with room it is received");
    drop(set);
    drop(port);
}

/* -- Who waits --------------------------------------------------------------- */

#define SENDERS 8

struct sender {
    struct mach_thread *thread;
    mach_port_t port;
    int number;
    mach_msg_return_t result;
};

static struct sender senders[SENDERS];

static void *
sender_run(void *argument)
{
    struct sender *self = argument;
    mach_msg_header_t head = {
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0),
        .msgh_remote_port = self->port,
        .msgh_id = self->number,
    };

    self->result = mach_msg(&head, MACH_SEND_MSG | MACH_SEND_INTERRUPT,
                            sizeof(head), 0, 0, 0, 0);
    return NULL;
}

/* Fill the port, and let `count` threads wait for room, one after the other. */
static void
senders_start(mach_port_t port, int count)
{
    do {
        prepare(port);
        m.head.msgh_id = -1;
    } while (send_now() == MACH_MSG_SUCCESS);

    (void)mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -1);

    for (int i = 0; i < count; i++) {
        senders[i] = (struct sender){ NULL, port, i, -1 };

        if (mach_thread_create(sender_run, &senders[i], 0,
                               &senders[i].thread) != KERN_SUCCESS) {
            tap_bail("no thread");
        }

        guest_until_waiting(senders[i].thread->port);
    }
}

static void
senders_join(int count)
{
    for (int i = 0; i < count; i++) {
        mach_thread_join(senders[i].thread, NULL);
    }
}

static void
senders_in_order(void)
{
    mach_port_t port = receive_right();
    bool ordered = true;
    int next = 0;

    senders_start(port, SENDERS);
    is(queued(port), MACH_PORT_QLIMIT_DEFAULT, "a full queue, and who waits");

    while (receive_now(port) == MACH_MSG_SUCCESS) {
        if (m.head.msgh_id >= 0) {
            ordered = ordered && m.head.msgh_id == next;
            next++;
        }
    }

    is(next, SENDERS, "all messages came");
    ok(ordered, "in the order in which their senders waited");
    senders_join(SENDERS);
    drop(port);
}

/* A higher limit lets as many in as it makes room for. */
static void
senders_and_limit(void)
{
    mach_port_t port = receive_right();

    senders_start(port, 4);
    is(mach_port_set_qlimit(SELF, port, MACH_PORT_QLIMIT_DEFAULT + 2),
       KERN_SUCCESS, "room for two");
    is(queued(port), MACH_PORT_QLIMIT_DEFAULT + 2, "two came in");
    is(mach_port_set_qlimit(SELF, port, 1), KERN_SUCCESS, "a lower limit");
    is(queued(port), MACH_PORT_QLIMIT_DEFAULT + 2, "drives nobody out");

    while (receive_now(port) == MACH_MSG_SUCCESS) {
    }

    senders_join(4);
    drop(port);
}

static void
senders_see_death(void)
{
    mach_port_t port = receive_right();

    senders_start(port, 3);
    drop(port);
    senders_join(3);

    for (int i = 0; i < 3; i++) {
        is(senders[i].result, MACH_MSG_SUCCESS,
           "a message to a port that dies was sent, and is gone");
    }
}

/* A reply has room always. */
static void
send_once_has_room(void)
{
    mach_port_t port = receive_right();

    senders_start(port, 0);
    prepare(port);
    m.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND_ONCE, 0);
    is(send_now(), MACH_MSG_SUCCESS, "by a send-once right");
    is(queued(port), MACH_PORT_QLIMIT_DEFAULT + 1, "above the limit");
    drop(port);
}

/* A message that nobody had room for comes back, with all it carried. */
static void
send_timed_out(void)
{
    mach_port_t port = receive_right(), gift = guest_port();
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_port_descriptor_t send, receive;
        mach_msg_ool_descriptor_t memory;
    } back;
    vm_address_t data = 0;
    mach_port_type_t type = 0;

    senders_start(port, 0);
    is(vm_allocate(SELF, &data, 8 * PAGE_SIZE, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "memory");
    *(char *)data = 'b';
    memset(&back, 0, sizeof(back));
    back.head.msgh_bits =
        MACH_MSGH_BITS_COMPLEX |
        MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    back.head.msgh_remote_port = port;
    back.head.msgh_local_port = port;
    back.body.msgh_descriptor_count = 3;
    back.send.name = gift;
    back.send.disposition = MACH_MSG_TYPE_MOVE_SEND;
    back.receive.name = gift;
    back.receive.disposition = MACH_MSG_TYPE_MOVE_RECEIVE;
    describe(&back.memory, (void *)data, 8 * PAGE_SIZE, MACH_MSG_VIRTUAL_COPY);
    back.memory.deallocate = 1;
    is(mach_msg(&back.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(back), 0,
                0, 30, 0),
       MACH_SEND_TIMED_OUT, "wait 30 ms for room");
    is(back.head.msgh_bits,
       MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND,
                                               MACH_MSG_TYPE_MOVE_SEND_ONCE),
       "rights that were made are the sender's");
    is(back.head.msgh_remote_port, port, "the destination");
    is(mach_port_type(SELF, back.head.msgh_local_port, &type), KERN_SUCCESS,
       "the reply right");
    is(type, MACH_PORT_TYPE_SEND_ONCE, "is a send-once right");
    gift = back.send.name;
    is(back.receive.name, gift, "those that were moved are back");
    is(mach_port_type(SELF, gift, &type), KERN_SUCCESS, "under one name");
    is(type, MACH_PORT_TYPE_SEND_RECEIVE, "both");
    is(*(char *)back.memory.address, 'b', "the memory is, too");
    is(vm_deallocate(SELF, back.memory.address, back.memory.size), KERN_SUCCESS,
       "free it");
    (void)mach_port_deallocate(SELF, back.head.msgh_local_port);
    drop(gift);
    drop(port);
}

/* -- Port sets --------------------------------------------------------------- */

#define MEMBERS 5

static void
fair_set(void)
{
    mach_port_t ports[MEMBERS], set = MACH_PORT_NULL;
    int counts[MEMBERS] = { 0 };
    bool fair = true;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set), KERN_SUCCESS,
       "a set");

    for (int i = 0; i < MEMBERS; i++) {
        ports[i] = receive_right();
        (void)mach_port_move_member(SELF, ports[i], set);

        for (int j = 0; j < 4; j++) {
            prepare(ports[i]);
            (void)send_now();
        }
    }

    /* In each round one of each member. */
    for (int round = 1; round <= 4; round++) {
        for (int i = 0; i < MEMBERS; i++) {
            (void)receive_now(set);

            for (int j = 0; j < MEMBERS; j++) {
                counts[j] += m.head.msgh_local_port == ports[j];
            }
        }

        for (int j = 0; j < MEMBERS; j++) {
            fair = fair && counts[j] == round;
        }
    }

    ok(fair, "members take turns");

    /* A member that is never empty keeps nobody away. */
    for (int i = 0; i < 3; i++) {
        prepare(ports[0]);
        (void)send_now();
    }

    prepare(ports[1]);
    (void)send_now();
    (void)receive_now(set);
    is(m.head.msgh_local_port, ports[0], "the first to have one");
    prepare(ports[0]);
    (void)send_now();
    (void)receive_now(set);
    is(m.head.msgh_local_port, ports[1], "then the other");

    for (int i = 0; i < MEMBERS; i++) {
        drop(ports[i]);
    }

    drop(set);
}

struct receiver {
    struct mach_thread *thread;
    mach_port_t port;
    mach_msg_return_t result;
    struct message message;
};

static void *
receiver_run(void *argument)
{
    struct receiver *self = argument;

    self->result =
        mach_msg(&self->message.head, MACH_RCV_MSG | MACH_RCV_INTERRUPT, 0,
                 sizeof(self->message), self->port, 0, 0);
    return NULL;
}

static void
receiver_start(struct receiver *receiver, mach_port_t port)
{
    receiver->port = port;
    receiver->result = -1;

    if (mach_thread_create(receiver_run, receiver, 0, &receiver->thread) !=
        KERN_SUCCESS) {
        tap_bail("no thread");
    }

    guest_until_waiting(receiver->thread->port);
}

/* What a waiting receiver hears when its port goes somewhere. */
static void
receivers_and_changes(void)
{
    static struct receiver receiver;
    mach_port_t port = receive_right(), set = MACH_PORT_NULL, to = 0;

    is(mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set), KERN_SUCCESS,
       "a set");
    receiver_start(&receiver, port);
    is(mach_port_move_member(SELF, port, set), KERN_SUCCESS, "into the set");
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_PORT_CHANGED, "the port is in a set now");
    is(receive_now(port), MACH_RCV_IN_SET, "and received from by that");

    receiver_start(&receiver, set);
    drop(set);
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_PORT_DIED, "the set is gone");

    receiver_start(&receiver, port);
    to = receive_right();
    prepare_port(to, port, MACH_MSG_TYPE_MOVE_RECEIVE);
    is(send_now(), MACH_MSG_SUCCESS, "the receive right leaves");
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_PORT_CHANGED, "the port is another's now");
    is(receive_now(to), MACH_MSG_SUCCESS, "it is back");
    port = m.port.name;

    receiver_start(&receiver, port);
    drop(port);
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_PORT_DIED, "the port is gone");
    drop(to);
}

/* -- Interruptions ----------------------------------------------------------- */

static void
interrupted(void)
{
    static struct receiver receiver;
    mach_port_t port = receive_right();

    receiver_start(&receiver, port);
    is(thread_abort(receiver.thread->port), KERN_SUCCESS, "abort a receiver");
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_INTERRUPTED, "it hears of it");

    receiver_start(&receiver, port);
    is(thread_abort_safely(receiver.thread->port), KERN_SUCCESS,
       "abort one safely");
    mach_thread_join(receiver.thread, NULL);
    is(receiver.result, MACH_RCV_INTERRUPTED, "a receive can be begun anew");

    senders_start(port, 2);
    is(thread_abort(senders[0].thread->port), KERN_SUCCESS, "abort a sender");
    mach_thread_join(senders[0].thread, NULL);
    is(senders[0].result, MACH_SEND_INTERRUPTED, "it hears of it");

    for (natural_t i = 0; i <= MACH_PORT_QLIMIT_DEFAULT; i++) {
        is(receive_now(port), MACH_MSG_SUCCESS, "receive");
    }

    is(m.head.msgh_id, 1, "the other's message came");
    is(receive_now(port), MACH_RCV_TIMED_OUT, "the first one's did not");
    mach_thread_join(senders[1].thread, NULL);
    (void)mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -1);
    drop(port);
}

/* -- Circles and deaths ------------------------------------------------------ */

/* Each of n ports in the queue of the next: nobody could receive them. */
static void
circle(int n)
{
    mach_port_t ports[8];

    for (int i = 0; i < n; i++) {
        ports[i] = guest_port();
    }

    for (int i = 0; i < n; i++) {
        prepare_port(ports[(i + 1) % n], ports[i], MACH_MSG_TYPE_MOVE_RECEIVE);
        m.head.msgh_bits =
            MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
        is(send_now(), MACH_MSG_SUCCESS, "%d into the next of %d", i, n);
    }

    for (int i = 0; i < n; i++) {
        is(mach_port_deallocate(SELF, ports[i]), KERN_SUCCESS, "forget it");
    }
}

static void
circles(void)
{
    mach_port_t a = guest_port();

    for (int n = 1; n <= 8; n++) {
        circle(n);
    }

    /* Send rights of its own in its queue keep a port from nothing. */
    for (int i = 0; i < 3; i++) {
        prepare_port(a, a, MACH_MSG_TYPE_COPY_SEND);
        is(send_now(), MACH_MSG_SUCCESS, "a right to itself in its queue");
    }

    drop(a);
}

/* A port whose queue holds a port whose queue holds ...: all go at once. */
static void
long_chain(void)
{
    mach_port_t head = receive_right(), at = head, next;

    for (int i = 0; i < 300; i++) {
        next = receive_right();
        prepare_port(next, at, MACH_MSG_TYPE_MOVE_RECEIVE);

        if (send_now() != MACH_MSG_SUCCESS) {
            ok(false, "link %d of the chain", i);
        }

        at = next;
    }

    drop(at);
}

/* A task that dies with messages queued at its ports, and its own at others'. */
static void
dying_child(mach_port_t port)
{
    mach_port_t own = receive_right();

    prepare_port(own, own, MACH_MSG_TYPE_MAKE_SEND);
    (void)send_now();
    prepare_port(port, own, MACH_MSG_TYPE_MOVE_RECEIVE);
    m.head.msgh_bits =
        MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    (void)send_now();
    own = receive_right();
    prepare_port(port, own, MACH_MSG_TYPE_MAKE_SEND);
    m.head.msgh_bits =
        MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    (void)send_now();
}

static void
task_death(void)
{
    mach_port_t port = guest_port(), task, dead;
    mach_port_type_t type = 0;

    task = guest_child(dying_child, port, NULL);
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "its first message");
    is(m.port.disposition, MACH_MSG_TYPE_PORT_RECEIVE, "a port of its own");
    dead = m.port.name;
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_MSG_SUCCESS, "its second");

    /* Received after the task's end or before: in the end it is dead. */
    while (MACH_PORT_VALID(m.port.name) &&
           (mach_port_type(SELF, m.port.name, &type) != KERN_SUCCESS ||
            type != MACH_PORT_TYPE_DEAD_NAME)) {
        pause_ms(5);
    }

    ok(true, "the port whose receiver ended is dead");

    if (MACH_PORT_VALID(m.port.name)) {
        (void)mach_port_deallocate(SELF, m.port.name);
    }

    is(receive_now(dead), MACH_MSG_SUCCESS,
       "the message in the queue of the "
       "port that was sent");
    is(m.port.name, dead, "with a right to it");
    (void)mach_port_deallocate(SELF, task);
    drop(dead);
    drop(port);
}

/* A space that dies with everything in its queues that a message can hold. */
static void
space_death(void)
{
    mach_port_t task = 0, port, gift, names[3];
    mach_port_name_t there = MACH_PORT_MAKE(0x200, 1);
    struct {
        mach_msg_header_t head;
        mach_msg_body_t body;
        mach_msg_ool_ports_descriptor_t ports;
        mach_msg_ool_descriptor_t memory;
        mach_msg_port_descriptor_t port;
    } full;

    for (int round = 0; round < 2; round++) {
        port = guest_port();
        gift = guest_port();
        is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "a task");

        for (natural_t i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++) {
            names[0] = receive_right();
            names[1] = receive_right();
            names[2] = MACH_PORT_DEAD;
            memset(&full, 0, sizeof(full));
            full.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
                                  MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                                 MACH_MSG_TYPE_MAKE_SEND_ONCE);
            full.head.msgh_remote_port = port;
            full.head.msgh_local_port = gift;
            full.body.msgh_descriptor_count = 3;
            full.ports = (mach_msg_ool_ports_descriptor_t){
                .address = (uint64_t)names,
                .count = 3,
                .disposition = MACH_MSG_TYPE_MOVE_RECEIVE,
                .type = MACH_MSG_OOL_PORTS_DESCRIPTOR,
            };
            describe(&full.memory, source, sizeof(source),
                     MACH_MSG_VIRTUAL_COPY);
            full.port.name = gift;
            full.port.disposition = MACH_MSG_TYPE_COPY_SEND;
            full.port.type = MACH_MSG_PORT_DESCRIPTOR;
            is(mach_msg(&full.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT,
                        sizeof(full), 0, 0, 0, 0),
               MACH_MSG_SUCCESS, "a full message");
        }

        /* The port is the task's, or in a message at the task's. */
        if (round == 0) {
            is(mach_port_insert_right(task, there, port,
                                      MACH_MSG_TYPE_MOVE_RECEIVE),
               KERN_SUCCESS, "its port is the task's");
        } else {
            mach_port_t outer = guest_port();

            prepare_port(outer, port, MACH_MSG_TYPE_MOVE_RECEIVE);
            is(send_now(), MACH_MSG_SUCCESS, "its port is in a message");
            is(mach_port_insert_right(task, there, outer,
                                      MACH_MSG_TYPE_MOVE_RECEIVE),
               KERN_SUCCESS, "at a port of the task");
            (void)mach_port_deallocate(SELF, outer);
        }

        is(task_terminate(task), KERN_SUCCESS, "the task ends");

        for (natural_t i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++) {
            is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                        gift, 5000, 0),
               MACH_MSG_SUCCESS, "who waits for a reply");
            is(m.head.msgh_id, MACH_NOTIFY_SEND_ONCE, "is told of none");
        }

        (void)mach_port_deallocate(SELF, task);
        (void)mach_port_deallocate(SELF, port);
        drop(gift);
    }
}

static void
all(void)
{
    overwrite();
    large();
    senders_in_order();
    senders_and_limit();
    senders_see_death();
    send_once_has_room();
    send_timed_out();
    fair_set();
    receivers_and_changes();
    interrupted();
    circles();
    long_chain();
    task_death();
    space_death();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "mach_msg");
}
