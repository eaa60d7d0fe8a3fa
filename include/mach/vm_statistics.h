/* SPDX-License-Identifier: MIT */
/* Counts of the memory system since boot, in pages and events. */

#ifndef MACH_VM_STATISTICS_H
#define MACH_VM_STATISTICS_H

#include <mach/vm_types.h>

struct vm_statistics {
    uint64_t pagesize;
    uint64_t free_count;
    uint64_t active_count;
    uint64_t inactive_count;
    uint64_t wire_count;
    uint64_t zero_fill_count;
    uint64_t reactivations;
    uint64_t pageins;
    uint64_t pageouts;
    uint64_t faults;
    uint64_t cow_faults;
    uint64_t lookups;
    uint64_t hits;
};
typedef struct vm_statistics vm_statistics_data_t;

#endif /* MACH_VM_STATISTICS_H */
