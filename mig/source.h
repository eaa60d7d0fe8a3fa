/*
 * SPDX-License-Identifier: MIT
 *
 * The text being compiled and the places in it.
 *
 * The compiler reads preprocessor output, but a user thinks in terms of the
 * file that was edited. A position therefore has two halves: the file and
 * line that the preprocessor's line markers name, and the offset of the token
 * in the preprocessed text, from which its column in the edited file can be
 * found again when a diagnostic needs it.
 */

#ifndef MIG_SOURCE_H
#define MIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct source_pos {
    const char *file;
    unsigned int line;
    size_t offset; /* in the preprocessed text */
    size_t length;
};

/* A line of text as it is shown to the user, with the token's column. */
struct source_line {
    char *text;          /* NULL when there is none */
    unsigned int column; /* from 1; 0 when the token is not on the line */
    unsigned int width;  /* columns that the token covers */
};

/* Read the whole stream. Returns false, with errno set, if it cannot. */
bool source_read(FILE *stream);
void source_set(const char *text, size_t length);

const char *source_text(void);
size_t source_length(void);

/* The line of the edited file that a position lies on, if it can be read. */
struct source_line source_original_line(const struct source_pos *pos);

/* The same as the compiler saw it, macros expanded. */
struct source_line source_expanded_line(const struct source_pos *pos);

#endif /* MIG_SOURCE_H */
