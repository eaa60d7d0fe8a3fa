/* SPDX-License-Identifier: MIT */
/*
 * The fast path of an RPC: a send|receive of a short simple message whose
 * receiver already waits. A subset of mach_msg.c with the same result; left
 * out by --disable-fast-path (ipc_fast_off.c).
 */

#ifndef IPC_IPC_FAST_H
#define IPC_IPC_FAST_H

#include <mach/message.h>

struct thread;

#define IPC_FAST_SIZE_MAX 2048u

/*
 * Try it. Returns only if the message does not fit: then nothing has been
 * done. Otherwise the receiver runs and the current thread waits. Interrupts
 * are off before and after.
 */
void ipc_fast_rpc(struct thread *self, vm_offset_t buffer, uint64_t sizes,
                  mach_port_name_t receive_name, vm_offset_t receive_buffer);

/*
 * The longest message that may go straight to a thread that waits so: 0 if
 * what it asks for is the general path's business.
 */
static inline mach_msg_size_t
ipc_fast_room(mach_msg_option_t option, mach_msg_size_t size, uint64_t timeout)
{
    return timeout == 0 && (option & ~(MACH_SEND_MSG | MACH_RCV_MSG |
                                       MACH_SEND_TIMEOUT | MACH_RCV_LARGE |
                                       MACH_SEND_INTERRUPT |
                                       MACH_RCV_INTERRUPT)) == 0 &&
                   size > sizeof(mach_msg_trailer_t)
               ? size - (mach_msg_size_t)sizeof(mach_msg_trailer_t)
               : 0;
}

#endif /* IPC_IPC_FAST_H */
