/* SPDX-License-Identifier: MIT */
/*
 * The generated server. A request lies in a block of exactly its size, the
 * reply in one of exactly the size that the subsystem's table promises; the
 * loop around the stub is libmach's own.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/server.h>

#include "engine.h"

mach_msg_return_t server_send_result;

/* How the server's function behaves. */
enum server_manner {
    SERVER_PROPER,
    SERVER_SILENT, /* sets no result */
    SERVER_GREEDY, /* claims more than there was room for */
};

enum server_reply_port {
    SERVER_USUAL, /* a right to reply for a routine, none for a one-way */
    SERVER_NO_REPLY_PORT,
    SERVER_GIVEN_REPLY_PORT,
};

/* What is done next, and what came of it. */
static struct {
    const struct harness_routine *routine;
    unsigned int number;
    enum server_manner manner;
    enum server_reply_port reply_port;
    bool payload;
    bool from_kernel;
    kern_return_t code;
    int pattern;
    uint32_t trailer_type, trailer_size;
    struct message request; /* as it was delivered */
    mach_port_t reply_name;

    unsigned int entered;
    unsigned int translated, destroyed;
    bool answered; /* a reply was sent */
    kern_return_t result;
    struct value out[ENGINE_ARGS_MAX];
    struct message answer;
} server;

static uint8_t server_request[ENGINE_BUFFER_SIZE];
static uint8_t server_reply[ENGINE_BUFFER_SIZE];
static uint8_t server_first[ENGINE_BUFFER_SIZE];

static const struct harness_arg *
server_arg(unsigned int arg)
{
    return &server.routine->args[arg];
}

/* The server's function. */

void
harness_enter(unsigned int routine)
{
    if (routine != server.number) {
        complain("the function of routine %u was called", routine);
    }

    server.entered++;
}

static bool
server_takes(void)
{
    return server.code == KERN_SUCCESS || server.code == MIG_NO_REPLY;
}

static bool
server_takes_reply_port(void)
{
    return server.code == MIG_NO_REPLY ||
           (server.code == KERN_SUCCESS && server.routine->oneway);
}

static void
server_in_reply_port(const void *place, mach_msg_type_name_t poly,
                     const struct harness_arg *arg)
{
    mach_port_t name;
    struct ledger_right *right;

    memcpy(&name, place, sizeof(name));

    if (name != server.reply_name) {
        complain("the reply port is 0x%x, not 0x%x", name, server.reply_name);
    }

    if ((arg->flags & HARNESS_SERVER_POLY) != 0 && name != MACH_PORT_NULL &&
        poly != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        complain("the reply port's disposition is %u", poly);
    }

    if (server_takes_reply_port() && name != MACH_PORT_NULL) {
        right = ledger_right(name);

        if (right != NULL) {
            right->taken++;
        }
    }
}

static void
server_in_special(const struct harness_arg *arg, const void *place, size_t size,
                  mach_msg_type_name_t poly)
{
    uint64_t value = 0, want = ENGINE_SERVER_PORT;

    switch (arg->direction) {
    case HARNESS_REPLYPORT:
        server_in_reply_port(place, poly, arg);
        return;
    case HARNESS_SEQNO:
        want = ENGINE_SEQNO;
        break;
    case HARNESS_TOKEN:
        want = ENGINE_SENDER;
        break;
    default:
        if (server.payload && (arg->flags & HARNESS_PAYLOAD) != 0) {
            want = ENGINE_PAYLOAD;
        }

        break;
    }

    size = (size < sizeof(value)) ? size : sizeof(value);
    memcpy(&value, place, size);

    if (size < sizeof(want)) {
        want &= ((uint64_t)1 << (8 * size)) - 1;
    }

    if (value != want) {
        complain("argument %s is 0x%llx", arg->name, (unsigned long long)value);
    }
}

void
harness_in(unsigned int index, const void *place, size_t size,
           mach_msg_type_name_t poly, mach_msg_type_number_t count)
{
    const struct harness_arg *arg = server_arg(index);

    if (arg->direction != HARNESS_BODY) {
        server_in_special(arg, place, size, poly);
        return;
    }

    message_gives(&server.request, index, place, size, poly, count, NULL);

    if (server_takes()) {
        message_take(&server.request, index);
    }
}

/* Results. */

/* What an inout argument brought was taken, and memory of a fixed size has to
 * be somewhere: such results must be set. */
static bool
server_is_silent(const struct harness_arg *arg)
{
    return server.manner == SERVER_SILENT && (arg->flags & HARNESS_IN) == 0 &&
           arg->form != HARNESS_FORM_OOL && arg->form != HARNESS_FORM_OOL_PORTS;
}

static void
server_keep(struct value *value, const void *bytes, uint32_t size)
{
    free(value->bytes);
    value->bytes = malloc(size + 1);
    memcpy(value->bytes, bytes, size);
    value->bytes[size] = '\0';
    value->size = size;
}

/* The room that the client said it has, as the function is to see it. */
static uint32_t
server_room(unsigned int index)
{
    const struct harness_field *field = server.routine->request.fields;
    uint32_t max, room;

    max = message_count_max(server.routine, (int)index, true);

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        if (field->kind == HARNESS_FIELD_CAPACITY && field->arg == (int)index) {
            memcpy(&room, server.request.bytes + server.request.places.at[i],
                   sizeof(room));
            return (room < max) ? room : max;
        }
    }

    return max;
}

/* Choose a number of elements; what is claimed may be more. */
static void
server_out_count(unsigned int index, mach_msg_type_number_t *countp)
{
    const struct harness_arg *arg = server_arg(index);
    struct value *value = &server.out[index];
    uint32_t room = server_room(index);

    if ((arg->flags & HARNESS_IN) == 0 && *countp != room) {
        complain("%s: there is room for %u, not %u", arg->name, *countp, room);
    }

    value->count =
        (room == 0 && message_count_max(server.routine, (int)index, true) != 0)
            ? 0
            : message_any_count(room, MESSAGE_COUNTS_ANY);

    if (server_is_silent(arg)) {
        value->count = 0;
    } else if (server.manner == SERVER_GREEDY &&
               message_count_max(server.routine, (int)index, true) != 0) {
        value->count = room;
        *countp =
            (engine_below(2) == 0) ? 0xffffffff : room + 1 + engine_below(3);
        return;
    }

    *countp = value->count;
}

static void
server_out_rights(const struct harness_arg *arg, struct value *value,
                  mach_port_t *names, uint32_t count)
{
    unsigned int kind = (arg->answer == 0) ? value->poly : arg->answer;
    bool moved = kind <= MACH_MSG_TYPE_MOVE_SEND_ONCE;

    switch (kind) {
    case MACH_MSG_TYPE_COPY_SEND:
    case MACH_MSG_TYPE_MAKE_SEND:
        kind = MACH_MSG_TYPE_PORT_SEND;
        break;
    case MACH_MSG_TYPE_MAKE_SEND_ONCE:
        kind = MACH_MSG_TYPE_PORT_SEND_ONCE;
        break;
    default:
        break;
    }

    for (uint32_t i = 0; i < count; i++) {
        names[i] = ledger_new_right(kind);
        ledger_right(names[i])->moved = moved;
    }
}

static void
server_out_string(const struct harness_arg *arg, struct value *value,
                  char *place)
{
    uint32_t length = engine_below(arg->count);

    if (server.manner == SERVER_GREEDY) {
        length = arg->count; /* and no 0 byte */
    }

    for (uint32_t i = 0; i < length; i++) {
        place[i] = (char)('a' + engine_below(26));
    }

    server_keep(value, place, length);

    if (length < arg->count) {
        place[length] = '\0';
    }
}

static void
server_out_ool(const struct harness_arg *arg, struct value *value, void *place,
               size_t size, uint32_t count)
{
    bool ports = arg->form == HARNESS_FORM_OOL_PORTS ||
                 arg->form == HARNESS_FORM_VOOL_PORTS;
    uint64_t address;

    address = ledger_new_region(ports ? count * 4
                                      : ((arg->form == HARNESS_FORM_OOL)
                                             ? arg->size
                                             : count * arg->unit));

    if (ports) {
        server_out_rights(arg, value, (mach_port_t *)(uintptr_t)address, count);
    }

    if (address != 0) {
        ledger_region(address)->moved = value->dealloc;
    }

    memcpy(place, &address, (size < 8) ? size : 8);
    server_keep(value, &address, 8);
}

static void
server_out_value(unsigned int index, void *place, size_t size)
{
    const struct harness_arg *arg = server_arg(index);
    struct value *value = &server.out[index];
    mach_port_t names[256] = { 0 };
    uint32_t count = arg->count;

    if (arg->counter >= 0) {
        count = server.out[arg->counter].count;
        value->count = count;
    }

    switch (arg->form) {
    case HARNESS_FORM_STRING:
    case HARNESS_FORM_VSTRING:
        server_out_string(arg, value, place);
        return;
    case HARNESS_FORM_DATA:
        engine_fill(place, (arg->flags & HARNESS_OUTTRAN) ? arg->size : size);
        server_keep(value, place, arg->size);
        return;
    case HARNESS_FORM_ARRAY:
        engine_fill(place, arg->size);
        server_keep(value, place, arg->size);
        return;
    case HARNESS_FORM_VARRAY:
        engine_fill(place, (size_t)count * arg->unit);
        server_keep(value, place, count * arg->unit);
        return;
    case HARNESS_FORM_PORT:
        server_out_rights(arg, value, names, 1);
        memset(place, 0, size);
        memcpy(place, names, sizeof(names[0]));
        server_keep(value, names, sizeof(names[0]));
        return;
    case HARNESS_FORM_PORTS:
    case HARNESS_FORM_VPORTS:
        server_out_rights(arg, value, names, count);
        memcpy(place, names, count * sizeof(names[0]));
        server_keep(value, names, count * (uint32_t)sizeof(names[0]));
        return;
    default:
        server_out_ool(arg, value, place, size, count);
        return;
    }
}

static void
server_out_silent(unsigned int index)
{
    static const uint8_t zeros[ENGINE_BUFFER_SIZE];
    const struct harness_arg *arg = server_arg(index);
    struct value *value = &server.out[index];

    value->count = (arg->counter >= 0) ? 0 : arg->count;

    if (arg->form == HARNESS_FORM_DATA || arg->form == HARNESS_FORM_ARRAY) {
        server_keep(value, zeros, arg->size);
    } else {
        server_keep(value, zeros, 8);
    }
}

void
harness_out(unsigned int index, void *place, size_t size,
            mach_msg_type_name_t *polyp, mach_msg_type_number_t *countp,
            boolean_t *deallocp)
{
    const struct harness_arg *arg = server_arg(index);
    struct value *value = &server.out[index];

    if (!server_takes() || server.code == MIG_NO_REPLY) {
        if (arg->form == HARNESS_FORM_DATA || arg->form == HARNESS_FORM_ARRAY) {
            engine_fill(place, arg->size);
        }

        return;
    }

    value->dealloc = (arg->flags & HARNESS_DEALLOC) != 0;

    if (polyp != NULL) {
        if (!server_is_silent(arg)) {
            *polyp = MACH_MSG_TYPE_MOVE_RECEIVE + engine_below(6);
        }

        value->poly = *polyp;
    }

    if (deallocp != NULL) {
        if (!server_is_silent(arg)) {
            *deallocp = engine_below(2) == 0;
        }

        value->dealloc = *deallocp;
    }

    if (countp != NULL) {
        server_out_count(index, countp);
    }

    if (server_is_silent(arg)) {
        server_out_silent(index);
    } else {
        server_out_value(index, place, size);
    }
}

void
harness_clean(unsigned int index, const void *copy, size_t size)
{
    server_keep(&server.out[index], copy, (uint32_t)size);
}

kern_return_t
harness_leave(void)
{
    return server.code;
}

/* Translations. */

static void
server_translate(void *to, size_t to_size, const void *from, size_t from_size)
{
    memset(to, 0, to_size);
    memcpy(to, from, (to_size < from_size) ? to_size : from_size);
}

void
harness_intran(void *to, size_t to_size, const void *from, size_t from_size)
{
    server.translated++;
    server_translate(to, to_size, from, from_size);
}

void
harness_outtran(void *to, size_t to_size, const void *from, size_t from_size)
{
    server_translate(to, to_size, from, from_size);
}

void
harness_destroy(const void *object, size_t size)
{
    (void)object;
    (void)size;
    server.destroyed++;
}

/* Running. */

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

static bool
server_wants_trailer(void)
{
    return server.routine->seqno >= 0 || server.routine->server_token >= 0;
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
    mach_msg_security_trailer_t trailer = {
        .msgh_trailer_type = server.trailer_type,
        .msgh_trailer_size = server.trailer_size,
        .msgh_seqno = ENGINE_SEQNO,
        .msgh_sender = { { ENGINE_SENDER, 0 } },
    };

    memcpy(at, &trailer, sizeof(trailer));
}

/* Deliver server.request. */
static void
server_run(void)
{
    mach_msg_header_t *request, *reply;
    mach_msg_size_t size, room;

    size = (server.request.size + 3) & ~3u;
    request = malloc(size + (server_wants_trailer() ? MAX_TRAILER_SIZE : 0));
    memcpy(request, server.request.bytes, server.request.size);

    if (server_wants_trailer()) {
        server_add_trailer((uint8_t *)request + size);
    }

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

static void
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

/* Judging. */

static void
server_expect_header(kern_return_t code)
{
    const mach_msg_header_t *head = (void *)server_reply;
    mach_msg_bits_t bits = MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE, 0);

    if (code == KERN_SUCCESS && server.routine->reply.complex) {
        bits |= MACH_MSGH_BITS_COMPLEX;
    }

    if (head->msgh_bits != bits || head->msgh_voucher_port != 0 ||
        head->msgh_remote_port != server.reply_name ||
        head->msgh_local_port != MACH_PORT_NULL ||
        head->msgh_id != server.routine->id + 100) {
        complain("a reply with bits 0x%x, ports 0x%x 0x%x, id %d",
                 head->msgh_bits, head->msgh_remote_port, head->msgh_local_port,
                 head->msgh_id);
    }

    if ((code != KERN_SUCCESS || server.routine->oneway) &&
        head->msgh_size != message_error_size(&harness_server)) {
        complain("an error reply of %u bytes", head->msgh_size);
    }
}

/* The reply carries the code, and is addressed right. */
static void
server_expect_code(kern_return_t code)
{
    if (server.result != code || !server.answered) {
        complain("result %d, not %d", server.answered ? server.result : 0,
                 code);
        return;
    }

    server_expect_header(code);
}

static void
server_expect_results(void)
{
    if (server.routine->oneway) {
        return;
    }

    if (message_check(&server.answer, MESSAGE_ANSWER) != 0) {
        complain("the reply is malformed");
        return;
    }

    message_compare(&server.answer, server.out, MESSAGE_ANSWER);
}

static void
server_expect_balance(void)
{
    unsigned int destructors = 0;

    for (unsigned int i = 0; i < server.routine->arg_count; i++) {
        destructors += (server_arg(i)->flags & HARNESS_DESTRUCTOR) != 0 &&
                       (server_arg(i)->flags & HARNESS_SERVER) != 0;
    }

    if (server.entered != 1) {
        complain("the function was called %u times", server.entered);
    } else if (server.destroyed != destructors) {
        complain("%u references were dropped, not %u", server.destroyed,
                 destructors);
    }
}

/* Run the request, and look at what must hold for any result. */
static void
server_try(enum message_counts counts)
{
    server_make(counts);
    ledger_begin_results();
    server_run();
}

static void
server_plain(unsigned int number)
{
    server.routine = &harness_server.routines[number];
    server.number = number;
    server.manner = SERVER_PROPER;
    server.reply_port = SERVER_USUAL;
    server.payload = false;
    server.from_kernel = server.routine->kernel_sender;
    server.code = KERN_SUCCESS;
    server.pattern = 0xaa;
    server.trailer_type = MACH_MSG_TRAILER_FORMAT_0;
    server.trailer_size = sizeof(mach_msg_security_trailer_t);
    server_send_result = MACH_MSG_SUCCESS;
}

/* The function succeeded. */
static void
server_expect_success(bool delivered)
{
    server_expect_balance();
    ledger_expect_request(true, server.reply_name);

    if (server.reply_name != MACH_PORT_NULL &&
        (server.routine->server_reply_port < 0 || !server.routine->oneway)) {
        server_expect_code(KERN_SUCCESS);
        server_expect_results();
        ledger_expect_reply_right(server.reply_name, delivered);
    } else if (server.answered) {
        complain("a reply to nobody");
    }

    ledger_expect_results(delivered && server.answered);
}

static void
server_success(enum message_counts counts, enum server_manner manner)
{
    uint64_t mark = engine_mark();
    uint32_t size;

    server.manner = manner;
    server.pattern = 0xaa;
    server_try(counts);
    server_expect_success(server_send_result == MACH_MSG_SUCCESS);

    if (!server.answered) {
        return;
    }

    size = server.answer.size;
    message_hide_addresses((void *)server_reply);
    memcpy(server_first, server_reply, size);
    engine_return(mark);
    server.pattern = 0x55;
    server_try(counts);
    message_hide_addresses((void *)server_reply);

    if (server.answer.size != size ||
        memcmp(server_first, server_reply, size) != 0) {
        complain("a second, equal call has another reply");
    }
}

static void
server_test_success(unsigned int number)
{
    server_plain(number);
    server_success(MESSAGE_COUNTS_NONE, SERVER_PROPER);
    server_success(MESSAGE_COUNTS_MOST, SERVER_PROPER);

    for (unsigned int i = 0; i < engine_rounds / 10 + 1; i++) {
        server_success(MESSAGE_COUNTS_ANY, SERVER_PROPER);
    }

    if (!harness_server.kernel &&
        (server.routine->args[server.routine->request_port].flags &
         HARNESS_PAYLOAD) != 0) {
        server.payload = true;
        server_success(MESSAGE_COUNTS_ANY, SERVER_PROPER);
    }

    engine_result("server", server.routine->name,
                  "succeeds, and owns the request");
}

/* No byte is left over in a reply, whatever the function forgets. */
static void
server_test_results(unsigned int number)
{
    server_plain(number);

    for (unsigned int i = 0; i < engine_rounds / 10 + 1; i++) {
        server_success(MESSAGE_COUNTS_ANY, SERVER_SILENT);
        server_success(MESSAGE_COUNTS_ANY, SERVER_GREEDY);
    }

    engine_result("server", server.routine->name,
                  "forgets and exaggerates results");
}

static void
server_test_unanswered(unsigned int number)
{
    server_plain(number);
    server.reply_port =
        server.routine->oneway ? SERVER_GIVEN_REPLY_PORT : SERVER_NO_REPLY_PORT;

    for (unsigned int i = 0; i < 3; i++) {
        server_success(MESSAGE_COUNTS_ANY, SERVER_PROPER);
    }

    server.reply_port = SERVER_GIVEN_REPLY_PORT;
    server_send_result = MACH_SEND_INVALID_DEST;
    server_success(MESSAGE_COUNTS_ANY, SERVER_PROPER);
    server_send_result = MACH_SEND_TIMED_OUT;
    server_success(MESSAGE_COUNTS_ANY, SERVER_PROPER);
    engine_result("server", server.routine->name,
                  "loses a reply that nobody takes");
}

/* A failure: the request is destroyed, but for the right to reply. */
static void
server_failure(kern_return_t code)
{
    server.code = code;
    server_try(MESSAGE_COUNTS_ANY);
    server_expect_balance();
    ledger_expect_request(false, server.reply_name);

    if (server.reply_name != MACH_PORT_NULL) {
        server_expect_code(code);
        ledger_expect_reply_right(server.reply_name, true);
    } else if (server.answered) {
        complain("an error reply to nobody");
    }
}

static void
server_later(void)
{
    server.code = MIG_NO_REPLY;
    server_try(MESSAGE_COUNTS_ANY);
    server_expect_balance();
    ledger_expect_request(true, server.reply_name);

    if (server.answered) {
        complain("MIG_NO_REPLY is answered");
    }

    if (server.reply_name != MACH_PORT_NULL &&
        server.routine->server_reply_port >= 0) {
        ledger_expect_taken(server.reply_name);
    }
}

static void
server_test_failure(unsigned int number)
{
    static const kern_return_t codes[] = {
        KERN_FAILURE,
        KERN_INVALID_ARGUMENT,
        KERN_RESOURCE_SHORTAGE,
        KERN_NO_ACCESS,
        MIG_TYPE_ERROR,
        MIG_REPLY_MISMATCH,
        MIG_REMOTE_ERROR,
        MIG_BAD_ID,
        MIG_BAD_ARGUMENTS,
        MIG_EXCEPTION,
        MIG_ARRAY_TOO_LARGE,
        MIG_SERVER_DIED,
        MIG_TRAILER_ERROR,
        MACH_SEND_INVALID_DEST,
        -1,
        1000000,
        INT32_MIN,
        INT32_MAX,
    };

    server_plain(number);

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        server_failure(codes[i]);
    }

    server.reply_port = SERVER_NO_REPLY_PORT;
    server_failure(KERN_FAILURE);
    server.reply_port = SERVER_GIVEN_REPLY_PORT;
    server_failure(KERN_FAILURE);
    server_later();
    server.reply_port = SERVER_NO_REPLY_PORT;
    server_later();
    engine_result("server", server.routine->name, "fails, and owns nothing");
}

/* Bad requests. */

/* Not seen by the function, answered with a code that its faults allow. */
static void
server_expect_refusal(unsigned int faults, bool intact)
{
    bool good = false;

    if (server.entered != 0 || server.translated != 0 ||
        server.destroyed != 0) {
        complain("a bad request of %u bytes was served", server.request.size);
    }

    good |= (faults & FAULT_ARGUMENTS) && server.result == MIG_BAD_ARGUMENTS;
    good |= (faults & FAULT_TYPE) && server.result == MIG_TYPE_ERROR;

    if (server.reply_name == MACH_PORT_NULL) {
        good = !server.answered;
    }

    if (!good) {
        complain("a bad request of %u bytes is answered with %d",
                 server.request.size, server.answered ? server.result : 0);
    }

    if (server.answered) {
        server_expect_header(server.result);
    }

    if (intact) {
        ledger_expect_request(false, server.reply_name);
    }
}

/* What server_make() made is delivered again and again, each time spoilt. */
static void
server_spoilt(struct message *message, bool intact)
{
    unsigned int faults;

    ledger_revive();
    ledger_set_lenient(!intact);
    ledger_undeliverable = !intact;
    server.request = *message;
    faults = message_check(&server.request, MESSAGE_RECEIVED);
    server_run();

    if (faults != 0) {
        server_expect_refusal(faults, intact);
    } else if (intact) {
        server_expect_success(true);
    } else if (server.entered != 1) {
        complain("a good request of %u bytes is answered with %d",
                 message->size, server.result);
    }
}

static void
server_test_spoilt(unsigned int number)
{
    static uint8_t bytes[ENGINE_BUFFER_SIZE];
    struct message good;

    server_plain(number);

    for (unsigned int counts = 0; counts <= MESSAGE_COUNTS_ANY; counts++) {
        server_make((enum message_counts)counts);
        ledger_begin_results();
        ledger_set_keep(true);
        memcpy(bytes, server_request, server.request.size);
        good = server.request;
        good.bytes = bytes;
        spoil_all(&good, ENGINE_BUFFER_SIZE / 2, server_spoilt);
    }

    ledger_reset();
    engine_result("server", server.routine->name, "refuses bad requests");
}

/* Ids, the sender's mark, trailers. */

static void
server_expect_refused(kern_return_t code)
{
    if (server.entered != 0 || server.translated != 0) {
        complain("a request to be refused with %d was served", code);
    }

    ledger_expect_request(false, server.reply_name);

    if (server.reply_name != MACH_PORT_NULL && server.result != code) {
        complain("a bad request is answered with %d, not %d", server.result,
                 code);
    }
}

static void
server_try_id(mach_msg_id_t id)
{
    const struct harness_side *side = &harness_server;

    for (unsigned int i = 0; i < side->routine_count; i++) {
        if (side->routines[i].id == id) {
            return;
        }
    }

    server_make(MESSAGE_COUNTS_ANY);
    ledger_begin_results();
    ((mach_msg_header_t *)(void *)server_request)->msgh_id = id;
    server_run();
    server_expect_refused(MIG_BAD_ID);
}

static void
server_test_ids(unsigned int number)
{
    const struct harness_side *side = &harness_server;
    mach_msg_id_t id;

    server_plain(number);

    for (id = side->base - 3; id < side->base + (int)side->slots + 3; id++) {
        server_try_id(id);
    }

    server_try_id(0);
    server_try_id(-1);
    server_try_id(INT32_MIN);
    server_try_id(INT32_MAX);
    server_try_id((mach_msg_id_t)((uint32_t)side->base + 0x80000000u));
    engine_result("server", side->name, "knows its ids");
}

static void
server_test_forged(unsigned int number)
{
    server_plain(number);
    server.from_kernel = false;
    server.reply_port = SERVER_GIVEN_REPLY_PORT;
    server_try(MESSAGE_COUNTS_ANY);
    server_expect_refused(MIG_BAD_ID);
    engine_result("server", server.routine->name,
                  "refuses what the kernel did not send");
}

static void
server_try_trailer(uint32_t type, uint32_t size, bool good)
{
    server_make(MESSAGE_COUNTS_ANY);
    ledger_begin_results();
    server.trailer_type = type;
    server.trailer_size = size;
    server_run();

    if (good) {
        server_expect_success(true);
    } else {
        server_expect_refused(MIG_TRAILER_ERROR);
    }
}

static void
server_test_trailer(unsigned int number)
{
    uint32_t size;

    server_plain(number);
    size = (server.routine->server_token >= 0)
               ? sizeof(mach_msg_security_trailer_t)
               : sizeof(mach_msg_seqno_trailer_t);
    server_try_trailer(MACH_MSG_TRAILER_FORMAT_0, size, true);
    server_try_trailer(MACH_MSG_TRAILER_FORMAT_0, size - 4, false);
    server_try_trailer(MACH_MSG_TRAILER_FORMAT_0, 0, false);
    server_try_trailer(MACH_MSG_TRAILER_FORMAT_0, 8, false);
    server_try_trailer(MACH_MSG_TRAILER_FORMAT_0 + 1, size, false);
    server_try_trailer(0xffffffff, size, false);
    server_plain(number);
    engine_result("server", server.routine->name, "reads the trailer");
}

/* What the table promises. */
static void
server_test_table(void)
{
    const struct mig_subsystem *subsystem = harness_server.subsystem;
    const struct harness_routine *routine;
    const struct routine_descriptor *entry;

    if (subsystem->start != harness_server.base ||
        subsystem->end != harness_server.base + (int)harness_server.slots) {
        complain("ids from %d to %d", subsystem->start, subsystem->end);
    }

    for (unsigned int i = 0; i < harness_server.routine_count; i++) {
        routine = &harness_server.routines[i];
        entry = &subsystem->routine[routine->id - subsystem->start];

        if (entry->stub_routine == NULL ||
            entry->max_reply_msg < routine->reply.max_size ||
            entry->max_reply_msg < message_error_size(&harness_server) ||
            entry->max_reply_msg > subsystem->maxsize) {
            complain("the entry of %s", routine->name);
        }
    }

    engine_result("server", harness_server.name, "has a true table");
}

static void
server_test_routine(unsigned int number)
{
    const struct harness_routine *routine = &harness_server.routines[number];

    server_test_success(number);
    server_test_results(number);
    server_test_unanswered(number);
    server_test_failure(number);
    server_test_spoilt(number);

    if (routine->kernel_sender) {
        server_test_forged(number);
    }

    if (routine->seqno >= 0 || routine->server_token >= 0) {
        server_test_trailer(number);
    }
}

void
server_test(void)
{
    server_test_table();

    for (unsigned int i = 0; i < harness_server.routine_count; i++) {
        server_test_routine(i);
    }

    if (harness_server.routine_count != 0) {
        server_test_ids(0);
    }
}
