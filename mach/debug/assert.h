/* SPDX-License-Identifier: MIT */
/*
 * assert() states what the kernel guarantees to itself; it stays in every
 * build. debug_assert() is for checks too dear for that: only in kernels
 * configured with --enable-debug.
 */

#ifndef DEBUG_ASSERT_H
#define DEBUG_ASSERT_H

#include <debug/panic.h>

#define assert(condition)                                                      \
    do {                                                                       \
        if (__builtin_expect(!(condition), 0)) {                               \
            assert_failed(#condition, __FILE__, __LINE__);                     \
        }                                                                      \
    } while (0)

#ifdef DEBUG_KERNEL
#define debug_assert(condition) assert(condition)
#else
#define debug_assert(condition) ((void)sizeof(condition))
#endif

#endif /* DEBUG_ASSERT_H */
