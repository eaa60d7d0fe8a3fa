/* SPDX-License-Identifier: MIT */
/*
 * The generated client. Each argument is in a block of exactly its size; the
 * request that the stub sends is compared with them, and the reply is made,
 * and spoilt, here.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/notify.h>

#include "engine.h"

bool client_is_calling;

static struct {
    const struct harness_routine *routine;
    struct value values[ENGINE_ARGS_MAX];
    uint32_t room[ENGINE_ARGS_MAX];
    mach_port_t reply_name; /* of the routine's own argument */
    mach_msg_return_t send_result;
    bool with_trailer;     /* the reply's trailer is as it was asked for */
    struct message reply;  /* to be delivered */
    uint32_t rcv_size;     /* that the stub offered */
    uint32_t trailer_size; /* that it asked for */

    unsigned int sent; /* calls of mach_msg */
    unsigned int ports_got, ports_put, ports_dropped;
    struct message request;
    kern_return_t result;
} client;

static uint8_t client_request[ENGINE_BUFFER_SIZE];
static uint8_t client_first[ENGINE_BUFFER_SIZE];
static uint8_t client_reply[ENGINE_BUFFER_SIZE];

static const struct harness_arg *
client_arg(unsigned int arg)
{
    return &client.routine->args[arg];
}

/* What a stub's parameters are. */

void *
harness_value(unsigned int arg)
{
    return client.values[arg].bytes;
}

mach_msg_type_name_t *
harness_poly(unsigned int arg)
{
    return &client.values[arg].poly;
}

mach_msg_type_number_t *
harness_count(unsigned int arg)
{
    return &client.values[arg].count;
}

boolean_t *
harness_dealloc(unsigned int arg)
{
    return &client.values[arg].dealloc;
}

/* What a stub calls. */

mach_port_t
mig_get_reply_port(void)
{
    client.ports_got++;
    return ENGINE_REPLY_PORT;
}

void
mig_put_reply_port(mach_port_t reply_port)
{
    if (reply_port != ENGINE_REPLY_PORT) {
        complain("port 0x%x is put", reply_port);
    }

    client.ports_put++;
}

void
mig_dealloc_reply_port(mach_port_t reply_port)
{
    if (reply_port != ENGINE_REPLY_PORT) {
        complain("port 0x%x is given up", reply_port);
    }

    client.ports_dropped++;
}

/* Parameters. */

static void
client_block(unsigned int index, uint32_t size)
{
    struct value *value = &client.values[index];

    free(value->bytes);
    value->bytes = malloc(size);
    value->size = size;

    if (size != 0) {
        engine_fill(value->bytes, size);
    }
}

static void
client_make_rights(unsigned int index, uint32_t count)
{
    struct value *value = &client.values[index];
    mach_port_t name;

    client_block(index, count * (uint32_t)sizeof(name));

    for (uint32_t i = 0; i < count; i++) {
        name = ledger_new_right(MACH_MSG_TYPE_PORT_SEND);
        memcpy(value->bytes + i * sizeof(name), &name, sizeof(name));
    }
}

static void
client_make_region(unsigned int index, uint32_t count)
{
    const struct harness_arg *arg = client_arg(index);
    uint64_t address;
    uint32_t size = count * arg->unit;

    if (arg->form == HARNESS_FORM_OOL) {
        size = arg->size;
    } else if (arg->form != HARNESS_FORM_VOOL) {
        size = count * (uint32_t)sizeof(mach_port_t);
    }

    address = ledger_new_region(size);
    client_block(index, sizeof(address));
    memcpy(client.values[index].bytes, &address, sizeof(address));
}

/* Some strings are longer than what is sent of them. */
static void
client_make_string(unsigned int index)
{
    const struct harness_arg *arg = client_arg(index);
    uint32_t length = engine_below(arg->count + 1);

    if (engine_below(8) == 0) {
        length = arg->count + engine_below(20);
    }

    if ((arg->flags & HARNESS_OUT) != 0) {
        length = engine_below(arg->count);
        client_block(index, arg->count);
    } else {
        client_block(index, length + 1);
    }

    for (uint32_t i = 0; i < length; i++) {
        client.values[index].bytes[i] = (uint8_t)('a' + engine_below(26));
    }

    client.values[index].bytes[length] = '\0';
}

static void
client_make_in(unsigned int index, uint32_t count)
{
    const struct harness_arg *arg = client_arg(index);

    switch (arg->form) {
    case HARNESS_FORM_DATA:
    case HARNESS_FORM_ARRAY:
        client_block(index, arg->size);
        break;
    case HARNESS_FORM_VARRAY:
        client_block(index, count * arg->unit);
        break;
    case HARNESS_FORM_STRING:
    case HARNESS_FORM_VSTRING:
        client_make_string(index);
        break;
    case HARNESS_FORM_PORT:
        client_make_rights(index, 1);
        break;
    case HARNESS_FORM_PORTS:
    case HARNESS_FORM_VPORTS:
        client_make_rights(index, count);
        break;
    default:
        client_make_region(index, count);
        break;
    }
}

/* Room for a result; some of it is less than the most there can be. */
static void
client_make_out(unsigned int index, uint32_t count)
{
    const struct harness_arg *arg = client_arg(index);

    switch (arg->form) {
    case HARNESS_FORM_DATA:
    case HARNESS_FORM_ARRAY:
    case HARNESS_FORM_STRING:
    case HARNESS_FORM_VSTRING:
        client_block(index, arg->size);
        break;
    case HARNESS_FORM_VARRAY:
        client_block(index, count * arg->unit);
        break;
    case HARNESS_FORM_PORT:
        client_block(index, sizeof(mach_port_t));
        break;
    case HARNESS_FORM_PORTS:
    case HARNESS_FORM_VPORTS:
        client_block(index, count * (uint32_t)sizeof(mach_port_t));
        break;
    default:
        client_block(index, sizeof(uint64_t));
        break;
    }
}

static void
client_make_special(unsigned int index)
{
    const struct harness_arg *arg = client_arg(index);
    mach_port_t name = ENGINE_SERVER_PORT;
    uint32_t zero = 0;

    switch (arg->direction) {
    case HARNESS_REPLYPORT:
        name = ledger_new_right(MACH_MSG_TYPE_PORT_SEND);
        client.reply_name = name;
        /* Fall through. */
    case HARNESS_REQUESTPORT:
        client_block(index, sizeof(name));
        memcpy(client.values[index].bytes, &name, sizeof(name));
        break;
    case HARNESS_TIMEOUT:
    case HARNESS_OPTION:
        client_block(index, sizeof(zero));
        memcpy(client.values[index].bytes, &zero, sizeof(zero));
        break;
    default:
        client_block(index, arg->size);
        break;
    }
}

static uint32_t
client_choose_count(unsigned int index, enum message_counts counts, bool tight)
{
    uint32_t max = message_count_max(client.routine, (int)index, true);

    if (client_arg(index)->flags & HARNESS_IN) {
        return message_any_count(max, counts);
    }

    return tight ? message_any_count(max, MESSAGE_COUNTS_ANY)
                 : message_any_count(max, MESSAGE_COUNTS_MOST);
}

static void
client_make(enum message_counts counts, bool tight)
{
    const struct harness_arg *arg;
    struct value *value;

    for (unsigned int i = 0; i < client.routine->arg_count; i++) {
        arg = client_arg(i);
        value = &client.values[i];

        if ((arg->flags & HARNESS_USER) == 0) {
            continue;
        }

        value->poly = MACH_MSG_TYPE_MOVE_RECEIVE + engine_below(6);
        value->dealloc = (arg->flags & HARNESS_DEALLOC_DYNAMIC)
                             ? engine_below(2) == 0
                             : (arg->flags & HARNESS_DEALLOC) != 0;

        if (arg->direction != HARNESS_BODY) {
            client_make_special(i);
            continue;
        }

        if (arg->counter < 0) {
            value->count = arg->count;
        } else if (arg->counter == (int)i) {
            value->count = client_choose_count(i, counts, tight);
        } else {
            value->count = client.values[arg->counter].count;
        }

        client.room[i] = value->count;

        if ((arg->flags & HARNESS_IN) != 0) {
            client_make_in(i, value->count);
        } else {
            client_make_out(i, value->count);
        }
    }
}

/* The exchange. */

static void
client_expect_header(const mach_msg_header_t *head)
{
    const struct harness_routine *routine = client.routine;
    const struct harness_arg *arg = &routine->args[routine->request_port];
    mach_port_t local = MACH_PORT_NULL;
    unsigned int remote_type, local_type = 0;

    remote_type = (arg->sent != 0) ? arg->sent
                                   : client.values[routine->request_port].poly;

    if (routine->user_reply_port >= 0) {
        arg = &routine->args[routine->user_reply_port];
        local_type = (arg->sent != 0)
                         ? arg->sent
                         : client.values[routine->user_reply_port].poly;
        local = client.reply_name;
    } else if (!routine->oneway) {
        local_type = MACH_MSG_TYPE_MAKE_SEND_ONCE;
        local = harness_client.kernel ? MACH_PORT_NULL : ENGINE_REPLY_PORT;
    }

    if ((head->msgh_bits & ~MACH_MSGH_BITS_COMPLEX) !=
            MACH_MSGH_BITS(remote_type, local_type) ||
        head->msgh_remote_port != ENGINE_SERVER_PORT ||
        head->msgh_local_port != local || head->msgh_voucher_port != 0 ||
        head->msgh_id != routine->id) {
        complain("a request with bits 0x%x, ports 0x%x 0x%x, id %d",
                 head->msgh_bits, head->msgh_remote_port, head->msgh_local_port,
                 head->msgh_id);
    }
}

/* While the values are still as they were passed. */
static void
client_expect_request(void)
{
    client_expect_header((const void *)client_request);

    if (message_check(&client.request, MESSAGE_SENT) != 0) {
        complain("the request is malformed");
        return;
    }

    message_compare(&client.request, client.values, MESSAGE_SENT);
}

static void
client_put_trailer(uint8_t *at)
{
    mach_msg_security_trailer_t trailer = {
        .msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0,
        .msgh_trailer_size = client.trailer_size,
        .msgh_sender = { { ENGINE_SENDER, 0 } },
    };

    if (!client.with_trailer) {
        trailer.msgh_trailer_size = MACH_MSG_TRAILER_MINIMUM_SIZE;
    }

    memcpy(at, &trailer, trailer.msgh_trailer_size);
}

mach_msg_return_t
client_exchange(mach_msg_header_t *msg, mach_msg_option_t option,
                mach_msg_size_t send_size, mach_msg_size_t rcv_size,
                mach_port_name_t rcv_name)
{
    uint32_t size;

    client.sent++;
    client.rcv_size = rcv_size;
    client.request.size = send_size;
    memcpy(client_request, msg, send_size);

    if (msg->msgh_size != send_size) {
        complain("a request of %u bytes that says %u", send_size,
                 msg->msgh_size);
    }

    client_expect_request();

    if (((option & MACH_RCV_MSG) == 0) != client.routine->oneway ||
        (option & MACH_SEND_MSG) == 0) {
        complain("options 0x%x", option);
    }

    if ((option & MACH_RCV_MSG) != 0 && !harness_client.kernel &&
        rcv_name != msg->msgh_local_port) {
        complain("the reply is awaited at port 0x%x", rcv_name);
    }

    if (client.send_result != MACH_MSG_SUCCESS || client.routine->oneway) {
        return client.send_result;
    }

    size = (client.reply.size + 3) & ~3u;
    client.trailer_size = REQUESTED_TRAILER_SIZE(option);

    if (size + client.trailer_size > rcv_size) {
        return MACH_RCV_TOO_LARGE;
    }

    memcpy(msg, client.reply.bytes, client.reply.size);
    client_put_trailer((uint8_t *)msg + size);
    return MACH_MSG_SUCCESS;
}

static bool
client_owns_port(void)
{
    return !client.routine->oneway && client.routine->user_reply_port < 0 &&
           !harness_client.kernel;
}

static void
client_run(int pattern)
{
    for (unsigned int i = 0; i < client.routine->arg_count; i++) {
        client.values[i].count = client.room[i];
    }

    client.sent = 0;
    client.ports_got = 0;
    client.ports_put = 0;
    client.ports_dropped = 0;
    client.request.side = &harness_client;
    client.request.routine = client.routine;
    client.request.layout = &client.routine->request;
    client.request.reply = false;
    client.request.bytes = client_request;
    client_is_calling = true;
    engine_scribble(pattern);
    client.result = client.routine->call();
    client_is_calling = false;
}

/* Make the reply, as a receiver gets it. */
static void
client_make_reply(enum message_counts counts)
{
    mach_msg_header_t *head = (void *)client_reply;

    client.reply.side = &harness_client;
    client.reply.routine = client.routine;
    client.reply.layout = &client.routine->reply;
    client.reply.reply = true;
    client.reply.bytes = client_reply;
    message_build(&client.reply, counts);
    head->msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_PORT_SEND_ONCE);
    head->msgh_remote_port = MACH_PORT_NULL;
    head->msgh_local_port = ENGINE_REPLY_PORT;

    if (message_check(&client.reply, MESSAGE_RECEIVED) != 0) {
        complain("the harness made a bad reply");
    }
}

static void
client_plain(unsigned int number)
{
    client.routine = &harness_client.routines[number];
    client.send_result = MACH_MSG_SUCCESS;
    client.with_trailer = true;
    client.reply_name = MACH_PORT_NULL;
}

/* Judging. */

static void
client_expect_port(unsigned int put, unsigned int dropped)
{
    bool owns = client_owns_port();

    if ((client.ports_got != 0) != owns ||
        client.ports_put != (owns ? put : 0) ||
        client.ports_dropped != (owns ? dropped : 0)) {
        complain("the reply port: got %u, put %u, given up %u",
                 client.ports_got, client.ports_put, client.ports_dropped);
    }
}

/* Does an array of the reply have more elements than there is room for? */
static bool
client_is_cut(enum harness_form form)
{
    const struct harness_field *field = client.routine->reply.fields;
    const struct harness_arg *arg;
    uint32_t count;

    for (unsigned int i = 0; field->kind != HARNESS_FIELD_END; i++, field++) {
        if (field->kind != HARNESS_FIELD_COUNT) {
            continue;
        }

        memcpy(&count, client.reply.bytes + client.reply.places.at[i],
               sizeof(count));

        for (unsigned int j = 0; j < client.routine->arg_count; j++) {
            arg = client_arg(j);

            if (arg->form == form && arg->counter == field->arg &&
                (arg->flags & HARNESS_OUT) != 0 &&
                count > client.room[field->arg]) {
                return true;
            }
        }
    }

    return false;
}

/* The caller has what the reply holds, as far as there was room. */
static void
client_expect_values(void)
{
    const struct harness_arg *arg;
    const struct value *value;
    uint32_t *room;

    for (unsigned int i = 0; i < client.routine->arg_count; i++) {
        arg = client_arg(i);
        value = &client.values[i];

        if ((arg->flags & HARNESS_OUT) == 0 || arg->direction != HARNESS_BODY) {
            continue;
        }

        room = NULL;

        if (arg->counter >= 0 && (arg->form == HARNESS_FORM_VARRAY ||
                                  arg->form == HARNESS_FORM_VPORTS)) {
            room = &client.room[arg->counter];
        }

        message_gives(&client.reply, i, value->bytes, value->size, value->poly,
                      value->count, room);
        message_take(&client.reply, i);
    }
}

static void
client_expect_accepted(bool intact)
{
    kern_return_t code = KERN_SUCCESS;

    if (client_is_cut(HARNESS_FORM_VPORTS)) {
        if (client.result != MIG_ARRAY_TOO_LARGE) {
            complain("too many rights: result %d", client.result);
        }

        if (intact) {
            ledger_expect_request(false, client.reply_name);
        }

        return;
    }

    if (client_is_cut(HARNESS_FORM_VARRAY)) {
        code = MIG_ARRAY_TOO_LARGE;
    }

    if (client.result != code) {
        complain("a good reply of %u bytes: result %d, not %d",
                 client.reply.size, client.result, code);
        return;
    }

    client_expect_values();

    if (intact) {
        ledger_expect_request(true, client.reply_name);
    }
}

/* Calls. */

static void
client_call(enum message_counts counts, bool tight)
{
    uint64_t mark = engine_mark();
    uint32_t size;

    for (int run = 0; run < 2; run++) {
        engine_return(mark);
        ledger_reset();
        client_make(counts, tight);
        ledger_begin_message();

        if (!client.routine->oneway) {
            client_make_reply(counts);
        }

        ledger_begin_results();
        client_run((run == 0) ? 0xaa : 0x55);
        client_expect_port(0, 0);

        if (client.sent != 1) {
            complain("%u messages are sent", client.sent);
        }

        if (!client.routine->oneway) {
            client_expect_accepted(true);
        } else if (client.result != KERN_SUCCESS) {
            complain("result %d", client.result);
        }

        message_hide_addresses((void *)client_request);

        if (run == 0) {
            size = client.request.size;
            memcpy(client_first, client_request, size);
        } else if (size != client.request.size ||
                   memcmp(client_first, client_request, size) != 0) {
            complain("a second, equal call has another request");
        }
    }
}

static void
client_test_calls(unsigned int number)
{
    client_plain(number);
    client_call(MESSAGE_COUNTS_NONE, false);
    client_call(MESSAGE_COUNTS_MOST, false);

    for (unsigned int i = 0; i < engine_rounds / 10 + 1; i++) {
        client_call(MESSAGE_COUNTS_ANY, false);
        client_call(MESSAGE_COUNTS_ANY, true);
    }

    engine_result("client", client.routine->name, "sends and takes all");
}

/* Arrays that are too large are not sent at all. */
static void
client_test_counts(unsigned int number)
{
    const struct harness_arg *arg;
    uint32_t max;

    client_plain(number);

    for (unsigned int i = 0; i < client.routine->arg_count; i++) {
        arg = client_arg(i);

        if ((arg->flags & HARNESS_IN) == 0 || arg->counter < 0 ||
            arg->count == 0 || arg->form == HARNESS_FORM_VSTRING) {
            continue;
        }

        max = message_count_max(client.routine, arg->counter, false);
        ledger_reset();
        client_make(MESSAGE_COUNTS_ANY, false);
        client.room[arg->counter] =
            (engine_below(2) == 0) ? max + 1 : 0xffffffff;
        client_run(0xaa);

        if (client.result != MIG_ARRAY_TOO_LARGE || client.sent != 0) {
            complain("%s: result %d, %u messages", arg->name, client.result,
                     client.sent);
        }
    }

    engine_result("client", client.routine->name, "refuses large arrays");
}

static void
client_fail(mach_msg_return_t mr, unsigned int put)
{
    unsigned int destroyed = 0;

    ledger_reset();
    client_make(MESSAGE_COUNTS_ANY, false);
    client.send_result = mr;
    ledger_set_lenient(true);
    ledger_undeliverable = true;
    client_run(0xaa);
    client_expect_port(put, !put);

    if (client.result != mr) {
        complain("mach_msg says 0x%x, the stub 0x%x", mr, client.result);
    }

    if (client.routine->consume != HARNESS_CONSUME_NONE) {
        destroyed = mr == MACH_SEND_TIMED_OUT ||
                    (mr == MACH_SEND_INVALID_DEST &&
                     client.routine->consume == HARNESS_CONSUME_ANY);
    }

    if (ledger_destroyed != destroyed) {
        complain("%u messages are destroyed", ledger_destroyed);
    }
}

static void
client_test_failures(unsigned int number)
{
    client_plain(number);
    client_fail(MACH_SEND_INVALID_DATA, 1);
    client_fail(MACH_SEND_INVALID_DEST, 1);
    client_fail(MACH_SEND_INVALID_HEADER, 1);
    client_fail(MACH_SEND_TIMED_OUT, 0);
    client_fail(MACH_SEND_INTERRUPTED, 0);
    client_fail(MACH_SEND_NO_BUFFER, 0);
    client_fail(MACH_RCV_TIMED_OUT, 0);
    client_fail(MACH_RCV_TOO_LARGE, 0);
    client_fail(MACH_RCV_PORT_DIED, 0);
    engine_result("client", client.routine->name, "reports a failed exchange");
}

/* Replies. */

static bool
client_is_error(void)
{
    const mach_msg_header_t *head = (const void *)client.reply.bytes;

    return !MACH_MSGH_BITS_IS_COMPLEX(head->msgh_bits) &&
           client.reply.size == message_error_size(&harness_client) &&
           message_code(&harness_client, client.reply.bytes) != KERN_SUCCESS;
}

static bool
client_has_code(void)
{
    return !client.routine->reply.complex &&
           message_code(&harness_client, client.reply.bytes) != KERN_SUCCESS;
}

/* Deliver client.reply once more. */
static void
client_spoilt(struct message *message, bool intact)
{
    unsigned int faults;
    uint64_t mark = engine_mark();

    client.reply = *message;
    ledger_revive();
    ledger_set_lenient(!intact);
    ledger_undeliverable = !intact;
    client_run(0xaa);
    engine_return(mark);
    faults = message_check(&client.reply, MESSAGE_RECEIVED);

    if (client_is_error()) {
        if (client.result !=
            message_code(&harness_client, client.reply.bytes)) {
            complain("an error reply: result %d", client.result);
        }
    } else if (faults != 0 || client_has_code()) {
        if (client.result != MIG_TYPE_ERROR || ledger_destroyed != 1) {
            complain("a bad reply of %u bytes: result %d, %u destroyed",
                     client.reply.size, client.result, ledger_destroyed);
        }

        if (intact) {
            ledger_expect_request(false, client.reply_name);
        }
    } else {
        client_expect_accepted(intact);
    }

    client_expect_port(0, 0);
}

/* Prepare a call that is made again and again. */
static void
client_prepare(enum message_counts counts, bool tight)
{
    ledger_reset();
    client_make(counts, tight);
    ledger_begin_message();
    client_make_reply(counts);
    ledger_begin_results();
    ledger_set_keep(true);
}

static void
client_test_spoilt(unsigned int number)
{
    static uint8_t bytes[ENGINE_BUFFER_SIZE];
    struct message good;

    client_plain(number);

    for (unsigned int counts = 0; counts <= MESSAGE_COUNTS_ANY; counts++) {
        client_prepare((enum message_counts)counts, counts != 0);
        memcpy(bytes, client_reply, client.reply.size);
        good = client.reply;
        good.bytes = bytes;
        client_run(0xaa); /* to see how much it can receive */
        spoil_all(&good, (client.rcv_size - client.trailer_size) & ~3u,
                  client_spoilt);
    }

    ledger_reset();
    engine_result("client", client.routine->name, "refuses bad replies");
}

static void
client_expect_refused(kern_return_t code, unsigned int dropped)
{
    if (client.result != code) {
        complain("result %d, not %d", client.result, code);
    }

    if (ledger_destroyed != 1) {
        complain("the reply is destroyed %u times", ledger_destroyed);
    }

    client_expect_port(0, dropped);
    ledger_expect_request(false, client.reply_name);
}

static void
client_test_replies(unsigned int number)
{
    mach_msg_header_t *head = (void *)client_reply;

    client_plain(number);
    client_prepare(MESSAGE_COUNTS_ANY, false);
    head->msgh_id++;
    client_run(0xaa);
    client_expect_refused(MIG_REPLY_MISMATCH, 1);

    client_prepare(MESSAGE_COUNTS_ANY, false);
    head->msgh_id = client.routine->id;
    client_run(0xaa);
    client_expect_refused(MIG_REPLY_MISMATCH, 1);

    client_prepare(MESSAGE_COUNTS_ANY, false);
    head->msgh_remote_port = ledger_new_right(MACH_MSG_TYPE_PORT_SEND);
    head->msgh_bits |= MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND, 0);
    ledger_begin_results();
    client_run(0xaa);
    client_expect_refused(MIG_TYPE_ERROR, 0);

    ledger_reset();
    client_make(MESSAGE_COUNTS_ANY, false);
    ledger_begin_message();
    memset(client_reply, 0, sizeof(*head));
    head->msgh_size = sizeof(*head);
    head->msgh_id = MACH_NOTIFY_SEND_ONCE;
    client.reply.size = sizeof(*head);
    ledger_begin_results();
    client_run(0xaa);
    client_expect_refused(MIG_SERVER_DIED, 0);
    engine_result("client", client.routine->name, "refuses other replies");
}

static void
client_answer(kern_return_t code)
{
    mach_msg_header_t *head = (void *)client_reply;
    uint32_t size = message_error_size(&harness_client);

    ledger_reset();
    client_make(MESSAGE_COUNTS_ANY, false);
    memset(client_reply, 0, size);
    head->msgh_size = size;
    head->msgh_id = client.routine->id + 100;
    memcpy(client_reply + size - 4, &code, sizeof(code));
    client.reply.size = size;
    client_run(0xaa);
    client_expect_port(0, 0);

    if (client.result != code) {
        complain("the server says %d, the stub %d", code, client.result);
    }
}

static void
client_test_errors(unsigned int number)
{
    client_plain(number);
    client_answer(KERN_FAILURE);
    client_answer(MIG_BAD_ID);
    client_answer(MIG_BAD_ARGUMENTS);
    client_answer(-1);
    client_answer(INT32_MIN);
    client_answer(INT32_MAX);
    engine_result("client", client.routine->name, "passes on an error");
}

static void
client_test_trailer(unsigned int number)
{
    client_plain(number);
    client_prepare(MESSAGE_COUNTS_ANY, false);
    client.with_trailer = false;
    client_run(0xaa);
    client_expect_refused(MIG_TRAILER_ERROR, 0);
    engine_result("client", client.routine->name, "wants a trailer");
}

static void
client_test_routine(unsigned int number)
{
    const struct harness_routine *routine = &harness_client.routines[number];

    client_test_calls(number);
    client_test_counts(number);
    client_test_failures(number);

    if (routine->oneway) {
        return;
    }

    client_test_spoilt(number);
    client_test_replies(number);
    client_test_errors(number);

    if (routine->user_token >= 0) {
        client_test_trailer(number);
    }
}

void
client_test(void)
{
    for (unsigned int i = 0; i < harness_client.routine_count; i++) {
        client_test_routine(i);
    }

    ledger_reset();
}
