/*
 * SPDX-License-Identifier: MIT
 *
 * Memory for a compiler that runs once: everything lives until the end, so
 * nothing is freed one by one and no structure has an owner to think about.
 */

#ifndef MIG_POOL_H
#define MIG_POOL_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory. Never fails: a host without memory ends the program. */
void *pool_alloc(size_t size);

char *pool_strndup(const char *text, size_t length);

char *pool_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), nonnull(1)));

char *pool_vprintf(const char *format, va_list args)
    __attribute__((format(printf, 1, 0), nonnull(1)));

void pool_fini(void);

#endif /* MIG_POOL_H */
