/* SPDX-License-Identifier: MIT */
/*
 * What a signal interrupted: the third argument of a handler that was set
 * with SA_SIGINFO. Part of the binary interface; the order of the registers
 * is the one that programs for x86_64 know.
 */

#ifndef SYS_UCONTEXT_H
#define SYS_UCONTEXT_H

#include <sys/signal.h>

typedef long long greg_t;
typedef greg_t gregset_t[23];

#if __GNU_VISIBLE || __BSD_VISIBLE
enum {
    REG_R8,
    REG_R9,
    REG_R10,
    REG_R11,
    REG_R12,
    REG_R13,
    REG_R14,
    REG_R15,
    REG_RDI,
    REG_RSI,
    REG_RBP,
    REG_RBX,
    REG_RDX,
    REG_RAX,
    REG_RCX,
    REG_RSP,
    REG_RIP,
    REG_EFL,
    REG_CSGSFS,
    REG_ERR,
    REG_TRAPNO,
    REG_OLDMASK,
    REG_CR2
};
#endif

typedef struct mcontext {
    gregset_t gregs;
    __uint64_t __fs_base;
    __uint64_t __spare[8];
    unsigned char __fpregs[512] __attribute__((__aligned__(16)));
} mcontext_t;

typedef struct ucontext {
    unsigned long uc_flags;
    struct ucontext *uc_link;
    stack_t uc_stack;
    sigset_t uc_sigmask;
    mcontext_t uc_mcontext;
} ucontext_t;

#endif /* SYS_UCONTEXT_H */
