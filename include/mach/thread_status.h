/* SPDX-License-Identifier: MIT */
/* Register sets that thread_get_state and thread_set_state exchange. */

#ifndef MACH_THREAD_STATUS_H
#define MACH_THREAD_STATUS_H

#include <mach/vm_types.h>

typedef int thread_state_flavor_t;
typedef natural_t *thread_state_t; /* array of 32-bit words */

#define THREAD_STATE_MAX 256 /* words */

#define x86_THREAD_STATE64 4
#define x86_FLOAT_STATE64 5
#define x86_EXCEPTION_STATE64 6

typedef struct {
    uint64_t rax, rbx, rcx, rdx, rdi, rsi, rbp, rsp;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags;
    uint64_t fs_base; /* thread-local storage */
    uint64_t gs_base;
} x86_thread_state64_t;
#define x86_THREAD_STATE64_COUNT                                               \
    (sizeof(x86_thread_state64_t) / sizeof(natural_t))

/* The FXSAVE image, Intel SDM volume 1, 10.5.1. */
typedef struct {
    uint8_t fxsave[512];
} x86_float_state64_t;
#define x86_FLOAT_STATE64_COUNT                                                \
    (sizeof(x86_float_state64_t) / sizeof(natural_t))

/* Of the last exception: read only. */
typedef struct {
    uint64_t trapno;
    uint64_t err;
    uint64_t faultvaddr;
} x86_exception_state64_t;
#define x86_EXCEPTION_STATE64_COUNT                                            \
    (sizeof(x86_exception_state64_t) / sizeof(natural_t))

#endif /* MACH_THREAD_STATUS_H */
