/* SPDX-License-Identifier: MIT */
/*
 * Generated stubs, compiled and run: a client calls a server through
 * rpc_kernel.c, and then messages are spoilt in every way that a hostile
 * other side could think of. The address sanitizer watches.
 */

#include <stdlib.h>
#include <string.h>

#include <mach/mig_support.h>
#include <mach/notify.h>

#include "rpc.h"
#include "rpc_calls.h"
#include "rpc_functions.h"
#include "rpc_kernel.h"
#include "rpc_server.h"
#include "tap.h"

#define STACK_SIZE 16384

static const struct rpc_call *current;

static void
start(const struct rpc_call *call)
{
    rpc_reset();
    memset(&rpc_server_wish, 0, sizeof(rpc_server_wish));
    rpc_wish.from_kernel = call->from_kernel;
    current = call;
}

static const struct rpc_call *
find(const char *name)
{
    unsigned int i;

    for (i = 0; i < rpc_call_count; i++) {
        if (strcmp(rpc_calls[i].name, name) == 0) {
            return &rpc_calls[i];
        }
    }

    abort();
}

/* Every call gives the right results. */
static void
test_results(void)
{
    const struct rpc_call *call;
    kern_return_t kr;
    unsigned int i;

    for (i = 0; i < rpc_call_count; i++) {
        call = &rpc_calls[i];
        start(call);
        kr = call->call();
        is(kr, KERN_SUCCESS, "%s succeeds", call->name);
        ok(rpc_call_right, "%s: results", call->name);
        is(rpc_record.served, 1, "%s: served once", call->name);
        is(rpc_record.known, TRUE, "%s: known to the server", call->name);
        is(rpc_record.code,
           (call == find("post_reply")) ? MIG_NO_REPLY : KERN_SUCCESS,
           "%s: the loop is told what to send", call->name);
    }
}

/*
 * Hazard 1: on an error, the request is left as it came, so that the loop
 * that received it can destroy all of it, once.
 */
static void
test_ownership(void)
{
    static const kern_return_t errors[] = { KERN_FAILURE, KERN_NO_SPACE,
                                            MIG_BAD_ARGUMENTS };
    const struct rpc_call *call;
    unsigned int i, j;

    for (i = 0; i < rpc_call_count; i++) {
        call = &rpc_calls[i];

        for (j = 0; j < sizeof(errors) / sizeof(errors[0]); j++) {
            start(call);
            rpc_server_wish.result = errors[j];
            is(call->call(), call->oneway ? KERN_SUCCESS : errors[j],
               "%s fails with the server's code", call->name);
            is(rpc_record.code, errors[j], "%s: in an error reply", call->name);
            is(rpc_record.left, call->moved,
               "%s: all rights and memory are left to the loop", call->name);
            is(rpc_record.regions_freed, call->frees ? 1 : 0,
               "%s: only memory that looked in-line is freed", call->name);
            is(rpc_record.destroyed, 0, "%s: the client keeps the reply port",
               call->name);
        }

        start(call);
        rpc_server_wish.result = MIG_NO_REPLY;
        (void)call->call();
        is(rpc_record.code, MIG_NO_REPLY, "%s: may answer later", call->name);
    }

    start(find("translated"));
    (void)current->call();
    is(rpc_record.released, 2, "destructors run after a success");
    start(find("translated"));
    rpc_server_wish.result = KERN_FAILURE;
    (void)current->call();
    is(rpc_record.released, 2, "destructors run after a failure");
}

/* What stubs do about the reply port when a message is not exchanged. */
static void
test_send_errors(void)
{
    static const struct {
        mach_msg_return_t mr;
        bool good;
    } cases[] = {
        { MACH_SEND_INVALID_DATA, true },   { MACH_SEND_INVALID_DEST, true },
        { MACH_SEND_INVALID_HEADER, true }, { MACH_SEND_TIMED_OUT, false },
        { MACH_RCV_TIMED_OUT, false },      { MACH_RCV_INTERRUPTED, false },
    };
    unsigned int i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(find("add"));
        rpc_wish.send_error = cases[i].mr;
        is(current->call(), cases[i].mr, "a failed mach_msg is reported");
        is(rpc_record.ports_put, cases[i].good ? 1 : 0,
           "0x%x: a reply port that was not used is kept", cases[i].mr);
        is(rpc_record.ports_dealloc, cases[i].good ? 0 : 1,
           "0x%x: one that may get a late reply is given up", cases[i].mr);
    }

    start(find("own_reply"));
    rpc_wish.send_error = MACH_RCV_TIMED_OUT;
    (void)current->call();
    is(rpc_record.ports_dealloc, 0, "the caller's reply port is not touched");

    start(find("post_right"));
    rpc_wish.send_error = MACH_SEND_INVALID_DEST;
    is(current->call(), MACH_SEND_INVALID_DEST, "consumeonsenderror: result");
    is(rpc_record.destroyed, 1, "consumeonsenderror: request destroyed");
    start(find("post_right"));
    rpc_wish.send_error = MACH_SEND_INVALID_RIGHT;
    (void)current->call();
    is(rpc_record.destroyed, 0, "consumeonsenderror: not on other errors");
}

/* Protected payloads, the kernel's mark, trailers, unknown ids. */
static void
spoil_id(mach_msg_header_t *msg)
{
    msg->msgh_id = 7500;
}

static void
spoil_skipped_id(mach_msg_header_t *msg)
{
    msg->msgh_id = 7004;
}

static void
spoil_low_id(mach_msg_header_t *msg)
{
    msg->msgh_id = -1;
}

static void
test_dispatch(void)
{
    mach_msg_header_t head = { 0 };

    start(find("translated"));
    rpc_wish.payload = true;
    is(current->call(), KERN_SUCCESS, "a payload instead of a port");
    ok(rpc_seen_object == 0x1122334455667788, "the payload is translated");
    start(find("translated"));
    (void)current->call();
    ok(rpc_seen_object == RPC_SERVER_PORT + 0x10000, "a port is translated");

    start(find("kernel_only"));
    rpc_wish.from_kernel = false;
    (void)current->call();
    is(rpc_record.code, MIG_BAD_ID, "kernelsender refuses what a task sent");
    is(rpc_record.served, 0, "kernelsender: function not called");

    start(find("add"));
    rpc_wish.spoil_request = spoil_id;
    is(current->call(), MIG_REPLY_MISMATCH, "unknown id: reply id follows");
    is(rpc_record.code, MIG_BAD_ID, "unknown id: error");
    is(rpc_record.known, FALSE, "unknown id: demux says so");
    start(find("add"));
    rpc_wish.spoil_request = spoil_skipped_id;
    (void)current->call();
    is(rpc_record.code, MIG_BAD_ID, "skipped id: error");
    start(find("add"));
    rpc_wish.spoil_request = spoil_low_id;
    (void)current->call();
    is(rpc_record.code, MIG_BAD_ID, "negative id: error");

    head.msgh_id = 7000;
    ok(rpc_server_routine(&head) == srv_rpc_subsystem.routine[0].stub_routine,
       "the routine function finds the stub");
    is(srv_rpc_subsystem.start, 7000, "subsystem: start");
    is(srv_rpc_subsystem.routine[0].argc, 3, "subsystem: C arguments");
    ok(srv_rpc_subsystem.maxsize >= sizeof(union __ReplyUnion__rpc_subsystem),
       "subsystem: room for any reply");
    is(srv_rpc_subsystem.end - srv_rpc_subsystem.start, rpc_MSG_COUNT,
       "subsystem: end");
}

/* Servers that claim more than there is room for, or do not end a string. */
static void
test_clamp(void)
{
    name_t n;
    path_t p, last;
    int after;

    start(find("variable"));
    rpc_server_wish.count = 0x40000000;
    (void)current->call();
    is(rpc_record.code, KERN_SUCCESS, "too large a count is cut");
    start(find("shared_count"));
    rpc_server_wish.count = 0xffffffff;
    (void)current->call();
    is(rpc_record.code, KERN_SUCCESS, "too large a shared count is cut");
    start(find("pairs"));
    rpc_server_wish.count = 8;
    is(current->call(), KERN_SUCCESS, "the smaller of two limits holds");
    start(find("right_arrays"));
    rpc_server_wish.count = 5;
    is(current->call(), KERN_SUCCESS, "too many rights are cut");
    start(find("counted"));
    rpc_server_wish.count = 9;
    is(current->call(), KERN_SUCCESS, "more than the caller's room is cut");

    start(find("strings"));
    rpc_server_wish.count = 1;
    is(strings(RPC_SERVER_PORT, "a", "b", 1, n, p, &after, last), KERN_SUCCESS,
       "strings without an end");
    is(strlen(n), sizeof(n) - 1, "a fixed string is ended");
    is(strlen(p), sizeof(p) - 1, "a variable string is ended");
    is(strlen(last), sizeof(last) - 1, "one that was copied is, too");
}

/* The client's own limits. */
static void
test_client_limits(void)
{
    static char longer[100];
    int a[9] = { 0 }, a_out[8], c_out, tail_out;
    mach_port_t ports[4] = { 1, 2, 3, 4 }, ports_out[2];
    char b_out[10];
    uint64_t d_out[4];
    point_t e_out[4];
    mach_msg_type_number_t one = 1, ten = 10, four = 4, more = 4;
    name_t n;
    path_t p, last;
    int after;

    start(find("variable"));
    is(variable(RPC_SERVER_PORT, a, 9, NULL, 0, 0, NULL, 0, NULL, 0, 0, a_out,
                &one, b_out, &ten, &c_out, d_out, &four, e_out, &more,
                &tail_out),
       MIG_ARRAY_TOO_LARGE, "an array that is too large is not sent");
    is(rpc_record.calls, 0, "nothing is sent at all");

    start(find("variable"));
    a[0] = 5;
    is(variable(RPC_SERVER_PORT, a, 3, NULL, 0, 0, NULL, 0, NULL, 0, 1, a_out,
                &one, b_out, &ten, &c_out, d_out, &four, e_out, &more,
                &tail_out),
       MIG_ARRAY_TOO_LARGE, "a result that is too large is cut");
    is(one, 3, "and its true count told");
    is(a_out[0], 5, "what fits is there");
    is(tail_out, 2, "and so is what follows");

    start(find("shared_count"));
    a[2] = 7;
    is(shared_count(RPC_SERVER_PORT, a, 3, a, &after, a_out, &one, a_out + 1),
       KERN_SUCCESS, "a shared count");
    is(one, 3, "of three");
    one = 1;
    is(shared_count(RPC_SERVER_PORT, a, 3, a, &after, a_out, &one, a_out + 7),
       MIG_ARRAY_TOO_LARGE, "no room in either array");
    is(one, 3, "is said once");

    start(find("pairs"));
    one = 2;
    is(pairs(RPC_SERVER_PORT, a, 3, ports, a_out, &one, ports_out),
       MIG_ARRAY_TOO_LARGE, "no room for rights");
    is(rpc_record.destroyed, 1, "none of them is kept");
    is(pairs(RPC_SERVER_PORT, a, 5, ports, a_out, &one, ports_out),
       MIG_ARRAY_TOO_LARGE, "too many rights are not sent");

    memset(longer, 'l', sizeof(longer) - 1);
    start(find("strings"));
    is(strings(RPC_SERVER_PORT, longer, longer, 1, n, p, &after, last),
       KERN_SUCCESS, "strings that are too long are cut");
    is(strlen(n), sizeof(n) - 1, "a fixed one");
    is(strlen(p), sizeof(p) - 1, "a variable one");
}

/* An error reply in place of the request: the rest is zeros. */
static void
test_retcode(void)
{
    start(find("done"));
    is(done(RPC_SERVER_PORT, KERN_NO_SPACE, 0x1000, 10, NULL, 0, 1000),
       KERN_SUCCESS, "a failure is sent");
    is(rpc_record.served, 1, "retcode: the function is called");
    is(rpc_seen_code, KERN_NO_SPACE, "retcode: with the code");
    is(rpc_seen_number, 0, "retcode: and zeros");
    ok(rpc_record.sent_size <= sizeof(mig_reply_error_ndr_t),
       "retcode: nothing else is sent");
    start(find("done_simple"));
    is(done_simple(RPC_SERVER_PORT, KERN_FAILURE, "path", 1), KERN_SUCCESS,
       "a failure without descriptors is sent");
    is(rpc_seen_code, KERN_FAILURE, "retcode: with the code");
    is(rpc_seen_number, 0, "retcode: and an empty string");
    is(rpc_seen_object == RPC_SERVER_PORT + 0x10000, 1,
       "retcode: the request port is translated");
    is(rpc_record.released, 1, "retcode: and released");
    start(find("done"));
    rpc_wish.send_error = MACH_SEND_INVALID_DEST;
    is(done(RPC_SERVER_PORT, KERN_NO_SPACE, 0, 0, NULL, 0, 0),
       MACH_SEND_INVALID_DEST, "a failure that cannot be sent");
}

/* Results that go to the caller's own memory, if there is room. */
static void
test_overwrite(void)
{
    static char data[8], page[4096];
    vm_address_t data_place = (vm_address_t)(uintptr_t)data;
    vm_address_t page_place = (vm_address_t)(uintptr_t)page;
    mach_msg_type_number_t count = sizeof(data);

    start(find("add"));
    is(placed(RPC_SERVER_PORT, &data_place, &count, &page_place), KERN_SUCCESS,
       "overwrite succeeds");
    ok(data_place == (vm_address_t)(uintptr_t)data && count == 7 &&
           strcmp(data, "placed") == 0,
       "overwrite: the data is where it was wanted");
    is(rpc_record.regions_freed, 2, "overwrite: where it came is freed");
    count = 3;
    is(placed(RPC_SERVER_PORT, &data_place, &count, &page_place), KERN_SUCCESS,
       "overwrite without enough room succeeds");
    ok(data_place != (vm_address_t)(uintptr_t)data && count == 7,
       "overwrite: the data stays where it came");
    is(rpc_record.regions_freed, 3, "overwrite: and is not freed");
}

/* Rows of regions that the stub frees. */
static void
test_freed(void)
{
    static mach_port_t ports[1];
    const vm_address_t row[2] = { 0x1000, 0x2000 };
    mach_port_array_t rights[2] = { ports, ports };
    mach_msg_type_number_t sizes[2] = { 5, 6 }, counts[2] = { 1, 1 };

    start(find("add"));
    is(freed(RPC_SERVER_PORT, row, sizes, rights, counts), KERN_SUCCESS,
       "rows are freed");
    is(rpc_record.regions_freed, 4, "rows: each region of both");
    start(find("add"));
    rpc_server_wish.result = KERN_FAILURE;
    (void)freed(RPC_SERVER_PORT, row, sizes, rights, counts);
    is(rpc_record.regions_freed, 2, "rows: not what rights lie in, on failure");
    is(rpc_record.left, 2, "rows: those are the loop's");
}

static void
test_context(void)
{
    int y;

    start(find("bound"));
    rpc_seen_context = 1;
    (void)current->call();
    is(rpc_seen_context == 0, 1, "no context was bound to the port");
    start(find("bound"));
    rpc_wish.payload = true;
    is(bound(RPC_SERVER_PORT, 1, 2, &y), KERN_SUCCESS, "a port with a context");
    is(rpc_seen_context == 0x1122334455667788, 1, "the context arrives");
}

#ifdef RPC_NDR
/* These stubs are generated with -maxonstack. */
static void
test_memory(void)
{
    start(find("variable"));
    rpc_wish.no_memory = true;
    is(current->call(), KERN_RESOURCE_SHORTAGE, "no memory for a message");
    is(rpc_record.calls, 0, "no memory: nothing is sent");
    start(find("add"));
    rpc_wish.no_memory = true;
    is(current->call(), KERN_SUCCESS, "a small message is on the stack");
}
#endif

int
main(void)
{
    test_results();
    test_ownership();
    test_send_errors();
    test_dispatch();
    test_clamp();
    test_client_limits();
    test_retcode();
    test_overwrite();
    test_freed();
    test_context();
#ifdef RPC_NDR
    test_memory();
#endif
    return tap_done();
}
