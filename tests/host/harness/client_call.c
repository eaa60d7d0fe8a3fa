/* SPDX-License-Identifier: MIT */
/* Parameters of a stub, and the mach_msg that it calls. */

#include <stdlib.h>
#include <string.h>

#include "client.h"

struct client client;
bool client_is_calling;
uint8_t client_request[ENGINE_BUFFER_SIZE];
uint8_t client_reply[ENGINE_BUFFER_SIZE];

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

mach_msg_type_number_t *
harness_subs(unsigned int arg)
{
    return client.values[arg].subs;
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

static void
client_make_row(unsigned int index, uint32_t count)
{
    const struct harness_arg *arg = client_arg(index);
    struct value *value = &client.values[index];
    uint32_t number, unit = (arg->flags & HARNESS_RIGHTS) ? 4 : arg->unit;
    uint64_t address;

    client_block(index, count * (uint32_t)sizeof(address));
    free(value->subs);
    value->subs = malloc(count * sizeof(value->subs[0]));

    for (uint32_t i = 0; i < count; i++) {
        number = arg->each * ((arg->flags & HARNESS_RIGHTS) ? 4 : 1);

        if ((arg->flags & HARNESS_SUBS) != 0) {
            value->subs[i] = message_any_count(arg->each, MESSAGE_COUNTS_ANY);
            number = value->subs[i] * unit;
        }

        address =
            ((arg->flags & HARNESS_IN) != 0) ? ledger_new_region(number) : 0;
        memcpy(value->bytes + i * sizeof(address), &address, sizeof(address));
    }
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
    case HARNESS_FORM_OOLS:
    case HARNESS_FORM_VOOLS:
        client_make_row(index, count);
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
    case HARNESS_FORM_OOLS:
    case HARNESS_FORM_VOOLS:
        client_make_row(index, count);
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
    uint32_t max = message_count_max(client.routine, (int)index);

    if (client_arg(index)->flags & HARNESS_IN) {
        return message_any_count(max, counts);
    }

    return tight ? message_any_count(max, MESSAGE_COUNTS_ANY)
                 : message_any_count(max, MESSAGE_COUNTS_MOST);
}

void
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

        if ((int)i == client.routine->retcode) {
            client_block(i, sizeof(client.code));
            memcpy(value->bytes, &client.code, sizeof(client.code));
        } else if ((arg->flags & HARNESS_IN) != 0) {
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
    const mach_msg_header_t *head = (const void *)client_request;

    client_expect_header((const void *)client_request);

    if (client.code != KERN_SUCCESS) {
        if (client.request.size != message_error_size(&harness_client) ||
            MACH_MSGH_BITS_IS_COMPLEX(head->msgh_bits) ||
            message_code(&harness_client, client_request) != client.code) {
            complain("a failure is not an error reply");
        }

        return;
    }

    if (message_check(&client.request, MESSAGE_SENT) != 0) {
        complain("the request is malformed");
        return;
    }

    message_compare(&client.request, client.values, MESSAGE_SENT);
}

static void
client_put_trailer(uint8_t *at)
{
    mach_msg_audit_trailer_t trailer = {
        .msgh_trailer_type = MACH_MSG_TRAILER_FORMAT_0,
        .msgh_trailer_size = client.trailer_size,
        .msgh_sender = { { ENGINE_SENDER, 0 } },
        .msgh_audit = { { ENGINE_AUDIT } },
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

bool
client_owns_port(void)
{
    return !client.routine->oneway && client.routine->user_reply_port < 0 &&
           !harness_client.kernel;
}

void
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
void
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
