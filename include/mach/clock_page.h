/* SPDX-License-Identifier: MIT */
/*
 * The clock page: one page that the kernel writes and everybody may map
 * read-only (host_get_clock_page), so that reading the time needs no trap.
 *
 * A reader takes `sequence` (retry while odd), reads the rest and the
 * processor's time-stamp counter, and takes `sequence` again (retry when it
 * changed). With d = tsc - tsc_base:
 *     uptime in ns    = uptime_base + ((d * mult) >> shift)   (128-bit product)
 *     time since 1970 = uptime + realtime_offset
 */

#ifndef MACH_CLOCK_PAGE_H
#define MACH_CLOCK_PAGE_H

#include <mach/vm_types.h>

#define CLOCK_PAGE_VERSION 1

struct mach_clock_page {
    uint32_t version;
    volatile uint32_t sequence;
    uint64_t tsc_base;
    uint64_t uptime_base; /* ns */
    uint64_t mult;
    uint32_t shift;
    uint32_t reserved;
    uint64_t tsc_frequency;  /* Hz */
    int64_t realtime_offset; /* ns */
};

#endif /* MACH_CLOCK_PAGE_H */
