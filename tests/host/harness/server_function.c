/* SPDX-License-Identifier: MIT */
/*
 * What every function of the server does: look at what it was given, take it
 * if it is to succeed, and make up results.
 */

#include <stdlib.h>
#include <string.h>

#include "server.h"

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
    case HARNESS_AUDIT:
        want = ENGINE_AUDIT;
        break;
    case HARNESS_CONTEXT:
        want = server.payload ? ENGINE_PAYLOAD : 0;
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
harness_row(unsigned int index, mach_msg_type_number_t *subs)
{
    server.subs[index] = subs;
}

void
harness_in(unsigned int index, const void *place, size_t size,
           mach_msg_type_name_t poly, mach_msg_type_number_t count)
{
    const struct harness_arg *arg = server_arg(index);
    struct value more = { 0 };

    if (arg->direction != HARNESS_BODY) {
        server_in_special(arg, place, size, poly);
        return;
    }

    more.poly = poly;
    more.count = count;
    more.subs = server.subs[index];

    if (server.failed) {
        if ((int)index != server.routine->retcode) {
            message_gives_zero(&server.request, index, place, size, &more);
        } else if (memcmp(place, &server.failure, sizeof(server.failure)) !=
                   0) {
            complain("another code than that of the error reply");
        }

        return;
    }

    message_gives(&server.request, index, place, size, &more, NULL);

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
           arg->form != HARNESS_FORM_OOL &&
           arg->form != HARNESS_FORM_OOL_PORTS &&
           arg->form != HARNESS_FORM_OOLS && arg->form != HARNESS_FORM_VOOLS;
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

    max = message_count_max(server.routine, (int)index);

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
        (room == 0 && message_count_max(server.routine, (int)index) != 0)
            ? 0
            : message_any_count(room, MESSAGE_COUNTS_ANY);

    if (server_is_silent(arg)) {
        value->count = 0;
    } else if (server.manner == SERVER_GREEDY &&
               message_count_max(server.routine, (int)index) != 0) {
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
server_out_row(unsigned int index, struct value *value, uint64_t *addresses,
               uint32_t count)
{
    const struct harness_arg *arg = server_arg(index);
    bool rights = (arg->flags & HARNESS_RIGHTS) != 0;
    uint32_t number;

    free(value->subs);
    value->subs = calloc(count + 1, sizeof(value->subs[0]));

    for (uint32_t i = 0; i < count; i++) {
        number = arg->each;

        if ((arg->flags & HARNESS_SUBS) != 0) {
            value->subs[i] = message_any_count(arg->each, MESSAGE_COUNTS_ANY);
            server.subs[index][i] = value->subs[i];
            number = value->subs[i] * (rights ? 1 : arg->unit);
        }

        addresses[i] = ledger_new_region(rights ? number * 4 : number);

        if (addresses[i] != 0) {
            ledger_region(addresses[i])->moved = value->dealloc;
        }

        if (rights) {
            server_out_rights(arg, value, (mach_port_t *)addresses[i], number);
        }
    }

    server_keep(value, addresses, count * (uint32_t)sizeof(addresses[0]));
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
    case HARNESS_FORM_OOLS:
    case HARNESS_FORM_VOOLS:
        server_out_row(index, value, place, count);
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
