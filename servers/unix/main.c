/* SPDX-License-Identifier: MIT */
/*
 * The Unix server: set-up, the threads that serve requests, the timer thread.
 *
 * Every request comes to the port of a process, which the port's protected
 * payload names. Worker threads take requests from one port set; each serves
 * its request with the server's lock held (docs/unix-locking.md) and answers
 * after releasing it, in the same trap that takes the next request. What has
 * to wait is parked (call.h), so the number of workers bounds nothing.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mach/mach.h>

#include <libmach/sync.h>
#include <libmach/thread.h>
#include <mach/bootstrap.h>
#include <mach/mach_traps.h>
#include <unix/unix_directory_server.h>
#include <unix/unix_exception_server.h>
#include <unix/unix_file_server.h>
#include <unix/unix_notify_server.h>
#include <unix/unix_process_server.h>
#include <unix/unix_signal_server.h>
#include <unix/unix_tty_server.h>

#include "boot.h"
#include "call.h"
#include "channel.h"
#include "clock.h"
#include "device.h"
#include "host.h"
#include "memory_file.h"
#include "payload.h"
#include "process.h"
#include "signal_delivery.h"
#include "timer.h"
#include "tty.h"

#define WORKERS 3
#define WORKER_STACK (128 * 1024UL)
#define MESSAGE_MAX 16384
#define TRAILER_ROOM 64
#define MS_MAX 60000
#define DRAIN_TRIES 100
#define DRAIN_MS 10
#define PANIC_MS 200

static struct mach_mutex server_mutex = MACH_MUTEX_INIT;
static struct mach_condition timer_changed = MACH_CONDITION_INIT;
static mach_port_t server_port_set;
static mach_port_t server_host_priv;
static mach_port_t server_host_security;
static mach_msg_id_t server_request_id;

/* -- The lock -------------------------------------------------------------- */

void
server_lock(void)
{
    mach_mutex_lock(&server_mutex);
}

/* Finish what was set off: each may set off more. False: there was nothing. */
static bool
server_settle(void)
{
    static uint64_t first = UINT64_MAX;
    bool any = false;
    uint64_t next;

    while (call_run() || process_reap()) {
        any = true;
    }

    next = timer_next();

    if (next < first) {
        mach_condition_signal(&timer_changed);
    }

    first = next;
    return any;
}

void
server_unlock(void)
{
    (void)server_settle();
    mach_mutex_unlock(&server_mutex);
}

void
server_wait(struct mach_condition *condition)
{
    /* What was set off may be what the caller is about to wait for. */
    if (!server_settle()) {
        mach_condition_wait(condition, &server_mutex);
    }
}

/* -- Results --------------------------------------------------------------- */

int
error_from_kernel(kern_return_t kr)
{
    switch (kr) {
    case KERN_SUCCESS:
        return 0;
    case KERN_INVALID_ADDRESS:
    case KERN_PROTECTION_FAILURE:
        return EFAULT;
    case KERN_RESOURCE_SHORTAGE:
    case KERN_NO_SPACE:
    case KERN_LIMIT_REACHED:
        return ENOMEM;
    default:
        return EIO;
    }
}

void
server_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
}

void
server_panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);

    /* The text is with another task, which has yet to write it. */
    (void)thread_switch(MACH_PORT_NULL, SWITCH_OPTION_WAIT, PANIC_MS);

    if (MACH_PORT_VALID(server_host_priv)) {
        (void)host_reboot(server_host_priv, HOST_REBOOT_PANIC);
    }

    abort();
}

/* -- The machine ----------------------------------------------------------- */

void
host_setup(void)
{
    struct host_basic_info info;
    mach_msg_type_number_t count = HOST_BASIC_INFO_COUNT;
    mach_port_t host = mach_host_self();

    if (bootstrap_host_priv(bootstrap_port, &server_host_priv) !=
        KERN_SUCCESS) {
        server_host_priv = MACH_PORT_NULL;
    }

    if (bootstrap_host_security(bootstrap_port, &server_host_security) !=
        KERN_SUCCESS) {
        server_host_security = MACH_PORT_NULL;
    }

    clock_setup(host);
    random_stir(clock_uptime());

    /* Files may have half of the memory. */
    if (host_info(host, HOST_BASIC_INFO, (host_info_t)&info, &count) ==
        KERN_SUCCESS) {
        memory_file_limit(info.memory_size / 2);
    }
}

/* A server that the manifest does not trust with it says nothing. */
kern_return_t
host_identify(mach_port_t task, security_token_t security, audit_token_t audit)
{
    if (!MACH_PORT_VALID(server_host_security)) {
        return KERN_SUCCESS;
    }

    return host_security_set_task_token(server_host_security, task, security,
                                        audit, MACH_PORT_NULL);
}

int
host_set_clock(int64_t time)
{
    time_value_t value = {
        .seconds = time / NS_PER_SECOND,
        .microseconds = time % NS_PER_SECOND / 1000,
    };

    if (!MACH_PORT_VALID(server_host_priv)) {
        return EPERM;
    }

    return host_set_time(server_host_priv, value) == KERN_SUCCESS ? 0 : EPERM;
}

int
host_stop(bool power_off)
{
    struct mach_condition never = MACH_CONDITION_INIT;
    int tries;

    for (tries = 0; tries < DRAIN_TRIES &&
                    (!channel_idle() || !serial_idle(&tty_console->serial));
         tries++) {
        (void)mach_condition_timedwait(&never, &server_mutex, DRAIN_MS);
    }

    if (MACH_PORT_VALID(server_host_priv)) {
        (void)host_reboot(server_host_priv, power_off ? HOST_REBOOT_POWEROFF
                                                      : HOST_REBOOT_RESTART);
    }

    return EPERM;
}

/* -- Requests -------------------------------------------------------------- */

/* Subsystems in the order of their numbers, which are a stride apart. */
#define SERVER_FIRST 70000u
#define SERVER_STRIDE 200u

static const mig_routine_fn_t server_routines[] = {
    unix_process_server_routine, unix_signal_server_routine,
    unix_file_server_routine,    unix_directory_server_routine,
    unix_tty_server_routine,
};

#define SERVER_SUBSYSTEMS (sizeof(server_routines) / sizeof(server_routines[0]))

static const mig_routine_fn_t server_kernel_routines[] = {
    exc_server_routine,
    notify_server_routine,
    NULL,
};

struct reply
reply_make(mach_port_t port, mach_msg_type_name_t type)
{
    struct reply reply = {
        .port = port,
        .type = type,
        .id = server_request_id,
    };

    return reply;
}

/* Found already, by server_sender(): for that one request is served. */
process_t
process_from_payload(uint64_t payload)
{
    (void)payload;
    return signal_caller;
}

process_t
process_from_port(mach_port_t port)
{
    (void)port;
    return signal_caller;
}

/* The process that a request is from; null: the request is not to be served.
 * With the lock held. */
static struct process *
server_sender(const mach_msg_header_t *request)
{
    mach_msg_bits_t bits = request->msgh_bits;
    uint64_t payload;

    if (MACH_MSGH_BITS_LOCAL(bits) != MACH_MSG_TYPE_PROTECTED_PAYLOAD) {
        return NULL;
    }

    payload = mach_msg_payload(request);

    if (payload_kind(payload) != PAYLOAD_PROCESS) {
        return NULL;
    }

    /* A right to reply that is not send-once could make us wait. */
    if (MACH_MSGH_BITS_REMOTE(bits) != 0 &&
        MACH_MSGH_BITS_REMOTE(bits) != MACH_MSG_TYPE_PORT_SEND_ONCE) {
        return NULL;
    }

    return process_lookup_payload(payload);
}

static void
server_demux(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    uint32_t index =
        ((uint32_t)request->msgh_id - SERVER_FIRST) / SERVER_STRIDE;
    mig_stub_fn_t stub = NULL;

    mig_reply_setup(request, reply);

    if (index < SERVER_SUBSYSTEMS) {
        stub = server_routines[index](request);
    }

    if (stub != NULL) {
        stub(request, reply);
    }
}

static void
server_dispatch(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    bool kernel = (request->msgh_bits & MACH_MSGH_BITS_KERNEL) != 0;
    struct process *process;

    server_lock();
    process = server_sender(request);

    if (process == NULL || process->doomed) {
        mig_reply_setup(request, reply);
    } else {
        signal_caller = process;
        server_request_id = request->msgh_id;

        if (kernel) {
            (void)mig_demux(server_kernel_routines, request, reply);
        } else {
            server_demux(request, reply);
        }

        signal_caller = NULL;
    }

    server_unlock();
}

/* What becomes of a request that was served. True: there is a reply. */
static bool
server_finish(mach_msg_header_t *request, mach_msg_header_t *reply)
{
    kern_return_t code = KERN_SUCCESS;

    if (!MACH_MSGH_BITS_IS_COMPLEX(reply->msgh_bits)) {
        code = ((mig_reply_error_t *)(void *)reply)->RetCode;
    }

    if (code == MIG_NO_REPLY) {
        return false;
    }

    if (code != KERN_SUCCESS) {
        request->msgh_remote_port = MACH_PORT_NULL;
        mach_msg_destroy(request);
    }

    return MACH_PORT_VALID(reply->msgh_remote_port);
}

static void *
server_worker(void *argument)
{
    mach_msg_header_t *request = malloc(MESSAGE_MAX + TRAILER_ROOM);
    mach_msg_header_t *reply = malloc(MESSAGE_MAX + TRAILER_ROOM);
    mach_msg_option_t send = 0;

    (void)argument;

    if (request == NULL || reply == NULL) {
        server_panic("no memory for a worker");
    }

    for (;;) {
        uint64_t size = send != 0 ? reply->msgh_size : 0;
        mach_msg_return_t mr;

        /* The trap itself: this is the path of every call. */
        mr = mach_msg_trap(reply, send | MACH_RCV_MSG,
                           size | (uint64_t)(MESSAGE_MAX + TRAILER_ROOM) << 32,
                           server_port_set, 0, request);

        if (mr != MACH_MSG_SUCCESS) {
            if (mr == MACH_SEND_INTERRUPTED) {
                continue;
            }

            if (send != 0 && (mr & 0x1000c000) == 0x10000000) {
                /* Whoever asked is gone. */
                mach_msg_destroy(reply);
            }

            send = 0;
            continue;
        }

        server_dispatch(request, reply);
        send = server_finish(request, reply) ? MACH_SEND_MSG | MACH_SEND_TIMEOUT
                                             : 0;
    }

    return NULL;
}

/* -- The kernel's notifications -------------------------------------------- */

kern_return_t
do_mach_notify_dead_name(process_t process, mach_port_name_t name)
{
    /* The notification's own reference goes with the process's. */
    if (process != NULL && name == process->task) {
        process_doom(process, UNIX_STATUS_SIGNALED(UNIX_SIGKILL));
    }

    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_port_deleted(process_t process, mach_port_name_t name)
{
    (void)process;
    (void)name;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_send_possible(process_t process, mach_port_name_t name)
{
    (void)process;
    (void)name;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_port_destroyed(process_t process, mach_port_t rights)
{
    (void)process;
    (void)syscall_mach_port_destroy(mach_task_self(), rights);
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_no_senders(process_t process, mach_port_mscount_t mscount)
{
    (void)process;
    (void)mscount;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_send_once(process_t process)
{
    (void)process;
    return KERN_SUCCESS;
}

/* -- Timers ---------------------------------------------------------------- */

static _Noreturn void
server_timers(void)
{
    server_lock();

    for (;;) {
        uint64_t now = clock_uptime();
        uint64_t next;

        timer_run(now);
        (void)server_settle();
        next = timer_next();

        if (next == UINT64_MAX) {
            server_wait(&timer_changed);
        } else if (next > now) {
            uint64_t ms = (next - now + 999999) / 1000000;

            (void)mach_condition_timedwait(
                &timer_changed, &server_mutex,
                (unsigned int)(ms < MS_MAX ? ms : MS_MAX));
        }
    }
}

/* -- Set-up ---------------------------------------------------------------- */

int
main(void)
{
    struct mach_thread *thread;
    kern_return_t kr;
    int i;

    kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET,
                            &server_port_set);

    if (kr != KERN_SUCCESS) {
        server_panic("no port set (0x%x)", (unsigned int)kr);
    }

    host_setup();
    process_setup(server_port_set);
    boot_file_systems();
    device_setup();

    for (i = 0; i < WORKERS; i++) {
        if (mach_thread_create(server_worker, NULL, WORKER_STACK, &thread) !=
            KERN_SUCCESS) {
            server_panic("no worker");
        }
    }

    server_lock();
    boot_init();
    server_unlock();
    server_timers();
}
