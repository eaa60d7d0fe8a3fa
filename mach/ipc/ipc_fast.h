/* SPDX-License-Identifier: MIT */
/*
 * The fast path of an RPC: a send|receive of a short simple message whose
 * receiver already waits. A subset of mach_msg.c with the same result; left
 * out by --disable-fast-path (ipc_fast_off.c).
 */

#ifndef IPC_IPC_FAST_H
#define IPC_IPC_FAST_H

#include <stdbool.h>

#include <kern/macros.h>
#include <kern/wait.h>
#include <mach/message.h>

struct thread;

#define IPC_FAST_SIZE_MAX 2048u

/*
 * The message trap, entered with interrupts off. What does not fit goes on
 * in the general path with nothing done; otherwise the receiver runs and the
 * current thread waits. Not called from C: like its whole file it is compiled
 * to preserve no register, since the user's are all in the thread.
 *
 * Nothing is queued, so what the sender has in queues does not count.
 */
NORETURN void
ipc_fast_trap(vm_offset_t buffer, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, uint64_t timeout, vm_offset_t receive_buffer);

/*
 * A kernel stub sends a message, with a send right to where it goes and a
 * send-once right to its reply, for the current thread, whose interruptible
 * wait has begun. If a receiver waits it gets message and processor, and the
 * current thread goes on in the continuation. Returns only if not: then
 * nothing has been done.
 *
 * Locks: none held; interrupts on.
 */
void ipc_fast_raise(struct thread *self, mach_msg_header_t *message,
                    mach_msg_size_t size, continuation_t continuation);

/*
 * The current thread replies to a kernel object by the right in its slot, and
 * will receive. *nextp: a thread to which it may hand the processor then,
 * claimed, or NULL. False, with nothing done, if it is anything else.
 *
 * Locks: none held; interrupts on.
 */
MUST_CHECK bool
ipc_fast_kernel_reply(struct thread *self, vm_offset_t buffer,
                      mach_msg_size_t size, struct thread **nextp);

/*
 * The longest message that may go straight to a thread that waits so: 0 if
 * what it asks for is the general path's business.
 */
static inline int64_t
ipc_fast_room(mach_msg_option_t option, mach_msg_size_t size, uint64_t timeout)
{
    return timeout == 0 &&
                   (option & ~(MACH_SEND_MSG | MACH_RCV_MSG |
                               MACH_SEND_TIMEOUT | MACH_RCV_LARGE |
                               MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT)) == 0
               ? (int64_t)size - (int64_t)sizeof(mach_msg_trailer_t)
               : 0;
}

/* What became of an RPC to the kernel. */
enum ipc_fast_kernel {
    IPC_FAST_KERNEL_NOT,  /* nothing has been done */
    IPC_FAST_KERNEL_SENT, /* the request: the reply is to be received */
    IPC_FAST_KERNEL_DONE, /* all; *mrp is the result */
};

/*
 * Try it (ipc_fast_kernel.c). The thread's msg is set, its options are those
 * of a stub: send, receive, no time-out of the latter. Interrupts are on; may
 * block.
 */
enum ipc_fast_kernel
ipc_fast_kernel(struct thread *self, vm_offset_t buffer, mach_msg_size_t size,
                mach_msg_return_t *mrp);

#endif /* IPC_IPC_FAST_H */
