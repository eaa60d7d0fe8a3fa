/* SPDX-License-Identifier: MIT */
/*
 * Compiled to assembly only: the build turns the marked lines into the
 * header <machine/offsets.h> that entry.S includes.
 */

#include <stddef.h>

#include <kern/thread.h>
#include <machine/cpu.h>
#include <machine/trap_frame.h>

#define DEFINE(name, value)                                                    \
    __asm__ volatile(".ascii \"->" #name " %0\"" ::"i"((long)(value)))

void offsets(void);

void
offsets(void)
{
    DEFINE(CPU_THREAD, offsetof(struct cpu, thread));
    DEFINE(CPU_STACK_TOP, offsetof(struct cpu, stack_top));
    DEFINE(CPU_USER_RSP, offsetof(struct cpu, user_rsp));
    DEFINE(CPU_AST, offsetof(struct cpu, ast));
    DEFINE(THREAD_FRAME, offsetof(struct thread, frame));
    DEFINE(FRAME_R15, offsetof(struct trap_frame, r15));
    DEFINE(FRAME_R14, offsetof(struct trap_frame, r14));
    DEFINE(FRAME_R13, offsetof(struct trap_frame, r13));
    DEFINE(FRAME_R12, offsetof(struct trap_frame, r12));
    DEFINE(FRAME_RBP, offsetof(struct trap_frame, rbp));
    DEFINE(FRAME_RBX, offsetof(struct trap_frame, rbx));
    DEFINE(FRAME_R11, offsetof(struct trap_frame, r11));
    DEFINE(FRAME_R10, offsetof(struct trap_frame, r10));
    DEFINE(FRAME_R9, offsetof(struct trap_frame, r9));
    DEFINE(FRAME_R8, offsetof(struct trap_frame, r8));
    DEFINE(FRAME_RCX, offsetof(struct trap_frame, rcx));
    DEFINE(FRAME_RDX, offsetof(struct trap_frame, rdx));
    DEFINE(FRAME_RSI, offsetof(struct trap_frame, rsi));
    DEFINE(FRAME_RDI, offsetof(struct trap_frame, rdi));
    DEFINE(FRAME_RAX, offsetof(struct trap_frame, rax));
    DEFINE(FRAME_RIP, offsetof(struct trap_frame, rip));
    DEFINE(FRAME_CS, offsetof(struct trap_frame, cs));
    DEFINE(FRAME_RFLAGS, offsetof(struct trap_frame, rflags));
    DEFINE(FRAME_RSP, offsetof(struct trap_frame, rsp));
    DEFINE(FRAME_VECTOR, offsetof(struct trap_frame, vector));
    DEFINE(FRAME_SIZE, sizeof(struct trap_frame));
    DEFINE(TRAP_FRAME_SYSCALL, TRAP_FRAME_SYSCALL);
    DEFINE(MSR_GS_BASE, 0xc0000101);
}
