/* SPDX-License-Identifier: MIT */
/* Traps and interrupts: vectors, and how the rest of the kernel hooks in. */

#ifndef MACHINE_TRAP_H
#define MACHINE_TRAP_H

#include <stdint.h>

#include <kern/macros.h>
#include <mach/message.h>
#include <machine/trap_frame.h>

#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4
#define VECTOR_BOUND 5
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_NO_FPU 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_STACK_FAULT 12
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_FPU_ERROR 16
#define VECTOR_ALIGNMENT 17
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_SIMD_ERROR 19

#define VECTOR_IRQ_BASE 32 /* legacy lines 0-15 through the IOAPIC */
#define VECTOR_MSI_BASE 48 /* message-signalled interrupts */
#define VECTOR_MSI_LAST 0xdf
#define VECTOR_TIMER 0xe0
#define VECTOR_SPURIOUS 0xff

struct thread;

/* Called by the entry code. trap_user returns to leave through
 * thread_return; interrupts are off on entry to all three. */
void trap_user(struct trap_frame *frame);
void trap_kernel(struct trap_frame *frame);
void trap_paranoid(struct trap_frame *frame);

/* Leave the kernel with the current thread's frame. */
NORETURN void thread_return(void);

/* The same for the current thread with a result of its system call.
 * Interrupts are off. */

NORETURN void thread_return_result(struct thread *self, uint64_t result);

/* The same when the result is 0 and the thread's frame is known to be one of
 * a system call: nobody has set its state meanwhile. */
NORETURN static inline void
thread_return_success(struct thread *self)
{
    __asm__ volatile("jmp thread_return_zero" ::"D"(self) : "memory");
    __builtin_unreachable();
}

/* How the message fast path gives up: mach_msg_trap() on an empty stack. */
NORETURN void
mach_msg_trap_general(vm_offset_t buffer, mach_msg_option_t option,
                      uint64_t sizes, uint64_t names, uint64_t timeout,
                      vm_offset_t receive_buffer);

/* A debug trap of user code, on its way off the IST stack. */
NORETURN void trap_debug_user(struct thread *self);

/* Work that waits for the way out: called with interrupts off, returns so. */
void ast_taken(void);

#endif /* MACHINE_TRAP_H */
