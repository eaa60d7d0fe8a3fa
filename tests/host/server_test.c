/* SPDX-License-Identifier: MIT */
/*
 * libmach's server loop and mach_msg_destroy(), with a mach_msg() that does
 * what a script says: receives that fail, replies that cannot be sent, all
 * that a routine can do with a request (row 1 of the hazards).
 */

#include <stdlib.h>
#include <string.h>

#include <mach/mach_init.h>
#include <mach/mach_traps.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/server.h>

#include "tap.h"

#define PORT_OURS 0x13u
#define REPLY_RIGHT 0x1007u
#define REQUEST_RIGHT 0x2007u
#define RESULT_RIGHT 0x3007u
#define REQUEST_ID 400
#define SIZE 512u

mach_port_t mach_task_self_ = 0x103;

struct request {
    mach_msg_header_t head;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t right;
    mach_msg_ool_descriptor_t memory;
};

/* One call of mach_msg: a code for sending and one for receiving. */
struct step {
    mach_msg_return_t send, receive;
    kern_return_t code; /* of the routine that gets the request */
};

static const struct step *steps;
static unsigned int step_count, step_now;
static unsigned int served, sent;
static unsigned int right_freed, result_freed, reply_freed, other_freed;
static unsigned int memory_freed, buffers;
static bool no_memory;
static mach_msg_option_t last_option;
static kern_return_t last_code;

/* The system. */

kern_return_t
syscall_mach_port_deallocate(mach_port_name_t task, mach_port_name_t name)
{
    (void)task;
    right_freed += name == REQUEST_RIGHT;
    result_freed += name == RESULT_RIGHT;
    reply_freed += name == REPLY_RIGHT;
    other_freed +=
        name != REQUEST_RIGHT && name != RESULT_RIGHT && name != REPLY_RIGHT;
    return KERN_SUCCESS;
}

static unsigned int receive_freed;

kern_return_t
syscall_mach_port_mod_refs(mach_port_name_t task, mach_port_name_t name,
                           mach_port_right_t right, mach_port_delta_t delta)
{
    (void)task;
    receive_freed += name == REQUEST_RIGHT &&
                     right == MACH_PORT_RIGHT_RECEIVE && delta == -1;
    return KERN_SUCCESS;
}

kern_return_t
mig_allocate(vm_address_t *addressp, vm_size_t size)
{
    if (no_memory) {
        return KERN_RESOURCE_SHORTAGE;
    }

    *addressp = (vm_address_t)calloc(1, size);
    buffers++;
    return KERN_SUCCESS;
}

void
mig_deallocate(vm_address_t address, vm_size_t size)
{
    if (address == 0x5000) {
        memory_freed += size == 4096;
    } else {
        free((void *)address);
        buffers--;
    }
}

static void
deliver(mach_msg_header_t *msg)
{
    struct request request = {
        .head = { .msgh_bits = MACH_MSGH_BITS_COMPLEX |
                               MACH_MSGH_BITS(MACH_MSG_TYPE_PORT_SEND_ONCE,
                                              MACH_MSG_TYPE_PORT_SEND),
                  .msgh_size = sizeof(request),
                  .msgh_remote_port = REPLY_RIGHT,
                  .msgh_local_port = PORT_OURS,
                  .msgh_id = REQUEST_ID },
        .body = { 2 },
        .right = { .name = REQUEST_RIGHT,
                   .disposition = MACH_MSG_TYPE_PORT_SEND,
                   .type = MACH_MSG_PORT_DESCRIPTOR },
        .memory = { .address = 0x5000,
                    .deallocate = TRUE,
                    .type = MACH_MSG_OOL_DESCRIPTOR,
                    .size = 4096 },
    };

    memcpy(msg, &request, sizeof(request));
}

static mach_msg_return_t
exchange(mach_msg_header_t *msg, mach_msg_option_t option,
         mach_msg_header_t *buffer)
{
    const struct step *step = &steps[step_now];

    if (step_now == step_count) {
        return MACH_RCV_PORT_DIED;
    }

    step_now++;
    last_option = option;

    if ((option & MACH_SEND_MSG) != 0) {
        if (step->send != MACH_MSG_SUCCESS) {
            return step->send;
        }

        sent++;
        last_code = MACH_MSGH_BITS_IS_COMPLEX(msg->msgh_bits)
                        ? KERN_SUCCESS
                        : ((mig_reply_error_t *)msg)->RetCode;
    }

    if ((option & MACH_RCV_MSG) == 0) {
        return MACH_MSG_SUCCESS;
    }

    if (step->receive == MACH_MSG_SUCCESS ||
        (step->receive & ~MACH_MSG_VM_SPACE) == MACH_RCV_BODY_ERROR) {
        deliver(buffer);
    }

    return step->receive;
}

mach_msg_return_t
mach_msg_trap(mach_msg_header_t *msg, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, mach_msg_timeout_t timeout,
              mach_msg_header_t *rcv_msg)
{
    (void)sizes;
    (void)names;
    (void)timeout;
    return exchange(msg, option, (rcv_msg != NULL) ? rcv_msg : msg);
}

/* The server: success gives a right in the reply. */
static void
stub(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    kern_return_t code = steps[step_now - 1].code;
    mach_msg_base_t *base = (void *)reply;
    mach_msg_port_descriptor_t *right = (void *)(base + 1);

    (void)request;
    served++;
    ((mig_reply_error_t *)reply)->RetCode = code;

    if (code == KERN_SUCCESS) {
        memset(right, 0, sizeof(*right));
        reply->msgh_bits |= MACH_MSGH_BITS_COMPLEX;
        reply->msgh_size = sizeof(*base) + sizeof(*right);
        base->body.msgh_descriptor_count = 1;
        right->name = RESULT_RIGHT;
        right->disposition = MACH_MSG_TYPE_MOVE_SEND;
        right->type = MACH_MSG_PORT_DESCRIPTOR;
    }
}

static mig_stub_fn_t
find_none(mach_msg_header_t *request)
{
    (void)request;
    return NULL;
}

static mig_stub_fn_t
find_stub(mach_msg_header_t *request)
{
    return (request->msgh_id == REQUEST_ID) ? stub : NULL;
}

static boolean_t
demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    static const mig_routine_fn_t routines[] = { find_none, find_stub, NULL };

    return mig_demux(routines, request, reply);
}

static boolean_t
demux_none(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    static const mig_routine_fn_t routines[] = { find_none, NULL };

    return mig_demux(routines, request, reply);
}

static void
begin(const struct step *script, unsigned int count)
{
    steps = script;
    step_count = count;
    step_now = 0;
    served = sent = 0;
    right_freed = result_freed = reply_freed = other_freed = 0;
    memory_freed = receive_freed = 0;
}

static mach_msg_return_t
serve(const struct step *script, unsigned int count)
{
    begin(script, count);
    return mach_msg_server(demux, SIZE, PORT_OURS, 0);
}

#define SERVE(...)                                                             \
    serve((const struct step[]){ __VA_ARGS__ },                                \
          sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

/* What was released: the request's right and memory, the result, the right
 * to reply. */
static bool
freed(unsigned int request, unsigned int result, unsigned int reply)
{
    bool good = right_freed == request && memory_freed == request &&
                result_freed == result && reply_freed == reply &&
                other_freed == 0;

    if (!good) {
        printf("# freed: request %u and %u, result %u, reply %u, other %u\n",
               right_freed, memory_freed, result_freed, reply_freed,
               other_freed);
    }

    return good;
}

static void
test_results(void)
{
    is(SERVE({ 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_PORT_DIED, 0 }),
       MACH_RCV_PORT_DIED, "the loop ends with its port");
    is(buffers, 0, "and leaves no memory");
    ok(served == 1 && sent == 1 && freed(0, 0, 0),
       "a success owns the request, its reply goes out");
    (void)SERVE({ 0, 0, KERN_FAILURE }, { 0, MACH_RCV_PORT_DIED, 0 });
    ok(served == 1 && sent == 1 && freed(1, 0, 0),
       "after a failure the request is destroyed, but for the reply right");
    is(last_code, KERN_FAILURE, "which carries the code");
    (void)SERVE({ 0, 0, MIG_NO_REPLY }, { 0, MACH_RCV_PORT_DIED, 0 });
    ok(served == 1 && sent == 0 && freed(0, 0, 0),
       "MIG_NO_REPLY owns everything, and nothing is sent");
    begin((const struct step[]){ { 0, 0, 0 }, { 0, MACH_RCV_PORT_DIED, 0 } },
          2);
    (void)mach_msg_server(demux_none, SIZE, PORT_OURS, 0);
    ok(served == 0 && sent == 1 && freed(1, 0, 0), "no such routine");
    is(last_code, MIG_BAD_ID, "is answered with MIG_BAD_ID");
}

static void
test_lost_replies(void)
{
    static const mach_msg_return_t results[] = {
        MACH_SEND_INVALID_DEST,   MACH_SEND_TIMED_OUT,     MACH_SEND_NO_BUFFER,
        MACH_SEND_INVALID_MEMORY, MACH_SEND_INVALID_RIGHT,
    };

    for (unsigned int i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        (void)SERVE({ 0, 0, KERN_SUCCESS }, { results[i], 0, 0 },
                    { 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_PORT_DIED, 0 });
        ok(served == 2 && sent == 1 && freed(0, 1, 1),
           "a reply is not taken (0x%x): it is destroyed, the loop goes on",
           results[i]);
        (void)SERVE({ 0, 0, KERN_FAILURE }, { results[i], 0, 0 },
                    { 0, MACH_RCV_PORT_DIED, 0 });
        ok(served == 1 && sent == 0 && freed(1, 0, 1),
           "nor an error reply (0x%x)", results[i]);
    }
}

static void
test_receive_errors(void)
{
    is(SERVE({ 0, MACH_RCV_TOO_LARGE, 0 }, { 0, 0, KERN_SUCCESS },
             { 0, MACH_RCV_TIMED_OUT, 0 }),
       MACH_RCV_TIMED_OUT, "too large a request is skipped");
    ok(served == 1 && sent == 1 && freed(0, 0, 0), "and the next one served");
    (void)SERVE({ 0, MACH_RCV_HEADER_ERROR | MACH_MSG_IPC_SPACE, 0 },
                { 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_PORT_DIED, 0 });
    ok(served == 1 && freed(0, 0, 0), "no room for a name: it goes on");
    (void)SERVE({ 0, MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE, 0 },
                { 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_PORT_DIED, 0 });
    ok(served == 1 && freed(1, 0, 1),
       "half a request is destroyed, its reply right too");
    (void)SERVE({ 0, MACH_RCV_INTERRUPTED, 0 }, { 0, 0, KERN_SUCCESS },
                { MACH_SEND_INTERRUPTED, 0, 0 }, { 0, MACH_RCV_INTERRUPTED, 0 },
                { 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_PORT_DIED, 0 });
    ok(served == 2 && sent == 2 && freed(0, 0, 0),
       "interruptions are not noticed");
    is(SERVE({ 0, 0, KERN_SUCCESS }, { 0, MACH_RCV_INVALID_NAME, 0 }),
       MACH_RCV_INVALID_NAME, "any other error ends the loop");
    ok(sent == 1 && freed(0, 0, 0), "after its last reply went out");
    begin((const struct step[]){ { 0, MACH_RCV_TOO_LARGE, 0 } }, 1);
    is(mach_msg_server(demux, SIZE, PORT_OURS, MACH_RCV_LARGE),
       MACH_RCV_TOO_LARGE, "with MACH_RCV_LARGE it stays in the queue");
    no_memory = true;
    is(mach_msg_server(demux, SIZE, PORT_OURS, 0),
       MACH_RCV_INVALID_DATA | MACH_MSG_VM_SPACE, "no memory for buffers");
    no_memory = false;
    is(mach_msg_server(demux, MACH_MSG_SIZE_MAX + 1, PORT_OURS, 0),
       MACH_RCV_INVALID_DATA | MACH_MSG_VM_SPACE, "nor for any size");
}

static void
test_once(void)
{
    begin((const struct step[]){ { 0, 0, KERN_SUCCESS }, { 0, 0, 0 } }, 2);
    is(mach_msg_server_once(demux, SIZE, PORT_OURS, 0, 0), MACH_MSG_SUCCESS,
       "one request");
    ok(served == 1 && sent == 1 && step_now == 2 && freed(0, 0, 0),
       "is served, once");
    begin((const struct step[]){ { 0, MACH_RCV_TIMED_OUT, 0 } }, 1);
    is(mach_msg_server_once(demux, SIZE, PORT_OURS, MACH_RCV_TIMEOUT, 1),
       MACH_RCV_TIMED_OUT, "none comes");
    begin((const struct step[]){ { 0, MACH_RCV_BODY_ERROR, 0 } }, 1);
    is(mach_msg_server_once(demux, SIZE, PORT_OURS, 0, 0), MACH_RCV_BODY_ERROR,
       "half a one");
    ok(served == 0 && freed(1, 0, 1), "is destroyed");
    is(buffers, 0, "no memory is left behind");
}

static void
test_late_error(void)
{
    begin((const struct step[]){ { 0, 0, 0 } }, 1);
    mig_reply_error(REPLY_RIGHT, MACH_MSG_TYPE_MOVE_SEND_ONCE, REQUEST_ID,
                    KERN_ABORTED);
    ok(sent == 1 && last_code == KERN_ABORTED && freed(0, 0, 0),
       "a late error is sent");
    begin((const struct step[]){ { MACH_SEND_INVALID_DEST, 0, 0 } }, 1);
    mig_reply_error(REPLY_RIGHT, MACH_MSG_TYPE_MOVE_SEND_ONCE, REQUEST_ID,
                    KERN_ABORTED);
    ok(sent == 0 && freed(0, 0, 1), "if nobody takes it the right is used up");
    begin(NULL, 0);
    mig_reply_error(MACH_PORT_NULL, 0, REQUEST_ID, KERN_ABORTED);
    ok(step_now == 0, "to nobody nothing is sent");
}

/* Destroying: a message in a block of just the size given. */

static void
destroy(const struct request *request, mach_msg_size_t size)
{
    mach_msg_header_t *msg = malloc(size);

    begin(NULL, 0);
    memcpy(msg, request, size);
    msg->msgh_size = size;
    mach_msg_destroy(msg);
    free(msg);
}

static void
test_destroy(void)
{
    struct request request;

    deliver(&request.head);
    destroy(&request, sizeof(request));
    ok(freed(1, 0, 1), "all that a message holds is released");

    for (mach_msg_size_t size = 24; size < sizeof(request); size++) {
        destroy(&request, size);

        if (right_freed != (size >= 40) || memory_freed != 0) {
            ok(false, "a message of %u bytes", size);
        }
    }

    ok(true, "nothing is looked for behind a message's end");
    request.body.msgh_descriptor_count = 0xffffffff;
    destroy(&request, sizeof(request));
    ok(freed(1, 0, 1), "nor are more descriptors than it has room for");
    deliver(&request.head);

    for (unsigned int type = 0; type < 32; type++) {
        request.right.disposition = (uint8_t)type;
        destroy(&request, sizeof(request));

        if (right_freed != (type == MACH_MSG_TYPE_MOVE_SEND ||
                            type == MACH_MSG_TYPE_MOVE_SEND_ONCE) ||
            receive_freed != (type == MACH_MSG_TYPE_MOVE_RECEIVE)) {
            ok(false, "disposition %u", type);
        }
    }

    ok(true, "what a disposition only lends is kept");
    deliver(&request.head);
    request.right.name = MACH_PORT_NULL;
    request.memory.deallocate = FALSE;
    request.head.msgh_remote_port = MACH_PORT_DEAD;
    destroy(&request, sizeof(request));
    ok(freed(0, 0, 0), "null, dead names and lent memory are none");
}

int
main(void)
{
    test_results();
    test_lost_replies();
    test_receive_errors();
    test_once();
    test_late_error();
    test_destroy();
    return tap_done();
}
