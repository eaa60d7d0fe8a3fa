/* SPDX-License-Identifier: MIT */
/*
 * hostinfo: how many kernel objects there are, a line for each kind.  Equal
 * numbers before and after something mean that it leaked nothing.
 */

#include <mach/host_info.h>
#include <mach/mach.h>
#include <stdio.h>

int
main(void)
{
    struct host_object_counts counts;
    mach_msg_type_number_t words = HOST_OBJECT_COUNTS_COUNT;
    kern_return_t kr;

    kr = host_info(mach_host_self(), HOST_OBJECT_COUNTS, (host_info_t)&counts,
                   &words);

    if (kr != KERN_SUCCESS) {
        fprintf(stderr, "hostinfo: host_info: %d\n", kr);
        return 1;
    }

    const struct {
        const char *name;
        unsigned long count;
    } lines[] = {
        { "ports", counts.ports },
        { "spaces", counts.spaces },
        { "messages", counts.messages },
        { "tasks", counts.tasks },
        { "threads", counts.threads },
        { "maps", counts.maps },
        { "map_entries", counts.map_entries },
        { "vm_objects", counts.vm_objects },
        { "free_pages", counts.free_pages },
        { "kernel_pages", counts.kernel_pages },
        { "stacks", counts.stacks },
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        printf("%-12s %lu\n", lines[i].name, lines[i].count);
    }

    return 0;
}
