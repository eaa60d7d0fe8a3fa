/* SPDX-License-Identifier: MIT */
/* fork: a task with a copy of the memory, and one thread. */

#include <mach/mach.h>

#include <unix/unix_process_server.h>

#include "process.h"

/* The only thread of the child, made to start with the caller's registers. */
static kern_return_t
fork_thread(mach_port_t task, unix_registers_t *registers, mach_port_t *threadp)
{
    kern_return_t kr;

    kr = thread_create(task, threadp);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    return thread_set_state(*threadp, x86_THREAD_STATE64,
                            (thread_state_t)registers,
                            x86_THREAD_STATE64_COUNT);
}

kern_return_t
do_unix_fork(process_t process, unix_registers_t registers, int32_t *pid)
{
    struct process *child;
    kern_return_t kr;
    int error;

    error = process_create(process, &child);

    if (error != 0) {
        return unix_result(error);
    }

    kr = task_create(process->task, TRUE, &child->task);

    if (kr != KERN_SUCCESS) {
        error = error_from_kernel(kr);
    } else {
        error = process_bind_task(child, child->task, child->port);
    }

    if (error == 0) {
        error = process_identify(child, child->task, &child->cred);
    }

    if (error == 0) {
        kr = fork_thread(child->task, &registers, &child->thread);
        error = kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
    }

    if (error == 0) {
        kr = thread_resume(child->thread);
        error = kr == KERN_SUCCESS ? 0 : error_from_kernel(kr);
    }

    if (error != 0) {
        process_destroy(child);
        return unix_result(error);
    }

    *pid = child->pid;
    return KERN_SUCCESS;
}
