/* SPDX-License-Identifier: MIT */
/* The trap table, as the entry code sees it. */

#ifndef KERN_SYSCALL_H
#define KERN_SYSCALL_H

#include <stdint.h>

typedef uint64_t (*trap_fn_t)(void);

extern const trap_fn_t syscall_table[];

/* No Mach trap: a personality's system call becomes an exception. */
uint64_t syscall_invalid(void);

#endif /* KERN_SYSCALL_H */
