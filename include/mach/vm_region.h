/* SPDX-License-Identifier: MIT */
/* What vm_region tells, and the flags of vm_allocate and vm_map. */

#ifndef MACH_VM_REGION_H
#define MACH_VM_REGION_H

#include <mach/boolean.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>
#include <mach/vm_types.h>

/* Flags of vm_allocate, vm_map and vm_remap. */
#define VM_FLAGS_FIXED 0x0000
#define VM_FLAGS_ANYWHERE 0x0001
#define VM_FLAGS_OVERWRITE 0x4000 /* with FIXED: replace what is there */

/* Bits of mach_make_memory_entry's permission beside VM_PROT_*. */
#define MAP_MEM_NAMED_CREATE 0x020000 /* new zero-filled memory */

typedef int vm_region_flavor_t;
typedef int *vm_region_info_t;

#define VM_REGION_BASIC_INFO 10

struct vm_region_basic_info {
    vm_prot_t protection;
    vm_prot_t max_protection;
    vm_inherit_t inheritance;
    boolean_t shared;   /* mapped by others, writes are seen by all */
    boolean_t reserved; /* 0 */
    int behavior;
    uint64_t offset; /* into the memory object */
    unsigned int user_wired_count;
    unsigned int resident_pages;
};
typedef struct vm_region_basic_info vm_region_basic_info_data_t;
#define VM_REGION_BASIC_INFO_COUNT                                             \
    (sizeof(vm_region_basic_info_data_t) / sizeof(int))
#define VM_REGION_INFO_MAX 32

#endif /* MACH_VM_REGION_H */
