/* SPDX-License-Identifier: MIT */
/*
 * Messages of the kernel on the boot console. Conversions: d i u x p s c %
 * with width, 0 and the lengths l, ll, z. Any context.
 */

#ifndef DEBUG_PRINTF_H
#define DEBUG_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

#include <kern/macros.h>

void printf(const char *format, ...) PRINTF_LIKE(1, 2);
void vprintf(const char *format, va_list args);

/* Writes at most size bytes, always terminated; returns the length the text
 * would have had. */
int
snprintf(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int vsnprintf(char *buffer, size_t size, const char *format, va_list args);

#endif /* DEBUG_PRINTF_H */
