/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and out of it.
 *
 * From user mode the registers are saved into the current thread's own frame
 * and the processor's kernel stack is taken from its top: nothing else lies
 * on it, so whoever blocks with a continuation hands it on empty. AC and DF
 * are clear in the kernel (SFMASK; cleared here after interrupts).
 */

#include <machine/layout.h>
#include <machine/offsets.h>
#include <mach/syscall_numbers.h>

#define RFLAGS_IF 0x200

/* On a processor without SMAP, cpu_setup() makes a nop of each of these. */
.macro SMAP_SITE instruction
9990:   \instruction
        .pushsection .smap_table, "a"
        .balign 8
        .quad   9990b
        .popsection
.endm

.macro USER_MEMORY_OPEN
        SMAP_SITE stac
.endm

.macro USER_MEMORY_CLOSE
        SMAP_SITE clac
.endm

/* Save the registers below `vector` of a trap frame, rsp being there. */
.macro SAVE_REGISTERS
        pushq   %rax
        pushq   %rdi
        pushq   %rsi
        pushq   %rdx
        pushq   %rcx
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
.endm

.macro RESTORE_REGISTERS
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        popq    %rax
.endm

        .text

/*
 * System call. In: rax = number, arguments in rdi rsi rdx r10 r8 r9,
 * rcx = return address, r11 = flags; interrupts off (SFMASK).
 *
 * The handler is an ordinary C function: what it returns goes to rax, its
 * callee-saved registers are still the user's when it returns, so the short
 * way out restores only the argument registers. A handler that blocks with a
 * continuation leaves through thread_return instead.
 */
        .balign 64
        .globl entry_syscall
entry_syscall:
        swapgs
        movq    %rsp, %gs:CPU_USER_RSP
        movq    %gs:CPU_THREAD, %rsp
        addq    $THREAD_FRAME_END, %rsp
        pushq   $USER_DATA_SELECTOR
        pushq   %gs:CPU_USER_RSP
        pushq   %r11
        pushq   $USER_CODE_SELECTOR
        pushq   %rcx
        pushq   $0
        pushq   $TRAP_FRAME_SYSCALL
        SAVE_REGISTERS
        movq    %gs:CPU_STACK_TOP, %rsp
        movq    %r10, %rcx
        cmpl    $MACH_TRAP_MSG, %eax
        jne     1f

        /* The message trap enables interrupts itself, off its fast path. */
        call    mach_msg_trap
        jmp     syscall_exit

1:      sti
        notl    %eax /* -1 is entry 0; a non-negative number wraps high */
        cmpl    $~MACH_TRAP_LAST, %eax
        ja      2f
        movq    syscall_table(,%rax,8), %rax
        testq   %rax, %rax
        jz      2f
        call    *%rax
        jmp     syscall_exit

2:      call    syscall_invalid

/* The short way out: rax = result. */
syscall_exit:
        cli
        cmpl    $0, %gs:CPU_AST
        jne     syscall_ast
        movq    %gs:CPU_THREAD, %rcx
        leaq    THREAD_FRAME(%rcx), %rsp
        movq    FRAME_RDI(%rsp), %rdi
        movq    FRAME_RSI(%rsp), %rsi
        movq    FRAME_RDX(%rsp), %rdx
        movq    FRAME_R10(%rsp), %r10
        movq    FRAME_R8(%rsp), %r8
        movq    FRAME_R9(%rsp), %r9
        movq    FRAME_RIP(%rsp), %rcx
        movq    FRAME_RFLAGS(%rsp), %r11
        movq    FRAME_RSP(%rsp), %rsp
        swapgs
        sysretq

syscall_ast:
        movq    %gs:CPU_THREAD, %rcx
        movq    %rax, (THREAD_FRAME + FRAME_RAX)(%rcx)
        jmp     thread_return

/*
 * thread_return(void): leave the kernel with the whole frame of the current
 * thread. From C on any stack, nothing of which is needed any more.
 */
        .globl thread_return
thread_return:
        cli
        cmpl    $0, %gs:CPU_AST
        je      1f
        movq    %gs:CPU_STACK_TOP, %rsp
        xorl    %ebp, %ebp
        call    ast_taken
        jmp     thread_return

1:      movq    %gs:CPU_THREAD, %rsp
        addq    $THREAD_FRAME, %rsp
        cmpl    $TRAP_FRAME_SYSCALL, FRAME_VECTOR(%rsp)
        jne     2f

        RESTORE_REGISTERS
        movq    16(%rsp), %rcx /* rip, beyond vector and error */
        movq    32(%rsp), %r11 /* rflags */
        movq    40(%rsp), %rsp
        swapgs
        sysretq

2:      RESTORE_REGISTERS
        addq    $16, %rsp
        swapgs
        iretq

/*
 * Traps and interrupts. Each vector's stub pushes the error code (0 where the
 * processor pushes none) and the vector.
 */
        .balign 16
        .globl trap_stubs
trap_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        .if     vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
        .else
        pushq   $0
        .endif
        pushq   $vector
        jmp     trap_common
        .set    vector, vector + 1
        .endr

        .balign 64
trap_common:
        SAVE_REGISTERS
        cld
        USER_MEMORY_CLOSE
        testb   $3, FRAME_CS(%rsp)
        jz      1f

        swapgs
        movq    %rsp, %rdi
        movq    %gs:CPU_STACK_TOP, %rsp
        xorl    %ebp, %ebp
        call    trap_user
        jmp     thread_return

1:      movq    %rsp, %rdi
        movq    %rsp, %rbp
        andq    $~15, %rsp
        call    trap_kernel
        movq    %rbp, %rsp
        RESTORE_REGISTERS
        addq    $16, %rsp
        iretq

/*
 * Paranoid entries (#DB, NMI, #MC, #DF): on their own IST stacks, from any
 * point, even between swapgs and the stack switch. The word above the IST
 * stack's top holds this processor's struct cpu; gs is loaded from it and put
 * back as it was.
 */
        .macro PARANOID vector, name, push_error
        .balign 16
        .globl \name
\name:
        .if \push_error
        pushq   $0
        .endif
        pushq   $\vector
        jmp     paranoid_common
        .endm

        PARANOID 1, entry_debug, 1
        PARANOID 2, entry_nmi, 1
        PARANOID 8, entry_double_fault, 0
        PARANOID 18, entry_machine_check, 1

paranoid_common:
        SAVE_REGISTERS
        cld
        USER_MEMORY_CLOSE
        movl    $MSR_GS_BASE, %ecx
        rdmsr
        shlq    $32, %rdx
        movl    %eax, %ebx
        orq     %rdx, %rbx /* gs base at entry */
        movq    FRAME_SIZE(%rsp), %rax /* the word above the stack's top */
        movq    %rax, %rdx
        shrq    $32, %rdx
        wrmsr
        movq    %rsp, %rdi
        movq    %rsp, %rbp
        call    trap_paranoid
        movq    %rbp, %rsp
        movl    $MSR_GS_BASE, %ecx
        movl    %ebx, %eax
        movq    %rbx, %rdx
        shrq    $32, %rdx
        wrmsr
        RESTORE_REGISTERS
        addq    $16, %rsp
        iretq

/*
 * void context_switch_stacks(uint64_t *save_rsp, uint64_t new_rsp): keep the
 * callee-saved registers on this stack and go on where the owner of the other
 * stack called this.
 */
        .globl context_switch_stacks
context_switch_stacks:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        .globl context_resume_stack_tail
context_resume_stack_tail:
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret

/* void context_save_call(uint64_t *save_rsp, uint64_t stack_top,
 * void (*function)(void)): keep this stack, run function on a fresh one. */
        .globl context_save_call
context_save_call:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        xorl    %ebp, %ebp
        call    *%rdx
        ud2

/* void context_resume(uint64_t new_rsp): leave this stack for good. */
        .globl context_resume
context_resume:
        movq    %rdi, %rsi
        jmp     context_resume_stack_tail

/* void context_call(uint64_t stack_top, void (*function)(void)): drop this
 * stack's contents and run function on the one given. */
        .globl context_call
context_call:
        movq    %rdi, %rsp
        xorl    %ebp, %ebp
        call    *%rsi
        ud2

/*
 * bool copy_user(void *to, const void *from, size_t size): user memory on one
 * side; the caller checked the range. False after a fault that could not be
 * resolved: trap_kernel sends the faulting instruction to its fixup.
 */
        .globl copy_user
copy_user:
        movq    %rdx, %rcx
        USER_MEMORY_OPEN
        shrq    $3, %rcx
copy_user_words:
        rep movsq
        movl    %edx, %ecx
        andl    $7, %ecx
copy_user_bytes:
        rep movsb
        USER_MEMORY_CLOSE
        movl    $1, %eax
        ret
copy_user_failed:
        USER_MEMORY_CLOSE
        xorl    %eax, %eax
        ret

/*
 * bool copy_user_quick(void *to, const void *from, size_t size): the same for
 * sizes that are multiples of 4; a fault is not resolved.
 */
        .globl copy_user_quick, copy_user_quick_start, copy_user_quick_end
copy_user_quick:
        movl    %edx, %ecx
        shrl    $3, %ecx
        USER_MEMORY_OPEN
copy_user_quick_start:
        rep movsq
        testl   $4, %edx
        jz      1f
copy_user_quick_word:
        movsl
copy_user_quick_end:
1:      USER_MEMORY_CLOSE
        movl    $1, %eax
        ret

        .section .fixup_table, "a"
        .quad copy_user_words, copy_user_failed
        .quad copy_user_bytes, copy_user_failed
        .quad copy_user_quick_start, copy_user_failed
        .quad copy_user_quick_word, copy_user_failed

        .section .note.GNU-stack, "", @progbits
