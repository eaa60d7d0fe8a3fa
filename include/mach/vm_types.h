/* SPDX-License-Identifier: MIT */
/* Scalars of the kernel interface. Addresses and sizes are 64 bits wide. */

#ifndef MACH_VM_TYPES_H
#define MACH_VM_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned int natural_t;
typedef int integer_t;

typedef uint64_t vm_offset_t;
typedef uint64_t vm_address_t;
typedef uint64_t vm_size_t;

typedef uint64_t memory_object_offset_t;
typedef uint64_t memory_object_size_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL
#define PAGE_MASK (PAGE_SIZE - 1)

/* User addresses: [VM_MIN_ADDRESS, VM_MAX_ADDRESS). Page 0 is never mapped
 * by "anywhere" requests; the last page below the canonical hole is kept
 * unmapped so that no user instruction can end there (SYSRET rule). */
#define VM_MIN_ADDRESS 0x1000UL
#define VM_MAX_ADDRESS 0x00007ffffffff000UL

#endif /* MACH_VM_TYPES_H */
