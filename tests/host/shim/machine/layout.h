/* SPDX-License-Identifier: MIT */
/* Physical memory is an array of the test. */

#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

#include <stdint.h>

#define DIRECT_MAP_BASE 0xffff800000000000
#define STACK_AREA_BASE 0xffffc00000000000
#define STACK_AREA_SIZE 0x0000008000000000

extern char *shim_ram;

static inline void *
phys_to_direct(uint64_t physical)
{
    return shim_ram + physical;
}

static inline uint64_t
direct_to_phys(const void *address)
{
    return (uint64_t)((const char *)address - shim_ram);
}

static inline uint64_t
image_to_phys(const void *address)
{
    return (uint64_t)(uintptr_t)address;
}

#endif /* MACHINE_LAYOUT_H */
