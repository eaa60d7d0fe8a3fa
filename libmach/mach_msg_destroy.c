/* SPDX-License-Identifier: MIT */
/*
 * Release what a message holds. The message was received and nobody wants it,
 * or it could not be sent: dispositions of both sides are understood. What
 * the sender only lends (COPY_SEND, MAKE_*, memory that is not to be
 * deallocated) is not released; memory that was received says that it is.
 */

#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/message.h>
#include <mach/mig_support.h>

static void
mach_msg_destroy_port(mach_port_t port, mach_msg_type_name_t type)
{
    if (!MACH_PORT_VALID(port)) {
        return;
    }

    switch (type) {
    case MACH_MSG_TYPE_MOVE_SEND:
    case MACH_MSG_TYPE_MOVE_SEND_ONCE:
        /* The right may have become a dead name: this fits both. */
        (void)syscall_mach_port_deallocate(mach_task_self(), port);
        break;
    case MACH_MSG_TYPE_MOVE_RECEIVE:
        (void)syscall_mach_port_mod_refs(mach_task_self(), port,
                                         MACH_PORT_RIGHT_RECEIVE, -1);
        break;
    default:
        break;
    }
}

static void
mach_msg_destroy_ports(const mach_msg_ool_ports_descriptor_t *descriptor)
{
    const mach_port_t *ports;

    ports = (const mach_port_t *)(uintptr_t)descriptor->address;

    for (mach_msg_size_t i = 0; i < descriptor->count; i++) {
        mach_msg_destroy_port(ports[i], descriptor->disposition);
    }

    if (descriptor->deallocate) {
        mig_deallocate(descriptor->address,
                       descriptor->count * sizeof(mach_port_t));
    }
}

/* Descriptors have two sizes: returns where the next one is, or null if the
 * message ends before this one does. */
static char *
mach_msg_destroy_descriptor(char *at, const char *end)
{
    mach_msg_descriptor_t *descriptor = (void *)at;
    size_t left = (size_t)(end - at);

    if (left < sizeof(descriptor->port) ||
        (descriptor->type.type != MACH_MSG_PORT_DESCRIPTOR &&
         left < sizeof(descriptor->out_of_line))) {
        return NULL;
    }

    switch (descriptor->type.type) {
    case MACH_MSG_PORT_DESCRIPTOR:
        mach_msg_destroy_port(descriptor->port.name,
                              descriptor->port.disposition);
        return at + sizeof(descriptor->port);
    case MACH_MSG_OOL_PORTS_DESCRIPTOR:
        mach_msg_destroy_ports(&descriptor->ool_ports);
        return at + sizeof(descriptor->ool_ports);
    default:
        if (descriptor->out_of_line.deallocate) {
            mig_deallocate(descriptor->out_of_line.address,
                           descriptor->out_of_line.size);
        }

        return at + sizeof(descriptor->out_of_line);
    }
}

void
mach_msg_destroy(mach_msg_header_t *msg)
{
    mach_msg_bits_t bits = msg->msgh_bits;

    mach_msg_destroy_port(msg->msgh_remote_port, MACH_MSGH_BITS_REMOTE(bits));

    /* The local port of a received message is the receiver's own, or a
     * payload: nothing to release. */

    if (MACH_MSGH_BITS_IS_COMPLEX(bits) &&
        msg->msgh_size >= sizeof(mach_msg_base_t)) {
        mach_msg_base_t *base = (mach_msg_base_t *)msg;
        const char *end = (const char *)msg + msg->msgh_size;
        char *at = (char *)(base + 1);

        for (natural_t i = 0;
             i < base->body.msgh_descriptor_count && at != NULL; i++) {
            at = mach_msg_destroy_descriptor(at, end);
        }
    }
}
