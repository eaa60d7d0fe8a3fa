/*
 * SPDX-License-Identifier: MIT
 *
 * Words that were meant to be other words.
 */

#ifndef MIG_WORD_H
#define MIG_WORD_H

#include <stdbool.h>

/* True if WRITTEN looks like a slip of the pen for MEANT. */
bool word_is_like(const char *written, const char *meant);

#endif /* MIG_WORD_H */
