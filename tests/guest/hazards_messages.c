/* SPDX-License-Identifier: MIT */
/* Hazards of messages: rows 5, 6, 10, 14, 15, 16, 23, 24 and 27. */

#include "hazards.h"

#define TASK_TERMINATE 3401
#define THREAD_TERMINATE 3600
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RUN_BYTES 8192

/* The upper bits of the kernel's addresses. */
#define DIRECT_MAP_TOP 0xffff80ull
#define STACK_AREA_TOP 0xffffc0ull
#define IMAGE_TOP 0x1ffffffffull

/* -- 5: a count that is not that of the descriptor -------------------------- */

#define PORTS_REGISTER 3403

static void
test_port_array_count(void)
{
    static const natural_t counts[] = {
        0, 1, 3, 4, 512, 0x40000000, UINT32_MAX
    };
    mach_port_t names[2] = { SELF, SELF };
    uint32_t *count = &m.words[4];

    for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        prepare(SELF, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
        m.head.msgh_id = PORTS_REGISTER;
        m.body.msgh_descriptor_count = 1;
        m.ports.address = (uint64_t)names;
        m.ports.count = 2;
        m.ports.copy = MACH_MSG_VIRTUAL_COPY;
        m.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
        m.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
        *count = counts[i];
        is(hazard_call(MEMORY_SIZE + 4), MACH_MSG_SUCCESS,
           "hazard 5: two ports, counted as %u", counts[i]);
        is(hazard_result(), MIG_TYPE_ERROR, "hazard 5: are refused");
    }
}

/* -- 6: a size is taken from one place -------------------------------------- */

static void
test_size_in_header(void)
{
    static const uint32_t sizes[] = { 0, 4, 24, 28, 100, 60000, UINT32_MAX };
    mach_port_t port = guest_port();

    for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_size = sizes[i];
        is(hazard_send(64), MACH_MSG_SUCCESS, "hazard 6: the header says %u",
           sizes[i]);
        is(hazard_receive(port), MACH_MSG_SUCCESS, "hazard 6: it arrives");
        is(m.head.msgh_size, 64, "hazard 6: as large as it was sent");
    }

    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 6: done");
}

/* -- 10 and 27: only the kernel speaks for the kernel ----------------------- */

static void
test_kernel_mark_set(void)
{
    mach_port_t port = guest_port();

    for (unsigned int bit = 5; bit < 31; bit++) {
        uint32_t bits = 1u << bit;

        if ((bits & MACH_MSGH_BITS_USER) != 0) {
            continue;
        }

        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_bits |= bits;
        m.head.msgh_id = MACH_NOTIFY_NO_SENDERS;
        is(hazard_send(36), MACH_SEND_INVALID_HEADER,
           "hazard 10: bit %u is not a sender's to set", bit);
        m.head.msgh_bits |= bits;
        is(mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
                    36, sizeof(m), port, 0, 0),
           MACH_SEND_INVALID_HEADER,
           "hazard 10: nor in one trap with a receive");
    }

    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 10: done");
}

static void
forge(mach_port_t port)
{
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_id = MACH_NOTIFY_DEAD_NAME;
    (void)hazard_send(28);
}

static void
test_kernel_mark_received(void)
{
    mach_port_t port = guest_port();
    mach_port_t old;

    forge(port);
    is(hazard_receive(port), MACH_MSG_SUCCESS, "hazard 27: of the first task");
    is(m.head.msgh_bits & MACH_MSGH_BITS_KERNEL, 0, "hazard 27: has no mark");
    prepare_port(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_id = MACH_NOTIFY_PORT_DESTROYED;
    is(hazard_send(PORT_SIZE), MACH_MSG_SUCCESS, "hazard 27: with a right");
    is(hazard_receive(port), MACH_MSG_SUCCESS, "hazard 27: it arrives");
    is(m.head.msgh_bits & MACH_MSGH_BITS_KERNEL, 0, "hazard 27: has no mark");
    (void)mach_port_deallocate(SELF, guest_child(forge, port, NULL));
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                5000, 0),
       MACH_MSG_SUCCESS, "hazard 27: of another task");
    is(m.head.msgh_bits & MACH_MSGH_BITS_KERNEL, 0, "hazard 27: has no mark");

    is(mach_port_request_notification(SELF, port, MACH_NOTIFY_NO_SENDERS, 0,
                                      port, MACH_MSG_TYPE_MAKE_SEND_ONCE, &old),
       KERN_SUCCESS, "hazard 27: a true one");
    is(mach_port_deallocate(SELF, port), KERN_SUCCESS,
       "hazard 27: is asked for");
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                5000, 0),
       MACH_MSG_SUCCESS, "hazard 27: of the kernel");
    ok((m.head.msgh_bits & MACH_MSGH_BITS_KERNEL) != 0,
       "hazard 27: has the mark");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 27: done");
}

/* -- 14: bytes that nobody set ---------------------------------------------- */

static unsigned char run_bytes[2][RUN_BYTES];
static size_t run_size;

static void
run_note(unsigned int run)
{
    size_t size;

    /* The trailer says itself how long it is. */
    size = ((m.head.msgh_size + 3) & ~3u) +
           ((mach_msg_trailer_t *)((char *)&m.head +
                                   ((m.head.msgh_size + 3) & ~3u)))
               ->msgh_trailer_size;

    if (size <= sizeof(m) && run_size + size <= RUN_BYTES) {
        memcpy(&run_bytes[run][run_size], &m, size);
        run_size += size;
    }
}

/* Leave the pattern in the kernel's buffers of every size. */
static void
run_spray(mach_port_t port, unsigned char pattern)
{
    static const mach_msg_size_t sizes[] = { 200, 900, 1900 };

    for (unsigned int i = 0; i < 15; i++) {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        memset(m.words, pattern, sizeof(m.words));
        (void)hazard_send(sizes[i / 5]);
    }

    while (hazard_receive(port) == MACH_MSG_SUCCESS) {
        continue;
    }

    /* And on the kernel's stack, by a request with nothing but the pattern. */
    prepare(SELF, MACH_MSG_TYPE_COPY_SEND);
    memset(&m.body, pattern, 1000);
    (void)hazard_call_plain(900);
}

static void
run_trailers(unsigned int run, mach_port_t port, unsigned char pattern)
{
    for (unsigned int elements = 0; elements < 16; elements++) {
        run_spray(port, pattern);
        (void)mach_port_set_seqno(SELF, port, 0);
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        (void)hazard_send(28);
        memset(&m, 0x55, sizeof(m));

        if (mach_msg(&m.head,
                     MACH_RCV_MSG | MACH_RCV_TIMEOUT |
                         MACH_RCV_TRAILER_ELEMENTS(elements),
                     0, sizeof(m), port, 0, 0) == MACH_MSG_SUCCESS) {
            run_note(run);
        } else {
            (void)hazard_receive(port);
        }
    }
}

/* What the sender puts beside the fields of a descriptor is not passed on. */
static void
run_descriptors(unsigned int run, mach_port_t port, unsigned char pattern)
{
    for (unsigned int kind = 0; kind < 3; kind++) {
        run_spray(port, pattern);

        if (kind == 0) {
            prepare_port(port, MACH_PORT_NULL, MACH_MSG_TYPE_COPY_SEND);
            m.port.pad1 = pattern * 0x01010101u;
            m.port.pad2 = pattern * 0x0101;
        } else {
            prepare_memory(port, pattern, 0);
            m.memory.deallocate = pattern & 1;
            m.memory.pad1 = pattern;

            if (kind == 2) {
                m.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
                m.ports.disposition = MACH_MSG_TYPE_COPY_SEND;
            }
        }

        (void)mach_port_set_seqno(SELF, port, 0);
        (void)hazard_send(kind == 0 ? PORT_SIZE : MEMORY_SIZE);
        (void)hazard_receive(port);
        run_note(run);
    }
}

static void
run_replies(unsigned int run, mach_port_t port, unsigned char pattern)
{
    static const struct {
        mach_msg_id_t id;
        mach_msg_size_t size;
        bool to_host;
    } requests[] = {
        { 201, 24, true },   /* host_kernel_version */
        { 202, 24, true },   /* host_page_size */
        { 299, 24, true },   /* none */
        { 3201, 28, false }, /* mach_port_type */
        { 3207, 32, false }, /* mach_port_get_refs */
        { 3217, 28, false }, /* mach_port_get_receive_status */
        { 3201, 24, false }, /* one that is too short */
    };

    for (unsigned int i = 0; i < 2 * COUNT(requests); i++) {
        unsigned int which = i / 2;

        run_spray(port, pattern);
        prepare(requests[which].to_host ? mach_host_self() : SELF,
                MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_id = requests[which].id;
        ((uint32_t *)&m)[6] = port;
        ((uint32_t *)&m)[7] = MACH_PORT_RIGHT_SEND;

        /* What is behind the request must not come back either. */
        memset((char *)&m + requests[which].size, pattern, 256);
        (void)(i % 2 == 0 ? hazard_call(requests[which].size)
                          : hazard_call_plain(requests[which].size));
        run_note(run);
    }
}

static void
test_two_runs(void)
{
    static const unsigned char patterns[] = { 0xa5, 0x3c };
    mach_port_t port = guest_port();
    size_t sizes[2];

    (void)mach_port_set_qlimit(SELF, port, 20);

    for (unsigned int run = 0; run < 2; run++) {
        run_size = 0;
        run_trailers(run, port, patterns[run]);
        run_descriptors(run, port, patterns[run]);
        run_replies(run, port, patterns[run]);
        sizes[run] = run_size;
    }

    is(sizes[1], sizes[0], "hazard 14: both runs are of one length");
    ok(sizes[0] > 500, "hazard 14: of %lu bytes", (unsigned long)sizes[0]);

    for (size_t i = 0; i < sizes[0]; i++) {
        if (run_bytes[0][i] != run_bytes[1][i]) {
            tap_diag("byte %lu: %x, %x", (unsigned long)i, run_bytes[0][i],
                     run_bytes[1][i]);
            break;
        }
    }

    is(memcmp(run_bytes[0], run_bytes[1], sizes[0]), 0,
       "hazard 14: and have the same bytes");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 14: done");
}

/* -- 15: kernel addresses --------------------------------------------------- */

static unsigned int
addresses_in(const void *memory, size_t size)
{
    unsigned int found = 0;

    for (size_t i = 0; i + 8 <= size; i += 4) {
        uint64_t word;

        memcpy(&word, (const char *)memory + i, sizeof(word));
        found += word >> 40 == DIRECT_MAP_TOP || word >> 40 == STACK_AREA_TOP ||
                 (word >> 31 == IMAGE_TOP && (uint32_t)word < 0xc0000000);
    }

    return found;
}

/* Whatever answers a request that says nothing. */
static void
test_addresses_in_replies(void)
{
    static const struct {
        mach_msg_id_t first, end;
    } ranges[] = { { 200, 215 },
                   { 3200, 3240 },
                   { 3400, 3420 },
                   { 3600, 3612 },
                   { 3800, 3820 } };
    mach_port_t task, thread;
    unsigned int answers = 0;
    unsigned int found = 0;

    is(task_create(SELF, FALSE, &task), KERN_SUCCESS, "hazard 15: a task");
    is(thread_create(task, &thread), KERN_SUCCESS, "hazard 15: its thread");

    for (unsigned int r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
        for (mach_msg_id_t id = ranges[r].first; id < ranges[r].end; id++) {
            for (mach_msg_size_t size = 24; size < 60; size += 4) {
                prepare(id < 300                  ? mach_host_self()
                        : id >= 3600 && id < 3700 ? thread
                                                  : task,
                        MACH_MSG_TYPE_COPY_SEND);
                m.head.msgh_id = id;

                if (id != TASK_TERMINATE && id != THREAD_TERMINATE &&
                    hazard_call(size) == MACH_MSG_SUCCESS) {
                    answers++;
                    found += addresses_in(&m, m.head.msgh_size);
                    mach_msg_destroy(&m.head);
                }
            }
        }
    }

    ok(answers > 500, "hazard 15: %u answers", answers);
    is(found, 0, "hazard 15: have no address of the kernel");
    (void)task_terminate(task);
    (void)mach_port_deallocate(SELF, task);
    (void)mach_port_deallocate(SELF, thread);
}

/* In a task that has no room for it. */
static void
receive_too_much(mach_port_t port)
{
    mach_port_t mine = MACH_PORT_MAKE(200, 0);
    struct hazard_message got;
    mach_msg_return_t mr;
    unsigned int found;

    (void)task_set_limits(SELF, 2ul << 20, 0);
    mr = mach_msg(&got.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(got),
                  mine, 5000, 0);
    found = addresses_in(&got, got.head.msgh_size);
    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    m.words[0] = (uint32_t)mr;
    m.words[1] = found;
    (void)hazard_send(64);
}

static void
test_addresses_of_what_failed(void)
{
    mach_port_t port = guest_port();
    mach_port_t hers = guest_port();
    vm_address_t memory;
    mach_port_t task;

    task = guest_child(receive_too_much, port, NULL);
    (void)task_suspend(task);
    is(mach_port_insert_right(task, MACH_PORT_MAKE(200, 0), hers,
                              MACH_MSG_TYPE_MOVE_RECEIVE),
       KERN_SUCCESS, "hazard 15: a child");
    is(vm_allocate(SELF, &memory, 8ul << 20, VM_FLAGS_ANYWHERE), KERN_SUCCESS,
       "hazard 15: 8 MB");
    prepare_memory(hers, memory, 8u << 20);
    is(hazard_send(MEMORY_SIZE), MACH_MSG_SUCCESS, "hazard 15: are sent");
    (void)task_resume(task);
    is(mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m), port,
                10000, 0),
       MACH_MSG_SUCCESS, "hazard 15: the child received them");
    is(m.words[0] & ~0x3fffu, MACH_RCV_BODY_ERROR & ~0x3fff,
       "hazard 15: had no room for them");
    is(m.words[1], 0, "hazard 15: and got no address of the kernel");
    (void)vm_deallocate(SELF, memory, 8ul << 20);
    (void)mach_port_deallocate(SELF, hers);
    (void)mach_port_deallocate(SELF, task);
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 15: done");
}

/* -- 16: vouchers ----------------------------------------------------------- */

static void
test_voucher(void)
{
    mach_port_t port = guest_port();
    const mach_port_t vouchers[] = { 1, port, SELF, MACH_PORT_DEAD };

    for (unsigned int i = 0; i < 4; i++) {
        prepare(port, MACH_MSG_TYPE_COPY_SEND);
        m.head.msgh_voucher_port = vouchers[i];
        is(hazard_send(24), MACH_SEND_INVALID_HEADER,
           "hazard 16: a voucher %x is refused", vouchers[i]);
        m.head.msgh_voucher_port = vouchers[i];
        is(hazard_call(24), MACH_SEND_INVALID_HEADER,
           "hazard 16: and in a call");
    }

    prepare(port, MACH_MSG_TYPE_COPY_SEND);
    is(hazard_send(24), MACH_MSG_SUCCESS, "hazard 16: none");
    is(hazard_receive(port), MACH_MSG_SUCCESS, "hazard 16: arrives");
    is(m.head.msgh_voucher_port, 0, "hazard 16: as none");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 16: done");
}

/* -- 23 and 24: descriptors ------------------------------------------------- */

static bool
disposition_is_known(unsigned int disposition)
{
    return disposition >= MACH_MSG_TYPE_MOVE_RECEIVE &&
           disposition <= MACH_MSG_TYPE_MAKE_SEND_ONCE;
}

static void
test_unknown_descriptors(void)
{
    mach_port_t port = guest_port();
    unsigned int taken = 0;

    for (unsigned int type = MACH_MSG_OOL_VOLATILE_DESCRIPTOR + 1; type < 256;
         type++) {
        prepare_memory(port, 0, 0);
        m.memory.type = (uint8_t)type;
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_TYPE;
    }

    is(taken, 0, "hazard 23: no descriptor of an unknown type is taken");
    taken = 0;

    for (unsigned int disposition = 0; disposition < 256; disposition++) {
        if (disposition_is_known(disposition)) {
            continue;
        }

        prepare_port(port, port, disposition);
        taken += hazard_send(PORT_SIZE) != MACH_SEND_INVALID_TYPE;
        prepare_memory(port, (vm_address_t)&port, 0);
        m.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
        m.ports.disposition = (uint8_t)disposition;
        m.ports.count = 1;
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_TYPE;
    }

    is(taken, 0, "hazard 23: no right of an unknown disposition");
    taken = 0;

    for (unsigned int copy = 2; copy < 256; copy++) {
        prepare_memory(port, (vm_address_t)&port, 4);
        m.memory.copy = (uint8_t)copy;
        taken += hazard_send(MEMORY_SIZE) != MACH_SEND_INVALID_TYPE;
    }

    is(taken, 0, "hazard 23: no memory by an unknown way");
    is(hazard_receive(port), MACH_RCV_TIMED_OUT, "hazard 23: nothing was sent");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 23: done");
}

static void
test_unknown_header_dispositions(void)
{
    mach_port_t port = guest_port();
    unsigned int taken = 0;

    for (unsigned int remote = 0; remote < 32; remote++) {
        for (unsigned int local = 0; local < 32; local++) {
            if (remote > MACH_MSG_TYPE_MOVE_RECEIVE &&
                disposition_is_known(remote) &&
                (local == 0 || (local > MACH_MSG_TYPE_MOVE_RECEIVE &&
                                disposition_is_known(local)))) {
                continue;
            }

            prepare(port, remote);
            m.head.msgh_bits |= MACH_MSGH_BITS(0, local);
            m.head.msgh_local_port = local == 0 ? MACH_PORT_NULL : port;
            taken += hazard_send(24) != MACH_SEND_INVALID_HEADER;
        }
    }

    is(taken, 0, "hazard 23: no unknown disposition in a header");
    is(hazard_receive(port), MACH_RCV_TIMED_OUT, "hazard 23: nothing was sent");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 23: done");
}

static void
test_short_messages(void)
{
    static const uint32_t counts[] = {
        2, 3, 7, 255, 256, 257, 0x10000000, 0x15555556, 1u << 31, UINT32_MAX
    };
    mach_port_t port = guest_port();
    unsigned int taken = 0;

    for (unsigned int type = 0; type <= MACH_MSG_OOL_VOLATILE_DESCRIPTOR;
         type++) {
        mach_msg_size_t whole =
            type == MACH_MSG_PORT_DESCRIPTOR ? PORT_SIZE : MEMORY_SIZE;

        for (mach_msg_size_t size = 24; size < whole; size += 4) {
            prepare_memory(port, 0, 0);
            m.memory.type = (uint8_t)type;
            m.memory.pad1 = MACH_MSG_TYPE_COPY_SEND;
            taken += hazard_send(size) != MACH_SEND_MSG_TOO_SMALL;
        }

        for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            mach_msg_return_t mr;

            prepare_memory(port, 0, 0);
            m.memory.type = (uint8_t)type;
            m.memory.pad1 = MACH_MSG_TYPE_COPY_SEND;
            m.body.msgh_descriptor_count = counts[i];
            mr = hazard_send(whole);
            taken += mr != MACH_SEND_MSG_TOO_SMALL && mr != MACH_SEND_TOO_LARGE;
        }
    }

    is(taken, 0, "hazard 24: no message shorter than its descriptors is taken");
    is(hazard_receive(port), MACH_RCV_TIMED_OUT, "hazard 24: nothing was sent");
    is(mach_port_destroy(SELF, port), KERN_SUCCESS, "hazard 24: done");
}

const struct hazard hazards_messages[] = {
    { 5, "the count of a port array", test_port_array_count },
    { 6, "a size in the header", test_size_in_header },
    { 10, "the kernel's mark, set by a sender", test_kernel_mark_set },
    { 14, "bytes that nobody set", test_two_runs },
    { 15, "kernel addresses in replies", test_addresses_in_replies },
    { 15, "kernel addresses of what failed", test_addresses_of_what_failed },
    { 16, "vouchers", test_voucher },
    { 23, "unknown descriptors", test_unknown_descriptors },
    { 23, "unknown dispositions", test_unknown_header_dispositions },
    { 24, "messages shorter than their descriptors", test_short_messages },
    { 27, "the kernel's mark, received", test_kernel_mark_received },
    { 0, NULL, NULL },
};
