/* SPDX-License-Identifier: MIT */
/* TAP for host unit tests: ok(), is(), and tap_done() as main's result. */

#ifndef TESTS_HOST_TAP_H
#define TESTS_HOST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_count;
static unsigned int tap_failed;

static inline __attribute__((format(printf, 4, 5))) bool
tap_ok(bool good, const char *file, int line, const char *format, ...)
{
    va_list args;

    tap_count++;
    printf("%sok %u - ", good ? "" : "not ", tap_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');

    if (!good) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }

    fflush(stdout);
    return good;
}

#define ok(good, ...) tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)
#define is(got, want, ...)                                                     \
    do {                                                                       \
        long long got_ = (long long)(got), want_ = (long long)(want);          \
        if (!ok(got_ == want_, __VA_ARGS__)) {                                 \
            printf("# got %lld (0x%llx), want %lld (0x%llx)\n", got_,          \
                   (unsigned long long)got_, want_,                            \
                   (unsigned long long)want_);                                 \
        }                                                                      \
    } while (0)

static inline int
tap_done(void)
{
    printf("1..%u\n", tap_count);
    return tap_failed == 0 ? 0 : 1;
}

#endif /* TESTS_HOST_TAP_H */
