/* SPDX-License-Identifier: MIT */
/*
 * The kernel's half of the address space. Included by assembly too.
 *
 *   ffff800000000000  direct map: all physical memory, no-execute
 *   ffffc00000000000  kernel stacks, each above an unmapped guard page
 *   ffffffff80000000  the kernel image (linked there, -mcmodel=kernel)
 */

#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

#define DIRECT_MAP_BASE 0xffff800000000000
#define DIRECT_MAP_SIZE 0x0000400000000000
#define STACK_AREA_BASE 0xffffc00000000000
#define STACK_AREA_SIZE 0x0000008000000000
#define KERNEL_IMAGE_BASE 0xffffffff80000000
#define KERNEL_LOAD_ADDRESS 0x200000 /* physical */

#define KERNEL_STACK_SIZE 16384

#define KERNEL_CODE_SELECTOR 0x08
#define KERNEL_DATA_SELECTOR 0x10
#define USER_DATA_SELECTOR 0x1b
#define USER_CODE_SELECTOR 0x23
#define TSS_SELECTOR 0x28

#ifndef __ASSEMBLER__

#include <stdint.h>

/* Direct-map address of a physical one, and back. */
static inline void *
phys_to_direct(uint64_t physical)
{
    return (void *)(DIRECT_MAP_BASE + physical);
}

static inline uint64_t
direct_to_phys(const void *address)
{
    return (uint64_t)(uintptr_t)address - DIRECT_MAP_BASE;
}

/* Physical address of something in the kernel image. */
static inline uint64_t
image_to_phys(const void *address)
{
    return (uint64_t)(uintptr_t)address - KERNEL_IMAGE_BASE;
}

#endif
#endif /* MACHINE_LAYOUT_H */
