/* SPDX-License-Identifier: MIT */
/* See kern/clock.h. */

#include <debug/assert.h>
#include <kern/clock.h>
#include <kern/spinlock.h>
#include <mach/clock_page.h>
#include <machine/cpu.h>
#include <machine/layout.h>

/* cycles * mult >> shift = ns; 32 bits of fraction keep the error below 1 ns
 * in a second. */
#define CLOCK_SHIFT 32

static union {
    struct mach_clock_page page;
    char bytes[4096];
} clock __attribute__((aligned(4096)));

void
clock_setup(uint64_t frequency)
{
    struct mach_clock_page *page = &clock.page;

    assert(frequency != 0);
    page->version = CLOCK_PAGE_VERSION;
    page->tsc_base = cpu_tsc();
    page->uptime_base = 0;
    page->shift = CLOCK_SHIFT;
    page->mult = (1000000000ul << CLOCK_SHIFT) / frequency;
    page->tsc_frequency = frequency;
    page->realtime_offset = 0;
}

uint64_t
clock_cycles_to_ns(uint64_t cycles)
{
    return (uint64_t)(((unsigned __int128)cycles * clock.page.mult) >>
                      CLOCK_SHIFT);
}

uint64_t
clock_uptime(void)
{
    return clock_cycles_to_ns(cpu_tsc() - clock.page.tsc_base);
}

int64_t
clock_realtime(void)
{
    return (int64_t)clock_uptime() + clock.page.realtime_offset;
}

/* Writers come one at a time: the host lock of the caller. */
void
clock_set_realtime(int64_t now)
{
    struct mach_clock_page *page = &clock.page;

    page->sequence = page->sequence + 1;
    atomic_thread_fence(memory_order_release);
    page->realtime_offset = now - (int64_t)clock_uptime();
    atomic_thread_fence(memory_order_release);
    page->sequence = page->sequence + 1;
}

uint64_t
clock_page_physical(void)
{
    return image_to_phys(&clock);
}
