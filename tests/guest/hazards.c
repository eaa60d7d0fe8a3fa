/* SPDX-License-Identifier: MIT */
/*
 * Runs the hazards' tests, or with hazard=N on the kernel's command line
 * those of one row, and looks after each for what it left behind.
 */

#include "hazards.h"

struct hazard_message m;

static mach_port_t reply_port;

void
prepare(mach_port_t to, mach_msg_type_name_t disposition)
{
    memset(&m, 0, sizeof(m));
    m.head.msgh_bits = MACH_MSGH_BITS(disposition, 0);
    m.head.msgh_remote_port = to;
    m.head.msgh_id = 7;
}

void
prepare_port(mach_port_t to, mach_port_t port, mach_msg_type_name_t disposition)
{
    prepare(to, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.body.msgh_descriptor_count = 1;
    m.port.name = port;
    m.port.disposition = (uint8_t)disposition;
    m.port.type = MACH_MSG_PORT_DESCRIPTOR;
}

void
prepare_memory(mach_port_t to, vm_address_t address, mach_msg_size_t size)
{
    prepare(to, MACH_MSG_TYPE_COPY_SEND);
    m.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
    m.body.msgh_descriptor_count = 1;
    m.memory.address = address;
    m.memory.size = size;
    m.memory.copy = MACH_MSG_VIRTUAL_COPY;
    m.memory.type = MACH_MSG_OOL_DESCRIPTOR;
}

mach_msg_return_t
hazard_send(mach_msg_size_t size)
{
    return mach_msg(&m.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0, 0, 0,
                    0);
}

mach_msg_return_t
hazard_receive(mach_port_t port)
{
    memset(&m, 0x55, sizeof(m));
    return mach_msg(&m.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(m),
                    port, 0, 0);
}

mach_msg_return_t
hazard_call(mach_msg_size_t size)
{
    m.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    m.head.msgh_local_port = reply_port;
    return mach_msg(&m.head,
                    MACH_SEND_MSG | MACH_SEND_TIMEOUT | MACH_RCV_MSG |
                        MACH_RCV_TIMEOUT,
                    size, sizeof(m), reply_port, 1000, 0);
}

mach_msg_return_t
hazard_call_plain(mach_msg_size_t size)
{
    m.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    m.head.msgh_local_port = reply_port;
    return mach_msg(&m.head, MACH_SEND_MSG | MACH_RCV_MSG, size, sizeof(m),
                    reply_port, 0, 0);
}

kern_return_t
hazard_result(void)
{
    return MACH_MSGH_BITS_IS_COMPLEX(m.head.msgh_bits)
               ? KERN_SUCCESS
               : ((mig_reply_error_t *)&m.head)->RetCode;
}

mach_port_urefs_t
hazard_refs(mach_port_t name, mach_port_right_t right)
{
    mach_port_urefs_t refs = UINT32_MAX;

    (void)mach_port_get_refs(SELF, name, right, &refs);
    return refs;
}

static void
hazard_run(const struct hazard *hazard)
{
    struct guest_counts before;

    /* The first time may make what stays: tables, reply ports. */
    tap_diag("hazard %u: %s", hazard->row, hazard->name);
    hazard->test();
    guest_counts_get(&before);
    hazard->test();
    guest_counts_check(&before, hazard->name);
}

void
guest_main(void)
{
    const struct hazard *const lists[] = { hazards_messages, hazards_rights,
                                           hazards_memory };
    uint64_t only = guest_argument("hazard", 0);

    reply_port = mach_reply_port();

    for (unsigned int i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (const struct hazard *h = lists[i]; h->test != NULL; h++) {
            if (only == 0 || only == h->row) {
                hazard_run(h);
            }
        }
    }
}
