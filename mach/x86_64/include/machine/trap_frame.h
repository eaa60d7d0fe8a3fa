/* SPDX-License-Identifier: MIT */
/*
 * The registers of an interrupted context, as the entry code saves them.
 * User registers always lie in the thread (struct thread, member frame), so
 * that a waiting thread needs no kernel stack; those of interrupted kernel
 * code lie on its stack.
 */

#ifndef MACHINE_TRAP_FRAME_H
#define MACHINE_TRAP_FRAME_H

#include <stdint.h>

/* In `vector` after a Mach trap: rip, rsp, rflags and what a C function
 * preserves are the user's, all else is stale; the way back is by sysret. */
#define TRAP_FRAME_SYSCALL 0x100

/* In the order of push: the processor pushes rip to ss (and error). */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rcx, rdx, rsi, rdi, rax;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* rsp0 must be a multiple of 16 behind the frame. */
_Static_assert(sizeof(struct trap_frame) % 16 == 0, "frame alignment");

#endif /* MACHINE_TRAP_FRAME_H */
