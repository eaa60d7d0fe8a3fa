/* SPDX-License-Identifier: MIT */
/*
 * Time: uptime from the time-stamp counter, time of day as an offset to it,
 * and the page that shows both to user programs (<mach/clock_page.h>).
 */

#ifndef KERN_CLOCK_H
#define KERN_CLOCK_H

#include <stdint.h>

/* frequency: TSC cycles per second, as the processor code measured it. */
void clock_setup(uint64_t frequency);

/* Nanoseconds since boot. */
uint64_t clock_uptime(void);

/* TSC cycles as nanoseconds. */
uint64_t clock_cycles_to_ns(uint64_t cycles);

/* Nanoseconds since 1970. */
int64_t clock_realtime(void);
void clock_set_realtime(int64_t now);

/* Physical address of the clock page. */
uint64_t clock_page_physical(void);

#endif /* KERN_CLOCK_H */
