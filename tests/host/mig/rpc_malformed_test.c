/* SPDX-License-Identifier: MIT */
/*
 * Messages spoilt on the way, in every routine: none may make a stub read
 * outside its message (the sanitizer watches) nor reach a server's function
 * with an argument that the interface does not allow.
 */

#include <stdlib.h>
#include <string.h>

#include <mach/mig_support.h>
#include <mach/notify.h>

#include "rpc.h"
#include "rpc_calls.h"
#include "rpc_functions.h"
#include "rpc_kernel.h"
#include "tap.h"

static const uint32_t values[] = { 0,          1,          4,
                                   0x7fffffff, 0x80000000, 0xffffffff,
                                   0x40000001, 0x00010001 };

#define VALUE_COUNT (sizeof(values) / sizeof(values[0]))

/* What the spoilers below are to do. */
static mach_msg_size_t spoil_size;
static size_t spoil_word;
static uint32_t spoil_value;
static unsigned int spoil_seed;

static void
start(const struct rpc_call *call)
{
    rpc_reset();
    memset(&rpc_server_wish, 0, sizeof(rpc_server_wish));
    rpc_wish.from_kernel = call->from_kernel;
    rpc_wish.no_trailer = !call->trailer;
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

static void
set_size(mach_msg_header_t *msg)
{
    msg->msgh_size = spoil_size;
}

static void
flip_complex(mach_msg_header_t *msg)
{
    msg->msgh_bits ^= MACH_MSGH_BITS_COMPLEX;
}

static void
more_descriptors(mach_msg_header_t *msg)
{
    ((mach_msg_base_t *)msg)->body.msgh_descriptor_count++;
}

static void
fewer_descriptors(mach_msg_header_t *msg)
{
    ((mach_msg_base_t *)msg)->body.msgh_descriptor_count--;
}

static void
set_word(mach_msg_header_t *msg)
{
    memcpy((char *)msg + spoil_word, &spoil_value, sizeof(spoil_value));
}

static void
set_byte(mach_msg_header_t *msg)
{
    ((unsigned char *)msg)[spoil_word] = (unsigned char)spoil_value;
}

/* A few random bytes behind the header, the same for the same seed. */
static void
shuffle(mach_msg_header_t *msg)
{
    unsigned int i;

    srand(spoil_seed);

    for (i = 0; i < 3; i++) {
        size_t place =
            sizeof(*msg) + (size_t)rand() % (msg->msgh_size - sizeof(*msg) + 1);

        if (place < msg->msgh_size) {
            ((unsigned char *)msg)[place] = (unsigned char)rand();
        }
    }
}

/* Sizes of a good call's messages. */
static void
measure(const struct rpc_call *call, size_t *requestp, size_t *replyp)
{
    start(call);
    (void)call->call();
    *requestp = rpc_record.sent_size;
    *replyp = rpc_record.reply_size;
}

static void
test_request_size(const struct rpc_call *call, size_t size)
{
    bool refused, right;

    refused = true;
    right = true;

    for (spoil_size = sizeof(mach_msg_header_t); spoil_size <= size + 64;
         spoil_size += 4) {
        if (spoil_size == size) {
            continue;
        }

        start(call);
        rpc_wish.spoil_request = set_size;
        (void)call->call();
        refused = refused && rpc_record.served == 0;
        right = right && (rpc_record.code == MIG_BAD_ARGUMENTS ||
                          rpc_record.code == MIG_TYPE_ERROR ||
                          rpc_record.code == MIG_TRAILER_ERROR);
    }

    ok(refused, "%s: a request of another size is not served", call->name);
    ok(right, "%s: it is refused with the documented codes", call->name);
}

static void
test_request_shape(const struct rpc_call *call)
{
    start(call);
    rpc_wish.spoil_request = flip_complex;
    (void)call->call();
    is(rpc_record.code, MIG_BAD_ARGUMENTS, "%s: wrong complex bit", call->name);
    is(rpc_record.served, 0, "%s: wrong complex bit: not served", call->name);

    if (call->moved == 0) {
        return;
    }

    start(call);
    rpc_wish.spoil_request = more_descriptors;
    (void)call->call();
    is(rpc_record.code, MIG_BAD_ARGUMENTS, "%s: more descriptors", call->name);
    start(call);
    rpc_wish.spoil_request = fewer_descriptors;
    (void)call->call();
    is(rpc_record.code, MIG_BAD_ARGUMENTS, "%s: fewer descriptors", call->name);
}

/* Every word of the request, a number of values each: no crash is the test. */
static void
test_request_words(const struct rpc_call *call, size_t size)
{
    unsigned int i;

    for (spoil_word = sizeof(mach_msg_header_t); spoil_word < size;
         spoil_word += 4) {
        /* Memory that the server's function would follow stays as it is. */
        if (strcmp(call->name, "loose") == 0 ||
            strcmp(call->name, "memory_rights") == 0) {
            break;
        }

        for (i = 0; i < VALUE_COUNT; i++) {
            spoil_value = values[i];
            start(call);
            rpc_wish.spoil_request = set_word;
            (void)call->call();
        }
    }

    for (spoil_seed = 0; spoil_seed < 200; spoil_seed++) {
        if (strcmp(call->name, "loose") == 0 ||
            strcmp(call->name, "memory_rights") == 0) {
            break;
        }

        start(call);
        rpc_wish.spoil_request = shuffle;
        (void)call->call();
    }

    ok(true, "%s: survives spoilt words in requests", call->name);
}

static void
test_reply(const struct rpc_call *call, size_t size)
{
    unsigned int i;
    kern_return_t kr;
    bool refused;

    refused = true;

    for (spoil_size = sizeof(mach_msg_header_t); spoil_size < size;
         spoil_size += 4) {
        start(call);
        rpc_wish.spoil_reply = set_size;
        kr = call->call();
        refused = refused && kr == MIG_TYPE_ERROR && rpc_record.destroyed == 1;
    }

    ok(refused, "%s: a short reply is refused and destroyed", call->name);
    start(call);
    rpc_wish.spoil_reply = flip_complex;
    is(call->call(), MIG_TYPE_ERROR, "%s: wrong complex bit in the reply",
       call->name);

    for (spoil_word = 4; spoil_word < size; spoil_word += 4) {
        for (i = 0; i < VALUE_COUNT; i++) {
            spoil_value = values[i];

            /* The size is the kernel's word: it cannot exceed the buffer. */
            if (spoil_word == 4 && spoil_value > size) {
                continue;
            }

            /* call_memory_rights() follows this pointer. */
            if (strcmp(call->name, "memory_rights") == 0 && spoil_word >= 28 &&
                spoil_word < 36) {
                continue;
            }

            start(call);
            rpc_wish.spoil_reply = set_word;
            (void)call->call();
        }
    }

    for (spoil_seed = 0;
         spoil_seed < 200 && strcmp(call->name, "memory_rights") != 0;
         spoil_seed++) {
        start(call);
        rpc_wish.spoil_reply = shuffle;
        (void)call->call();
    }

    ok(true, "%s: survives spoilt words in replies", call->name);
}

static void
spoil_reply_id(mach_msg_header_t *msg)
{
    msg->msgh_id++;
}

static void
spoil_reply_died(mach_msg_header_t *msg)
{
    msg->msgh_id = MACH_NOTIFY_SEND_ONCE;
    msg->msgh_size = sizeof(*msg);
}

static void
spoil_reply_remote(mach_msg_header_t *msg)
{
    msg->msgh_bits |= MACH_MSG_TYPE_PORT_SEND_ONCE;
    msg->msgh_remote_port = 0x77;
}

static void
test_reply_codes(void)
{
    const struct rpc_call *call = find("add");

    start(call);
    rpc_wish.spoil_reply = spoil_reply_id;
    is(call->call(), MIG_REPLY_MISMATCH, "a reply of another id");
    is(rpc_record.destroyed, 1, "is destroyed");
    is(rpc_record.ports_dealloc, 1, "and the reply port given up");
    start(call);
    rpc_wish.spoil_reply = spoil_reply_died;
    is(call->call(), MIG_SERVER_DIED, "the server dropped the reply right");
    is(rpc_record.ports_dealloc, 0, "the reply port is still good");
    start(call);
    rpc_wish.spoil_reply = spoil_reply_remote;
    is(call->call(), MIG_TYPE_ERROR, "a reply that wants a reply");
}

/* One field of one request. */
static kern_return_t
spoil_field(const char *name, size_t offset, uint32_t value, bool byte)
{
    const struct rpc_call *call = find(name);

    spoil_word = offset;
    spoil_value = value;
    start(call);
    rpc_wish.spoil_request = byte ? set_byte : set_word;
    (void)call->call();
    return (rpc_record.served == 0) ? rpc_record.code : KERN_SUCCESS;
}

#define WORD(routine, field, value)                                            \
    spoil_field(#routine, offsetof(__Request__##routine##_t, field), value,    \
                false)
#define BYTE(routine, field, value)                                            \
    spoil_field(#routine, offsetof(__Request__##routine##_t, field), value,    \
                true)

static void
test_counts(void)
{
    is(WORD(variable, aCnt, 9), MIG_BAD_ARGUMENTS, "count over its maximum");
    is(WORD(variable, aCnt, 2), MIG_BAD_ARGUMENTS, "count below the size");
    is(WORD(variable, aCnt, 0x40000003), MIG_BAD_ARGUMENTS,
       "count that overflows");
    is(WORD(shared_count, aCnt, 2), MIG_BAD_ARGUMENTS, "shared count");
    is(WORD(right_arrays, someCnt, 5), MIG_TYPE_ERROR, "number of rights");
    is(WORD(right_arrays, someCnt, 1), MIG_TYPE_ERROR,
       "rights behind the count");
    is(WORD(memory, dataCnt, 4), MIG_TYPE_ERROR, "count of memory");
    is(WORD(memory, fewCnt, 17), MIG_TYPE_ERROR, "bounded memory");
    is(WORD(memory_rights, portsCnt, 3), MIG_TYPE_ERROR,
       "count of out-of-line rights (hazard 5)");
    is(WORD(memory_rights, three.count, 2), MIG_TYPE_ERROR,
       "a fixed number of out-of-line rights (hazard 5)");
    is(WORD(memory, page.size, 100), MIG_TYPE_ERROR, "fixed memory's size");
    is(WORD(memory, few.size, 0x80000018), MIG_TYPE_ERROR,
       "size of bounded memory");
}

static void
test_descriptors(void)
{
    is(BYTE(rights, copied.type, MACH_MSG_OOL_DESCRIPTOR), MIG_TYPE_ERROR,
       "memory where a right should be");
    is(BYTE(rights, copied.disposition, MACH_MSG_TYPE_PORT_SEND_ONCE),
       MIG_TYPE_ERROR, "send-once right for a send right");
    is(BYTE(rights, once.disposition, MACH_MSG_TYPE_PORT_SEND), MIG_TYPE_ERROR,
       "send right for a send-once right");
    is(BYTE(rights, receive.disposition, MACH_MSG_TYPE_PORT_SEND),
       MIG_TYPE_ERROR, "send right for a receive right");
    is(BYTE(rights, any.disposition, MACH_MSG_TYPE_PORT_SEND), KERN_SUCCESS,
       "a polymorphic right may be any");
    is(BYTE(right_arrays, some[3].type, MACH_MSG_OOL_PORTS_DESCRIPTOR),
       MIG_TYPE_ERROR, "type of an unused right");
    is(BYTE(right_arrays, anys[1].disposition, MACH_MSG_TYPE_PORT_SEND_ONCE),
       MIG_TYPE_ERROR, "an array of different rights");
    is(BYTE(memory, data.type, MACH_MSG_OOL_VOLATILE_DESCRIPTOR),
       MIG_TYPE_ERROR, "volatile memory");
    is(BYTE(memory_rights, moved.disposition, MACH_MSG_TYPE_PORT_RECEIVE),
       MIG_TYPE_ERROR, "disposition of out-of-line rights");
    is(BYTE(memory_rights, three.type, MACH_MSG_OOL_DESCRIPTOR), MIG_TYPE_ERROR,
       "memory where rights should be");
}

static void
unterminate(mach_msg_header_t *msg)
{
    memset((char *)msg + spoil_word, 'x', spoil_value);
}

static void
test_strings(void)
{
    const struct rpc_call *call = find("strings");

    start(call);
    spoil_word = offsetof(__Request__strings_t, n);
    spoil_value = sizeof(name_t);
    rpc_wish.spoil_request = unterminate;
    (void)call->call();
    is(rpc_record.code, MIG_BAD_ARGUMENTS, "fixed string without an end");
    is(rpc_record.served, 0, "is not served");

    start(call);
    spoil_word = offsetof(__Request__strings_t, p);
    spoil_value = 7;
    rpc_wish.spoil_request = unterminate;
    (void)call->call();
    is(rpc_record.code, MIG_BAD_ARGUMENTS, "variable string without an end");

    is(WORD(strings, pCnt, 0), MIG_BAD_ARGUMENTS, "string without a NUL");
    is(WORD(strings, pCnt, 31), MIG_BAD_ARGUMENTS, "string over its maximum");
    is(WORD(strings, pCnt, 9), MIG_BAD_ARGUMENTS, "string with a false size");
}

int
main(void)
{
    const struct rpc_call *call;
    size_t request, reply;
    unsigned int i;

    for (i = 0; i < rpc_call_count; i++) {
        call = &rpc_calls[i];
        measure(call, &request, &reply);
        test_request_size(call, request);
        test_request_shape(call);
        test_request_words(call, request);

        if (!call->oneway) {
            test_reply(call, reply);
        }
    }

    test_reply_codes();
    test_counts();
    test_descriptors();
    test_strings();
    return tap_done();
}
