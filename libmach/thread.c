/* SPDX-License-Identifier: MIT */
/*
 * Threads: made in the kernel suspended, given a state, resumed. A thread
 * cannot free the stack it stands on, so join does, after it has ended the
 * thread for certain: thread_terminate returns when the thread will run no
 * more user code.
 */

#include <libmach/thread.h>
#include <mach/gsync.h>
#include <mach/mach_traps.h>
#include <mach/mig_support.h>
#include <mach/task.h>
#include <mach/thread_act.h>
#include <mach/vm_prot.h>

mach_port_t
mach_thread_port(void)
{
    struct mach_tcb *tcb = mach_tcb_self();

    if (tcb->thread == MACH_PORT_NULL) {
        tcb->thread = mach_thread_self();
    }

    return tcb->thread;
}

_Noreturn void
mach_thread_exit(void *result)
{
    struct mach_tcb *tcb = mach_tcb_self();
    struct mach_thread *thread = tcb->user;
    mach_port_t port = mach_thread_port();

    mig_dealloc_reply_port(tcb->reply);
    (void)mig_get_reply_port(); /* for the call below; join frees it */
    thread->result = result;
    __atomic_store_n(&thread->done, 1, __ATOMIC_RELEASE);
    (void)gsync_wake(mach_task_self(), &thread->done, 0, GSYNC_BROADCAST);

    for (;;) {
        (void)thread_terminate(port);
    }
}

static _Noreturn void
mach_thread_start(struct mach_thread *thread)
{
    mach_thread_exit(thread->function(thread->argument));
}

static kern_return_t
mach_thread_alloc_stack(struct mach_thread *thread, vm_size_t size)
{
    kern_return_t kr;

    thread->stack_size = ((size + PAGE_MASK) & ~PAGE_MASK) + PAGE_SIZE;
    kr = mig_allocate(&thread->stack, thread->stack_size);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    return syscall_vm_protect(mach_task_self(), thread->stack, PAGE_SIZE, FALSE,
                              VM_PROT_NONE);
}

static kern_return_t
mach_thread_launch(struct mach_thread *thread)
{
    x86_thread_state64_t state = { 0 };
    kern_return_t kr;

    kr = thread_create(mach_task_self(), &thread->port);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    /* As after a call: the stack is off by one return address, here null. */
    state.rsp = thread->stack + thread->stack_size - 8;
    state.rip = (uint64_t)mach_thread_start;
    state.rdi = (uint64_t)thread;
    state.fs_base = (uint64_t)thread->tcb;
    thread->tcb->user = thread;

    kr = thread_set_state(thread->port, x86_THREAD_STATE64,
                          (thread_state_t)&state, x86_THREAD_STATE64_COUNT);

    if (kr == KERN_SUCCESS) {
        kr = thread_resume(thread->port);
    }

    if (kr != KERN_SUCCESS) {
        (void)thread_terminate(thread->port);
        (void)syscall_mach_port_deallocate(mach_task_self(), thread->port);
    }

    return kr;
}

/* The descriptor lives at the low end of the stack, above the guard page:
 * one region per thread. */
static void
mach_thread_free(struct mach_thread *thread)
{
    vm_address_t stack = thread->stack;
    vm_size_t size = thread->stack_size;

    if (thread->tcb != NULL) {
        mach_tcb_destroy(thread->tcb);
    }

    mig_deallocate(stack, size);
}

kern_return_t
mach_thread_create(mach_thread_fn_t function, void *argument,
                   vm_size_t stack_size, struct mach_thread **threadp)
{
    struct mach_thread first = { .function = function, .argument = argument };
    struct mach_thread *thread;
    kern_return_t kr;

    kr = mach_thread_alloc_stack(
        &first, stack_size != 0 ? stack_size : MACH_THREAD_STACK_SIZE);

    if (kr != KERN_SUCCESS) {
        return kr;
    }

    thread = (struct mach_thread *)(first.stack + PAGE_SIZE);
    *thread = first;
    thread->tcb = mach_tcb_create();

    if (thread->tcb == NULL) {
        mach_thread_free(thread);
        return KERN_RESOURCE_SHORTAGE;
    }

    kr = mach_thread_launch(thread);

    if (kr != KERN_SUCCESS) {
        mach_thread_free(thread);
        return kr;
    }

    if (threadp != NULL) {
        *threadp = thread;
    }

    return KERN_SUCCESS;
}

void
mach_thread_join(struct mach_thread *thread, void **resultp)
{
    mach_port_t task = mach_task_self();

    while (__atomic_load_n(&thread->done, __ATOMIC_ACQUIRE) == 0) {
        (void)gsync_wait(task, &thread->done, 0, 0, 0);
    }

    (void)thread_terminate(thread->port);
    (void)syscall_mach_port_deallocate(task, thread->port);

    if (thread->tcb->thread != MACH_PORT_NULL) {
        (void)syscall_mach_port_deallocate(task, thread->tcb->thread);
    }

    if (thread->tcb->reply != MACH_PORT_NULL) {
        (void)syscall_mach_port_mod_refs(task, thread->tcb->reply,
                                         MACH_PORT_RIGHT_RECEIVE, -1);
    }

    if (resultp != NULL) {
        *resultp = thread->result;
    }

    mach_thread_free(thread);
}
