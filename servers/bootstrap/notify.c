/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells: deaths, rights that come back, exceptions of the
 * servers. Only messages with the kernel's mark get here as notifications.
 */

#include <stdio.h>

#include <mach/exc_server.h>
#include <mach/mach.h>
#include <mach/notify_server.h>

#include "bootstrap.h"
#include "bootstrap_client.h"
#include "service.h"

kern_return_t
do_mach_notify_dead_name(mach_port_t notify, mach_port_name_t name)
{
    (void)notify;
    client_task_died(name);
    service_died(name);

    /* The notification brought a reference to the dead name. */
    (void)mach_port_deallocate(mach_task_self(), name);
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_port_destroyed(mach_port_t notify, mach_port_t rights)
{
    (void)notify;
    service_returned(rights);
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_port_deleted(mach_port_t notify, mach_port_name_t name)
{
    (void)notify;
    (void)name;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_send_possible(mach_port_t notify, mach_port_name_t name)
{
    (void)notify;
    (void)name;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_no_senders(mach_port_t notify, mach_port_mscount_t mscount)
{
    (void)notify;
    (void)mscount;
    return KERN_SUCCESS;
}

kern_return_t
do_mach_notify_send_once(mach_port_t notify)
{
    (void)notify;
    return KERN_SUCCESS;
}

/* A server's exception is reported; then the kernel ends the server. */
static kern_return_t
report(mach_port_t port, exception_type_t exception, const int64_t *code,
       mach_msg_type_number_t code_count, const x86_thread_state64_t *state)
{
    struct bootstrap_client *client = client_by_exception_port(port);

    printf("%s: exception %d (0x%llx, 0x%llx) at rip 0x%llx, rsp 0x%llx\n",
           client != NULL ? client->grants->name : "somebody", exception,
           (unsigned long long)(code_count > 0 ? code[0] : 0),
           (unsigned long long)(code_count > 1 ? code[1] : 0),
           (unsigned long long)(state != NULL ? state->rip : 0),
           (unsigned long long)(state != NULL ? state->rsp : 0));
    return KERN_FAILURE;
}

kern_return_t
catch_exception_raise(mach_port_t exception_port, mach_port_t thread,
                      mach_port_t task, exception_type_t exception,
                      mach_exception_data_t code,
                      mach_msg_type_number_t codeCnt)
{
    (void)thread;
    (void)task;
    return report(exception_port, exception, code, codeCnt, NULL);
}

kern_return_t
catch_exception_raise_state(
    mach_port_t exception_port, exception_type_t exception,
    mach_exception_data_t code, mach_msg_type_number_t codeCnt,
    thread_state_flavor_t flavor, thread_state_t old_state,
    mach_msg_type_number_t old_stateCnt, thread_state_t new_state,
    mach_msg_type_number_t *new_stateCnt)
{
    x86_thread_state64_t state = { 0 };

    (void)new_state;
    *new_stateCnt = 0;

    if (flavor == x86_THREAD_STATE64 &&
        old_stateCnt >= x86_THREAD_STATE64_COUNT) {
        /* The words of a message are 4-byte aligned. */
        __builtin_memcpy(&state, old_state, sizeof(state));
    }

    return report(exception_port, exception, code, codeCnt, &state);
}

kern_return_t
catch_exception_raise_state_identity(
    mach_port_t exception_port, mach_port_t thread, mach_port_t task,
    exception_type_t exception, mach_exception_data_t code,
    mach_msg_type_number_t codeCnt, thread_state_flavor_t flavor,
    thread_state_t old_state, mach_msg_type_number_t old_stateCnt,
    thread_state_t new_state, mach_msg_type_number_t *new_stateCnt)
{
    (void)thread;
    (void)task;
    return catch_exception_raise_state(exception_port, exception, code, codeCnt,
                                       flavor, old_state, old_stateCnt,
                                       new_state, new_stateCnt);
}
