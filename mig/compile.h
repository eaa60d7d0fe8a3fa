/*
 * SPDX-License-Identifier: MIT
 *
 * The compiler proper, without the command around it.
 */

#ifndef MIG_COMPILE_H
#define MIG_COMPILE_H

#include <stdbool.h>

/* Compile what source_read() or source_set() provided, into files that
 * output_commit() writes; false after an error, which was reported. */
bool compile_source(void);

#endif /* MIG_COMPILE_H */
