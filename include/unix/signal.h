/* SPDX-License-Identifier: MIT */
/*
 * Signals: numbers, and the structures that the server puts into a program's
 * memory. The numbers are those of <sys/signal.h>.
 */

#ifndef UNIX_SIGNAL_H
#define UNIX_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#define UNIX_SIGHUP 1
#define UNIX_SIGINT 2
#define UNIX_SIGQUIT 3
#define UNIX_SIGILL 4
#define UNIX_SIGTRAP 5
#define UNIX_SIGABRT 6
#define UNIX_SIGBUS 7
#define UNIX_SIGFPE 8
#define UNIX_SIGKILL 9
#define UNIX_SIGUSR1 10
#define UNIX_SIGSEGV 11
#define UNIX_SIGUSR2 12
#define UNIX_SIGPIPE 13
#define UNIX_SIGALRM 14
#define UNIX_SIGTERM 15
#define UNIX_SIGSTKFLT 16
#define UNIX_SIGCHLD 17
#define UNIX_SIGCONT 18
#define UNIX_SIGSTOP 19
#define UNIX_SIGTSTP 20
#define UNIX_SIGTTIN 21
#define UNIX_SIGTTOU 22
#define UNIX_SIGURG 23
#define UNIX_SIGXCPU 24
#define UNIX_SIGXFSZ 25
#define UNIX_SIGVTALRM 26
#define UNIX_SIGPROF 27
#define UNIX_SIGWINCH 28
#define UNIX_SIGIO 29
#define UNIX_SIGPWR 30
#define UNIX_SIGSYS 31
#define UNIX_SIGRTMIN 34
#define UNIX_SIGRTMAX 64
#define UNIX_NSIG 65

/* A set of signals: signal n is bit n - 1. */
typedef uint64_t unix_sigset_t;

#define UNIX_SIGBIT(sig) (1UL << ((sig)-1))

/* unix_signal_action */
#define UNIX_SIG_DFL 0UL
#define UNIX_SIG_IGN 1UL
#define UNIX_SA_NOCLDSTOP 0x00000001u
#define UNIX_SA_NOCLDWAIT 0x00000002u
#define UNIX_SA_SIGINFO 0x00000004u
#define UNIX_SA_ONSTACK 0x08000000u
#define UNIX_SA_RESTART 0x10000000u
#define UNIX_SA_NODEFER 0x40000000u
#define UNIX_SA_RESETHAND 0x80000000u

struct unix_sigaction {
    uint64_t handler;
    uint64_t mask;
    uint32_t flags;
    uint32_t reserved;
};

/* unix_signal_mask */
#define UNIX_SIG_BLOCK 0
#define UNIX_SIG_UNBLOCK 1
#define UNIX_SIG_SETMASK 2
#define UNIX_SIG_QUERY 3 /* only tell the old one */

/* stack_t */
#define UNIX_SS_ONSTACK 1
#define UNIX_SS_DISABLE 2
#define UNIX_MINSIGSTKSZ 4096

struct unix_sigstack {
    uint64_t sp;
    int32_t flags;
    uint32_t pad;
    uint64_t size;
};

/* siginfo_t */
struct unix_siginfo {
    int32_t signo;
    int32_t error;
    int32_t code;
    int32_t status;
    int32_t pid;
    uint32_t uid;
    uint64_t addr;
    uint64_t value;
    int64_t band;
    uint64_t spare[10];
};

#define UNIX_SI_USER 0
#define UNIX_SI_QUEUE (-1)
#define UNIX_SI_TIMER (-2)
#define UNIX_SI_KERNEL 0x80
#define UNIX_ILL_ILLOPC 1
#define UNIX_FPE_INTDIV 1
#define UNIX_FPE_INTOVF 2
#define UNIX_FPE_FLTINV 7
#define UNIX_SEGV_MAPERR 1
#define UNIX_SEGV_ACCERR 2
#define UNIX_BUS_ADRALN 1
#define UNIX_BUS_ADRERR 2
#define UNIX_BUS_OBJERR 3
#define UNIX_TRAP_BRKPT 1
#define UNIX_TRAP_TRACE 2
#define UNIX_CLD_EXITED 1
#define UNIX_CLD_KILLED 2
#define UNIX_CLD_STOPPED 5
#define UNIX_CLD_CONTINUED 6

/* ucontext_t: the order of its registers. */
enum {
    UNIX_REG_R8,
    UNIX_REG_R9,
    UNIX_REG_R10,
    UNIX_REG_R11,
    UNIX_REG_R12,
    UNIX_REG_R13,
    UNIX_REG_R14,
    UNIX_REG_R15,
    UNIX_REG_RDI,
    UNIX_REG_RSI,
    UNIX_REG_RBP,
    UNIX_REG_RBX,
    UNIX_REG_RDX,
    UNIX_REG_RAX,
    UNIX_REG_RCX,
    UNIX_REG_RSP,
    UNIX_REG_RIP,
    UNIX_REG_EFL,
    UNIX_REG_CSGSFS,
    UNIX_REG_ERR,
    UNIX_REG_TRAPNO,
    UNIX_REG_OLDMASK,
    UNIX_REG_CR2,
    UNIX_REGS
};

struct unix_ucontext {
    uint64_t flags;
    uint64_t link;
    struct unix_sigstack stack;
    uint64_t mask;
    uint64_t gregs[UNIX_REGS];
    uint64_t fs_base;
    uint64_t spare[8];
    uint8_t fpregs[512] __attribute__((aligned(16)));
};

/*
 * What the server pushes on the user stack before it makes a computing thread
 * enter the trampoline (unix_signal_setup): rdi and rsp are the address of
 * this, a multiple of 16, and DF is clear; the other registers still hold what
 * they held. The trampoline
 *   1. saves the floating point state in context.fpregs (fxsave64),
 *   2. puts aside what the thread keeps for calls (its reply port),
 *   3. calls handler(signo, &info, &context),
 *   4. calls unix_signal_return(context.mask),
 *   5. puts back reply port, in_call, floating point and all registers.
 */
struct unix_sigframe {
    struct unix_ucontext context;
    struct unix_siginfo info;
    uint64_t handler;
    uint32_t signo;
    uint32_t flags;   /* UNIX_SA_* of the action */
    uint32_t in_call; /* what UNIX_TCB_IN_CALL was; it is 0 now */
    uint32_t reserved[3];
};

_Static_assert(sizeof(struct unix_siginfo) == 128, "ABI");
_Static_assert(sizeof(struct unix_sigaction) == 24, "ABI");
_Static_assert(sizeof(struct unix_sigstack) == 24, "ABI");
_Static_assert(offsetof(struct unix_ucontext, gregs) == 48, "ABI");
_Static_assert(offsetof(struct unix_ucontext, fpregs) == 304, "ABI");
_Static_assert(sizeof(struct unix_ucontext) == 816, "ABI");
_Static_assert(sizeof(struct unix_sigframe) == 976, "ABI");
_Static_assert(sizeof(struct unix_sigframe) % 16 == 0, "ABI");

#endif /* UNIX_SIGNAL_H */
