/* SPDX-License-Identifier: MIT */
/*
 * The only way to user memory: copies between the kernel and the current
 * task's address space that survive a fault. The range may be any 64-bit
 * garbage. They may block (page fault), so no spin lock may be held.
 */

#ifndef MACHINE_COPY_H
#define MACHINE_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include <kern/macros.h>
#include <mach/vm_types.h>

/* False: part of the range is no user memory, or may not be so accessed. */
MUST_CHECK bool copyin(vm_offset_t from, void *to, size_t size);
MUST_CHECK bool copyout(const void *from, vm_offset_t to, size_t size);

/* The same without waiting: also false if a page is not in memory. May be
 * called with interrupts off and spin locks held. The size is small. */
MUST_CHECK bool copyin_quick(vm_offset_t from, void *to, size_t size);
MUST_CHECK bool copyout_quick(const void *from, vm_offset_t to, size_t size);

/* True when [address, address + size) lies in user space without wrapping. */
static inline bool
user_range_valid(vm_offset_t address, vm_size_t size)
{
    return size <= VM_MAX_ADDRESS && address <= VM_MAX_ADDRESS - size;
}

#endif /* MACHINE_COPY_H */
