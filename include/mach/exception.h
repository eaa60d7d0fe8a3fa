/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: kinds, what code[0] and code[1] hold, and how a handler port
 * wants to hear of them. Codes are 64 bits wide.
 */

#ifndef MACH_EXCEPTION_H
#define MACH_EXCEPTION_H

#include <mach/vm_types.h>

typedef int exception_type_t;
typedef int64_t mach_exception_data_type_t;
typedef int64_t *mach_exception_data_t;
typedef unsigned int exception_mask_t;
typedef int exception_behavior_t;

#define EXCEPTION_CODE_MAX 2

/* code[0] = kern_return_t, code[1] = address; code[0] = EXC_X86_GP for a
 * general protection or stack fault that has no address. */
#define EXC_BAD_ACCESS 1
#define EXC_BAD_INSTRUCTION 2 /* code[0] = EXC_X86_*, code[1] = error code */
#define EXC_ARITHMETIC 3      /* code[0] = EXC_X86_* */
#define EXC_EMULATION 4
#define EXC_SOFTWARE 5
#define EXC_BREAKPOINT 6 /* code[0] = EXC_X86_* */
#define EXC_SYSCALL 7    /* code[0] = trap number */
#define EXC_MACH_SYSCALL 8
#define EXC_RESOURCE 11 /* code[0] = kern_return_t: memory ran out */
#define EXC_TYPES_COUNT 12

#define EXC_MASK(exception) (1u << (exception))
#define EXC_MASK_ALL                                                           \
    (EXC_MASK(EXC_BAD_ACCESS) | EXC_MASK(EXC_BAD_INSTRUCTION) |                \
     EXC_MASK(EXC_ARITHMETIC) | EXC_MASK(EXC_EMULATION) |                      \
     EXC_MASK(EXC_SOFTWARE) | EXC_MASK(EXC_BREAKPOINT) |                       \
     EXC_MASK(EXC_SYSCALL) | EXC_MASK(EXC_MACH_SYSCALL) |                      \
     EXC_MASK(EXC_RESOURCE))

#define EXCEPTION_DEFAULT 1        /* exception_raise: the identity ports */
#define EXCEPTION_STATE 2          /* exception_raise_state: the registers */
#define EXCEPTION_STATE_IDENTITY 3 /* both */

/* Processor exceptions as sub-codes: vector + 1. */
#define EXC_X86_DIV 1
#define EXC_X86_SGL 2
#define EXC_X86_BPT 4
#define EXC_X86_INTO 5
#define EXC_X86_BOUND 6
#define EXC_X86_INVOP 7
#define EXC_X86_GP 14
#define EXC_X86_STKFLT 13
#define EXC_X86_FPE 17
#define EXC_X86_ALIGN 18
#define EXC_X86_SSE 20

#endif /* MACH_EXCEPTION_H */
