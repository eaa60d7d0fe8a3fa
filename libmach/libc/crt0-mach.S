/* SPDX-License-Identifier: MIT */
/*
 * A server's first instructions. The stack is as the System V ABI says: rsp
 * points to argc, below the arguments and the auxiliary vector.
 */

        .text
        .globl _start
        .type _start, @function
_start:
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        call    machc_start
        ud2
        .size _start, . - _start

        .section .note.GNU-stack, "", @progbits
