/* SPDX-License-Identifier: MIT */
/* Out-of-line memory of a message, received over memory that is there. */

#ifndef IPC_IPC_SCATTER_H
#define IPC_IPC_SCATTER_H

#include <kern/macros.h>
#include <mach/message.h>

struct ipc_kmsg;
struct vm_map;

/*
 * Write the data of the kmsg over the memory that the scatter list in the
 * current task's receive buffer gives: before ipc_kmsg_copyout(), which
 * passes over what was written (its `copy` is MACH_MSG_OVERWRITE then).
 *
 * Returns: MACH_MSG_SUCCESS; MACH_RCV_SCATTER_SMALL, and nothing was written;
 *          MACH_RCV_BODY_ERROR | MACH_MSG_VM_SPACE (memory that can't be
 *          written: such items are null), | MACH_MSG_VM_KERNEL.
 */
MUST_CHECK mach_msg_return_t ipc_scatter(struct ipc_kmsg *kmsg,
                                         struct vm_map *map, vm_offset_t buffer,
                                         mach_msg_size_t size);

#endif /* IPC_IPC_SCATTER_H */
