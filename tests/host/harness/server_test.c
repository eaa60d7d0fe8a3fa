/* SPDX-License-Identifier: MIT */
/*
 * The tests of a server's stubs: success and failure, results that are wrong,
 * requests that are.
 */

#include <string.h>

#include "server.h"

static uint8_t server_first[ENGINE_BUFFER_SIZE];

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
    server.trailer_size = server.routine->server_trailer;
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

    if (server.failed) {
        server_expect_balance();
    } else if (faults != 0) {
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

/* An error reply instead of a request. */
static void
server_test_retcode(unsigned int number)
{
    static const kern_return_t codes[] = { KERN_FAILURE, -1, INT32_MIN,
                                           MIG_NO_REPLY };
    uint32_t size = message_error_size(&harness_server);
    mach_msg_header_t *head = (void *)server_request;

    server_plain(number);

    for (size_t i = 0; i < 2 * sizeof(codes) / sizeof(codes[0]); i++) {
        server_make(MESSAGE_COUNTS_NONE);
        ledger_set_lenient(true);
        ledger_undeliverable = true;
        ledger_begin_results();
        head->msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
        head->msgh_size = size;
        memcpy(server_request + size - 4, &codes[i / 2], 4);
        server.request.size = size;

        /* The kernel's own, and one that only looks so. */
        if (server.routine->kernel_sender && i % 2 != 0) {
            head->msgh_bits &= ~MACH_MSGH_BITS_KERNEL;
            server_run();

            if (server.entered != 0) {
                complain("a forged failure was believed");
            }
        } else {
            server_run();
            server_expect_balance();
        }
    }

    engine_result("server", server.routine->name, "hears of a failure");
}

/* Ids, the sender's mark, trailers. */

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
    size = server.routine->server_trailer;
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

    if (routine->retcode >= 0) {
        server_test_retcode(number);
    }

    if (routine->server_trailer != 0) {
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
