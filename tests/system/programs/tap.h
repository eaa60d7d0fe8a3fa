/* SPDX-License-Identifier: MIT */
/* TAP for the programs that whole-system tests run in the guest. */

#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_count;
static int tap_failed;

static inline void
ok(int good, const char *format, ...)
{
    va_list arguments;

    tap_count += 1;
    tap_failed += !good;
    printf("%sok %d - ", good ? "" : "not ", tap_count);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

static inline int
tap_done(void)
{
    printf("1..%d\n", tap_count);
    fflush(stdout);
    return tap_failed != 0;
}

#endif /* TAP_H */
