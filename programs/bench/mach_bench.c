/* SPDX-License-Identifier: MIT */
/*
 * Mach operations: the null trap, the null RPC between two tasks through
 * MIG's stubs with one number in and one out, and a call that visits the Unix
 * server as every call of libunix does, and does nothing there.
 */

#include <libunix/call.h>
#include <mach/mach.h>
#include <mach/mach_traps.h>
#include <programs/bench/bench.h>
#include <programs/bench/bench_server.h>
#include <stddef.h>
#include <unix/unix_process.h>

#include "operation.h"

#define SERVER_STACK (64 * 1024)
#define MESSAGE_MAX 512

static const char *
run_null_trap(long count)
{
    while (count > 0) {
        mach_null_trap();
        count -= 1;
    }

    return NULL;
}

/* The server's task begins as a copy of this one's memory. */
static mach_port_t server_task;
static mach_port_t server_port;
static mach_port_name_t server_receive; /* in the server's task */
static char server_stack[SERVER_STACK] __attribute__((aligned(16)));

kern_return_t
do_bench_null(mach_port_t server, natural_t value, natural_t *same)
{
    (void)server;
    *same = value;
    return KERN_SUCCESS;
}

/* Runs in the server's task, on server_stack. */
static _Noreturn void
serve(void)
{
    mach_init_child();
    mach_msg_server(bench_server, MESSAGE_MAX, server_receive, 0);
    task_terminate(mach_task_self());

    for (;;) {
        mach_null_trap();
    }
}

static kern_return_t
start_server_thread(void)
{
    x86_thread_state64_t state;
    mach_port_t thread;
    kern_return_t kr;

    kr = thread_create(server_task, &thread);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    state = (x86_thread_state64_t){
        .rip = (uint64_t)(uintptr_t)serve,
        .rsp = (uint64_t)(uintptr_t)server_stack + SERVER_STACK - 8,
        .rflags = 0x202,
        .fs_base = (uint64_t)(uintptr_t)mach_tcb_self(),
    };
    kr = thread_set_state(thread, x86_THREAD_STATE64, (thread_state_t)&state,
                          x86_THREAD_STATE64_COUNT);

    if (kr == KERN_SUCCESS) {
        kr = thread_resume(thread);
    }

    mach_port_deallocate(mach_task_self(), thread);
    return kr;
}

/*
 * The copy of this task's memory is taken when its task is created, so the
 * name of the port that the server receives from is chosen before.
 */
static const char *
setup_server(void)
{
    mach_port_t port;
    kern_return_t kr;

    kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);

    if (kr != KERN_SUCCESS) {
        return "no port";
    }

    kr = mach_port_insert_right(mach_task_self(), port, port,
                                MACH_MSG_TYPE_MAKE_SEND);

    if (kr != KERN_SUCCESS) {
        return "no right";
    }

    server_receive = port;
    kr = task_create(mach_task_self(), TRUE, &server_task);

    if (kr != KERN_SUCCESS) {
        return "no task";
    }

    /* The send right stays here under the same name. */
    kr = mach_port_insert_right(server_task, server_receive, port,
                                MACH_MSG_TYPE_MOVE_RECEIVE);

    if (kr != KERN_SUCCESS) {
        return "the server gets no port";
    }

    server_port = port;
    return start_server_thread() == KERN_SUCCESS ? NULL : "no thread";
}

static const char *
run_rpc(long count)
{
    natural_t same;

    while (count > 0) {
        if (bench_null(server_port, 1, &same) != KERN_SUCCESS) {
            return "the RPC failed";
        }

        count -= 1;
    }

    return NULL;
}

static const char *
run_unix_null(long count)
{
    while (count > 0) {
        if (UNIX_CALL(unix_null(unix_port)) != KERN_SUCCESS) {
            return "the call failed";
        }

        count -= 1;
    }

    return NULL;
}

static void
finish_server(void)
{
    if (server_task != MACH_PORT_NULL) {
        task_terminate(server_task);
        mach_port_deallocate(mach_task_self(), server_task);
        server_task = MACH_PORT_NULL;
    }

    if (server_port != MACH_PORT_NULL) {
        mach_port_deallocate(mach_task_self(), server_port);
        server_port = MACH_PORT_NULL;
    }
}

const struct operation mach_operations[] = {
    { "null_trap", 100000, NULL, run_null_trap, NULL },
    { "rpc_null", 10000, setup_server, run_rpc, finish_server },
    { "unix_null", 10000, NULL, run_unix_null, NULL },
    { NULL, 0, NULL, NULL, NULL },
};
