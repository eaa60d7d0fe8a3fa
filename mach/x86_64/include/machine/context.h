/* SPDX-License-Identifier: MIT */
/*
 * The processor's part of a thread: its saved registers, its FPU image, and
 * changing from one thread to the next.
 */

#ifndef MACHINE_CONTEXT_H
#define MACHINE_CONTEXT_H

#include <stdbool.h>

#include <kern/macros.h>
#include <mach/kern_return.h>
#include <mach/thread_status.h>

struct thread;
struct task;
struct cpu;

void context_setup(void);

/* Registers of a new thread: all zero, user mode, interrupts on. */
void context_init(struct thread *thread);
void context_fini(struct thread *thread);

/*
 * Change to `next`: address space, FPU, thread-local storage, I/O
 * permissions, stack. With keep_stack the current thread goes on from here
 * when it is switched to again, else this does not return.
 *
 * Locks: none held, interrupts off.
 */
void context_switch(struct thread *self, struct thread *next, bool keep_stack);

/* Run a continuation of the current thread at the top of the stack in use,
 * interrupts on: nothing below is needed any more. */
NORETURN void
context_enter(struct thread *self, void (*continuation)(struct thread *self));

/* Run the current thread's continuation on an empty stack. */
NORETURN void context_continue(struct thread *self);

/* Results of thread_get_state and thread_set_state; the thread is stopped or
 * the current one. Returns KERN_INVALID_ARGUMENT for an unknown flavor, a
 * wrong count or an address outside user space. */
MUST_CHECK kern_return_t context_get_state(struct thread *thread, int flavor,
                                           natural_t *state, natural_t *countp);
MUST_CHECK kern_return_t context_set_state(struct thread *thread, int flavor,
                                           const natural_t *state,
                                           natural_t count);

/* Thread-local storage base of the current thread, at once. */
MUST_CHECK kern_return_t context_set_tls(struct thread *self, uint64_t base);

/* The result of a system call that goes on by a continuation. */
void context_set_result(struct thread *thread, uint64_t result);

/* #NM: the current thread wants the FPU. */
void context_fpu_trap(struct thread *self);

#endif /* MACHINE_CONTEXT_H */
