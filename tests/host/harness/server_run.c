/* SPDX-License-Identifier: MIT */
/* How a request gets to the server, and its reply back. */

#include <stdlib.h>
#include <string.h>

#include <mach/server.h>

#include "server.h"

struct server server;
mach_msg_return_t server_send_result;
uint8_t server_request[ENGINE_BUFFER_SIZE];
uint8_t server_reply[ENGINE_BUFFER_SIZE];

void
server_sent(const mach_msg_header_t *msg)
{
    server.answered = true;
    server.answer.size = msg->msgh_size;
    memcpy(server_reply, msg, msg->msgh_size);

    if (server_send_result == MACH_MSG_SUCCESS) {
        ledger_send(msg);
    }
}

static mach_msg_size_t
server_reply_room(mach_msg_id_t id)
{
    const struct mig_subsystem *subsystem = harness_server.subsystem;
    uint32_t index = (uint32_t)id - (uint32_t)subsystem->start;

    if (id < subsystem->start || id >= subsystem->end ||
        subsystem->routine[index].stub_routine == NULL) {
        return message_error_size(&harness_server);
    }

    return subsystem->routine[index].max_reply_msg;
}

/* A request that is an error reply: its code is an argument. */
static void
server_look_for_failure(void)
{
    const mach_msg_header_t *head = (const void *)server.request.bytes;

    server.failed = false;

    if (server.routine->retcode >= 0 &&
        !MACH_MSGH_BITS_IS_COMPLEX(head->msgh_bits) &&
        server.request.size == message_error_size(&harness_server)) {
        server.failure = message_code(&harness_server, head);
        server.failed = server.failure != KERN_SUCCESS;
    }
}

/* What the loop does where it is not libmach's: in the kernel, and where an
 * error reply has an NDR record. */
static void
server_serve(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    kern_return_t code = KERN_SUCCESS;

    (void)harness_server.demux(request, reply);

    if (!MACH_MSGH_BITS_IS_COMPLEX(reply->msgh_bits)) {
        code = message_code(&harness_server, reply);
    }

    if (code == MIG_NO_REPLY) {
        return;
    }

    if (code != KERN_SUCCESS) {
        request->msgh_remote_port = MACH_PORT_NULL;
        mach_msg_destroy(request);
    }

    if (MACH_PORT_VALID(reply->msgh_remote_port)) {
        server_sent(reply);
    }

    if (!MACH_PORT_VALID(reply->msgh_remote_port) ||
        server_send_result != MACH_MSG_SUCCESS) {
        mach_msg_destroy(reply);
    }
}

/* The ports of a received header. */
static void
server_address(mach_msg_header_t *head)
{
    const struct harness_arg *port;
    mach_msg_bits_t reply_bits, request_bits;
    uint64_t payload = ENGINE_PAYLOAD;
    bool reply;

    port = &server.routine->args[server.routine->request_port];
    reply = (server.reply_port == SERVER_USUAL)
                ? !server.routine->oneway
                : server.reply_port == SERVER_GIVEN_REPLY_PORT;
    server.reply_name =
        reply ? ledger_new_right(MACH_MSG_TYPE_PORT_SEND_ONCE) : MACH_PORT_NULL;
    reply_bits = reply ? MACH_MSG_TYPE_PORT_SEND_ONCE : 0;
    request_bits =
        (port->received == 0) ? MACH_MSG_TYPE_PORT_SEND : port->received;
    head->msgh_bits &= MACH_MSGH_BITS_COMPLEX;

    if (server.from_kernel) {
        head->msgh_bits |= MACH_MSGH_BITS_KERNEL;
    }

    if (harness_server.kernel) {
        head->msgh_bits |= MACH_MSGH_BITS(request_bits, reply_bits);
        head->msgh_remote_port = ENGINE_SERVER_PORT;
        head->msgh_local_port = server.reply_name;
        return;
    }

    head->msgh_remote_port = server.reply_name;
    head->msgh_local_port = ENGINE_SERVER_PORT;

    if (server.payload) {
        request_bits = MACH_MSG_TYPE_PROTECTED_PAYLOAD;
        memcpy((uint8_t *)head + 12, &payload, sizeof(payload));
    }

    head->msgh_bits |= MACH_MSGH_BITS(reply_bits, request_bits);
}

static void
server_add_trailer(uint8_t *at)
{
    mach_msg_audit_trailer_t trailer = {
        .msgh_trailer_type = server.trailer_type,
        .msgh_trailer_size = server.trailer_size,
        .msgh_seqno = ENGINE_SEQNO,
        .msgh_sender = { { ENGINE_SENDER, 0 } },
        .msgh_audit = { { ENGINE_AUDIT } },
    };

    memcpy(at, &trailer, server.routine->server_trailer);
}

void
server_run(void)
{
    mach_msg_header_t *request, *reply;
    mach_msg_size_t size, room;

    server_look_for_failure();
    size = (server.request.size + 3) & ~3u;
    request = malloc(size + server.routine->server_trailer);
    memcpy(request, server.request.bytes, server.request.size);

    server_add_trailer((uint8_t *)request + size);

    room = server_reply_room(request->msgh_id);
    reply = malloc(room);
    memset(reply, server.pattern, room);
    server.entered = 0;
    server.translated = 0;
    server.destroyed = 0;
    server.answered = false;
    server.answer = server.request;
    server.answer.layout = &server.routine->reply;
    server.answer.reply = true;
    server.answer.bytes = server_reply;
    engine_scribble(server.pattern);

    if (harness_server.kernel || harness_server.ndr) {
        server_serve(request, reply);
    } else {
        mach_msg_serve(harness_server.demux, request, reply);
    }

    server.result = MIG_NO_REPLY;

    if (server.answered) {
        server.result =
            MACH_MSGH_BITS_IS_COMPLEX(
                ((mach_msg_header_t *)(void *)server_reply)->msgh_bits)
                ? KERN_SUCCESS
                : message_code(&harness_server, server_reply);
    }

    free(request);
    free(reply);
}

void
server_make(enum message_counts counts)
{
    ledger_reset();
    server.request.side = &harness_server;
    server.request.routine = server.routine;
    server.request.layout = &server.routine->request;
    server.request.reply = false;
    server.request.bytes = server_request;
    message_build(&server.request, counts);
    server_address((void *)server_request);

    if (message_check(&server.request, MESSAGE_RECEIVED) != 0) {
        complain("the harness made a bad request");
    }
}
