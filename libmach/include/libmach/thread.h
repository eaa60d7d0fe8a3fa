/* SPDX-License-Identifier: MIT */
/*
 * Threads for servers: each has a stack with a guard page below it, and a
 * control block with thread-local storage (<mach/mach_init.h>).
 */

#ifndef LIBMACH_THREAD_H
#define LIBMACH_THREAD_H

#include <mach/kern_return.h>
#include <mach/mach_init.h>

#define MACH_THREAD_STACK_SIZE (64 * 1024UL)

typedef void *(*mach_thread_fn_t)(void *argument);

/* A thread that mach_thread_create made: freed by join, or by the exit of a
 * detached one's memory with the task. */
struct mach_thread {
    mach_port_t port;
    uint32_t done; /* waited on by join */
    mach_thread_fn_t function;
    void *argument;
    void *result;
    struct mach_tcb *tcb;
    vm_address_t stack; /* with its guard page */
    vm_size_t stack_size;
};

/* stack_size 0: the usual. Returns KERN_SUCCESS, KERN_RESOURCE_SHORTAGE or
 * what the kernel said. */
kern_return_t
mach_thread_create(mach_thread_fn_t function, void *argument,
                   vm_size_t stack_size, struct mach_thread **threadp);

/* Wait for its end, free it; resultp may be null. */
void mach_thread_join(struct mach_thread *thread, void **resultp);

/* End the calling thread, which mach_thread_create made. */
_Noreturn void mach_thread_exit(void *result);

/* The calling thread's port, cached: the caller owns no reference. */
mach_port_t mach_thread_port(void);

/*
 * Control blocks without threads: a library that makes its threads by other
 * means needs them. create returns a block of the configured size behind a
 * fresh copy of the program's thread-local storage, null without memory.
 */
void mach_tcb_configure(size_t tcb_size, void (*setup)(struct mach_tcb *tcb));
struct mach_tcb *mach_tcb_create(void);
void mach_tcb_destroy(struct mach_tcb *tcb);

#endif /* LIBMACH_THREAD_H */
