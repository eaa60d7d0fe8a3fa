/* SPDX-License-Identifier: MIT */
/* What host_info tells, and the options of host_reboot. */

#ifndef MACH_HOST_INFO_H
#define MACH_HOST_INFO_H

#include <mach/vm_types.h>

typedef natural_t host_flavor_t;
typedef integer_t *host_info_t;

#define HOST_INFO_MAX 128 /* words */

#define HOST_BASIC_INFO 1
struct host_basic_info {
    integer_t max_cpus;
    integer_t avail_cpus;
    uint64_t memory_size; /* bytes the kernel manages */
};
typedef struct host_basic_info host_basic_info_data_t;
#define HOST_BASIC_INFO_COUNT                                                  \
    (sizeof(host_basic_info_data_t) / sizeof(natural_t))

/* How many kernel objects exist: equal before and after means no leak. */
#define HOST_OBJECT_COUNTS 32
struct host_object_counts {
    uint64_t ports;
    uint64_t spaces;
    uint64_t messages; /* kernel message buffers */
    uint64_t tasks;
    uint64_t threads;
    uint64_t maps;
    uint64_t map_entries;
    uint64_t vm_objects;
    uint64_t free_pages;
    uint64_t kernel_pages;   /* slabs, tables, page tables, stacks */
    uint64_t stacks;         /* kernel stacks */
    uint64_t kernel_objects; /* of all kinds, the ones above included */
    uint64_t large_pages;    /* of memory too large to be such an object */
    uint64_t reserved[3];
};
typedef struct host_object_counts host_object_counts_data_t;
#define HOST_OBJECT_COUNTS_COUNT                                               \
    (sizeof(host_object_counts_data_t) / sizeof(natural_t))

/* Version text of the kernel. */
typedef char kernel_version_t[128];
typedef char kernel_boot_info_t[256];

/* Options of host_reboot. */
#define HOST_REBOOT_RESTART 0
#define HOST_REBOOT_POWEROFF 1
#define HOST_REBOOT_PANIC 2 /* stop with a backtrace: for tests */

#endif /* MACH_HOST_INFO_H */
