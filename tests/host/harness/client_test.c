/* SPDX-License-Identifier: MIT */
/*
 * The tests of client stubs: calls, calls that fail, replies that are wrong.
 */

#include <string.h>

#include <mach/notify.h>

#include "client.h"

static uint8_t client_first[ENGINE_BUFFER_SIZE];

static void
client_plain(unsigned int number)
{
    client.routine = &harness_client.routines[number];
    client.code = KERN_SUCCESS;
    client.send_result = MACH_MSG_SUCCESS;
    client.with_trailer = true;
    client.reply_name = MACH_PORT_NULL;
}

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

static void
client_expect_token(const struct harness_arg *arg, const struct value *value)
{
    uint32_t want =
        (arg->direction == HARNESS_TOKEN) ? ENGINE_SENDER : ENGINE_AUDIT;

    if ((arg->flags & HARNESS_USER) != 0 &&
        memcmp(value->bytes, &want, sizeof(want)) != 0) {
        complain("token %s is not the sender's", arg->name);
    }
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

        if (arg->direction == HARNESS_TOKEN ||
            arg->direction == HARNESS_AUDIT) {
            client_expect_token(arg, value);
        }

        if ((arg->flags & HARNESS_OUT) == 0 || arg->direction != HARNESS_BODY) {
            continue;
        }

        room = NULL;

        if (arg->counter >= 0 && (arg->form == HARNESS_FORM_VARRAY ||
                                  arg->form == HARNESS_FORM_VPORTS ||
                                  arg->form == HARNESS_FORM_VOOLS)) {
            room = &client.room[arg->counter];
        }

        message_gives(&client.reply, i, value->bytes, value->size, value, room);
        message_take(&client.reply, i);
    }
}

static void
client_expect_accepted(bool intact)
{
    kern_return_t code = KERN_SUCCESS;

    if (client_is_cut(HARNESS_FORM_VPORTS) ||
        client_is_cut(HARNESS_FORM_VOOLS)) {
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

        max = message_count_max(client.routine, arg->counter);
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

/* A failure is sent as an error reply, and what was passed stays. */
static void
client_test_retcode(unsigned int number)
{
    client_plain(number);
    client.code = KERN_FAILURE;
    client_call(MESSAGE_COUNTS_ANY, false);
    client.code = INT32_MIN;
    client_call(MESSAGE_COUNTS_MOST, false);
    client_plain(number);
    engine_result("client", client.routine->name, "tells of a failure");
}

static void
client_test_routine(unsigned int number)
{
    const struct harness_routine *routine = &harness_client.routines[number];

    client_test_calls(number);
    client_test_counts(number);
    client_test_failures(number);

    if (routine->retcode >= 0) {
        client_test_retcode(number);
    }

    if (routine->oneway) {
        return;
    }

    client_test_spoilt(number);
    client_test_replies(number);
    client_test_errors(number);

    if (routine->client_trailer != 0) {
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
