/* SPDX-License-Identifier: MIT */
/* The kernel without the fast path: every message takes the general one. */

#include <ipc/ipc_fast.h>
#include <machine/trap.h>

void
ipc_fast_trap(vm_offset_t buffer, mach_msg_option_t option, uint64_t sizes,
              uint64_t names, uint64_t timeout, vm_offset_t receive_buffer)
{
    mach_msg_trap_general(buffer, option, sizes, names, timeout,
                          receive_buffer);
}

enum ipc_fast_kernel
ipc_fast_kernel(struct thread *self, vm_offset_t buffer, mach_msg_size_t size,
                mach_msg_return_t *mrp)
{
    (void)self;
    (void)buffer;
    (void)size;
    (void)mrp;
    return IPC_FAST_KERNEL_NOT;
}

bool
ipc_fast_kernel_reply(struct thread *self, vm_offset_t buffer,
                      mach_msg_size_t size, struct thread **nextp)
{
    (void)self;
    (void)buffer;
    (void)size;
    (void)nextp;
    return false;
}

void
ipc_fast_raise(struct thread *self, mach_msg_header_t *message,
               mach_msg_size_t size, continuation_t continuation)
{
    (void)self;
    (void)message;
    (void)size;
    (void)continuation;
}
