/* SPDX-License-Identifier: MIT */
/* The kernel without the fast path: every message takes the general one. */

#include <ipc/ipc_fast.h>

void
ipc_fast_rpc(struct thread *self, vm_offset_t buffer,
             vm_offset_t receive_buffer, uint64_t sizes,
             mach_port_name_t receive_name)
{
    (void)self;
    (void)buffer;
    (void)receive_buffer;
    (void)sizes;
    (void)receive_name;
}
