/* SPDX-License-Identifier: MIT */
/*
 * What messages carry and how they fail: rights, memory, timeouts, queues,
 * sets, payloads, and malformed ones (rows 23, 24 of the hazards).
 */

#include "tap.h"

#define SELF mach_task_self()

void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

union descriptor {
    mach_msg_port_descriptor_t port;
    mach_msg_ool_descriptor_t memory;
    mach_msg_ool_ports_descriptor_t ports;
};

struct message {
    mach_msg_header_t head;
    mach_msg_body_t body;
    union descriptor descriptor;
    char room[256];
};

static struct message m;

static void
prepare(mach_port_t to, mach_msg_type_name_t disposition)
{
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS(disposition, 0);
    m.head.msgh_size = sizeof(m.head);
    m.head.msgh_remote_port = to;
    m.head.msgh_id = 7;
}

static void
prepare_port(mach_port_t to, mach_port_t port, mach_msg_type_name_t disposition)
{
    prepare(to, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = 24 + 4 + 12;
    m.body.msgh_descriptor_count = 1;
    m.descriptor.port.name = port;
    m.descriptor.port.disposition = (uint8_t)disposition;
    m.descriptor.port.type = MACH_MSG_PORT_DESCRIPTOR;
}

static void
prepare_memory(mach_port_t to, vm_address_t address, natural_t size,
               boolean_t deallocate)
{
    prepare(to, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.head.msgh_size = 24 + 4 + 16;
    m.body.msgh_descriptor_count = 1;
    m.descriptor.memory.address = address;
    m.descriptor.memory.size = size;
    m.descriptor.memory.deallocate = (uint8_t)deallocate;
    m.descriptor.memory.copy = MACH_MSG_VIRTUAL_COPY;
    m.descriptor.memory.type = MACH_MSG_OOL_DESCRIPTOR;
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
    memset(&m, 0xee, sizeof(m));
    return mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                    port, 0, 0);
}

static mach_port_type_t
type_of(mach_port_t name)
{
    mach_port_type_t type = 0;

    return mach_port_type(SELF, name, &type) == KERN_SUCCESS ? type : 0;
}

static void
queues(void)
{
    mach_port_t port = guest_port();
    natural_t sent = 0;

    is(receive_now(port), MACH_RCV_TIMED_OUT, "nothing to receive");

    for (;;) {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_id = (int)sent;

        if (send_now() != MACH_MSG_SUCCESS) {
            break;
        }

        sent++;
    }

    is(sent, MACH_PORT_QLIMIT_DEFAULT, "a queue holds what its limit says");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_SEND_TIMED_OUT, "then a sender would wait");

    for (natural_t i = 0; i < sent; i++) {
        is(receive_now(port), MACH_MSG_SUCCESS, "receive");
        is(m.head.msgh_id, i, "in order");
    }

    (void)mach_port_destroy(SELF, port);
}

static void
timeouts(void)
{
    mach_port_t port = guest_port();
    time_value_t start, end;
    int64_t passed;

    (void)host_get_time(mach_host_self(), &start);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                50, 0),
       MACH_RCV_TIMED_OUT, "wait 50 ms for nothing");
    (void)host_get_time(mach_host_self(), &end);
    passed = (end.seconds - start.seconds) * 1000000 + end.microseconds -
             start.microseconds;
    ok(passed >= 49000 && passed < 1000000, "they took %ld us", passed);
    (void)mach_port_destroy(SELF, port);
}

static void
destinations(void)
{
    mach_port_t port = guest_port();

    prepare(MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_SEND_INVALID_DEST, "to nobody");
    prepare(MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_SEND_INVALID_DEST, "to the dead name");
    prepare(0xabcde01, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_SEND_INVALID_DEST, "to a name that is none");
    prepare(port, MACH_MSG_TYPE_MOVE_SEND_ONCE);
    is(send_now(), MACH_SEND_INVALID_DEST, "by a right that is not there");
    prepare(port, 9);
    is(send_now(), MACH_SEND_INVALID_HEADER, "by no disposition");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= 0x00400000;
    is(send_now(), MACH_SEND_INVALID_HEADER, "with bits that mean nothing");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS_KERNEL;
    is(send_now(), MACH_SEND_INVALID_HEADER, "in the kernel's name");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    m.head.msgh_local_port = 0xabcde01;
    is(send_now(), MACH_SEND_INVALID_REPLY, "with a reply port that is none");
    is(receive_now(port), MACH_RCV_TIMED_OUT, "none of them arrived");
    is(receive_now(0xabcde01), MACH_RCV_INVALID_NAME, "receive from no name");
    is(receive_now(SELF), MACH_RCV_INVALID_NAME, "from a send right");
    (void)mach_port_destroy(SELF, port);
}

static void
sizes(void)
{
    mach_port_t port = guest_port();
    static char large[MACH_MSG_SIZE_MAX + 64];
    mach_msg_header_t *head = (void *)large;

    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(mach_msg(&m.head, MACH_SEND_MSG, 23, 0, 0, 0, 0),
       MACH_SEND_MSG_TOO_SMALL, "smaller than a header");
    is(mach_msg(&m.head, MACH_SEND_MSG, 0, 0, 0, 0, 0), MACH_SEND_MSG_TOO_SMALL,
       "of no size");
    is(mach_msg(head, MACH_SEND_MSG, MACH_MSG_SIZE_MAX + 4, 0, 0, 0, 0),
       MACH_SEND_TOO_LARGE, "larger than the limit");
    is(mach_msg(NULL, MACH_SEND_MSG, 24, 0, 0, 0, 0), MACH_SEND_INVALID_DATA,
       "at no address");
    is(mach_msg((mach_msg_header_t *)0xffff800000000000, MACH_SEND_MSG, 24, 0,
                0, 0, 0),
       MACH_SEND_INVALID_DATA, "at an address of the kernel");
    is(mach_msg((mach_msg_header_t *)(VM_MAX_ADDRESS - 8), MACH_SEND_MSG, 24, 0,
                0, 0, 0),
       MACH_SEND_INVALID_DATA, "across the end of user memory");

    *head = m.head;
    head->msgh_size = 60000;
    large[59999] = 42;
    is(mach_msg(head, MACH_SEND_MSG, 60000, 0, 0, 0, 0), MACH_MSG_SUCCESS,
       "60,000 bytes are sent");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_LARGE, 0, sizeof(m), port, 0,
                0),
       MACH_RCV_TOO_LARGE, "too large for the buffer");
    is(m.head.msgh_size, 60000, "the header tells how large");
    large[59999] = 0;
    is(mach_msg(head, MACH_RCV_MSG | MACH_RCV_LARGE, 0, sizeof(large), port, 0,
                0),
       MACH_MSG_SUCCESS, "it is still there");
    is(large[59999], 42, "to its last byte");

    head->msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    head->msgh_remote_port = port;
    head->msgh_local_port = MACH_PORT_NULL;
    is(mach_msg(head, MACH_SEND_MSG, 60000, 0, 0, 0, 0), MACH_MSG_SUCCESS,
       "again");
    is(mach_msg(&m.head, MACH_RCV_MSG, 0, sizeof(m), port, 0, 0),
       MACH_RCV_TOO_LARGE, "without MACH_RCV_LARGE");
    is(receive_now(port), MACH_RCV_TIMED_OUT, "it is lost");

    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "a message");
    is(mach_msg((mach_msg_header_t *)8, MACH_RCV_MSG, 0, 4096, port, 0, 0),
       MACH_RCV_INVALID_DATA, "received at a bad address");
    (void)mach_port_destroy(SELF, port);
}

static void
ports_in_messages(void)
{
    mach_port_t port = guest_port(), gift;
    mach_msg_type_name_t bad[] = { 0, 1, 15, 22, 23, 31, 255 };

    (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_RECEIVE, &gift);
    prepare_port(port, gift, MACH_MSG_TYPE_MAKE_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "send a made send right");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    is(m.descriptor.port.disposition, MACH_MSG_TYPE_PORT_SEND, "a send right");
    is(m.descriptor.port.name, gift, "under the port's name");

    prepare_port(port, gift, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    is(send_now(), MACH_MSG_SUCCESS, "a send-once right");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    ok(m.descriptor.port.name != gift, "has a name of its own");
    is(type_of(m.descriptor.port.name), MACH_PORT_TYPE_SEND_ONCE, "its type");
    is(mach_port_deallocate(SELF, m.descriptor.port.name), KERN_SUCCESS,
       "it goes");
    is(receive_now(gift), MACH_MSG_SUCCESS, "unused, which is told");
    is(m.head.msgh_id, MACH_NOTIFY_SEND_ONCE, "by a notification");
    ok((m.head.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0, "from the kernel");

    prepare_port(port, gift, MACH_MSG_TYPE_MOVE_RECEIVE);
    is(send_now(), MACH_MSG_SUCCESS, "the receive right");
    is(type_of(gift), MACH_PORT_TYPE_SEND, "it is away");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    is(m.descriptor.port.name, gift, "it joins the send right");
    is(type_of(gift), MACH_PORT_TYPE_SEND_RECEIVE, "both");

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        prepare_port(port, gift, bad[i]);
        ok(send_now() != MACH_MSG_SUCCESS, "disposition %u", bad[i]);
    }

    prepare_port(port, 0xabcde01, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_SEND_INVALID_RIGHT, "a right that is none");
    prepare_port(port, port, MACH_MSG_TYPE_MOVE_SEND_ONCE);
    is(send_now(), MACH_SEND_INVALID_RIGHT, "one of another kind");
    prepare_port(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "the null name travels");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive");
    is(m.descriptor.port.name, MACH_PORT_NULL, "as itself");
    (void)mach_port_destroy(SELF, gift);
    (void)mach_port_destroy(SELF, port);
}

/* A port in its own queue, and a circle of two: nobody can receive them. */
static void
circles(void)
{
    mach_port_t a = guest_port(), b = guest_port();

    prepare_port(a, a, MACH_MSG_TYPE_MOVE_RECEIVE);
    is(send_now(), MACH_MSG_SUCCESS, "a port sent to itself");
    (void)mach_port_deallocate(SELF, a);

    a = guest_port();
    prepare_port(a, b, MACH_MSG_TYPE_MOVE_RECEIVE);
    is(send_now(), MACH_MSG_SUCCESS, "b in a's queue");
    prepare_port(b, a, MACH_MSG_TYPE_MOVE_RECEIVE);
    is(send_now(), MACH_MSG_SUCCESS, "a in b's queue");
    is(mach_port_deallocate(SELF, a), KERN_SUCCESS, "forget them");
    is(mach_port_deallocate(SELF, b), KERN_SUCCESS, "both");
}

static void
memory_in_messages(void)
{
    mach_port_t port = guest_port();
    vm_address_t data = 0, got;
    char *bytes;

    is(vm_allocate(SELF, &data, 3 * PAGE_SIZE, 1), KERN_SUCCESS, "memory");
    bytes = (char *)data;
    memset(bytes, 'a', 3 * PAGE_SIZE);

    prepare_memory(port, data + 10, 5000, FALSE);
    is(send_now(), MACH_MSG_SUCCESS, "send a copy");
    memset(bytes, 'b', 3 * PAGE_SIZE);
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    is(m.descriptor.memory.size, 5000, "its size");
    got = m.descriptor.memory.address;
    ok(*(char *)got == 'a' && ((char *)got)[4999] == 'a',
       "as it was when it was sent");
    *(char *)got = 'c';
    is(bytes[10], 'b', "the sender's is its own");
    is(vm_deallocate(SELF, got, 5000), KERN_SUCCESS, "free the copy");

    prepare_memory(port, data, 3 * PAGE_SIZE, TRUE);
    is(send_now(), MACH_MSG_SUCCESS, "send it away");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    got = m.descriptor.memory.address;
    is(((char *)got)[3 * PAGE_SIZE - 1], 'b', "it moved");
    is(vm_deallocate(SELF, got, 3 * PAGE_SIZE), KERN_SUCCESS, "free it");

    prepare_memory(port, 0, 0, FALSE);
    is(send_now(), MACH_MSG_SUCCESS, "no memory at all");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    is(m.descriptor.memory.size, 0, "is none");

    prepare_memory(port, 0x500000000000, 4096, FALSE);
    is(send_now(), MACH_SEND_INVALID_MEMORY, "memory that is not there");
    prepare_memory(port, 0xffff800000000000, 4096, FALSE);
    is(send_now(), MACH_SEND_INVALID_MEMORY, "memory of the kernel");
    prepare_memory(port, 0xfffffffffffff000, 0xffffffff, FALSE);
    is(send_now(), MACH_SEND_INVALID_MEMORY, "memory that wraps");
    (void)mach_port_destroy(SELF, port);
}

static void
arrays_of_ports(void)
{
    mach_port_t port = guest_port(), names[5], *got;

    names[0] = port;
    names[1] = MACH_PORT_NULL;
    names[2] = port;
    names[3] = MACH_PORT_DEAD;
    names[4] = port;
    prepare_memory(port, (vm_address_t)names, 5, FALSE);
    m.descriptor.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    m.descriptor.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
    is(send_now(), MACH_MSG_SUCCESS, "five names");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive them");
    is(m.descriptor.ports.count, 5, "are five");
    got = (mach_port_t *)(vm_address_t)m.descriptor.ports.address;
    ok(got[0] == port && got[1] == MACH_PORT_NULL && got[2] == port &&
           got[3] == MACH_PORT_DEAD && got[4] == port,
       "the same");
    is(vm_deallocate(SELF, (vm_address_t)got, 20), KERN_SUCCESS, "free");
    is(mach_port_mod_refs(SELF, port, MACH_PORT_RIGHT_SEND, -3), KERN_SUCCESS,
       "three references came");

    names[2] = 0xabcde01;
    prepare_memory(port, (vm_address_t)names, 5, FALSE);
    m.descriptor.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    m.descriptor.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
    is(send_now(), MACH_SEND_INVALID_RIGHT, "one of them is no right");
    prepare_memory(port, (vm_address_t)names, 0xffffffff, FALSE);
    m.descriptor.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    m.descriptor.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
    ok(send_now() != MACH_MSG_SUCCESS, "four thousand million names");
    prepare_memory(port, 16, 5, FALSE);
    m.descriptor.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    m.descriptor.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
    is(send_now(), MACH_SEND_INVALID_MEMORY, "at a bad address");
    (void)mach_port_destroy(SELF, port);
}

static void
malformed(void)
{
    mach_port_t port = guest_port();

    for (unsigned int type = 4; type < 256; type += 21) {
        prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
        m.descriptor.port.type = (uint8_t)type;
        is(send_now(), MACH_SEND_INVALID_TYPE, "descriptor type %u", type);
    }

    prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
    m.body.msgh_descriptor_count = 2;
    is(send_now(), MACH_SEND_MSG_TOO_SMALL, "shorter than its descriptors");
    m.body.msgh_descriptor_count = 0xffffffff;
    ok(send_now() != MACH_MSG_SUCCESS, "too many descriptors");
    prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_size = 24;
    is(send_now(), MACH_SEND_MSG_TOO_SMALL, "complex without a body");
    prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
    m.body.msgh_descriptor_count = 0;
    is(send_now(), MACH_MSG_SUCCESS, "complex without descriptors is fine");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive it");
    (void)mach_port_destroy(SELF, port);
}

static void
sets(void)
{
    mach_port_t a = guest_port(), b = guest_port(), set;

    (void)mach_port_allocate(SELF, MACH_PORT_RIGHT_PORT_SET, &set);
    is(receive_now(set), MACH_RCV_TIMED_OUT, "an empty set");
    prepare(a, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "a message that was there before");
    is(mach_port_move_member(SELF, a, set), KERN_SUCCESS, "a joins");
    is(mach_port_move_member(SELF, b, set), KERN_SUCCESS, "b joins");
    is(receive_now(set), MACH_MSG_SUCCESS, "received from the set");
    is(m.head.msgh_local_port, a, "says which port");
    prepare(b, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "to the other");
    is(receive_now(set), MACH_MSG_SUCCESS, "received from the set");
    is(m.head.msgh_local_port, b, "says which port");
    (void)mach_port_destroy(SELF, set);
    (void)mach_port_destroy(SELF, a);
    (void)mach_port_destroy(SELF, b);
}

static void
payloads(void)
{
    mach_port_t port = guest_port();
    uint64_t payload = 0xfedcba9876543210;

    is(mach_port_set_protected_payload(SELF, port, payload), KERN_SUCCESS,
       "a payload");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "send");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive");
    is(MACH_MSGH_BITS_LOCAL(m.head.msgh_bits), MACH_MSG_TYPE_PROTECTED_PAYLOAD,
       "the header says so");
    is(mach_msg_payload(&m.head), payload, "and has it");
    is(m.head.msgh_id, 7, "the id is where it was");
    prepare(port, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
    is(send_now(), MACH_SEND_INVALID_HEADER, "it is no disposition to send");
    is(mach_port_clear_protected_payload(SELF, port), KERN_SUCCESS, "clear");
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(send_now(), MACH_MSG_SUCCESS, "send");
    is(receive_now(port), MACH_MSG_SUCCESS, "receive");
    is(m.head.msgh_local_port, port, "the name is there again");
    (void)mach_port_destroy(SELF, port);
}

static void
trailers(void)
{
    mach_port_t port = guest_port();
    mach_msg_seqno_trailer_t *trailer;

    for (natural_t i = 0; i < 2; i++) {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        is(send_now(), MACH_MSG_SUCCESS, "send");
    }

    for (natural_t i = 0; i < 2; i++) {
        is(mach_msg(&m.head,
                    MACH_RCV_MSG |
                        MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_SEQNO),
                    0, sizeof(m), port, 0, 0),
           MACH_MSG_SUCCESS, "receive with its number");
        trailer = (void *)((char *)&m + m.head.msgh_size);
        is(trailer->msgh_trailer_size, 12, "a longer trailer");
        is(trailer->msgh_seqno, i, "numbers count");
    }

    (void)mach_port_destroy(SELF, port);
}

/* Row 14: nothing of the kernel's memory in what is received. */
static void
no_leaks(void)
{
    mach_port_t port = guest_port();
    bool clean = true;

    for (int i = 0; i < 64; i++) {
        prepare_port(port, port, MACH_MSG_TYPE_COPY_SEND);
        clean = clean && send_now() == MACH_MSG_SUCCESS &&
                receive_now(port) == MACH_MSG_SUCCESS;
        (void)mach_port_deallocate(SELF, port);
        clean = clean && m.descriptor.port.pad1 == 0 &&
                m.descriptor.port.pad2 == 0 && m.head.msgh_voucher_port == 0;
    }

    ok(clean, "padding is zero");
    (void)mach_port_destroy(SELF, port);
}

static void
all(void)
{
    queues();
    timeouts();
    destinations();
    sizes();
    ports_in_messages();
    circles();
    memory_in_messages();
    arrays_of_ports();
    malformed();
    sets();
    payloads();
    trailers();
    no_leaks();
}

void
guest_main(void)
{
    struct guest_counts before;

    all();
    guest_counts_get(&before);
    all();
    guest_counts_check(&before, "messages");
}
