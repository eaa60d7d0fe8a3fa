/* SPDX-License-Identifier: MIT */
/*
 * Physical addresses stand for objects of slabs, by a number that is never
 * used again: so handles of ports are small, and a stale one is noticed.
 */

#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

#include <stdint.h>

#define KERNEL_STACK_SIZE 16384

void *phys_to_direct(uint64_t physical);
uint64_t direct_to_phys(const void *address);

#endif /* MACHINE_LAYOUT_H */
