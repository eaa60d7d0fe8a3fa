/* SPDX-License-Identifier: MIT */
/*
 * Each message lives in a block of exactly its size, so that the address
 * sanitizer sees a stub that reads behind the end.
 */

#include "rpc_kernel.h"

#include <stdlib.h>
#include <string.h>

#include <mach/mig_support.h>

#include "rpc_server.h"

#define RPC_PAYLOAD 0x1122334455667788

struct rpc_wish rpc_wish;
struct rpc_record rpc_record;

NDR_record_t NDR_record = { 0, 0, 0, 0, 1, 0, 0, 0 };

void
rpc_reset(void)
{
    memset(&rpc_wish, 0, sizeof(rpc_wish));
    memset(&rpc_record, 0, sizeof(rpc_record));
}

mach_port_t
mig_get_reply_port(void)
{
    return RPC_REPLY_PORT;
}

void
mig_put_reply_port(mach_port_t reply_port)
{
    (void)reply_port;
    rpc_record.ports_put++;
}

void
mig_dealloc_reply_port(mach_port_t reply_port)
{
    (void)reply_port;
    rpc_record.ports_dealloc++;
}

void
mig_deallocate(vm_address_t address, vm_size_t size)
{
    (void)address;
    (void)size;
    rpc_record.regions_freed++;
}

char *
mig_user_allocate(vm_size_t size)
{
    return rpc_wish.no_memory ? NULL : malloc(size);
}

void
mig_user_deallocate(char *address, vm_size_t size)
{
    (void)size;
    free(address);
}

void
mach_msg_destroy(mach_msg_header_t *msg)
{
    (void)msg;
    rpc_record.destroyed++;
}

static mach_msg_type_name_t
rpc_received(mach_msg_type_name_t disposition)
{
    switch (disposition) {
    case MACH_MSG_TYPE_COPY_SEND:
    case MACH_MSG_TYPE_MAKE_SEND:
        return MACH_MSG_TYPE_PORT_SEND;
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        return MACH_MSG_TYPE_PORT_SEND_ONCE;
    default:
        return disposition;
    }
}

/* Walk the descriptors; CONVERT their dispositions to what arrives. */
static unsigned int
rpc_walk(mach_msg_header_t *msg, bool convert)
{
    mach_msg_base_t *base = (void *)msg;
    mach_msg_descriptor_t *descriptor;
    unsigned int i, live;
    char *place;

    if (!MACH_MSGH_BITS_IS_COMPLEX(msg->msgh_bits)) {
        return 0;
    }

    place = (char *)(base + 1);
    live = 0;

    for (i = 0; i < base->body.msgh_descriptor_count; i++) {
        descriptor = (void *)place;

        if (descriptor->type.type == MACH_MSG_PORT_DESCRIPTOR) {
            live += descriptor->port.name != MACH_PORT_NULL;

            if (convert) {
                descriptor->port.disposition =
                    (uint8_t)rpc_received(descriptor->port.disposition);
            }

            place += sizeof(mach_msg_port_descriptor_t);
            continue;
        }

        live += descriptor->out_of_line.address != 0;

        if (convert && descriptor->type.type == MACH_MSG_OOL_PORTS_DESCRIPTOR) {
            descriptor->ool_ports.disposition =
                (uint8_t)rpc_received(descriptor->ool_ports.disposition);
        }

        place += sizeof(mach_msg_ool_descriptor_t);
    }

    return live;
}

static void
rpc_add_trailer(mach_msg_header_t *msg)
{
    mach_msg_audit_trailer_t *trailer;

    trailer = (void *)((char *)msg + ((msg->msgh_size + 3) & ~3u));
    trailer->msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    trailer->msgh_trailer_size = sizeof(*trailer);
    trailer->msgh_seqno = 77;
    trailer->msgh_sender.val[0] = 5;
    trailer->msgh_sender.val[1] = 6;

    for (unsigned int i = 0; i < 8; i++) {
        trailer->msgh_audit.val[i] = 10 + i;
    }
}

/* A block of exactly the size that the message has by now. */
static mach_msg_header_t *
rpc_fit(const mach_msg_header_t *msg, bool trailer)
{
    mach_msg_header_t *copy;
    size_t size;

    size = (msg->msgh_size + 3) & ~3u;

    if (size < sizeof(*msg)) {
        size = sizeof(*msg);
    }

    copy = malloc(size + (trailer ? MAX_TRAILER_SIZE : 0));
    memcpy(copy, msg, size);

    if (trailer) {
        rpc_add_trailer(copy);
    }

    return copy;
}

static mach_msg_header_t *
rpc_deliver_request(const mach_msg_header_t *msg, mach_msg_size_t size)
{
    static unsigned long space[RPC_BUFFER_SIZE / sizeof(unsigned long)];
    mach_msg_header_t *request = (void *)space;
    uint64_t payload = RPC_PAYLOAD;
    mach_msg_bits_t bits;

    memset(space, 0, sizeof(space));
    memcpy(space, msg, size);
    bits = msg->msgh_bits;
    request->msgh_bits =
        (bits & MACH_MSGH_BITS_COMPLEX) |
        MACH_MSGH_BITS(rpc_received(MACH_MSGH_BITS_LOCAL(bits)),
                       rpc_received(MACH_MSGH_BITS_REMOTE(bits)));
    request->msgh_size = size;
    request->msgh_remote_port = msg->msgh_local_port;
    request->msgh_local_port = msg->msgh_remote_port;

    if (rpc_wish.from_kernel) {
        request->msgh_bits |= MACH_MSGH_BITS_KERNEL;
    }

    if (rpc_wish.payload) {
        request->msgh_bits &= ~MACH_MSGH_BITS_LOCAL_MASK;
        request->msgh_bits |=
            MACH_MSGH_BITS(0, MACH_MSG_TYPE_PROTECTED_PAYLOAD);
        memcpy((char *)request + 12, &payload, sizeof(payload));
    }

    rpc_walk(request, true);

    if (rpc_wish.spoil_request != NULL) {
        rpc_wish.spoil_request(request);
    }

    return rpc_fit(request, !rpc_wish.no_trailer);
}

/* The reply as the loop would send it: what is its code? */
static kern_return_t
rpc_reply_code(const mach_msg_header_t *reply)
{
    if (MACH_MSGH_BITS_IS_COMPLEX(reply->msgh_bits)) {
        return KERN_SUCCESS;
    }

#ifdef RPC_NDR
    return ((const mig_reply_error_ndr_t *)(const void *)reply)->RetCode;
#else
    return ((const mig_reply_error_t *)(const void *)reply)->RetCode;
#endif
}

static mach_msg_return_t
rpc_deliver_reply(mach_msg_header_t *msg, mach_msg_header_t *reply,
                  mach_msg_size_t room, mach_port_name_t port)
{
    mach_msg_header_t *fit;
    mach_msg_size_t size;

    reply->msgh_bits = (reply->msgh_bits & MACH_MSGH_BITS_COMPLEX) |
                       MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE);
    reply->msgh_remote_port = MACH_PORT_NULL;
    reply->msgh_local_port = port;
    rpc_walk(reply, true);

    if (rpc_wish.spoil_reply != NULL) {
        rpc_wish.spoil_reply(reply);
    }

    fit = rpc_fit(reply, true);
    size = ((fit->msgh_size + 3) & ~3u) + sizeof(mach_msg_trailer_t);

    if (GET_RCV_ELEMENTS(rpc_record.option) != 0) {
        size += REQUESTED_TRAILER_SIZE(rpc_record.option) -
                sizeof(mach_msg_trailer_t);
    }

    if (size > room) {
        free(fit);
        return MACH_RCV_TOO_LARGE;
    }

    memcpy(msg, fit, size);
    free(fit);
    return MACH_MSG_SUCCESS;
}

mach_msg_return_t
mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_size_t send_size, mach_msg_size_t rcv_size,
         mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
         mach_port_name_t notify)
{
    static unsigned long space[RPC_BUFFER_SIZE / sizeof(unsigned long)];
    mach_msg_header_t *reply = (void *)space;
    mach_msg_header_t *request;

    (void)notify;
    rpc_record.calls++;
    rpc_record.option = option;
    rpc_record.timeout = timeout;
    rpc_record.rcv_name = rcv_name;
    rpc_record.sent_size = send_size;
    memcpy(rpc_record.sent, msg, send_size);

    if (rpc_wish.send_error != MACH_MSG_SUCCESS) {
        return rpc_wish.send_error;
    }

    request = rpc_deliver_request(msg, send_size);
    memset(space, rpc_wish.fill, sizeof(space));
    rpc_record.known = rpc_server(request, reply);
    rpc_record.code = rpc_reply_code(reply);
    rpc_record.reply_size = reply->msgh_size;
    memcpy(rpc_record.reply, reply, reply->msgh_size);

    if (rpc_record.code != KERN_SUCCESS && rpc_record.code != MIG_NO_REPLY) {
        /* The bits may lie about what follows: look only if it is whole. */
        rpc_record.left =
            (rpc_wish.spoil_request == NULL) ? rpc_walk(request, false) : 0;
    }

    free(request);

    if ((option & MACH_RCV_MSG) == 0) {
        return MACH_MSG_SUCCESS;
    }

    if (rpc_record.code == MIG_NO_REPLY) {
        return MACH_RCV_TIMED_OUT;
    }

    return rpc_deliver_reply(msg, reply, rcv_size, rcv_name);
}
