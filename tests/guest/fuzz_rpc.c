/* SPDX-License-Identifier: MIT */
/*
 * Calls as decent tasks make them, among all that others do meanwhile: the
 * short path of messages is only for such. Each player has a server that
 * returns what it is sent; an answer that says whose it is must be right.
 */

#include "fuzz.h"

#include <stdatomic.h>

#define REQUEST_ID 4711
#define REPLY_ID 4811
#define WORDS_MAX 320
#define FAILURES_MAX 64 /* in a row: the server has no port any more */

/* A request and its reply: sizes around what the short path takes. */
struct rpc_message {
    mach_msg_header_t head;
    uint64_t cookie;
    uint32_t words[WORDS_MAX];
};

#define RPC_SIZE_MIN ((mach_msg_size_t)offsetof(struct rpc_message, words))

static uint32_t
rpc_word(uint64_t cookie, mach_msg_size_t i)
{
    return (uint32_t)(cookie * 0x9e3779b97f4a7c15 >> 32) + i * 0x01000193;
}

static void
rpc_check(const struct fuzz_caller *caller, struct fuzz_round *round,
          uint64_t cookie, mach_msg_size_t count)
{
    const struct rpc_message *reply = (const void *)&caller->received;
    mach_msg_size_t size = RPC_SIZE_MIN + count * 4;
    bool good = true;

    if (reply->head.msgh_id != REPLY_ID || reply->cookie != cookie) {
        return; /* what others send there is not ours to judge */
    }

    for (mach_msg_size_t i = 0; i < count; i++) {
        good &= reply->words[i] == rpc_word(cookie, i);
    }

    /* The port itself may have been renamed, or may be gone by now. */
    if (!good || reply->head.msgh_size != size ||
        reply->head.msgh_remote_port != MACH_PORT_NULL) {
        round->wrong = caller->call + 1;
    }
}

/* Mostly as the short path wants it; sometimes it would be too late. */
static mach_msg_option_t
rpc_option(struct fuzz_caller *caller)
{
    mach_msg_option_t option = MACH_SEND_MSG | MACH_RCV_MSG;

    switch ((fuzz_random(caller) >> 8) % 16) {
    case 0:
        return option | MACH_RCV_TIMEOUT;
    case 1:
        return option | MACH_SEND_TIMEOUT;
    case 2:
        return option | MACH_RCV_TIMEOUT | MACH_SEND_TIMEOUT | MACH_RCV_LARGE;
    default:
        return option;
    }
}

void
fuzz_rpc_call(struct fuzz_caller *caller, struct fuzz_round *round)
{
    struct rpc_message *request = (void *)&caller->message;
    uint64_t random = fuzz_random(caller) >> 8;
    mach_msg_size_t count =
        random % 8 == 0 ? (random >> 8) % WORDS_MAX : (random >> 8) % 16;
    mach_port_name_t port =
        FUZZ_PLAYER_PORT((random >> 24) % round->player_count);
    mach_msg_size_t room = sizeof(struct rpc_message) + MAX_TRAILER_SIZE;
    uint64_t cookie = round->seed + caller->call;
    mach_msg_return_t mr;

    request->head = (mach_msg_header_t){
        .msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
                                    MACH_MSG_TYPE_MAKE_SEND_ONCE),
        .msgh_remote_port = port,
        .msgh_local_port = caller->reply_port,
        .msgh_id = REQUEST_ID,
    };
    request->cookie = cookie;

    for (mach_msg_size_t i = 0; i < count; i++) {
        request->words[i] = rpc_word(cookie, i);
    }

    if (fuzz_once_in(caller, 32)) {
        room = (mach_msg_size_t)fuzz_value(caller, FUZZ_SMALL);
    }

    if (round->trace) {
        tap_diag("call %lu: rpc to %x, %u words", caller->call, port, count);
    }

    mr = fuzz_trap_msg(caller, rpc_option(caller), RPC_SIZE_MIN + count * 4,
                       room, caller->reply_port, (uint64_t)&caller->received);

    if (mr == MACH_MSG_SUCCESS) {
        rpc_check(caller, round, cookie, count);
    } else {
        fuzz_reply_port(caller);
    }
}

/* -- The server ------------------------------------------------------------- */

/* Where it receives: its port, or a set with that in it. */
static mach_port_name_t
server_name(const struct fuzz_caller *caller)
{
    mach_port_name_t port = FUZZ_PLAYER_PORT(caller->player);
    mach_port_name_t set;

    if (caller->random % 2 == 0 ||
        syscall_mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
                                   &set) != KERN_SUCCESS ||
        mach_port_move_member(mach_task_self(), port, set) != KERN_SUCCESS) {
        return port;
    }

    return set;
}

/* The reply is the request, on its way back. Some are forgotten, and some
 * answered as if by accident. Returns its size, 0 for none. */
static mach_msg_size_t
server_answer(struct fuzz_caller *caller)
{
    mach_msg_header_t *head = &caller->message.head;
    mach_msg_size_t size = head->msgh_size;

    fuzz_name_seen(caller, head->msgh_remote_port);

    if (fuzz_once_in(caller, 64) || head->msgh_id != REQUEST_ID) {
        mach_msg_destroy(head);
        return 0;
    }

    if (fuzz_once_in(caller, 64)) {
        (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_NONE, 0);
    }

    head->msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(head->msgh_bits), 0);
    head->msgh_local_port = MACH_PORT_NULL;
    head->msgh_voucher_port = 0;
    head->msgh_id = REPLY_ID;
    return fuzz_once_in(caller, 128) ? sizeof(*head) : size;
}

void
fuzz_server_run(void *argument)
{
    struct fuzz_caller *caller = argument;
    mach_port_name_t name = server_name(caller);
    mach_msg_size_t size = 0;
    unsigned int failures = 0;

    while (failures < FAILURES_MAX) {
        mach_msg_option_t option =
            size == 0 ? MACH_RCV_MSG : MACH_SEND_MSG | MACH_RCV_MSG;
        mach_msg_return_t mr;

        mr = (mach_msg_return_t)guest_trap(
            MACH_TRAP_MSG, (long)&caller->message, (long)option,
            (long)(size | (uint64_t)sizeof(caller->message) << 32), (long)name,
            0, 0);

        if (mr == MACH_MSG_SUCCESS) {
            failures = 0;
            size = server_answer(caller);
            continue;
        }

        if (mr != MACH_RCV_INTERRUPTED) {
            failures++;
            name = FUZZ_PLAYER_PORT(caller->player);
        }

        size = 0;
    }
}
