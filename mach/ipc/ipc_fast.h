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

/*
 * Try it. Returns only if the message does not fit: then nothing has been
 * done. Otherwise the receiver runs and the current thread waits. Interrupts
 * are off before and after.
 */
void ipc_fast_rpc(struct thread *self, vm_offset_t buffer,
                  vm_offset_t receive_buffer, uint64_t sizes,
                  mach_port_name_t receive_name);

#endif /* IPC_IPC_FAST_H */
