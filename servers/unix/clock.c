/* SPDX-License-Identifier: MIT */
/* Time, read from the kernel's clock page. */

#include <mach/mach.h>

#include <mach/clock_page.h>

#include "clock.h"
#include "server.h"

static const volatile struct mach_clock_page *clock_page;
static mach_port_t clock_entry;

void
clock_setup(mach_port_t host)
{
    vm_address_t address = 0;
    kern_return_t kr;

    kr = host_get_clock_page(host, &clock_entry);

    if (kr == KERN_SUCCESS) {
        kr = vm_map(mach_task_self(), &address, PAGE_SIZE, 0, VM_FLAGS_ANYWHERE,
                    clock_entry, 0, FALSE, VM_PROT_READ, VM_PROT_READ,
                    VM_INHERIT_NONE);
    }

    if (kr != KERN_SUCCESS) {
        server_panic("no clock page (0x%x)", (unsigned int)kr);
    }

    clock_page = (const volatile struct mach_clock_page *)address;
}

unsigned int
clock_page_entry(void)
{
    return clock_entry;
}

static uint64_t
clock_tsc(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Uptime, and what is to be added for the time since 1970. */
static uint64_t
clock_read(int64_t *realtime_offsetp)
{
    const volatile struct mach_clock_page *page = clock_page;
    uint32_t sequence;
    uint64_t uptime;

    do {
        uint64_t delta;

        do {
            sequence = page->sequence;
        } while ((sequence & 1) != 0);

        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        delta = clock_tsc() - page->tsc_base;
        uptime =
            page->uptime_base +
            (uint64_t)(((unsigned __int128)delta * page->mult) >> page->shift);
        *realtime_offsetp = page->realtime_offset;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (page->sequence != sequence);

    return uptime;
}

uint64_t
clock_uptime(void)
{
    int64_t offset;

    return clock_read(&offset);
}

int64_t
clock_realtime(void)
{
    int64_t offset;
    uint64_t uptime = clock_read(&offset);

    return (int64_t)uptime + offset;
}

void
clock_timespec(struct unix_timespec *time)
{
    int64_t now = clock_realtime();

    time->sec = now / NS_PER_SECOND;
    time->nsec = now % NS_PER_SECOND;
}
