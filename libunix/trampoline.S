/* SPDX-License-Identifier: MIT */
/*
 * What of signals C can't do.
 *
 * Offsets of struct unix_sigframe (unix/signal.h): registers from 48 on, 8
 * bytes each in the order of UNIX_REG_*, the FXSAVE image at 304, in_call at
 * 960.
 */

#define REG(n) (48 + 8 * (n))
#define R8 0
#define R9 1
#define R10 2
#define R11 3
#define R12 4
#define R13 5
#define R14 6
#define R15 7
#define RDI 8
#define RSI 9
#define RBP 10
#define RBX 11
#define RDX 12
#define RAX 13
#define RCX 14
#define RSP 15
#define RIP 16
#define EFL 17
#define FPREGS 304
#define IN_CALL 960
#define RED_ZONE 128

    .text

/*
 * Where the server makes a computing thread go on. In: rdi = rsp = struct
 * unix_sigframe, a multiple of 16. Out: the thread as it was. The last four
 * registers are taken from below the red zone of the interrupted stack, where
 * the frame's last bytes may be, which have been used by then. (iretq would
 * need no such room, but QEMU with SMAP lets it fault in user mode.) The
 * handler starts with a clean floating point state.
 */
    .globl unix_trampoline
    .type unix_trampoline, @function
unix_trampoline:
    movq %rsp, %rbx
    fxsave64 FPREGS(%rbx)
    fninit
    pushq $0x1f80
    ldmxcsr (%rsp)
    movq %rbx, %rsp
    movq %rbx, %rdi
    call unix_signal_frame

    fxrstor64 FPREGS(%rbx)
    movl IN_CALL(%rbx), %eax
    movl %eax, %fs:0x40

    movq REG(RSP)(%rbx), %rcx
    subq $(RED_ZONE + 32), %rcx
    movq REG(RBX)(%rbx), %rax
    movq %rax, 0(%rcx)
    movq REG(RCX)(%rbx), %rax
    movq %rax, 8(%rcx)
    movq REG(EFL)(%rbx), %rax
    movq %rax, 16(%rcx)
    movq REG(RIP)(%rbx), %rax
    movq %rax, 24(%rcx)

    movq REG(R8)(%rbx), %r8
    movq REG(R9)(%rbx), %r9
    movq REG(R10)(%rbx), %r10
    movq REG(R11)(%rbx), %r11
    movq REG(R12)(%rbx), %r12
    movq REG(R13)(%rbx), %r13
    movq REG(R14)(%rbx), %r14
    movq REG(R15)(%rbx), %r15
    movq REG(RDI)(%rbx), %rdi
    movq REG(RSI)(%rbx), %rsi
    movq REG(RBP)(%rbx), %rbp
    movq REG(RDX)(%rbx), %rdx
    movq REG(RAX)(%rbx), %rax
    movq %rcx, %rsp
    popq %rbx
    popq %rcx
    popfq
    ret $RED_ZONE
    .size unix_trampoline, . - unix_trampoline

/* void unix_call_on_stack(function, argument, stack_top) */
    .globl unix_call_on_stack
    .type unix_call_on_stack, @function
unix_call_on_stack:
    pushq %rbp
    movq %rsp, %rbp
    movq %rdx, %rsp
    andq $-16, %rsp
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    movq %rbp, %rsp
    popq %rbp
    ret
    .size unix_call_on_stack, . - unix_call_on_stack

/* int sigsetjmp(env, save): the flag is word 8, the mask word 9. setjmp()
 * finds the caller's return address where this one did. */
    .globl sigsetjmp
    .type sigsetjmp, @function
sigsetjmp:
    movslq %esi, %rax
    movq %rax, 64(%rdi)
    testl %esi, %esi
    jz setjmp
    pushq %rdi
    call unix_sigsetjmp_save
    popq %rdi
    jmp setjmp
    .size sigsetjmp, . - sigsetjmp

    .section .note.GNU-stack, "", @progbits
