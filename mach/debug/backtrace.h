/* SPDX-License-Identifier: MIT */
/* Who called whom, by symbol: the chain of frame pointers. */

#ifndef DEBUG_BACKTRACE_H
#define DEBUG_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>

/* The kernel's ELF symbol table and its strings, which stay where they are. */
void backtrace_setup(const void *symbols, size_t symbols_size,
                     const char *strings, size_t strings_size);

/* Print the chain that begins at this instruction and frame pointer. */
void backtrace_from(uint64_t rip, uint64_t rbp);

/* Print the chain of the caller. */
void backtrace(void);

#endif /* DEBUG_BACKTRACE_H */
