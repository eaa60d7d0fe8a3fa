/* SPDX-License-Identifier: MIT */
/*
 * Where a program begins. In: rsp points to argc, the stack of the System V
 * ABI; the other registers are 0. Goes on in unix_start(stack, main), which
 * does not return.
 */

    .text
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    movq %rsp, %rdi
    movq $main, %rsi
    andq $-16, %rsp
    call unix_start
    ud2
    .size _start, . - _start

/* The number of the interface that this program was built for: unix/abi.h,
 * UNIX_NOTE_NAME, UNIX_NOTE_ABI, struct unix_note. */
    .section .note.portolan, "a", @note
    .balign 4
    .long 9
    .long 8
    .long 1
    .asciz "Portolan"
    .balign 4
    .long 1
    .long 0

    .section .note.GNU-stack, "", @progbits
