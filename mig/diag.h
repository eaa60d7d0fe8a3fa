/*
 * SPDX-License-Identifier: MIT
 *
 * Messages to the user, each with its place, the line and a caret:
 *
 *     file.defs:12:9: error: undefined type `foo_t'
 *        12 |     arg : foo_t);
 *           |           ^~~~~
 */

#ifndef MIG_DIAG_H
#define MIG_DIAG_H

#include <stdbool.h>

#include "source.h"

/* How diagnostics behave; set once from the command line. */
struct diag_options {
    bool quiet;  /* print no warnings */
    bool strict; /* a warning is an error */
};

void diag_setup(const struct diag_options *options);

void diag_error(const struct source_pos *pos, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diag_warning(const struct source_pos *pos, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* More about the error or warning before it; silent if that one was. */
void diag_note(const struct source_pos *pos, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool diag_is_strict(void);
unsigned int diag_error_count(void);

#endif /* MIG_DIAG_H */
