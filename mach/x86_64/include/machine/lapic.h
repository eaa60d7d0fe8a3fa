/* SPDX-License-Identifier: MIT */
/* The local APIC (Intel SDM volume 3, chapter 10) and its timer. */

#ifndef MACHINE_LAPIC_H
#define MACHINE_LAPIC_H

#include <stdint.h>

/* Enable it and measure its timer and the TSC against the PIT. Returns TSC
 * cycles per second. */
uint64_t lapic_setup(void);

/* Interrupt this processor (VECTOR_TIMER) at uptime `deadline` in ns or soon
 * after; one deadline at a time. Interrupts off. */
void lapic_timer_arm(uint64_t deadline);

/* End of interrupt. */
void lapic_eoi(void);

#endif /* MACHINE_LAPIC_H */
