/* SPDX-License-Identifier: MIT */
/* The trap table, as the entry code sees it. */

#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include <stdint.h>

#include <kern/macros.h>

/* Entered with interrupts off; those that may take long enable them. */
typedef uint64_t (*trap_fn_t)(void);

extern const trap_fn_t syscall_table[];

/* In the places of the table that are no trap: goes on as below. */
uint64_t syscall_hole(void);

/* No Mach trap, but a personality's system call: becomes an exception. */
NORETURN void syscall_personality_call(void);

#endif /* KERN_SYSCALL_H */
