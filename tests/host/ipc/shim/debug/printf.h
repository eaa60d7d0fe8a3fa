/* SPDX-License-Identifier: MIT */
/* What the kernel prints is counted: it is never the usual. */

#ifndef DEBUG_PRINTF_H
#define DEBUG_PRINTF_H

#include <debug/panic.h>

void env_printf(const char *format, ...) PRINTF_LIKE(1, 2);

#define printf env_printf

#endif /* DEBUG_PRINTF_H */
