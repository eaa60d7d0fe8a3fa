/* SPDX-License-Identifier: MIT */
/* The end: print why, a symbolic backtrace, and stop every processor. */

#ifndef DEBUG_PANIC_H
#define DEBUG_PANIC_H

#include <kern/macros.h>

/* The text names the module, the broken rule and the values. */
NORETURN void panic(const char *format, ...) PRINTF_LIKE(1, 2);

NORETURN void assert_failed(const char *condition, const char *file, int line);

#endif /* DEBUG_PANIC_H */
