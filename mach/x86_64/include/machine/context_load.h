/* SPDX-License-Identifier: MIT */
/* The part of a switch that leaves the stack alone, for the two callers that
 * switch: machine/context.h and the message fast path. */

#ifndef MACHINE_CONTEXT_LOAD_H
#define MACHINE_CONTEXT_LOAD_H

#include <kern/task.h>
#include <kern/thread.h>
#include <machine/context.h>
#include <machine/cpu.h>
#include <machine/pmap.h>

/* FPU, I/O permissions and gs base, where either thread has some. */
void
context_load_special(struct cpu *cpu, struct thread *self, struct thread *next);

/*
 * From `self`, which may be NULL, to the user thread `next`: address space,
 * entry stack, segment bases, and what is special. Interrupts are off.
 */
static ALWAYS_INLINE void
context_load_user(struct cpu *cpu, struct thread *self, struct thread *next)
{
    if (unlikely((cpu->special | next->special) != 0)) {
        context_load_special(cpu, self, next);
    }

    pmap_activate_on(cpu, next->pmap);
    cpu->tss.rsp[0] = (uint64_t)(uintptr_t)(&next->frame + 1);

    /* Whatever the last one had: user code may have loaded the selector. */
    cpu_write_user_base(MSR_FS_BASE, next->fs_base);
    cpu->thread = next;
}

#endif /* MACHINE_CONTEXT_LOAD_H */
