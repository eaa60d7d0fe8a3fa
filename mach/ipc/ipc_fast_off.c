/* SPDX-License-Identifier: MIT */
/* The kernel without the fast path: every message takes the general one. */

#include <ipc/ipc_fast.h>

void
ipc_fast_rpc(struct thread *self, vm_offset_t buffer, uint64_t sizes,
             mach_port_name_t receive_name, vm_offset_t receive_buffer)
{
    (void)self;
    (void)buffer;
    (void)sizes;
    (void)receive_name;
    (void)receive_buffer;
}
