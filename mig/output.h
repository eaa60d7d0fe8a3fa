/*
 * SPDX-License-Identifier: MIT
 *
 * Files that appear all together or not at all: each is written beside its
 * place under another name, and only when every one is complete are they
 * renamed.
 */

#ifndef MIG_OUTPUT_H
#define MIG_OUTPUT_H

#include <stdbool.h>

#include "emit.h"

/* Forget all files. */
void output_setup(void);

/* Remember to write TEXT to PATH. "/dev/null" is taken as "do not". */
void output_add(const char *path, const struct text *text);

/* Returns false after saying what went wrong; nothing was changed then. */
bool output_commit(void);

#endif /* MIG_OUTPUT_H */
