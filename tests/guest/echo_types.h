/* SPDX-License-Identifier: MIT */
/* Types of echo.defs. */

#ifndef TESTS_GUEST_ECHO_TYPES_H
#define TESTS_GUEST_ECHO_TYPES_H

#include <mach/vm_types.h>

typedef char echo_text_t[64];
typedef natural_t echo_words_t[256];

#endif /* TESTS_GUEST_ECHO_TYPES_H */
