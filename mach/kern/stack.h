/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks: KERNEL_STACK_SIZE bytes above an unmapped guard page. A
 * processor has one; a thread keeps one only while it is blocked without a
 * continuation. A stack is named by its top (exclusive end).
 */

#ifndef KERN_STACK_H
#define KERN_STACK_H

#include <stdint.h>

void stack_setup(void);

/* Make sure that the next stack_alloc() finds one: may allocate. Called by
 * whoever is about to block and keep its stack. */
void stack_reserve(void);

/* Never fails after stack_reserve(). */
uint64_t stack_alloc(void);
void stack_free(uint64_t top);

/* Stacks in existence. */
uint64_t stack_count(void);

#endif /* KERN_STACK_H */
