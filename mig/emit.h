/*
 * SPDX-License-Identifier: MIT
 *
 * Output text, collected in memory until all of it is known to be good.
 */

#ifndef MIG_EMIT_H
#define MIG_EMIT_H

#include <stddef.h>

struct text {
    char *data;
    size_t length;
    size_t capacity;
};

/* Append. A format that ends a line holds the newline itself. */
void emit(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Leave one blank line where there are several, and none before a brace. */
void emit_tidy(struct text *text);

#endif /* MIG_EMIT_H */
