/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines through the IOAPIC (Intel 82093AA). Legacy line n arrives
 * at vector VECTOR_IRQ_BASE + n; lines start masked.
 */

#ifndef MACHINE_IOAPIC_H
#define MACHINE_IOAPIC_H

#include <stdbool.h>

#define IOAPIC_LINES 16

void ioapic_setup(void);
void ioapic_mask(unsigned int line, bool masked);

#endif /* MACHINE_IOAPIC_H */
