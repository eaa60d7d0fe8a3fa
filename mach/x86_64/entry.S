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

/* To user mode from a system call: rdi = the current thread, the registers
 * that C preserves are the user's; rax = result; interrupts off. */
.macro SYSCALL_LEAVE
        movq    (THREAD_FRAME + FRAME_RIP)(%rdi), %rcx
        movq    (THREAD_FRAME + FRAME_RFLAGS)(%rdi), %r11
        movq    (THREAD_FRAME + FRAME_RSP)(%rdi), %rsp
        xorl    %edi, %edi
        xorl    %esi, %esi
        xorl    %edx, %edx
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        swapgs
        sysretq
.endm

        .text

/*
 * System call. In: rax = number, arguments in rdi rsi rdx r10 r8 r9,
 * rcx = return address, r11 = flags; interrupts off (SFMASK).
 *
 * The handler is an ordinary C function, entered with interrupts off: one
 * that may take long enables them first. What it returns goes to rax. Only
 * what a C function preserves is saved for the user; the argument registers
 * come back as 0. A handler that blocks with a continuation leaves through
 * thread_return instead.
 */
        .balign 64
        .globl entry_syscall
entry_syscall:
        swapgs
        movq    %rsp, %gs:CPU_USER_RSP
        movq    %gs:CPU_THREAD, %rsp
        movq    %rcx, (THREAD_FRAME + FRAME_RIP)(%rsp)
        movq    %gs:CPU_USER_RSP, %rcx
        movq    %r11, (THREAD_FRAME + FRAME_RFLAGS)(%rsp)
        movq    %rcx, (THREAD_FRAME + FRAME_RSP)(%rsp)
        movq    %rbx, (THREAD_FRAME + FRAME_RBX)(%rsp)
        movq    %rbp, (THREAD_FRAME + FRAME_RBP)(%rsp)
        movq    %r12, (THREAD_FRAME + FRAME_R12)(%rsp)
        movq    %r13, (THREAD_FRAME + FRAME_R13)(%rsp)
        movq    %r14, (THREAD_FRAME + FRAME_R14)(%rsp)
        movq    %r15, (THREAD_FRAME + FRAME_R15)(%rsp)
        movq    $TRAP_FRAME_SYSCALL, (THREAD_FRAME + FRAME_VECTOR)(%rsp)
        cmpq    $MACH_TRAP_LAST, %rax /* as unsigned: -1 is the highest */
        jb      syscall_personality
        movq    %gs:CPU_STACK_TOP, %rsp
        movq    %r10, %rcx
        call    *(syscall_table - 8 * MACH_TRAP_LAST)(,%rax,8)

/* The short way out: rax = result. */
        cli
        cmpl    $0, %gs:CPU_AST
        jne     syscall_ast
        movq    %gs:CPU_THREAD, %rdi
        SYSCALL_LEAVE

syscall_ast:
        movq    %gs:CPU_THREAD, %rcx
        movq    %rax, (THREAD_FRAME + FRAME_RAX)(%rcx)
        jmp     thread_return

/* No Mach trap: a personality's call, whose arguments somebody will want. The
 * frame becomes one of all registers. From the table, or with rsp = thread. */
        .globl syscall_hole
syscall_hole:
        movq    %gs:CPU_THREAD, %rsp
syscall_personality:
        movq    %rax, (THREAD_FRAME + FRAME_RAX)(%rsp)
        movq    %rdi, (THREAD_FRAME + FRAME_RDI)(%rsp)
        movq    %rsi, (THREAD_FRAME + FRAME_RSI)(%rsp)
        movq    %rdx, (THREAD_FRAME + FRAME_RDX)(%rsp)
        movq    %r10, (THREAD_FRAME + FRAME_R10)(%rsp)
        movq    %r8, (THREAD_FRAME + FRAME_R8)(%rsp)
        movq    %r9, (THREAD_FRAME + FRAME_R9)(%rsp)
        movq    (THREAD_FRAME + FRAME_RIP)(%rsp), %rcx
        movq    %rcx, (THREAD_FRAME + FRAME_RCX)(%rsp)
        movq    %r11, (THREAD_FRAME + FRAME_R11)(%rsp)
        movq    $0, (THREAD_FRAME + FRAME_VECTOR)(%rsp)
        movq    %gs:CPU_STACK_TOP, %rsp
        sti
        call    syscall_personality_call
        ud2

/*
 * The message trap's general path, for the fast path, which has saved none of
 * the registers that a C function preserves: arguments as they came.
 */
        .globl mach_msg_trap_general
mach_msg_trap_general:
        movq    %gs:CPU_STACK_TOP, %rsp
        xorl    %ebp, %ebp
        call    mach_msg_trap
        cli
        movq    %gs:CPU_THREAD, %rdi
        movl    %eax, %esi
        jmp     thread_return_result

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

1:      movq    %gs:CPU_THREAD, %rdi
        cmpl    $TRAP_FRAME_SYSCALL, (THREAD_FRAME + FRAME_VECTOR)(%rdi)
        jne     2f

        movq    (THREAD_FRAME + FRAME_RAX)(%rdi), %rax
        jmp     syscall_exit_restore

        /* rdi = the current thread, its result is 0 (thread_return_success) */
        .globl thread_return_zero
thread_return_zero:
        xorl    %eax, %eax
        cmpl    $0, %gs:CPU_AST
        jne     thread_return_keep

        /* The last of a thread's registers: rdi = thread, rax = result. */
syscall_exit_restore:
        movq    (THREAD_FRAME + FRAME_RBX)(%rdi), %rbx
        movq    (THREAD_FRAME + FRAME_RBP)(%rdi), %rbp
        movq    (THREAD_FRAME + FRAME_R12)(%rdi), %r12
        movq    (THREAD_FRAME + FRAME_R13)(%rdi), %r13
        movq    (THREAD_FRAME + FRAME_R14)(%rdi), %r14
        movq    (THREAD_FRAME + FRAME_R15)(%rdi), %r15

        SYSCALL_LEAVE

2:      leaq    THREAD_FRAME(%rdi), %rsp
        RESTORE_REGISTERS
        addq    $16, %rsp
        swapgs
        iretq

/*
 * thread_return_result(struct thread *self, uint64_t result): the same for
 * the current thread with a result in rax. Interrupts are off.
 */
        .globl thread_return_result
thread_return_result:
        movq    %rsi, %rax
        cmpl    $0, %gs:CPU_AST
        jne     1f
        cmpl    $TRAP_FRAME_SYSCALL, (THREAD_FRAME + FRAME_VECTOR)(%rdi)
        je      syscall_exit_restore
thread_return_keep:
1:      movq    %rax, (THREAD_FRAME + FRAME_RAX)(%rdi)
        jmp     thread_return

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

/* void context_enter(struct thread *self, void (*continuation)(...)) */
        .globl context_enter
context_enter:
        movq    %gs:CPU_STACK_TOP, %rsp
        xorl    %ebp, %ebp
        sti
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
        .globl copy_user_quick
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
1:      USER_MEMORY_CLOSE
        movl    $1, %eax
        ret

        .section .fixup_table, "a"
        .quad copy_user_words, copy_user_failed, 1
        .quad copy_user_bytes, copy_user_failed, 1
        .quad copy_user_quick_start, copy_user_failed, 0
        .quad copy_user_quick_word, copy_user_failed, 0

        .section .note.GNU-stack, "", @progbits
