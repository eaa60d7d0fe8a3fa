/* SPDX-License-Identifier: MIT */
/*
 * pid_t fork(void)
 *
 * Everything that the caller of a function may rely on goes on the stack; the
 * child, which has a copy of that stack and nothing in its registers but rsp,
 * rip and fs, takes it from there. Its floating point state is a new thread's,
 * so MXCSR and the x87 control word travel the same way.
 */

    .text
    .globl fork, vfork
    .type fork, @function
    .type vfork, @function
fork:
vfork:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, %rdi
    leaq fork_child(%rip), %rsi
    call unix_fork_parent
fork_return:
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
fork_child:
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    call unix_fork_child
    xorl %eax, %eax
    jmp fork_return
    .size fork, . - fork

    .section .note.GNU-stack, "", @progbits
