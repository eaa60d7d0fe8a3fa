/* SPDX-License-Identifier: MIT */
/* A guest test's first instructions, on a stack of its own. */

        .section .bss
        .balign 4096
        .skip   65536
stack_top:

        .text
        .globl _start
        .type _start, @function
_start:
        leaq    stack_top(%rip), %rsp
        xorl    %ebp, %ebp
        call    guest_start
        ud2
        .size _start, . - _start

/*
 * long guest_trap(number, a, b, c, d, e, f): the first six in registers, the
 * last on the stack.
 */
        .globl guest_trap
        .type guest_trap, @function
guest_trap:
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        movq    %r8, %r10
        movq    %r9, %r8
        movq    8(%rsp), %r9
        syscall
        ret
        .size guest_trap, . - guest_trap

        .section .note.GNU-stack, "", @progbits
